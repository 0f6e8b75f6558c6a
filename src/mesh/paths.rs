//! Whether a chain leads to a bundle: computed once, then looked up.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, PoisonError, RwLock};

use crate::mesh::store::Store;
use crate::pki::path::{PathVerdict, Purpose, find_path, verify_link};
use crate::pki::{Bundle, Certificate, Chain};

/// The most verdicts kept. Beyond that all are dropped; those still needed are computed again.
const MOST_VERDICTS: usize = 65_536;

type Fingerprint = [u8; 32];

/// Path verdicts by the fingerprints of chain and bundle. A path doesn't depend on time, so a verdict stays valid; those of a chain that
/// no store has any more are dropped, since they hold its certificates.
#[derive(Debug, Default)]
pub(crate) struct PathCache {
    paths: RwLock<BTreeMap<(Fingerprint, Fingerprint, Purpose), Arc<PathVerdict>>>,
    /// By the fingerprints of a certificate and of its possible issuer.
    links: RwLock<BTreeMap<(Fingerprint, Fingerprint), bool>>,
}

impl PathCache {
    /// Whether a chain leads to a bundle. Signatures are verified once for equal chains and bundles.
    pub(crate) fn verdict(&self, chain: &Chain, bundle: &Bundle, purpose: Purpose) -> Arc<PathVerdict> {
        let question = (chain.fingerprint(), bundle.fingerprint(), purpose);
        look_up(&self.paths, question, || Arc::new(find_path(chain, bundle, purpose)))
    }

    /// Whether `issuer`'s key signed `child`, cached likewise.
    pub(crate) fn link(&self, child: &Arc<Certificate>, issuer: &Arc<Certificate>) -> bool {
        look_up(&self.links, (child.fingerprint, issuer.fingerprint), || verify_link(child, issuer))
    }

    /// Drops the verdicts about the chains of a store that is replaced, or gone; not of those that the new one has too. If yet another
    /// store has one of them, they are computed again.
    pub(crate) fn forget(&mut self, old: &Store, new: Option<&Store>) {
        let chains = |store: &Store| -> Vec<(Fingerprint, Fingerprint)> {
            let chains = store.files.values().filter_map(|file| file.chain.as_ref().ok());
            chains.map(|chain| (chain.fingerprint(), chain.leaf().fingerprint)).collect()
        };
        let kept = new.map(chains).unwrap_or_default();
        let paths = self.paths.get_mut().unwrap_or_else(PoisonError::into_inner);
        let links = self.links.get_mut().unwrap_or_else(PoisonError::into_inner);
        for gone in chains(old).into_iter().filter(|chain| !kept.contains(chain)) {
            let (chain, leaf) = gone;
            let every = (chain, [0; 32], Purpose::Server)..=(chain, [0xff; 32], Purpose::Client);
            remove_all(paths, every);
            remove_all(links, (leaf, [0; 32])..=(leaf, [0xff; 32]));
        }
    }

    /// How many verdicts are kept.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.paths.read().unwrap_or_else(PoisonError::into_inner).len()
    }
}

fn remove_all<K: Ord + Copy, V>(kept: &mut BTreeMap<K, V>, keys: RangeInclusive<K>) {
    let gone: Vec<K> = kept.range(keys).map(|(key, _)| *key).collect();
    for key in gone {
        kept.remove(&key);
    }
}

fn look_up<K: Ord, V: Clone>(kept: &RwLock<BTreeMap<K, V>>, question: K, answer: impl FnOnce() -> V) -> V {
    if let Some(known) = kept.read().unwrap_or_else(PoisonError::into_inner).get(&question) {
        return known.clone();
    }
    let answer = answer();
    let mut kept = kept.write().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= MOST_VERDICTS {
        kept.clear();
    }
    kept.insert(question, answer.clone());
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::{Fact, FactId, StoreKey, World};
    use crate::pki::FileFacts;

    fn certificate() -> String {
        rcgen::generate_simple_self_signed(["blue.shop.svc".to_owned()]).expect("a certificate").cert.pem()
    }

    fn store(pem: &str) -> Arc<Store> {
        let file = Arc::new(FileFacts::parse(pem.as_bytes()));
        Arc::new(Store { files: [("tls.crt".to_owned(), file)].into_iter().collect(), ..Store::default() })
    }

    /// Learns a store, and asks about its chain; returns how many verdicts are kept then.
    fn judged(world: &mut World, name: &str, pem: &str) -> usize {
        let (key, store) = (StoreKey::secret("shop", name), store(pem));
        world.replace(&FactId::Store(key.clone()), [Fact::Store(key, Arc::clone(&store))]);
        let file = store.files.get("tls.crt").expect("a file");
        let (chain, bundle) = (file.chain.as_ref().expect("a chain"), file.bundle.as_ref().expect("a bundle"));
        for purpose in [Purpose::Server, Purpose::Client] {
            world.paths().verdict(chain, bundle, purpose);
        }
        world.paths().len()
    }

    #[test]
    fn verdicts_are_dropped_with_their_chain() {
        let (mut world, one, other) = (World::default(), certificate(), certificate());
        assert_eq!(judged(&mut world, "blue", &one), 2);
        assert_eq!(judged(&mut world, "green", &other), 4);
        // Listed again.
        assert_eq!(judged(&mut world, "blue", &one), 4);
        // Rotated.
        assert_eq!(judged(&mut world, "blue", &certificate()), 4);
        for name in ["blue", "green"] {
            world.forget(&FactId::Store(StoreKey::secret("shop", name)));
        }
        assert_eq!(world.paths().len(), 0);
    }
}
