//! Which Secrets a judgement would have to read first.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::apis::Subject;
use crate::mesh::{Place, StoreKey, Unread, View};
use crate::policy::Policy;
use crate::rules::context::{CertificateUse, Context, Surface, TrustUse};

/// The stores that files of the object's proxies come from, then those of the proxies it calls or is called by, as far as
/// they are [read on demand](Unread::OnDemand). Each once.
///
/// A path may lead to another store once the first one is read (a projected volume): ask again, with what was read laid
/// over the world, until nothing comes back.
pub fn stores_to_read(subject: &Subject, view: View<'_>, policy: &Policy) -> Vec<StoreKey> {
    let policy = policy.effective(subject.object.namespace(), view);
    // No rule runs: neither the time nor the surface plays a part.
    unread_stores(&Context::new(subject, view, &policy, Timestamp::UNIX_EPOCH, Surface::Admission))
}

/// The same, of what was looked up already.
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
