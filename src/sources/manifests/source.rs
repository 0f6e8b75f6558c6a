//! A file that was read: which of its lines may be shown, and what it was rendered from.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use serde_json::Value;

use super::text::lines;

/// The byte-order mark of UTF-8; stripped from the text.
pub(super) const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// A text's origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its name: the path as given, or `stdin`.
    pub name: String,
    /// The path, if it is a file.
    pub path: Option<PathBuf>,
    /// Whether it was read from standard input.
    pub piped: bool,
}

/// A file that was read: its name, and the lines of the judged objects.
///
/// Lines that belong to a Secret, even in part, aren't kept.
#[derive(Debug)]
pub struct Source {
    /// Its name: the path as given, or `stdin`.
    pub name: String,
    /// The path, if it is a file.
    pub path: Option<PathBuf>,
    /// Whether it was read from standard input.
    pub piped: bool,
    lines: Kept,
    /// How many lines there are.
    count: u32,
    /// Whether the last one ends in a line feed.
    terminated: bool,
    /// Whether the file begins with a byte-order mark.
    marked: bool,
    /// Whether lines end in carriage returns alone, which no patch can express.
    old_line_ends: bool,
}

/// The lines of objects in a file.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Those that may be shown.
    pub(super) shown: Vec<RangeInclusive<u32>>,
    /// Those of Secrets.
    pub(super) secret: Vec<RangeInclusive<u32>>,
}

impl Source {
    /// `marked`: whether the text had a byte-order mark.
    pub(super) fn new(origin: Origin, text: &str, marked: bool, wanted: &Lines) -> Self {
        let old_line_ends = has_old_line_ends(text);
        let (kept, count, terminated) = match old_line_ends {
            true => Kept::of(lines(text), wanted),
            false => Kept::of(text.split('\n'), wanted),
        };
        let Origin { name, path, piped } = origin;
        Self { name, path, piped, lines: kept, count, terminated, marked, old_line_ends }
    }

    /// A line by its 1-based number, if it may be shown, without its line ending.
    pub fn line(&self, number: u32) -> Option<&str> {
        self.lines.get(number).map(|line| line.strip_suffix('\r').unwrap_or(line))
    }

    /// A line as a patch has to write it, if it may be shown: without its line feed, but with the byte-order mark if the file
    /// begins with one. None for a file that can't be patched.
    pub(crate) fn patch_line(&self, number: u32) -> Option<String> {
        let line = self.lines.get(number).filter(|_| !self.old_line_ends && self.path.is_some())?;
        let mark = if number == 1 && self.marked { "\u{feff}" } else { "" };
        Some(format!("{mark}{line}"))
    }

    /// The number of the last line.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Whether the last line ends in a line feed.
    pub(crate) fn is_terminated(&self) -> bool {
        self.terminated
    }
}

/// The lines of a text that are kept, as written but without their line feeds.
#[derive(Debug, Default)]
struct Kept {
    /// Each with a line feed behind it.
    text: Box<str>,
    /// Where they are: for some lines, in order, the number of the first, how many there are, and where they begin in the text.
    runs: Box<[(u32, u32, usize)]>,
}

/// The most lines in one run: they are counted to find one.
const RUN: u32 = 32;

impl Kept {
    /// Keeps those that are wanted; returns also how many lines there are, and whether the last one ends in a line feed.
    fn of<'t>(all: impl Iterator<Item = &'t str>, wanted: &Lines) -> (Self, u32, bool) {
        let (shown, secret) = (Ranges::of(&wanted.shown), Ranges::of(&wanted.secret));
        let (mut shown_at, mut secret_at) = (shown.walk(), secret.walk());
        let mut text = String::new();
        let mut runs: Vec<(u32, u32, usize)> = Vec::new();
        let mut count = 0_u32;
        let mut all = all.peekable();
        let mut terminated = false;
        while let Some(line) = all.next() {
            if line.is_empty() && all.peek().is_none() {
                terminated = true;
                break;
            }
            count = count.saturating_add(1);
            // Document separators belong to no object, but patches need them as context.
            let is_shown = shown_at(count) || (!wanted.shown.is_empty() && line.trim_end() == "---");
            if secret_at(count) || !is_shown {
                continue;
            }
            match runs.last_mut().filter(|(first, lines, _)| *lines < RUN && first.saturating_add(*lines) == count) {
                Some((_, lines, _)) => *lines += 1,
                None => runs.push((count, 1, text.len())),
            }
            text.push_str(line);
            text.push('\n');
        }
        (Self { text: text.into(), runs: runs.into() }, count, terminated)
    }

    fn get(&self, number: u32) -> Option<&str> {
        let behind = self.runs.partition_point(|(first, _, _)| *first <= number);
        let (first, lines, at) = self.runs.get(behind.checked_sub(1)?)?;
        let index = number.checked_sub(*first).filter(|index| index < lines)?;
        self.text.get(*at..)?.split('\n').nth(usize::try_from(index).ok()?)
    }
}

/// Whether lines end in carriage returns alone.
pub(super) fn has_old_line_ends(text: &str) -> bool {
    text.match_indices('\r').any(|(at, _)| text.as_bytes().get(at + 1).is_some_and(|next| *next != b'\n'))
}

/// Ranges of lines, in order.
struct Ranges(Vec<RangeInclusive<u32>>);

impl Ranges {
    fn of(ranges: &[RangeInclusive<u32>]) -> Self {
        let mut ranges = ranges.to_vec();
        ranges.sort_by_key(|range| *range.start());
        Self(ranges)
    }

    /// Says of one line after the other, in their order, whether it is in a range.
    fn walk(&self) -> impl FnMut(u32) -> bool + '_ {
        let mut next = self.0.iter().peekable();
        let mut end = 0;
        move |line| {
            while let Some(range) = next.next_if(|range| *range.start() <= line) {
                end = end.max(*range.end());
            }
            line <= end
        }
    }
}

/// What precedes the path in such a comment.
const SOURCE: &str = "# Source: ";

/// The files that a stream's documents were rendered from: `helm template` writes `# Source: path` above each.
#[derive(Debug, Default)]
pub(super) struct Templates(BTreeMap<u32, Option<Box<str>>>);

impl Templates {
    /// `above`: how many lines of the file precede the text.
    pub(super) fn read(text: &str, above: u32) -> Self {
        let mut templates = BTreeMap::new();
        if !text.contains(SOURCE) {
            return Self(templates);
        }
        for (line, number) in lines(text).zip(above.saturating_add(1)..) {
            if line.starts_with("---") {
                templates.insert(number, None);
            } else if let Some(path) = line.strip_prefix(SOURCE) {
                templates.insert(number, Some(Box::from(path.trim())));
            }
        }
        Self(templates)
    }

    /// The file that the document on this line was rendered from.
    pub(super) fn at(&self, line: u32) -> Option<&str> {
        self.0.range(..=line).next_back().and_then(|(_, path)| path.as_deref())
    }
}

/// The file that an object was built from: kustomize records it with `buildMetadata: [originAnnotations]`. None for a file of
/// another repository, which isn't here.
pub(super) fn kustomized(object: &Value) -> Option<String> {
    let origin = object.pointer("/metadata/annotations/config.kubernetes.io~1origin")?.as_str()?;
    if origin.lines().any(|line| line.starts_with("repo:")) {
        return None;
    }
    origin.lines().find_map(|line| line.strip_prefix("path: ")).map(|path| path.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str, shown: &[RangeInclusive<u32>], secret: &[RangeInclusive<u32>]) -> Source {
        let origin = Origin { name: "a.yaml".to_owned(), path: Some("a.yaml".into()), piped: false };
        Source::new(origin, text, false, &Lines { shown: shown.to_vec(), secret: secret.to_vec() })
    }

    #[test]
    fn lines_of_a_secret_are_not_kept() {
        let source = source("a: 1\n---\nb: 2\n---\nc: 3\nd: 4", &[1..=1, 3..=3, 5..=5], &[3..=3]);
        assert_eq!(source.line(1), Some("a: 1"));
        assert_eq!(source.line(2), Some("---"));
        assert_eq!(source.line(3), None);
        assert_eq!(source.line(6), None);
        assert_eq!((source.count(), source.is_terminated()), (6, false));
    }

    #[test]
    fn a_patch_has_the_ends_of_lines_as_they_are() {
        let windows = source("a: 1\r\nb: 2\r\n", &[1..=2], &[]);
        assert_eq!((windows.line(2), windows.patch_line(2).as_deref()), (Some("b: 2"), Some("b: 2\r")));
        assert_eq!((windows.count(), windows.is_terminated()), (2, true));
        let old = source("a: 1\rb: 2\r", &[1..=2], &[]);
        assert_eq!((old.line(2), old.patch_line(2)), (Some("b: 2"), None));
    }

    #[test]
    fn helm_and_kustomize_say_where_an_object_comes_from() {
        let templates = Templates::read("---\n# Source: shop/templates/a.yaml\na: 1\n---\nb: 2\n", 0);
        assert_eq!(templates.at(3), Some("shop/templates/a.yaml"));
        assert_eq!(templates.at(5), None);
        let built =
            |origin: &str| serde_json::json!({"metadata": {"annotations": {"config.kubernetes.io/origin": origin}}});
        assert_eq!(kustomized(&built("path: base/a.yaml\n")).as_deref(), Some("base/a.yaml"));
        assert_eq!(kustomized(&built("path: a.yaml\nrepo: https://example.com/x\n")), None);
    }
}
