//! # MV403: `acm-other-account`
//!
//! ## What it checks
//! Whether the listener's certificate is of the account of the virtual node or gateway: that of its ARN in App Mesh
//! (`status`), else the policy's `aws.account`, else the account that meshvet itself runs in. Authorities may be shared
//! from another account (AWS RAM) and are not checked. Where the account isn't known, nothing is reported.
//!
//! ## Why it matters
//! App Mesh accepts certificates of the node's own account only: unlike an authority, a certificate can't be shared.
//!
//! ## Example
//! ```text
//! a node of account 111122223333, and arn:aws:acm:eu-west-1:444455556666:certificate/…
//! ```
//!
//! ## How to fix
//! Share the authority with the node's account (AWS RAM), issue a certificate there, and name that.

use crate::aws::ArnKind;
use crate::finding::Problem;
use crate::rules::acm::{home, readable, refused};
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let (Some(member), Some(account)) = (cx.member(), home(cx).account) else { return };
    for (reference, arn) in readable(cx, ArnKind::Certificate) {
        if arn.account == account {
            continue;
        }
        out.add(
            Problem::deny(
                reference.site(),
                format!(
                    "the certificate is of account {}, and the {} of {account} ({})",
                    arn.account,
                    member.noun,
                    reference.owner()
                ),
            )
            .expected(format!("a certificate of account {account}"))
            .found(arn.to_string())
            .consequence(refused(cx))
            .fix(
                "issue the certificate in the node's account; an authority of another can be shared with it by AWS RAM",
            ),
        );
    }
}
