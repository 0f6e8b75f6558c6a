//! The check itself, on crates that are made up: it finds what it must, and leaves alone what it should.

use crate::edges::{Edges, edges};
use crate::load::load;
use crate::order;
use crate::source::Sources;
use crate::tree::Tree;
use crate::words::{self, Allowed};

/// A crate and its edges.
fn read(files: &[(&str, &str)]) -> (Tree, Edges) {
    let (tree, syntaxes) = load(&Sources::of(files));
    let edges = edges(&tree, &syntaxes);
    (tree, edges)
}

/// The edges of a crate, as `from → to: path@line`, without `src/` and `.rs`.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let (tree, edges) = read(files);
    assert_eq!(tree.problems, Vec::<String>::new());
    let short = |file: usize| tree.files[file].path.trim_start_matches("src/").trim_end_matches(".rs").to_owned();
    let lines = edges.iter().flat_map(|((from, to), uses)| {
        let pair = format!("{} → {}", short(*from), short(*to));
        uses.iter().map(move |used| format!("{pair}: {}@{}", used.path, used.line))
    });
    lines.collect()
}

const LIB: (&str, &str) = ("src/lib.rs", "pub mod a;\npub mod b;\n");

/// A crate of two modules, of which the first is that text, and the second has a deeper file.
fn used_by(text: &str) -> Vec<String> {
    found(&[
        LIB,
        ("src/a.rs", text),
        ("src/b/mod.rs", "pub mod deep;\npub mod other;\npub use deep::Thing;\npub use other::*;\npub struct Own;\n"),
        ("src/b/deep.rs", "pub struct Thing;\npub enum Kind { One }\npub fn make() {}\n"),
        ("src/b/other.rs", "pub struct Other;\npub const MANY: u32 = 3;\npub trait Told {}\n"),
    ])
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(used_by(text), expected, "{text}");
}

#[test]
fn a_use_counts_to_the_file_that_defines() {
    check("use crate::b::Own;", &["a → b/mod: crate::b::Own@1"]);
    check("use crate::b::deep::Kind;", &["a → b/deep: crate::b::deep::Kind@1"]);
}

#[test]
fn a_re_export_is_followed() {
    check("use crate::b::Thing;", &["a → b/deep: crate::b::Thing@1"]);
}

#[test]
fn a_re_export_by_a_glob_is_followed() {
    check("use crate::b::Other;", &["a → b/other: crate::b::Other@1"]);
}

#[test]
fn a_re_export_of_a_re_export_is_followed() {
    let files = [
        ("src/lib.rs", "pub mod a;\npub mod b;\npub mod c;\n"),
        ("src/a.rs", "use crate::b::Renamed;"),
        ("src/b.rs", "pub use super::c::Thing as Renamed;"),
        ("src/c.rs", "pub struct Thing;"),
    ];
    assert_eq!(found(&files), ["a → c: crate::b::Renamed@1", "b → c: super::c::Thing@1"]);
}

#[test]
fn a_glob_brings_what_its_module_shows() {
    let files = [
        ("src/lib.rs", "pub mod a;\npub mod b;\npub mod c;\n"),
        ("src/a.rs", "use crate::b::{Thing, check};"),
        ("src/b/mod.rs", "mod one;\nmod two;\npub use one::*;\npub use two::*;"),
        // Neither what it imports for itself nor its private function is the one that is meant.
        ("src/b/one.rs", "use super::Thing;\nuse crate::c::check as other;\nfn check() {}"),
        ("src/b/two.rs", "pub struct Thing;\npub fn check() {}"),
        ("src/c.rs", "pub fn check() {}"),
    ];
    assert_eq!(
        found(&files),
        [
            "a → b/two: crate::b::Thing@1",
            "a → b/two: crate::b::check@1",
            "b/one → b/two: super::Thing@1",
            "b/one → c: crate::c::check@2",
        ]
    );
}

#[test]
fn groups_and_renames_are_read() {
    check(
        "use crate::b::{\n    Thing as T,\n    deep::{self, Kind},\n    other::MANY,\n};",
        &[
            "a → b/deep: crate::b::Thing@2",
            "a → b/deep: crate::b::deep@3",
            "a → b/deep: crate::b::deep::Kind@3",
            "a → b/other: crate::b::other::MANY@4",
        ],
    );
}

#[test]
fn a_module_alone_counts_to_its_file_and_what_is_called_through_it_to_its_own() {
    check(
        "use crate::b;\nfn f() { b::Thing; b::deep::make(); }",
        &["a → b/mod: crate::b@1", "a → b/deep: b::Thing@2", "a → b/deep: b::deep::make@2"],
    );
}

#[test]
fn a_variant_or_function_counts_to_its_type() {
    check("fn f() { crate::b::deep::Kind::One; }", &["a → b/deep: crate::b::deep::Kind::One@1"]);
    check(
        "use crate::b::Thing;\nfn f() { Thing::new(); }",
        &["a → b/deep: crate::b::Thing@1", "a → b/deep: Thing::new@2"],
    );
}

#[test]
fn types_bounds_and_patterns_count() {
    check("fn f<T: crate::b::Told>() {}", &["a → b/other: crate::b::Told@1"]);
    check("fn f(kind: &[super::b::Own]) {}", &["a → b/mod: super::b::Own@1"]);
    check("fn f(n: u32) { if let super::b::MANY = n {} }", &["a → b/other: super::b::MANY@1"]);
    check("impl crate::b::Told for () {}", &["a → b/other: crate::b::Told@1"]);
}

#[test]
fn super_and_self_are_resolved() {
    check("use super::b::Own;", &["a → b/mod: super::b::Own@1"]);
    check("mod inner { use super::super::b::Own; }", &["a → b/mod: super::super::b::Own@1"]);
    check(
        "use self::inner::Own;\nmod inner { pub use crate::b::Own; }",
        &["a → b/mod: self::inner::Own@1", "a → b/mod: crate::b::Own@2"],
    );
}

#[test]
fn a_glob_counts_to_its_module_and_each_name_to_its_own() {
    check("use crate::b::*;\nfn f(_: Other) {}", &["a → b/mod: crate::b::*@1", "a → b/other: Other@2"]);
    // A variable isn't a module of the same name.
    check("use crate::b::*;\nfn f(deep: u32) -> u32 { deep }", &["a → b/mod: crate::b::*@1"]);
}

#[test]
fn a_use_in_a_function_counts() {
    check(
        "fn f() { use crate::b::deep;\n deep::make(); }",
        &["a → b/deep: crate::b::deep@1", "a → b/deep: deep::make@2"],
    );
}

#[test]
fn what_is_given_to_a_macro_counts() {
    check("fn f() { println!(\"{}\", crate::b::deep::make()); }", &["a → b/deep: crate::b::deep::make@1"]);
    check("macro_rules! m { () => { $crate::b::Own }; }", &["a → b/mod: crate::b::Own@1"]);
    check(
        "use crate::b;\nfn f() { vec![0..b::MANY, x.b::<u8>()] }",
        &["a → b/mod: crate::b@1", "a → b/other: b::MANY@2"],
    );
    check(
        "m! { use crate::b::{Own, deep::{make}}; }",
        &["a → b/mod: crate::b::Own@1", "a → b/deep: crate::b::deep::make@1"],
    );
}

#[test]
fn a_macro_counts_to_where_it_stands() {
    let files = [
        ("src/lib.rs", "#[macro_use]\nmod b;\npub mod a;\npub mod c;\n"),
        ("src/a.rs", "fn f() { say!(); }"),
        ("src/b.rs", "macro_rules! say { () => {}; }\npub(crate) use say;"),
        ("src/c.rs", "use crate::b::say;"),
    ];
    assert_eq!(found(&files), ["a → b: say!@1", "c → b: crate::b::say@1"]);
}

#[test]
fn what_a_macro_makes_counts_to_the_file_that_calls_it() {
    let files = [
        ("src/lib.rs", "pub mod a;\npub mod b;\n"),
        ("src/a.rs", "use crate::b::Made;"),
        ("src/b/mod.rs", "mod made;\npub use made::Made;"),
        ("src/b/made.rs", "make! { Made }"),
    ];
    assert_eq!(found(&files), ["a → b/made: crate::b::Made@1"]);
}

#[test]
fn paths_in_attributes_count() {
    check("#[serde(with = \"crate::b::deep\")]\nstruct S;", &["a → b/deep: crate::b::deep@1"]);
    check("/// See [`crate::b::Own`].\nstruct S;", &[]);
}

#[test]
fn other_crates_dont_count() {
    check("use std::b::Own;\nuse b::Thing;\nfn f() { ::b::Thing; }", &[]);
}

#[test]
fn test_code_is_left_out() {
    check("#[cfg(test)]\nuse crate::b::Own;", &[]);
    check("#[cfg(test)]\nmod tests { use crate::b::Own; }", &[]);
    check("#[cfg(all(test, unix))]\nfn f() { crate::b::deep::make(); }", &[]);
    check("struct S;\nimpl S { #[cfg(test)] fn f() { crate::b::deep::make(); } }", &[]);
    check("fn f() { #[cfg(test)] crate::b::deep::make(); }", &[]);
    check("struct S { #[cfg(test)] own: crate::b::Own }", &[]);
    check("#[cfg(not(test))]\nuse crate::b::Own;", &["a → b/mod: crate::b::Own@2"]);
    check("#[cfg(any(test, unix))]\nuse crate::b::Own;", &["a → b/mod: crate::b::Own@2"]);
}

#[test]
fn files_of_tests_are_left_out() {
    let files = [
        LIB,
        ("src/a.rs", "#[cfg(test)]\nmod tests;\n#[cfg(test)]\n#[path = \"a_tests.rs\"]\nmod more;\n"),
        ("src/a/tests.rs", "mod deeper;\nuse crate::b::Own;"),
        ("src/a/tests/deeper.rs", "use crate::b::Own;"),
        ("src/a_tests.rs", "use crate::b::Own;"),
        ("src/b.rs", "pub struct Own;"),
    ];
    assert_eq!(found(&files), Vec::<String>::new());
}

#[test]
fn a_module_and_the_files_in_it_may_use_each_other() {
    let files = [
        ("src/lib.rs", "pub mod a;\nuse a::inner::Thing;\npub struct Root;"),
        ("src/a.rs", "pub mod inner;\nuse inner::Thing;\npub struct Own;"),
        ("src/a/inner.rs", "use super::Own;\nuse crate::Root;\npub struct Thing;"),
    ];
    assert_eq!(found(&files), Vec::<String>::new());
}

#[test]
fn siblings_are_no_ancestors() {
    let files = [
        ("src/lib.rs", "pub mod a;"),
        ("src/a/mod.rs", "mod one;\nmod two;\nuse two::Two;"),
        ("src/a/one.rs", "use super::Two;\npub struct One;"),
        ("src/a/two.rs", "pub struct Two;"),
    ];
    assert_eq!(found(&files), ["a/one → a/two: super::Two@1"]);
}

#[test]
fn imports_that_name_each_other_end() {
    check("use self::x::y;\nmod x { pub use super::y; }", &[]);
}

#[test]
fn a_file_that_nothing_brings_in_is_found() {
    let (tree, _) = read(&[("src/lib.rs", "mod gone;"), ("src/alone.rs", "")]);
    assert_eq!(
        tree.problems,
        ["src/gone/mod.rs: a `mod` names it, and it isn't there", "src/alone.rs: no `mod` brings it in",]
    );
}

/// A crate of three modules, of which the first uses the last and the last the second.
fn three(second: &str) -> (Tree, Edges) {
    read(&[
        ("src/lib.rs", "pub mod a;\npub mod b;\npub mod c;\n"),
        ("src/a.rs", "\nuse crate::c::C;"),
        ("src/b.rs", second),
        ("src/c.rs", "use crate::b::B;\npub struct C;"),
    ])
}

#[test]
fn a_cycle_is_found_and_told_with_its_uses() {
    let (tree, edges) = three("use crate::c::C;\npub struct B;");
    let told = order::cycles(&tree, &edges);
    assert_eq!(
        told,
        "\n2 files all reach each other: src/b.rs src/c.rs\n a shortest cycle:\n  \
         src/b.rs:1 → src/c.rs  by crate::c::C (line 1)\n  src/c.rs:1 → src/b.rs  by crate::b::B (line 1)\n"
    );
    let (tree, edges) = three("pub struct B;");
    assert_eq!(order::cycles(&tree, &edges), "");
}

#[test]
fn every_cycle_is_told() {
    let (tree, edges) = read(&[
        ("src/lib.rs", "mod a;\nmod b;\nmod c;\nmod d;\n"),
        ("src/a.rs", "use crate::b::B;\npub struct A;"),
        ("src/b.rs", "use crate::a::A;\nuse crate::c::C;\npub struct B;"),
        ("src/c.rs", "use crate::d::D;\npub struct C;"),
        ("src/d.rs", "use crate::b::B;\npub struct D;"),
    ]);
    let told = order::cycles(&tree, &edges);
    assert!(told.contains("4 files all reach each other"), "{told}");
    assert!(told.contains("2 cycles that share no edge"), "{told}");
    assert!(told.contains("src/d.rs:1 → src/b.rs"), "{told}");
}

#[test]
fn an_arrow_against_the_list_is_found() {
    let (tree, edges) = three("pub struct B;");
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let found = order::against(&tree, &edges, &list(&["a", "b", "c"]));
    assert_eq!(
        order::arrows(&tree, &edges, &found),
        "\na → c: 1 uses, 1 pairs of files\n  src/a.rs:2 → src/c.rs  by crate::c::C (line 2)\n"
    );
    assert_eq!(order::against(&tree, &edges, &list(&["b", "c", "a"])), []);
}

#[test]
fn the_list_is_read_from_its_table() {
    let page = "| a | b |\n|---|---|\n| `no` | |\n\n<!-- layers -->\n| module | for |\n|---|---|\n| `b` | x |\n\
                | [a](../src/a.rs) | y |\n| [`c`](c) | |\n\n| d | e |\n";
    assert_eq!(order::listed(page), ["b", "a", "c"]);
    assert_eq!(order::listed("| a | b |"), Vec::<String>::new());
}

#[test]
fn the_list_and_the_modules_must_be_the_same() {
    let (tree, _) = three("pub struct B;");
    let list = ["a", "a", "b", "gone", "later"].map(str::to_owned);
    assert_eq!(
        order::differences(&tree, &list, &["later", "b", "never"]),
        [
            "`a` is in the list of layers twice",
            "`b` is there: take it off the modules that are only planned",
            "`gone` is in the list of layers and is no module of src/",
            "`c` is a module of src/ and isn't in the list of layers",
            "`never` is planned and isn't in the list of layers",
        ]
    );
}

/// The lines with App Mesh's words of a crate of one file.
fn word_lines(text: &str) -> Vec<words::Line> {
    let sources =
        Sources::of(&[("src/lib.rs", "mod a;\nmod home;"), ("src/a.rs", text), ("src/home.rs", "struct VirtualNode;")]);
    words::lines(&sources, &load(&sources).0, words::APP_MESH, &["src/home"])
}

#[test]
fn words_are_found_however_they_are_written() {
    let code = [
        "struct VirtualNodeSpec;",
        "fn is_virtual_node() {}",
        "const VIRTUAL_GATEWAY: u8 = 1;",
        "const A: &str = \"appmesh.k8s.aws/ports\";",
        "const B: &str = \"the virtual router's\";",
        "const C: &str = \"virtualservices\";",
        "use crate::appmesh;",
        "struct GrpcGatewayRoute;",
        "fn backend_groups() {}",
        "const D: &str = \"an App Mesh object\";",
        "const E: &str = \"virtual-nodes\";",
    ];
    let found = word_lines(&code.join("\n"));
    assert_eq!(found.iter().map(|line| line.code.as_str()).collect::<Vec<_>>(), code);
    assert_eq!(word_lines("struct Gateway; struct Backend; struct Mesh; fn virtual_machine() {} struct Router;"), []);
}

#[test]
fn words_in_comments_and_tests_dont_count() {
    assert_eq!(
        word_lines("//! VirtualNode\n// VirtualNode\n/// VirtualNode\nstruct A; // VirtualNode\n/* a\nVirtualNode */"),
        []
    );
    assert_eq!(word_lines("/** a\nVirtualNode */\nstruct A {\n/// VirtualNode\na: u8 }"), []);
    assert_eq!(word_lines("#[cfg(test)]\nmod tests {\nstruct VirtualNode;\n}"), []);
    assert_eq!(word_lines("struct A;\nimpl A {\n#[cfg(test)]\nfn virtual_node() {}\n}"), []);
    let text = word_lines("const A: &str = \"one // not a comment\nVirtualNode\";");
    assert_eq!(text.iter().map(|line| line.number).collect::<Vec<_>>(), [2]);
}

#[test]
fn the_list_of_lines_is_held() {
    let lines = word_lines("struct VirtualNode;\nstruct VirtualNodes;\nstruct VirtualRouter;");
    let entry = |piece| Allowed { file: "src/a.rs", piece, reason: "why" };
    let found = words::complaints(&lines, &[entry("VirtualRouter"), entry("VirtualNode"), entry("gone")], 2);
    assert_eq!(
        found,
        [
            "3 lines are allowed, where at most 2 may be",
            "2 lines are what the list allows for one: src/a.rs, \"VirtualNode\" (why)",
            "no line is what the list allows: src/a.rs, \"gone\" (why)",
        ]
    );
    let found = words::complaints(&lines, &[entry("VirtualRouter"), entry("VirtualNodes")], 2);
    assert_eq!(found, ["src/a.rs:1: struct VirtualNode;"]);
    let found = words::complaints(&lines, &[entry("VirtualRouter"), entry("VirtualNodes"), entry("VirtualNode;")], 3);
    assert_eq!(found, Vec::<String>::new());
}
