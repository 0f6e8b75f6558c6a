//! The kinds of Kubernetes itself: Secrets, ConfigMaps, namespaces, ServiceAccounts, workloads with their volumes.

mod injected;
mod kinds;
mod listed;
pub(in crate::apis) mod pods;
mod services;
mod stores;
pub(in crate::apis) mod volumes;
mod workloads;

use crate::apis::registry::Part;

pub use kinds::API;
pub(crate) use kinds::{CONFIG_MAP, SECRET, SERVICE_ACCOUNT};
pub use listed::WorkloadKind;
pub(crate) use listed::list_workloads;
pub(super) use listed::listed_workloads;
pub(crate) use stores::store_of_files;
pub use stores::{config_map_store, secret_store};
pub(crate) use workloads::Owned;

/// Whether an object of this type, or a workload above it, has the template of the pods that it controls. All versions of a type count.
fn owns_pods(api_version: &str, kind: &str) -> bool {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let mut rows = crate::apis::rows().filter(|row| row.group == group && row.kind.kind == kind);
    rows.any(|row| matches!(row.part, Part::Workload(_))) || listed::is_between(api_version, kind)
}
