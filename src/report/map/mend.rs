//! What to mend first.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use crate::finding::Severity;
use crate::report::map::{Map, State, Told};

/// How many are named: a list to begin with, not all that there is.
const MOST: usize = 5;

/// One thing to mend: findings of one rule at one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mend {
    /// The findings, of which the first stands for all.
    pub findings: Vec<usize>,
    /// Calls that are broken (or at risk, where nothing is broken) by them, among others.
    pub calls: Vec<usize>,
}

#[derive(Default)]
struct Group {
    findings: Vec<usize>,
    calls: HashSet<usize>,
}

/// The fewest things that touch the most calls: again and again the one that touches most of those not touched yet. A finding
/// told at both ends of a call is so named once, at the object where mending it helps most.
pub(super) fn first(map: &Map) -> Vec<Mend> {
    let denied = |told: &Told| told.severity == Severity::Deny;
    let open = |told: &&Told| told.suppressed.is_none();
    let any_denied = map.findings.iter().filter(open).any(denied);
    let wanted = |told: &Told| open(&told) && (!any_denied || denied(told));

    let mut groups: BTreeMap<(&str, &str, &str, &str), Group> = BTreeMap::new();
    for (number, told) in map.findings.iter().enumerate().filter(|(_, told)| wanted(told)) {
        let group = groups.entry((told.code, &told.kind, &told.namespace, &told.name)).or_default();
        group.findings.push(number);
    }
    let worst = if any_denied { State::Broken } else { State::AtRisk };
    for (number, call) in map.calls.iter().enumerate().filter(|(_, call)| call.state == worst) {
        for told in call.findings.iter().filter_map(|finding| map.findings.get(*finding)) {
            if let Some(group) =
                groups.get_mut(&(told.code, told.kind.as_str(), told.namespace.as_str(), told.name.as_str()))
            {
                group.calls.insert(number);
            }
        }
    }
    let mut left: Vec<Group> = groups.into_values().collect();
    let mut touched: HashSet<usize> = HashSet::new();
    let mut chosen = Vec::new();
    while chosen.len() < MOST {
        let gain = |group: &Group| group.calls.difference(&touched).count();
        // The first of equals: groups stand by code and object.
        let Some((place, best)) =
            left.iter().map(gain).enumerate().max_by_key(|(place, gain)| (*gain, std::cmp::Reverse(*place)))
        else {
            break;
        };
        // One whose calls are all mended by others already is most often the other end of the same trouble.
        if best == 0 && left.get(place).is_none_or(|group| !group.calls.is_empty()) {
            let Some(own) = left.iter().position(|group| group.calls.is_empty()) else { break };
            chosen.push(left.remove(own));
            continue;
        }
        let group = left.remove(place);
        touched.extend(&group.calls);
        chosen.push(group);
    }
    chosen.into_iter().map(Group::told).collect()
}

impl Group {
    fn told(self) -> Mend {
        let mut calls: Vec<usize> = self.calls.into_iter().collect();
        calls.sort_unstable();
        Mend { findings: self.findings, calls }
    }
}
