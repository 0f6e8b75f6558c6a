//! Client policies that hold for no call.

use std::collections::BTreeSet;
use std::collections::HashSet;

use crate::k8s::ObjectRef;
use crate::mesh::{ClientEnd, Member, OwnPolicy};
use crate::rules::context::Context;

/// The ports of the listeners that a policy is for, where all of them are known and its own ports leave each out.
pub(super) fn ports_left_out(cx: &Context<'_>, member: &Member, end: &ClientEnd) -> Option<BTreeSet<u16>> {
    if end.ports.is_empty() {
        return None;
    }
    let links = cx.view.links_from(member);
    let of_policy: Vec<_> =
        links.iter().filter(|link| link.policy.end().is_some_and(|policy| policy.field == end.field)).collect();
    let called: HashSet<&ObjectRef> = of_policy.iter().map(|link| link.service()).collect();
    let named = member.backends.iter().filter(|backend| match backend.policy {
        OwnPolicy::Inherited => end.is_default,
        OwnPolicy::Own(index) => {
            index.and_then(|index| member.clients.get(index)).is_some_and(|own| own.field == end.field)
        }
    });
    let unused = of_policy.iter().all(|link| link.policy.enforced().is_none());
    (!of_policy.is_empty() && unused && called.len() >= named.count())
        .then(|| of_policy.iter().filter_map(|link| link.listener.port).collect())
}
