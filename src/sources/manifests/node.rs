//! A document with the positions of its values, and how the readers of YAML and JSON build it.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;

use super::members::Members;
use super::positions::{Mark, Packer, Positions};

/// The deepest nesting of a document, with aliases expanded. Kubernetes' own objects stay far below.
const MAX_DEPTH: usize = 100;

/// The most nodes that aliases and merges may add to those in the file (a long text counts as several).
pub(super) const EXPANSION: usize = 1_000_000;

/// A problem at one position of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// 1-based.
    pub(super) line: u32,
    /// 1-based, in characters.
    pub(super) column: u32,
    /// What is wrong. Never includes a value, which might be a key.
    pub(super) message: String,
    /// Whether the document is skipped because of it.
    pub(super) fatal: bool,
}

impl Fault {
    pub(super) fn new(at: Mark, message: impl Into<String>) -> Self {
        Self { line: at.line, column: at.column, message: message.into(), fatal: true }
    }
}

/// A value and its position.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: Mark,
    pub(super) last_line: u32,
    height: u32,
    pub(super) kind: NodeKind,
}

#[derive(Clone, Debug)]
pub(super) enum NodeKind {
    Scalar(Value),
    List(Vec<Node>),
    Map(Members<Entry>),
    /// Under an anchor: one node for all its aliases.
    Shared(Rc<Node>),
}

/// One member of a mapping.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: Mark,
    pub(super) node: Node,
    pub(super) merged: bool,
}

impl Node {
    /// The node itself, behind anchors and aliases.
    pub(super) fn resolved(&self) -> &Node {
        let mut node = self;
        while let NodeKind::Shared(inner) = &node.kind {
            node = inner;
        }
        node
    }

    /// Whether the value is null.
    pub(super) fn is_null(&self) -> bool {
        matches!(self.resolved().kind, NodeKind::Scalar(Value::Null))
    }

    /// Whether this is a mapping.
    pub(super) fn is_map(&self) -> bool {
        matches!(self.resolved().kind, NodeKind::Map(_))
    }

    /// The member with this name, where this is a mapping that has it.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        match &self.resolved().kind {
            NodeKind::Map(entries) => entries.get(name).map(|entry| &entry.node),
            _ => None,
        }
    }

    /// The text, if this is a string.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.resolved().kind {
            NodeKind::Scalar(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// Takes a member out of a mapping; aliased nodes are copied, and count against the budget.
    pub(super) fn take(mut self, name: &str, budget: &mut Budget) -> Result<Option<Node>, Fault> {
        while let NodeKind::Shared(inner) = self.kind {
            self = unshare(inner, budget)?;
        }
        match self.kind {
            NodeKind::Map(mut entries) => Ok(entries.remove(name).map(|entry| entry.node)),
            _ => Ok(None),
        }
    }

    /// The elements, if this is a list.
    pub(super) fn into_list(mut self, budget: &mut Budget) -> Result<Option<Vec<Node>>, Fault> {
        while let NodeKind::Shared(inner) = self.kind {
            self = unshare(inner, budget)?;
        }
        match self.kind {
            NodeKind::List(items) => Ok(Some(items)),
            _ => Ok(None),
        }
    }

    /// Separates the value from the positions.
    pub(super) fn split(self, budget: &mut Budget) -> Result<(Value, Positions), Fault> {
        let mut packer = Packer::default();
        let at = self.at;
        let value = self.unpack(None, at, budget, &mut packer)?;
        Ok((value, packer.finish()))
    }

    /// The value. Its position is `at`, which for what is behind an alias is the alias's.
    fn unpack(self, key: Option<Mark>, at: Mark, budget: &mut Budget, packer: &mut Packer) -> Result<Value, Fault> {
        match self.kind {
            NodeKind::Shared(inner) => unshare(inner, budget)?.unpack(key, at, budget, packer),
            NodeKind::Scalar(value) => {
                packer.leaf(key, at);
                Ok(value)
            }
            NodeKind::List(nodes) => {
                packer.open_list(key, at);
                let mut values = Vec::with_capacity(nodes.len());
                for node in nodes {
                    let at = node.at;
                    values.push(node.unpack(None, at, budget, packer)?);
                }
                packer.close();
                Ok(Value::Array(values))
            }
            NodeKind::Map(entries) => {
                packer.open_map(key, at);
                let mut values = serde_json::Map::new();
                for (name, entry) in entries {
                    packer.name(&name);
                    let at = entry.node.at;
                    values.insert(name, entry.node.unpack(Some(entry.key), at, budget, packer)?);
                }
                packer.close();
                Ok(Value::Object(values))
            }
        }
    }

    /// The budget for a copy of this node, without expanding aliases.
    fn weight(&self) -> usize {
        match &self.kind {
            NodeKind::Shared(_) => 1,
            NodeKind::Scalar(Value::String(text)) => 1 + text.len() / 32,
            NodeKind::Scalar(_) => 1,
            NodeKind::List(nodes) => nodes.iter().map(Node::weight).sum::<usize>() + 1,
            NodeKind::Map(entries) => {
                entries.iter().map(|(name, entry)| 1 + name.len() / 32 + entry.node.weight()).sum::<usize>() + 1
            }
        }
    }
}

/// The node under an anchor: itself for its last user, a copy for the others.
fn unshare(inner: Rc<Node>, budget: &mut Budget) -> Result<Node, Fault> {
    match Rc::try_unwrap(inner) {
        Ok(node) => Ok(node),
        Err(shared) => {
            budget.spend(shared.weight(), shared.at)?;
            Ok((*shared).clone())
        }
    }
}

/// What aliases and merges may still add, in nodes.
#[derive(Debug)]
pub(super) struct Budget(usize);

impl Budget {
    pub(super) fn new(nodes: usize) -> Self {
        Self(nodes)
    }

    /// How many nodes are left.
    pub(super) fn left(&self) -> usize {
        self.0
    }

    fn spend(&mut self, nodes: usize, at: Mark) -> Result<(), Fault> {
        self.0 = self.0.checked_sub(nodes).ok_or_else(|| {
            self.0 = 0;
            Fault::new(at, "aliases expand this file to far more than it has; write the values out")
        })?;
        Ok(())
    }
}

/// Receives the parts of a document in written order.
#[derive(Debug)]
pub(super) struct Builder<'b> {
    stack: Vec<Frame>,
    done: Option<Node>,
    anchors: HashMap<usize, Rc<Node>>,
    budget: &'b mut Budget,
    /// Faults that leave the document readable.
    pub(super) faults: Vec<Fault>,
}

#[derive(Debug)]
struct Frame {
    at: Mark,
    anchor: usize,
    height: u32,
    last_line: u32,
    kind: FrameKind,
}

#[derive(Debug)]
enum FrameKind {
    List(Vec<Node>),
    Map(Members<Entry>, Option<Key>),
}

#[derive(Debug)]
struct Key {
    name: String,
    at: Mark,
    merge: bool,
}

impl<'b> Builder<'b> {
    pub(super) fn new(budget: &'b mut Budget) -> Self {
        Self { stack: Vec::new(), done: None, anchors: HashMap::new(), budget, faults: Vec::new() }
    }

    /// A scalar. `merge` marks the key `<<`.
    pub(super) fn scalar(
        &mut self,
        at: Mark,
        last_line: u32,
        value: Value,
        anchor: usize,
        merge: bool,
    ) -> Result<(), Fault> {
        self.attach(Node { at, last_line, height: 0, kind: NodeKind::Scalar(value) }, anchor, merge)
    }

    /// The start of a list.
    pub(super) fn open_list(&mut self, at: Mark, anchor: usize) -> Result<(), Fault> {
        self.open(at, anchor, FrameKind::List(Vec::new()))
    }

    /// The start of a mapping.
    pub(super) fn open_map(&mut self, at: Mark, anchor: usize) -> Result<(), Fault> {
        self.open(at, anchor, FrameKind::Map(Members::default(), None))
    }

    fn open(&mut self, at: Mark, anchor: usize, kind: FrameKind) -> Result<(), Fault> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(too_deep_at(at));
        }
        self.stack.push(Frame { at, anchor, height: 0, last_line: at.line, kind });
        Ok(())
    }

    /// The end of the innermost list or mapping.
    pub(super) fn close(&mut self, last_line: u32) -> Result<(), Fault> {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        let kind = match frame.kind {
            FrameKind::List(nodes) => NodeKind::List(nodes),
            FrameKind::Map(entries, _) => NodeKind::Map(entries),
        };
        let last_line = last_line.max(frame.last_line);
        self.attach(Node { at: frame.at, last_line, height: frame.height + 1, kind }, frame.anchor, false)
    }

    /// A copy of the node under an anchor.
    pub(super) fn alias(&mut self, at: Mark, anchor: usize) -> Result<(), Fault> {
        let Some(target) = self.anchors.get(&anchor) else {
            return Err(Fault::new(at, "an alias is inside the value that it refers to"));
        };
        let kind = NodeKind::Shared(Rc::clone(target));
        let height = target.height;
        self.attach(Node { at, last_line: at.line, height, kind }, 0, false)
    }

    /// The document, if it is complete.
    pub(super) fn finish(&mut self) -> Option<Node> {
        self.anchors.clear();
        self.done.take()
    }

    fn attach(&mut self, mut node: Node, anchor: usize, merge: bool) -> Result<(), Fault> {
        let height = usize::try_from(node.height).unwrap_or(usize::MAX);
        if self.stack.len().saturating_add(height) > MAX_DEPTH {
            return Err(too_deep_at(node.at));
        }
        if anchor != 0 {
            let (at, last_line, height) = (node.at, node.last_line, node.height);
            let shared = Rc::new(node);
            self.anchors.insert(anchor, Rc::clone(&shared));
            node = Node { at, last_line, height, kind: NodeKind::Shared(shared) };
        }
        let Some(frame) = self.stack.last_mut() else {
            self.done = Some(node);
            return Ok(());
        };
        frame.height = frame.height.max(node.height);
        frame.last_line = frame.last_line.max(node.last_line);
        match &mut frame.kind {
            FrameKind::List(nodes) => nodes.push(node),
            FrameKind::Map(entries, key) => match key.take() {
                None => *key = Some(Key { name: key_name(&node)?, at: node.at, merge }),
                Some(key) if key.merge => merge_into(entries, &node, key.at, self.budget)?,
                Some(key) => insert(entries, key, node, &mut self.faults),
            },
        }
        Ok(())
    }
}

pub(super) fn too_deep_at(at: Mark) -> Fault {
    Fault::new(at, format!("nested deeper than {MAX_DEPTH} levels"))
}

fn insert(entries: &mut Members<Entry>, key: Key, node: Node, faults: &mut Vec<Fault>) {
    let entry = Entry { key: key.at, node, merged: false };
    let name = &key.name;
    let Some(slot) = entries.get_mut(name) else {
        entries.insert(key.name, entry);
        return;
    };
    if !slot.merged {
        // In a broken document a line of a PEM block may be read as a key: a name that long isn't reported.
        let name = if name.len() <= 60 { format!("{name:?} ") } else { String::new() };
        let message = format!("the key {name}is a duplicate: it is on line {} already", slot.key.line);
        faults.push(Fault { fatal: false, ..Fault::new(key.at, message) });
    }
    *slot = entry;
}

/// `<<`: in file order, later keys win, as in kubectl's parser; in a list of mappings the first wins.
fn merge_into(entries: &mut Members<Entry>, node: &Node, at: Mark, budget: &mut Budget) -> Result<(), Fault> {
    let refused = || Fault::new(at, "`<<` needs a mapping, or a list of mappings");
    match &node.resolved().kind {
        NodeKind::Map(from) => {
            for (name, entry) in from.iter() {
                budget.spend(1 + entry.node.weight(), at)?;
                entries.insert(name.to_owned(), Entry { merged: true, ..entry.clone() });
            }
            Ok(())
        }
        NodeKind::List(nodes) => nodes.iter().rev().try_for_each(|node| match &node.resolved().kind {
            NodeKind::Map(_) => merge_into(entries, node, at, budget),
            _ => Err(refused()),
        }),
        _ => Err(refused()),
    }
}

/// A key as in JSON: always a string.
fn key_name(node: &Node) -> Result<String, Fault> {
    match &node.resolved().kind {
        NodeKind::Scalar(Value::String(text)) => Ok(text.clone()),
        NodeKind::Scalar(Value::Bool(flag)) => Ok(flag.to_string()),
        NodeKind::Scalar(Value::Number(number)) => Ok(number.to_string()),
        NodeKind::Scalar(_) => Err(Fault::new(node.at, "a key is missing (null can't be one)")),
        _ => Err(Fault::new(node.at, "a list or mapping can't be a key")),
    }
}
