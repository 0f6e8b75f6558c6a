//! A cache of answers, with one call for equal questions asked at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use jiff::Timestamp;
use moka::Expiry;
use moka::sync::Cache;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::aws::{Answer, Question, Unanswered};
use crate::sources::aws::{Asker, Pace, Progress};

/// The most answers kept: several times what a large mesh refers to.
const MOST_ANSWERS: u64 = 20_000;
/// The longest time for a call, far above what the SDK takes with retries and the rate limit with its queue.
const LONGEST_CALL: Duration = Duration::from_secs(120);

/// Answers by question.
#[derive(Clone)]
pub(super) struct AnswerCache {
    slots: Cache<Question, Slot>,
    asker: Arc<Asker>,
    pace: Pace,
}

#[derive(Clone)]
enum Slot {
    /// In progress: everyone waits for the same call.
    Pending { answer: Shared<BoxFuture<'static, Answer>>, progress: Progress },
    /// Answered.
    Known(Known),
}

#[derive(Clone)]
struct Known {
    answer: Answer,
    /// When to ask again in the background.
    due: Instant,
    /// When to forget it.
    end: Instant,
    /// Set once a refresh has started.
    refreshing: Arc<AtomicBool>,
}

/// An answer's lifetime depends on the answer.
struct Lifetime;

impl Expiry<Question, Slot> for Lifetime {
    fn expire_after_create(&self, _: &Question, slot: &Slot, _: std::time::Instant) -> Option<Duration> {
        Some(slot.lifetime())
    }

    fn expire_after_update(
        &self,
        _: &Question,
        slot: &Slot,
        _: std::time::Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(slot.lifetime())
    }
}

impl Slot {
    fn lifetime(&self) -> Duration {
        match self {
            Slot::Pending { .. } => LONGEST_CALL,
            Slot::Known(known) => known.end.saturating_duration_since(Instant::now()),
        }
    }
}

impl AnswerCache {
    pub(super) fn new(asker: Arc<Asker>, pace: Pace) -> Self {
        let slots = Cache::builder().max_capacity(MOST_ANSWERS).expire_after(Lifetime).build();
        Self { slots, asker, pace }
    }

    /// The answer, from the cache or from AWS. After the deadline: which call is still unanswered.
    pub(super) async fn answer(&self, question: &Question, deadline: Instant) -> Answer {
        let (go, begun) = oneshot::channel();
        let entry = self.slots.entry(question.clone()).or_insert_with(|| self.begin(question.clone(), begun));
        if entry.is_fresh() {
            // Only from here on may the answer replace the pending entry.
            let _ = go.send(());
        }
        match entry.into_value() {
            Slot::Known(known) => {
                self.refresh(question, &known);
                known.answer
            }
            Slot::Pending { answer, progress } => match timeout_at(deadline, answer).await {
                Ok(answer) => answer,
                Err(_) => Answer::Unanswered(Unanswered::TimedOut { call: progress.call(question) }),
            },
        }
    }

    /// Asks in a task of its own, which continues when callers stop waiting.
    fn begin(&self, question: Question, begun: oneshot::Receiver<()>) -> Slot {
        let progress = Progress::default();
        let (cache, asked, done) = (self.clone(), question.clone(), progress.clone());
        let task = tokio::spawn(async move {
            let _ = begun.await;
            let asking = cache.asker.answer(&asked, &done);
            let answer = match tokio::time::timeout(LONGEST_CALL, asking).await {
                Ok(answer) => answer,
                Err(_) => Answer::Unanswered(Unanswered::TimedOut { call: done.call(&asked) }),
            };
            let known = cache.known(answer.clone());
            cache.slots.insert(asked, Slot::Known(known));
            answer
        });
        let call = question.calls()[0];
        let answer = async move {
            task.await.unwrap_or_else(|_| {
                let why = "meshvet itself failed; this is a bug of meshvet".to_owned();
                Answer::Unanswered(Unanswered::Failed { call, why })
            })
        };
        Slot::Pending { answer: answer.boxed().shared(), progress }
    }

    /// Refreshes a stale answer once, in the background. A failure keeps the known answer.
    fn refresh(&self, question: &Question, known: &Known) {
        if Instant::now() < known.due || known.refreshing.swap(true, Ordering::Relaxed) {
            return;
        }
        let (cache, question, old) = (self.clone(), question.clone(), known.clone());
        tokio::spawn(async move {
            let known = match cache.asker.answer(&question, &Progress::default()).await {
                Answer::Unanswered(_) => {
                    let due = Instant::now() + cache.pace.keep_doubtful;
                    Known { due, refreshing: Arc::default(), ..old }
                }
                answer => cache.known(answer),
            };
            cache.slots.insert(question, Slot::Known(known));
        });
    }

    fn known(&self, answer: Answer) -> Known {
        let now = Instant::now();
        let Pace { fresh, keep, keep_doubtful, .. } = self.pace;
        let (due, end) = if is_steady(&answer, Timestamp::now(), keep) {
            (now + fresh, now + keep)
        } else {
            (now + keep_doubtful, now + keep_doubtful)
        };
        Known { answer, due, end, refreshing: Arc::default() }
    }
}

/// Whether an answer is likely to stay the same for a while. One that would deny an object isn't: its author fixes it and applies
/// again at once.
fn is_steady(answer: &Answer, now: Timestamp, keep: Duration) -> bool {
    match answer {
        Answer::Home(home) => home.unanswered.is_none(),
        Answer::Certificate(facts) => {
            let in_date = |leaf: &crate::pki::Certificate| leaf.not_before <= now && leaf.not_after > now + keep;
            facts.is_private() && facts.is_issued() && facts.leaf.as_deref().is_some_and(in_date)
        }
        Answer::Authority(facts) => facts.status == "ACTIVE" && facts.bundle.is_some(),
        Answer::Role(role) => matches!(role, crate::aws::RoleOf::Role(_)),
        Answer::May(allowed) => *allowed,
        Answer::NotFound | Answer::Unanswered(_) => false,
    }
}
