//! YAML: a stream of documents; broken ones are skipped and reported.

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, Span, Tag};

use super::node::{Budget, Builder, Fault, Node, too_deep_at};
use super::positions::Mark;
use super::scalar::{ScalarTag, resolve};

/// The contents of a text.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// The readable documents, in order. Empty ones are skipped.
    pub(super) documents: Vec<Node>,
    /// What is wrong, in order.
    pub(super) faults: Vec<Fault>,
    /// Whether a document was skipped.
    pub(super) broken: bool,
}

/// Reads a stream of documents, which has so many lines `above` it in its file. After a fault, reading continues at the next `---`.
pub(super) fn read(text: &str, above: u32, budget: &mut Budget) -> Parsed {
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut parsed = Parsed::default();
    let mut go_on = true;
    while go_on {
        go_on = match read_document(&mut parser, above, budget, &mut parsed) {
            Ok(more) => more,
            Err(fault) => {
                parsed.faults.push(fault);
                parsed.broken = true;
                parser.proceed_next_document().unwrap_or(false)
            }
        };
    }
    parsed
}

/// Reads up to the end of a document; false at the end of the stream.
fn read_document<'t>(
    parser: &mut (impl Iterator<Item = Result<(Event<'t>, Span), granit_parser::ScanError>> + ?Sized),
    above: u32,
    budget: &mut Budget,
    parsed: &mut Parsed,
) -> Result<bool, Fault> {
    let mut builder = Builder::new(budget);
    loop {
        let (event, span) = match parser.next() {
            None => return Ok(false),
            Some(Err(error)) => {
                let at = mark(Span::empty(*error.marker()), above);
                let too_deep = *error.kind() == ErrorKind::RecursionLimitExceeded;
                return Err(if too_deep { too_deep_at(at) } else { Fault::new(at, error.info()) });
            }
            Some(Ok(next)) => next,
        };
        let at = mark(span, above);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let merge = plain && tag.is_none() && text == "<<";
                let value = resolve(text, plain, tag.as_deref().map(tag_of)).map_err(|why| Fault::new(at, why))?;
                builder.scalar(at, last_line(span, above), value, anchor, merge)?;
            }
            Event::SequenceStart(_, anchor, _) => builder.open_list(at, anchor)?,
            Event::MappingStart(_, anchor, _) => builder.open_map(at, anchor)?,
            Event::SequenceEnd | Event::MappingEnd => {
                // The parser only reports a block's end at what follows it.
                let last_line = if span.is_empty() { 0 } else { last_line(span, above) };
                builder.close(last_line)?;
            }
            Event::Alias(anchor) => builder.alias(at, anchor)?,
            Event::DocumentEnd => {
                let root = builder.finish();
                parsed.faults.append(&mut builder.faults);
                parsed.documents.extend(root.filter(|node| !node.is_null()));
                return Ok(true);
            }
            Event::StreamEnd => return Ok(false),
            _ => {}
        }
    }
}

fn tag_of(tag: &Tag) -> ScalarTag {
    match (tag.handle(), tag.suffix()) {
        ("tag:yaml.org,2002:", "binary") => ScalarTag::Binary,
        ("tag:yaml.org,2002:", "int" | "float" | "bool" | "null" | "timestamp") => ScalarTag::Other,
        _ => ScalarTag::Text,
    }
}

/// `above`: how many lines of the file precede what is parsed.
pub(super) fn mark(span: Span, above: u32) -> Mark {
    // A missing value is located at what comes before it.
    let one_line = span.start.line() == span.end.line();
    let width = if one_line { span.end.col().saturating_sub(span.start.col()).max(1) } else { 0 };
    let line = small(span.start.line()).saturating_add(above);
    Mark { line, column: small(span.start.col()).saturating_add(1), width: small(width) }
}

fn last_line(span: Span, above: u32) -> u32 {
    let line = small(span.end.line()).saturating_add(above);
    if span.end.col() == 0 && span.end.line() > span.start.line() { line.saturating_sub(1) } else { line }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::k8s::FieldPath;
    use crate::sources::manifests::node::EXPANSION;
    use crate::sources::manifests::positions::Positions;

    fn one(text: &str) -> (Value, Positions) {
        let mut budget = Budget::new(EXPANSION);
        let mut parsed = read(text, 0, &mut budget);
        assert_eq!(parsed.faults, [], "{text:?}");
        assert_eq!(parsed.documents.len(), 1, "{text:?}");
        parsed.documents.remove(0).split(&mut budget).expect("small enough")
    }

    #[track_caller]
    fn says(text: &str, value: Value) {
        assert_eq!(one(text).0, value, "{text:?}");
    }

    /// Asserts the line, column and width of a field's value.
    #[track_caller]
    fn stands(text: &str, pointer: &str, expected: (u32, u32, u32)) {
        let mark = one(text).1.value(&FieldPath::from_pointer(pointer)).expect("a field");
        assert_eq!((mark.line, mark.column, mark.width), expected, "{pointer} of {text:?}");
    }

    #[track_caller]
    fn refuses(text: &str, line: u32, words: &str) {
        let parsed = read(text, 0, &mut Budget::new(EXPANSION));
        let found: Vec<_> = parsed.faults.iter().filter(|it| it.line == line && it.message.contains(words)).collect();
        assert_eq!(found.len(), 1, "{text:?}: {:?}", parsed.faults);
    }

    #[test]
    fn each_value_keeps_its_place() {
        let text = "a: 1\nb:\n  - x\n  - \"y z\"\nc: {d: [1, e]}\n";
        stands(text, "/a", (1, 4, 1));
        stands(text, "/b/0", (3, 5, 1));
        stands(text, "/b/1", (4, 5, 5));
        stands(text, "/c/d/1", (5, 12, 1));
        stands(text, "", (1, 1, 1));
        let marks = one(text).1;
        assert_eq!(marks.key(&FieldPath::from_pointer("/c/d")).map(|mark| (mark.line, mark.column)), Some((5, 5)));
        assert_eq!(marks.nearest(&FieldPath::from_pointer("/b")).line, 2, "a list is pointed at by its key");
        assert_eq!(marks.nearest(&FieldPath::from_pointer("/b/7/z")).line, 2, "what isn't there by what it belongs to");
    }

    #[test]
    fn columns_count_characters_and_lines_their_ends() {
        stands("näme: café # x\r\nb: 2\r\n", "/näme", (1, 7, 4));
        stands("a: 1\r\nb: 2\r\n", "/b", (2, 4, 1));
        stands("# c\n\n%YAML 1.1\n---\na: 1\n...\n", "/a", (5, 4, 1));
        stands("a: |\n  one\n  two\nb: 2", "/b", (4, 4, 1));
        stands("a: 'one\n  two'\nb: >-\n  x\n", "/a", (1, 4, 0));
        stands("a:\nb: 2", "/a", (1, 2, 1));
        stands("- !!str 5", "/0", (1, 9, 1));
    }

    #[test]
    fn what_an_alias_names_stands_where_it_is_written() {
        let text = "a: &x\n  b: 1\nc: *x\nd:\n  <<: *x\n  e: 2\n";
        says(text, json!({"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1, "e": 2}}));
        stands(text, "/c", (3, 4, 2));
        stands(text, "/c/b", (2, 6, 1));
        stands(text, "/d/b", (2, 6, 1));
        stands(text, "/d/e", (6, 6, 1));
        says("a: &k key\n*k : 1\n", json!({"a": "key", "key": 1}));
        says("- &a [1]\n- &a [2]\n- *a\n", json!([[1], [2], [2]]));
    }

    #[test]
    fn merges_go_in_order_and_the_first_of_a_list_wins() {
        says("- &a {p: 1, q: 1}\n- {<<: *a, q: 2}\n", json!([{"p": 1, "q": 1}, {"p": 1, "q": 2}]));
        says(
            "- &a {p: 1}\n- &b {p: 2, q: 2}\n- {<<: [*a, *b]}\n- {<<: {r: 3}}\n",
            json!([{"p": 1}, {"p": 2, "q": 2}, {"p": 1, "q": 2}, {"r": 3}]),
        );
        says("\"<<\": 1", json!({"<<": 1}));
        refuses("<<: 1", 1, "needs a mapping");
        refuses("<<: [1]", 1, "needs a mapping");
    }

    #[test]
    fn keys_are_text() {
        says("1: a\ntrue: b\n1.5: c\n", json!({"1": "a", "true": "b", "1.5": "c"}));
        refuses("? [a]\n: b\n", 1, "can't be a key");
        refuses("~: b\n", 1, "key is missing");
        refuses("a: 1\nb: 2\na: 3\n", 3, "\"a\" is a duplicate: it is on line 1 already");
        says("a: |\n  one\n  two", json!({"a": "one\ntwo\n"}));
    }

    #[test]
    fn a_broken_document_leaves_the_others() {
        for broken in ["a: [1", "a: \"x", "a: b: c", "a:\n\tb: 1", "a: *nope", "a: %", "{}}", "? [x]\n: 1"] {
            let parsed = read(&format!("a: 1\n---\n{broken}\n---\nc: 3\n"), 0, &mut Budget::new(EXPANSION));
            assert_eq!(parsed.documents.len(), 2, "{broken:?}: {:?}", parsed.faults);
            assert!(!parsed.faults.is_empty(), "{broken:?}");
            assert_eq!(
                parsed.documents.last().map(|node| node.at.line),
                Some(4 + broken.matches('\n').count() as u32 + 1)
            );
        }
    }

    #[test]
    fn hostile_documents_end_in_a_fault() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..40 {
            let below = level - 1;
            bomb.push_str(&format!("a{level}: &a{level} [*a{below}, *a{below}, *a{below}, *a{below}, *a{below}]\n"));
        }
        let mut budget = Budget::new(EXPANSION);
        let parsed = read(&bomb, 0, &mut budget);
        let fault = parsed.documents.into_iter().find_map(|node| node.split(&mut budget).err()).expect("a fault");
        assert!(fault.message.contains("aliases"), "{}", fault.message);

        refuses(&format!("a: {}{}", "[".repeat(200), "]".repeat(200)), 1, "deeper");
        refuses(&"- ".repeat(5000), 1, "deeper");
        let mut chain = "- &a0 [x]\n".to_owned();
        for level in 1..5000 {
            chain.push_str(&format!("- &a{level} [*a{}]\n", level - 1));
        }
        refuses(&chain, 100, "deeper");
        refuses("- &a [*a]\n", 1, "inside the value");
    }
}
