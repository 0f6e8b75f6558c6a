//! One kind's watch: it lists, follows, and starts over when it must, for as long as the process lives.

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
use crate::sources::cluster::place::Place;
use crate::sources::cluster::served;
use crate::sources::cluster::stats::{Ear, KindStats};
use crate::sources::cluster::tracker::Tracker;
use crate::sources::cluster::{Pace, Readiness, WATCH_SECONDS};

/// How many events are followed in one step: the world is locked for this many changes at most, except where a list's end
/// forgets more.
const STEP: usize = 64;
/// After this many failures in a row the kind is listed afresh: a cluster that was restored from a backup never reaches the
/// version that a resumed watch would wait for.
const PATIENCE: u32 = 3;
/// Failures this far apart are not in a row.
const CALM: Duration = Duration::from_secs(120);
/// What nothing waits for, and is of no mesh itself, is looked for so many times less often.
const RARER: u32 = 6;
/// The same trouble is reported again after this long.
const REMIND: Duration = Duration::from_secs(600);

/// Keeps what the world knows of one kind. Ends only by being dropped.
pub(super) struct Watch {
    /// For lists and watches.
    pub(super) client: Client,
    pub(super) whole: Whole,
    /// The version that is watched.
    pub(super) kind: &'static WatchedKind,
    /// The version that is tried first.
    pub(super) first: &'static WatchedKind,
    pub(super) world: SharedWorld,
    /// Whether the world has it noted that the kind is not known.
    pub(super) unlisted: bool,
    pub(super) place: Place,
    pub(super) pace: Pace,
    pub(super) tracker: Tracker,
    pub(super) readiness: Readiness,
    pub(super) stats: Arc<KindStats>,
    pub(super) ear: Arc<Ear>,
}

impl Watch {
    pub(super) async fn run(mut self) {
        let mut trouble = Trouble::default();
        loop {
            let api = self.place.api(self.client.clone(), self.kind);
            let pause = self.follow(&api, &mut trouble).await;
            tokio::time::sleep(pause).await;
        }
    }

    /// Lists and follows until there is a reason to list afresh; returns how long to wait before.
    async fn follow(&mut self, api: &Api<RawObject>, trouble: &mut Trouble) -> Duration {
        let mut events = pin!(watcher(api.clone(), config(self.kind)));
        loop {
            // The client logs whole answers that it can't parse, Secrets and all: it is silenced, and errors are reported below.
            let Some(step) = next_step(&mut events).with_subscriber(Dispatch::none()).await else {
                return self.pace.retry_most;
            };
            match self.step(step, trouble).await {
                Next::Follow => tokio::task::yield_now().await,
                Next::FollowAfter(pause) => tokio::time::sleep(pause).await,
                Next::ListAfter(pause) => return pause,
            }
        }
    }

    /// Takes events, the last of which may be an error.
    async fn step(&mut self, step: Vec<Event>, trouble: &mut Trouble) -> Next {
        let mut error = None;
        let events = step.into_iter().map_while(|event| event.map_err(|failed| error = Some(failed)).ok()).collect();
        // The next events wait: what is read now can't come after a deletion that is heard of later.
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
            // Without any right on a group the answer is Forbidden, whether the cluster has the group or not.
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
    async fn is_absent(&self) -> bool {
        // The core group is always there.
        !self.kind.group.is_empty() && served::is_served(&self.whole.client, self.first).await == Some(false)
    }

    /// The cluster doesn't serve the version that was asked for: the next one is tried, and after the last one the first again.
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

    /// How long to wait before a kind is looked for again.
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

    /// Notes in the world that the kind can't be listed, and why; or that it can.
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

/// Waits for an event and takes those along that have come with it. An error is the last: the watcher tries again as soon as it
/// is asked for more.
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
    /// How long to wait after so many failures in a row. A quarter more or less by chance, so that not all come back at once.
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

/// What has gone wrong, remembered so that it isn't reported at every turn.
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
    /// Whether this has not been reported yet, or long ago. That a kind is absent, or an optional one forbidden, is reported once.
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

    /// Counts a failure: how many there have been in a row.
    fn count(&mut self) -> u32 {
        let calm = self.last.is_none_or(|last| last.elapsed() > CALM);
        self.failures = if calm { 1 } else { self.failures.saturating_add(1) };
        self.last = Some(Instant::now());
        self.failures
    }

    /// A list is complete; true when there was trouble with it.
    fn listed(&mut self) -> bool {
        self.told.take_if(|told| told.listing).is_some()
    }
}
