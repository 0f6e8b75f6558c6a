//! The sources of facts: a cluster's watches, manifests in files, AWS. Bytes become facts here, once, when they arrive.

#[cfg(feature = "aws")]
pub mod aws;
pub mod cluster;
mod feed;
pub(crate) mod file_watch;
pub(crate) mod http;
pub mod manifests;
mod shared;

pub use feed::{Step, Touched};
pub use shared::{
    AwsReader, FreshObject, FreshWorkloads, Inventory, Kinds, NamespaceReader, NoAws, NoReader, SharedWorld,
    StoreReader,
};
