//! The webhook's own serving certificate: from files, issued at each start, or kept by the replicas themselves.

pub mod managed;
pub mod self_issued;
pub mod serving;
