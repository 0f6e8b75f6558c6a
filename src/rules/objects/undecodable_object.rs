//! # MV006: `undecodable-object`
//!
//! ## What it checks
//! Whether the object can be read at all: each field that meshvet needs is of the type that the API gives it.
//!
//! ## Why it matters
//! What can't be read can't be judged, nor can the App Mesh controller read it: it would go on with what it knew before.
//! An UPDATE passes when the old object couldn't be read either, so that a repair in steps is never blocked.
//!
//! ## Example
//! ```yaml
//! spec:
//!   listeners:
//!     - portMapping: {port: "8080", protocol: http}   # a string where the API has a number
//! ```
//!
//! ## How to fix
//! Give the field at the named place a value of the type that the API has.

use crate::apis::{self, Undecodable};
use crate::finding::catalogue::UNDECODABLE_OBJECT;
use crate::finding::{Finding, Problem, Site};
use crate::mesh::View;
use crate::policy::Policy;
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

/// Nothing to check on an object that could be read: those who decode report with [`undecodable`].
pub(crate) fn check(_: &Context<'_>, _: &mut Reporter<'_>) {}

/// The finding for an object that couldn't be read; None where the policy has the rule off.
pub fn undecodable(error: &Undecodable, policy: &Policy, view: View<'_>) -> Option<Finding> {
    let rule = UNDECODABLE_OBJECT;
    let severity = policy.effective(error.object.namespace(), view).severity(rule, rule.default);
    if severity == crate::finding::Severity::Off {
        return None;
    }
    let field = error.field.clone();
    let place = match field.kubernetes() {
        place if place.is_empty() => String::new(),
        place => format!("{place}: "),
    };
    let problem =
        Problem::deny(Site::new("object", field), format!("the object can't be read: {place}{}", error.message))
            .consequence(format!(
                "neither meshvet nor {} can read it: the mesh goes on with what it knew before",
                apis::word(error.object.group(), |names| names.controller)
            ))
            .fix("give the field a value of the type that the API has");
    Some(Finding { rule, severity, object: error.object.clone(), problem, suppressed: None })
}
