//! Which Secrets a judgement would have to read first.

use std::collections::HashSet;

use crate::mesh::{Place, StoreKey, Unread};
use crate::rules::context::Context;
use crate::rules::uses::{CertificateUse, TrustUse};

/// The stores that the object's files, and those of its calls' other ends, have yet to be read from: see
/// [`Examined`](super::Examined).
pub(super) fn unread_stores(cx: &Context<'_>) -> Vec<StoreKey> {
    let own = places(&cx.certificates, &cx.trusts);
    let ends = cx.pairs.iter().flat_map(|pair| [&pair.server, &pair.client]);
    let peers = ends.flat_map(|files| places(&files.certificates, &files.trusts));
    let mut seen = HashSet::new();
    let unread = own.chain(peers).filter_map(|place| match place {
        Place::StoreUnread { store, why: Unread::OnDemand } => Some(&**store),
        _ => None,
    });
    unread.filter(|store| seen.insert(*store)).cloned().collect()
}

fn places<'c>(certificates: &'c [CertificateUse<'_>], trusts: &'c [TrustUse<'_>]) -> impl Iterator<Item = &'c Place> {
    let pairs = certificates.iter().flat_map(|using| [&using.chain_place, &using.key_place]);
    pairs.chain(trusts.iter().map(|using| &using.place))
}
