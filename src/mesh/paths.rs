//! Whether a chain leads to a bundle: computed once, then looked up.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

use crate::pki::path::{PathVerdict, Purpose, find_path, verify_link};
use crate::pki::{Bundle, Certificate, Chain};

/// The most verdicts kept. Beyond that all are dropped; those still needed are computed again.
const MOST_VERDICTS: usize = 65_536;

type Question = ([u8; 32], [u8; 32], Purpose);

/// Path verdicts by the fingerprints of chain and bundle. A path doesn't depend on time, so a verdict stays valid; one
/// whose chain or bundle is gone is never looked up again.
#[derive(Debug, Default)]
pub(crate) struct PathCache {
    paths: RwLock<HashMap<Question, Arc<PathVerdict>>>,
    links: RwLock<HashMap<Link, bool>>,
}

/// The fingerprints of a certificate and of its possible issuer.
type Link = ([u8; 32], [u8; 32]);

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
}

fn look_up<K: Eq + Hash, V: Clone>(kept: &RwLock<HashMap<K, V>>, question: K, answer: impl FnOnce() -> V) -> V {
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
