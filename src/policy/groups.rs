//! Rules by code, by name and by group.

use std::collections::BTreeMap;

use crate::finding::{RULES, Rule, Severity};
use crate::policy::error::PolicyError;

/// The severity of each rule, by its place in [`RULES`]; None where the policy has none.
///
/// # Errors
/// For what is neither a rule nor a group of them.
pub(super) fn resolve(named: &BTreeMap<String, Severity>, path: &str) -> Result<Vec<Option<Severity>>, PolicyError> {
    let mut severities = vec![None; RULES.len()];
    let mut groups = Vec::new();
    for (name, severity) in named {
        if let Some(group) = Group::named(name) {
            groups.push((group, *severity));
        } else if let Some(rule) = Rule::find(name) {
            severities[rule.index] = Some(*severity);
        } else {
            let nearest = Rule::nearest(name).map(str::to_owned);
            return Err(PolicyError::UnknownRule { path: path.to_owned(), name: name.clone(), nearest });
        }
    }
    // The narrowest first: a wider one takes what is left.
    groups.sort_by_key(|(group, _)| *group);
    for (group, severity) in groups {
        for rule in RULES.iter().filter(|rule| rule.default != Severity::Off && group.holds(rule)) {
            severities[rule.index].get_or_insert(severity);
        }
    }
    Ok(severities)
}

/// What a person may call rules by, for the JSON Schema: their names and codes, and those of groups.
pub(super) fn names() -> serde_json::Value {
    let mut names: Vec<String> = vec!["all".to_owned()];
    let mut more: Vec<String> = RULES.iter().map(|rule| rule.folder().to_owned()).collect();
    more.extend(RULES.iter().filter_map(|rule| Some(format!("{}xx", rule.code.get(..3)?))));
    more.sort();
    more.dedup();
    names.append(&mut more);
    names.extend(RULES.iter().map(|rule| rule.name.to_owned()));
    names.extend(RULES.iter().map(|rule| rule.code.to_owned()));
    serde_json::json!({ "enum": names })
}

/// Several rules under one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    /// `MV4xx`: the digit of the hundreds.
    Hundred(u8),
    /// `names`: those of one [folder](Rule::folder).
    Folder(&'static str),
    /// `all` of them.
    All,
}

impl Group {
    fn named(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("all") {
            return Some(Self::All);
        }
        let hundred = match name.as_bytes() {
            [b'M' | b'm', b'V' | b'v', digit @ b'0'..=b'9', b'x' | b'X', b'x' | b'X'] => Some(*digit),
            _ => None,
        };
        let of_hundred = |digit: &u8| RULES.iter().any(|rule| Self::Hundred(*digit).holds(rule));
        let folder = || RULES.iter().map(Rule::folder).find(|folder| folder.eq_ignore_ascii_case(name));
        hundred.filter(of_hundred).map(Self::Hundred).or_else(|| folder().map(Self::Folder))
    }

    fn holds(self, rule: &Rule) -> bool {
        match self {
            Self::All => true,
            Self::Folder(folder) => rule.folder() == folder,
            Self::Hundred(digit) => rule.code.as_bytes().get(2) == Some(&digit),
        }
    }
}
