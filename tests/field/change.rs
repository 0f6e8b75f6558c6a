//! Changes of a folder's texts. One that doesn't find its place is a mistake in `expect.yaml`, not a finding.

use serde_json::Value;

use crate::expectation::Change;
use crate::folder::Files;

impl Change {
    pub(crate) fn apply(&self, files: &mut Files) {
        match (&self.replace, &self.remove, &self.add, &self.write) {
            (Some(text), None, None, None) => self.replace(text, files),
            (None, Some(object), None, None) => {
                let removed: usize = files.values_mut().map(|file| remove(object, file)).sum();
                assert_eq!(removed, 1, "{object} is there {removed} times");
            }
            (None, None, Some(documents), None) => {
                let first = files.values_mut().next().expect("a file");
                first.push_str(SEPARATOR);
                first.push_str(documents);
            }
            (None, None, None, Some(file)) => {
                files.insert(file.clone(), self.content.clone());
            }
            _ => panic!("a change is one of replace, remove, add and write"),
        }
    }

    fn replace(&self, text: &str, files: &mut Files) {
        let mut found = 0;
        for file in files.values_mut() {
            let mut documents = documents(file);
            for document in &mut documents {
                if self.within.as_ref().is_none_or(|object| is(document, object)) {
                    found += document.matches(text).count();
                    *document = document.replace(text, &self.with);
                }
            }
            *file = documents.join(SEPARATOR);
        }
        let place = self.within.as_deref().unwrap_or("the folder");
        assert_eq!(found, self.times.unwrap_or(1), "{text:?} is {found} times in {place}");
    }
}

/// What stands between documents.
pub(crate) const SEPARATOR: &str = "---\n";

/// The documents, each with its last line feed.
pub(crate) fn documents(file: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in file.split_inclusive('\n') {
        if line == SEPARATOR {
            documents.push(String::new());
        } else {
            documents.last_mut().expect("one at least").push_str(line);
        }
    }
    documents
}

fn remove(object: &str, file: &mut String) -> usize {
    let documents = documents(file);
    let kept: Vec<String> = documents.iter().filter(|document| !is(document, object)).cloned().collect();
    *file = kept.join(SEPARATOR);
    documents.len() - kept.len()
}

/// Whether a document is of this `Kind name` or `Kind namespace/name`.
fn is(document: &str, object: &str) -> bool {
    let (kind, name) = object.split_once(' ').expect("a kind and a name");
    let Ok(found) = serde_saphyr::from_str::<Value>(document) else { return false };
    let own = &found["metadata"]["name"];
    let full =
        format!("{}/{}", found["metadata"]["namespace"].as_str().unwrap_or_default(), own.as_str().unwrap_or_default());
    found["kind"] == kind && (own == name || full == name)
}
