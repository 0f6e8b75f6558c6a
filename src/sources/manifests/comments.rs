//! Comments for meshvet, and the fields that they refer to.

use std::ops::RangeInclusive;

use granit_parser::{Event, Options, Parser};

use crate::k8s::FieldPath;

use super::positions::{Mark, Positions};
use super::yaml;

/// The most comments of one file that are followed. Each is searched for in the whole of its object.
pub(super) const MOST: usize = 5_000;

/// A comment that begins with meshvet's name, at a field of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Where it is.
    pub mark: Mark,
    /// Its text, without the `#`.
    pub text: String,
    /// The fields that it refers to, each with everything below; the root for the whole object. Several where an alias
    /// repeats the place. Never empty.
    pub fields: Vec<FieldPath>,
}

/// A comment for meshvet, not yet assigned to a field.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) mark: Mark,
    pub(super) text: String,
    /// The line whose fields it refers to; None where nothing follows it in its document.
    line: Option<u32>,
    /// The same, if no document precedes it in its file.
    line_of_first: Option<u32>,
    /// Whether it is on a line of its own, and so refers to whatever begins on the next one.
    above: bool,
    /// Whether it was assigned to an object.
    pub(super) taken: bool,
}

impl Found {
    /// Notes that no document precedes it in its file.
    pub(super) fn is_first(&mut self) {
        self.line = self.line_of_first;
    }
}

/// The comments for meshvet in a text, which has so many lines `above` it in its file.
pub(super) fn read(text: &str, above: u32) -> Vec<Found> {
    // The second parse is only for the few texts with such comments.
    let speaks = |line: &str| line.split_once('#').is_some_and(|(_, comment)| is_ours_somewhere(comment));
    if !text.contains('#') || !text.lines().any(speaks) {
        return Vec::new();
    }
    let lines: Vec<&str> = super::text::lines(text).collect();
    let mut options = Options::default();
    // No limit: the file's size is bounded already.
    options.max_buffered_comment_events = usize::MAX;
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut found = Vec::new();
    while found.len() < MOST {
        match parser.next() {
            None => break,
            Some(Ok((Event::Comment(text, _), span))) if is_ours(&text) => {
                found.push(locate(yaml::mark(span, 0), above, text.into_owned(), &lines));
            }
            Some(Ok(_)) => {}
            // The first parse has reported what is wrong with the document.
            Some(Err(_)) if parser.proceed_next_document().unwrap_or(false) => {}
            Some(Err(_)) => break,
        }
    }
    found
}

fn is_ours(comment: &str) -> bool {
    let text = comment.trim_start_matches('#').trim_start();
    text.get(..7).is_some_and(|name| name.eq_ignore_ascii_case("meshvet"))
}

/// Whether meshvet's name follows any `#` in this text.
fn is_ours_somewhere(text: &str) -> bool {
    text.split('#').any(is_ours)
}

/// `above`: how many lines of the file precede `lines`, which `mark` is in.
fn locate(mark: Mark, above: u32, text: String, lines: &[&str]) -> Found {
    let index = usize::try_from(mark.line).unwrap_or(usize::MAX).saturating_sub(1);
    let before = lines.get(index).map_or("", |line| {
        let end = line.char_indices().nth(usize::try_from(mark.column).unwrap_or(1).saturating_sub(1));
        end.map_or(*line, |(end, _)| line.get(..end).unwrap_or_default())
    });
    let mark = Mark { line: mark.line.saturating_add(above), ..mark };
    // After the `---` that begins a document it refers to the document, as above it.
    let begins_document = before.trim_end() == "---";
    if !before.trim().is_empty() && !begins_document {
        let line = Some(mark.line);
        return Found { mark, text, line, line_of_first: line, above: false, taken: false };
    }
    let below = |first: bool| {
        let mut lines = lines.iter().zip(above.saturating_add(1)..).skip(index + 1);
        let below = lines.find(|(line, _)| {
            let line = line.trim();
            // A comment above the first `---` belongs to the first document.
            let heads = first && (line.starts_with("---") || line.starts_with('%'));
            !line.is_empty() && !line.starts_with('#') && !heads
        });
        below.filter(|(line, _)| !line.starts_with("---") && !line.starts_with("...")).map(|(_, number)| number)
    };
    Found { mark, text, line: below(false), line_of_first: below(true), above: true, taken: false }
}

/// The comments at fields of one object: where its fields are, its lines, and those of its document.
pub(super) fn take(
    found: &mut [Found],
    positions: &Positions,
    lines: &RangeInclusive<u32>,
    document: &RangeInclusive<u32>,
) -> Vec<Comment> {
    let mut comments = Vec::new();
    for comment in found {
        let Some(line) = comment.line else { continue };
        let fields = if comment.above && line == *document.start() {
            vec![FieldPath::root()]
        } else if lines.contains(&line) {
            positions.on_line(line, comment.above)
        } else {
            continue;
        };
        if !fields.is_empty() {
            comment.taken = true;
            comments.push(Comment { mark: comment.mark, text: comment.text.clone(), fields });
        }
    }
    comments
}
