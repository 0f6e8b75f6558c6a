//! How Secrets are read, and from which namespaces.

use std::collections::BTreeSet;

/// How Secrets reach the world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretAccess {
    /// All are known: a Secret that isn't doesn't exist.
    #[default]
    Complete,
    /// Each is read when a review needs it.
    OnDemand,
    /// None is read.
    Never,
}

/// The namespaces whose Secrets are read. Those of other namespaces stay unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SecretScope {
    /// All of them.
    #[default]
    Everywhere,
    /// Only these.
    Only(BTreeSet<String>),
}

impl SecretScope {
    /// The scope for a list of namespaces; an empty list means all.
    pub fn of(namespaces: impl IntoIterator<Item = String>) -> Self {
        let namespaces: BTreeSet<String> = namespaces.into_iter().collect();
        if namespaces.is_empty() { Self::Everywhere } else { Self::Only(namespaces) }
    }

    /// Whether Secrets in this namespace are read.
    pub fn holds(&self, namespace: &str) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Only(namespaces) => namespaces.contains(namespace),
        }
    }
}

/// `all`, or the names separated by commas.
impl std::fmt::Display for SecretScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Everywhere => f.write_str("all"),
            Self::Only(namespaces) => {
                for (place, namespace) in namespaces.iter().enumerate() {
                    write!(f, "{}{namespace}", if place > 0 { ", " } else { "" })?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::{StoreKey, StoreState, Unread, World};

    #[test]
    fn what_is_listed_is_read_and_nothing_listed_is_everything() {
        let everywhere = SecretScope::of([]);
        assert!(everywhere.holds("shop"));
        assert_eq!(everywhere.to_string(), "all");
        let some = SecretScope::of(["till", "shop", "till"].map(str::to_owned));
        assert!(some.holds("shop") && some.holds("till") && !some.holds("bank"));
        assert_eq!(some.to_string(), "shop, till");
    }

    #[test]
    fn a_secret_out_of_scope_is_unknown_and_not_absent() {
        let known = |access, namespace| {
            let world = World::reading(access, SecretScope::of(["shop".to_owned()]));
            world.store(&StoreKey::secret(namespace, "cert"))
        };
        assert!(matches!(known(SecretAccess::Complete, "shop"), StoreState::Absent));
        assert!(matches!(known(SecretAccess::OnDemand, "shop"), StoreState::Unread(Unread::OnDemand)));
        for access in [SecretAccess::Complete, SecretAccess::OnDemand, SecretAccess::Never] {
            assert!(matches!(known(access, "bank"), StoreState::Unread(Unread::NotAllowed)));
        }
        let world = World::reading(SecretAccess::Complete, SecretScope::of(["shop".to_owned()]));
        let map = world.store(&StoreKey::config_map("bank", "ca"));
        assert!(matches!(map, StoreState::Absent), "ConfigMaps are all read");
    }
}
