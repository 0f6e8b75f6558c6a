//! What IAM is asked by, for proxies to fetch their configuration.

use crate::aws::partition_of;

/// What a proxy's role has to be allowed on its own node or gateway.
pub const STREAM_CONFIGURATION: &str = "appmesh:StreamAggregatedResources";

/// The ARN of what is in a mesh. `owner` is the account that shares the mesh, where it is another's; `path` is
/// `virtualNode/blue_shop`.
pub(crate) fn resource_arn(region: &str, account: &str, mesh: &str, owner: Option<&str>, path: &str) -> String {
    let partition = partition_of(region);
    // A mesh that another account shares carries that account behind its name.
    let owner = owner.map(|owner| format!("@{owner}")).unwrap_or_default();
    format!("arn:{partition}:appmesh:{region}:{account}:mesh/{mesh}{owner}/{path}")
}
