//! `--aws`: whether, and how, AWS is asked.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::policy::Policy;
use crate::sources::{AwsReader, NoAws};

/// Whether AWS is asked.
#[derive(Debug, clap::Args)]
pub(super) struct AwsArgs {
    /// Ask AWS about the certificates and authorities that objects name by ARN, with the credentials that the AWS tools find.
    /// Without it, only the ARNs themselves are judged.
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
    Ok(Arc::new(AwsSource::new(roles(policy), Pace::default())))
}

/// The roles that the policy names, whenever one is needed: a policy that is read again holds from then on.
#[cfg(feature = "aws")]
fn roles(policy: &Arc<ArcSwap<Policy>>) -> crate::sources::aws::Roles {
    let policy = Arc::clone(policy);
    Arc::new(move |account| policy.load().role_in(account))
}

#[cfg(not(feature = "aws"))]
fn reader(_: &Arc<ArcSwap<Policy>>) -> anyhow::Result<Arc<dyn AwsReader>> {
    anyhow::bail!(
        "--aws: this meshvet was built without AWS. Releases and the image have it; build it with `cargo build --release --features aws`"
    )
}

#[cfg(all(test, feature = "aws"))]
mod tests {
    use super::*;

    #[test]
    fn the_role_is_that_of_the_policy_that_holds_now() {
        const ACCOUNT: &str = "111122223333";
        let of = |role: &str| {
            let text = format!(
                "aws: {{accounts: [{{account: '{ACCOUNT}', roleArn: 'arn:aws:iam::{ACCOUNT}:role/{role}', externalId: x}}]}}"
            );
            Policy::parse(&text).expect("a policy")
        };
        let policy = Arc::new(ArcSwap::from_pointee(of("first")));
        let roles = roles(&policy);
        let role = |account: &str| roles(account).map(|role| (role.arn, role.external_id));
        let expected = |role: &str| Some((format!("arn:aws:iam::{ACCOUNT}:role/{role}"), Some("x".to_owned())));
        assert_eq!(role(ACCOUNT), expected("first"));
        assert_eq!(role("444455556666"), None);
        policy.store(Arc::new(of("second")));
        assert_eq!(role(ACCOUNT), expected("second"));
        policy.store(Arc::default());
        assert_eq!(role(ACCOUNT), None);
    }
}
