//! Which Secrets a judgement would have to read first.

use jiff::Timestamp;

use crate::mesh::{Place, StoreKey, Unread, View};
use crate::policy::Policy;
use crate::rules::context::{Context, Surface};
use crate::sources::Reviewed;

/// The stores that files of the object's proxies come from and that are [read on demand](Unread::OnDemand), each once.
///
/// A path may lead to another store once the first one is read (a projected volume): ask again, with what was read laid
/// over the world, until nothing comes back.
pub fn stores_to_read(reviewed: &Reviewed, view: View<'_>, policy: &Policy) -> Vec<StoreKey> {
    let policy = policy.effective(reviewed.object.namespace(), view.world);
    // No rule runs: neither the time nor the surface plays a part.
    let cx = Context::new(reviewed, view, &policy, Timestamp::UNIX_EPOCH, Surface::Admission);
    let mut stores: Vec<StoreKey> = cx
        .files()
        .filter_map(|file| match file.place {
            Place::StoreUnread { store, why: Unread::OnDemand } => Some(store.clone()),
            _ => None,
        })
        .collect();
    stores.sort_unstable();
    stores.dedup();
    stores
}
