//! What keeps a problem from being certain: a call that may reach another listener instead, and an end that no proxy is ever given.

use std::collections::HashSet;
use std::sync::Arc;

use crate::finding::{Breaks, Finding, Severity};
use crate::mesh::{Belonging, CallKey, Loads};
use crate::rules::context::Context;
use crate::rules::idle::ports_left_out;

/// Softens what isn't certain, once all is known that is wrong with the object.
pub(super) fn settle(cx: &Context<'_>, findings: &mut [Finding]) {
    for finding in &mut *findings {
        if let Some(why) = is_never_loaded(cx, finding) {
            soften(finding, why);
        }
        if is_stood_in_for(cx, finding) {
            finding.severity = finding.severity.min(Severity::Warn);
        }
        if is_perhaps_left_out(cx, finding) {
            soften(finding, "unknown whether it has any effect: the gateway that it adds listeners to isn't known");
        }
    }
    if cx.pairs.iter().any(|pair| !pair.link.instead.is_empty()) {
        let broken = broken_calls(cx, findings);
        for finding in &mut *findings {
            if let Some(instead) = reached_instead(cx, finding, &broken) {
                soften(
                    finding,
                    &format!(
                        "unknown whether it is called: the route names no port, and {instead} may be called instead"
                    ),
                );
            }
        }
    }
}

/// Whether the controller may have a certificate of its own for what it can't use this one for.
fn is_stood_in_for(cx: &Context<'_>, finding: &Finding) -> bool {
    let breaks = matches!(finding.rule.breaks, Breaks::Starting | Breaks::Calling);
    breaks && cx.member().is_some_and(|member| cx.view.plane_of(member).loads == Loads::StoodIn)
}

/// Whether nobody knows if the object's listeners are taken.
fn is_perhaps_left_out(cx: &Context<'_>, finding: &Finding) -> bool {
    let denied =
        finding.severity == Severity::Deny && matches!(finding.rule.breaks, Breaks::Starting | Breaks::Calling);
    denied && cx.member().is_some_and(|member| cx.view.is_taken_in(member) == Belonging::Unknown)
}

/// The calls that fail: those of which something is denied, and those in which one end refuses the other's certificate, for whatever
/// a rule on that certificate says by itself.
fn broken_calls(cx: &Context<'_>, findings: &[Finding]) -> HashSet<CallKey> {
    let denied = findings.iter().filter(|finding| finding.severity == Severity::Deny);
    let denied = denied.filter_map(|finding| finding.problem.site.call.as_deref()).cloned();
    let refused = cx.refused.iter().filter_map(|refused| refused.parts(&cx.pairs)).map(|(pair, ..)| pair.key());
    denied.chain(refused).collect()
}

/// Why no proxy loads what the finding is about, where it is about a client policy that holds for no call.
fn is_never_loaded(cx: &Context<'_>, finding: &Finding) -> Option<&'static str> {
    let member = cx.member().filter(|_| matches!(finding.rule.breaks, Breaks::Starting | Breaks::Calling))?;
    let end = member.clients.iter().find(|end| end.field.holds(finding.field()))?;
    if !member.gives_out(end) {
        return Some("no proxy uses this policy: every backend has one of its own");
    }
    let shown_to_services = member.is_gateway() && end.is_default && end.validation.is_none();
    if shown_to_services && !cx.view.backends_of(member).into_iter().any(|service| cx.view.has_policies(service)) {
        return Some("no BackendTLSPolicy has the gateway call a backend by TLS, so it is never presented");
    }
    ports_left_out(cx, member, end)
        .is_some()
        .then_some("no call uses this policy: it is for other ports than those of the listeners that are called")
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
