//! What to fix first.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::Serialize;

use crate::finding::Severity;
use crate::survey::map::{Map, State, Told};

/// The most items: a list to start with, not everything.
const MOST: usize = 5;

/// One thing to fix: the findings of one rule on one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Mend {
    /// `VirtualNode shop/blue`: where the findings are, or what all of them are calls to.
    pub object: String,
    /// Its node, if it has one.
    pub node: Option<usize>,
    /// The findings; the first represents all.
    pub findings: Vec<usize>,
    /// Calls that these findings help break (or put at risk, if nothing is broken).
    pub calls: Vec<usize>,
}

#[derive(Default)]
struct Group {
    object: String,
    node: Option<usize>,
    findings: BTreeSet<usize>,
    calls: HashSet<usize>,
}

/// The smallest set of things that affects the most calls, chosen greedily. What is wrong
/// between two ends can be fixed at either: it is listed at the end where the fix helps most.
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
        // The first of equals: groups are sorted by code and object.
        let Some((place, best)) =
            left.iter().map(gain).enumerate().max_by_key(|(place, gain)| (*gain, std::cmp::Reverse(*place)))
        else {
            break;
        };
        // A group whose calls are all fixed by others is usually the other end of the same problem.
        let place = match best {
            0 => left.iter().position(|group| group.calls.is_empty()),
            _ => Some(place),
        };
        let Some(place) = place else { break };
        let group = left.remove(place);
        touched.extend(&group.calls);
        chosen.push(group);
    }
    chosen.into_iter().map(|group| group.told(map)).collect()
}

impl Group {
    fn told(self, map: &Map) -> Mend {
        let mut calls: Vec<usize> = self.calls.into_iter().collect();
        calls.sort_unstable();
        let findings: Vec<usize> = self.findings.into_iter().collect();
        let (mut object, mut node) = (self.object, self.node);
        // One alone is where it was reported: the other end has nothing more to fix.
        if let Some(told) = findings.first().and_then(|only| map.findings.get(*only)).filter(|_| findings.len() == 1) {
            (object, node) = (told.object(), told.node);
        }
        Mend { object, node, findings, calls }
    }
}
