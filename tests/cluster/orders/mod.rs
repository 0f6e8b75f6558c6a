//! Whatever the order: the change that breaks TLS is the one that is reported, by its review or by an Event within seconds, and a sound
//! change is never.
//!
//! On the chart's own configuration in a real API server. What is a line of a table runs in a namespace of its own ([`case`]); what needs
//! more is a function ([`submissions`] and the files after it).

mod bed;
mod case;
mod later;
mod permutations;
mod shop;
mod writes;

use libtest_mimic::Trial;

use bed::Bed;
use case::Table;

/// The tests that are lines of tables.
pub(crate) fn trials() -> Vec<Trial> {
    [("permutations", permutations::cases()), ("later", later::cases())]
        .into_iter()
        .flat_map(|(theme, cases)| Table::trials(theme, Bed::shared, cases))
        .collect()
}
