//! When the certificates of the mesh's listeners end.
//!
//! Looked up in the background, and only after something has changed: a review never waits for it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::k8s::ObjectRef;
use crate::mesh::{Member, View, World};
use crate::rules::{End, Files};
use crate::sources::SharedWorld;

/// How many listeners are reported one by one: those whose certificates end first.
pub(crate) const MOST_LISTED: usize = 50;
/// How many members are looked at while the world is held for reading.
const STEP: usize = 32;
/// From one look to the next, where something has changed.
const PACE: Duration = Duration::from_secs(10);

/// The end of one listener's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerExpiry {
    /// The virtual node or gateway.
    pub object: ObjectRef,
    /// Its listener: `listener 8443`.
    pub listener: Arc<str>,
    /// The notAfter of the leaf; where workloads have different ones, the first.
    pub ends: Timestamp,
}

/// The listeners whose certificates are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expiries {
    /// Those that end first, at most [`MOST_LISTED`], in order.
    pub soonest: Vec<ListenerExpiry>,
    /// How many there are beside these.
    pub left_out: usize,
}

impl Expiries {
    /// Looks at every listener. Blocks for as long as that takes, and others no longer than a few members take.
    pub fn of(world: &SharedWorld) -> Self {
        let members: Vec<Arc<Member>> = world.read(|world| world.members().cloned().collect());
        let mut soonest = Vec::new();
        for some in members.chunks(STEP) {
            world.read(|world| some.iter().for_each(|member| soonest.extend(of_member(world, member))));
        }
        soonest.sort_unstable_by(|a, b| (a.ends, &a.object, &a.listener).cmp(&(b.ends, &b.object, &b.listener)));
        let left_out = soonest.len().saturating_sub(MOST_LISTED);
        soonest.truncate(MOST_LISTED);
        Self { soonest, left_out }
    }
}

fn of_member(world: &World, member: &Member) -> Vec<ListenerExpiry> {
    let listeners = member.servers.iter().filter_map(|server| {
        let files = Files::of(View::new(world), member, End::Server(server, server.active_tls()?));
        let ends =
            files.certificates.iter().filter_map(|using| using.issued_leaf()).map(|leaf| leaf.not_after).min()?;
        Some(ListenerExpiry { object: member.object.clone(), listener: Arc::clone(&server.anchor), ends })
    });
    listeners.collect()
}

/// Looks whenever the world has changed, forever; `tell` hears what was found.
pub(crate) async fn follow(world: SharedWorld, tell: impl Fn(Expiries) + Send) {
    let mut changes = world.changes();
    loop {
        let looked = world.clone();
        if let Ok(found) = tokio::task::spawn_blocking(move || Expiries::of(&looked)).await {
            tell(found);
        }
        tokio::time::sleep(PACE).await;
        if changes.changed().await.is_err() {
            return;
        }
    }
}
