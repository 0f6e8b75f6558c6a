//! Manifests as a world: YAML and JSON from files, folders and standard input.
//!
//! Reads what `kubectl apply` would read: streams of documents, lists, YAML 1.1 scalars. Each field keeps its value and its
//! position, so that findings have line and column. A broken document is reported and skipped; the others are
//! read. Texts of Secrets are wiped once they have become facts.
//!
//! ```text
//! files ──► parts ──(on all cores)──► objects, decoded ──► learnt in the order of the files
//! ```
//!
//! A text is held until its last part has been learnt. What is kept of it are the lines that findings may show, once, and the packed
//! positions of the fields of judged objects.

mod comments;
mod decoded;
mod documents;
mod input;
mod jobs;
mod json;
mod kustomize;
mod later;
mod learn;
mod members;
mod node;
mod notes;
mod objects;
mod parts;
mod placeholders;
mod positions;
mod scalar;
mod source;
mod text;
mod tools;
mod yaml;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use crate::apis::{Subject, Undecodable};
use crate::k8s::ObjectRef;
use crate::mesh::{Fact, FactId, SecretAccess, World};
use crate::text::plural;
use crate::work;

pub use comments::Comment;
pub use documents::Document;
pub use input::Input;
pub use positions::{Mark, Positions};
pub use source::{Origin, Source};

use jobs::{Done, Job};
use kustomize::Kustomized;
use learn::Reading;
use node::{Budget, Fault};
use tools::Tools;

/// An index into [`Manifests::sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SourceId(usize);

/// An object that rules judge, and its location.
#[derive(Debug)]
pub struct Located {
    /// The object.
    pub reviewed: Arc<Subject>,
    /// Its location.
    pub site: Site,
}

/// An object that couldn't be read (MV006), and its location.
#[derive(Debug)]
pub struct LocatedError {
    /// What is wrong.
    pub error: Arc<Undecodable>,
    /// Its location.
    pub site: Site,
}

/// An object's location.
#[derive(Debug)]
pub struct Site {
    /// The file.
    pub source: SourceId,
    /// Its first line, 1-based.
    pub line: u32,
    /// The positions of its fields.
    pub positions: Positions,
    /// The comments for meshvet at its fields, in order.
    pub comments: Vec<Comment>,
    /// The file that the object was rendered from, if the tool recorded it: helm in a comment `# Source: …`,
    /// kustomize in an annotation.
    pub template: Option<String>,
}

/// A problem that keeps a file, or a part of it, from being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadProblem {
    /// The path as given, or `stdin`.
    pub file: String,
    /// 1-based; None for the whole file.
    pub line: Option<u32>,
    /// 1-based, in characters.
    pub column: Option<u32>,
    /// What is wrong.
    pub message: String,
}

/// The contents of manifests.
#[derive(Debug)]
pub struct Manifests {
    /// Their world. Secrets that aren't in it don't exist.
    pub world: World,
    /// The objects that rules judge, in the order of the files. Of duplicates, the last.
    pub objects: Vec<Located>,
    /// Objects that can't be read.
    pub undecodable: Vec<LocatedError>,
    /// What couldn't be read at all.
    pub problems: Vec<LoadProblem>,
    /// What a user should know though nothing is wrong: one sentence each.
    pub notes: Vec<String>,
    /// Comments for meshvet that aren't at a field of a judged object: where, and the text.
    pub stray: Vec<(SourceId, Mark, String)>,
    /// The files.
    pub sources: Vec<Source>,
    /// How many Kubernetes objects there are, of any kind.
    pub found: usize,
    /// The objects one by one, if [requested](in_order).
    pub documents: Vec<Document>,
    /// Stores that will be created, known before any document is submitted: recorded with the documents.
    pub promised: Vec<Fact>,
    /// For each judged object, its index in `objects`.
    index: HashMap<ObjectRef, usize>,
}

impl SourceId {
    /// The file with this id, among the sources of the same manifests.
    pub(crate) fn of(self, sources: &[Source]) -> Option<&Source> {
        sources.get(self.0)
    }
}

impl Manifests {
    /// The file with this id.
    pub fn source(&self, id: SourceId) -> Option<&Source> {
        id.of(&self.sources)
    }

    /// A judged object's location.
    pub fn site(&self, object: &ObjectRef) -> Option<&Site> {
        self.index.get(object).and_then(|index| self.objects.get(*index)).map(|located| &located.site)
    }
}

/// Reads files and folders. Objects without a namespace are in `default_namespace`.
pub fn load(inputs: &[Input], default_namespace: &str) -> Manifests {
    load_telling(inputs, default_namespace, &mut |_, _| {})
}

/// As [`load`], keeping each object as kubectl would submit it.
pub(crate) fn in_order(inputs: &[Input], default_namespace: &str) -> Manifests {
    let mut loader = Loader::new(default_namespace);
    loader.in_order = true;
    loader.load(inputs, &mut |_, _| {})
}

/// As [`load`], reporting before each file how many have been read, and of how many.
pub(crate) fn load_telling(inputs: &[Input], default_namespace: &str, tell: &mut dyn FnMut(usize, usize)) -> Manifests {
    Loader::new(default_namespace).load(inputs, tell)
}

/// Reads texts in memory, each with its name.
pub fn load_texts<'t>(texts: impl IntoIterator<Item = (&'t str, &'t str)>, default_namespace: &str) -> Manifests {
    Loader::new(default_namespace).load_texts(texts)
}

/// As [`load_texts`], keeping each object as kubectl would submit it.
pub(crate) fn in_order_of_texts<'t>(
    texts: impl IntoIterator<Item = (&'t str, &'t str)>,
    default_namespace: &str,
) -> Manifests {
    let mut loader = Loader::new(default_namespace);
    loader.in_order = true;
    loader.load_texts(texts)
}

/// The positions of the fields in a text's first document.
pub(crate) fn first_positions(text: &str) -> Option<Positions> {
    first_document(text).map(|(_, positions)| positions)
}

/// A text's first document, as kubectl reads it. None if there is none, or if it can't be read.
pub fn first_value(text: &str) -> Option<Value> {
    first_document(text).map(|(value, _)| value)
}

fn first_document(text: &str) -> Option<(Value, Positions)> {
    let mut budget = Budget::new(node::EXPANSION);
    let document = text::read(text, &mut budget).documents.into_iter().next()?;
    document.split(&mut budget).ok()
}

struct Loader {
    namespace: String,
    out: Manifests,
    seen: HashMap<FactId, Seen>,
    /// The names of the sources, including the current one.
    names: Vec<String>,
    unnamed: usize,
    foreign: usize,
    gone: Vec<usize>,
    /// The current file.
    path: Option<PathBuf>,
    kustomized: Kustomized,
    /// Whether the objects are kept one by one.
    in_order: bool,
    tools: Tools,
    /// The text that is being read.
    reading: Option<Reading>,
    /// On how many threads.
    threads: usize,
    /// How long the parts of a text are at least, in bytes.
    part: usize,
}

/// Where a fact was found, and its index among the judged objects.
#[derive(Clone, Copy)]
struct Seen {
    source: SourceId,
    line: u32,
    index: Option<usize>,
}

impl Loader {
    fn new(namespace: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            out: Manifests {
                world: World::new(SecretAccess::Complete),
                objects: Vec::new(),
                undecodable: Vec::new(),
                problems: Vec::new(),
                notes: Vec::new(),
                stray: Vec::new(),
                sources: Vec::new(),
                found: 0,
                documents: Vec::new(),
                promised: Vec::new(),
                index: HashMap::new(),
            },
            seen: HashMap::new(),
            names: Vec::new(),
            unnamed: 0,
            foreign: 0,
            gone: Vec::new(),
            path: None,
            kustomized: Kustomized::default(),
            in_order: false,
            tools: Tools::default(),
            reading: None,
            threads: work::threads(),
            part: parts::LENGTH,
        }
    }

    fn load(mut self, inputs: &[Input], tell: &mut dyn FnMut(usize, usize)) -> Manifests {
        let (mut files, problems) = input::find(inputs);
        // Kustomizations first: they say what the other files are.
        files.sort_by_key(|file| !file.path.as_deref().is_some_and(kustomize::is_by_name));
        for (file, message) in problems {
            self.out.problems.push(LoadProblem { file, line: None, column: None, message });
        }
        for input in inputs {
            if let Input::Path(path) = input {
                self.patches_above(path);
            }
        }
        let all = files.len();
        let part = self.part;
        self.read(
            files.into_iter().enumerate().flat_map(|(number, file)| jobs::of_file(file, number, part)),
            &mut |number| {
                tell(number, all);
            },
        );
        self.finish()
    }

    fn load_texts<'t>(mut self, texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> Manifests {
        let part = self.part;
        self.read(
            texts.into_iter().enumerate().flat_map(|(number, text)| jobs::of_text(text, number, part)),
            &mut |_| {},
        );
        self.finish()
    }

    /// Reads everything on all cores, and learns it in order. `tell` gets the number of each text before it is learnt.
    fn read(&mut self, jobs: impl Iterator<Item = Job>, tell: &mut dyn FnMut(usize)) {
        let namespace = self.namespace.clone();
        let context = decoded::Context { namespace: &namespace, in_order: self.in_order };
        let read = |job: Job| {
            let contents = job.read(&context);
            Done { job, contents }
        };
        work::in_order(self.threads, jobs, read, |done| self.take(done, &context, tell));
        self.finish_text();
    }

    fn problem(&mut self, file: &str, fault: Fault) {
        let Fault { line, column, message, .. } = fault;
        self.out.problems.push(LoadProblem { file: file.to_owned(), line: Some(line), column: Some(column), message });
    }

    fn finish(mut self) -> Manifests {
        self.gone.sort_unstable();
        let mut index = 0;
        self.out.objects.retain(|_| {
            index += 1;
            self.gone.binary_search(&(index - 1)).is_err()
        });
        let names = self.out.objects.iter().map(|located| located.reviewed.object.clone());
        self.out.index = names.enumerate().map(|(index, object)| (object, index)).collect();
        self.out.notes.extend(self.kustomized.note());
        self.tell_of_tools();
        if self.foreign > 0 {
            let are = if self.foreign == 1 { "is" } else { "are" };
            self.out.notes.push(format!(
                "{} without apiVersion and kind {are} skipped: not Kubernetes objects",
                plural(self.foreign, "document")
            ));
        }
        self.out
    }
}
