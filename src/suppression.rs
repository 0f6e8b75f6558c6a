//! `meshvet.dev/ignore`: findings that an object's owner has seen and left, with the reason.

use std::collections::BTreeMap;

use crate::rules::Rule;

/// The annotation's key.
pub const IGNORE_ANNOTATION: &str = "meshvet.dev/ignore";

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
                None => {
                    let hint = Rule::nearest(name).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
                    all.problems.push(format!("{name:?} is no rule of meshvet{hint}"));
                }
                Some(rule) if reason.is_empty() => {
                    all.problems.push(format!("{} is ignored without a reason, so it is not ignored", rule.code));
                }
                Some(rule) => all.reasons.push((rule, reason.to_owned())),
            }
        }
        all
    }

    /// Why the owner leaves this rule's findings.
    pub fn reason(&self, rule: &Rule) -> Option<&str> {
        self.reasons.iter().find(|(known, _)| *known == rule).map(|(_, reason)| reason.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(bad.problems[0].contains("without a reason"));
        assert!(bad.problems[2].contains("did you mean hostname-mismatch"));
    }
}
