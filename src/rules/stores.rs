//! Which Secrets a judgement would have to read first.

use std::collections::HashSet;

use crate::mesh::{Place, StoreKey, Unread};
use crate::rules::context::Context;

/// The stores that the object's files, and those of its calls' other ends, have yet to be read from: see
/// [`Examined`](super::Examined).
pub(super) fn unread_stores(cx: &Context<'_>) -> Vec<StoreKey> {
    let mut seen = HashSet::new();
    let unread = cx.every_place().filter_map(|place| match place {
        Place::StoreUnread { store, why: Unread::OnDemand } => Some(store),
        _ => None,
    });
    unread.filter(|store| seen.insert(*store)).cloned().collect()
}
