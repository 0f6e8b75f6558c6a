//! The text of the source files, from the disk or made up by a test.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// Source files by path, with `/` between folders.
pub(super) struct Sources(BTreeMap<String, String>);

impl Sources {
    /// Every Rust file in `folder`, with paths relative to `root`.
    pub(super) fn read(root: &Path, folder: &str) -> Self {
        let mut files = BTreeMap::new();
        let entries = walkdir::WalkDir::new(root.join(folder)).sort_by_file_name();
        for entry in entries.into_iter().map(|entry| entry.expect("the source tree can be walked")) {
            if entry.path().extension().is_some_and(|extension| extension == "rs") {
                let name = entry.path().strip_prefix(root).expect("entries are below the root");
                let text = std::fs::read_to_string(entry.path()).expect("a source file can be read");
                files.insert(slashed(name), text);
            }
        }
        Self(files)
    }

    /// Files that a test made up.
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    /// The text of a file.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// All paths, in order.
    pub(super) fn paths(&self) -> BTreeSet<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

/// `path` with `/` between its parts, and without `.` and `..`.
pub(super) fn slashed(path: &Path) -> String {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            part => clean.push(part),
        }
    }
    clean.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
