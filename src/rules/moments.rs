//! When a judgement may become another though nothing changes but the time.

use jiff::{SignedDuration, Timestamp};

use crate::mesh::Place;
use crate::pki::Certificate;
use crate::rules::context::Context;
use crate::rules::files::{CLOCK_SKEW, warning_time};

/// Dates are whole seconds, and a certificate holds to the end of its last one.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// The next moment at which the time alone may make another judgement of the object: the dates of every certificate that it or the
/// other ends of its calls present or trust, and the thresholds before them. None where no date lies ahead.
pub(super) fn next_moment(cx: &Context<'_>) -> Option<Timestamp> {
    let moments = cx.every_place().flat_map(certificates).flat_map(|it| moments(it, cx.policy.expiring_days));
    moments.chain(cx.every_place().flat_map(lists)).filter(|moment| *moment > cx.now).min()
}

/// When the revocation lists of a bundle begin and end.
fn lists(place: &Place) -> Vec<Timestamp> {
    let Place::File { facts, .. } = place else { return Vec::new() };
    let lists = facts.bundle.iter().flat_map(|bundle| &bundle.lists);
    lists.flat_map(|list| [Some(list.this_update), list.next_update]).flatten().collect()
}

fn certificates(place: &Place) -> Vec<&Certificate> {
    match place {
        Place::File { facts, .. } => {
            let chain = facts.chain.iter().flat_map(|chain| &chain.certificates);
            let bundle = facts.bundle.iter().flat_map(|bundle| &bundle.certificates);
            chain.chain(bundle).map(AsRef::as_ref).collect()
        }
        Place::Acm { leaf, chain } => {
            let chain = chain.iter().flat_map(|chain| &chain.certificates);
            leaf.iter().chain(chain).map(AsRef::as_ref).collect()
        }
        Place::Authorities(bundle) => {
            bundle.iter().flat_map(|bundle| &bundle.certificates).map(AsRef::as_ref).collect()
        }
        _ => Vec::new(),
    }
}

fn moments(certificate: &Certificate, expiring_days: u32) -> impl Iterator<Item = Timestamp> + use<> {
    let Certificate { not_before, not_after, .. } = certificate;
    let warned = warning_time(certificate, expiring_days);
    let moments = [
        Some(*not_before),
        not_before.checked_sub(CLOCK_SKEW).ok(),
        not_after.checked_add(SECOND).ok(),
        not_after.checked_sub(warned).and_then(|begins| begins.checked_add(SECOND)).ok(),
    ];
    moments.into_iter().flatten()
}
