//! The rules, as tables: good cases stand beside bad ones, each a small change to a world that is sound.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]

#[path = "../support/mod.rs"]
mod support;

mod acm;
mod allowed;
mod backends;
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
mod planes;
mod promises;
mod reliance;
mod routes;
mod scene;
mod schema;
mod traits;
mod unlisted;
mod workloads;

use std::collections::BTreeSet;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use meshvet::finding::RULES;

use cases::{Case, Expected};
use scene::Scene;

/// The tables, by name.
fn tables() -> Vec<(&'static str, Vec<Case>)> {
    vec![
        ("objects", objects::cases()),
        ("membership", membership::cases()),
        ("schema", schema::cases()),
        ("names", names::cases()),
        ("files", files::cases()),
        ("issuers", issuers::cases()),
        ("allowed", allowed::cases()),
        ("pairs", pairs::cases()),
        ("reliance", reliance::cases()),
        ("promises", promises::cases()),
        ("routes", routes::cases()),
        ("acm", acm::cases()),
        ("unlisted", unlisted::cases()),
        ("workloads", workloads::cases()),
        ("fronts", fronts::cases()),
        ("gateways", gateways::cases()),
        ("backends", backends::cases()),
        ("planes", planes::cases()),
    ]
}

fn all() -> Vec<Case> {
    tables().into_iter().flat_map(|(_, cases)| cases).collect()
}

/// Each case is a test of its own, which the first one that fails doesn't hide.
fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for (table, cases) in tables() {
        for case in cases {
            let name = format!("{table}: {} {}", case.code, case.what);
            trials.push(Trial::test(name, move || {
                case.run();
                Ok::<_, Failed>(())
            }));
        }
    }
    let names: BTreeSet<&str> = trials.iter().map(Trial::name).collect();
    let twice = trials.len() - names.len();
    let others: [(&str, fn()); 13] = [
        ("a sound world has no findings", a_sound_world_has_no_findings),
        ("sound gateways have no findings", sound_gateways_have_no_findings),
        ("a sound world of ACM has no findings", a_sound_world_of_acm_has_no_findings),
        ("every rule has a good and a bad case", every_rule_has_a_good_and_a_bad_case),
        ("every bad case asserts words", every_bad_case_asserts_words),
        (
            "no code or name of a rule is a string outside of the catalogue",
            codes::no_code_or_name_of_a_rule_is_a_string_outside_of_the_catalogue,
        ),
        ("the rules about calls are those that name one", traits::the_rules_about_calls_are_those_that_name_one),
        (
            "the rules about time are those that speak of a sound world at another time",
            traits::the_rules_about_time_are_those_that_speak_of_a_sound_world_at_another_time,
        ),
        (
            "the rules that need AWS say nothing before it was asked",
            traits::the_rules_that_need_aws_say_nothing_before_it_was_asked,
        ),
        ("a service that nobody calls says nothing", reliance::a_service_that_nobody_calls_says_nothing),
        ("a promise that is all right is no finding", promises::a_promise_that_is_all_right_is_no_finding),
        ("a promise never denies, and says who promises", promises::a_promise_never_denies_and_says_who_promises),
        ("one object under two versions is one workload", workloads::one_object_under_two_versions_is_one_workload),
    ];
    trials.extend(others.map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    }));
    trials.push(Trial::test("no two cases have one name", move || {
        if twice == 0 { Ok(()) } else { Err(format!("{twice} have another's name").into()) }
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn a_sound_world_has_no_findings() {
    assert_eq!(Scene::sound().judge().told(), Vec::<String>::new());
}

fn a_sound_world_of_acm_has_no_findings() {
    let mut scene = Scene::sound();
    acm::sound(&mut scene);
    assert_eq!(scene.judge().told(), Vec::<String>::new());
    let mut scene = Scene::sound();
    acm::pair(&mut scene);
    assert_eq!(scene.judge().told(), Vec::<String>::new());
}

fn sound_gateways_have_no_findings() {
    let all = gateways::sound_ones().into_iter().chain(backends::sound_ones());
    all.for_each(|scene| assert_eq!(scene.judge().told(), Vec::<String>::new()));
}

fn every_bad_case_asserts_words() {
    let wordless = |case: &Case| matches!(&case.expected, Expected::Finding(_, _, words) if words.is_empty());
    let all: Vec<String> =
        all().iter().filter(|case| wordless(case)).map(|case| format!("{} {}", case.code, case.what)).collect();
    assert_eq!(all, Vec::<String>::new());
}

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
