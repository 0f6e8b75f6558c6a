//! Which of a Gateway's listeners cert-manager creates a Secret for, if an annotation asks it to.

use std::collections::BTreeMap;

use crate::apis::gateway::types::Listener;

/// Why cert-manager skips a listener (as version 1.21 does: only an Event shows it).
pub(crate) fn passed_by(listener: &Listener, namespace: &str) -> Option<&'static str> {
    let tls = listener.tls.as_ref()?;
    if tls.passes_through() || tls.certificate_refs.is_empty() {
        return None;
    }
    if listener.hostname.as_deref().unwrap_or_default().is_empty() {
        return Some("it has no hostname");
    }
    let other = |namespaced: &str| namespaced != namespace;
    if tls.certificate_refs.iter().any(|reference| reference.is_secret() && other(reference.namespace_or(namespace))) {
        return Some("its Secret is in another namespace");
    }
    None
}

/// The Secrets that cert-manager creates, each with the hosts of all listeners that name it.
pub(super) fn wanted<'l>(listeners: &'l [Listener], namespace: &str) -> BTreeMap<&'l str, Vec<&'l str>> {
    let mut secrets: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for listener in listeners.iter().filter(|listener| passed_by(listener, namespace).is_none()) {
        let (Some(host), Some(tls)) = (&listener.hostname, &listener.tls) else { continue };
        if tls.passes_through() {
            continue;
        }
        for reference in tls.certificate_refs.iter().filter(|reference| reference.is_secret()) {
            secrets.entry(&reference.name).or_default().push(host);
        }
    }
    secrets
}
