//! The Secret that all replicas share, written under optimistic concurrency: whoever loses reads the winner's.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, PostParams};
use tracing::Dispatch;
use tracing::instrument::WithSubscriber as _;

use super::ManagedOptions;
use super::error::{ManagedError, Refused as _};
use super::state::State;
use crate::operate::lease::{MANAGER, make};

/// On the Secret: whoever sets it, to anything, gets the authority replaced, with the overlap that lets no review fail.
pub const REPLACE: &str = "meshvet.dev/replace-authority";

/// The Secret as it was read.
pub(super) struct Stored {
    pub(super) state: State,
    /// Whether somebody asked for another authority.
    pub(super) asked: bool,
    secret: Secret,
}

/// Never shows the Secret.
impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored").field("state", &self.state).field("asked", &self.asked).finish_non_exhaustive()
    }
}

/// What was found of the Secret.
#[derive(Debug)]
pub(super) enum Found {
    /// A state.
    Full(Box<Stored>),
    /// Nothing: it holds no data, or isn't there.
    Empty(Option<Box<Secret>>),
}

/// Where the authorities are kept.
pub(super) struct Store {
    api: Api<Secret>,
    namespace: String,
    name: String,
}

impl Store {
    pub(super) fn new(client: kube::Client, options: &ManagedOptions) -> Self {
        let api = Api::namespaced(client, &options.namespace);
        Self { api, namespace: options.namespace.clone(), name: options.secret.clone() }
    }

    /// Reads the Secret.
    pub(super) async fn read(&self) -> Result<Found, ManagedError> {
        // The client logs whole answers that it can't parse: silenced.
        let found = self.api.get_opt(&self.name).with_subscriber(Dispatch::none()).await;
        let found = found.map_err(|error| ManagedError::request("get", self.what(), &error))?;
        let Some(secret) = found else { return Ok(Found::Empty(None)) };
        let read = State::read(secret.data.as_ref().unwrap_or(&BTreeMap::new()));
        let state = read.map_err(|error| ManagedError::Unreadable(self.what(), error.to_string()))?;
        let Some(state) = state else { return Ok(Found::Empty(Some(secret.into()))) };
        let asked = secret.metadata.annotations.as_ref().is_some_and(|all| all.contains_key(REPLACE));
        Ok(Found::Full(Box::new(Stored { state, asked, secret })))
    }

    /// Writes a state into a Secret that was found empty, or makes it; None when another replica has written in between.
    pub(super) async fn fill(&self, empty: Option<Box<Secret>>, state: &State) -> Result<Option<Stored>, ManagedError> {
        let secret = match empty {
            Some(secret) => *secret,
            // Empty at first: whoever fills it has the version that it was made with, so that nobody overwrites another's.
            None => {
                let made = make(&self.api, &self.name).with_subscriber(Dispatch::none()).await;
                let made: Secret = made.map_err(|error| ManagedError::request("create", self.what(), &error))?;
                if made.data.as_ref().is_some_and(|data| !data.is_empty()) {
                    return Ok(None);
                }
                made
            }
        };
        self.write(secret, state).await
    }

    /// Writes the state that follows what was read; None when another replica has written in between.
    pub(super) async fn replace(&self, stored: &Stored, state: &State) -> Result<Option<Stored>, ManagedError> {
        self.write(stored.secret.clone(), state).await
    }

    async fn write(&self, mut secret: Secret, state: &State) -> Result<Option<Stored>, ManagedError> {
        let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        // It carries the version that was read: a Secret that has changed since is not overwritten.
        secret.data = Some(state.write());
        if let Some(annotations) = &mut secret.metadata.annotations {
            annotations.remove(REPLACE);
        }
        match self.api.replace(&self.name, &params, &secret).with_subscriber(Dispatch::none()).await {
            Ok(secret) => Ok(Some(Stored { state: state.clone(), asked: false, secret })),
            Err(error) if error.is_conflict() => Ok(None),
            Err(error) => Err(ManagedError::request("update", self.what(), &error)),
        }
    }

    pub(super) fn what(&self) -> String {
        format!("Secret {}/{}", self.namespace, self.name)
    }
}
