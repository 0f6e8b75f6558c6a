//! `--aws`: whether, and how, AWS is asked.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::policy::Policy;
use crate::sources::{AwsReader, NoAws};

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

    /// The same, under a policy that stays as it is.
    pub(super) fn reader_under(&self, policy: &Policy) -> anyhow::Result<Arc<dyn AwsReader>> {
        self.reader(&Arc::new(ArcSwap::from_pointee(policy.clone())))
    }
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
