//! The position of each field of an object in its file.

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
///
/// Those of every judged object are kept until the end, so they are packed: for each value in turn, with its members or elements behind
/// it, a byte of [flags](HAS_KEY), its mark, its key's mark, and for a list or mapping how many bytes follow of it. Members are
/// ordered by name, each behind its name. Lines are relative to the enclosing value's.
#[derive(Clone, Debug)]
pub struct Positions {
    packed: Box<[u8]>,
}

/// A value is a list.
const LIST: u8 = 1;
/// A value is a mapping.
const MAP: u8 = 2;
/// A value has a key, whose mark follows its own.
const HAS_KEY: u8 = 4;

/// The bytes that hold a length.
const LENGTH: usize = size_of::<u32>();

/// Packs the positions of an object, value by value, in the order in which they are read.
#[derive(Debug, Default)]
pub(super) struct Packer {
    bytes: Vec<u8>,
    /// The lines of the open lists and mappings.
    lines: Vec<u32>,
    /// Where the lengths of the open lists and mappings are written.
    open: Vec<usize>,
}

impl Packer {
    /// A scalar.
    pub(super) fn leaf(&mut self, key: Option<Mark>, value: Mark) {
        self.head(0, key, value);
    }

    /// The start of a list: its elements follow.
    pub(super) fn open_list(&mut self, key: Option<Mark>, value: Mark) {
        self.open(LIST, key, value);
    }

    /// The start of a mapping: its members follow, ordered by name, each as its [name](Packer::name) and its value.
    pub(super) fn open_map(&mut self, key: Option<Mark>, value: Mark) {
        self.open(MAP, key, value);
    }

    /// The name of the member that follows.
    pub(super) fn name(&mut self, name: &str) {
        self.number(u32::try_from(name.len()).unwrap_or(u32::MAX));
        self.bytes.extend_from_slice(name.as_bytes());
    }

    /// The end of the innermost list or mapping.
    pub(super) fn close(&mut self) {
        self.lines.pop();
        let Some(at) = self.open.pop() else { return };
        let length = u32::try_from(self.bytes.len() - at - LENGTH).unwrap_or(u32::MAX);
        if let Some(bytes) = self.bytes.get_mut(at..at + LENGTH) {
            bytes.copy_from_slice(&length.to_le_bytes());
        }
    }

    /// The positions of everything so far.
    pub(super) fn finish(self) -> Positions {
        Positions { packed: self.bytes.into_boxed_slice() }
    }

    fn open(&mut self, kind: u8, key: Option<Mark>, value: Mark) {
        self.head(kind, key, value);
        self.open.push(self.bytes.len());
        self.bytes.extend_from_slice(&[0; LENGTH]);
        self.lines.push(value.line);
    }

    fn head(&mut self, kind: u8, key: Option<Mark>, value: Mark) {
        self.bytes.push(kind | if key.is_some() { HAS_KEY } else { 0 });
        let base = self.lines.last().copied().unwrap_or(0);
        for mark in [Some(value), key].into_iter().flatten() {
            // What an alias names may be above it: the difference, with its sign in the lowest bit.
            let (less, by) = (mark.line < base, mark.line.abs_diff(base));
            self.number((by << 1) | u32::from(less));
            self.number(mark.column);
            self.number(mark.width);
        }
    }

    /// Seven bits to a byte, the lowest first, and a bit that says whether more follow.
    fn number(&mut self, mut number: u32) {
        loop {
            let [low, ..] = number.to_le_bytes();
            number >>= 7;
            if number == 0 {
                self.bytes.push(low);
                return;
            }
            self.bytes.push(low | 0x80);
        }
    }
}

/// Reads what is packed. Past its end everything is zero.
#[derive(Clone, Copy, Debug)]
struct Unpacker<'p> {
    rest: &'p [u8],
}

/// The positions of one value.
#[derive(Clone, Copy, Debug)]
struct Spot<'p> {
    kind: u8,
    /// Its key's, if it is a member of a mapping.
    key: Option<Mark>,
    /// Its own; for an alias the alias's, while everything below keeps the position where it is written.
    value: Mark,
    /// What is below it.
    below: Unpacker<'p>,
}

impl<'p> Unpacker<'p> {
    fn take(&mut self, bytes: usize) -> &'p [u8] {
        let (taken, rest) = self.rest.split_at(bytes.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    fn number(&mut self) -> u32 {
        let mut number = 0_u32;
        for shift in (0..u32::BITS).step_by(7) {
            let byte = self.byte();
            number |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        number
    }

    fn mark(&mut self, base: u32) -> Mark {
        let line = self.number();
        let by = line >> 1;
        let line = if line & 1 == 1 { base.wrapping_sub(by) } else { base.wrapping_add(by) };
        Mark { line, column: self.number(), width: self.number() }
    }

    fn name(&mut self) -> &'p [u8] {
        let length = self.number();
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// The next value. `base`: the line of the enclosing one.
    fn spot(&mut self, base: u32) -> Spot<'p> {
        let flags = self.byte();
        let value = self.mark(base);
        let key = (flags & HAS_KEY != 0).then(|| self.mark(base));
        let kind = flags & (LIST | MAP);
        let length = match kind {
            0 => 0,
            _ => self.take(LENGTH).try_into().map_or(0, u32::from_le_bytes),
        };
        let below = self.take(usize::try_from(length).unwrap_or(usize::MAX));
        Spot { kind, key, value, below: Unpacker { rest: below } }
    }
}

impl<'p> Spot<'p> {
    /// Its members or elements, each with its name, which is empty in a list.
    fn members(self) -> impl Iterator<Item = (&'p [u8], Spot<'p>)> {
        let mut below = self.below;
        std::iter::from_fn(move || {
            if below.rest.is_empty() {
                return None;
            }
            let name = if self.kind == MAP { below.name() } else { &[] };
            Some((name, below.spot(self.value.line)))
        })
    }

    fn below(self, segment: &str) -> Option<Spot<'p>> {
        match self.kind {
            LIST => self.members().nth(segment.parse().ok()?),
            _ => self.members().find(|(name, _)| *name == segment.as_bytes()),
        }
        .map(|(_, spot)| spot)
    }

    /// The outermost fields with a wanted position.
    fn find(self, here: &FieldPath, wanted: &impl Fn(&Spot<'p>) -> bool, fields: &mut Vec<FieldPath>) {
        if wanted(&self) {
            fields.push(here.clone());
            return;
        }
        for (index, (name, spot)) in self.members().enumerate() {
            let field = match self.kind {
                LIST => here.index(index),
                _ => here.key(&String::from_utf8_lossy(name)),
            };
            spot.find(&field, wanted, fields);
        }
    }

    /// Where to point: to a scalar itself, to the key of a list or mapping.
    fn mark(self) -> Mark {
        match (self.kind, self.key) {
            (0, _) | (_, None) => self.value,
            (_, Some(key)) => key,
        }
    }
}

impl Positions {
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
        let mut spot = self.root();
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
        let wanted = |spot: &Spot<'_>| match spot.key {
            Some(key) => key.line == line,
            None => all && spot.value.line == line,
        };
        self.root().find(&FieldPath::root(), &wanted, &mut fields);
        if fields.is_empty() {
            let wanted = |spot: &Spot<'_>| spot.key.is_none() && spot.value.line == line;
            self.root().find(&FieldPath::root(), &wanted, &mut fields);
        }
        fields
    }

    fn root(&self) -> Spot<'_> {
        Unpacker { rest: &self.packed }.spot(0)
    }

    fn spot(&self, field: &FieldPath) -> Option<Spot<'_>> {
        field.segments().try_fold(self.root(), |spot, segment| spot.below(&segment))
    }
}
