//! One kind's watch: it lists, follows, and restarts when it must, for as long as the process lives.

use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{FutureExt, Stream, StreamExt};
use kube::Client;
use kube::api::Api;
use kube::runtime::watcher::{self, watcher};
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::mesh::Gap;
use crate::sources::SharedWorld;
use crate::sources::cluster::failure::{Failure, Why};
use crate::sources::cluster::kinds::WatchedKind;
use crate::sources::cluster::metadata::Whole;
use crate::sources::cluster::object::RawObject;
use crate::sources::cluster::outage::{Back, Outages};
use crate::sources::cluster::place::Place;
use crate::sources::cluster::served;
use crate::sources::cluster::stats::{Ear, KindStats};
use crate::sources::cluster::tracker::Tracker;
use crate::sources::cluster::{Pace, Readiness, WATCH_SECONDS};

/// The most events applied in one step: the world is locked for at most this many changes, except where the end of a list
/// forgets more.
const STEP: usize = 64;
/// After this many failures in a row the kind is listed again: a cluster restored from a backup never reaches the
/// resourceVersion that a resumed watch would wait for.
const PATIENCE: u32 = 3;
/// Failures further apart than this aren't in a row.
const CALM: Duration = Duration::from_secs(120);
/// Optional kinds that aren't part of a mesh are looked for this many times less often.
const RARER: u32 = 6;
/// The same problem is reported again after this time.
const REMIND: Duration = Duration::from_secs(600);

/// Keeps the world's facts of one kind up to date. Runs until dropped.
pub(super) struct Watch {
    /// For lists and watches.
    pub(super) client: Client,
    pub(super) whole: Whole,
    /// The watched version.
    pub(super) kind: &'static WatchedKind,
    /// The version tried first.
    pub(super) first: &'static WatchedKind,
    pub(super) world: SharedWorld,
    /// Whether the world has noted a gap for the kind.
    pub(super) unlisted: bool,
    pub(super) place: Place,
    pub(super) pace: Pace,
    pub(super) tracker: Tracker,
    pub(super) readiness: Readiness,
    pub(super) stats: Arc<KindStats>,
    pub(super) ear: Arc<Ear>,
    pub(super) outages: Outages,
    pub(super) back: Back,
}

impl Watch {
    pub(super) async fn run(mut self) {
        let mut trouble = Trouble::default();
        loop {
            let api = self.place.api(self.client.clone(), self.kind);
            let pause = self.follow(&api, &mut trouble).await;
            self.back.pause(pause).await;
        }
    }

    /// Lists and follows until the kind has to be listed again; returns how long to wait before that.
    async fn follow(&mut self, api: &Api<RawObject>, trouble: &mut Trouble) -> Duration {
        let mut events = pin!(watcher(api.clone(), config(self.kind)));
        loop {
            // The client logs whole responses that it can't parse, Secrets included: it is silenced, and errors are reported below.
            let Some(step) = next_step(&mut events).with_subscriber(Dispatch::none()).await else {
                return self.pace.retry_most;
            };
            match self.step(step, trouble).await {
                Next::Follow => tokio::task::yield_now().await,
                Next::FollowAfter(pause) => self.back.pause(pause).await,
                Next::ListAfter(pause) => return pause,
            }
        }
    }

    /// Applies events; the last may be an error.
    async fn step(&mut self, step: Vec<Event>, trouble: &mut Trouble) -> Next {
        let mut error = None;
        let events = step.into_iter().map_while(|event| event.map_err(|failed| error = Some(failed)).ok()).collect();
        // Later events wait, so that an object read now can't come after its deletion.
        let events = match self.whole.events(events).await {
            Ok(events) => events,
            Err(error) => return self.fail(Failure::of_get(self.kind, &self.place, &error), trouble).await,
        };
        if self.tracker.follow(events) {
            self.note_unlisted(None);
            self.readiness.filled(&self.place.of(self.kind));
            let objects = self.tracker.len();
            if trouble.listed() {
                tracing::info!(kind = self.kind.name, objects, "listed again after earlier failures");
            } else {
                tracing::debug!(kind = self.kind.name, objects, "listed");
            }
        }
        match error {
            None => Next::Follow,
            Some(error) => self.fail(Failure::of(self.kind, &self.place, &error), trouble).await,
        }
    }

    async fn fail(&mut self, failure: Failure, trouble: &mut Trouble) -> Next {
        let failure = self.of_start(failure).await;
        let (kind, message) = (self.kind.name, failure.message.as_str());
        let news = trouble.is_news(&failure, self.kind.optional);
        if failure.listing {
            self.readiness.failed(&self.place.of(self.kind), message);
        }
        match failure.why {
            Why::Absent => return self.absent(message, news),
            Why::Forbidden if self.kind.optional && failure.listing => {
                if served::is_served(&self.whole.client, self.first).await == Some(false) {
                    return self.absent(message, false);
                }
                self.ear.hear();
                if news {
                    tracing::warn!(kind, "{message}; until then what depends on them is unknown");
                }
                self.note_unlisted(Some(message));
                self.readiness.filled(&self.place.of(self.kind));
                return Next::ListAfter(self.until_looked_for(self.kind));
            }
            // Without any right on a group the answer is Forbidden, whether or not the cluster has the group.
            Why::Forbidden if failure.listing && self.is_absent().await => return self.absent(message, news),
            Why::Expired => tracing::debug!(kind, "{message}"),
            Why::Forbidden => {
                self.stats.failed();
                if news {
                    tracing::error!(kind, "{message}");
                }
            }
            Why::Other => {
                self.stats.failed();
                if news {
                    tracing::warn!(kind, "{message}; trying again");
                }
            }
        }
        let in_a_row = trouble.count();
        let pause = self.pace.pause(in_a_row);
        if failure.why == Why::Other && !failure.lost && !in_a_row.is_multiple_of(PATIENCE) {
            Next::FollowAfter(pause)
        } else {
            Next::ListAfter(pause)
        }
    }
}

impl Watch {
    /// The failure for what it is: an outage, or the refusal of an API server that is starting and knows nobody's rights yet.
    async fn of_start(&self, failure: Failure) -> Failure {
        if failure.unanswered {
            self.outages.lost();
        }
        if failure.why != Why::Forbidden || !self.outages.is_starting(&self.whole.client).await {
            return failure;
        }
        self.outages.lost();
        let message = format!("could not list {}: the API server is starting", self.kind.resource());
        Failure { why: Why::Other, message, ..failure }
    }

    async fn is_absent(&self) -> bool {
        // The core group is always there.
        !self.kind.group.is_empty() && served::is_served(&self.whole.client, self.first).await == Some(false)
    }

    /// The cluster doesn't serve the requested version: tries the next one, and after the last the first again.
    fn absent(&mut self, message: &str, news: bool) -> Next {
        let kind = self.kind;
        self.tracker.clear();
        self.ear.hear();
        self.turn_to(kind.next.unwrap_or(self.first));
        if kind.next.is_some() {
            return Next::ListAfter(Duration::ZERO);
        }
        match (news, kind.optional) {
            (true, true) => tracing::debug!(kind = kind.name, "{message}"),
            (true, false) => tracing::warn!(kind = kind.name, "{message}"),
            (false, _) => {}
        }
        self.note_unlisted(None);
        self.readiness.filled(&self.place.of(kind));
        Next::ListAfter(self.until_looked_for(kind))
    }

    /// How long to wait before looking for a kind again.
    fn until_looked_for(&self, kind: &WatchedKind) -> Duration {
        if kind.optional && !kind.is_of_a_mesh() { self.pace.absent * RARER } else { self.pace.absent }
    }

    fn turn_to(&mut self, kind: &'static WatchedKind) {
        if !std::ptr::eq(self.kind, kind) {
            self.kind = kind;
            self.whole.kind = kind;
            self.tracker = Tracker::new(kind, self.world.clone(), Arc::clone(&self.stats));
        }
    }

    /// Notes in the world that the kind can't be listed, and why; `None`: that it can.
    fn note_unlisted(&mut self, why: Option<&str>) {
        if self.unlisted != why.is_some() {
            let gap = why.map(|why| Gap { sort: self.kind.sort(), except: None, why: why.to_owned() });
            self.world.write(|world| world.note_unlisted(&self.kind.resource(), gap));
            self.unlisted = why.is_some();
        }
    }
}

/// What a watcher yields.
type Event = watcher::Result<watcher::Event<RawObject>>;

/// Waits for an event and returns it with those that are ready. An error comes last: the watcher retries as soon as it
/// is polled again.
async fn next_step(events: &mut (impl Stream<Item = Event> + Unpin)) -> Option<Vec<Event>> {
    let mut step = vec![events.next().await?];
    while step.len() < STEP
        && step.last().is_some_and(Result::is_ok)
        && let Some(Some(event)) = events.next().now_or_never()
    {
        step.push(event);
    }
    Some(step)
}

/// What to do after a step.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Follow,
    FollowAfter(Duration),
    ListAfter(Duration),
}

impl Pace {
    /// The pause after this many failures in a row, with 25 % jitter so that not all clients return at once.
    fn pause(&self, failures: u32) -> Duration {
        let doubled = self.retry_least.saturating_mul(1 << failures.saturating_sub(1).min(16));
        let chance = RandomState::new().hash_one(()) % 500;
        doubled.min(self.retry_most).saturating_mul(750 + u32::try_from(chance).unwrap_or(0)) / 1000
    }
}

fn config(kind: &WatchedKind) -> watcher::Config {
    let config = watcher::Config::default().page_size(kind.page).timeout(WATCH_SECONDS);
    match kind.fields {
        Some(fields) => config.fields(fields),
        None => config,
    }
}

/// Earlier problems, remembered so that they aren't reported on every retry.
#[derive(Default)]
struct Trouble {
    told: Option<Told>,
    failures: u32,
    last: Option<Instant>,
}

struct Told {
    message: String,
    at: Instant,
    listing: bool,
}

impl Trouble {
    /// Whether this hasn't been reported yet, or not recently. A missing kind, or a forbidden optional one, is reported once.
    fn is_news(&mut self, failure: &Failure, optional: bool) -> bool {
        let once = failure.why == Why::Absent || (optional && failure.listing && failure.why == Why::Forbidden);
        let known = self
            .told
            .as_ref()
            .is_some_and(|told| told.message == failure.message && (once || told.at.elapsed() < REMIND));
        if !known && failure.why != Why::Expired {
            let message = failure.message.clone();
            self.told = Some(Told { message, at: Instant::now(), listing: failure.listing });
        }
        !known
    }

    /// Counts a failure; returns how many there have been in a row.
    fn count(&mut self) -> u32 {
        let calm = self.last.is_none_or(|last| last.elapsed() > CALM);
        self.failures = if calm { 1 } else { self.failures.saturating_add(1) };
        self.last = Some(Instant::now());
        self.failures
    }

    /// A list is complete; true if listing had failed before.
    fn listed(&mut self) -> bool {
        self.told.take_if(|told| told.listing).is_some()
    }
}
