//! The rules, as tables: good cases stand beside bad ones, each a small change to a world that is sound.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]

#[path = "../support/mod.rs"]
mod support;

mod acm;
mod allowed;
mod cases;
mod codes;
mod files;
mod fronts;
mod gateways;
mod issuers;
mod membership;
mod names;
mod objects;
mod pairs;
mod promises;
mod reliance;
mod routes;
mod scene;
mod traits;
mod unlisted;
mod workloads;

use std::collections::BTreeSet;

use meshvet::finding::RULES;

use cases::{Case, Expected};
use scene::Scene;

fn all() -> Vec<Case> {
    [
        objects::cases(),
        membership::cases(),
        names::cases(),
        files::cases(),
        issuers::cases(),
        allowed::cases(),
        pairs::cases(),
        reliance::cases(),
        promises::cases(),
        routes::cases(),
        acm::cases(),
        unlisted::cases(),
        workloads::cases(),
        fronts::cases(),
        gateways::cases(),
    ]
    .concat()
}

#[test]
fn a_sound_world_has_no_findings() {
    assert_eq!(Scene::sound().judge().told(), Vec::<String>::new());
}

#[test]
fn objects_are_judged_as_the_tables_of_names_say() {
    names::cases().iter().for_each(Case::run);
}

#[test]
fn objects_are_judged_as_the_tables_of_files_say() {
    files::cases().iter().for_each(Case::run);
}

#[test]
fn objects_are_judged_as_the_tables_of_trust_say() {
    issuers::cases().iter().for_each(Case::run);
    allowed::cases().iter().for_each(Case::run);
}

#[test]
fn objects_are_judged_as_the_tables_of_fields_say() {
    objects::cases().iter().for_each(Case::run);
}

#[test]
fn objects_are_judged_as_the_tables_of_workloads_say() {
    membership::cases().iter().for_each(Case::run);
}

#[test]
fn objects_are_judged_as_the_tables_of_calls_say() {
    pairs::cases().iter().for_each(Case::run);
}

#[test]
fn objects_are_judged_as_the_tables_of_reliance_say() {
    reliance::cases().iter().for_each(Case::run);
}

#[test]
fn objects_are_judged_as_the_tables_of_acm_say() {
    acm::cases().iter().for_each(Case::run);
}

#[test]
fn a_sound_world_of_acm_has_no_findings() {
    let mut scene = Scene::sound();
    acm::sound(&mut scene);
    assert_eq!(scene.judge().told(), Vec::<String>::new());
    let mut scene = Scene::sound();
    acm::pair(&mut scene);
    assert_eq!(scene.judge().told(), Vec::<String>::new());
}

#[test]
fn nothing_is_claimed_of_what_nobody_could_list() {
    unlisted::cases().iter().for_each(Case::run);
}

#[test]
fn workloads_of_every_listed_kind_are_judged() {
    workloads::cases().iter().for_each(Case::run);
}

#[test]
fn objects_are_judged_as_the_tables_of_promises_say() {
    promises::cases().iter().for_each(Case::run);
}

#[test]
fn what_stands_before_pods_is_judged_as_its_tables_say() {
    fronts::cases().iter().for_each(Case::run);
}

#[test]
fn objects_are_judged_as_the_tables_of_routes_say() {
    routes::cases().iter().for_each(Case::run);
}

#[test]
fn gateways_and_ingresses_are_judged_as_the_tables_say() {
    gateways::cases().iter().for_each(Case::run);
}

#[test]
fn sound_gateways_have_no_findings() {
    gateways::sound_ones().iter().for_each(|scene| assert_eq!(scene.judge().told(), Vec::<String>::new()));
}

#[test]
fn every_rule_has_a_good_and_a_bad_case() {
    let codes = |wanted: fn(&Expected) -> bool| -> BTreeSet<&str> {
        all().iter().filter(|case| wanted(&case.expected)).map(|case| case.code).collect()
    };
    let bad = codes(|expected| !matches!(expected, Expected::Nothing));
    let good = codes(|expected| matches!(expected, Expected::Nothing));
    for rule in RULES {
        // What can't be decoded has no world to stand in: its cases are those of the decoders.
        if rule.code == "MV006" {
            continue;
        }
        assert!(bad.contains(rule.code), "{} has no bad case", rule.code);
        assert!(good.contains(rule.code), "{} has no good case", rule.code);
    }
}
