//! The certificate that meshvet keeps by itself: no cert-manager, no file, no hand.
//!
//! ```text
//! Secret (the authority, shared) ──► leaf (in memory, each replica its own) ──► TLS
//!    │ one replica at a time, by a Lease
//!    └──────────────► caBundle of every webhook
//! ```
//!
//! Each replica takes turns of the same steps: read the Secret, see what the webhooks trust, and serve a leaf of an authority that
//! they do, at the paths that the Secret tells. The one that holds the Lease also keeps the bundle and the paths of the configuration
//! right, and replaces the authority when two thirds of its life have gone by ([`state`] tells how). Each step is taken for itself: one
//! that fails keeps no other from what can be done from memory. A leaf is renewed at two thirds of its life, from memory too.

mod authority;
mod bundle;
mod doors;
mod error;
mod keeper;
mod secret;
mod state;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::error::ManagedError;
use self::keeper::Keeper;
pub use self::secret::REPLACE;
use crate::admission::certificate::serving::ServingCertificate;
use crate::admission::paths::Paths;
use crate::operate::Clock;
use crate::operate::metrics::Metrics;

/// How long giving the Lease back may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// What to keep, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedOptions {
    /// The namespace of the Service, the Secret and the Lease.
    pub namespace: String,
    /// The Service that the API server calls: the certificate is for `SERVICE.NAMESPACE.svc`.
    pub service: String,
    /// The Secret with the authority, and the Lease of the same name.
    pub secret: String,
    /// The ValidatingWebhookConfiguration whose webhooks call the Service.
    pub webhook_configuration: String,
    /// How long a serving certificate lives.
    pub certificate_life: Duration,
    /// How long an authority lives.
    pub authority_life: Duration,
}

impl ManagedOptions {
    /// How long from one turn to the next: often enough for the shortest life.
    fn pace(&self) -> Duration {
        (self.certificate_life / 30).clamp(Duration::from_millis(100), Duration::from_secs(5))
    }

    /// How long the Lease holds unrenewed: three turns, in whole seconds as a Lease has it.
    fn lease_life(&self) -> Duration {
        Duration::from_secs((self.pace() * 3).as_secs().max(1))
    }

    /// How long the paths of reviews stay as they are: the API server quotes them to users whose request met no replica.
    fn path_life(&self) -> Duration {
        self.certificate_life / 7
    }

    /// How long until every API server has heard of a changed bundle.
    fn settling(&self) -> Duration {
        (self.authority_life / 20).clamp(Duration::from_secs(1), Duration::from_secs(30))
    }

    fn dns_name(&self) -> String {
        format!("{}.{}.svc", self.service, self.namespace)
    }
}

/// What a replica serves by.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The certificate.
    pub certificate: Arc<ServingCertificate>,
    /// The paths: none are open at first.
    pub paths: Arc<Paths>,
}

/// The certificate's keeper, at work until [ended](Managed::end) or dropped.
#[derive(Debug)]
pub struct Managed {
    task: JoinHandle<()>,
    end: CancellationToken,
}

impl Managed {
    /// Keeps what replicas serve by filled and renewed. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn start(
        client: kube::Client,
        options: ManagedOptions,
        kept: Kept,
        metrics: Arc<Metrics>,
        clock: Clock,
    ) -> Result<Self, rustls::Error> {
        let mut keeper = Keeper::new(client, options, kept, metrics, clock)?;
        let end = CancellationToken::new();
        let ended = end.clone();
        let task = tokio::spawn(async move {
            tokio::select! {
                () = keeper.run() => {}
                () = ended.cancelled() => {}
            }
            match tokio::time::timeout(FAREWELL, keeper.release()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(error = %ManagedError::from(error), "the Lease was not released: it expires by itself");
                }
                Err(_) => tracing::warn!(
                    "the Lease was not released, since the API server doesn't answer: it expires by itself"
                ),
            }
        });
        Ok(Self { task, end })
    }

    /// Stops, and gives the Lease back.
    pub async fn end(mut self) {
        self.end.cancel();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Managed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(certificate: u64, authority: u64) -> ManagedOptions {
        ManagedOptions {
            namespace: "meshvet-system".to_owned(),
            service: "meshvet".to_owned(),
            secret: "meshvet-authority".to_owned(),
            webhook_configuration: "meshvet".to_owned(),
            certificate_life: Duration::from_secs(certificate),
            authority_life: Duration::from_secs(authority),
        }
    }

    #[test]
    fn turns_are_as_frequent_as_the_lives_ask() {
        let usual = options(7 * 24 * 3600, 5 * 365 * 24 * 3600);
        assert_eq!(usual.pace(), Duration::from_secs(5));
        assert_eq!(usual.lease_life(), Duration::from_secs(15));
        assert_eq!(usual.settling(), Duration::from_secs(30));
        let brief = options(6, 30);
        assert!(brief.pace() * 10 <= brief.certificate_life / 3);
        assert!(brief.settling() + brief.lease_life() * 2 < brief.authority_life / 3);
    }

    #[test]
    fn no_two_replicas_have_one_name() {
        use crate::operate::lease::identity;

        assert_ne!(identity().expect("a name"), identity().expect("a name"));
        assert_eq!(options(6, 30).dns_name(), "meshvet.meshvet-system.svc");
    }
}
