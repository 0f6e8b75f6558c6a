//! Rules on the files that a proxy loads: that they are there, readable, in date, in order and fit for their use.

pub(super) mod certificate_expired;
pub(super) mod certificate_expiring;
pub(super) mod certificate_ignored;
pub(super) mod certificate_not_yet_valid;
pub(super) mod certificate_unreadable;
pub(super) mod chain_disordered;
pub(super) mod chain_incomplete;
pub(super) mod file_missing;
pub(super) mod file_not_mounted;
pub(super) mod key_mismatch;
pub(super) mod key_unreadable;
mod missing_store;
pub(super) mod nameless_certificate;
pub(super) mod secret_breaks_neighbours;
pub(super) mod stray_private_key;
pub(super) mod unsupported_key;
pub(super) mod weak_key;
pub(super) mod workload_unknown;
pub(super) mod wrong_key_usage;

use crate::mesh::{Place, StoreKind};
use crate::rules::about::About;

pub(super) use certificate_expiring::warning_time;
pub(super) use certificate_not_yet_valid::CLOCK_SKEW;

/// What they are about.
pub(super) const ABOUT: About = About::Anything;

/// How a fix that changes a mounted file ends: Envoy reads its files once, when it starts.
pub(super) const THEN_RESTART: &str = "; then restart the pods, since a proxy doesn't reload a file";

/// `the Secret shop/blue-cert`, for a fix.
fn store_of(place: &Place) -> String {
    place.store().map_or_else(|| "the volume".to_owned(), |store| format!("the {store}"))
}

/// The keys on offer, few of them: never a value.
fn keys_text(keys: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut text = keys.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if keys.len() > SHOWN {
        text.push_str(&format!(" and {} more", keys.len() - SHOWN));
    }
    text
}

fn noun(kind: StoreKind) -> &'static str {
    match kind {
        StoreKind::Secret => "Secret",
        StoreKind::ConfigMap => "ConfigMap",
        StoreKind::Folder => "folder",
    }
}
