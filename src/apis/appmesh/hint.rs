//! Which field was meant by one that App Mesh doesn't know.

use std::cmp::Reverse;

use serde_json::Value;
use strsim::{damerau_levenshtein, jaro_winkler};

use super::Kind;
use super::crd::schema;
use crate::k8s::Step;

/// Longer names are no slips of the pen; and comparing costs time.
const MAX_NAME: usize = 64;

/// The field that was probably meant by the last step of `path`: a name where it belongs in the same place, a path in
/// Kubernetes' notation where it belongs in another.
pub(super) fn meant(kind: Kind, path: &[Step]) -> Option<String> {
    let (Step::Key(name), parents) = path.split_last()? else {
        return None;
    };
    if name.len() > MAX_NAME {
        return None;
    }
    let lineage = lineage(kind, parents)?;
    let here = lineage.last()?;
    same_spelling(here, name)
        .map(str::to_owned)
        .or_else(|| inside(here, name))
        .or_else(|| around(&lineage, name))
        .or_else(|| similar(here, name).map(str::to_owned))
}

/// A level of the schema, and the path that leads to it.
struct Level {
    path: String,
    schema: &'static Value,
}

impl Level {
    fn fields(&self) -> impl Iterator<Item = (&'static str, &'static Value)> + use<> {
        let fields = self.schema.get("properties").and_then(Value::as_object);
        fields.into_iter().flatten().map(|(name, schema)| (name.as_str(), schema))
    }

    fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.fields().map(|(name, _)| name)
    }

    /// The level inside a field, through its items if it is a list.
    fn within(&self, name: &str, schema: &'static Value) -> Self {
        let path = join(&self.path, name);
        match schema.get("items") {
            Some(items) => Self { path: format!("{path}[]"), schema: items },
            None => Self { path, schema },
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The levels from the root down to the one that `parents` leads to.
fn lineage(kind: Kind, parents: &[Step]) -> Option<Vec<Level>> {
    let mut levels = vec![Level { path: String::new(), schema: schema(kind) }];
    for step in parents {
        // An index leads to the items, where the level of the list's name is already.
        if let Step::Key(key) = step {
            let level = levels.last()?;
            let (name, schema) = level.fields().find(|(name, _)| *name == key)?;
            levels.push(level.within(name, schema));
        }
    }
    Some(levels)
}

/// A field of this level that is spelt the same but for case, hyphens and underscores.
fn same_spelling(level: &Level, name: &str) -> Option<&'static str> {
    level.names().find(|known| folded(known) == folded(name))
}

/// The field of this name that is deeper inside this level, when there is one that is nearest.
fn inside(level: &Level, name: &str) -> Option<String> {
    let mut levels: Vec<_> = level.fields().map(|(name, schema)| level.within(name, schema)).collect();
    while !levels.is_empty() {
        let mut found =
            levels.iter().filter_map(|level| same_spelling(level, name).map(|name| join(&level.path, name)));
        match (found.next(), found.next()) {
            (Some(only), None) => return Some(only),
            (Some(_), Some(_)) => return None,
            (None, _) => {}
        }
        levels =
            levels.iter().flat_map(|level| level.fields().map(|(name, schema)| level.within(name, schema))).collect();
    }
    None
}

/// The field of this name in a level that this one is part of, the nearest first; or in a level beside this one.
fn around(lineage: &[Level], name: &str) -> Option<String> {
    let (_, above) = lineage.split_last()?;
    let above_all =
        || above.iter().rev().find_map(|level| same_spelling(level, name).map(|name| join(&level.path, name)));
    let beside = || {
        let parent = above.last()?;
        let mut found = parent.fields().filter_map(|(field, schema)| {
            let level = parent.within(field, schema);
            same_spelling(&level, name).map(|name| join(&level.path, name))
        });
        found.next().filter(|_| found.next().is_none())
    };
    beside().or_else(above_all)
}

/// The field of this level that is spelt most like it.
fn similar(level: &Level, name: &str) -> Option<&'static str> {
    let name = folded(name);
    let nearest = level
        .names()
        .map(|known| (damerau_levenshtein(&folded(known), &name), known))
        .min_by_key(|(distance, _)| *distance);
    if let Some((distance, known)) = nearest
        && distance <= slips(name.len().min(known.len()))
    {
        return Some(known);
    }
    part_of(level, &name).or_else(|| {
        level
            .names()
            .map(|known| (jaro_winkler(&folded(known), &name), known))
            .filter(|(likeness, _)| *likeness >= 0.9)
            .max_by(|(one, _), (other, _)| one.total_cmp(other))
            .map(|(_, known)| known)
    })
}

/// How many letters may be wrong in a name of this length.
fn slips(length: usize) -> usize {
    match length {
        0..=2 => 0,
        3..=4 => 1,
        5..=8 => 2,
        _ => 3,
    }
}

/// The one field of this level that holds the name, or is held by it: `cert`, `certificateChainFile`.
fn part_of(level: &Level, name: &str) -> Option<&'static str> {
    if name.len() < 3 {
        return None;
    }
    let mut found: Vec<_> = level
        .names()
        .filter(|known| {
            let known = folded(known);
            known.contains(name) || known.len() >= 3 && name.contains(&known)
        })
        .collect();
    found.sort_by_key(|known| Reverse(folded(known).starts_with(name)));
    match found.as_slice() {
        [only] => Some(only),
        [first, second, ..] if folded(first).starts_with(name) && !folded(second).starts_with(name) => Some(first),
        _ => None,
    }
}

/// A name without what is easily got wrong in it.
fn folded(name: &str) -> String {
    name.chars().filter(|character| !matches!(character, '-' | '_')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
#[path = "hint_tests.rs"]
mod tests;
