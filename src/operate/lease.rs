//! The Lease by which one replica at a time writes what all share.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::{Api, PostParams};
use ring::rand::SecureRandom as _;

use crate::operate::replica::own_name;

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
        }
    }

    /// Whether it is still ours.
    pub(crate) fn is_held(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() < until)
    }

    /// Takes or renews it. A Lease of another's is taken once it hasn't been renewed for its whole life: measured here, so that
    /// clocks need not agree.
    pub(crate) async fn hold(&mut self, now: Timestamp) -> Result<bool, LeaseError> {
        let asked = Instant::now();
        let found = self.api.get_opt(&self.name).await;
        let found = found.map_err(|error| self.failed("get", error))?;
        let spec = found.as_ref().and_then(|lease| lease.spec.clone()).unwrap_or_default();
        let holder = spec.holder_identity.as_deref().unwrap_or_default();
        let is_ours = holder == self.identity;
        if !is_ours && !holder.is_empty() {
            let version = found.as_ref().and_then(|lease| lease.metadata.resource_version.clone()).unwrap_or_default();
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
        let Some(spec) = found.as_ref().and_then(|lease| lease.spec.clone()) else { return Ok(()) };
        if spec.holder_identity.as_deref() == Some(&self.identity) {
            self.write(found, LeaseSpec { holder_identity: None, ..spec }).await?;
        }
        Ok(())
    }

    /// False when another replica has written in between.
    async fn write(&self, found: Option<Lease>, spec: LeaseSpec) -> Result<bool, LeaseError> {
        let params = PostParams { field_manager: Some("meshvet".to_owned()), ..PostParams::default() };
        let (verb, written) = match found {
            Some(lease) => {
                let lease = Lease { spec: Some(spec), ..lease };
                ("update", self.api.replace(&self.name, &params, &lease).await)
            }
            None => {
                let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
                ("create", self.api.create(&params, &Lease { metadata, spec: Some(spec) }).await)
            }
        };
        match written {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(self.failed(verb, error)),
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
