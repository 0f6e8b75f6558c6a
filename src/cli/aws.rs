//! `--aws`: whether, and how, AWS is asked.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::aws::{Answer, AwsFacts, Question};
use crate::policy::Policy;
use crate::sources::{AwsReader, NoAws};
use crate::text::plural;

/// Questions to AWS and those that their answers lead to.
const MOST_ROUNDS: usize = 4;
/// How long AWS may take for all that it is asked at a time.
const PATIENCE: Duration = Duration::from_secs(120);

/// Whether AWS is asked.
#[derive(Debug, clap::Args)]
pub(super) struct AwsArgs {
    /// Ask AWS about the certificates and authorities that objects name by ARN: with the credentials of the environment, as the
    /// AWS tools find them. Without it, what an ARN tells by itself is judged, and nothing is asked.
    #[arg(long, env = "MESHVET_AWS")]
    pub(super) aws: bool,
}

impl AwsArgs {
    /// Whoever asks AWS, or nobody. Asks nothing yet.
    pub(super) fn reader(&self, policy: &Arc<ArcSwap<Policy>>) -> anyhow::Result<Arc<dyn AwsReader>> {
        if !self.aws {
            return Ok(Arc::new(NoAws));
        }
        reader(policy)
    }
}

impl AwsArgs {
    /// Asks what isn't known, as far as answers lead: from a certificate to its authority. Nothing without `--aws`.
    pub(super) async fn ask(
        &self,
        policy: &Policy,
        unknown: impl Fn(&AwsFacts) -> BTreeSet<Question>,
    ) -> anyhow::Result<AwsFacts> {
        let mut facts = AwsFacts::new();
        if !self.aws {
            return Ok(facts);
        }
        let aws = self.reader(&Arc::new(ArcSwap::from_pointee(policy.clone())))?;
        for _ in 0..MOST_ROUNDS {
            let wanted = unknown(&facts);
            if wanted.is_empty() {
                break;
            }
            let deadline = tokio::time::Instant::now() + PATIENCE;
            facts.extend(aws.ask(wanted.into_iter().collect(), deadline).await);
        }
        Ok(facts)
    }
}

/// How many certificates and authorities are among questions that nobody has asked.
pub(super) fn not_asked(unknown: &BTreeSet<Question>) -> usize {
    unknown.iter().filter(|question| matches!(question, Question::Certificate(_) | Question::Authority(_))).count()
}

/// What a reader should know of what was asked, and of objects whose Region or account isn't known.
pub(super) fn notes(facts: &AwsFacts, unplaced: usize) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(why) = facts.iter().find_map(|(question, answer)| match answer {
        Answer::Unanswered(why) if question.is_about_roles() => Some(why),
        _ => None,
    }) {
        notes.push(format!("the roles of proxies and the controller were not all checked: {why}"));
    }
    if unplaced > 0 {
        notes.push(format!(
            "the Region or the account of {} is not known: ACM references were not compared with it \
             (the policy's aws.region and aws.account say it)",
            plural(unplaced, "object")
        ));
    }
    notes
}

#[cfg(feature = "aws")]
fn reader(policy: &Arc<ArcSwap<Policy>>) -> anyhow::Result<Arc<dyn AwsReader>> {
    use crate::sources::aws::{AwsSource, Pace};
    Ok(Arc::new(AwsSource::new(Arc::clone(policy), Pace::default())))
}

#[cfg(not(feature = "aws"))]
fn reader(_: &Arc<ArcSwap<Policy>>) -> anyhow::Result<Arc<dyn AwsReader>> {
    anyhow::bail!(
        "--aws: this meshvet was built without AWS; build it with the cargo feature `aws`, which is a default one"
    )
}
