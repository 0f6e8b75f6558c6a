//! Which chain leads to which bundle: computed once, then looked up.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::pki::path::{PathVerdict, Purpose, find_path};
use crate::pki::{Bundle, Chain};

/// Verdicts kept. Past it all are dropped: those that are still asked for come back.
const MOST_VERDICTS: usize = 65_536;

type Question = ([u8; 32], [u8; 32], Purpose);

/// Path verdicts by the fingerprints of chain and bundle. A path doesn't depend on time, so that a verdict stays true; one
/// whose chain or bundle is gone is never asked for again.
#[derive(Debug, Default)]
pub(crate) struct PathCache(RwLock<HashMap<Question, Arc<PathVerdict>>>);

impl PathCache {
    /// Whether a chain leads to a bundle. Signatures are verified for the first of equal questions only.
    pub(crate) fn verdict(&self, chain: &Chain, bundle: &Bundle, purpose: Purpose) -> Arc<PathVerdict> {
        let question = (chain.fingerprint(), bundle.fingerprint(), purpose);
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&question) {
            return Arc::clone(known);
        }
        let verdict = Arc::new(find_path(chain, bundle, purpose));
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_VERDICTS {
            known.clear();
        }
        known.insert(question, Arc::clone(&verdict));
        verdict
    }
}
