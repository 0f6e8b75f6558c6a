//! From documents to Kubernetes objects: takes lists apart, and reports what isn't an object.

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::apis;

use super::node::{Budget, Fault, Node};
use super::positions::{Mark, Positions};

/// One object, not yet decoded.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) value: Value,
    pub(super) positions: Positions,
    /// Its first character.
    pub(super) at: Mark,
    /// Its lines.
    pub(super) lines: RangeInclusive<u32>,
}

/// The contents of a document.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) objects: Vec<Raw>,
    pub(super) faults: Vec<Fault>,
    /// How many documents aren't Kubernetes objects.
    pub(super) foreign: usize,
}

/// Takes a document apart. `otherwise`: the `apiVersion` and kind of a document that doesn't declare them; `strict`: whether
/// something that isn't a Kubernetes object is a fault.
pub(super) fn take(
    root: Node,
    otherwise: Option<&(String, String)>,
    budget: &mut Budget,
    strict: bool,
    found: &mut Found,
) {
    let otherwise = otherwise.filter(|_| root.is_map());
    take_item(root, otherwise, budget, strict, found);
}

/// `list`: the `apiVersion` and kind that a typed list (`VirtualNodeList`) gives to items that don't declare them.
fn take_item(node: Node, list: Option<&(String, String)>, budget: &mut Budget, strict: bool, found: &mut Found) {
    let (at, lines) = (node.at, node.at.line..=node.last_line);
    let version = node.get("apiVersion").and_then(Node::text).map(str::to_owned);
    let kind = node.get("kind").and_then(Node::text).map(str::to_owned);
    let (version, kind) = match (version, kind, list) {
        (Some(version), Some(kind), _) => (version, kind),
        (None, None, Some(inherited)) => inherited.clone(),
        (version, kind, _) => {
            if strict {
                found.faults.push(no_object(&node, version.as_deref(), kind.as_deref()));
            } else {
                found.foreign += 1;
            }
            return;
        }
    };
    if kind.ends_with("List") && node.get("items").is_some() {
        take_list(node, &version, &kind, budget, found);
        return;
    }
    if let Some(fault) = unknown_kind(&node, &version, &kind) {
        found.faults.push(fault);
        return;
    }
    match node.split(budget) {
        Err(fault) => found.faults.push(fault),
        Ok((mut value, positions)) => {
            if let Value::Object(members) = &mut value {
                members.entry("apiVersion").or_insert(Value::String(version));
                members.entry("kind").or_insert(Value::String(kind));
            }
            found.objects.push(Raw { value, positions, at, lines });
        }
    }
}

fn take_list(node: Node, version: &str, kind: &str, budget: &mut Budget, found: &mut Found) {
    let at = node.get("items").map_or(node.at, |items| items.at);
    let of = kind.strip_suffix("List").filter(|kind| !kind.is_empty());
    let inherited = of.map(|kind| (version.to_owned(), kind.to_owned()));
    let items = match node.take("items", budget) {
        Ok(Some(items)) if items.is_null() => return,
        Ok(Some(items)) => items.into_list(budget),
        Ok(None) => return,
        Err(fault) => Err(fault),
    };
    match items {
        Ok(Some(items)) => {
            for item in items {
                take_item(item, inherited.as_ref(), budget, true, found);
            }
        }
        Ok(None) => found.faults.push(Fault::new(at, format!("the items of a {kind} are not a list"))),
        Err(fault) => found.faults.push(fault),
    }
}

fn no_object(node: &Node, version: Option<&str>, kind: Option<&str>) -> Fault {
    let missing = match (version, kind) {
        _ if !node.is_map() => {
            return Fault::new(node.at, "this is not a Kubernetes object: a mapping is expected here");
        }
        (None, None) => "apiVersion and kind are missing (or not strings)",
        (None, _) => "apiVersion is missing (or not a string)",
        _ => "kind is missing (or not a string)",
    };
    Fault::new(node.at, format!("this is not a Kubernetes object: {missing}"))
}

/// A mesh object that meshvet would silently ignore because of a typo in its kind or version.
fn unknown_kind(node: &Node, version: &str, kind: &str) -> Option<Fault> {
    let at = |name: &str| node.get(name).map_or(node.at, |node| node.at);
    let (group, _) = version.split_once('/')?;
    let (api, names) = apis::mesh_api(group)?;
    // The group has other kinds and versions too, which aren't typos.
    if api.kinds.iter().all(|row| row.optional) {
        return None;
    }
    let of_group = || api.kinds.iter().filter(|row| row.group == group);
    if !of_group().any(|row| row.kind.api_version == version) {
        let mut known: Vec<&str> = of_group().map(|row| row.kind.api_version).collect();
        known.dedup();
        let known = match known.as_slice() {
            [only] => format!("{only}, the only version that {} serves", names.api),
            several => several.join(" and "),
        };
        return Some(Fault::new(at("apiVersion"), format!("{version} is not supported: meshvet knows {known}")));
    }
    if apis::row(version, kind).is_some() {
        return None;
    }
    let kinds = of_group().filter(|row| row.kind.api_version == version).map(|row| row.kind.kind);
    let nearest = crate::text::suggest::nearest(kind, kinds);
    let hint = nearest.map(|known| format!("; did you mean {known}?")).unwrap_or_default();
    Some(Fault::new(at("kind"), format!("{version} has no kind {kind:?}{hint}")))
}
