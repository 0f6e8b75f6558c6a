//! Notes for the user about manifests in which nothing is wrong.

use crate::mesh::FactId;

use super::placeholders::Unfilled;
use super::{Loader, Seen, SourceId, text};

impl Loader {
    /// Notes that unfilled placeholders are judged as they are: once for each object.
    pub(super) fn note_placeholders(&mut self, source: SourceId, Unfilled { at, name, more }: Unfilled) {
        let file = self.names.get(source.0).map_or("", String::as_str);
        let more = match more {
            0 => String::new(),
            more => format!(", and {more} more of the object,"),
        };
        let text = format!("the placeholder {name}{more} is not filled in, and is judged as it is: {}", text::FILL_IN);
        self.out.notes.push(format!("{file}:{}:{}: {text}", at.line, at.column));
    }

    /// Notes where a fact was found. Of duplicates the last counts, as when kubectl applies them in sequence.
    pub(super) fn see(&mut self, id: FactId, seen: Seen) {
        let (source, line) = (seen.source, seen.line);
        let what = match &id {
            FactId::Object(object) => object.to_string(),
            FactId::Store(store) => store.to_string(),
            FactId::Namespace(name) => format!("Namespace {name}"),
        };
        let Some(earlier) = self.seen.insert(id, seen) else { return };
        let name = |source: SourceId| self.names.get(source.0).map_or("", String::as_str);
        self.out.notes.push(format!(
            "{what} appears twice, at {}:{} and {}:{line}: the later one counts, as with kubectl apply",
            name(earlier.source),
            earlier.line,
            name(source),
        ));
        self.gone.extend(earlier.index);
    }
}
