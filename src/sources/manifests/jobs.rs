//! What is to be read, piece by piece, in order.

use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::decoded::Context;
use super::input;
use super::node::Fault;
use super::parts::{self, Contents, Part, Text};
use super::source::{self, Origin};
use super::text;
use super::tools;

/// A piece of the input.
#[derive(Debug)]
pub(super) struct Job {
    /// The number of its file.
    pub(super) file: usize,
    pub(super) origin: Origin,
    /// Whether its file was found in a folder, where other files than manifests may be too.
    pub(super) in_folder: bool,
    pub(super) what: What,
}

/// A piece of the input that was read.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) job: Job,
    /// What is in it, if it is a part of a text.
    pub(super) contents: Option<Contents>,
}

#[derive(Debug)]
pub(super) enum What {
    Part(Part),
    /// A template of a chart in this folder.
    Template(PathBuf, Zeroizing<String>),
    /// It isn't text.
    Fault(Fault),
    /// It can't be read, and why.
    Unreadable(String),
}

impl Job {
    /// Reads it, independent of all others.
    pub(super) fn read(&self, context: &Context<'_>) -> Option<Contents> {
        match &self.what {
            What::Part(part) => Some(part.read(context, parts::BUDGET)),
            _ => None,
        }
    }
}

/// The jobs of one file, in parts at least so long.
pub(super) fn of_file(file: input::Found, number: usize, part: usize) -> Box<dyn Iterator<Item = Job>> {
    let (origin, in_folder) = (file.origin(), file.in_folder);
    match file.read() {
        Ok(bytes) => of_bytes(bytes, number, origin, in_folder, part),
        Err(error) => {
            let what = What::Unreadable(input::why(&error));
            Box::new(std::iter::once(Job { file: number, origin, in_folder, what }))
        }
    }
}

/// The jobs of a text in memory, given with its name.
pub(super) fn of_text((name, text): (&str, &str), number: usize, part: usize) -> Box<dyn Iterator<Item = Job>> {
    let origin = Origin { name: name.to_owned(), path: None, piped: false };
    of_bytes(text.as_bytes().to_vec(), number, origin, false, part)
}

fn of_bytes(
    bytes: Vec<u8>,
    file: usize,
    origin: Origin,
    in_folder: bool,
    part: usize,
) -> Box<dyn Iterator<Item = Job>> {
    let marked = bytes.starts_with(source::BYTE_ORDER_MARK);
    let text = match text::decode(bytes) {
        Ok(text) => text,
        Err(fault) => return Box::new(std::iter::once(Job { file, origin, in_folder, what: What::Fault(fault) })),
    };
    if let Some(chart) = origin.path.as_deref().filter(|_| text.contains("{{")).and_then(tools::chart_of) {
        return Box::new(std::iter::once(Job { file, origin, in_folder, what: What::Template(chart, text) }));
    }
    let text = Arc::new(Text { origin: origin.clone(), text, strict: !in_folder, marked });
    Box::new(text.parts(part).map(move |part| Job { file, origin: origin.clone(), in_folder, what: What::Part(part) }))
}
