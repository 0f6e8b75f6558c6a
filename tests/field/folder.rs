//! The folders that are committed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::expectation::Expectation;

const EXPECTATION: &str = "expect.yaml";

/// Texts by their paths below the folder.
pub(crate) type Files = BTreeMap<String, String>;

/// A folder with what is expected of it.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) files: Files,
    pub(crate) expect: Expectation,
}

/// All folders of `tests/field/GROUP`, by name.
pub(crate) fn all(group: &str) -> Vec<Arc<Case>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/field").join(group);
    let mut names: Vec<String> = std::fs::read_dir(&root)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names.into_iter().map(|name| Arc::new(read(&root, name))).collect()
}

fn read(root: &Path, name: String) -> Case {
    let folder = root.join(&name);
    let mut files = Files::new();
    for entry in walkdir::WalkDir::new(&folder).into_iter().map(|entry| entry.expect("an entry")) {
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(&folder).expect("below it").to_str().expect("UTF-8").to_owned();
            files.insert(path, std::fs::read_to_string(entry.path()).expect("text"));
        }
    }
    let expect = files.remove(EXPECTATION).unwrap_or_else(|| panic!("{name} has no {EXPECTATION}"));
    let expect = Expectation::parse(&expect).unwrap_or_else(|error| panic!("{name}/{EXPECTATION}: {error}"));
    Case { name, files, expect }
}
