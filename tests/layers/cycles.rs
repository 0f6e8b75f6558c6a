//! Cycles of files.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::tree::FileId;

/// Which files each file uses.
pub(super) type Graph = BTreeMap<FileId, BTreeSet<FileId>>;

/// The graph of these edges.
pub(super) fn graph<'a>(edges: impl IntoIterator<Item = &'a (FileId, FileId)>) -> Graph {
    let mut graph = Graph::new();
    for (from, to) in edges {
        graph.entry(*from).or_default().insert(*to);
        graph.entry(*to).or_default();
    }
    graph
}

/// The sets of files that all reach each other, of more than one file, the largest first.
pub(super) fn components(graph: &Graph) -> Vec<BTreeSet<FileId>> {
    let mut reversed = Graph::new();
    for (from, targets) in graph {
        for to in targets {
            reversed.entry(*to).or_default().insert(*from);
        }
    }
    let mut left: BTreeSet<FileId> = graph.keys().copied().collect();
    let mut found = Vec::new();
    while let Some(first) = left.first().copied() {
        let ahead = reached(graph, first);
        let behind = reached(&reversed, first);
        let component: BTreeSet<FileId> = ahead.intersection(&behind).copied().collect();
        left.retain(|file| !component.contains(file));
        if component.len() > 1 {
            found.push(component);
        }
    }
    found.sort_by_key(|component| std::cmp::Reverse(component.len()));
    found
}

/// What can be reached from a file, and the file.
fn reached(graph: &Graph, from: FileId) -> BTreeSet<FileId> {
    let mut seen = BTreeSet::from([from]);
    let mut next = vec![from];
    while let Some(file) = next.pop() {
        next.extend(graph.get(&file).into_iter().flatten().filter(|to| seen.insert(**to)));
    }
    seen
}

/// A shortest cycle within a component: each file uses the one after it, and the last the first.
pub(super) fn shortest(graph: &Graph, component: &BTreeSet<FileId>) -> Vec<FileId> {
    let cycles = component.iter().filter_map(|start| shortest_through(graph, component, *start));
    cycles.min_by_key(Vec::len).unwrap_or_default()
}

fn shortest_through(graph: &Graph, component: &BTreeSet<FileId>, start: FileId) -> Option<Vec<FileId>> {
    let mut came_from = BTreeMap::new();
    let mut next = VecDeque::from([start]);
    while let Some(file) = next.pop_front() {
        for to in graph.get(&file)?.iter().filter(|to| component.contains(to)) {
            if *to == start {
                let back = |file: &FileId| came_from.get(file).copied();
                let mut cycle: Vec<FileId> = std::iter::successors(Some(file), back).collect();
                cycle.reverse();
                return Some(cycle);
            }
            if !came_from.contains_key(to) {
                came_from.insert(*to, file);
                next.push_back(*to);
            }
        }
    }
    None
}

/// Cycles that share no edge and leave none when their edges are gone: shortest first.
pub(super) fn apart(graph: &Graph) -> Vec<Vec<FileId>> {
    let mut graph = graph.clone();
    let mut found = Vec::new();
    loop {
        let cycles = components(&graph).into_iter().map(|component| shortest(&graph, &component));
        let Some(cycle) = cycles.min_by_key(Vec::len) else { return found };
        for (from, to) in steps(&cycle) {
            if let Some(targets) = graph.get_mut(&from) {
                targets.remove(&to);
            }
        }
        found.push(cycle);
    }
}

/// The edges of a cycle.
pub(super) fn steps(cycle: &[FileId]) -> impl Iterator<Item = (FileId, FileId)> + '_ {
    cycle.iter().copied().zip(cycle.iter().copied().cycle().skip(1))
}
