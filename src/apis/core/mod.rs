//! The kinds of Kubernetes itself: Secrets, ConfigMaps, namespaces, ServiceAccounts, workloads with their volumes.

mod kinds;
mod listed;
pub(in crate::apis) mod pods;
mod stores;
pub(in crate::apis) mod volumes;
mod workloads;

pub use kinds::API;
pub(crate) use kinds::{CONFIG_MAP, SECRET, SERVICE_ACCOUNT};
pub use listed::WorkloadKind;
pub(crate) use listed::list_workloads;
pub(super) use listed::listed_workloads;
pub(crate) use stores::store_of_files;
pub use stores::{config_map_store, secret_store};
pub(crate) use workloads::Owned;
