//! The catalogue of rules: the name, default severity, traits and manual of each. Their checks are
//! in [`rules`](crate::rules), above.
//!
//! Each rule has a constant here, by which code speaks of it: [`HOSTNAME_MISMATCH`]. Codes are for people.

mod table;

use std::fmt;

use crate::apis::mesh_apis;
use crate::finding::{Manual, Severity};
use crate::text::suggest;

pub(crate) use table::for_each_rule;

/// One rule, without its check.
#[derive(Debug)]
pub struct Rule {
    /// `MV101`: stable, and never used for another rule.
    pub code: &'static str,
    /// `hostname-mismatch`: reads as "allow hostname-mismatch".
    pub name: &'static str,
    /// The severity of its usual case; single cases may be softer.
    pub default: Severity,
    /// When what it finds breaks traffic.
    pub breaks: Breaks,
    /// Wrong when: one line.
    pub summary: &'static str,
    /// Its row in [`RULES`].
    pub index: usize,
    traits: &'static [Trait],
    /// The folder of `rules` that it stands in.
    folder: &'static str,
    /// The source file, whose leading doc comment is the manual.
    source: &'static str,
}

/// What distinguishes some rules for code that reads findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trait {
    /// About the name that the server is known by: it concerns only those callers who go by the hostname alone.
    Hostname,
    /// Some of its findings are about a call, and name both ends of it.
    Calls,
    /// What it finds comes and goes with the time, while no object changes.
    Time,
    /// Its warnings say that something isn't known. (What it denies is known.)
    Unknown,
    /// The field's name is wrong, rather than its value.
    FieldName,
    /// It has nothing to say before AWS has been asked.
    Aws,
}

/// When what a rule finds breaks traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaks {
    /// When the object is applied: somebody refuses it, or never puts it into effect.
    Applying,
    /// When pods start: a proxy isn't there, or refuses its configuration, whether anybody calls or not.
    Starting,
    /// When somebody calls who relies on it.
    Calling,
    /// Later, unless somebody does something.
    Later,
    /// Never by itself.
    Nothing,
}

impl fmt::Display for Breaks {
    /// Ends a sentence that begins with "It breaks".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Breaks::Applying => "at once: the object is refused, or never takes effect",
            Breaks::Starting => "as soon as pods start with it, whether anybody calls or not",
            Breaks::Calling => {
                "when somebody calls who relies on it; where callers are known and none does, it only warns"
            }
            Breaks::Later => "later, unless it is renewed",
            Breaks::Nothing => "nothing by itself",
        })
    }
}

macro_rules! catalogue {
    ($(
        $code:ident $constant:ident $name:literal $default:ident $breaks:ident $folder:ident::$file:ident [$($trait:ident),*]
            $summary:literal;
    )*) => {
        /// Every rule, by code.
        pub static RULES: &[Rule] = &[$(
            Rule {
                code: stringify!($code),
                name: $name,
                default: Severity::$default,
                breaks: Breaks::$breaks,
                summary: $summary,
                index: Row::$code as usize,
                traits: &[$(Trait::$trait),*],
                folder: stringify!($folder),
                source: include_str!(concat!("../rules/", stringify!($folder), "/", stringify!($file), ".rs")),
            },
        )*];

        /// The rows of [`RULES`], counted.
        enum Row { $($code),* }

        $(
            #[doc = concat!(stringify!($code), ": ", $summary)]
            pub(crate) const $constant: &Rule = &RULES[Row::$code as usize];
        )*

        #[cfg(test)]
        const CONSTANTS: &[(&str, &Rule)] = &[$((stringify!($constant), $constant)),*];
    };
}

for_each_rule!(catalogue);

impl Rule {
    /// The rule of this code or name, whatever the case of its letters.
    pub fn find(name: &str) -> Option<&'static Rule> {
        RULES.iter().find(|rule| rule.code.eq_ignore_ascii_case(name) || rule.name.eq_ignore_ascii_case(name))
    }

    /// The code or name that comes nearest to one that isn't there.
    pub fn nearest(name: &str) -> Option<&'static str> {
        suggest::nearest(name, RULES.iter().flat_map(|rule| [rule.code, rule.name]))
    }

    /// Whether the rule has this trait.
    pub fn has(&self, wanted: Trait) -> bool {
        self.traits.contains(&wanted)
    }

    /// The group of the API whose own text or machinery it is about: it has nothing to say of an object of another. None where it
    /// holds for any API.
    pub fn api(&self) -> Option<&'static str> {
        mesh_apis().find(|(api, _)| api.folder == self.folder).map(|(api, _)| api.group)
    }

    /// The group that it stands in: `names`, `files`, `acm`.
    pub fn folder(&self) -> &'static str {
        self.folder
    }

    /// The rule's manual, read from its source file's doc comment.
    pub fn manual(&self) -> Manual<'static> {
        Manual::parse(self.source)
    }

    /// The manual as a page of Markdown.
    pub fn markdown(&self) -> String {
        let manual = self.manual();
        let mut letters = self.summary.chars();
        let summary: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
        let mut page = format!(
            "# {}: `{}`\n\n{summary}.\nSeverity by default: **{}**. It breaks {}.\n",
            self.code, self.name, self.default, self.breaks
        );
        let parts = [
            ("What it checks", &manual.what),
            ("Why it matters", &manual.why),
            ("Example", &manual.example),
            ("How to fix", &manual.fix),
        ];
        for (heading, part) in parts {
            page.push_str(&format!("\n## {heading}\n\n{}\n", part.trim()));
        }
        page
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index
    }
}

impl Eq for Rule {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_unique_and_in_order() {
        for pair in RULES.windows(2) {
            assert!(pair[0].code < pair[1].code, "{} before {}", pair[0].code, pair[1].code);
        }
        for (index, rule) in RULES.iter().enumerate() {
            assert_eq!(rule.index, index);
            assert_eq!(RULES.iter().filter(|other| other.name == rule.name).count(), 1, "{}", rule.name);
            assert!(rule.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", rule.name);
        }
    }

    #[test]
    fn a_constant_bears_the_name_of_its_rule() {
        for (constant, rule) in CONSTANTS {
            assert_eq!(constant.to_lowercase().replace('_', "-"), rule.name);
        }
        assert_eq!(CONSTANTS.iter().map(|(_, rule)| rule.code).collect::<Vec<_>>(), codes(|_| true));
    }

    fn codes(wanted: fn(&Rule) -> bool) -> Vec<&'static str> {
        RULES.iter().filter(|rule| wanted(rule)).map(|rule| rule.code).collect()
    }

    #[test]
    fn a_rule_whose_file_reads_the_vocabulary_of_app_mesh_is_of_that_api() {
        let reads = codes(|rule| rule.source.contains("use crate::apis::appmesh"));
        assert!(reads.contains(&REFUSED_BY_APP_MESH.code), "{reads:?}");
        let says = codes(|rule| rule.api() == Some("appmesh.k8s.aws"));
        assert!(reads.iter().all(|code| says.contains(code)), "{reads:?}, {says:?}");
    }

    #[test]
    fn the_rules_of_an_api_are_those_in_its_folder() {
        let of_apis = codes(|rule| rule.api().is_some());
        let of_app_mesh = ["MV003", "MV004", "MV005", "MV103", "MV218", "MV219", "MV220", "MV410", "MV412"];
        let of_gateways =
            ["MV501", "MV503", "MV505", "MV506", "MV507", "MV508", "MV509", "MV510", "MV511", "MV512", "MV513"];
        assert_eq!(of_apis, [&of_app_mesh[..], &of_gateways].concat());
        assert_eq!(HOSTNAME_MISMATCH.api(), None);
    }

    #[test]
    fn every_rule_has_a_full_manual() {
        for rule in RULES {
            let manual = rule.manual();
            assert!(
                manual.title.contains(rule.code) && manual.title.contains(rule.name),
                "{}: {}",
                rule.code,
                manual.title
            );
            for (heading, text) in [
                ("What it checks", &manual.what),
                ("Why it matters", &manual.why),
                ("Example", &manual.example),
                ("How to fix", &manual.fix),
            ] {
                assert!(text.trim().len() > 30, "{}: {heading} is missing or too short: {text:?}", rule.code);
            }
        }
    }

    #[test]
    fn a_misspelt_rule_leads_to_the_nearest() {
        assert_eq!(Rule::find("mv101").map(|rule| rule.name), Some("hostname-mismatch"));
        assert_eq!(Rule::find("key-mismatch").map(|rule| rule.code), Some("MV206"));
        assert_eq!(Rule::nearest("hostname-missmatch"), Some("hostname-mismatch"));
        assert_eq!(Rule::nearest("xyz"), None);
    }
}
