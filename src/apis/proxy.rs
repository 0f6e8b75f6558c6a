//! The proxies that APIs give to pods.

use std::collections::BTreeMap;

use crate::apis::core::pods::Pod;
use crate::mesh::Proxy;

/// How one API gives pods a proxy.
#[derive(Debug)]
pub(in crate::apis) struct ProxyOf {
    /// The name of the container that is the proxy.
    pub(in crate::apis) container: &'static str,
    /// The proxy of a pod.
    pub(in crate::apis) of: fn(&Pod<'_>) -> Proxy,
    /// Whether pods that say this, and bring none, are given one in a namespace of these labels.
    pub(in crate::apis) is_given: fn(&BTreeMap<String, String>, &Proxy) -> bool,
}
