//! Whatever the order: the change that breaks TLS is the one that is reported, by its review or by an Event within seconds, and a sound
//! change is never.
//!
//! On the chart's own configuration in a real API server. What is a line of a table runs in a namespace of its own ([`case`]); what needs
//! more is a function ([`submissions`] and the files after it).

mod bed;
mod case;
mod classes;
mod controllers;
mod down;
mod hands;
mod later;
mod permutations;
mod rotation;
pub(crate) mod shop;
mod submissions;
mod unseen;
pub(crate) mod writes;

use libtest_mimic::Trial;

use bed::Bed;
use case::Table;

use crate::Test;

/// The tests that are functions, by theme.
pub(crate) const SUITE: &[(&str, &[Test])] = &[
    ("orders::submissions", submissions::TESTS),
    ("orders::classes", classes::TESTS),
    ("orders::controllers", controllers::TESTS),
    ("orders::down", down::TESTS),
    ("orders::unseen", unseen::TESTS),
];

/// The tests that are lines of tables.
pub(crate) fn trials() -> Vec<Trial> {
    let shared = [
        ("permutations", permutations::cases()),
        ("later", later::cases()),
        ("rotation", rotation::cases()),
        ("hands", hands::cases()),
    ];
    let shared = shared.into_iter().flat_map(|(theme, cases)| Table::trials(theme, Bed::shared, cases));
    shared.chain(Table::trials("refusing", Bed::refusing, hands::refusing_cases())).collect()
}
