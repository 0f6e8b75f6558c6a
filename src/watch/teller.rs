//! Reports problems, from the one replica that holds the Lease.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::operate::Clock;
use crate::operate::lease::{Claim, identity};
use crate::sources::SharedWorld;
use crate::sources::cluster::told;
use crate::watch::ledger::{Act, Ledger, Outcome, Post};
use crate::watch::notice::Notice;
use crate::watch::report::Reports;
use crate::watch::watcher::News;

/// The renewal interval of the Lease, and its duration.
const RENEWAL: Duration = Duration::from_secs(5);
const LIFE: Duration = Duration::from_secs(15);
/// The interval between turns, and the most requests in each.
const TURN: Duration = Duration::from_secs(1);
const MOST: usize = 10;
/// The longest time for a request.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest time for releasing the Lease.
const FAREWELL: Duration = Duration::from_secs(2);
/// The reporting controller in Events.
const CONTROLLER: &str = "meshvet.dev/watcher";
/// The API server's reason for refusing objects in a namespace that is being deleted.
const TERMINATING: &str = "NamespaceTerminating";
/// The field manager of Reports.
const MANAGER: &str = "meshvet";

/// What to report, and the Lease that decides which replica does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TellingOptions {
    /// The namespace of the Lease.
    pub(crate) namespace: String,
    /// Its name.
    pub(crate) lease: String,
    /// Whether Events are written.
    pub(crate) events: bool,
    /// Whether Reports are written.
    pub(crate) reports: bool,
}

/// The reporting task, until it is [ended](Telling::end) or dropped.
#[derive(Debug)]
pub(crate) struct Telling {
    task: JoinHandle<()>,
    end: CancellationToken,
}

impl Telling {
    /// Starts reporting findings. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The system provides no randomness.
    pub(crate) fn start(
        client: Client,
        options: &TellingOptions,
        world: SharedWorld,
        clock: Clock,
        found: watch::Receiver<Arc<News>>,
    ) -> Result<Self, rustls::Error> {
        let identity = identity()?;
        let claim = Claim::new(client.clone(), &options.namespace, &options.lease, identity.clone(), LIFE);
        let end = CancellationToken::new();
        let mut teller = Teller {
            options: options.clone(),
            client,
            claim,
            identity,
            world,
            clock,
            found,
            ledger: Ledger::default(),
            reports: Reports::default(),
        };
        let ended = end.clone();
        let task = tokio::spawn(async move {
            tokio::select! {
                () = teller.run() => {}
                () = ended.cancelled() => {}
            }
            if !matches!(timeout(FAREWELL, teller.claim.release()).await, Ok(Ok(()))) {
                tracing::warn!("the watcher's Lease was not released: it expires by itself");
            }
        });
        Ok(Self { task, end })
    }

    /// Stops, and releases the Lease.
    pub(crate) async fn end(mut self) {
        self.end.cancel();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Teller {
    options: TellingOptions,
    client: Client,
    claim: Claim,
    identity: String,
    world: SharedWorld,
    clock: Clock,
    found: watch::Receiver<Arc<News>>,
    ledger: Ledger,
    reports: Reports,
}

impl Teller {
    async fn run(&mut self) {
        let (mut renewed, mut complaint, mut led) = (None::<Instant>, String::new(), false);
        loop {
            if renewed.is_none_or(|renewed| renewed.elapsed() >= RENEWAL) {
                renewed = Some(Instant::now());
                let trouble = self.claim().await;
                if trouble != complaint && !trouble.is_empty() {
                    tracing::warn!(error = trouble.as_str(), "the replicas don't agree on which one reports problems");
                }
                complaint = trouble;
            }
            let leads = self.claim.is_held();
            if leads != led {
                let reports = if leads { "reports" } else { "no longer reports" };
                tracing::info!(leads, "this replica {reports} problems of the mesh");
                self.reports.lead_anew();
                led = leads;
            }
            self.ledger.lead(leads);
            if self.found.has_changed().unwrap_or(false) {
                let news = Arc::clone(&self.found.borrow_and_update());
                self.hear(news).await;
            }
            if leads && self.options.events {
                self.turn().await;
            }
            if leads && self.options.reports {
                self.report().await;
            }
            tokio::time::sleep(TURN).await;
        }
    }

    /// Takes or renews the Lease; returns what prevents it, or nothing.
    async fn claim(&mut self) -> String {
        match timeout(PATIENCE, self.claim.hold((self.clock)(), true)).await {
            Ok(Ok(_)) => String::new(),
            Ok(Err(error)) => format!("can't {} the {}: {}", error.verb, error.lease, told(&error.error)),
            Err(_) => "the API server doesn't answer".to_owned(),
        }
    }

    /// Applies changed Reports.
    async fn report(&mut self) {
        let now = (self.clock)();
        for report in self.reports.due(now, MOST) {
            if !self.claim.is_held() {
                return;
            }
            let resource = ApiResource {
                group: "openreports.io".to_owned(),
                version: "v1alpha1".to_owned(),
                api_version: "openreports.io/v1alpha1".to_owned(),
                kind: "Report".to_owned(),
                plural: "reports".to_owned(),
            };
            let api = Api::<DynamicObject>::namespaced_with(self.client.clone(), &report.namespace, &resource);
            let params = PatchParams::apply(MANAGER).force();
            let why = match timeout(PATIENCE, api.patch(&report.name, &params, &Patch::Apply(&report.body))).await {
                Ok(Ok(_)) => {
                    self.reports.done(&report);
                    continue;
                }
                Ok(Err(error)) => told(&error),
                Err(_) => "the API server doesn't answer".to_owned(),
            };
            let (namespace, name) = (&report.namespace, &report.name);
            tracing::warn!(
                namespace,
                name,
                error = why.as_str(),
                "could not apply a Report; trying again in ten minutes"
            );
            self.reports.pause(now);
            return;
        }
    }

    /// Takes over the current problems: on a thread of its own, since there may be very many.
    async fn hear(&mut self, news: Arc<News>) {
        let (mut ledger, mut reports) = (std::mem::take(&mut self.ledger), std::mem::take(&mut self.reports));
        let (world, now) = (self.world.clone(), (self.clock)());
        let update = move || {
            let is_there = |notice: &Notice| world.uid(&notice.object).as_ref() == Some(&notice.uid);
            ledger.update(&news.notices, now, is_there);
            reports.update(&news.reports);
            (ledger, reports)
        };
        match tokio::task::spawn_blocking(update).await {
            Ok(updated) => (self.ledger, self.reports) = updated,
            Err(error) => tracing::error!(%error, "reporting problems failed; this is a bug of meshvet"),
        }
    }

    async fn turn(&mut self) {
        let now = (self.clock)();
        for post in self.ledger.due(now, MOST) {
            if !self.claim.is_held() {
                return;
            }
            let (outcome, why) = match timeout(PATIENCE, self.send(&post)).await {
                Ok(Ok(outcome)) => (outcome, String::new()),
                Ok(Err(error)) => (outcome_of(&error), told(&error)),
                Err(_) => (Outcome::Failed, "the API server doesn't answer".to_owned()),
            };
            let namespace = &post.notice.namespace;
            if self.ledger.done(&post, &outcome, now) {
                tracing::warn!(namespace, error = why.as_str(), "no Events can be written there; trying again later");
            }
            if outcome == Outcome::Invalid {
                let name = &post.notice.name;
                tracing::error!(
                    namespace,
                    name,
                    error = why.as_str(),
                    "the API server refuses the Event; this is a bug of meshvet"
                );
            }
            if outcome == Outcome::Failed {
                tracing::warn!(namespace, error = why.as_str(), "could not write an Event; trying again later");
                return;
            }
        }
    }

    async fn send(&self, post: &Post) -> kube::Result<Outcome> {
        let api = Api::<Event>::namespaced(self.client.clone(), &post.notice.namespace);
        let (params, name) = (PatchParams::default(), &post.notice.name);
        match post.act {
            Act::Create => {
                let event = self.event(&post.notice);
                api.create(&PostParams::default(), &event).await.map(|_| Outcome::Done)
            }
            Act::Look => {
                // An empty patch returns the current object, and needs no further right.
                let event = api.patch(name, &params, &Patch::Merge(json!({}))).await?;
                let last = event.series.as_ref().map(|series| series.last_observed_time.0);
                let last = last.or(event.event_time.map(|time| time.0)).unwrap_or(Timestamp::UNIX_EPOCH);
                Ok(Outcome::Seen { count: event.series.map_or(1, |series| series.count), last })
            }
            Act::Renew(count) => {
                let series = json!({"series": {"count": count, "lastObservedTime": MicroTime((self.clock)())}});
                api.patch(name, &params, &Patch::Merge(series)).await.map(|_| Outcome::Done)
            }
        }
    }

    fn event(&self, notice: &Notice) -> Event {
        let object = &notice.object;
        Event {
            metadata: ObjectMeta {
                name: Some(notice.name.clone()),
                namespace: Some(notice.namespace.clone()),
                ..ObjectMeta::default()
            },
            type_: Some(if notice.is_end { "Normal" } else { "Warning" }.to_owned()),
            reason: Some(notice.reason.clone()),
            action: Some("Judged".to_owned()),
            note: Some(notice.note.clone()),
            event_time: Some(MicroTime((self.clock)())),
            reporting_controller: Some(CONTROLLER.to_owned()),
            reporting_instance: Some(self.identity.chars().take(128).collect()),
            regarding: Some(ObjectReference {
                api_version: Some(object.api_version.to_string()),
                kind: Some(object.kind.to_string()),
                namespace: object.namespace.as_deref().map(str::to_owned),
                name: Some(object.name.to_string()),
                uid: Some(notice.uid.to_string()),
                ..ObjectReference::default()
            }),
            ..Event::default()
        }
    }
}

fn outcome_of(error: &kube::Error) -> Outcome {
    let kube::Error::Api(status) = error else { return Outcome::Failed };
    let details = status.details.as_ref();
    let is_about_the_event = details.is_none_or(|details| details.kind != "namespaces");
    let is_going = || details.is_some_and(|details| details.causes.iter().any(|cause| cause.reason == TERMINATING));
    match status.code {
        409 => Outcome::Exists,
        404 if is_about_the_event => Outcome::Gone,
        404 => Outcome::Going,
        403 if is_going() => Outcome::Going,
        // A right is missing.
        403 | 405 => Outcome::Refused,
        400 | 422 => Outcome::Invalid,
        _ => Outcome::Failed,
    }
}
