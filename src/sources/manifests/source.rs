//! A file that was read: which of its lines may be shown, and what it was rendered from.

use std::collections::{BTreeMap, HashSet};
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
    /// By number, as written but without the line feed.
    lines: BTreeMap<u32, Box<str>>,
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
        let ends = text.bytes().zip(text.bytes().skip(1).chain([b'\n']));
        let old_line_ends = ends.into_iter().any(|(byte, next)| byte == b'\r' && next != b'\n');
        let all: Vec<&str> = if old_line_ends { lines(text).collect() } else { text.split('\n').collect() };
        let terminated = all.last().is_some_and(|last| last.is_empty());
        let count = all.len() - usize::from(terminated);
        let mut kept = BTreeMap::new();
        if !wanted.shown.is_empty() {
            let numbered = all.iter().zip(1_u32..).take(count);
            let ranges: HashSet<u32> = wanted.shown.iter().cloned().flatten().collect();
            // Document separators belong to no object, but patches need them as context.
            let shown = numbered.filter(|(line, number)| ranges.contains(number) || line.trim_end() == "---");
            kept = shown.map(|(line, number)| (number, Box::from(*line))).collect();
            for range in &wanted.secret {
                kept.retain(|number, _| !range.contains(number));
            }
        }
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let Origin { name, path, piped } = origin;
        Self { name, path, piped, lines: kept, count, terminated, marked, old_line_ends }
    }

    /// A line by its 1-based number, if it may be shown, without its line ending.
    pub fn line(&self, number: u32) -> Option<&str> {
        self.lines.get(&number).map(|line| line.strip_suffix('\r').unwrap_or(line))
    }

    /// A line as a patch has to write it, if it may be shown: without its line feed, but with the byte-order mark if the file
    /// begins with one. None for a file that can't be patched.
    pub(crate) fn patch_line(&self, number: u32) -> Option<String> {
        let line = self.lines.get(&number).filter(|_| !self.old_line_ends && self.path.is_some())?;
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

/// The files that a stream's documents were rendered from: `helm template` writes `# Source: path` above each.
#[derive(Debug, Default)]
pub(super) struct Templates(BTreeMap<u32, Option<Box<str>>>);

impl Templates {
    pub(super) fn read(text: &str) -> Self {
        let mut templates = BTreeMap::new();
        for (line, number) in lines(text).zip(1_u32..) {
            if line.starts_with("---") {
                templates.insert(number, None);
            } else if let Some(path) = line.strip_prefix("# Source: ") {
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
        let templates = Templates::read("---\n# Source: shop/templates/a.yaml\na: 1\n---\nb: 2\n");
        assert_eq!(templates.at(3), Some("shop/templates/a.yaml"));
        assert_eq!(templates.at(5), None);
        let built =
            |origin: &str| serde_json::json!({"metadata": {"annotations": {"config.kubernetes.io/origin": origin}}});
        assert_eq!(kustomized(&built("path: base/a.yaml\n")).as_deref(), Some("base/a.yaml"));
        assert_eq!(kustomized(&built("path: a.yaml\nrepo: https://example.com/x\n")), None);
    }
}
