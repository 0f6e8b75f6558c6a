//! YAML: a stream of documents, each broken one left out and named.

use granit_parser::{Event, Options, Parser, ScalarStyle, Span, Tag};

use super::node::{Budget, Builder, Fault, Node};
use super::positions::Mark;
use super::scalar::{ScalarTag, resolve};

/// What a text holds.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// The documents that can be read, in order. Empty ones are left out.
    pub(super) documents: Vec<Node>,
    /// What is wrong, in order.
    pub(super) faults: Vec<Fault>,
    /// Whether a document had to be left out.
    pub(super) broken: bool,
}

/// Reads a stream of documents. After a fault, reading goes on at the next `---`.
pub(super) fn read(text: &str, budget: &mut Budget) -> Parsed {
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut parsed = Parsed::default();
    let mut go_on = true;
    while go_on {
        go_on = match read_document(&mut parser, budget, &mut parsed) {
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
    budget: &mut Budget,
    parsed: &mut Parsed,
) -> Result<bool, Fault> {
    let mut builder = Builder::new(budget);
    loop {
        let (event, span) = match parser.next() {
            None => return Ok(false),
            Some(Err(error)) => return Err(Fault::new(mark(Span::empty(*error.marker())), error.info())),
            Some(Ok(next)) => next,
        };
        let at = mark(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let merge = plain && tag.is_none() && text == "<<";
                let value = resolve(text, plain, tag.as_deref().map(tag_of)).map_err(|why| Fault::new(at, why))?;
                builder.scalar(at, last_line(span), value, anchor, merge)?;
            }
            Event::SequenceStart(_, anchor, _) => builder.open_list(at, anchor)?,
            Event::MappingStart(_, anchor, _) => builder.open_map(at, anchor)?,
            Event::SequenceEnd | Event::MappingEnd => {
                // A block's end is only seen at what follows it.
                let last_line = if span.is_empty() { 0 } else { last_line(span) };
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

fn mark(span: Span) -> Mark {
    let width = if span.start.line() == span.end.line() { span.end.col().saturating_sub(span.start.col()) } else { 0 };
    Mark { line: small(span.start.line()), column: small(span.start.col()).saturating_add(1), width: small(width) }
}

fn last_line(span: Span) -> u32 {
    let line = small(span.end.line());
    if span.end.col() == 0 && span.end.line() > span.start.line() { line.saturating_sub(1) } else { line }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
