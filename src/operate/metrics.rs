//! What is counted, for Prometheus. docs/metrics.md is made from it.

mod docs;
mod listeners;
mod problems;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use self::listeners::Listeners;
use self::problems::Found as FoundProblems;
pub use self::problems::{ProblemLabels, Problems};
use crate::apis::reviewed_rows;
use crate::aws::CallStats;
use crate::operate::expiry::Expiries;
use crate::sources::cluster::WatchStats;

/// From a tenth of a millisecond to the longest timeout of a webhook.
const BUCKETS: [f64; 12] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0, 30.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Review {
    kind: &'static str,
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Found {
    rule: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Called {
    operation: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: &'static str,
    architecture: &'static str,
    aws: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Cause {
    cause: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Part {
    part: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Known {
    what: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Watched {
    kind: &'static str,
}

const BUILD: Build = Build {
    version: env!("CARGO_PKG_VERSION"),
    architecture: std::env::consts::ARCH,
    aws: if cfg!(feature = "aws") { "true" } else { "false" },
};
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    answer: &'static str,
}

/// Every metric of the admission server. Labels take a fixed set of values, whoever asks.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    reviews: Family<Review, Counter>,
    counters: ReviewCounters,
    seconds: Histogram,
    findings: Family<Found, Counter>,
    failures: Family<Cause, Counter>,
    store_reads: Family<Outcome, Counter>,
    workload_reads: Family<Outcome, Counter>,
    confirmations: Family<Outcome, Counter>,
    handshake_failures: Counter,
    connections: Gauge,
    displaced: Counter,
    overloaded: Family<Answered, Counter>,
    cache_differences: Gauge,
    self_checks: Family<Outcome, Counter>,
    certificate_expiry: Gauge,
    certificate_remaining: Gauge,
    certificate_trusted: Gauge,
    keeper_ok: Family<Part, Gauge>,
    clock_difference: Gauge,
    known: Family<Known, Gauge>,
    watched: Family<Watched, Gauge>,
    undecodable: Family<Watched, Gauge>,
    watch_errors: Family<Watched, Counter>,
    cache_bytes: Family<Watched, Gauge>,
    cache_age: Family<Watched, Gauge<f64, AtomicU64>>,
    aws_calls: Family<Called, Counter>,
    policy_ok: Gauge,
    policy_errors: Counter,
    lines_dropped: Counter,
    judged: Counter,
    listeners: Arc<Listeners>,
    problems: Arc<FoundProblems>,
}

/// The counters of reviews, each looked up once: a family hashes its labels, and locks.
#[derive(Debug)]
struct ReviewCounters(Vec<(&'static str, [OnceLock<Counter>; VERDICTS.len()])>);

/// What a review may end with.
const VERDICTS: [&str; 4] = ["allowed", "warned", "denied", "unjudged"];
/// What stands for every kind that isn't judged.
const OTHER: &str = "other";

impl Default for ReviewCounters {
    fn default() -> Self {
        let mut counters: Vec<(&'static str, _)> = Vec::new();
        for kind in reviewed_rows().map(|row| row.kind.kind).chain([OTHER]) {
            if !counters.iter().any(|(known, _)| *known == kind) {
                counters.push((kind, Default::default()));
            }
        }
        Self(counters)
    }
}

impl ReviewCounters {
    fn of(&self, family: &Family<Review, Counter>, kind: &str, verdict: &'static str) -> Counter {
        let found = self.0.iter().find(|(known, _)| *known == kind).or(self.0.last());
        let kind = found.map_or(OTHER, |(kind, _)| kind);
        let make = || family.get_or_create(&Review { kind, verdict }).clone();
        let place = VERDICTS.iter().position(|known| *known == verdict);
        match found.zip(place).and_then(|((_, counters), place)| counters.get(place)) {
            Some(counter) => counter.get_or_init(make).clone(),
            None => make(),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("meshvet");
        let metrics = Self {
            reviews: Family::default(),
            counters: ReviewCounters::default(),
            seconds: Histogram::new(BUCKETS),
            failures: Family::default(),
            store_reads: Family::default(),
            workload_reads: Family::default(),
            confirmations: Family::default(),
            handshake_failures: Counter::default(),
            connections: Gauge::default(),
            displaced: Counter::default(),
            overloaded: Family::default(),
            cache_differences: Gauge::default(),
            self_checks: Family::default(),
            certificate_expiry: Gauge::default(),
            certificate_remaining: Gauge::default(),
            certificate_trusted: Gauge::default(),
            keeper_ok: Family::default(),
            clock_difference: Gauge::default(),
            known: Family::default(),
            watched: Family::default(),
            undecodable: Family::default(),
            watch_errors: Family::default(),
            findings: Family::default(),
            cache_bytes: Family::default(),
            cache_age: Family::default(),
            aws_calls: Family::default(),
            policy_ok: Gauge::default(),
            policy_errors: Counter::default(),
            lines_dropped: Counter::default(),
            judged: Counter::default(),
            listeners: Arc::default(),
            problems: Arc::default(),
            registry: Registry::default(),
        };
        registry.register("reviews", "Admission reviews answered", metrics.reviews.clone());
        let seconds = metrics.seconds.clone();
        registry.register_with_unit("review", "Time from a review's last byte to its verdict", Unit::Seconds, seconds);
        registry.register(
            "findings",
            "What reviews found, by rule: denied (it refused the object), unenforced (it would have, but for enforcement: warn), warned, or suppressed by the object's owner",
            metrics.findings.clone(),
        );
        registry.register("failures", "Requests that got no verdict", metrics.failures.clone());
        registry.register(
            "store_reads",
            "Secrets and ConfigMaps read afresh for a review",
            metrics.store_reads.clone(),
        );
        registry.register(
            "workload_reads",
            "Lists of a namespace's workloads read afresh for one or more reviews",
            metrics.workload_reads.clone(),
        );
        registry.register(
            "confirmations",
            "Verdicts whose Secrets, workloads and other ends were held against the API server, by whether it had newer ones",
            metrics.confirmations.clone(),
        );
        registry.register("tls_handshake_failures", "TLS handshakes that failed", metrics.handshake_failures.clone());
        registry.register("connections", "Open connections", metrics.connections.clone());
        registry.register(
            "connections_displaced",
            "Connections closed in favour of others because the limit was reached",
            metrics.displaced.clone(),
        );
        registry.register("overloaded", "Requests rejected by overload, by answer", metrics.overloaded.clone());
        registry.register(
            "cache_differences",
            "Cached objects that differed from the cluster when they were last compared",
            metrics.cache_differences.clone(),
        );
        registry.register(
            "self_checks",
            "Comparisons of the caches with the cluster, by outcome",
            metrics.self_checks.clone(),
        );
        registry.register(
            "certificate_expiry_timestamp_seconds",
            "When the serving certificate expires, in seconds since 1970",
            metrics.certificate_expiry.clone(),
        );
        registry.register_with_unit(
            "certificate_remaining",
            "Seconds until the serving certificate expires; below zero once it has",
            Unit::Seconds,
            metrics.certificate_remaining.clone(),
        );
        metrics.certificate_trusted.set(1);
        registry.register(
            "certificate_trusted",
            "1 while the webhooks trust the managed certificate and call a path that is served; 0 while no review can come. Always 1 with a certificate that isn't managed",
            metrics.certificate_trusted.clone(),
        );
        registry.register(
            "certificate_keeper_ok",
            "1 while this part of the managed certificate's upkeep succeeds (secret, lease, configuration)",
            metrics.keeper_ok.clone(),
        );
        registry.register(
            "clock_difference_seconds",
            "How far the clock is ahead of the API server's; below zero: behind",
            metrics.clock_difference.clone(),
        );
        registry.register("known", "Objects in the model of the cluster, by what they are", metrics.known.clone());
        registry.register("watched_objects", "Objects that verdicts may rest on, by kind", metrics.watched.clone());
        registry.register(
            "undecodable_objects",
            "Objects that can't be read and are left out, by kind",
            metrics.undecodable.clone(),
        );
        registry.register("watch_errors", "Lists and watches that failed, by kind", metrics.watch_errors.clone());
        registry.register_with_unit(
            "cache",
            "Estimated memory of what is kept of a kind's objects",
            Unit::Bytes,
            metrics.cache_bytes.clone(),
        );
        registry.register_with_unit(
            "cache_age",
            "Time since the API server last sent anything about a kind: a list, an event, or a bookmark (about one a minute)",
            Unit::Seconds,
            metrics.cache_age.clone(),
        );
        registry.register(
            "aws_calls",
            "Calls to AWS, each counted once with its retries: answered, not-found, denied, throttled, timed-out, no-credentials or failed",
            metrics.aws_calls.clone(),
        );
        metrics.policy_ok.set(1);
        registry.register(
            "policy_ok",
            "1 while the policy in its file is in force; 0 while that file can't be used and the last good policy stays in force",
            metrics.policy_ok.clone(),
        );
        registry.register(
            "policy_errors",
            "Times that the policy file could not be used",
            metrics.policy_errors.clone(),
        );
        registry.register(
            "log_lines_dropped",
            "Log lines that were dropped because nobody read the log fast enough",
            metrics.lines_dropped.clone(),
        );
        registry.register(
            "mesh_objects_judged",
            "Judgements of mesh objects without a review, because something that they rest on, or the time, has changed",
            metrics.judged.clone(),
        );
        registry.register("build", "Version and build of meshvet", Info::new(BUILD));
        registry.register_collector(Box::new(Arc::clone(&metrics.listeners)));
        registry.register_collector(Box::new(Arc::clone(&metrics.problems)));
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// Counts a verdict: `allowed`, `warned`, `denied` or `unjudged`.
    pub fn reviewed(&self, kind: &str, verdict: &'static str, took: Duration) {
        self.counters.of(&self.reviews, kind, verdict).inc();
        self.seconds.observe(took.as_secs_f64());
    }

    /// Counts the findings of a verdict: the code of each one's rule, and `denied`, `warned` or `suppressed`.
    pub fn found(&self, findings: impl IntoIterator<Item = (&'static str, &'static str)>) {
        for (rule, outcome) in findings {
            self.findings.get_or_create(&Found { rule, outcome }).inc();
        }
    }

    /// Notes whether the policy in force is the one that was last written.
    pub fn policy(&self, is_good: bool) {
        self.policy_ok.set(is_good.into());
        if !is_good {
            self.policy_errors.inc();
        }
    }

    /// Notes when the certificates of the mesh's listeners end.
    pub fn listeners(&self, found: Expiries) {
        self.listeners.store(found);
    }

    /// Notes what is wrong in the mesh.
    pub fn problems(&self, found: Problems) {
        self.problems.store(found);
    }

    /// Takes over what was counted of calls to AWS.
    pub fn calls(&self, stats: &CallStats) {
        for (call, outcome, count) in stats.iter().filter(|(.., count)| *count > 0) {
            let calls = self.aws_calls.get_or_create(&Called { operation: call.name(), outcome: outcome.as_str() });
            calls.inc_by(count.saturating_sub(calls.get()));
        }
    }

    /// Counts objects that were judged again without a review.
    pub(crate) fn judged(&self, count: u64) {
        self.judged.inc_by(count);
    }

    /// Takes over how many log lines were dropped.
    pub(crate) fn lines_dropped(&self, count: u64) {
        self.lines_dropped.inc_by(count.saturating_sub(self.lines_dropped.get()));
    }

    /// Counts a request that got no verdict.
    pub fn failed(&self, cause: &'static str) {
        self.failures.get_or_create(&Cause { cause }).inc();
    }

    /// Counts a store that was read afresh.
    pub(crate) fn store_read(&self, failed: bool) {
        let outcome = if failed { "failed" } else { "read" };
        self.store_reads.get_or_create(&Outcome { outcome }).inc();
    }

    /// Counts a namespace whose workloads were read afresh.
    pub(crate) fn workloads_read(&self, failed: bool) {
        let outcome = if failed { "failed" } else { "read" };
        self.workload_reads.get_or_create(&Outcome { outcome }).inc();
    }

    /// Counts a verdict whose basis was held against the API server: whether something there is newer.
    pub(crate) fn confirmed(&self, newer: bool) {
        let outcome = if newer { "newer" } else { "same" };
        self.confirmations.get_or_create(&Outcome { outcome }).inc();
    }

    /// Counts a TLS handshake that failed.
    pub(crate) fn handshake_failed(&self) {
        self.handshake_failures.inc();
    }

    /// Counts a connection that had to give way to another.
    pub(crate) fn displaced(&self) {
        self.displaced.inc();
    }

    /// Counts a request that was rejected by overload: `allowed`, `refused`, or `unread` when not even its body did.
    pub fn overloaded(&self, answer: &'static str) {
        self.overloaded.get_or_create(&Answered { answer }).inc();
    }

    /// Notes how many objects differed when the caches were compared with the cluster; not all kinds may have been listed.
    pub fn compared(&self, differences: usize, all: bool) {
        self.cache_differences.set(i64::try_from(differences).unwrap_or(i64::MAX));
        let outcome = match (differences, all) {
            (1.., _) => "different",
            (0, true) => "equal",
            (0, false) => "incomplete",
        };
        self.self_checks.get_or_create(&Outcome { outcome }).inc();
    }

    /// Counts a connection as open for as long as the guard lives.
    pub(crate) fn connected(self: &Arc<Self>) -> Connected {
        self.connections.inc();
        Connected(Arc::clone(self))
    }

    /// Notes when the serving certificate ends, and how long that is from `now`.
    pub(crate) fn certificate_ends(&self, ends: Timestamp, now: Timestamp) {
        self.certificate_expiry.set(ends.as_second());
        self.certificate_remaining.set(ends.duration_since(now).as_secs());
    }

    /// Notes whether what is served is what the webhooks trust and call.
    pub(crate) fn trusted(&self, is_trusted: bool) {
        self.certificate_trusted.set(is_trusted.into());
    }

    /// Notes whether a part of the managed certificate's upkeep succeeded: `secret`, `lease` or `configuration`.
    pub(crate) fn keeps(&self, part: &'static str, is_ok: bool) {
        self.keeper_ok.get_or_create(&Part { part }).set(is_ok.into());
    }

    /// Notes how many seconds the clock is ahead of the API server's.
    pub(crate) fn clock_differs(&self, seconds: i64) {
        self.clock_difference.set(seconds);
    }

    /// Notes how much is known of the cluster.
    pub fn knows(&self, counts: &[(&'static str, usize)]) {
        for (what, count) in counts {
            self.known.get_or_create(&Known { what }).set(i64::try_from(*count).unwrap_or(i64::MAX));
        }
    }

    /// Takes over what the watches have counted.
    pub fn watches(&self, stats: &WatchStats) {
        let gauge = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        for (kind, figures) in stats.iter() {
            let label = Watched { kind };
            self.watched.get_or_create(&label).set(gauge(figures.objects()));
            self.undecodable.get_or_create(&label).set(gauge(figures.undecodable()));
            self.cache_bytes.get_or_create(&label).set(gauge(figures.bytes()));
            if let Some(age) = figures.age() {
                self.cache_age.get_or_create(&label).set(age.as_secs_f64());
            }
            let errors = self.watch_errors.get_or_create(&label);
            errors.inc_by(figures.errors().saturating_sub(errors.get()));
        }
    }

    /// Everything in Prometheus' text format.
    pub fn encode(&self) -> String {
        let mut text = String::with_capacity(4096);
        // Writing to a String doesn't fail.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}

/// An open connection, counted until it is dropped.
#[derive(Debug)]
pub struct Connected(Arc<Metrics>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.connections.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_can_be_scraped() {
        let metrics = Arc::new(Metrics::default());
        metrics.reviewed("VirtualNode", "denied", Duration::from_millis(2));
        metrics.reviewed("Whatever a stranger sends", "unjudged", Duration::ZERO);
        metrics.failed("malformed");
        metrics.knows(&[("members", 3)]);
        let open = metrics.connected();
        let text = metrics.encode();
        for line in [
            "meshvet_reviews_total{kind=\"VirtualNode\",verdict=\"denied\"} 1",
            "meshvet_reviews_total{kind=\"other\",verdict=\"unjudged\"} 1",
            "meshvet_review_seconds_count 2",
            "meshvet_failures_total{cause=\"malformed\"} 1",
            "meshvet_known{what=\"members\"} 3",
            "meshvet_connections 1",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in:\n{text}");
        }
        drop(open);
        assert!(metrics.encode().contains("meshvet_connections 0"));
    }
}
