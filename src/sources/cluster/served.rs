//! Whether a cluster serves a kind at all. A 403 doesn't show it, since the API server checks rights before the resource.

use kube::Client;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::sources::cluster::failure::status_of;
use crate::sources::cluster::kinds::WatchedKind;

/// Whether the cluster serves a kind in any of its versions. Everyone may ask; None where that isn't answered.
pub(super) async fn is_served(client: &Client, kind: &'static WatchedKind) -> Option<bool> {
    for kind in kind.versions() {
        if has(client, kind.group, kind.api_version, kind.plural).await? {
            return Some(true);
        }
    }
    Some(false)
}

/// Whether the cluster has a resource in this version of its group.
pub(crate) async fn has(client: &Client, group: &str, api_version: &str, plural: &str) -> Option<bool> {
    let asked = async {
        match group.is_empty() {
            true => client.list_core_api_resources(api_version).await,
            false => client.list_api_group_resources(api_version).await,
        }
    };
    match asked.with_subscriber(Dispatch::none()).await {
        Ok(list) => Some(list.resources.iter().any(|resource| resource.name == plural)),
        Err(error) => status_of(&error).filter(|status| status.code == 404).map(|_| false),
    }
}
