//! From one review to its verdict: decode, look up, judge, answer.
//!
//! A denial that rests on Secrets or ConfigMaps is final only after these were read again, so that fixing a Secret and applying right after
//! it passes. The same goes for what the watches haven't reported yet: see [`reading`](super::reading). No such read makes the verdict
//! late: where one doesn't finish in time, the denials that rest on it become warnings. The same holds for what is asked of AWS, whose
//! answers come from a cache. A call is looked at again a moment later, where the world is written by watches: its other end may have been
//! applied just now.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroize as _;

use crate::admission::ages::Ages;
use crate::admission::answer::{Answer, Reason, verdict_word};
use crate::admission::confirm::Rests;
use crate::admission::look::{Look, look};
use crate::admission::quick;
use crate::admission::reading::{Readers, Reading};
use crate::admission::review::{BadReview, Matter, Request};
use crate::admission::timeout::before;
use crate::admission::touched::{Touched, may_touch_many, touched};
use crate::admission::unready::{FailurePolicy, Unready};
use crate::admission::verdict::Verdict;
use crate::admission::wording;
use crate::aws::{AwsFacts, Question};
use crate::mesh::Overlay;
use crate::operate::metrics::Metrics;
use crate::operate::{Clock, trace};
use crate::policy::Policy;
use crate::rules::Absent;
use crate::sources::cluster::{Readiness, WatchStats};
use crate::sources::{AwsReader, NamespaceReader, NoAws, NoReader, SharedWorld, StoreReader};

/// Bodies up to this many bytes are decoded and judged on the spot; larger ones on a thread that may be left behind.
const LIGHT_BODY: usize = 64 * 1024;
/// How many of the larger are decoded and judged at a time: however many processors there are, memory is bounded.
const HEAVY_AT_ONCE: usize = 2;
/// Judge, read, judge again: a workload leads to its stores, and a projected volume to one more store each time.
const MOST_ROUNDS: usize = 5;
/// The longest that a pass waits for what it rests on to be compared.
const DOUBT: Duration = Duration::from_secs(1);
/// The first moment that a denial of a call waits for watches; each further one is twice as long.
const FIRST_MOMENT: Duration = Duration::from_millis(10);

/// Everything that a verdict is made of.
pub struct Admission {
    /// What is known of the cluster.
    pub world: SharedWorld,
    /// Reads Secrets and ConfigMaps past every cache.
    pub reader: Arc<dyn StoreReader>,
    /// The policy in force; swapped when its file changes.
    pub policy: Arc<ArcSwap<Policy>>,
    /// The time to judge as of.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Reads namespaces past every cache.
    pub(super) spaces: Arc<dyn NamespaceReader>,
    pub(super) unready: Unready,
    aws: Arc<dyn AwsReader>,
    /// How long a denial of a call waits for watches, in all.
    patience: Duration,
    ages: Ages,
    heavy: Arc<Semaphore>,
}

/// Why a review has no verdict.
enum Failure {
    Bad(BadReview),
    Unready(Arc<Request>),
    OutOfTime,
    Broken,
}

impl Admission {
    /// Puts the parts together.
    pub fn new(
        world: SharedWorld,
        reader: Arc<dyn StoreReader>,
        policy: Arc<ArcSwap<Policy>>,
        clock: Clock,
        metrics: Arc<Metrics>,
    ) -> Self {
        let heavy = Arc::new(Semaphore::new(HEAVY_AT_ONCE));
        let (spaces, aws) = (Arc::new(NoReader), Arc::new(NoAws));
        let (unready, patience, ages) = (Unready::default(), Duration::ZERO, Ages::default());
        Self { world, reader, policy, clock, metrics, spaces, unready, aws, patience, ages, heavy }
    }

    /// The same, asking AWS about what objects name there.
    #[must_use]
    pub fn asking(self, aws: Arc<dyn AwsReader>) -> Self {
        Self { aws, ..self }
    }

    /// The same, reading afresh what namespaces hold.
    #[must_use]
    pub fn reading(self, spaces: Arc<dyn NamespaceReader>) -> Self {
        Self { spaces, ..self }
    }

    /// The same, judging nothing before this is ready.
    #[must_use]
    pub fn once(self, readiness: Readiness) -> Self {
        Self { unready: Unready::until(readiness), ..self }
    }

    /// The same, saying how old what it knows is where that is old.
    #[must_use]
    pub fn aged_by(self, watched: WatchStats) -> Self {
        let ages = Ages::of(watched, Arc::clone(&self.clock));
        Self { ages, ..self }
    }

    /// Lets a denial of a call wait so long, in all, for what watches may be about to tell of its other end. For worlds that watches
    /// write; those that are complete as they are tell nothing more.
    #[must_use]
    pub fn waiting_for_watches(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Answers one review by the deadline. What it says while nothing can be judged goes by the policy of its entry.
    pub async fn review(self: &Arc<Self>, body: Bytes, deadline: Instant, policy: FailurePolicy) -> Answer {
        let started = std::time::Instant::now();
        match self.decide(body, deadline).await {
            Ok((request, verdict)) => {
                let answer = match &verdict {
                    None => Answer::allow(&request),
                    Some(verdict) => Answer::of(&request, verdict),
                };
                self.tell(&request, verdict.as_ref(), started.elapsed());
                answer
            }
            Err(Failure::Bad(error)) => {
                self.metrics.failed("malformed");
                tracing::warn!(%error, "refused a body that is not an AdmissionReview");
                Answer::failure(Reason::BadRequest, &format!("meshvet: {error}"))
            }
            Err(Failure::Unready(request)) => {
                self.metrics.failed("not-ready");
                self.unready.answer(&request, policy)
            }
            Err(Failure::OutOfTime) => {
                self.metrics.failed("timeout");
                tracing::error!("could not judge an object in the time of its request");
                Answer::failure(Reason::Timeout, "meshvet: the object could not be judged in the time of the request")
            }
            Err(Failure::Broken) => {
                self.metrics.failed("panic");
                Answer::failure(Reason::InternalError, "meshvet: judging the object failed; this is a bug of meshvet")
            }
        }
    }

    async fn decide(
        self: &Arc<Self>,
        body: Bytes,
        deadline: Instant,
    ) -> Result<(Arc<Request>, Option<Verdict>), Failure> {
        let heavy = body.len() > LIGHT_BODY;
        let parse = move |_: &Self| {
            let request = quick::parse(&body);
            // What is judged holds no key.
            if !matches!(&request, Ok(Request { subject: Matter::Object(_), .. })) {
                wipe(body);
            }
            request
        };
        let request = Arc::new(self.compute(heavy, deadline, parse).await?.map_err(Failure::Bad)?);
        let own = match request.subject {
            Matter::Object(_) if !self.unready.is_over() => return Err(Failure::Unready(request)),
            Matter::Object(_) => Some(self.judge(&request, heavy, deadline).await?),
            Matter::Unjudged | Matter::Leaving => None,
        };
        let others = match request.moved {
            Some(_) if !self.unready.is_over() => return Err(Failure::Unready(request)),
            Some(_) => Some(self.judge_touched(&request, heavy, deadline).await?),
            None => None,
        };
        let verdict = match (own, others) {
            (Some(own), Some(others)) => Some(own.with(others)),
            (own, others) => own.or(others),
        };
        // Of what isn't judged nobody has to know how old anything is.
        Ok((request, verdict.map(|verdict| Verdict { known_as_of: self.ages.old(), ..verdict.enforced() })))
    }

    /// Judges the members that a change touches; what is wrong by it, once more over what was read afresh.
    async fn judge_touched(
        self: &Arc<Self>,
        request: &Arc<Request>,
        heavy: bool,
        deadline: Instant,
    ) -> Result<Verdict, Failure> {
        let (policy, now, since) = (self.policy.load_full(), (self.clock)(), Instant::now());
        let heavy = heavy || request.moved.as_deref().is_some_and(|moved| may_touch_many(moved, &self.world));
        let look = |read: Overlay| {
            let (about, policy) = (Arc::clone(request), Arc::clone(&policy));
            self.compute(heavy, deadline, move |this| {
                let moved = about.moved.as_deref()?;
                Some(touched(&about, moved, &this.world, &read, &policy, now))
            })
        };
        let Some(Touched { mut verdict, doubted }) = look(Overlay::default()).await? else {
            return Ok(Verdict::default());
        };
        if doubted.is_empty() {
            return Ok(verdict);
        }
        let mut again = self.readers().again(&doubted, since, deadline).await;
        if again.is_news() {
            match look(std::mem::take(&mut again.overlay)).await {
                Ok(Some(touched)) => verdict = touched.verdict,
                _ => again.failed = doubted.unread("no time left to judge again by"),
            }
        }
        // What can't be read afresh refuses nothing, and isn't cleared by it either.
        verdict.soften(|finding| again.doubt(finding));
        Ok(verdict)
    }

    fn readers(&self) -> Readers<'_> {
        Readers { stores: &*self.reader, spaces: &*self.spaces }
    }

    /// Judges, reads what the verdict rests on, and judges again until nothing is left to read.
    async fn judge(
        self: &Arc<Self>,
        request: &Arc<Request>,
        heavy: bool,
        deadline: Instant,
    ) -> Result<Verdict, Failure> {
        let (policy, now) = (self.policy.load_full(), (self.clock)());
        let mut reading = Reading::since(Instant::now());
        let readers = self.readers();
        let mut last: Option<Verdict> = None;
        let (mut rounds, mut moment, mut waited) = (0, FIRST_MOMENT, Duration::ZERO);
        loop {
            let (subject, policy, overlay) = (Arc::clone(request), Arc::clone(&policy), Arc::clone(&reading.overlay));
            let aws = self.aws.asks().then(|| Arc::clone(&reading.aws));
            let looked = self
                .compute(heavy, deadline, move |this| {
                    let watched = !this.patience.is_zero();
                    this.world.read(|world| look(&subject, world, &overlay, aws.as_deref(), (&policy, now), watched))
                })
                .await;
            let Look { verdict, wanted, questions, absent, rests } = match (looked, last) {
                (Ok(look), _) => look,
                (Err(_), Some(verdict)) => return Ok(reading.cut_short(verdict)),
                (Err(failure), None) => return Err(failure),
            };
            let wanted = reading.still_to_read(wanted, absent);
            if (wanted.is_empty() && questions.is_empty()) || rounds == MOST_ROUNDS {
                if rounds < MOST_ROUNDS
                    && let Some(rests) = rests
                    && self.confirm(rests, &mut reading, &verdict, deadline).await
                {
                    rounds += 1;
                    last = Some(verdict);
                    continue;
                }
                let in_time = Instant::now() + 2 * moment < deadline && waited + moment <= self.patience;
                if heavy || !in_time || !verdict.denies_only_calls() {
                    return Ok(reading.finish(verdict));
                }
                tokio::time::sleep(moment).await;
                (waited, moment) = (waited + moment, 2 * moment);
                last = Some(verdict);
                continue;
            }
            rounds += 1;
            let read = readers.read(wanted, reading.since, deadline);
            let (read, answers) = tokio::join!(read, self.ask(questions, deadline));
            let is_news = reading.take(read, &verdict, &self.metrics);
            // A call's other end may still be on its way: that is waited for in the next round.
            if !is_news && answers.is_empty() && !verdict.denies_only_calls() {
                return Ok(reading.finish(verdict));
            }
            Arc::make_mut(&mut reading.aws).extend(answers);
            last = Some(verdict);
        }
    }

    /// Holds what a verdict rests on against the API server; whether to judge again, by what differs.
    async fn confirm(&self, rests: Rests, reading: &mut Reading, verdict: &Verdict, deadline: Instant) -> bool {
        let doubts = reading.doubts(rests);
        if doubts.is_empty() {
            return false;
        }
        // A pass isn't worth a long wait.
        let until = if verdict.allows() { before(deadline).min(Instant::now() + DOUBT) } else { before(deadline) };
        let mut held = doubts.read(&*self.reader, &*self.spaces, until).await;
        let outdated = std::mem::take(&mut held.outdated);
        let mut is_news = reading.confirm(held, &self.ages);
        if !outdated.is_empty() {
            let wanted = reading.still_to_read(outdated, Absent::default());
            let read = self.readers().read(wanted, reading.since, until).await;
            is_news |= reading.take(read, verdict, &self.metrics);
        }
        self.metrics.confirmed(is_news);
        is_news
    }

    /// Asks AWS. What isn't answered in time is reported as such.
    async fn ask(&self, questions: Vec<Question>, deadline: Instant) -> AwsFacts {
        if questions.is_empty() {
            return AwsFacts::new();
        }
        self.aws.ask(questions, before(deadline)).await
    }

    /// Runs work that only costs processor time: light work at once, heavy work where it can be left behind at the deadline.
    async fn compute<T: Send + 'static>(
        self: &Arc<Self>,
        heavy: bool,
        deadline: Instant,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        if !heavy {
            return Ok(work(self));
        }
        let this = Arc::clone(self);
        let run = async {
            let permit = Arc::clone(&this.heavy).acquire_owned().await;
            let work = move || {
                let _permit = permit;
                work(&this)
            };
            tokio::task::spawn_blocking(work).await
        };
        match timeout_at(deadline, run).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(_)) => Err(Failure::Broken),
            Err(_) => Err(Failure::OutOfTime),
        }
    }

    /// One log line and one count a verdict. Never more of the object than its name.
    fn tell(&self, request: &Request, verdict: Option<&Verdict>, took: Duration) {
        let word = verdict.map_or("unjudged", verdict_word);
        self.metrics.reviewed(&request.kind, word, took);
        let none = Verdict::default();
        let verdict = verdict.unwrap_or(&none);
        self.metrics.found(verdict.outcomes());
        let rules = wording::codes(verdict.findings()).join(",");
        trace::verdict(request.reviewed(word, &rules));
        tracing::info!(
            uid = request.uid.as_str(),
            kind = request.kind.as_str(),
            namespace = request.namespace.as_str(),
            name = request.name.as_str(),
            operation = request.operation.as_str(),
            dry_run = request.dry_run,
            allowed = verdict.allows(),
            verdict = word,
            rules = rules.as_str(),
            suppressed = verdict.suppressed.len(),
            millis = took.as_secs_f64() * 1_000.0,
            "verdict"
        );
    }
}

/// Overwrites a body that nobody else holds: it may be a Secret's.
fn wipe(body: Bytes) {
    if let Ok(mut body) = body.try_into_mut() {
        body.as_mut().zeroize();
    }
}
