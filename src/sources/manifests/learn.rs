//! Learns what was read, piece by piece, in the order of the input.

use std::sync::Arc;

use crate::apis::Entry;
use crate::mesh::FactId;

use super::comments::{self, Comment};
use super::decoded::{self, Context, Decoded, Object, What};
use super::jobs::{self, Done, Job};
use super::kustomize::Kustomized;
use super::node::Fault;
use super::parts::{self, Contents, Item, Part, Text};
use super::source::{self, Source};
use super::tools::Tool;
use super::{LoadProblem, Loader, Located, LocatedError, Mark, Seen, Site, SourceId, text};

/// A text, as far as it has been learnt.
#[derive(Debug)]
pub(super) struct Reading {
    /// The number of its file.
    file: usize,
    /// None: nothing of it is to be learnt.
    text: Option<Arc<Text>>,
    id: SourceId,
    /// How many notes there were before.
    notes: usize,
    /// What aliases and merges have added, in nodes.
    spent: usize,
    /// Whether all of it has been learnt.
    complete: bool,
    /// Whether a document was skipped.
    broken: bool,
    /// Whether there was a document.
    begun: bool,
    /// How many comments for meshvet there were.
    comments: usize,
    /// Those that no object has taken.
    stray: Vec<(SourceId, Mark, String)>,
    /// What the parser reported.
    faults: Vec<Fault>,
    /// What is wrong with documents that could be parsed.
    misfits: Vec<Fault>,
    /// What is wrong with objects that could be decoded.
    refused: Vec<Fault>,
    lines: source::Lines,
}

impl Loader {
    /// Learns a piece of the input. `tell` gets the number of each file before it is learnt.
    pub(super) fn take(&mut self, done: Done, context: &Context<'_>, tell: &mut dyn FnMut(usize)) {
        let Done { job, contents } = done;
        if self.reading.as_ref().is_none_or(|reading| reading.file != job.file) {
            self.finish_text();
            tell(job.file);
            let is_skipped = self.skips(&job);
            self.reading = Some(Reading::new(job.file, SourceId(self.out.sources.len()), self.out.notes.len()));
            if is_skipped {
                return;
            }
            self.begin(&job);
        }
        let Some(mut reading) = self.reading.take() else { return };
        if let (jobs::What::Part(part), Some(contents)) = (job.what, contents)
            && reading.text.is_some()
            && !reading.complete
        {
            self.take_part(&mut reading, part, contents, context);
        }
        self.reading = Some(reading);
    }

    /// Whether a file isn't read for its objects.
    fn skips(&mut self, job: &Job) -> bool {
        let path = job.origin.path.as_deref();
        if job.in_folder && self.kustomized.leaves_out(path) {
            return true;
        }
        let Some(folder) = path.and_then(|path| Kustomized::patch_of(&self.kustomized, path)) else { return false };
        let by_name = (!job.in_folder).then_some((1, 1));
        self.of_tool(Tool::Patch(Some(folder)), &job.origin.name, by_name);
        true
    }

    /// Begins with a file, by its first piece.
    fn begin(&mut self, job: &Job) {
        let name = &job.origin.name;
        self.path.clone_from(&job.origin.path);
        match &job.what {
            jobs::What::Part(part) => {
                self.names.push(name.clone());
                if let Some(reading) = &mut self.reading {
                    reading.text = Some(Arc::clone(&part.of));
                }
            }
            jobs::What::Template(chart, text) => self.tools.template(chart.clone(), name, text),
            jobs::What::Fault(fault) => self.problem(name, fault.clone()),
            jobs::What::Unreadable(message) => self.out.problems.push(LoadProblem {
                file: name.clone(),
                line: None,
                column: None,
                message: message.clone(),
            }),
        }
    }

    fn take_part(&mut self, reading: &mut Reading, part: Part, mut contents: Contents, context: &Context<'_>) {
        let over = reading.spent.saturating_add(contents.spent) > parts::BUDGET;
        if over || (contents.broken && !part.is_last()) {
            // What is broken may go on where the part ends, so that the rest is read as one.
            contents = part.with_rest().read(context, parts::BUDGET.saturating_sub(reading.spent));
            reading.complete = true;
        }
        reading.spent = reading.spent.saturating_add(contents.spent);
        reading.broken |= contents.broken;
        reading.faults.append(&mut contents.faults);
        reading.misfits.append(&mut contents.misfits);
        self.foreign += contents.foreign;
        let mut comments = contents.comments;
        comments.truncate(comments::MOST.saturating_sub(reading.comments));
        reading.comments += comments.len();
        for comment in &mut comments {
            if !reading.begun && contents.first.is_none_or(|first| first > comment.mark.line) {
                comment.is_first();
            }
        }
        reading.begun |= contents.first.is_some();
        for item in contents.items {
            match item {
                Item::Tool(tool, at) => {
                    let Some(text) = &reading.text else { continue };
                    self.of_tool(tool, &text.origin.name, text.strict.then_some(at));
                }
                Item::Object(object) => self.take_object(reading, *object, &mut comments, context),
            }
        }
        let stray = comments.into_iter().filter(|comment| !comment.taken);
        reading.stray.extend(stray.map(|comment| (reading.id, comment.mark, comment.text)));
    }

    fn take_object(
        &mut self,
        reading: &mut Reading,
        object: Object,
        comments: &mut [comments::Found],
        context: &Context<'_>,
    ) {
        let lines = object.lines.clone();
        if object.is_secret {
            reading.lines.secret.push(lines.clone());
        }
        let own = comments::take(comments, &object.positions, &lines, &object.document);
        let beside: Vec<_> = own.iter().map(|comment| comment.mark.line..=comment.mark.line).collect();
        match self.learn(reading.id, object, own, context) {
            Ok(true) => reading.lines.shown.extend(beside.into_iter().chain([lines])),
            Ok(false) => {}
            Err(fault) => reading.refused.push(fault),
        }
    }

    /// Learns one object. Returns whether findings may point at it.
    fn learn(
        &mut self,
        source: SourceId,
        object: Object,
        comments: Vec<Comment>,
        context: &Context<'_>,
    ) -> Result<bool, Fault> {
        self.out.found += 1;
        let Object { at, template, positions, what, .. } = object;
        let seen = Seen { source, line: at.line, index: None };
        let what = match what {
            What::Unnamed(mut value) => {
                self.unnamed += 1;
                decoded::name(&mut value, self.unnamed);
                decoded::decode(value, &positions, context)
            }
            what => what,
        };
        match what {
            What::Kustomization(value) => {
                self.kustomize(value, seen);
                Ok(false)
            }
            What::Fault(fault) => Err(fault),
            What::Unnamed(_) => Ok(false),
            What::Decoded(mut decoded) => {
                let template = template.or_else(|| decoded.built_from.take());
                let site = Site { source, line: at.line, positions, comments, template };
                Ok(self.learn_decoded(*decoded, site, seen))
            }
        }
    }

    fn learn_decoded(&mut self, decoded: Decoded, site: Site, mut seen: Seen) -> bool {
        let Decoded { unfilled, later, kept, entry, .. } = decoded;
        if let Some(unfilled) = unfilled {
            self.note_placeholders(seen.source, unfilled);
        }
        if let Some(later) = later {
            self.promise_later(later, seen);
        }
        if let Some(value) = kept {
            self.keep_document(value, seen);
        }
        match entry {
            Ok(Entry::Subject(reviewed)) => {
                seen.index = Some(self.out.objects.len());
                let id = FactId::Object(reviewed.object.clone());
                self.out.world.replace(&id, reviewed.facts.clone());
                self.see(id, seen);
                self.out.objects.push(Located { reviewed: reviewed.into(), site });
                return true;
            }
            Ok(Entry::Fact(fact)) => {
                self.see(fact.id(), seen);
                self.out.world.learn(fact);
            }
            Ok(Entry::Nothing(id)) => {
                self.out.world.forget(&id);
                self.see(id, seen);
            }
            Ok(Entry::Other) => {}
            Err(error) => {
                let shown = !matches!(error.object.kind.as_str(), "Secret" | "ConfigMap");
                self.out.undecodable.push(LocatedError { error: error.into(), site });
                return shown;
            }
        }
        let stray = site.comments.into_iter().map(|comment| (seen.source, comment.mark, comment.text));
        self.out.stray.extend(stray);
        false
    }

    /// Ends with a text whose last part has been learnt.
    pub(super) fn finish_text(&mut self) {
        let Some(mut reading) = self.reading.take() else { return };
        let Some(text) = reading.text.take() else { return };
        let name = &text.origin.name;
        if reading.comments == comments::MOST {
            let note = format!("{name}: only the first {} meshvet comments count", comments::MOST);
            self.out.notes.insert(reading.notes, note);
        }
        self.out.stray.append(&mut reading.stray);
        if reading.broken {
            text::explain(&text.text, &mut reading.faults);
        }
        let mut faults = reading.faults;
        faults.append(&mut reading.misfits);
        faults.append(&mut reading.refused);
        faults.sort_by_key(|fault| (fault.line, fault.column));
        if faults.len() > text::MAX_FAULTS {
            let more = faults.len() - text::MAX_FAULTS;
            self.out
                .notes
                .push(format!("{name}: {more} more places can't be read; the first {} are listed", text::MAX_FAULTS));
            faults.truncate(text::MAX_FAULTS);
        }
        for fault in faults {
            self.problem(name, fault);
        }
        self.out.sources.push(Source::new(text.origin.clone(), &text.text, text.marked, &reading.lines));
    }
}

impl Reading {
    fn new(file: usize, id: SourceId, notes: usize) -> Self {
        Self {
            file,
            text: None,
            id,
            notes,
            spent: 0,
            complete: false,
            broken: false,
            begun: false,
            comments: 0,
            stray: Vec::new(),
            faults: Vec::new(),
            misfits: Vec::new(),
            refused: Vec::new(),
            lines: source::Lines::default(),
        }
    }
}
