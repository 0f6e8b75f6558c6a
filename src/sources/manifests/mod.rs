//! Manifests as a world: YAML and JSON from files, folders and standard input.
//!
//! Reads what `kubectl apply` would read: streams of documents, lists, YAML 1.1 scalars. Each field keeps its value and its
//! position, so that findings have line and column. A broken document is reported and skipped; the others are
//! read. Texts of Secrets are wiped once they have become facts.

mod comments;
mod documents;
mod input;
mod json;
mod kustomize;
mod later;
mod node;
mod notes;
mod objects;
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

use crate::apis::{self, Entry, Part, Row, Subject, Undecodable, decode_written};
use crate::k8s::{FieldPath, ObjectRef};
use crate::mesh::{Fact, FactId, SecretAccess, World};
use crate::text::plural;

pub use comments::Comment;
pub use documents::Document;
pub use input::Input;
pub use positions::{Mark, Positions};
pub use source::{Origin, Source};

use kustomize::Kustomized;
use node::{Budget, Fault};
use objects::Raw;
use tools::{Tool, Tools};

/// An index into [`Manifests::sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SourceId(usize);

/// An object that rules judge, and its location.
#[derive(Debug)]
pub struct Located {
    /// The object.
    pub reviewed: Arc<Subject>,
    /// As written, for kinds of a mesh; None for others.
    pub raw: Option<Value>,
    /// Its location.
    pub site: Site,
}

/// An object that couldn't be read (MV006), and its location.
#[derive(Debug)]
pub struct LocatedError {
    /// What is wrong.
    pub error: Arc<Undecodable>,
    /// As written, for kinds of a mesh; None for others.
    pub raw: Option<Value>,
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

/// A fault for a name or a label that YAML doesn't read as a string: `yes` and `on` are booleans, `1.0` is a number. Kinds that are
/// decoded as a whole report this themselves; of others meshvet reads little else.
fn texts_of_metadata(raw: &Raw) -> Result<(), Fault> {
    let text = |key: &str| raw.value.get(key).and_then(Value::as_str).unwrap_or_default();
    let row = apis::row(text("apiVersion"), text("kind"));
    if !row.is_some_and(|row| matches!(row.part, Part::Place | Part::Store | Part::Service)) {
        return Ok(());
    }
    let metadata = FieldPath::root().key("metadata");
    let names = ["name", "namespace"].map(|key| metadata.key(key));
    let maps = ["labels", "annotations"].map(|key| metadata.key(key));
    let below = maps.into_iter().flat_map(|map| {
        let members = raw.value.pointer(map.pointer()).and_then(Value::as_object);
        members.into_iter().flatten().map(move |(key, _)| map.key(key)).collect::<Vec<_>>()
    });
    let wrong = names.into_iter().chain(below).find_map(|field| match raw.value.pointer(field.pointer()) {
        Some(Value::Bool(flag)) => Some((field, format!("the boolean {flag}"))),
        Some(Value::Number(number)) => Some((field, format!("the number {number}"))),
        _ => None,
    });
    let Some((field, read)) = wrong else { return Ok(()) };
    let at = raw.positions.nearest(&field);
    Err(Fault::new(
        at,
        format!("{}: expected a string, and YAML reads {read} here; write it in quotes", field.kubernetes()),
    ))
}

/// The positions of the fields in a text's first document.
pub(crate) fn first_positions(text: &str) -> Option<Positions> {
    let mut budget = Budget::new(node::EXPANSION);
    let document = text::read(text, &mut budget).documents.into_iter().next()?;
    document.split(&mut budget).ok().map(|(_, spots)| Positions::new(spots))
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
        for (read, file) in files.into_iter().enumerate() {
            tell(read, all);
            if file.in_folder && self.kustomized.leaves_out(file.path.as_deref()) {
                continue;
            }
            if let Some((path, folder)) =
                file.path.as_deref().and_then(|path| Some((path, self.kustomized.patch_of(path)?)))
            {
                let by_name = (!file.in_folder).then_some((1, 1));
                self.of_tool(Tool::Patch(Some(folder)), &input::shown(path), by_name);
                continue;
            }
            match file.read() {
                Ok(bytes) => self.add(file.origin(), bytes, !file.in_folder),
                Err(error) => {
                    let message = input::why(&error);
                    self.out.problems.push(LoadProblem { file: file.name(), line: None, column: None, message });
                }
            }
        }
        self.finish()
    }

    fn load_texts<'t>(mut self, texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> Manifests {
        for (name, text) in texts {
            let origin = Origin { name: name.to_owned(), path: None, piped: false };
            self.add(origin, text.as_bytes().to_vec(), true);
        }
        self.finish()
    }

    /// Reads one file. `strict`: documents that aren't Kubernetes objects are a problem.
    fn add(&mut self, origin: Origin, bytes: Vec<u8>, strict: bool) {
        let id = SourceId(self.out.sources.len());
        let name = origin.name.clone();
        self.path.clone_from(&origin.path);
        let marked = bytes.starts_with(source::BYTE_ORDER_MARK);
        let text = match text::decode(bytes) {
            Ok(text) => text,
            Err(fault) => {
                self.problem(&name, fault);
                return;
            }
        };
        if let Some(chart) = origin.path.as_deref().filter(|_| text.contains("{{")).and_then(tools::chart_of) {
            self.tools.template(chart, &name, &text);
            return;
        }
        self.names.push(name.clone());
        let mut budget = Budget::new(node::EXPANSION);
        let parsed = text::read(&text, &mut budget);
        let documents: Vec<_> = parsed.documents.iter().map(|node| node.at.line..=node.last_line).collect();
        let mut comments = comments::read(&text, &documents);
        if comments.len() == comments::MOST {
            self.out.notes.push(format!("{name}: only the first {} meshvet comments count", comments::MOST));
        }
        let mut found = objects::Found::default();
        let otherwise = origin.path.as_deref().filter(|path| kustomize::is_by_name(path)).map(|_| kustomize::type_of());
        let mut document_of = Vec::new();
        for (document, lines) in parsed.documents.into_iter().zip(&documents) {
            if let Some(tool) = Tool::of(&document, origin.path.as_deref()).filter(|_| otherwise.is_none()) {
                self.of_tool(tool, &name, strict.then_some((document.at.line, document.at.column)));
                continue;
            }
            objects::take(document, otherwise.as_ref(), &mut budget, strict, &mut found);
            document_of.resize(found.objects.len(), lines);
        }
        let mut faults = parsed.faults;
        faults.append(&mut found.faults);
        let mut lines = source::Lines::default();
        self.foreign += found.foreign;
        let templates = source::Templates::read(&text);
        for (raw, document) in found.objects.into_iter().zip(document_of) {
            let filled = raw.lines.clone();
            if raw.value.get("kind").and_then(Value::as_str) == Some("Secret") {
                lines.secret.push(filled.clone());
            }
            let own = comments::take(&mut comments, &raw, document);
            let beside: Vec<_> = own.iter().map(|comment| comment.mark.line..=comment.mark.line).collect();
            let template = templates.at(raw.at.line).map(str::to_owned);
            match self.learn(id, raw, own, template) {
                Ok(true) => lines.shown.extend(beside.into_iter().chain([filled])),
                Ok(false) => {}
                Err(fault) => faults.push(fault),
            }
        }
        let stray = comments.into_iter().filter(|comment| !comment.taken);
        self.out.stray.extend(stray.map(|comment| (id, comment.mark, comment.text)));
        faults.sort_by_key(|fault| (fault.line, fault.column));
        if faults.len() > text::MAX_FAULTS {
            let more = faults.len() - text::MAX_FAULTS;
            self.out
                .notes
                .push(format!("{name}: {more} more places can't be read; the first {} are listed", text::MAX_FAULTS));
            faults.truncate(text::MAX_FAULTS);
        }
        for fault in faults {
            self.problem(&name, fault);
        }
        self.out.sources.push(Source::new(origin, &text, marked, &lines));
    }

    /// Learns one object. Returns whether findings may point at it.
    fn learn(
        &mut self,
        source: SourceId,
        mut raw: Raw,
        comments: Vec<Comment>,
        template: Option<String>,
    ) -> Result<bool, Fault> {
        self.out.found += 1;
        if kustomize::is_one(&raw.value) {
            self.kustomize(raw.value, Seen { source, line: raw.at.line, index: None });
            return Ok(false);
        }
        self.name(&mut raw)?;
        texts_of_metadata(&raw)?;
        let text = |key: &str| raw.value.get(key).and_then(Value::as_str).unwrap_or_default();
        let kept = apis::row(text("apiVersion"), text("kind")).is_some_and(Row::is_reviewed);
        let original = kept.then(|| raw.value.clone());
        if let Some(object) = &original {
            self.note_placeholders(source, object, &raw.positions);
        }
        let template = template.or_else(|| source::kustomized(&raw.value));
        let mut stray = comments.iter().map(|comment| (source, comment.mark, comment.text.clone())).collect();
        let site = Site { source, line: raw.at.line, positions: raw.positions, comments, template };
        let mut seen = Seen { source, line: raw.at.line, index: None };
        if self.promise_later(&mut raw.value, seen) {
            self.out.stray.append(&mut stray);
            return Ok(false);
        }
        self.keep_document(&raw.value, seen);
        match decode_written(raw.value, &self.namespace) {
            Ok(Entry::Subject(reviewed)) => {
                seen.index = Some(self.out.objects.len());
                let id = FactId::Object(reviewed.object.clone());
                self.out.world.replace(&id, reviewed.facts.clone());
                self.see(id, seen);
                self.out.objects.push(Located { reviewed: reviewed.into(), raw: original, site });
                Ok(true)
            }
            Ok(Entry::Fact(fact)) => {
                self.out.stray.append(&mut stray);
                self.see(fact.id(), seen);
                self.out.world.learn(fact);
                Ok(false)
            }
            Ok(Entry::Nothing(id)) => {
                self.out.stray.append(&mut stray);
                self.out.world.forget(&id);
                self.see(id, seen);
                Ok(false)
            }
            Ok(Entry::Other) => {
                self.out.stray.append(&mut stray);
                Ok(false)
            }
            Err(error) => {
                let shown = !matches!(error.object.kind.as_str(), "Secret" | "ConfigMap");
                self.out.undecodable.push(LocatedError { error: error.into(), raw: original, site });
                Ok(shown)
            }
        }
    }

    /// Gives an object with `generateName` a name, as the API server would; one without any name is rejected, as there.
    fn name(&mut self, raw: &mut Raw) -> Result<(), Fault> {
        let text = |pointer| raw.value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        if text("/metadata/name").is_some() || raw.value.pointer("/metadata/name").is_some_and(|it| !it.is_string()) {
            return Ok(());
        }
        let Some(prefix) = text("/metadata/generateName") else {
            return Err(Fault::new(raw.at, "metadata.name is missing"));
        };
        self.unnamed += 1;
        let name = format!("{prefix}{:05}", self.unnamed);
        if let Some(Value::Object(metadata)) = raw.value.get_mut("metadata") {
            metadata.insert("name".to_owned(), Value::String(name));
        }
        Ok(())
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
