//! The Secret that all replicas share, written under optimistic concurrency: whoever loses reads the winner's.

use std::fmt;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, PostParams};
use tracing::Dispatch;
use tracing::instrument::WithSubscriber as _;

use super::ManagedOptions;
use super::error::{ManagedError, Refused as _};
use super::state::State;

/// On the Secret: whoever sets it, to anything, gets the authority replaced, with the overlap that lets no review fail.
pub const REPLACE: &str = "meshvet.dev/replace-authority";

/// How often to try again when another replica has written in between.
const TRIES: usize = 10;

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

    /// Reads the Secret. One that isn't there, or is empty, is given `known`, or else an authority of its own: by the first
    /// replica that gets there.
    pub(super) async fn obtain(
        &self,
        known: Option<&State>,
        now: Timestamp,
        options: &ManagedOptions,
    ) -> Result<Stored, ManagedError> {
        for _ in 0..TRIES {
            // The client logs whole answers that it can't parse: silenced.
            let found = self.api.get_opt(&self.name).with_subscriber(Dispatch::none()).await;
            let found = found.map_err(|error| ManagedError::request("get", self.what(), &error))?;
            if let Some(secret) = &found {
                let data = secret.data.clone().unwrap_or_default();
                let read = State::read(&data);
                let state = read.map_err(|error| ManagedError::Unreadable(self.what(), error.to_string()))?;
                if let Some(state) = state {
                    let asked = secret.metadata.annotations.as_ref().is_some_and(|all| all.contains_key(REPLACE));
                    return Ok(Stored { state, asked, secret: secret.clone() });
                }
            }
            let (state, restored) = match known {
                Some(known) => (known.clone(), true),
                None => (State::new(now, options.authority_life)?, false),
            };
            match self.write(found, &state).await {
                Ok(Some(stored)) => {
                    let ends = stored.state.current.ends;
                    if restored {
                        tracing::warn!(secret = self.what(), %ends, "the authority's Secret was deleted, and is written again");
                    } else {
                        tracing::info!(secret = self.what(), %ends, "made a certificate authority");
                    }
                    return Ok(stored);
                }
                Ok(None) => {}
                Err(error) => return Err(error),
            }
        }
        Err(ManagedError::Contended(self.what()))
    }

    /// Writes the state that follows what was read; None when another replica has written in between.
    pub(super) async fn replace(&self, stored: &Stored, state: &State) -> Result<Option<Stored>, ManagedError> {
        self.write(Some(stored.secret.clone()), state).await
    }

    async fn write(&self, found: Option<Secret>, state: &State) -> Result<Option<Stored>, ManagedError> {
        let params = PostParams { field_manager: Some("meshvet".to_owned()), ..PostParams::default() };
        let (verb, written) = match found {
            Some(mut secret) => {
                // It carries the version that was read: a Secret that has changed since is not overwritten.
                secret.data = Some(state.write());
                if let Some(annotations) = &mut secret.metadata.annotations {
                    annotations.remove(REPLACE);
                }
                ("update", self.api.replace(&self.name, &params, &secret).with_subscriber(Dispatch::none()).await)
            }
            None => {
                let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
                let secret = Secret { metadata, data: Some(state.write()), ..Secret::default() };
                ("create", self.api.create(&params, &secret).with_subscriber(Dispatch::none()).await)
            }
        };
        match written {
            Ok(secret) => Ok(Some(Stored { state: state.clone(), asked: false, secret })),
            Err(error) if error.is_conflict() => Ok(None),
            Err(error) => Err(ManagedError::request(verb, self.what(), &error)),
        }
    }

    fn what(&self) -> String {
        format!("Secret {}/{}", self.namespace, self.name)
    }
}
