//! # MV402: `acm-other-region`
//!
//! ## What it checks
//! Whether the certificate, or the authority, is in the Region of the virtual node or gateway: that of its ARN in App Mesh
//! (`status`), else the policy's `aws.region`, else the Region that meshvet itself runs in. Where none of these is known,
//! nothing is claimed.
//!
//! ## Why it matters
//! App Mesh accepts certificates of the node's own Region only. A manifest that was copied from another Region keeps its
//! ARNs, and looks right.
//!
//! ## Example
//! ```text
//! a node in eu-west-1, and arn:aws:acm:us-east-1:111122223333:certificate/…
//! ```
//!
//! ## How to fix
//! Issue a certificate in the node's Region, from an authority there, and name that.

use crate::finding::Problem;
use crate::rules::acm::{home, references, refused};
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let (Some(member), Some(region)) = (cx.member(), home(cx).region) else { return };
    for reference in references(cx) {
        let Ok(arn) = &reference.arn else { continue };
        if arn.region == region {
            continue;
        }
        out.add(
            Problem::deny(
                reference.site(),
                format!(
                    "the {} is in Region {}, and the {} in {region} ({})",
                    reference.noun(),
                    arn.region,
                    member.noun,
                    reference.owner()
                ),
            )
            .expected(format!("{} in {region}", reference.a_noun()))
            .found(arn.to_string())
            .consequence(refused(cx))
            .fix(format!("name one in {region}; an ACM certificate can't be used in another Region")),
        );
    }
}
