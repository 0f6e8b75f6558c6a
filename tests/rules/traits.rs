//! What the catalogue says of rules, held against what they do in the tables of cases.

use std::collections::BTreeSet;

use jiff::ToSpan;
use meshvet::aws::AwsFacts;
use meshvet::finding::{Finding, RULES, Trait};

use crate::scene::Scene;

type Codes = BTreeSet<&'static str>;

fn marked(wanted: Trait) -> Codes {
    RULES.iter().filter(|rule| rule.has(wanted)).map(|rule| rule.code).collect()
}

fn found(scene: &Scene, wanted: impl Fn(&Finding) -> bool) -> Codes {
    scene.judge().findings.iter().filter(|finding| wanted(finding)).map(|finding| finding.rule.code).collect()
}

/// The rules of which a finding is wanted, in any case.
fn in_any_case(wanted: impl Fn(&Finding) -> bool) -> Codes {
    crate::all().iter().flat_map(|case| found(&case.scene(), &wanted)).collect()
}

pub(crate) fn the_rules_about_calls_are_those_that_name_one() {
    assert_eq!(in_any_case(|finding| finding.problem.site.call.is_some()), marked(Trait::Calls));
}

pub(crate) fn the_rules_about_time_are_those_that_speak_of_a_sound_world_at_another_time() {
    let mut told = Codes::new();
    let mut with_list = Scene::sound();
    crate::issuers::with_list(&mut with_list);
    assert_eq!(with_list.judge().told(), Vec::<String>::new());
    for mut scene in [Scene::sound(), with_list] {
        let now = scene.now;
        for days in (-800..800).step_by(10) {
            scene.now = now.checked_add((days * 24).hours()).expect("a time");
            told.extend(found(&scene, |_| true));
        }
    }
    assert_eq!(told, marked(Trait::Time));
}

pub(crate) fn the_rules_that_need_aws_say_nothing_before_it_was_asked() {
    let asked = in_any_case(|_| true);
    let unasked: Codes = crate::all()
        .iter()
        .flat_map(|case| {
            let scene = Scene { aws: AwsFacts::new(), ..case.scene() };
            found(&scene, |_| true)
        })
        .collect();
    assert_eq!(&asked - &unasked, marked(Trait::Aws));
}
