//! One row of a table: a change to the sound world, and what a rule says of it.

use meshvet::finding::Severity;

use crate::scene::Scene;

/// What a rule is to say.
#[derive(Clone)]
pub(crate) enum Expected {
    /// Nothing: a good case.
    Nothing,
    /// A finding of this severity at this field (Kubernetes notation), whose text holds these words.
    Finding(Severity, &'static str, &'static [&'static str]),
}

/// A change to the sound world, and what one rule says of it.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) code: &'static str,
    pub(crate) what: &'static str,
    change: fn(&mut Scene),
    pub(crate) expected: Expected,
}

/// Nothing is said by this rule.
pub(crate) fn good(code: &'static str, what: &'static str, change: fn(&mut Scene)) -> Case {
    Case { code, what, change, expected: Expected::Nothing }
}

/// Refused.
pub(crate) fn denies(
    code: &'static str,
    what: &'static str,
    change: fn(&mut Scene),
    field: &'static str,
    words: &'static [&'static str],
) -> Case {
    Case { code, what, change, expected: Expected::Finding(Severity::Deny, field, words) }
}

/// Warned about.
pub(crate) fn warns(
    code: &'static str,
    what: &'static str,
    change: fn(&mut Scene),
    field: &'static str,
    words: &'static [&'static str],
) -> Case {
    Case { code, what, change, expected: Expected::Finding(Severity::Warn, field, words) }
}

impl Case {
    /// The changed world.
    pub(crate) fn scene(&self) -> Scene {
        let mut scene = Scene::sound();
        (self.change)(&mut scene);
        scene
    }

    pub(crate) fn run(&self) {
        let judged = self.scene().judge();
        let of_rule: Vec<_> = judged.findings.iter().filter(|finding| finding.rule.code == self.code).collect();
        let name = format!("{} {}", self.code, self.what);
        match &self.expected {
            Expected::Nothing => {
                assert!(of_rule.is_empty(), "{name}: {:#?}", judged.told());
            }
            Expected::Finding(severity, field, words) => {
                let found = of_rule.iter().find(|finding| finding.field().kubernetes() == *field);
                let Some(found) = found else { panic!("{name}: not at {field}: {:#?}", judged.told()) };
                assert_eq!(found.severity, *severity, "{name}");
                let problem = &found.problem;
                let text = [
                    Some(&problem.message),
                    problem.expected.as_ref(),
                    problem.found.as_ref(),
                    problem.consequence.as_ref(),
                    problem.fix.as_ref(),
                ];
                let text: Vec<&str> = text.into_iter().flatten().map(String::as_str).collect();
                let text = text.join("\n");
                for word in *words {
                    assert!(text.contains(word), "{name}: no {word:?} in\n{text}");
                }
                assert!(problem.fix.is_some() && problem.consequence.is_some(), "{name}: says too little:\n{text}");
                assert!(!text.contains("PRIVATE KEY-----"), "{name}: prints a key");
            }
        }
    }
}
