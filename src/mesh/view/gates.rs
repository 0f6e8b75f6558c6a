//! Gateways that select certificates by host: their own listeners, those that others add, and the routes attached to each.

use crate::k8s::ObjectRef;
use crate::mesh::attached::Attached;
use crate::mesh::end::{Admits, ServerEnd};
use crate::mesh::facts::Fact;
use crate::mesh::grant::Grant;
use crate::mesh::hop::{Hop, Inlet};
use crate::mesh::link::Step;
use crate::mesh::member::Member;
use crate::mesh::plane::{Plane, PlaneOf};
use crate::mesh::unlisted::Sort;
use crate::mesh::view::links::Found;
use crate::mesh::view::{Belonging, View};

/// A listener, and the member that declares it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listening<'a> {
    /// The gateway, or the member that adds the listener to it.
    pub(crate) member: &'a Member,
    /// The listener.
    pub(crate) end: &'a ServerEnd,
}

/// A host that a listener must serve, because of a route attached to it.
#[derive(Clone, Debug)]
pub(crate) struct Wanted<'a> {
    /// The host, perhaps with `*.`: the intersection of the listener's and the route's.
    pub(crate) host: String,
    /// The route.
    pub(crate) hop: &'a Hop,
}

impl<'a> View<'a> {
    /// The control plane of a member's proxies.
    pub(crate) fn plane_of(&self, member: &Member) -> &'static Plane {
        let otherwise = match &member.plane {
            PlaneOf::Own(plane) => return plane,
            PlaneOf::Class(otherwise) => otherwise,
        };
        if let Some(extended) = &member.extends {
            return self.member(extended).map_or(otherwise, |gateway| self.plane_of(gateway));
        }
        if let Some(plane) = self.class_of(member).and_then(|class| class.plane) {
            return plane;
        }
        let name = member.class.as_deref();
        let named = self.settings.classes.iter().find(|(class, _)| Some(class.as_str()) == name);
        named.map_or(otherwise, |(_, plane)| plane)
    }

    /// Whether a gateway accepts the listeners that a member adds to it; Yes for any other member.
    pub(crate) fn is_taken_in(&self, member: &Member) -> Belonging {
        let Some(extended) = &member.extends else { return Belonging::Yes };
        let Some(gateway) = self.member(extended) else { return Belonging::Unknown };
        let Some(admits) = gateway.gateway.as_ref().map(|it| &it.extended_from) else { return Belonging::No };
        self.admits(admits, extended.namespace(), member.object.namespace())
    }

    /// Whether objects of `namespace` are accepted by an object in `own`.
    fn admits(&self, admits: &Admits, own: &str, namespace: &str) -> Belonging {
        let certain = |yes: bool| if yes { Belonging::Yes } else { Belonging::No };
        match admits {
            Admits::None => Belonging::No,
            Admits::All => Belonging::Yes,
            Admits::Same => certain(own == namespace),
            Admits::Matching(selector) => match self.namespace(namespace) {
                Some(labels) => certain(selector.matches(labels)),
                None if selector.is_empty() => Belonging::Yes,
                None => Belonging::Unknown,
            },
        }
    }

    /// The members that may add listeners to a gateway, by name.
    pub(super) fn extensions_of(&self, gateway: &ObjectRef) -> Vec<&'a Member> {
        let known = self.world.extensions_of(gateway).filter(|member| self.counts(&member.object));
        let laid = self.laid_members().filter(|member| member.extends.as_ref() == Some(gateway));
        let mut all: Vec<&Member> = known.chain(laid).collect();
        all.sort_by_key(|member| &member.object);
        all.dedup_by_key(|member| &member.object);
        all
    }

    /// All listeners of the gateway that a member is or extends, the gateway's own first.
    pub(crate) fn listeners_with(&self, member: &'a Member) -> Vec<Listening<'a>> {
        let gateway = match &member.extends {
            Some(extended) => self.member(extended),
            None => Some(member),
        };
        let Some(gateway) = gateway else {
            return member.servers.iter().map(|end| Listening { member, end }).collect();
        };
        let extensions = self.extensions_of(&gateway.object).into_iter();
        let taken = extensions.filter(|extension| self.is_taken_in(extension) == Belonging::Yes);
        let members = [gateway].into_iter().chain(taken);
        members.flat_map(|member| member.servers.iter().map(move |end| Listening { member, end })).collect()
    }

    /// All listeners that the proxies of a member serve: those of every gateway of its class where these share them, else of its own.
    pub(crate) fn served_with(&self, member: &'a Member) -> Vec<Listening<'a>> {
        let gateways = self.gateways_with(member).into_iter();
        gateways.flat_map(|gateway| self.listeners_with(gateway)).collect()
    }

    /// The gateways whose listeners the proxies of a member serve: its own, or all of its class where these share them.
    pub(super) fn gateways_with(&self, member: &'a Member) -> Vec<&'a Member> {
        let gateway = member.extends.as_ref().and_then(|extended| self.member(extended)).unwrap_or(member);
        let shared = self.class_of(gateway).filter(|class| self.share_proxies(class));
        let Some(class) = shared else { return vec![gateway] };
        let of_class = |other: &Member| {
            other.extends.is_none() && self.class_of(other).is_some_and(|it| it.object == class.object)
        };
        self.gateways().into_iter().filter(|other| of_class(other)).collect()
    }

    /// The hosts that a listener must have a certificate for, because of the routes among these that are attached to it. Only those for
    /// which it is the most specific of the gateway's listeners on its port: clients get the certificate of that one.
    pub(crate) fn hosts_wanted(&self, of: Listening<'a>, hops: &[&'a Hop]) -> Vec<Wanted<'a>> {
        let Some(gate) = &of.end.gate else { return Vec::new() };
        let own = gate.host.as_ref().map(|(host, _)| host.as_str());
        let beside = self.listeners_with(of.member).into_iter().filter(|other| other.end.port == of.end.port);
        let hosts = beside.filter_map(|other| Some(other.end.gate.as_ref()?.host.as_ref()?.0.as_str()));
        // Hosts that these also take go to them.
        let first: Vec<&str> = hosts.filter(|other| own.is_none_or(|own| is_more_specific(other, own))).collect();
        // Comparing hosts is cheap and leaves few routes, so it comes first.
        let meets = |hop: &Hop| {
            let Some(own) = own.filter(|_| !hop.hosts.is_empty()) else { return true };
            hop.hosts.iter().any(|(host, _)| takes(own, host) || takes(host, own))
        };
        let mut wanted = Vec::new();
        for hop in hops.iter().copied().filter(|hop| meets(hop) && self.is_attached(hop, of)) {
            let mut add = |host: &str| {
                if !first.iter().any(|other| takes(other, host)) {
                    wanted.push(Wanted { host: host.to_owned(), hop });
                }
            };
            if hop.hosts.is_empty() {
                own.into_iter().for_each(&mut add);
            }
            for (host, _) in &hop.hosts {
                match own {
                    Some(own) if takes(own, host) => add(host),
                    Some(own) if takes(host, own) => add(own),
                    Some(_) => {}
                    None => add(host),
                }
            }
        }
        wanted
    }

    /// Whether requests come from a gateway by a hop: a listener of it takes the hop and has a host in common with it, and the hop may
    /// name what it leads to.
    pub(super) fn is_called_by(&self, gateway: &'a Member, step: Step<'a>) -> bool {
        let hop = step.hop;
        let meets = |end: &ServerEnd| match end.gate.as_ref().and_then(|gate| gate.host.as_ref()) {
            Some((own, _)) if !hop.hosts.is_empty() => {
                hop.hosts.iter().any(|(host, _)| takes(own, host) || takes(host, own))
            }
            _ => true,
        };
        let takes_it = |end: &'a ServerEnd| self.is_attached(hop, Listening { member: gateway, end }) && meets(end);
        let gates = || gateway.servers.iter().filter(|end| end.gate.is_some());
        if gates().next().is_some() && !gates().any(takes_it) {
            return false;
        }
        step.to_service().is_none_or(|service| {
            let named = (service.namespace(), service.name.as_str());
            self.is_granted(&hop.object, "", &service.kind, named) == Belonging::Yes
        })
    }

    /// Whether a hop is attached to a listener, and the listener accepts it.
    fn is_attached(&self, hop: &Hop, of: Listening<'_>) -> bool {
        let Some(gate) = &of.end.gate else { return false };
        let means = |inlet: &Inlet| match inlet {
            Inlet::Named { parent, section, port, .. } => {
                *parent == of.member.object
                    && section.as_ref().is_none_or(|section| *section == gate.section)
                    && port.is_none_or(|port| of.end.port == Some(port))
            }
            Inlet::Callers | Inlet::Selected => false,
        };
        hop.from.iter().any(means)
            && (gate.kinds.is_empty() || gate.kinds.iter().any(|kind| hop.object.kind == *kind))
            && self.admits(&gate.from, of.member.object.namespace(), hop.object.namespace()) == Belonging::Yes
    }

    /// The gateways whose routes lead directly to an object, by name.
    pub(super) fn gateways_before(&self, target: &ObjectRef) -> Vec<&'a Member> {
        let hops = self.sources(target).into_iter().filter_map(|source| match source {
            Found::Hop(hop) => Some(hop),
            Found::Member(_) => None,
        });
        let parents = hops.flat_map(|hop| hop.from.iter().filter_map(Inlet::parent));
        let mut gateways: Vec<&Member> = parents.filter_map(|parent| self.member(parent)).collect();
        gateways.sort_by_key(|gateway| &gateway.object);
        gateways.dedup_by_key(|gateway| &gateway.object);
        gateways
    }

    /// The control planes of the gateways whose routes lead to an object.
    pub(crate) fn planes_before(&self, target: &ObjectRef) -> Vec<&'static Plane> {
        self.gateways_before(target).into_iter().map(|gateway| self.plane_of(gateway)).collect()
    }

    /// The objects that the routes of a gateway lead to.
    pub(crate) fn backends_of(&self, gateway: &Member) -> Vec<&'a ObjectRef> {
        let outlets = self.hops_of(gateway).into_iter().flat_map(|hop| &hop.to);
        let mut named: Vec<_> = outlets.filter_map(|outlet| outlet.to.object()).collect();
        named.sort();
        named.dedup();
        named
    }

    /// The policies attached to exactly this object, or to this section of it.
    pub(crate) fn policies_on(&self, target: &ObjectRef, section: Option<&str>) -> Vec<&'a Attached> {
        self.policies_for(target).into_iter().filter(|attached| attached.means(target, section)).collect()
    }

    /// Whether any policy is attached to an object, or to a section of it.
    pub(crate) fn has_policies(&self, target: &ObjectRef) -> bool {
        !self.policies_for(target).is_empty()
    }

    pub(super) fn policies_for(&self, target: &ObjectRef) -> Vec<&'a Attached> {
        let laid = self.laid().filter_map(|fact| match fact {
            Fact::Attached(attached) => Some(&**attached),
            _ => None,
        });
        let laid = laid.filter(|attached| attached.aims.iter().any(|aim| aim.target == *target));
        let known = self.world.links().attached_to(target).filter_map(|object| self.attachment(object));
        laid.chain(known).collect()
    }

    /// All grants, in no order.
    pub(super) fn grants(&self) -> impl Iterator<Item = &'a Grant> + use<'a> {
        let view = *self;
        let laid = self.laid().filter_map(|fact| match fact {
            Fact::Grant(grant) => Some(&**grant),
            _ => None,
        });
        laid.chain(view.world.grants().filter(move |grant| view.counts(&grant.object)))
    }

    /// Whether an object may refer to an object in another namespace.
    pub(crate) fn is_granted(
        &self,
        from: &ObjectRef,
        group: &str,
        kind: &str,
        (namespace, name): (&str, &str),
    ) -> Belonging {
        if from.namespace() == namespace {
            return Belonging::Yes;
        }
        let gives = |grant: &'a Grant| grant.object.namespace() == namespace && grant.allows(from, group, kind, name);
        if self.grants().any(gives) {
            return Belonging::Yes;
        }
        match self.world.unlisted().hides(Sort::Grants, namespace) {
            Some(_) => Belonging::Unknown,
            None => Belonging::No,
        }
    }
}

/// Whether a host pattern covers all that another host or pattern stands for. `*.` stands for one or more labels.
pub(crate) fn takes(pattern: &str, host: &str) -> bool {
    if pattern.eq_ignore_ascii_case(host) {
        return true;
    }
    // `.example.com`, with at least one label before it.
    let Some(suffix) = pattern.strip_prefix('*').filter(|suffix| suffix.starts_with('.')) else { return false };
    let at = host.len().checked_sub(suffix.len()).filter(|at| *at > 0);
    at.and_then(|at| host.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}

/// Whether the first of two hosts that match one name takes precedence.
fn is_more_specific(one: &str, other: &str) -> bool {
    let rank = |host: &str| (!host.starts_with("*."), host.len());
    rank(one) > rank(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_of_a_listener_takes_any_number_of_labels() {
        assert!(takes("*.example.com", "a.example.com") && takes("*.example.com", "a.b.Example.com"));
        assert!(takes("*.example.com", "*.example.com") && takes("*.example.com", "*.b.example.com"));
        assert!(!takes("*.example.com", "example.com") && !takes("*.example.com", ".example.com"));
        assert!(!takes("*.b.example.com", "*.example.com") && !takes("*.example.com", "badexample.com"));
        assert!(takes("a.example.com", "A.example.com") && !takes("a.example.com", "*.example.com"));
    }

    #[test]
    fn the_longest_host_without_a_wildcard_comes_first() {
        assert!(is_more_specific("a.example.com", "*.example.com"));
        assert!(is_more_specific("*.b.example.com", "*.example.com"));
        assert!(!is_more_specific("*.very.long.example.com", "a.io"));
    }
}
