//! When to judge again: after a change of the world or of the policy, and at certain times.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::finding::Finding;
use crate::k8s::ObjectRef;
use crate::mesh::{SecretAccess, SecretScope, View};
use crate::operate::Clock;
use crate::operate::metrics::{Metrics, ProblemLabels, Problems};
use crate::policy::{Detail, Policy};
use crate::sources::cluster::Readiness;
use crate::sources::{AwsReader, NoAws, SharedWorld, Touched};
use crate::survey::Read;
use crate::watch::board::Board;
use crate::watch::judge::Bench;
use crate::watch::notice::{Notices, Told};
use crate::watch::report::{Draft, Report};
use crate::watch::slices::{self, Pause, Slices, Stop, StopOnDrop};

/// How long the world has to be quiet before affected objects are judged.
const QUIET: Duration = Duration::from_secs(1);
/// The longest wait for that.
const MOST: Duration = Duration::from_secs(5);
/// How often the policy and the clock are checked.
const LOOK: Duration = Duration::from_secs(1);
/// Everything is judged again after this time: AWS's answers change without notice, and messages contain the remaining time.
const HOURLY: SignedDuration = SignedDuration::from_hours(1);
/// How long a metric stays at zero after its last problem has ended.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(1);
/// The longest time for one batch of questions to AWS.
const PATIENCE: Duration = Duration::from_secs(60);
/// The most rounds of questions to AWS, as answers lead to further questions.
const MOST_ROUNDS: usize = 4;

/// The current problems, for those who report them.
#[derive(Debug, Default)]
pub(crate) struct News {
    pub(super) notices: Notices,
    /// One for each member; empty if Reports aren't written.
    pub(super) reports: Vec<Arc<Report>>,
}

/// Judges the objects affected by changes.
pub struct Watcher {
    pub(crate) world: SharedWorld,
    pub(crate) policy: Arc<ArcSwap<Policy>>,
    pub(crate) clock: Clock,
    pub(crate) aws: Arc<dyn AwsReader>,
    pub(crate) readiness: Readiness,
    pub(crate) metrics: Arc<Metrics>,
    /// Receives the current problems after each judgement.
    pub(crate) found: watch::Sender<Arc<News>>,
    /// Whether Reports are written.
    pub(crate) reports: bool,
    /// What it does between two slices of work.
    pub(crate) pause: Pause,
}

/// What is known of the mesh so far.
#[derive(Default)]
struct Known {
    board: Board,
    figures: Figures,
}

impl Watcher {
    /// Of a world that is known from the start. Nobody hears of problems but the metrics, and AWS isn't asked.
    pub fn of(world: SharedWorld, policy: Arc<ArcSwap<Policy>>, clock: Clock, metrics: Arc<Metrics>) -> Self {
        let (aws, readiness, found) = (Arc::new(NoAws), Readiness::default(), watch::Sender::default());
        Self { world, policy, clock, aws, readiness, metrics, found, reports: false, pause: slices::sleep() }
    }

    /// Judges everything once all is known, and affected objects from then on. Runs until dropped.
    pub async fn run(self) {
        while !self.readiness.ready() {
            tokio::time::sleep(LOOK / 4).await;
        }
        self.tell_what_is_not_seen();
        self.world.follow();
        let mut changes = self.world.changes();
        let (this, mut known) = (Arc::new(self), Known::default());
        let mut policy = this.policy.load_full();
        let mut whole = Timestamp::MIN;
        loop {
            let mut touched = this.world.touched();
            let now = (this.clock)();
            let current = this.policy.load_full();
            if !Arc::ptr_eq(&policy, &current) || now.duration_since(whole) >= HOURLY {
                policy = current;
                touched = Touched::everybody();
            }
            if touched.everybody {
                whole = now;
            }
            let is_due = known.board.until().is_some_and(|until| until <= now);
            if !touched.is_empty() || is_due {
                let judged = this.judge(known, Arc::clone(&policy), now, touched).await;
                let has_judged = judged.is_some();
                known = judged.unwrap_or_default();
                if !has_judged {
                    // Nothing is reported about what isn't known; everything is judged again later.
                    tokio::time::sleep(PATIENCE).await;
                    this.world.follow();
                }
            }
            if timeout(LOOK, changes.changed()).await.is_ok() {
                let first = Instant::now();
                while first.elapsed() < MOST && timeout(QUIET, changes.changed()).await.is_ok() {}
            }
        }
    }

    fn tell_what_is_not_seen(&self) {
        let (access, scope) = self.world.read(|world| (world.secret_access(), world.secret_scope().clone()));
        let unseen = match access {
            SecretAccess::Complete => None,
            SecretAccess::OnDemand => Some("Secrets are read for reviews alone (--secrets get)"),
            SecretAccess::Never => Some("Secrets aren't read (--secrets none)"),
        };
        if let Some(why) = unseen {
            tracing::warn!(
                "{why}: no Event and no figure tells of what is in one, and of a rotated or expired certificate; \
                 `meshvet audit` reads them by name"
            );
        } else if let SecretScope::Only(_) = scope {
            tracing::warn!(
                secret_namespaces = %scope,
                "Secrets of other namespaces aren't read (--secret-namespaces): no Event and no metric reports what is in them"
            );
        }
    }

    /// Judges, and publishes what is wrong: on a thread of its own, since that is CPU-bound.
    async fn judge(
        self: &Arc<Self>,
        mut known: Known,
        policy: Arc<Policy>,
        now: Timestamp,
        touched: Touched,
    ) -> Option<Known> {
        // The thread doesn't work on where nobody waits for it any more.
        let stop = Stop::default();
        let _stops = StopOnDrop(stop.clone());
        let mut read = Read::default();
        let mut wanted = None;
        for round in 0..=MOST_ROUNDS {
            let (this, policy, touched, stop) = (Arc::clone(self), Arc::clone(&policy), touched.clone(), stop.clone());
            let work = move || {
                let mut slices = Slices::with(&this.pause, &stop);
                let bench = Bench { world: &this.world, policy: &policy, now };
                let wanted: BTreeSet<_> = wanted.unwrap_or_else(|| bench.wanted(&known.board, &touched));
                let open = bench.judge(&mut known.board, &mut read, &wanted, &mut slices);
                this.metrics.judged(open.judged);
                let is_last = round == MOST_ROUNDS || open.questions.is_empty() || !this.aws.asks();
                if is_last {
                    this.publish(&mut known, &policy, now, &mut slices);
                }
                (known, read, open, is_last)
            };
            let (open, is_last);
            match tokio::task::spawn_blocking(work).await {
                Ok(done) => (known, read, open, is_last) = done,
                Err(error) => {
                    tracing::error!(%error, "judging again failed; this is a bug of meshvet");
                    return None;
                }
            }
            if is_last {
                break;
            }
            let questions = open.questions.into_iter().collect();
            read.aws.extend(self.aws.ask(questions, Instant::now() + PATIENCE).await);
            wanted = Some(open.objects);
        }
        Some(known)
    }

    /// Publishes the current problems.
    fn publish(&self, known: &mut Known, policy: &Policy, now: Timestamp, slices: &mut Slices<'_>) {
        let Known { board, figures } = known;
        let board = &*board;
        let mut notices = Notices::default();
        let mut drafts = self.drafts(board);
        let mut counts: BTreeMap<ProblemLabels, u64> = BTreeMap::new();
        for seen in board.problems() {
            if !slices.go_on() {
                return;
            }
            let finding = &seen.finding;
            let about = match self.world.uid(&finding.object) {
                Some(uid) => Some((finding.object.clone(), uid)),
                // The object isn't judged itself, such as a promise: the judged object is reported instead.
                None => self.world.uid(&seen.subject).map(|uid| (ObjectRef::clone(&seen.subject), uid)),
            };
            if finding.suppressed.is_none() {
                *counts.entry(labels(finding)).or_default() += 1;
            }
            if let Some((object, uid)) = about {
                let namespace = object.namespace().to_owned();
                let detail = self.world.read(|world| policy.effective(&namespace, View::new(world)).detail);
                let brief = detail == Detail::Brief;
                let told = Told { finding, object: &object, uid: &uid, brief, now };
                notices.add(&told);
                if let Some((_, draft)) = drafts.get_mut(&object) {
                    draft.add(&told);
                }
            }
        }
        let problems = Problems { problems: figures.remember(counts, now), objects: board.counts() };
        self.metrics.problems(problems);
        let reports = drafts.into_iter().map(|(member, (uid, draft))| Arc::new(draft.report(&member, &uid))).collect();
        self.found.send_replace(Arc::new(News { notices, reports }));
    }

    /// An empty draft for every member.
    fn drafts(&self, board: &Board) -> BTreeMap<ObjectRef, (Box<str>, Draft)> {
        let members = board.members().filter(|_| self.reports);
        members.filter_map(|member| Some((member.clone(), (self.world.uid(member)?, Draft::default())))).collect()
    }
}

fn labels(finding: &Finding) -> ProblemLabels {
    ProblemLabels {
        namespace: finding.object.namespace().to_owned(),
        kind: finding.object.kind.to_string(),
        rule: finding.rule.code,
        severity: finding.severity.to_string(),
    }
}

/// Metrics that were nonzero before, kept at zero so that alerts see the end of a problem.
#[derive(Default)]
struct Figures(BTreeMap<ProblemLabels, Timestamp>);

impl Figures {
    fn remember(&mut self, mut counts: BTreeMap<ProblemLabels, u64>, now: Timestamp) -> BTreeMap<ProblemLabels, u64> {
        self.0.extend(counts.keys().map(|labels| (labels.clone(), now)));
        self.0.retain(|_, last| now.duration_since(*last) < REMEMBERED);
        for labels in self.0.keys() {
            counts.entry(labels.clone()).or_insert(0);
        }
        counts
    }
}
