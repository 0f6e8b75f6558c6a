//! # MV404: `acm-not-found`
//!
//! ## What it checks
//! Whether ACM has the certificate, and AWS Private CA the authority. A "not found" counts only when AWS answers it twice,
//! a second apart, since a certificate that was just requested can't be described at once.
//!
//! ## Why it matters
//! The App Mesh API refuses the node, or its proxies ask for a certificate that isn't there.
//!
//! ## Example
//! ```text
//! a certificate that was deleted, or an ARN with a digit changed
//! ```
//!
//! ## How to fix
//! Name a certificate that exists: `aws acm list-certificates --region REGION`.

use crate::aws::{ArnKind, Asked};
use crate::finding::Problem;
use crate::rules::acm::{NO_CERTIFICATE, Reference, readable, refused};
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for (reference, arn) in readable(cx, ArnKind::Certificate) {
        if cx.view.certificate(&arn) == Asked::NotFound {
            let problem = problem(&reference, "ACM has no such certificate", &arn.to_string());
            out.add(
                problem.consequence(NO_CERTIFICATE).fix("name a certificate that ACM has in this Region and account"),
            );
        }
    }
    for (reference, arn) in readable(cx, ArnKind::Authority) {
        if cx.view.authority(&arn) == Asked::NotFound {
            let problem = problem(&reference, "AWS Private CA has no such authority", &arn.to_string());
            out.add(
                problem
                    .consequence(refused(cx))
                    .fix("name an authority of this account, or one that is shared with it"),
            );
        }
    }
}

fn problem(reference: &Reference<'_>, what: &str, arn: &str) -> Problem {
    Problem::deny(reference.site(), format!("{what} ({})", reference.owner()))
        .expected(format!("the ARN of {} that exists", reference.a_noun()))
        .found(arn)
}
