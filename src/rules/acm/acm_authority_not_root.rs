//! # MV411: `acm-authority-not-root`
//!
//! ## What it checks
//! Whether the authorities that a client policy trusts by ARN are roots.
//!
//! ## Why it matters
//! App Mesh makes a client validate the chain up to its root. What the proxy trusts when a subordinate authority is named
//! isn't documented, and replacing the subordinate breaks every client that named it.
//!
//! ## Example
//! ```text
//! certificateAuthorityARNs: an authority of type SUBORDINATE
//! ```
//!
//! ## How to fix
//! Name the root authority above it.

use crate::aws::ArnKind;
use crate::finding::Problem;
use crate::rules::acm::readable;
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for (reference, arn) in readable(cx, ArnKind::Authority) {
        let Some(facts) = cx.view.authority(&arn).known().filter(|facts| !facts.is_root) else { continue };
        let root = facts.bundle.as_ref().and_then(|bundle| bundle.certificates.last());
        let root = root.map_or("the root above it".to_owned(), |root| format!("the root, {}", root.subject));
        out.add(
            Problem::warn(
                reference.site(),
                format!("the authority is a subordinate, not a root ({})", reference.owner()),
            )
            .expected("the ARN of a root")
            .found(format!("type SUBORDINATE ({arn})"))
            .consequence("clients may refuse servers whose certificates lead to the same root, and refuse all once it is replaced")
            .fix(format!("name {root}")),
        );
    }
}
