//! Pairings as tables, each with one thing that is special about it.

mod chains;
mod constraints;
mod files;
mod issuers;
mod keys;
mod modes;
mod names;
mod origination;
mod revocation;
mod several;

use crate::pairing::Pairing;

/// All of them; their names are unique.
pub(crate) fn all() -> Vec<Pairing> {
    [
        names::pairings(),
        chains::pairings(),
        issuers::pairings(),
        constraints::pairings(),
        keys::pairings(),
        files::pairings(),
        modes::pairings(),
        origination::pairings(),
        revocation::pairings(),
        several::pairings(),
    ]
    .concat()
}
