//! Rules are spoken of by their constants: a code that stands as a string would outlive its rule.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use meshvet::finding::RULES;

/// A source file, without its module of tests.
struct Source {
    path: PathBuf,
    text: String,
}

fn sources() -> Vec<Source> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let paths = walkdir::WalkDir::new(folder).into_iter().flatten().map(walkdir::DirEntry::into_path);
    let rust = paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let all: Vec<Source> = rust
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a readable file");
            let program = without_tests(&text).to_owned();
            Source { path, text: program }
        })
        .collect();
    let for_tests: HashSet<PathBuf> = all.iter().flat_map(modules_for_tests).collect();
    // A module is a file, or all of a folder.
    let below = |path: &Path| path.ancestors().any(|above| for_tests.contains(&above.with_extension("")));
    all.into_iter().filter(|it| !it.text.contains("\n#![cfg(test)]\n") && !below(&it.path)).collect()
}

/// A file's text up to its module of tests.
fn without_tests(text: &str) -> &str {
    let begins = text.match_indices("#[cfg(test)]\n").find(|(at, mark)| {
        let item = text.get(at + mark.len()..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        item.ends_with("mod tests {")
    });
    begins.and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// The modules in files of their own that are compiled for tests alone, as paths without an ending.
fn modules_for_tests(source: &Source) -> Vec<PathBuf> {
    let stem = source.path.with_extension("");
    let folder = if stem.ends_with("mod") || stem.ends_with("lib") { stem.parent() } else { Some(stem.as_path()) };
    let marked = source.text.split("#[cfg(test)]\n").skip(1).filter_map(|rest| rest.split_once(";\n"));
    let names = marked.filter_map(|(item, _)| item.strip_prefix("pub(crate) ").unwrap_or(item).strip_prefix("mod "));
    names.filter_map(|name| Some(folder?.join(name))).collect()
}

pub(crate) fn no_code_or_name_of_a_rule_is_a_string_outside_of_the_catalogue() {
    let sources = sources();
    let (catalogue, others): (Vec<_>, Vec<_>) =
        sources.iter().partition(|source| source.path.ends_with("finding/catalogue/table.rs"));
    let mut strings = Vec::new();
    for Source { path, text } in others {
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            let words = RULES.iter().flat_map(|rule| [rule.code, rule.name]);
            let said = words.filter(|word| line.contains(&format!("\"{word}\"")));
            strings.extend(said.map(|word| format!("{}:{}: {word:?}", path.display(), number + 1)));
        }
    }
    assert!(strings.is_empty(), "use the constants of finding::catalogue: {strings:#?}");
    let table = catalogue.first().map(|source| source.text.as_str()).unwrap_or_default();
    assert!(RULES.iter().all(|rule| table.contains(&format!("\"{}\"", rule.name))), "the table has moved");
    assert!(sources.len() > 200, "{}", sources.len());
}
