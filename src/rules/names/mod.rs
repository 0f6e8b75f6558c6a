//! Rules on the names that a certificate carries.

pub(super) mod client_name_mismatch;
pub(super) mod common_name_only;
pub(super) mod hostname_mismatch;
pub(super) mod peer_name_mismatch;
pub(super) mod uncovered_hostname;
pub(super) mod wildcard_in_san_list;

use std::net::IpAddr;

use crate::pki::{Certificate, San};
use crate::rules::about::About;

/// What they are about.
pub(super) const ABOUT: About = About::Anything;

/// Adds to what was found why listed names match nothing, where they look as if they should. App Mesh compares a list with DNS names and
/// URIs alone, the latter to the letter (App Mesh User Guide, "Transport Layer Security").
fn with_reasons<'n>(found: String, leaf: &Certificate, listed: impl Iterator<Item = &'n str>) -> String {
    let reasons: Vec<String> = listed.filter_map(|name| why_not_in_list(leaf, name)).collect();
    if reasons.is_empty() { found } else { format!("{found}; {}", reasons.join("; ")) }
}

fn why_not_in_list(leaf: &Certificate, name: &str) -> Option<String> {
    if name.parse::<IpAddr>().is_ok() {
        return Some(format!("{name} is an IP address, and a list is compared with DNS names and URIs only"));
    }
    let alike = |san: &San| matches!(san, San::Uri(uri) if uri.eq_ignore_ascii_case(name.trim_end_matches('/')));
    leaf.sans.iter().any(alike).then(|| format!("{name} must equal the URI exactly"))
}

/// What a certificate must have for a hostname, and why one that looks right hasn't got it.
fn wanted_for_host(leaf: &Certificate, host: &str) -> (String, Option<String>) {
    if let Ok(address) = host.parse::<IpAddr>() {
        let why = leaf.sans.iter().any(|san| matches!(san, San::Ip(ip) if *ip == address));
        let why = why.then(|| "only DNS names and URIs are compared, so its IP address doesn't count".to_owned());
        return (format!("DNS:{address}"), why);
    }
    let why = match host {
        uri if uri.contains("://") => Some("a hostname is a DNS name, and this is a URI".to_owned()),
        port if port.contains(':') => Some("a hostname is a DNS name without a port".to_owned()),
        _ => None,
    };
    (format!("DNS:{host}"), why)
}
