//! Rules on the names that a certificate carries.

pub(super) mod client_name_mismatch;
pub(super) mod common_name_only;
pub(super) mod hostname_mismatch;
pub(super) mod peer_name_mismatch;
pub(super) mod wildcard_in_san_list;
