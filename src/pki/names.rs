//! Compares names as Envoy does. Nothing allocates, except for the hint in a message.

use std::net::IpAddr;

use super::certificate::Certificate;
use super::extensions::San;

/// Whether one dNSName matches a hostname in Envoy's matcher (observed on 1.40):
///
/// - Case doesn't matter, but a trailing dot does. A hostname that isn't ASCII matches nothing.
/// - One star, anywhere in the first label, stands for any part of that label, even an empty one; later labels
///   are compared literally, so that `*.apps.local` matches neither `apps.local` nor `a.b.apps.local`.
/// - A second star, a star in a later label, a one-label name with a star, or a label with a star that begins with
///   `xn--`, matches nothing.
pub fn dns_name_matches(pattern: &str, host: &str) -> bool {
    if host.is_empty() || !host.is_ascii() {
        return false;
    }
    if pattern.eq_ignore_ascii_case(host) {
        return true;
    }
    let (Some((wild, domain)), Some((label, rest))) = (pattern.split_once('.'), host.split_once('.')) else {
        return false;
    };
    let Some((start, end)) = wild.split_once('*') else {
        return false;
    };
    domain.eq_ignore_ascii_case(rest)
        && !domain.contains('*')
        && !end.contains('*')
        && !starts_with_ignoring_case(wild, "xn--")
        && label.len() >= start.len() + end.len()
        && starts_with_ignoring_case(label, start)
        && ends_with_ignoring_case(label, end)
}

fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.as_bytes().get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
}

fn ends_with_ignoring_case(text: &str, end: &str) -> bool {
    let at = text.len().checked_sub(end.len());
    at.and_then(|at| text.as_bytes().get(at..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
}

/// How a certificate matches a hostname.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostMatch {
    /// By a subject alternative name: its index in [`Certificate::sans`].
    San(usize),
    /// Only by an IP address among them. App Mesh creates matchers for DNS names and URIs (App Mesh User Guide), which don't
    /// match it; a proxy that compares names of any kind accepts it.
    Address(usize),
    /// Only by its common name, which App Mesh's rule allows and Envoy never checks.
    CommonNameOnly,
    /// Not at all.
    None,
}

/// How a certificate matches a hostname. For an IP address, its text in a DNS name or a URI takes precedence over an IP address
/// (observed on Envoy 1.40 with matchers of each type).
pub fn certificate_matches_host(certificate: &Certificate, host: &str) -> HostMatch {
    let address = host.parse::<IpAddr>().ok();
    let san = certificate.sans.iter().position(|san| match san {
        San::Dns(pattern) => dns_name_matches(pattern, host),
        San::Uri(uri) => address.is_some() && uri == host,
        _ => false,
    });
    let by_address = || certificate.sans.iter().position(|san| matches!(san, San::Ip(ip) if Some(*ip) == address));
    let by_common_name = || {
        certificate.common_name.as_deref().is_some_and(|name| match address {
            None => dns_name_matches(name, host),
            Some(address) => name.parse() == Ok(address),
        })
    };
    match san {
        Some(index) => HostMatch::San(index),
        None => match by_address() {
            Some(index) => HostMatch::Address(index),
            None if by_common_name() => HostMatch::CommonNameOnly,
            None => HostMatch::None,
        },
    }
}

/// Whether a certificate satisfies an entry of an App Mesh `subjectAlternativeNames` list. App Mesh creates two exact
/// matchers from it, one for DNS names (ignoring case, and accepting the certificate's wildcards) and one for URIs
/// (literally).
pub fn san_entry_matches(certificate: &Certificate, entry: &str) -> bool {
    certificate.sans.iter().any(|san| match san {
        San::Dns(pattern) => dns_name_matches(pattern, entry),
        San::Uri(uri) => uri == entry,
        _ => false,
    })
}

/// The candidate that was most likely intended by a mistyped name, for "did you mean": the one with the fewest letters
/// changed, missing, added or swapped, at most a fifth of them. Case doesn't count.
pub fn nearest_name<'a>(host: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Longer than any DNS name; the cost is the product of both lengths.
    const MAX: usize = 255;
    if host.len() > MAX {
        return None;
    }
    let wanted = host.to_ascii_lowercase();
    let limit = (wanted.chars().count() / 5).max(1);
    candidates
        .filter(|candidate| candidate.len() <= MAX && candidate.len().abs_diff(wanted.len()) <= limit * 4)
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
