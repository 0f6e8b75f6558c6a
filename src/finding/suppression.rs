//! Findings that an owner has seen and left, with the reason: the annotation `meshvet.dev/ignore` in a cluster and in
//! manifests, and the comment `# meshvet: ignore` in manifests.

use std::collections::BTreeMap;

use crate::finding::Rule;
use crate::finding::{Finding, Severity};
use crate::k8s::FieldPath;

/// The annotation's key.
pub(crate) const IGNORE_ANNOTATION: &str = "meshvet.dev/ignore";

/// The rules that an object's owner asks to leave, with the reasons; and the entries that couldn't be read.
#[derive(Clone, Debug, Default)]
pub struct Suppressions {
    reasons: Vec<(&'static Rule, String)>,
    /// What is wrong with an entry, one sentence each.
    pub problems: Vec<String>,
}

impl Suppressions {
    /// Reads `MV209=rotation on Friday; certificate-expiring=…`: entries between semicolons, a rule and its reason.
    pub fn parse(annotations: &BTreeMap<String, String>) -> Self {
        let mut all = Self::default();
        let Some(text) = annotations.get(IGNORE_ANNOTATION) else { return all };
        for entry in text.split(';').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (name, reason) = entry.split_once('=').map_or((entry, ""), |(n, r)| (n.trim(), r.trim()));
            match Rule::find(name) {
                None => all.problems.push(no_rule(name)),
                Some(rule) if reason.is_empty() => all.problems.push(no_reason(rule)),
                Some(rule) => all.reasons.push((rule, reason.to_owned())),
            }
        }
        all
    }

    /// The rules, each with its reason, in the order in which they are written.
    pub fn entries(&self) -> impl Iterator<Item = (&'static Rule, &str)> {
        self.reasons.iter().map(|(rule, reason)| (*rule, reason.as_str()))
    }

    /// Why the owner leaves this rule's findings.
    pub fn reason(&self, rule: &Rule) -> Option<&str> {
        self.reasons.iter().find(|(known, _)| *known == rule).map(|(_, reason)| reason.as_str())
    }
}

fn no_rule(name: &str) -> String {
    let hint = Rule::nearest(name).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    format!("meshvet has no rule {name:?}{hint}")
}

fn no_reason(rule: &Rule) -> String {
    format!("{} has no reason, so it is not ignored", rule.code)
}

/// What a comment asks: `# meshvet: ignore MV209, MV102 rotation on Friday`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// The rules.
    pub rules: Vec<&'static Rule>,
    /// Why; never empty.
    pub reason: String,
}

impl Ignore {
    /// Reads a comment's text, without its `#`. None: it doesn't speak to meshvet.
    ///
    /// # Errors
    /// One sentence on what is wrong, where it speaks to meshvet and can't be followed.
    pub fn parse(comment: &str) -> Option<Result<Self, String>> {
        let text = comment.trim_start_matches('#').trim();
        let (name, rest) = text.split_at_checked("meshvet".len())?;
        if !name.eq_ignore_ascii_case("meshvet") {
            return None;
        }
        let Some(said) = rest.trim_start().strip_prefix(':') else {
            // Prose may begin with the name; only what looks like the instruction is taken for one.
            let meant = rest.starts_with(' ') && rest.trim_start().get(..6).is_some_and(|word| word == "ignore");
            return meant.then(|| Err("the colon between meshvet and ignore is missing".to_owned()));
        };
        let (verb, rest) = word(said);
        Some(if verb == "ignore" {
            Self::parse_rest(rest)
        } else {
            Err(format!("{verb:?} is unknown in a comment; the only word is ignore"))
        })
    }

    fn parse_rest(mut rest: &str) -> Result<Self, String> {
        let mut rules = Vec::new();
        loop {
            let (list, after) = word(rest);
            let end = list.find(['=', ':']).unwrap_or(list.len());
            let (names, joined) = list.split_at(end);
            for name in names.split(',').filter(|name| !name.is_empty()) {
                rules.push(Rule::find(name).ok_or_else(|| no_rule(name))?);
            }
            // `MV209, MV102 why`: the list goes on after a comma.
            if names.ends_with(',') && joined.is_empty() && !after.is_empty() {
                rest = after;
                continue;
            }
            let separators = |c: char| c.is_whitespace() || matches!(c, ':' | '=' | '-' | '–' | '—');
            let reason = format!("{joined} {after}").trim_start_matches(separators).trim_end().to_owned();
            return match rules.first() {
                None => Err("it names no rule".to_owned()),
                Some(first) if reason.is_empty() => Err(no_reason(first)),
                Some(_) => Ok(Self { rules, reason }),
            };
        }
    }
}

/// The first word, and what follows it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let (word, rest) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    (word, rest.trim_start())
}

/// What came of an entry that asks to leave a rule's findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// A finding was left.
    Left,
    /// There are findings, and each denies, which the policy doesn't let an owner ignore.
    Denied,
    /// There is no finding.
    Nothing,
}

impl Use {
    /// What came of an entry, by the findings that it covers.
    pub fn of<'f>(covered: impl Iterator<Item = &'f Finding>) -> Self {
        covered.fold(Self::Nothing, |came, finding| match (came, &finding.suppressed) {
            (_, Some(_)) | (Self::Left, _) => Self::Left,
            (_, None) => Self::Denied,
        })
    }
}

/// Whether an owner may leave a finding of this severity: a denial only where the policy says so (`ignore.denials`).
pub(crate) fn may_ignore(severity: Severity, denials: bool) -> bool {
    severity == Severity::Warn || denials
}

/// Whether a finding stands at one of these fields or below it.
pub fn covers(fields: &[FieldPath], finding: &Finding) -> bool {
    fields.iter().any(|field| field.holds(finding.field()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn asks(comment: &str, codes: &[&str], reason: &str) {
        let read = Ignore::parse(comment).expect("to meshvet").expect("well formed");
        assert_eq!(read.rules.iter().map(|rule| rule.code).collect::<Vec<_>>(), codes, "{comment}");
        assert_eq!(read.reason, reason, "{comment}");
    }

    #[track_caller]
    fn refuses(comment: &str, words: &str) {
        let why = Ignore::parse(comment).expect("to meshvet").expect_err("malformed");
        assert!(why.contains(words), "{comment}: {why}");
    }

    #[test]
    fn a_comment_names_rules_and_a_reason() {
        asks(" meshvet: ignore MV209 rotation on Friday", &["MV209"], "rotation on Friday");
        asks("meshvet:ignore certificate-expiring  rotation ", &["MV209"], "rotation");
        asks("# Meshvet : ignore mv209: rotation", &["MV209"], "rotation");
        asks(" meshvet: ignore MV209=rotation - soon", &["MV209"], "rotation - soon");
        asks(" meshvet: ignore MV209 -- rotation", &["MV209"], "rotation");
        asks(" meshvet: ignore MV209,MV102 — rotation", &["MV209", "MV102"], "rotation");
        asks(" meshvet: ignore MV209, MV102 rotation", &["MV209", "MV102"], "rotation");
    }

    #[test]
    fn a_comment_that_cant_be_followed_says_why() {
        refuses(" meshvet: ignore", "names no rule");
        refuses(" meshvet: ignore MV209", "has no reason");
        refuses(" meshvet: ignore MV209:", "has no reason");
        refuses(" meshvet: ignore MV209, MV102", "has no reason");
        refuses(" meshvet: ignore certificate-expirin soon", "did you mean certificate-expiring?");
        refuses(" meshvet: ignroe MV209 x", "the only word is ignore");
        refuses(" meshvet:", "the only word is ignore");
        refuses(" meshvet ignore MV209 x", "the colon");
    }

    #[test]
    fn prose_is_left_alone() {
        for comment in
            ["", " a: b", " meshvet checks this file", " see meshvet: docs", " meshve", "méshvet: x", " meshvets: x"]
        {
            assert_eq!(Ignore::parse(comment), None, "{comment}");
        }
    }

    fn parse(text: &str) -> Suppressions {
        Suppressions::parse(&BTreeMap::from([(IGNORE_ANNOTATION.to_owned(), text.to_owned())]))
    }

    #[test]
    fn an_entry_needs_a_rule_and_a_reason() {
        let read = parse("MV209=rotation on Friday; common-name-only = old clients ;");
        let reason = |code| Rule::find(code).and_then(|rule| read.reason(rule));
        assert_eq!(reason("MV209"), Some("rotation on Friday"));
        assert_eq!(reason("MV102"), Some("old clients"));
        assert_eq!(reason("MV101"), None);
        assert!(read.problems.is_empty());

        let bad = parse("MV209; MV9999=because; hostname-missmatch=x");
        assert_eq!(bad.problems.len(), 3);
        assert!(bad.problems[0].contains("has no reason"));
        assert!(bad.problems[2].contains("did you mean hostname-mismatch"));
    }
}
