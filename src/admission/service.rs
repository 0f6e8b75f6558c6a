//! From one review to its verdict: decode, look up, judge, answer.
//!
//! A denial that rests on Secrets or ConfigMaps is final only after these were read afresh, so that mending a Secret and
//! applying at once passes. Nothing that is waited for makes the verdict late: what could not be read in time makes
//! warnings of the denials that rest on it. The same holds for what is asked of AWS, whose answers come from a cache. A call is looked
//! at again a moment later, where the world is written by watches: its other end may have been applied just now.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream;
use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroize as _;

use crate::admission::answer::{Answer, Reason, verdict_word};
use crate::admission::review::{BadReview, Change, Matter, Request};
use crate::admission::touched::{Touched, touched};
use crate::admission::verdict::{Because, Old, Verdict, Warned, is_compared};
use crate::admission::wording;
use crate::apis::Subject;
use crate::aws::{AwsFacts, Question};
use crate::finding::Finding;
use crate::mesh::{FreshStores, Overlay, StoreKey, StoreState, Unread, View, World};
use crate::operate::metrics::Metrics;
use crate::operate::{Clock, trace};
use crate::policy::Policy;
use crate::rules::{Judgement, Surface, examine, undecodable};
use crate::sources::{AwsReader, NoAws, SharedWorld, StoreReader};

/// Bodies up to this many bytes are decoded and judged on the spot; larger ones on a thread that may be left behind.
const LIGHT_BODY: usize = 64 * 1024;
/// How many of the larger are decoded and judged at a time: however many processors there are, memory is bounded.
const HEAVY_AT_ONCE: usize = 2;
/// Stores read for one review. Who rests on more has broken enough of them to be refused all the same.
const MOST_STORES: usize = 64;
/// Stores read at a time for one review.
const READS_AT_ONCE: usize = 16;
/// Judge, read, judge again: a projected volume may lead to one more store each time.
const MOST_ROUNDS: usize = 4;
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
    aws: Arc<dyn AwsReader>,
    /// How long a denial of a call waits for watches, in all.
    patience: Duration,
    heavy: Arc<Semaphore>,
}

/// Why a review has no verdict.
enum Failure {
    Bad(BadReview),
    OutOfTime,
    Broken,
}

/// One look at the world: a verdict, the stores to read before it is final, and what to ask AWS.
struct Look {
    verdict: Verdict,
    wanted: Vec<StoreKey>,
    questions: Vec<Question>,
}

/// What was read for one review, and what came of it.
#[derive(Default)]
struct Reading {
    overlay: Arc<Overlay>,
    aws: Arc<AwsFacts>,
    asked: HashSet<StoreKey>,
    /// Denials whose stores could not be read, and why.
    unconfirmed: Vec<(Finding, String)>,
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
        Self { world, reader, policy, clock, metrics, aws: Arc::new(NoAws), patience: Duration::ZERO, heavy }
    }

    /// The same, asking AWS about what objects name there.
    #[must_use]
    pub fn asking(self, aws: Arc<dyn AwsReader>) -> Self {
        Self { aws, ..self }
    }

    /// Lets a denial of a call wait so long, in all, for what watches may be about to tell of its other end. For worlds that watches
    /// write; those that are complete as they stand tell nothing more.
    #[must_use]
    pub fn waiting_for_watches(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Answers one review by the deadline.
    pub async fn review(self: &Arc<Self>, body: Bytes, deadline: Instant) -> Answer {
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
                tracing::warn!(%error, "refused a body that is no review");
                Answer::failure(Reason::BadRequest, &format!("meshvet: {error}"))
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
            let request = Request::parse(&body);
            wipe(body);
            request
        };
        let request = Arc::new(self.compute(heavy, deadline, parse).await?.map_err(Failure::Bad)?);
        let own = match request.subject {
            Matter::Object(_) => Some(self.judge(&request, heavy, deadline).await?),
            Matter::Unjudged | Matter::Leaving => None,
        };
        let others = match request.moved {
            Some(_) => Some(self.judge_touched(&request, heavy, deadline).await?),
            None => None,
        };
        let verdict = match (own, others) {
            (Some(own), Some(others)) => Some(own.with(others)),
            (own, others) => own.or(others),
        };
        Ok((request, verdict.map(Verdict::enforced)))
    }

    /// Judges the members that a change touches. What a denial rests on is read afresh before it is final.
    async fn judge_touched(
        self: &Arc<Self>,
        request: &Arc<Request>,
        heavy: bool,
        deadline: Instant,
    ) -> Result<Verdict, Failure> {
        let (policy, now) = (self.policy.load_full(), (self.clock)());
        let mut read = FreshStores::new();
        loop {
            let (about, policy, fresh) = (Arc::clone(request), Arc::clone(&policy), read.clone());
            let looked = self.compute(heavy, deadline, move |this| {
                let moved = about.moved.as_deref()?;
                Some(touched(&about, moved, &this.world, &fresh, &policy, now))
            });
            let Some(Touched { verdict, rests_on }) = looked.await? else { return Ok(Verdict::default()) };
            let first = read.is_empty();
            if !first || rests_on.is_empty() {
                return Ok(verdict);
            }
            let answered = timeout_at(before(deadline), self.reader.read(rests_on.clone())).await.unwrap_or_default();
            if answered.is_empty() {
                return Ok(verdict);
            }
            read = answered;
        }
    }

    /// Judges, reads what the verdict rests on, and judges again until nothing is left to read.
    async fn judge(
        self: &Arc<Self>,
        request: &Arc<Request>,
        heavy: bool,
        deadline: Instant,
    ) -> Result<Verdict, Failure> {
        let (policy, now) = (self.policy.load_full(), (self.clock)());
        let mut reading = Reading::default();
        let mut last: Option<Verdict> = None;
        let (mut rounds, mut moment, mut waited) = (0, FIRST_MOMENT, Duration::ZERO);
        loop {
            let (subject, policy, overlay) = (Arc::clone(request), Arc::clone(&policy), Arc::clone(&reading.overlay));
            let aws = self.aws.asks().then(|| Arc::clone(&reading.aws));
            let looked = self
                .compute(heavy, deadline, move |this| {
                    this.world.read(|world| look(&subject, world, &overlay, aws.as_deref(), &policy, now))
                })
                .await;
            let Look { verdict, wanted, questions } = match (looked, last) {
                (Ok(look), _) => look,
                (Err(_), Some(verdict)) => return Ok(reading.cut_short(verdict)),
                (Err(failure), None) => return Err(failure),
            };
            let wanted = reading.still_to_ask(wanted);
            if (wanted.is_empty() && questions.is_empty()) || rounds == MOST_ROUNDS {
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
            let answers = self.ask(questions, deadline);
            let (read, answers) = tokio::join!(self.read(wanted, deadline, &mut reading), answers);
            if read.is_none() && answers.is_empty() {
                return Ok(reading.finish(verdict));
            }
            Arc::make_mut(&mut reading.aws).extend(answers);
            if let Some(failed) = read {
                reading.doubt(&verdict, &failed);
            }
            last = Some(verdict);
        }
    }

    /// Reads stores afresh, each by itself, so that a slow one takes none of the others along. Returns those that could not
    /// be read, with the reason; None when the reader left all of them out, as it does where the world is complete.
    async fn read(
        &self,
        stores: Vec<StoreKey>,
        deadline: Instant,
        reading: &mut Reading,
    ) -> Option<HashMap<StoreKey, String>> {
        let deadline = before(deadline);
        let read: Vec<(StoreKey, Option<StoreState>)> = stream::iter(stores)
            .map(|store| async move {
                let answer = timeout_at(deadline, self.reader.read(vec![store.clone()])).await;
                let state = match answer {
                    Ok(mut fresh) => fresh.remove(&store),
                    Err(_) => Some(StoreState::Unread(Unread::Failed(format!("took too long to read {store}")))),
                };
                (store, state)
            })
            .buffer_unordered(READS_AT_ONCE)
            .collect()
            .await;
        let news = read.iter().any(|(_, state)| state.is_some());
        let mut failed = HashMap::new();
        for (store, state) in read {
            if let Some(StoreState::Unread(Unread::Failed(why))) = &state {
                failed.insert(store.clone(), why.clone());
            }
            if let Some(state) = state {
                self.metrics.store_read(failed.contains_key(&store));
                Arc::make_mut(&mut reading.overlay).stores.insert(store.clone(), state);
            }
            reading.asked.insert(store);
        }
        news.then_some(failed)
    }

    /// Asks AWS. What isn't answered in time is told as such.
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

impl Reading {
    /// Those of the stores that were not asked for yet, as far as the review may go.
    fn still_to_ask(&self, mut wanted: Vec<StoreKey>) -> Vec<StoreKey> {
        wanted.retain(|store| !self.asked.contains(store));
        wanted.truncate(MOST_STORES.saturating_sub(self.asked.len()));
        wanted
    }

    /// Remembers the denials that rest on what could not be read: a judgement that lacks them doesn't clear them.
    fn doubt(&mut self, verdict: &Verdict, failed: &HashMap<StoreKey, String>) {
        for finding in &verdict.denials {
            if let Some(why) = finding.problem.site.rests_on.iter().find_map(|store| failed.get(store)) {
                self.unconfirmed.push((finding.clone(), why.clone()));
            }
        }
    }

    /// The verdict over all that was read. Denials that rest on more than may be read are doubtful too.
    fn finish(self, mut verdict: Verdict) -> Verdict {
        verdict.soften(|finding| {
            let unasked = finding.problem.site.rests_on.iter().find(|store| !self.asked.contains(*store));
            unasked.map(|store| format!("not read afresh: {store}"))
        });
        let doubtful = self.unconfirmed.into_iter();
        let doubtful = doubtful.map(|(finding, why)| Warned::new(finding, Because::Unconfirmed(why)));
        verdict.warnings.splice(0..0, doubtful);
        verdict
    }

    /// A verdict that could not be given again over what was read since: what rests on stores is doubtful.
    fn cut_short(self, mut verdict: Verdict) -> Verdict {
        verdict.soften(|finding| {
            let rests = finding.problem.site.rests_on.first();
            rests.map(|store| format!("no time left to judge {store} again"))
        });
        verdict
    }
}

/// Overwrites a body that nobody else holds: it may be a Secret's.
fn wipe(body: Bytes) {
    if let Ok(mut body) = body.try_into_mut() {
        body.as_mut().zeroize();
    }
}

/// When to stop waiting for others, so that something is left for judging again.
fn before(deadline: Instant) -> Instant {
    let left = deadline.saturating_duration_since(Instant::now());
    deadline - (left / 5).min(Duration::from_millis(100))
}

/// Judges the new object and, where it matters what was there before, the old one, in one snapshot of the world. `aws` is what AWS has answered;
/// None where it isn't asked.
fn look(
    request: &Request,
    world: &World,
    overlay: &Overlay,
    aws: Option<&AwsFacts>,
    policy: &Policy,
    now: Timestamp,
) -> Look {
    let Matter::Object(change) = &request.subject else {
        return Look { verdict: Verdict::default(), wanted: Vec::new(), questions: Vec::new() };
    };
    let Change { new, old } = change.as_ref();
    let mut view = View::new(world).over(overlay);
    if let Some(facts) = aws {
        view = view.answered(facts);
    }
    let (mut wanted, mut questions) = (Vec::new(), Vec::new());
    let mut judged = |reviewed: &Subject| {
        let examined = examine(reviewed, view, policy, now, Surface::Admission);
        wanted.extend(examined.stores);
        questions.extend(examined.questions);
        examined.judgement
    };
    let judgement = match new {
        Ok(reviewed) => judged(reviewed),
        Err(error) => Judgement::new(undecodable(error, policy, view).into_iter().collect()),
    };
    let mut verdict = match old {
        // The old object only ever excuses.
        Some(old) if judgement.findings.iter().any(is_compared) => match old {
            Ok(old) => Verdict::weigh(judgement, Old::Judged(&judged(old))),
            Err(_) => Verdict::weigh(judgement, Old::Unreadable),
        },
        _ => Verdict::weigh(judgement, Old::Absent),
    };
    let here = policy.effective(&request.namespace, view);
    (verdict.detail, verdict.enforcement) = (here.detail, here.enforcement);
    // First what decides: only so many are read.
    let mut first = verdict.rests_on();
    first.extend(wanted);
    let mut seen = HashSet::new();
    first.retain(|store| seen.insert(store.clone()));
    questions.sort_unstable();
    questions.dedup();
    Look { verdict, wanted: first, questions }
}
