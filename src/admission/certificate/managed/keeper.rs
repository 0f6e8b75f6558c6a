//! What one replica does, turn by turn. Each part is done for itself: what one can't do keeps no other from its own.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use rustls::pki_types::CertificateDer;

use super::authority::{AuthorityError, Trusted};
use super::bundle::{Bundles, Configuration};
use super::doors::OpenDoors;
use super::error::ManagedError;
use super::secret::{Found, Store, Stored};
use super::state::{Doors, State, Step, within_last_third};
use super::{Kept, ManagedOptions};
use crate::admission::certificate::serving::ServingCertificate;
use crate::admission::paths::Door;
use crate::operate::Clock;
use crate::operate::lease::{Claim, LeaseError, identity};
use crate::operate::metrics::Metrics;

/// How long one part may wait for the API server.
const PATIENCE: Duration = Duration::from_secs(5);
/// From one turn to the next while nothing can be served yet, at most.
const IMPATIENCE: Duration = Duration::from_secs(1);
/// How often what lasts is logged again.
const AGAIN: Duration = Duration::from_secs(300);

/// The parts of the keeper's work, as metrics name them.
const SECRET: &str = "secret";
const LEASE: &str = "lease";
const CONFIGURATION: &str = "configuration";
const CERTIFICATE: &str = "certificate";

type Outcome = (&'static str, Result<(), ManagedError>);

pub(super) struct Keeper {
    options: ManagedOptions,
    store: Store,
    configuration: Configuration,
    claim: Claim,
    certificate: Arc<ServingCertificate>,
    doors: OpenDoors,
    metrics: Arc<Metrics>,
    clock: Clock,
    /// The state that was read last.
    known: Option<State>,
    /// What every webhook trusts, each since when.
    trusted: HashMap<CertificateDer<'static>, Instant>,
    /// Whether there is a configuration, so that somebody has to trust what is served.
    is_called: bool,
    /// Whose leaf is served.
    served: Option<Trusted>,
    /// Whether the Secret was empty in the turn before.
    was_empty: bool,
    /// Since when there is no authority to be found, though webhooks trust one.
    orphaned: Option<Instant>,
    /// What is logged of each part already, and when.
    complaints: HashMap<&'static str, (String, Instant)>,
}

impl Keeper {
    pub(super) fn new(
        client: kube::Client,
        options: ManagedOptions,
        kept: Kept,
        metrics: Arc<Metrics>,
        clock: Clock,
    ) -> Result<Self, rustls::Error> {
        let claim = Claim::new(client.clone(), &options.namespace, &options.secret, identity()?, options.lease_life());
        Ok(Self {
            store: Store::new(client.clone(), &options),
            configuration: Configuration::new(client, &options),
            claim,
            certificate: kept.certificate,
            doors: OpenDoors::new(kept.paths, options.settling()),
            metrics,
            clock,
            known: None,
            trusted: HashMap::new(),
            is_called: true,
            served: None,
            was_empty: false,
            orphaned: None,
            complaints: HashMap::new(),
            options,
        })
    }

    pub(super) async fn run(&mut self) {
        loop {
            for (part, outcome) in self.turn().await {
                self.metrics.keeps(part, outcome.is_ok());
                self.tell(part, outcome.err().map(|error| error.to_string()));
            }
            // Whatever the API server says: what is known already is enough to go on serving.
            let served = self.serve().map_err(ManagedError::from);
            self.tell(CERTIFICATE, served.err().map(|error| error.to_string()));
            self.tell_of_trust();
            let pace = self.options.pace();
            tokio::time::sleep(if self.served.is_none() { pace.min(IMPATIENCE) } else { pace }).await;
        }
    }

    /// Gives the Lease back.
    pub(super) async fn release(&mut self) -> Result<(), LeaseError> {
        self.claim.release().await
    }

    /// Logs what went wrong with a part: once, and now and then while it lasts.
    fn tell(&mut self, part: &'static str, error: Option<String>) {
        let Some(text) = error else {
            self.complaints.remove(part);
            return;
        };
        let is_told = |(told, at): &(String, Instant)| *told == text && at.elapsed() < AGAIN;
        if !self.complaints.get(part).is_some_and(is_told) {
            tracing::error!(error = text.as_str(), "the managed certificate");
            self.complaints.insert(part, (text, Instant::now()));
        }
    }

    /// Reads what all replicas share, and writes it where it is this one's turn to.
    async fn turn(&mut self) -> Vec<Outcome> {
        let bundles = in_time(self.configuration.read()).await;
        let secret = in_time(self.store.read()).await;
        let (empty, secret) = match secret {
            Ok(Found::Full(stored)) => (None, Ok(Some(*stored))),
            Ok(Found::Empty(empty)) => (Some(empty), Ok(None)),
            Err(error) => (None, Err(error)),
        };
        if let Ok(Some(stored)) = &secret {
            self.learn(stored.state.clone());
        }
        let is_configured = matches!(bundles, Ok(Some(_)));
        let held = self.hold(is_configured, empty.is_some()).await;
        let was_empty = std::mem::replace(&mut self.was_empty, empty.is_some());
        let secret = match empty {
            Some(empty) if self.may_fill(&bundles, &held, was_empty) => in_time(self.fill(empty)).await,
            Some(_) if self.known.is_some() => Err(ManagedError::NoSecret(self.store.what())),
            _ => secret,
        };
        let bundle = match bundles {
            Ok(bundles) => in_time(self.keep_bundle(bundles, &held)).await,
            Err(error) => Err(error),
        };
        let advanced = match secret {
            Ok(Some(stored)) if self.claim.is_held() => in_time(self.advance(stored)).await,
            other => other.map(drop),
        };
        vec![(SECRET, advanced), (LEASE, held.map(drop)), (CONFIGURATION, bundle)]
    }

    fn learn(&mut self, state: State) {
        self.orphaned = None;
        self.doors.learn(&state.doors);
        self.known = Some(state);
    }

    /// Takes or renews the Lease: who knows no authority, and can't make one, leaves it to others.
    async fn hold(&mut self, is_configured: bool, is_empty: bool) -> Result<bool, ManagedError> {
        if self.known.is_none() && !is_empty {
            return Ok(false);
        }
        // One that has gone is made again in the turn after, and only while there is something to keep: this may be an uninstall.
        let may_make = self.known.is_none() || is_configured && self.claim.is_missing();
        let now = (self.clock)();
        let held = in_time(async { Ok(self.claim.hold(now, may_make).await?) }).await?;
        if self.claim.is_missing() && !held {
            let lease = format!("Lease {}/{}", self.options.namespace, self.options.secret);
            return Err(ManagedError::NoLease(lease));
        }
        Ok(held)
    }

    /// Whether this replica is to write the authority into the empty Secret.
    fn may_fill(
        &mut self,
        bundles: &Result<Option<Bundles>, ManagedError>,
        held: &Result<bool, ManagedError>,
        was_empty: bool,
    ) -> bool {
        if self.known.is_some() {
            // Whoever has it in memory, and not at once: this may be an uninstall.
            return was_empty && matches!(bundles, Ok(Some(_)));
        }
        if matches!(held, Ok(false)) {
            return false;
        }
        let is_first = bundles.as_ref().is_ok_and(|found| found.as_ref().is_none_or(|it| !it.trust_somebody()));
        if is_first {
            return true;
        }
        // Somebody has had one: whoever still has it in memory writes it first.
        let since = *self.orphaned.get_or_insert_with(Instant::now);
        since.elapsed() >= self.options.lease_life() * 2
    }

    /// Writes what is in memory into the empty Secret; where nothing is, another authority. None when another replica was first.
    async fn fill(&mut self, empty: Option<Box<Secret>>) -> Result<Option<Stored>, ManagedError> {
        let (state, is_restored) = match &self.known {
            Some(known) => (known.clone(), true),
            None => (State::new((self.clock)(), self.options.authority_life)?, false),
        };
        let stored = self.store.fill(empty, &state).await?;
        if let Some(stored) = &stored {
            let (secret, ends) = (self.store.what(), stored.state.current.ends);
            if is_restored {
                tracing::warn!(secret, %ends, "the authority's Secret was deleted or emptied, and is written again");
            } else {
                tracing::info!(secret, %ends, "made a certificate authority");
            }
            self.was_empty = false;
            self.learn(stored.state.clone());
        }
        Ok(stored)
    }

    /// Sees what the webhooks trust and where they send reviews and, with the Lease, makes it what it should be. Where no Lease can be
    /// had, only what keeps reviews away: then several may write, none of whom takes from another.
    async fn keep_bundle(
        &mut self,
        found: Option<Bundles>,
        held: &Result<bool, ManagedError>,
    ) -> Result<(), ManagedError> {
        self.is_called = found.is_some();
        let Some(bundles) = found else {
            self.trusted.clear();
            return Err(ManagedError::NoConfiguration(self.options.webhook_configuration.clone()));
        };
        self.doors.see(&bundles, false);
        self.see_trusted(bundles.common());
        match self.known.clone() {
            Some(state) => self.put_right(bundles, &state, held).await,
            None => Ok(()),
        }
    }

    async fn put_right(
        &mut self,
        bundles: Bundles,
        state: &State,
        held: &Result<bool, ManagedError>,
    ) -> Result<(), ManagedError> {
        let mut wanted = state.bundle();
        // One that this replica still serves by, when the Secret was put another in place by hand.
        let served = self.served.clone().filter(|served| !wanted.contains(served) && (self.clock)() < served.ends());
        wanted.extend(served);
        let door = &state.doors.current;
        let is_ours = matches!(held, Ok(true)) && self.claim.is_held();
        let is_away = wanted.iter().any(|wanted| !self.trusted.contains_key(&wanted.der)) || self.doors.misses();
        let writes = if is_ours { !bundles.are(&wanted) || !bundles.call(door) } else { held.is_err() && is_away };
        if !writes {
            return Ok(());
        }
        if !is_ours {
            let others = bundles.common().into_iter().filter(|der| wanted.iter().all(|wanted| wanted.der != *der));
            let others: Vec<Trusted> = others.map(Trusted::from_der).collect();
            wanted.extend(others);
        }
        if self.configuration.write(bundles.clone(), &wanted, door).await? {
            tracing::info!(authorities = wanted.len(), "wrote the caBundle and the paths of the webhooks");
            self.doors.see(&bundles, true);
            self.see_trusted(wanted.into_iter().map(|certificate| certificate.der).collect());
        }
        Ok(())
    }

    /// Notes what every webhook trusts.
    fn see_trusted(&mut self, common: Vec<CertificateDer<'static>>) {
        let now = Instant::now();
        self.trusted.retain(|certificate, _| common.contains(certificate));
        for certificate in common {
            self.trusted.entry(certificate).or_insert(now);
        }
    }

    /// Goes on to the next state, when it is time.
    async fn advance(&mut self, stored: Stored) -> Result<(), ManagedError> {
        let now = (self.clock)();
        let is_trusted = |certificate: &Trusted| self.is_settled(certificate);
        let next = stored.state.advance(now, self.options.authority_life, stored.asked, is_trusted)?;
        let next = match next {
            Some(next) => Some(next),
            None => {
                let known = |all: &Doors, next: &Door| self.doors.is_known(all, next);
                let unused = |door: &Door| self.doors.is_unused(door);
                stored.state.advance_doors(now, self.options.path_life(), known, unused)?
            }
        };
        let Some((state, step)) = next else { return Ok(()) };
        // Lost to somebody else's write: the next turn reads it.
        if self.store.replace(&stored, &state).await?.is_some() {
            let ends = state.current.ends;
            match step {
                Step::Announced => tracing::info!("the authority is being replaced: both are trusted from now on"),
                Step::Replaced => tracing::info!(%ends, "the new authority issues certificates from now on"),
                Step::Ended => tracing::warn!(%ends, "the authority had expired: made a new one"),
                Step::Forgot => tracing::info!("the previous authority has expired, and is no longer trusted"),
                Step::PathsAnnounced => tracing::info!("the paths of reviews are being replaced: both are served"),
                Step::PathsReplaced => tracing::info!("reviews are sent to the new paths from now on"),
                Step::PathsForgot => tracing::info!("the previous paths of reviews are no longer served"),
            }
            self.learn(state);
        }
        Ok(())
    }

    /// Whether every API server trusts it.
    fn is_settled(&self, certificate: &Trusted) -> bool {
        self.trusted.get(&certificate.der).is_some_and(|since| since.elapsed() >= self.options.settling())
    }

    /// Serves a leaf of the current authority, once that is trusted, and renews it.
    fn serve(&mut self) -> Result<(), AuthorityError> {
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
            // Where nothing is served that anybody trusts, nothing can be lost by serving early.
            let is_trusted = |certificate: &Trusted| self.trusted.contains_key(&certificate.der);
            let nothing_to_lose = nothing_served || !self.served.as_ref().is_some_and(is_trusted);
            let may = !self.is_called
                || if nothing_to_lose {
                    is_trusted(&current.certificate)
                } else {
                    self.is_settled(&current.certificate)
                };
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

    /// Why reviews don't reach this replica; None: they do, or it serves nothing yet.
    fn distrust(&self) -> Option<&'static str> {
        let served = self.served.as_ref().filter(|_| self.is_called)?;
        if !self.trusted.contains_key(&served.der) {
            return Some("the webhook configuration doesn't trust the serving certificate");
        }
        self.doors.misses().then_some("the webhook configuration sends reviews to paths that aren't served here")
    }

    fn tell_of_trust(&mut self) {
        let distrust = self.distrust();
        self.metrics.trusted(distrust.is_none() && self.served.is_some());
        match (self.certificate.distrust(distrust), distrust) {
            (None, Some(why)) => tracing::error!(why, "reviews don't reach this replica"),
            (Some(_), None) => tracing::info!("reviews reach this replica again"),
            _ => {}
        }
    }
}

async fn in_time<T>(part: impl Future<Output = Result<T, ManagedError>>) -> Result<T, ManagedError> {
    tokio::time::timeout(PATIENCE, part).await.unwrap_or(Err(ManagedError::TimedOut))
}
