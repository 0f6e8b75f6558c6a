//! Texts in parts, which are read on all cores: a file, or some documents of a long stream.
//!
//! A document begins at a `---` at the start of a line, whatever precedes it: YAML has no value that goes on behind one. What may
//! reach over it isn't taken apart, or is [read again](super::Loader) in one piece once a part turns out to be broken.

use std::ops::Range;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::comments;
use super::decoded::{Context, Object};
use super::node::{self, Budget, Fault};
use super::objects;
use super::source::{self, Origin};
use super::text;
use super::tools::Tool;

/// How long a part is at least, in bytes, but for a text's last one.
pub(super) const LENGTH: usize = 64 << 10;

/// A text, and what reading it needs.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) origin: Origin,
    pub(super) text: Zeroizing<String>,
    /// Whether documents that aren't Kubernetes objects are a problem.
    pub(super) strict: bool,
    /// Whether it began with a byte-order mark.
    pub(super) marked: bool,
}

/// Some documents of a text.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) of: Arc<Text>,
    pub(super) bytes: Range<usize>,
    /// How many lines are above it.
    pub(super) above: u32,
}

/// What is in a part.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) items: Vec<Item>,
    /// What the parser reports.
    pub(super) faults: Vec<Fault>,
    /// Whether a document was skipped.
    pub(super) broken: bool,
    /// What aliases and merges added, in nodes.
    pub(super) spent: usize,
    /// What is wrong with documents that could be parsed.
    pub(super) misfits: Vec<Fault>,
    /// How many documents aren't Kubernetes objects.
    pub(super) foreign: usize,
    /// The line of the first document.
    pub(super) first: Option<u32>,
    pub(super) comments: Vec<comments::Found>,
}

/// What a document is.
#[derive(Debug)]
pub(super) enum Item {
    /// A tool's, and where it begins.
    Tool(Tool, (u32, u32)),
    Object(Box<Object>),
}

impl Text {
    /// The parts of a text that are at least so long, in bytes.
    pub(super) fn parts(self: Arc<Self>, length: usize) -> impl Iterator<Item = Part> {
        let whole = self.is_whole(length);
        let (mut start, mut above) = (0_usize, 0_u32);
        let mut done = false;
        std::iter::from_fn(move || {
            if done {
                return None;
            }
            let text = self.text.as_str();
            let least = if start == 0 { length.max(head(text)) } else { start.saturating_add(length) };
            let end = if whole { text.len() } else { next_document(text, least) };
            done = end == text.len();
            let part = Part { of: Arc::clone(&self), bytes: start..end, above };
            let lines =
                text.as_bytes().get(start..end).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count();
            above = above.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
            start = end;
            Some(part)
        })
    }

    /// Whether it isn't taken apart: JSON, what has directives, which stand above a `---`, and what has characters that end a text or
    /// a line for some readers only.
    fn is_whole(&self, length: usize) -> bool {
        let text = self.text.as_str();
        text.len() <= length
            || text::is_like_json(text)
            || text.starts_with('%')
            || text.contains("\n%")
            || text.contains('\0')
            || source::has_old_line_ends(text)
    }
}

/// Where a text has its first content, whatever begins above it: a comment above refers to that.
fn head(text: &str) -> usize {
    let is_head =
        |line: &&str| line.trim().is_empty() || ["#", "---", "%"].iter().any(|it| line.trim().starts_with(it));
    text.split_inclusive('\n').take_while(is_head).map(str::len).sum()
}

/// Where the next document begins behind a byte; the text's end if none does.
fn next_document(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n')) {
        at += found + 1;
        let begins = bytes.get(at..).and_then(|line| line.strip_prefix(b"---"));
        if begins.is_some_and(|behind| matches!(behind.first(), None | Some(b' ' | b'\t' | b'\r' | b'\n'))) {
            return at;
        }
    }
    text.len()
}

impl Part {
    /// The part from here on to the end of its text.
    pub(super) fn with_rest(self) -> Self {
        let bytes = self.bytes.start..self.of.text.len();
        Self { bytes, ..self }
    }

    /// Whether it is its text's last one.
    pub(super) fn is_last(&self) -> bool {
        self.bytes.end == self.of.text.len()
    }

    /// Reads the part. `budget`: how many nodes aliases and merges may add.
    pub(super) fn read(&self, context: &Context<'_>, budget: usize) -> Contents {
        let text = self.of.text.get(self.bytes.clone()).unwrap_or_default();
        let path = self.of.origin.path.as_deref();
        let mut left = Budget::new(budget);
        let parsed = text::parse(text, self.above, &mut left);
        let mut contents = Contents {
            faults: parsed.faults,
            broken: parsed.broken,
            first: parsed.documents.first().map(|document| document.at.line),
            comments: comments::read(text, self.above),
            ..Contents::default()
        };
        let otherwise = super::kustomize::type_by_name(path);
        let templates = source::Templates::read(text, self.above);
        for document in parsed.documents {
            let (at, lines) = (document.at, document.at.line..=document.last_line);
            if let Some(tool) = Tool::of(&document, path).filter(|_| otherwise.is_none()) {
                contents.items.push(Item::Tool(tool, (at.line, at.column)));
                continue;
            }
            let mut found = objects::Found::default();
            objects::take(document, otherwise.as_ref(), &mut left, self.of.strict, &mut found);
            contents.misfits.append(&mut found.faults);
            contents.foreign += found.foreign;
            for raw in found.objects {
                let template = templates.at(raw.at.line).map(str::to_owned);
                contents.items.push(Item::Object(Box::new(Object::read(raw, lines.clone(), template, context))));
            }
        }
        contents.spent = budget - left.left();
        contents
    }
}

/// How many nodes aliases and merges may add to a text.
pub(super) const BUDGET: usize = node::EXPANSION;

#[cfg(test)]
#[path = "parts_tests.rs"]
mod tests;
