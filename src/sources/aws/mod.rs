//! Facts from AWS: what ACM and AWS Private CA report about certificates and authorities, through a cache.
//!
//! ```text
//! reviews ──questions──► AnswerCache ──one call for equal questions──► limit ──► SDK ──► ACM, ACM PCA, STS
//!                             ▲  └─ kept, refreshed in the background ─┘
//! ```
//!
//! No call is made, and no credentials are looked up, before the first question. A review waits until its own deadline; the call
//! continues without it, and its answer is there for the next review.

mod acm;
mod authority;
mod cache;
mod clients;
mod failure;
mod identity;
mod roles;
mod signed;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, stream};
use tokio::time::Instant;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber as _;

use crate::aws::{Answer, AwsFacts, CallStats, Question};
use crate::sources::AwsReader;

use cache::AnswerCache;
use clients::Clients;
pub use clients::{Roles, Station};
use failure::Trouble;

/// The most questions that one review asks at a time.
const AT_ONCE: usize = 64;

/// How often AWS is asked, and how long answers are kept.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// An answer older than this is refreshed in the background when it is used.
    pub fresh: Duration,
    /// An answer older than this is dropped.
    pub keep: Duration,
    /// The same for answers that may change at any moment: not found, unanswered, not issued yet.
    pub keep_doubtful: Duration,
    /// The pause before asking again for something not found: `DescribeCertificate` lags behind creation.
    pub ask_again: Duration,
    /// Calls per second to one service in one Region of one account.
    pub per_second: u32,
    /// Calls allowed at once before the rate applies.
    pub burst: u32,
}

impl Default for Pace {
    /// Half of AWS's limit for `DescribeCertificate`, ten a second for each account: the controller and others call it too.
    fn default() -> Self {
        Self {
            fresh: Duration::from_secs(60),
            keep: Duration::from_secs(600),
            keep_doubtful: Duration::from_secs(5),
            ask_again: Duration::from_secs(1),
            per_second: 5,
            burst: 10,
        }
    }
}

/// Calls AWS as configured by the environment (credentials, `AWS_ENDPOINT_URL`, …), and with the given roles in other accounts.
#[derive(Clone)]
pub struct AwsSource {
    cache: AnswerCache,
    stats: CallStats,
}

impl AwsSource {
    /// Creates the source without calling AWS. Must be called within a tokio runtime.
    pub fn new(roles: Roles, pace: Pace) -> Self {
        Self::with(None, roles, pace)
    }

    /// The same, with another endpoint and other credentials.
    pub fn at(station: Station, roles: Roles, pace: Pace) -> Self {
        Self::with(Some(station), roles, pace)
    }

    fn with(station: Option<Station>, roles: Roles, pace: Pace) -> Self {
        let clients = Clients::new(station, roles, pace);
        let stats = clients.stats();
        let asker = Arc::new(Asker { clients, pace, told_of_roles: AtomicBool::new(false) });
        Self { cache: AnswerCache::new(asker, pace), stats }
    }
}

impl AwsReader for AwsSource {
    fn calls(&self) -> CallStats {
        self.stats.clone()
    }

    fn ask(&self, questions: Vec<Question>, deadline: Instant) -> BoxFuture<'_, AwsFacts> {
        stream::iter(questions)
            .map(move |question| async move {
                let answer = self.cache.answer(&question, deadline).await;
                (question, answer)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .boxed()
    }
}

/// Answers one question with as many calls as needed.
struct Asker {
    clients: Clients,
    pace: Pace,
    told_of_roles: AtomicBool,
}

/// Which of a question's calls is in progress.
#[derive(Clone, Debug, Default)]
struct Progress(Arc<AtomicUsize>);

impl Progress {
    /// The next call starts.
    fn next(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn call(&self, question: &Question) -> crate::aws::Call {
        let calls = question.calls();
        let at = self.0.load(Ordering::Relaxed).min(calls.len() - 1);
        calls[at]
    }
}

impl Asker {
    async fn answer(&self, question: &Question, progress: &Progress) -> Answer {
        // The SDK logs what it signs and sends: silenced, like the Kubernetes client.
        let once = || self.once(question, progress).with_subscriber(Dispatch::none());
        let asked = match once().await {
            // A certificate that was just requested appears a moment later.
            Err(Trouble::NotFound) => {
                tokio::time::sleep(self.pace.ask_again).await;
                once().await
            }
            asked => asked,
        };
        let answer = match asked {
            Ok(answer) => answer,
            Err(Trouble::NotFound) => Answer::NotFound,
            Err(Trouble::Unanswered(why)) => {
                // Only the optional role checks need it: logged once, at info.
                if !question.is_about_roles() {
                    tracing::warn!(%why, "AWS did not answer");
                } else if !self.told_of_roles.swap(true, Ordering::Relaxed) {
                    tracing::info!(%why, "AWS did not answer: roles are not checked");
                }
                Answer::Unanswered(why)
            }
        };
        tracing::debug!(?question, found = ?std::mem::discriminant(&answer), "asked AWS");
        answer
    }

    async fn once(&self, question: &Question, progress: &Progress) -> Result<Answer, Trouble> {
        match question {
            Question::Home => Ok(Answer::Home(Box::pin(identity::home(&self.clients)).await)),
            Question::Certificate(arn) => {
                let facts = Box::pin(acm::describe(&self.clients, arn)).await?;
                Ok(Answer::Certificate(Arc::new(facts)))
            }
            Question::Authority(arn) => {
                let facts = Box::pin(authority::describe(&self.clients, arn, progress)).await?;
                Ok(Answer::Authority(Arc::new(facts)))
            }
            Question::PodIdentity { region, cluster, namespace, service_account } => {
                let account = (namespace.as_str(), service_account.as_str());
                Box::pin(roles::pod_identity(&self.clients, (region, cluster), account, progress)).await
            }
            Question::Simulation(simulation) => Box::pin(roles::simulate(&self.clients, simulation)).await,
        }
    }
}
