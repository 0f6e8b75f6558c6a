//! The position of each field of an object in its file.

use std::collections::BTreeMap;

use crate::k8s::FieldPath;

/// A position in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// 1-based.
    pub line: u32,
    /// 1-based, in characters.
    pub column: u32,
    /// How many characters of the line belong to it; 0: the rest of the line.
    pub width: u32,
}

/// The positions of one object's fields, by JSON pointer.
#[derive(Clone, Debug)]
pub struct Positions {
    root: Spot,
}

/// The positions of one value.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    /// Its key's, if it is a member of a mapping.
    pub(super) key: Option<Mark>,
    /// Its own; for an alias the alias's, while everything below keeps the position where it is written.
    pub(super) value: Mark,
    below: Below,
}

#[derive(Clone, Debug)]
enum Below {
    Nothing,
    List(Vec<Spot>),
    Map(BTreeMap<Box<str>, Spot>),
}

impl Spot {
    pub(super) fn leaf(value: Mark) -> Self {
        Self { key: None, value, below: Below::Nothing }
    }

    pub(super) fn list(value: Mark, items: Vec<Spot>) -> Self {
        Self { key: None, value, below: Below::List(items) }
    }

    pub(super) fn map(value: Mark, members: BTreeMap<Box<str>, Spot>) -> Self {
        Self { key: None, value, below: Below::Map(members) }
    }

    fn below(&self, segment: &str) -> Option<&Spot> {
        match &self.below {
            Below::Nothing => None,
            Below::List(items) => items.get(segment.parse::<usize>().ok()?),
            Below::Map(members) => members.get(segment),
        }
    }

    /// The outermost fields with a wanted position.
    fn find(&self, here: &FieldPath, wanted: &impl Fn(&Spot) -> bool, fields: &mut Vec<FieldPath>) {
        if wanted(self) {
            fields.push(here.clone());
            return;
        }
        match &self.below {
            Below::Nothing => {}
            Below::List(items) => {
                items.iter().enumerate().for_each(|(index, spot)| spot.find(&here.index(index), wanted, fields));
            }
            Below::Map(members) => {
                members.iter().for_each(|(name, spot)| spot.find(&here.key(name), wanted, fields));
            }
        }
    }

    /// Where to point: to a scalar itself, to the key of a list or mapping.
    fn mark(&self) -> Mark {
        match (&self.below, self.key) {
            (Below::Nothing, _) | (_, None) => self.value,
            (_, Some(key)) => key,
        }
    }
}

impl Positions {
    pub(super) fn new(root: Spot) -> Self {
        Self { root }
    }

    /// The position of the field's key; for an element of a list, and for the object itself, its first character.
    pub fn key(&self, field: &FieldPath) -> Option<Mark> {
        let spot = self.spot(field)?;
        Some(spot.key.unwrap_or(spot.value))
    }

    /// The position of the field's value.
    pub fn value(&self, field: &FieldPath) -> Option<Mark> {
        self.spot(field).map(|spot| spot.value)
    }

    /// Where to point for this field: to a scalar itself, to the key of a list or mapping. For a missing field,
    /// to its closest existing parent.
    pub fn nearest(&self, field: &FieldPath) -> Mark {
        let mut spot = &self.root;
        for segment in field.segments() {
            match spot.below(&segment) {
                Some(below) => spot = below,
                None => break,
            }
        }
        spot.mark()
    }

    /// The fields that begin on a line, the outermost of each branch: all of them, or only those whose key is on it (a list's
    /// element without any key on the line counts itself). Several where an alias repeats the place.
    pub(crate) fn on_line(&self, line: u32, all: bool) -> Vec<FieldPath> {
        let mut fields = Vec::new();
        let wanted = |spot: &Spot| match spot.key {
            Some(key) => key.line == line,
            None => all && spot.value.line == line,
        };
        self.root.find(&FieldPath::root(), &wanted, &mut fields);
        if fields.is_empty() {
            self.root.find(&FieldPath::root(), &|spot| spot.key.is_none() && spot.value.line == line, &mut fields);
        }
        fields
    }

    fn spot(&self, field: &FieldPath) -> Option<&Spot> {
        field.segments().try_fold(&self.root, |spot, segment| spot.below(&segment))
    }
}
