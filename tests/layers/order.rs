//! The order of the layers, as the documentation has it, and the uses that go against it.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::cycles;
use crate::edges::{Edges, Use};
use crate::tree::{FileId, Tree};

/// The line after which the table stands.
const MARK: &str = "<!-- layers -->";

/// How many uses of a pair of files are shown.
const SHOWN: usize = 4;

/// The top-level modules in the order of the marked table of `page`: a row's first cell is
/// `` `name` `` or a link of it.
pub(super) fn listed(page: &str) -> Vec<String> {
    let after = page.split_once(MARK).map_or("", |(_, after)| after);
    let rows = after.lines().skip_while(|line| line.trim().is_empty()).take_while(|line| line.starts_with('|'));
    let cells = rows.skip(2).filter_map(|row| row.split('|').nth(1));
    let names =
        cells.map(|cell| cell.split("](").next().unwrap_or_default().trim().trim_matches(['[', '`', ' ']).to_owned());
    names.filter(|name| !name.is_empty()).collect()
}

/// Where the list and the crate's top-level modules differ, apart from the modules in `planned`.
pub(super) fn differences(tree: &Tree, list: &[String], planned: &[&str]) -> Vec<String> {
    let modules: Vec<&String> = tree.modules.first().map(|root| root.children.keys().collect()).unwrap_or_default();
    let mut found = Vec::new();
    for (at, name) in list.iter().enumerate() {
        if list[..at].contains(name) {
            found.push(format!("`{name}` is in the list of layers twice"));
        }
        match (modules.contains(&name), planned.contains(&name.as_str())) {
            (false, false) => found.push(format!("`{name}` is in the list of layers and is no module of src/")),
            (true, true) => found.push(format!("`{name}` is there: take it off the modules that are only planned")),
            _ => {}
        }
    }
    let missing = modules.into_iter().filter(|name| !list.contains(name));
    found.extend(missing.map(|name| format!("`{name}` is a module of src/ and isn't in the list of layers")));
    let stale = planned.iter().filter(|name| !list.iter().any(|listed| listed == *name));
    found.extend(stale.map(|name| format!("`{name}` is planned and isn't in the list of layers")));
    found
}

/// The pairs of files of which the first uses a later layer's. Modules that aren't listed aren't judged here.
pub(super) fn against(tree: &Tree, edges: &Edges, list: &[String]) -> Vec<(FileId, FileId)> {
    let layer = |file| tree.top(file).and_then(|top| list.iter().position(|name| name == top));
    let is_against =
        |(from, to): &&(FileId, FileId)| matches!((layer(*from), layer(*to)), (Some(from), Some(to)) if from < to);
    edges.keys().filter(is_against).copied().collect()
}

/// All of these pairs, by the modules that they lead from and to, those with most uses first.
pub(super) fn arrows(tree: &Tree, edges: &Edges, pairs: &[(FileId, FileId)]) -> String {
    let mut groups: BTreeMap<(&str, &str), Vec<(FileId, FileId)>> = BTreeMap::new();
    for pair in pairs {
        let names = (tree.top(pair.0).unwrap_or_default(), tree.top(pair.1).unwrap_or_default());
        groups.entry(names).or_default().push(*pair);
    }
    let uses = |group: &[(FileId, FileId)]| group.iter().map(|pair| edges[pair].len()).sum::<usize>();
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, group)| std::cmp::Reverse(uses(group)));
    let mut text = String::new();
    for ((from, to), group) in groups {
        let _ = writeln!(text, "\n{from} → {to}: {} uses, {} pairs of files", uses(&group), group.len());
        for pair in group {
            text.push_str(&arrow(tree, pair, &edges[&pair]));
        }
    }
    text
}

/// One pair of files, with some of the uses.
fn arrow(tree: &Tree, (from, to): (FileId, FileId), uses: &[Use]) -> String {
    let shown: Vec<String> =
        uses.iter().take(SHOWN).map(|used| format!("{} (line {})", used.path, used.line)).collect();
    let more = uses.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    let (from, to) = (&tree.files[from].path, &tree.files[to].path);
    format!("  {from}:{} → {to}  by {}{more}\n", uses.first().map_or(0, |used| used.line), shown.join(", "))
}

/// Cycles of files: each set of files that all reach each other, with a shortest cycle; then cycles that share no edge.
pub(super) fn cycles(tree: &Tree, edges: &Edges) -> String {
    let graph = cycles::graph(edges.keys());
    let mut text = String::new();
    for component in cycles::components(&graph) {
        let paths: Vec<&str> = component.iter().map(|file| tree.files[*file].path.as_str()).collect();
        let _ = writeln!(text, "\n{} files all reach each other: {}", paths.len(), paths.join(" "));
        let _ = writeln!(text, " a shortest cycle:");
        text.push_str(&cycle(tree, edges, &cycles::shortest(&graph, &component)));
    }
    let apart = cycles::apart(&graph);
    if apart.len() > 1 {
        let _ = writeln!(text, "\n{} cycles that share no edge:", apart.len());
        for (at, files) in apart.iter().enumerate() {
            let _ = writeln!(text, " {}.", at + 1);
            text.push_str(&cycle(tree, edges, files));
        }
    }
    text
}

fn cycle(tree: &Tree, edges: &Edges, files: &[FileId]) -> String {
    cycles::steps(files).map(|pair| arrow(tree, pair, &edges[&pair])).collect()
}
