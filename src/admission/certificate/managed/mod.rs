//! The certificate that meshvet keeps by itself: no cert-manager, no file, no hand.
//!
//! ```text
//! Secret (the authority, shared) ──► leaf (in memory, each replica its own) ──► TLS
//!    │ one replica at a time, by a Lease
//!    └──────────────► caBundle of every webhook
//! ```
//!
//! Each replica takes turns of the same steps: read the Secret (or make it), see what the webhooks trust, and serve a leaf of an
//! authority that they do. The one that holds the Lease also keeps the bundle right and replaces the authority when two thirds
//! of its life have gone by ([`state`] tells how). A leaf is renewed at two thirds of its life, from memory: the API server may
//! be away.

mod authority;
mod bundle;
mod error;
mod secret;
mod state;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::authority::Trusted;
use self::bundle::Configuration;
use self::error::ManagedError;
pub use self::secret::REPLACE;
use self::secret::{Store, Stored};
use self::state::{State, Step, within_last_third};
use crate::admission::certificate::serving::ServingCertificate;
use crate::operate::Clock;
use crate::operate::lease::{Claim, identity};

/// How long one turn may wait for the API server.
const PATIENCE: Duration = Duration::from_secs(10);
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

    /// How long until every API server has heard of a changed bundle.
    fn settling(&self) -> Duration {
        (self.authority_life / 20).clamp(Duration::from_secs(1), Duration::from_secs(30))
    }

    fn dns_name(&self) -> String {
        format!("{}.{}.svc", self.service, self.namespace)
    }
}

/// The certificate's keeper, at work until [ended](Managed::end) or dropped.
#[derive(Debug)]
pub struct Managed {
    task: JoinHandle<()>,
    end: CancellationToken,
}

impl Managed {
    /// Keeps `certificate` filled and renewed. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn start(
        client: kube::Client,
        options: ManagedOptions,
        certificate: Arc<ServingCertificate>,
        clock: Clock,
    ) -> Result<Self, rustls::Error> {
        let mut keeper = Keeper {
            store: Store::new(client.clone(), &options),
            configuration: Configuration::new(client.clone(), &options),
            claim: Claim::new(client, &options.namespace, &options.secret, identity()?, options.lease_life()),
            known: None,
            trusted: HashMap::new(),
            is_called: true,
            served: None,
            options,
            certificate,
            clock,
        };
        let end = CancellationToken::new();
        let ended = end.clone();
        let task = tokio::spawn(async move {
            tokio::select! {
                () = keeper.run() => {}
                () = ended.cancelled() => {}
            }
            match tokio::time::timeout(FAREWELL, keeper.claim.release()).await {
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

struct Keeper {
    options: ManagedOptions,
    store: Store,
    configuration: Configuration,
    claim: Claim,
    certificate: Arc<ServingCertificate>,
    clock: Clock,
    /// The state that was read last.
    known: Option<State>,
    /// What every webhook trusts, each since when.
    trusted: HashMap<CertificateDer<'static>, Instant>,
    /// Whether there is a configuration, so that somebody has to trust what is served.
    is_called: bool,
    /// Whose leaf is served.
    served: Option<Trusted>,
}

impl Keeper {
    async fn run(&mut self) {
        let mut complaint = String::new();
        loop {
            let turn = tokio::time::timeout(PATIENCE, self.follow()).await.unwrap_or(Err(ManagedError::TimedOut));
            // Whatever the API server says: what is known already is enough to go on serving.
            match turn.and(self.serve().map_err(ManagedError::from)) {
                Ok(()) => complaint.clear(),
                Err(error) => {
                    let text = error.to_string();
                    if text != complaint {
                        tracing::error!(error = text.as_str(), "the managed certificate");
                        complaint = text;
                    }
                }
            }
            tokio::time::sleep(self.options.pace()).await;
        }
    }

    /// Reads what all replicas share, and writes it where it is this one's turn to.
    async fn follow(&mut self) -> Result<(), ManagedError> {
        let stored = self.store.obtain(self.known.as_ref(), (self.clock)(), &self.options).await?;
        self.known = Some(stored.state.clone());
        let held = self.claim.hold((self.clock)()).await;
        let bundle = self.keep_bundle(&stored.state, matches!(held, Ok(true))).await;
        held?;
        bundle?;
        if self.claim.is_held() { self.advance(stored).await } else { Ok(()) }
    }

    /// Sees what the webhooks trust and, with the Lease, makes it what they should.
    async fn keep_bundle(&mut self, state: &State, held: bool) -> Result<(), ManagedError> {
        let found = self.configuration.read().await?;
        self.is_called = found.is_some();
        let Some(bundles) = found else {
            self.trusted.clear();
            return Err(ManagedError::NoConfiguration(self.options.webhook_configuration.clone()));
        };
        let mut common = bundles.common();
        let mut wanted = state.bundle();
        // One that this replica still serves by, when the Secret was put another in place by hand.
        let served = self.served.clone().filter(|served| !wanted.contains(served) && (self.clock)() < served.ends());
        wanted.extend(served);
        if held && self.claim.is_held() && !bundles.are(&wanted) && self.configuration.write(bundles, &wanted).await? {
            tracing::info!(authorities = wanted.len(), "wrote the caBundle");
            common = wanted.into_iter().map(|certificate| certificate.der).collect();
        }
        let now = Instant::now();
        self.trusted.retain(|certificate, _| common.contains(certificate));
        for certificate in common {
            self.trusted.entry(certificate).or_insert(now);
        }
        Ok(())
    }

    /// Goes on to the next state, when it is time.
    async fn advance(&mut self, stored: Stored) -> Result<(), ManagedError> {
        let now = (self.clock)();
        let is_trusted = |certificate: &Trusted| self.is_settled(certificate);
        let next = stored.state.advance(now, self.options.authority_life, stored.asked, is_trusted)?;
        let Some((state, step)) = next else { return Ok(()) };
        // Lost to somebody else's write: the next turn reads it.
        if self.store.replace(&stored, &state).await?.is_some() {
            let ends = state.current.ends;
            match step {
                Step::Announced => tracing::info!("the authority is being replaced: both are trusted from now on"),
                Step::Replaced => tracing::info!(%ends, "the new authority issues certificates from now on"),
                Step::Ended => tracing::warn!(%ends, "the authority had expired: made a new one"),
                Step::Forgot => tracing::info!("the previous authority has expired, and is no longer trusted"),
            }
            self.known = Some(state);
        }
        Ok(())
    }

    /// Whether every API server trusts it.
    fn is_settled(&self, certificate: &Trusted) -> bool {
        self.trusted.get(&certificate.der).is_some_and(|since| since.elapsed() >= self.options.settling())
    }

    /// Serves a leaf of the current authority, once that is trusted, and renews it.
    fn serve(&mut self) -> Result<(), authority::AuthorityError> {
        let Some(state) = &self.known else { return Ok(()) };
        let (now, current) = ((self.clock)(), &state.current);
        let ends = self.certificate.ends();
        let nothing_served = ends.is_none_or(|ends| now >= ends);
        if self.served.as_ref() == Some(&current.certificate) {
            let life = self.options.certificate_life;
            // The authority's own last days: a leaf can't outlive it, and a new one every turn would be none the better.
            let is_longest = ends == Some(current.ends);
            if !nothing_served && (is_longest || ends.is_some_and(|ends| !within_last_third(now, ends, life))) {
                return Ok(());
            }
        } else {
            // Where nothing is served, nothing can be lost by serving early.
            let known_to_callers = self.trusted.contains_key(&current.certificate.der);
            let may = !self.is_called
                || if nothing_served { known_to_callers } else { self.is_settled(&current.certificate) };
            if !may {
                return Ok(());
            }
        }
        if now >= current.ends {
            return Ok(());
        }
        let pair = current.issue(&self.options.dns_name(), now, self.options.certificate_life)?;
        self.certificate.replace(pair);
        self.served = Some(current.certificate.clone());
        let ends = self.certificate.ends().unwrap_or(Timestamp::UNIX_EPOCH);
        tracing::info!(%ends, "issued a serving certificate");
        Ok(())
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
        assert_ne!(identity().expect("a name"), identity().expect("a name"));
        assert_eq!(options(6, 30).dns_name(), "meshvet.meshvet-system.svc");
    }
}
