//! # MV401: `acm-arn-malformed`
//!
//! ## What it checks
//! ARNs of a listener's ACM certificate and of the authorities in a client policy: six parts, the right service (`acm`,
//! `acm-pca`), a Region of the partition, an account of twelve digits, `certificate/UUID` or `certificate-authority/UUID`. A
//! placeholder that was never filled in (`${CERTIFICATE_ARN}`, `<CERTIFICATE_ARN>`) is named. A partition that meshvet
//! doesn't know only warns.
//!
//! ## Why it matters
//! The CRD accepts any text. The App Mesh API doesn't: the controller fails to reconcile, and reports that in its own log
//! and in an Event, long after `kubectl apply`.
//!
//! ## Example
//! ```yaml
//! certificate: {acm: {certificateARN: "${CERTIFICATE_ARN}"}}
//! ```
//!
//! ## How to fix
//! Copy the ARN from `aws acm list-certificates` or `aws acm-pca list-certificate-authorities`.

use crate::aws::{Arn, ArnError};
use crate::finding::Problem;
use crate::rules::acm::{Reference, references, refused};
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for reference in references(cx) {
        match &reference.arn {
            Err(error) => out.add(malformed(cx, &reference, error)),
            Ok(arn) if !arn.has_known_partition() => out.add(unknown_partition(cx, &reference, arn)),
            Ok(_) => {}
        }
    }
}

fn malformed(cx: &Context<'_>, reference: &Reference<'_>, error: &ArnError) -> Problem {
    let fix = match error {
        ArnError::Placeholder { .. } => "have the tool that renders the manifest fill it in, or write the ARN itself",
        _ => "copy the ARN as AWS shows it",
    };
    let message = match reference.named.arn.as_str() {
        "" => format!("no ARN is given ({})", reference.owner()),
        _ => format!("{error} ({})", reference.owner()),
    };
    Problem::deny(reference.site(), message)
        .expected(reference.kind.shape())
        .found(if reference.named.arn.is_empty() { "nothing".to_owned() } else { reference.named.arn.clone() })
        .consequence(refused(cx))
        .fix(fix)
}

fn unknown_partition(cx: &Context<'_>, reference: &Reference<'_>, arn: &Arn) -> Problem {
    let message = format!("meshvet doesn't know the partition {:?} ({})", arn.partition, reference.owner());
    Problem::warn(reference.site(), message)
        .expected("aws, aws-cn, aws-us-gov or another partition of AWS")
        .found(arn.to_string())
        .consequence(format!("{} refuses it, unless AWS has a new partition", cx.word(|names| names.api)))
        .fix("check the spelling of the partition")
}
