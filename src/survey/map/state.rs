//! Whether TLS would work: derived only from findings and from what isn't known.

use serde::Serialize;

use crate::finding::{Finding, Severity};
use crate::mesh::{CertificateSource, Place, TrustSource, Unread, View};
use crate::pki::path::{PathVerdict, Purpose};
use crate::rules::{End, Files, Pair};

/// The state of a call or a node, ordered from best to worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// TLS works.
    #[default]
    Sound,
    /// Neither end uses TLS.
    Plaintext,
    /// Something that it depends on isn't known.
    Unknown,
    /// It works, but something may break it, or soon will.
    AtRisk,
    /// It fails.
    Broken,
}

impl State {
    /// In words: `at risk`.
    pub(crate) fn words(self) -> &'static str {
        match self {
            State::Sound => "sound",
            State::Plaintext => "plaintext",
            State::Unknown => "unknown",
            State::AtRisk => "at risk",
            State::Broken => "broken",
        }
    }

    /// The state that follows from findings, unknowns and plaintext.
    ///
    /// Unknown outweighs a warning, as most warnings then report just that.
    pub(super) fn of<'f>(findings: impl Iterator<Item = &'f Finding>, unknown: bool, plaintext: bool) -> Self {
        let (mut broken, mut at_risk) = (false, false);
        for finding in findings {
            // What a rule knows to break is broken even if the policy only warns.
            broken |= finding.severity == Severity::Deny || finding.problem.severity == Severity::Deny;
            at_risk |= finding.suppressed.is_none();
        }
        match (broken, plaintext, unknown, at_risk) {
            (true, ..) => State::Broken,
            (_, true, ..) => State::Plaintext,
            (_, _, true, _) => State::Unknown,
            (_, _, _, true) => State::AtRisk,
            _ => State::Sound,
        }
    }
}

/// What isn't known about a call, one sentence each.
pub(super) fn unknown_of_call(view: View<'_>, pair: &Pair<'_>) -> Vec<String> {
    let mut unknown = Vec::new();
    if let Some(tls) = pair.link.listener.active_tls() {
        unknown_of_end(End::Server(pair.link.listener, tls), &pair.server, "server", &mut unknown);
    }
    if let Some(policy) = pair.link.policy.enforced() {
        unknown_of_end(End::Client(policy), &pair.client, "client", &mut unknown);
    }
    for (shown, trusting, purpose) in
        [(&pair.server, &pair.client, Purpose::Server), (&pair.client, &pair.server, Purpose::Client)]
    {
        for chain in shown.certificates.iter().filter_map(|using| using.chain()) {
            for bundle in trusting.trusts.iter().filter_map(|trust| trust.bundle()) {
                if let PathVerdict::Unknown(why) = &*view.paths().verdict(chain, bundle, purpose) {
                    unknown.push(format!("whether the chain leads to the bundle can't be said: {why}"));
                }
            }
        }
    }
    unknown.dedup();
    unknown
}

/// What isn't known about an end, one sentence each.
pub(super) fn unknown_of_end(end: End<'_>, files: &Files<'_>, whose: &str, unknown: &mut Vec<String>) {
    let sources = end.certificates().iter().filter_map(elsewhere);
    unknown.extend(sources.map(|source| format!("the {whose}'s certificate is {source}")));
    let trust = end.validation().and_then(|validation| validation.trust.as_ref());
    if let Some(source) = trust.and_then(trust_elsewhere) {
        unknown.push(format!("what the {whose} trusts is {source}"));
    }
    for using in &files.certificates {
        unknown.extend(why(&using.chain_place).map(|why| format!("the {whose}'s certificate isn't known: {why}")));
        // AWS keeps the private keys of its certificates.
        let key = why(&using.key_place).filter(|_| !using.is_acm());
        unknown.extend(key.map(|why| format!("the {whose}'s key isn't known: {why}")));
    }
    for using in &files.trusts {
        unknown.extend(why(&using.place).map(|why| format!("what the {whose} trusts isn't known: {why}")));
    }
}

/// A certificate that only the proxy can see.
pub(super) fn elsewhere(source: &CertificateSource) -> Option<String> {
    match source {
        CertificateSource::File { .. } | CertificateSource::Keys { .. } | CertificateSource::Acm(_) => None,
        CertificateSource::Elsewhere { name, .. } => Some(format!("{name} can't be looked into")),
        CertificateSource::Sds { secret_name, .. } => {
            Some(format!("delivered by SDS, which can't be looked into: {secret_name}"))
        }
    }
}

/// CAs that only the proxy can see.
pub(super) fn trust_elsewhere(source: &TrustSource) -> Option<String> {
    match source {
        TrustSource::File(_) | TrustSource::Key(_) | TrustSource::Acm(_) => None,
        TrustSource::Proxy(_) => Some("what the proxy's own image trusts".to_owned()),
        TrustSource::System(_) => Some("what the proxy's system trusts".to_owned()),
        TrustSource::Sds { secret_name, .. } => {
            Some(format!("delivered by SDS, which can't be looked into: {secret_name}"))
        }
    }
}

/// Why the contents of a place aren't known; None if they are.
pub(super) fn why(place: &Place) -> Option<String> {
    match place {
        Place::File { .. } | Place::Acm { chain: Some(_), .. } | Place::Authorities(Some(_)) => None,
        Place::Acm { leaf: Some(_), chain: None } => Some("AWS has not told of its authority".to_owned()),
        Place::Acm { leaf: None, .. } | Place::Authorities(None) => {
            Some("AWS has not told of it; --aws asks".to_owned())
        }
        Place::NotGiven => Some("the object names no path".to_owned()),
        Place::ProxyImage => Some("it is a file of the proxy's own image".to_owned()),
        Place::Unknown => Some("no workload is selected whose proxy would load it".to_owned()),
        Place::NotMounted { .. } => Some("nothing is mounted at its path".to_owned()),
        Place::Opaque { kind, name } => Some(format!("volume {name} is of kind {kind}, which can't be looked into")),
        Place::VolumeMissing { name } => Some(format!("the pods have no volume {name}")),
        Place::StorePromised { store, promise, .. } => Some(match promise.filled_in_by {
            Some(filler) => format!("{store} is filled in later ({filler})"),
            None => format!("{store} isn't there yet; {} makes it", promise.by),
        }),
        Place::StoreMissing { store, empty: true } => Some(format!("{store} is empty")),
        Place::StoreMissing { store, empty: false } => Some(format!("{store} isn't there")),
        Place::StoreUnread { store, why } => Some(match why {
            Unread::NotAllowed => format!("{store} is not read: Secrets are left alone"),
            Unread::OnDemand => format!("{store} has not been read"),
            Unread::Failed(why) => format!("{store} could not be read: {why}"),
        }),
        Place::KeyMissing { store: Some(store), key, .. } => Some(format!("{store} has no key {key}")),
        Place::KeyMissing { store: None, key, .. } => Some(format!("the volume has no file {key}")),
    }
}
