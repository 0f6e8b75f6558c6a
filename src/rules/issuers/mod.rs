//! Rules on trust, and on what a listener demands of those who reach it.

pub(super) mod backend_deleted;
pub(super) mod client_certificate_missing;
pub(super) mod issuer_not_allowed;
pub(super) mod issuer_untrusted;
pub(super) mod load_balancer_mismatch;
pub(super) mod plaintext_probe;
pub(super) mod plaintext_server;
pub(super) mod policy_never_applies;
pub(super) mod probe_cannot_authenticate;
pub(super) mod revoked_by_bundle;
pub(super) mod tls_not_required;
pub(super) mod trust_unreadable;

use crate::rules::about::About;

/// What they are about.
pub(super) const ABOUT: About = About::Anything;
