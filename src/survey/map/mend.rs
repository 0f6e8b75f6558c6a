//! What to fix first.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::Serialize;

use crate::finding::Severity;
use crate::survey::map::{Map, State, Told};

/// How many are named: a list to begin with, not all that there is.
const MOST: usize = 5;

/// One thing to fix: findings of one rule at one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Mend {
    /// `VirtualNode shop/blue`.
    pub object: String,
    /// The node that it is, where it is one.
    pub node: Option<usize>,
    /// The findings, of which the first stands for all.
    pub findings: Vec<usize>,
    /// Calls that are broken (or at risk, where nothing is broken) by them, among others.
    pub calls: Vec<usize>,
}

#[derive(Default)]
struct Group {
    object: String,
    node: Option<usize>,
    findings: BTreeSet<usize>,
    calls: HashSet<usize>,
}

/// The fewest things that touch the most calls: again and again the one that touches most of those not touched yet. What is wrong
/// between two ends can be fixed at either: it is named at the one where fixing it helps most.
pub(super) fn first(map: &Map) -> Vec<Mend> {
    let denied = |told: &Told| told.severity == Severity::Deny;
    let open = |told: &&Told| told.suppressed.is_none();
    let any_denied = map.findings.iter().filter(open).any(denied);
    let wanted = |told: &Told| open(&told) && (!any_denied || denied(told));

    let mut groups: BTreeMap<(&str, String), Group> = BTreeMap::new();
    let worst = if any_denied { State::Broken } else { State::AtRisk };
    let mut touching: HashSet<usize> = HashSet::new();
    for (number, call) in map.calls.iter().enumerate().filter(|(_, call)| call.state == worst) {
        for finding in &call.findings {
            let Some(told) = map.findings.get(*finding).filter(|told| wanted(told)) else { continue };
            touching.insert(*finding);
            let ends = [call.client, call.server].into_iter().filter(|_| told.of_call);
            let ends = ends.filter_map(|end| Some((Some(end), map.nodes.get(end)?.object())));
            let own = (told.node, told.object());
            for (node, object) in ends.chain(Some(own).filter(|_| !told.of_call)) {
                let group = groups.entry((told.code, object.clone())).or_default();
                group.object = object;
                group.node = node;
                group.findings.insert(*finding);
                group.calls.insert(number);
            }
        }
    }
    for (number, told) in
        map.findings.iter().enumerate().filter(|(number, told)| wanted(told) && !touching.contains(number))
    {
        let group = groups.entry((told.code, told.object())).or_default();
        group.object = told.object();
        group.node = told.node;
        group.findings.insert(number);
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
        // One whose calls are all fixed by others already is most often the other end of the same trouble.
        let place = match best {
            0 => left.iter().position(|group| group.calls.is_empty()),
            _ => Some(place),
        };
        let Some(place) = place else { break };
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
        Mend { object: self.object, node: self.node, findings: self.findings.into_iter().collect(), calls }
    }
}
