//! # MV502: `secret-breaks-neighbours`
//!
//! ## What it checks
//! Whether a Secret passes the checks of its gateway's controller, but Envoy refuses it: an RSA key under 2048 bits, EC P-224, an EC
//! certificate without digitalSignature, a certificate without any name, or one that must come with an OCSP response (must-staple). Only
//! for Envoy Gateway and Istio, which give the certificates of all listeners to one proxy. With Istio, the first of a listener's two
//! certificates only warns: its proxies then serve the second. A second certificate for the same name and kind of key isn't given to the
//! proxy: MV503 reports it. Where Envoy Gateway merges the Gateways of a class (`mergeGateways`), the
//! listeners of all of them count as neighbours.
//!
//! In the review of the Secret itself this is denied by default, whatever `changes.secrets` says except `off`, unless the Secret was
//! refused before too: a repair, a deletion and a controller's write are allowed.
//!
//! ## Why it matters
//! Nothing shows it. Every condition is True, and a running proxy keeps the certificate it has. The next one that starts, after a restart,
//! a scale-up or on a new node, refuses the Secret: the listener closes every connection, and other listeners of the same proxy may do the
//! same. If the listener has a second, good certificate, it depends on which of the two arrives first: in 23 of 36 recorded starts it was dead.
//!
//! ## Example
//! ```text
//! kubectl create secret tls web --cert=rsa-1024.crt --key=rsa-1024.key
//! ```
//!
//! ## How to fix
//! Issue the certificate for RSA of 2048 bits or more, or for EC P-256, with a name.

use crate::finding::{Problem, Severity};
use crate::mesh::{Listening, Loads, Member};
use crate::pki::{KeyAlgorithm, KeyFit, KeySupport, PrivateKeyError};
use crate::rules::context::Context;
use crate::rules::files::unsupported_key::must_staple;
use crate::rules::promised::Aspect;
use crate::rules::reporter::Reporter;
use crate::rules::twins::twins;
use crate::rules::uses::CertificateUse;
use crate::text::plural;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some(member) = cx.member() else { return };
    let twins = twins(cx);
    // What is left out never gets to a proxy.
    let is_given = |using: &&CertificateUse<'_>| !twins.iter().any(|twin| std::ptr::eq(twin.using, *using));
    for using in cx.certificates.iter().filter(|using| using.end.is_server()).filter(is_given) {
        let shared = matches!(using.plane.loads, Loads::Parsed | Loads::Checked);
        let Some(log) = refusal(using).filter(|_| shared) else { continue };
        let Some(leaf) = using.leaf() else { continue };
        let neighbours = neighbours(cx, member, using);
        let others = match neighbours.len() {
            0 => String::new(),
            count => format!(", and {} of the same proxy can fail with it", plural(count, "other listener")),
        };
        let message = format!(
            "a proxy that starts with the certificate in {} refuses it: {} then closes every connection{others}",
            using.chain_origin(),
            using.end.noun()
        );
        let name = if leaf.is_nameless() { ", without any name" } else { "" };
        out.add(
            using.of(
                Aspect::Key,
                Problem::new(severity(using), using.chain_site(), message)
                    .expected("RSA of 2048 bits or more, or P-256, usable for digital signatures, with a name")
                    .found(format!("{}{name}{}{}", leaf.key_algorithm, must_staple(leaf), listed(&neighbours)))
                    .consequence(format!("no condition shows it; the next proxy that starts logs {log}"))
                    .fix("issue the certificate for such a key; until then, keep the Secret as it was"),
            ),
        );
    }
}

/// The listener's other certificates are given to the proxy together with this one, and refused with it. Istio's proxies are an exception:
/// they were seen to serve the second when the first is refused.
fn severity(using: &CertificateUse<'_>) -> Severity {
    let is_first = || using.end.certificates().first().is_some_and(|first| first.is_named_by(using.chain_ref));
    let has_others = using.end.certificates().len() > 1;
    if using.plane.loads == Loads::Checked && has_others && is_first() { Severity::Warn } else { Severity::Deny }
}

/// What Envoy logs about a certificate that the control plane has accepted.
fn refusal(using: &CertificateUse<'_>) -> Option<String> {
    let leaf = using.leaf()?;
    // What Go can't parse never gets to a proxy.
    let is_read = match &leaf.key_algorithm {
        KeyAlgorithm::Rsa { bits } => *bits >= 1024,
        KeyAlgorithm::EcSecp256k1 | KeyAlgorithm::Other(_) => false,
        _ => true,
    };
    let fits = match &using.key_facts()?.key {
        Ok(key) => !matches!(key.fit(leaf), KeyFit::Other { .. }),
        // Of a kind that Envoy doesn't support, like the certificate's.
        Err(error) => matches!(error, PrivateKeyError::UnsupportedAlgorithm { .. }),
    };
    if !is_read || !fits || using.leaf_at.unwrap_or(0) != 0 {
        return None;
    }
    match leaf.key_support() {
        support @ KeySupport::Refused { .. } => support.envoy_log(using.log_path()),
        _ => leaf.nameless_log().map(str::to_owned),
    }
}

/// The other listeners with certificates that one proxy serves: each by its host.
fn neighbours<'a>(cx: &Context<'a>, member: &'a Member, using: &CertificateUse<'_>) -> Vec<String> {
    let all = cx.view.served_with(member).into_iter();
    let others = all.filter(|it| !(it.member.object == member.object && &*it.end.anchor == using.end.anchor()));
    let serving = others.filter(|it| it.end.active_tls().is_some_and(|tls| !tls.certificates.is_empty()));
    serving
        .map(|Listening { end, .. }| match end.gate.as_ref().and_then(|gate| gate.host.as_ref()) {
            Some((host, _)) => host.clone(),
            None => end.anchor.to_string(),
        })
        .collect()
}

/// The first few of them.
fn listed(neighbours: &[String]) -> String {
    const SHOWN: usize = 5;
    if neighbours.is_empty() {
        return String::new();
    }
    let mut text = format!("; beside it {}", neighbours.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", "));
    if neighbours.len() > SHOWN {
        text.push_str(&format!(" and {} more", neighbours.len() - SHOWN));
    }
    text
}
