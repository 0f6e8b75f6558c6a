//! The Lease by which one replica at a time writes what all share.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::Resource;
use kube::api::{Api, Patch, PatchParams, PostParams};
use ring::rand::SecureRandom as _;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::operate::replica::own_name;

/// What meshvet's writes are recorded under.
pub(crate) const MANAGER: &str = "meshvet";

/// Makes an object without content, where it isn't there; as it is, where it is. By an apply, since the right to create can be given by
/// name for nothing else; or by a create, for whoever has the right to that alone.
pub(crate) async fn make<K>(api: &Api<K>, name: &str) -> Result<K, kube::Error>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + serde::Serialize + std::fmt::Debug,
{
    let object = json!({"apiVersion": K::api_version(&()), "kind": K::kind(&()), "metadata": {"name": name}});
    match api.patch(name, &PatchParams::apply(MANAGER), &Patch::Apply(&object)).await {
        Err(kube::Error::Api(refused)) if refused.code == 403 => {
            let object = serde_json::from_value(object).map_err(kube::Error::SerdeError)?;
            let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
            match api.create(&params, &object).await {
                Err(kube::Error::Api(status)) if status.code == 409 => api.get(name).await,
                // What the first was refused by names the right to give.
                Err(kube::Error::Api(status)) if status.code == 403 => Err(kube::Error::Api(refused)),
                created => created,
            }
        }
        applied => applied,
    }
}

/// A request about the Lease that failed.
#[derive(Debug)]
pub(crate) struct LeaseError {
    /// What was asked: `get`, `update` or `create`.
    pub(crate) verb: &'static str,
    /// `Lease NAMESPACE/NAME`.
    pub(crate) lease: String,
    /// Why it failed.
    pub(crate) error: kube::Error,
}

/// A replica's claim to the Lease.
pub(crate) struct Claim {
    api: Api<Lease>,
    namespace: String,
    name: String,
    /// This replica, unlike any other.
    identity: String,
    life: Duration,
    /// Somebody else's Lease: its version, and since when it has been that by this replica's own clock.
    seen: Option<(String, Instant)>,
    /// Until when it is ours for certain.
    until: Option<Instant>,
    /// Whether there was none, at the last look.
    is_missing: bool,
}

impl Claim {
    /// A claim of `identity` to the Lease NAMESPACE/NAME, which counts for `life` after each renewal.
    pub(crate) fn new(client: kube::Client, namespace: &str, name: &str, identity: String, life: Duration) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            identity,
            life,
            seen: None,
            until: None,
            is_missing: false,
        }
    }

    /// Whether there was none at the last look.
    pub(crate) fn is_missing(&self) -> bool {
        self.is_missing
    }

    /// Whether it is still ours.
    pub(crate) fn is_held(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() < until)
    }

    /// Takes or renews it. A Lease of another's is taken once it hasn't been renewed for its whole life: measured here, so that
    /// clocks need not agree. One that isn't there is made, where it may be.
    pub(crate) async fn hold(&mut self, now: Timestamp, may_make: bool) -> Result<bool, LeaseError> {
        let asked = Instant::now();
        let found = self.api.get_opt(&self.name).await;
        let found = found.map_err(|error| self.failed("get", error))?;
        self.is_missing = found.is_none();
        let found = match found {
            Some(found) => found,
            None if !may_make => {
                self.until = None;
                return Ok(false);
            }
            None => make(&self.api, &self.name).await.map_err(|error| self.failed("create", error))?,
        };
        let spec = found.spec.clone().unwrap_or_default();
        let holder = spec.holder_identity.as_deref().unwrap_or_default();
        let is_ours = holder == self.identity;
        if !is_ours && !holder.is_empty() {
            let version = found.metadata.resource_version.clone().unwrap_or_default();
            let since = match self.seen.take() {
                Some((seen, since)) if seen == version => since,
                _ => asked,
            };
            self.seen = Some((version, since));
            self.until = None;
            let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
            if since.elapsed() < seconds.map_or(self.life, Duration::from_secs) {
                return Ok(false);
            }
        }
        let mut next = LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: Some(i32::try_from(self.life.as_secs()).unwrap_or(i32::MAX)),
            renew_time: Some(MicroTime(now)),
            ..spec.clone()
        };
        if !is_ours {
            next.acquire_time = Some(MicroTime(now));
            next.lease_transitions = Some(spec.lease_transitions.unwrap_or(0).saturating_add(1));
        }
        let held = self.write(found, next).await?;
        self.until = held.then(|| asked + self.life);
        Ok(held)
    }

    /// Gives it back, so that another replica need not wait.
    pub(crate) async fn release(&mut self) -> Result<(), LeaseError> {
        if self.until.take().is_none() {
            return Ok(());
        }
        let found = self.api.get_opt(&self.name).await;
        let found = found.map_err(|error| self.failed("get", error))?;
        let Some((found, spec)) = found.and_then(|lease| Some((lease.clone(), lease.spec?))) else { return Ok(()) };
        if spec.holder_identity.as_deref() == Some(&self.identity) {
            self.write(found, LeaseSpec { holder_identity: None, ..spec }).await?;
        }
        Ok(())
    }

    /// False when another replica has written in between.
    async fn write(&self, found: Lease, spec: LeaseSpec) -> Result<bool, LeaseError> {
        let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        let lease = Lease { spec: Some(spec), ..found };
        match self.api.replace(&self.name, &params, &lease).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(self.failed("update", error)),
        }
    }

    fn failed(&self, verb: &'static str, error: kube::Error) -> LeaseError {
        LeaseError { verb, lease: format!("Lease {}/{}", self.namespace, self.name), error }
    }
}

/// A name for this replica that no other has, not even an earlier one of the same pod.
pub(crate) fn identity() -> Result<String, rustls::Error> {
    let mut random = [0_u8; 8];
    ring::rand::SystemRandom::new().fill(&mut random).map_err(|_| rustls::Error::FailedToGetRandomBytes)?;
    Ok(format!("{}_{:016x}", own_name(), u64::from_be_bytes(random)))
}
