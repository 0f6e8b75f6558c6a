//! The kinds of Kubernetes itself: Secrets, ConfigMaps, workloads with their volumes.

pub(crate) mod stores;
mod volumes;
pub(crate) mod workloads;

pub use stores::{config_map_store, secret_store, store_of_files};
