//! Gaps: kinds that couldn't be listed, so that facts may be missing.

use std::collections::BTreeMap;

/// A sort of facts that may be unlisted independently of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// Members.
    Members,
    /// Hops.
    Hops,
    /// Classes.
    Classes,
    /// Workloads.
    Workloads,
    /// Secrets.
    Secrets,
    /// ConfigMaps.
    ConfigMaps,
    /// Objects that create Secrets and ConfigMaps.
    Promises,
    /// Services in front of pods.
    Services,
    /// ServiceAccounts.
    ServiceAccounts,
    /// Namespaces, with their labels.
    Namespaces,
    /// Gateways that admit traffic from outside by host, with their routes and classes.
    Entrances,
    /// Permission to refer to objects in another namespace.
    Grants,
    /// Settings of classes: no rule takes their absence for a fact.
    Settings,
}

/// A kind that couldn't be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The sort of facts that the kind's objects are.
    pub sort: Sort,
    /// The only namespace whose objects are known all the same (for namespaces: the one known); None: no object of the kind is known.
    pub except: Option<String>,
    /// Why, and how to fix it.
    pub why: String,
}

/// All gaps, by the resource as RBAC names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unlisted(BTreeMap<String, Gap>);

impl Unlisted {
    /// Sets a resource's gap, or removes it.
    pub(crate) fn note(&mut self, resource: &str, gap: Option<Gap>) {
        match gap {
            Some(gap) => drop(self.0.insert(resource.to_owned(), gap)),
            None => drop(self.0.remove(resource)),
        }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first gap that may hide something of this sort in a namespace.
    pub(crate) fn hides(&self, sort: Sort, namespace: &str) -> Option<&Gap> {
        self.hiding(sort, namespace).next().map(|(_, gap)| gap)
    }

    /// All such gaps, with their resources.
    pub(crate) fn hiding<'s>(&'s self, sort: Sort, namespace: &str) -> impl Iterator<Item = (&'s str, &'s Gap)> {
        let is_hidden = move |gap: &Gap| gap.sort == sort && gap.except.as_deref() != Some(namespace);
        self.0.iter().filter(move |(_, gap)| is_hidden(gap)).map(|(resource, gap)| (resource.as_str(), gap))
    }

    /// Whether anything of this sort may be unknown, in any namespace.
    pub(crate) fn any(&self, sort: Sort) -> bool {
        self.0.values().any(|gap| gap.sort == sort)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(sort: Sort, except: Option<&str>) -> Option<Gap> {
        Some(Gap { sort, except: except.map(str::to_owned), why: "forbidden".to_owned() })
    }

    #[test]
    fn a_gap_hides_its_sort_everywhere_but_in_the_one_namespace() {
        let mut unlisted = Unlisted::default();
        unlisted.note("rollouts.argoproj.io", gap(Sort::Workloads, None));
        unlisted.note("deployments.apps", gap(Sort::Workloads, Some("shop")));
        let hidden = |unlisted: &Unlisted, namespace: &str| {
            unlisted.hiding(Sort::Workloads, namespace).map(|(resource, _)| resource.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(hidden(&unlisted, "shop"), ["rollouts.argoproj.io"]);
        assert_eq!(hidden(&unlisted, "bank"), ["deployments.apps", "rollouts.argoproj.io"]);
        assert!(unlisted.hides(Sort::Secrets, "bank").is_none() && unlisted.any(Sort::Workloads));
        unlisted.note("rollouts.argoproj.io", None);
        assert!(hidden(&unlisted, "shop").is_empty());
    }
}
