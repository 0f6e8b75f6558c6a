//! The documents against what they speak of: links, values of the chart, rules, figures, and what meshvet says in its logs.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// What the documents quote of others: the API server and the system.
const OF_OTHERS: [&str; 9] = [
    "failed calling webhook",
    "x509: ",
    "context deadline exceeded",
    "no endpoints available",
    "service \"meshvet\" not found",
    "connect: connection refused",
    "no route to host",
    "is forbidden: User",
    "admission webhook",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(root().join(folder)).sort_by_file_name().into_iter().flatten();
    entries
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect()
}

/// Every document for people, with its text.
fn documents() -> Vec<(PathBuf, String)> {
    let own = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"];
    let mut paths: Vec<PathBuf> = own.iter().map(|name| root().join(name)).collect();
    for folder in ["docs", "deploy", "tests/fixtures"] {
        paths.extend(files(folder, "md"));
    }
    paths.into_iter().map(|path| (path.clone(), read(&path))).collect()
}

fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// The text without its blocks of code.
fn prose(text: &str) -> String {
    let mut code = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            code = !code;
        } else if !code {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    prose
}

/// The anchors of a document's headings, as hosts of repositories make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text);
    let headings =
        headings.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ');
    headings
        .map(|heading| heading.to_lowercase().chars().filter(|c| kept(*c)).collect::<String>().replace(' ', "-"))
        .collect()
}

/// The targets of a text's links.
fn links(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut seen = 0;
    let mut broken = Vec::new();
    for (path, text) in documents() {
        let folder = path.parent().expect("a folder");
        for target in links(&prose(&text)).into_iter().filter(|target| !target.starts_with("http")) {
            seen += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { path.clone() } else { folder.join(file) };
            let sound = file.exists() && (anchor.is_empty() || anchors(&read(&file)).contains(anchor));
            if !sound {
                broken.push(format!("{}: {target}", name(&path)));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(seen > 100, "{seen}");
}

#[test]
fn every_page_can_be_found_from_the_readme() {
    let pages = files("docs", "md");
    let pages: Vec<_> = pages.into_iter().filter(|page| page.parent() == Some(&root().join("docs"))).collect();
    let named = |text: &str, page: &Path| text.contains(&name(page));
    let readme = read(&root().join("README.md"));
    let (linked, others): (Vec<_>, Vec<_>) = pages.into_iter().partition(|page| named(&readme, page));
    // Or from a page that it leads to.
    let texts: Vec<String> = linked.iter().map(|page| read(page)).collect();
    let lost: Vec<String> = others
        .iter()
        .filter(|page| !texts.iter().any(|text| named(text, page) || links(text).contains(&file_name(page))))
        .map(|page| name(page))
        .collect();
    assert!(lost.is_empty(), "{lost:?}");
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

#[test]
fn values_that_are_set_are_the_charts() {
    let values: Value = serde_saphyr::from_str(&read(&root().join("charts/meshvet/values.yaml"))).expect("YAML");
    let mut seen = 0;
    for (path, text) in documents() {
        for set in text.split("--set ").skip(1) {
            let key: String =
                set.trim_start_matches('\'').chars().take_while(|c| !matches!(c, '=' | ' ' | '\n')).collect();
            seen += 1;
            assert!(values.pointer(&format!("/{}", key.replace('.', "/"))).is_some(), "{}: --set {key}", name(&path));
        }
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn rules_that_are_named_exist() {
    let mut seen = 0;
    for (path, text) in documents() {
        for (at, _) in text.match_indices("MV") {
            let code = text.get(at..at + 5).unwrap_or_default();
            if code.len() == 5 && code[2..].chars().all(|c| c.is_ascii_digit()) {
                seen += 1;
                assert!(root().join(format!("docs/rules/{code}.md")).exists(), "{}: {code}", name(&path));
            }
        }
    }
    assert!(seen > 50, "{seen}");
}

/// All of the program's source on one line each, so that texts over several lines can be found.
fn source() -> String {
    let mut source = String::new();
    for file in files("src", "rs") {
        let mut continued = false;
        for line in read(&file).lines() {
            let line = if continued { line.trim_start() } else { line };
            continued = line.ends_with('\\');
            source.push_str(line.trim_end_matches('\\'));
            if !continued {
                source.push('\n');
            }
        }
    }
    source
}

#[test]
fn figures_that_are_named_are_counted() {
    let source = source();
    let mut seen = 0;
    for (path, text) in documents() {
        for (at, _) in text.match_indices("meshvet_") {
            let figure: String = text[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            let figure = figure.trim_start_matches("meshvet_");
            let bare = figure.trim_end_matches("_total").trim_end_matches("_info");
            // The registry adds a unit by itself.
            let forms = [figure, bare, bare.trim_end_matches("_seconds"), bare.trim_end_matches("_bytes")];
            seen += 1;
            assert!(
                forms.iter().any(|form| source.contains(&format!("\"{form}\""))),
                "{}: meshvet_{figure}",
                name(&path)
            );
        }
    }
    assert!(seen > 5, "{seen}");
}

/// What stands between backquotes, over the end of a line too.
fn quoted(text: &str) -> Vec<String> {
    let joined: Vec<&str> = text.split_whitespace().collect();
    let joined = joined.join(" ");
    joined.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn messages_that_are_quoted_are_meshvets_own() {
    let source = source();
    let mut seen = 0;
    let mut lost = Vec::new();
    for page in ["operations.md", "upgrade.md", "policy.md"] {
        for quote in quoted(&prose(&read(&root().join("docs").join(page)))) {
            // Sentences of a log or an answer: no command, no path, no YAML.
            let of_words = quote.split(' ').count() > 3 && !quote.contains("--") && !quote.starts_with(['{', '/', '"']);
            let command = ["kubectl ", "helm ", "meshvet "].iter().any(|program| quote.starts_with(program));
            let of_others = OF_OTHERS.iter().any(|other| quote.contains(other));
            if of_words && !command && !of_others {
                seen += 1;
                let unsaid = quote.split('…').map(str::trim).filter(|part| !source.contains(part));
                lost.extend(unsaid.map(|part| format!("docs/{page}: nothing says {part:?}")));
            }
        }
    }
    assert!(lost.is_empty(), "{lost:#?}");
    assert!(seen > 8, "{seen}");
}
