//! What keeps a problem from being certain: a call that may reach another listener instead, and an end that no proxy is ever given.

use std::collections::HashSet;
use std::sync::Arc;

use crate::finding::{Breaks, Finding, Severity};
use crate::mesh::CallKey;
use crate::rules::context::Context;

/// Softens what isn't certain, once all is known that is wrong with the object.
pub(super) fn settle(cx: &Context<'_>, findings: &mut [Finding]) {
    for finding in &mut *findings {
        if is_never_loaded(cx, finding) {
            soften(finding, "no proxy is given this policy: no backend goes without one of its own");
        }
    }
    if cx.pairs.iter().any(|pair| !pair.link.instead.is_empty()) {
        let denied = findings.iter().filter(|finding| finding.severity == Severity::Deny);
        let broken: HashSet<CallKey> =
            denied.filter_map(|finding| finding.problem.site.call.as_deref()).cloned().collect();
        for finding in &mut *findings {
            if let Some(instead) = reached_instead(cx, finding, &broken) {
                soften(
                    finding,
                    &format!("unknown whether it is called: the way there names no port, and {instead} may be"),
                );
            }
        }
    }
}

/// Whether the finding is about the policy for every backend, where no backend takes that: then no proxy gets it.
fn is_never_loaded(cx: &Context<'_>, finding: &Finding) -> bool {
    let Some(member) = cx.member() else { return false };
    let of_proxies = matches!(finding.rule.breaks, Breaks::Starting | Breaks::Calling);
    let unused = member.clients.iter().find(|end| end.is_default && !member.gives_out(end));
    of_proxies && unused.is_some_and(|end| end.field.holds(finding.field()))
}

/// The listeners that the finding's call may reach instead, and that work: the call is certain to fail only where all fail.
fn reached_instead(cx: &Context<'_>, finding: &Finding, broken: &HashSet<CallKey>) -> Option<String> {
    let call = finding.problem.site.call.as_deref().filter(|_| finding.severity == Severity::Deny)?;
    let mut working = Vec::new();
    for pair in cx.pairs.iter().filter(|pair| pair.is(call)) {
        // Another way leads to this very listener.
        if pair.link.instead.is_empty() {
            return None;
        }
        let works = |anchor: &Arc<str>| !broken.contains(&CallKey { listener: Arc::clone(anchor), ..call.clone() });
        working.extend(pair.link.instead.iter().map(|other| &other.anchor).filter(|anchor| works(anchor)));
    }
    working.sort();
    working.dedup();
    let names: Vec<&str> = working.into_iter().map(|anchor| &**anchor).collect();
    (!names.is_empty()).then(|| names.join(" or "))
}

/// Makes a warning of it at most, and gives the reason.
fn soften(finding: &mut Finding, why: &str) {
    finding.severity = finding.severity.min(Severity::Warn);
    finding.problem.message.push_str(&format!(" ({why})"));
}
