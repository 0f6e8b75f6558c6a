//! The layers of the library: who may use whom, and where the words of one mesh API may stand. Reads the source as the
//! compiler does. `cargo test --test layers` lists all that is against them.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]

mod cycles;
mod edges;
mod load;
mod made_up;
mod order;
mod prune;
mod resolve;
mod source;
mod tree;
mod words;

use std::path::Path;
use std::sync::LazyLock;

use edges::Edges;
use source::Sources;
use tree::Tree;
use words::Allowed;

/// The page that has the list of layers.
const PAGE: &str = "docs/architecture.md";

/// Modules that are in the list already and not yet in the tree.
const PLANNED: &[&str] = &[];

/// Where App Mesh's words are at home.
const HOMES: &[&str] = &["src/apis/appmesh", "src/rules/appmesh", "src/example"];

/// How many lines elsewhere may have them.
const MOST: usize = 20;

/// Those lines.
const ALLOWED: &[Allowed] = &[
    Allowed { file: "src/apis/mod.rs", piece: "pub mod appmesh;", reason: "the folder of the API" },
    Allowed { file: "src/apis/mod.rs", piece: "pub static APIS", reason: "the registry names each API" },
    Allowed {
        file: "src/apis/subject.rs",
        piece: "AppMesh(",
        reason: "a subject holds its object in the words of its API",
    },
    Allowed { file: "src/finding/catalogue/table.rs", piece: "MV003 ", reason: "the row names the rule's folder" },
    Allowed {
        file: "src/finding/catalogue/table.rs",
        piece: "selected by more than one virtual node",
        reason: "the summary of MV003, which users read",
    },
    Allowed { file: "src/finding/catalogue/table.rs", piece: "MV004 ", reason: "the row names the rule's folder" },
    Allowed {
        file: "src/finding/catalogue/table.rs",
        piece: "MV005 ",
        reason: "the row names the rule and its folder",
    },
    Allowed {
        file: "src/finding/catalogue/table.rs",
        piece: "the App Mesh API refuses",
        reason: "the summary of MV005, which users read",
    },
    Allowed {
        file: "src/finding/catalogue/table.rs",
        piece: "hostname of the virtual node",
        reason: "the summary of MV101, which users read",
    },
    Allowed { file: "src/finding/catalogue/table.rs", piece: "MV103 ", reason: "the row names the rule's folder" },
    Allowed { file: "src/finding/catalogue/table.rs", piece: "MV218 ", reason: "the row names the rule's folder" },
    Allowed { file: "src/finding/catalogue/table.rs", piece: "MV219 ", reason: "the row names the rule's folder" },
    Allowed { file: "src/finding/catalogue/table.rs", piece: "MV220 ", reason: "the row names the rule's folder" },
    Allowed { file: "src/finding/catalogue/table.rs", piece: "MV410 ", reason: "the row names the rule's folder" },
    Allowed { file: "src/finding/catalogue/table.rs", piece: "MV412 ", reason: "the row names the rule's folder" },
    Allowed {
        file: "src/policy/file.rs",
        piece: "rename = \"backendGroups\"",
        reason: "a key of policies that users have",
    },
    Allowed {
        file: "src/policy/file.rs",
        piece: "GROUPS_KEY: &str = \"backendGroups\"",
        reason: "the same key, where a note names it",
    },
    Allowed {
        file: "src/policy/file.rs",
        piece: "rename = \"BackendGroups\"",
        reason: "the name of its type in the schema and in errors",
    },
    Allowed {
        file: "src/rules/mod.rs",
        piece: "mod appmesh;",
        reason: "the folder of the rules on the API's own text",
    },
    Allowed {
        file: "src/rules/mod.rs",
        piece: "appmesh::OWN",
        reason: "the list of what such folders bring besides rules",
    },
];

/// Where the words of Gateway API and of Ingress are at home. What makes Secrets is asked by both to make them, and App Mesh calls its
/// own routes alike.
const GATEWAY_HOMES: &[&str] = &[
    "src/apis/appmesh",
    "src/apis/gateway",
    "src/apis/ingress",
    "src/apis/promises",
    "src/rules/gateway",
    "src/rules/promises",
    "src/example",
];

/// The lines elsewhere that may have them.
const GATEWAY_ALLOWED: &[Allowed] = &[
    Allowed { file: "src/apis/mod.rs", piece: "pub mod ingress;", reason: "the folder of the API" },
    Allowed { file: "src/apis/mod.rs", piece: "pub static APIS", reason: "the registry names each API" },
    Allowed {
        file: "src/apis/subject.rs",
        piece: "Ingress(",
        reason: "a subject holds its object in the words of its API",
    },
    Allowed {
        file: "src/finding/catalogue/table.rs",
        piece: "or of an Ingress, covers",
        reason: "the summary of MV504, which users read",
    },
    Allowed {
        file: "src/finding/catalogue/table.rs",
        piece: "no ReferenceGrant lets it",
        reason: "the summary of MV505, which users read",
    },
    Allowed { file: "src/policy/file.rs", piece: "rename = \"gatewayClasses\"", reason: "a key of policies" },
    Allowed {
        file: "src/policy/file.rs",
        piece: "CLASSES_KEY: &str = \"gatewayClasses\"",
        reason: "the same key, where a note names it",
    },
    Allowed {
        file: "src/rules/certainty.rs",
        piece: "no BackendTLSPolicy has the gateway call",
        reason: "a finding's text, which users read",
    },
];

struct Source {
    sources: Sources,
    tree: Tree,
    edges: Edges,
    list: Vec<String>,
}

static SOURCE: LazyLock<Source> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = Sources::read(root, "src");
    let (tree, syntaxes) = load::load(&sources);
    let edges = edges::edges(&tree, &syntaxes);
    let list = order::listed(&std::fs::read_to_string(root.join(PAGE)).expect("the page of the layers can be read"));
    Source { sources, tree, edges, list }
});

#[test]
fn every_file_is_part_of_the_crate() {
    let problems = &SOURCE.tree.problems;
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_top_level_module_has_its_place_in_the_list() {
    let found = order::differences(&SOURCE.tree, &SOURCE.list, PLANNED);
    assert!(found.is_empty(), "{PAGE} and src/ differ:\n{}", found.join("\n"));
}

#[test]
fn no_file_uses_a_layer_after_its_own() {
    let Source { tree, edges, list, .. } = &*SOURCE;
    let found = order::against(tree, edges, list);
    assert!(
        found.is_empty(),
        "{} pairs of files against the order of {PAGE}:\n{}",
        found.len(),
        order::arrows(tree, edges, &found)
    );
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let found = order::cycles(&SOURCE.tree, &SOURCE.edges);
    assert!(found.is_empty(), "cycles of files:\n{found}");
}

/// The cycles that no use against the list is part of, which the list alone would not find.
#[test]
fn no_layer_has_a_cycle_in_it() {
    let Source { tree, edges, list, .. } = &*SOURCE;
    let mut edges = edges.clone();
    for pair in order::against(tree, &edges, list) {
        edges.remove(&pair);
    }
    let found = order::cycles(tree, &edges);
    assert!(found.is_empty(), "cycles of files within one layer:\n{found}");
}

#[test]
fn app_meshs_words_stay_at_home() {
    stay_at_home("App Mesh", words::APP_MESH, HOMES, ALLOWED);
}

#[test]
fn gateway_apis_words_stay_at_home() {
    stay_at_home("Gateway API", words::GATEWAY_API, GATEWAY_HOMES, GATEWAY_ALLOWED);
}

fn stay_at_home(api: &str, expression: &str, homes: &[&str], allowed: &[Allowed]) {
    let lines = words::lines(&SOURCE.sources, &SOURCE.tree, expression, homes);
    let found = words::complaints(&lines, allowed, MOST);
    let mut files: Vec<(usize, &str)> = Vec::new();
    for line in &lines {
        match files.last_mut() {
            Some((count, file)) if *file == line.file => *count += 1,
            _ => files.push((1, &line.file)),
        }
    }
    files.sort_by_key(|(count, file)| (std::cmp::Reverse(*count), *file));
    let files: Vec<String> = files.iter().map(|(count, file)| format!("{count:5} {file}")).collect();
    assert!(
        found.is_empty(),
        "{} lines outside {} speak of {api}, {} are allowed, and {MOST} may be:\n{}\n\n{}",
        lines.len(),
        homes.join(", "),
        allowed.len(),
        files.join("\n"),
        found.join("\n")
    );
}
