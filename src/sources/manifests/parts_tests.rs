use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::sources::manifests::{Loader, Manifests};

fn read(text: &str, threads: usize, part: usize) -> Manifests {
    let mut loader = Loader::new("shop");
    loader.threads = threads;
    loader.part = part;
    loader.load_texts([("a.yaml", text)])
}

/// All that is reported of manifests, and the positions that findings could have.
fn shown(manifests: &Manifests) -> String {
    let mut lines = String::new();
    for located in &manifests.objects {
        let (object, site) = (&located.reviewed.object, &located.site);
        lines.push_str(&format!(
            "{object} {} {:?} {:?} {:?}\n",
            site.line, site.positions, site.comments, site.template
        ));
    }
    let undecodable: Vec<_> = manifests.undecodable.iter().map(|it| (&it.error, &it.site)).collect();
    let sources: Vec<_> = manifests
        .sources
        .iter()
        .map(|source| (1..=source.count()).map(|line| source.line(line)).collect::<Vec<_>>())
        .collect();
    format!(
        "{lines}{undecodable:?}\n{:?}\n{:?}\n{:?}\n{} {sources:?}",
        manifests.problems, manifests.notes, manifests.stray, manifests.found
    )
}

const DOCUMENTS: [&str; 22] = [
    "apiVersion: appmesh.k8s.aws/v1beta2\nkind: VirtualNode\nmetadata: {name: a}\nspec:\n  listeners: []\n",
    "# meshvet: ignore MV101 reason\napiVersion: appmesh.k8s.aws/v1beta2\nkind: VirtualNode\nmetadata: {name: b}\nspec: {}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  a: |\n    one\n\n    two\n",
    "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: yes\n",
    "# Source: shop/templates/a.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata: {generateName: d-}\nspec: &s\n  template: {}\n  x: *s\n",
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {metadata: {labels: {a: b}}}} # meshvet: ignore\n",
    "",
    "# only a comment\n",
    "# meshvet: ignore MV101 nothing follows\n",
    "a: [1\n",
    "a: \"one\n",
    "a: 'one\n",
    "a: |+\n  one\n\n\n",
    "|\n one\n",
    "kind: {{ .Values.kind }}\n",
    "a: ${b\n",
    "\ta: 1\n",
    "a: 1\n...\n",
    "...\nb: 2\n",
    "%TAG ! tag:example.com,2000:\n",
    "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: l}}\n",
    "a: &x {b: 1}\nc: *x\na: 2\n",
];

const BETWEEN: [&str; 6] = ["---\n", "--- \n", "---\r\n", "--- # text\n", "---x\n", "--- "];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 400 } else { 4_000 }))]

    #[test]
    fn a_stream_in_parts_is_read_as_one(
        documents in vec((0..DOCUMENTS.len(), 0..BETWEEN.len()), 1..12),
        part in 1_usize..400,
    ) {
        let text: String = documents.iter().map(|(at, between)| [BETWEEN[*between], DOCUMENTS[*at]].concat()).collect();
        let whole = shown(&read(&text, 1, usize::MAX));
        prop_assert_eq!(&shown(&read(&text, 1, part)), &whole, "{:?}", text);
        prop_assert_eq!(&shown(&read(&text, 3, part)), &whole, "{:?}", text);
    }
}

#[test]
fn a_long_stream_is_read_in_parts_and_each_document_once() {
    let node = |number: usize| format!("---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: n{number}\n");
    let text: String = (0..200).map(node).collect();
    let origin = Origin { name: "a.yaml".to_owned(), path: None, piped: false };
    let whole = Arc::new(Text { origin, text: Zeroizing::new(text.clone()), strict: true, marked: false });
    let parts: Vec<Part> = whole.parts(1_000).collect();
    assert!(parts.len() > 8, "{}", parts.len());
    let joined: String = parts.iter().map(|part| &text[part.bytes.clone()]).collect();
    assert_eq!(joined, text);
    for part in &parts {
        let above = text[..part.bytes.start].matches('\n').count();
        assert_eq!(part.above as usize, above);
        assert!(text[part.bytes.start..].starts_with("---\n"));
    }
    let context = Context { namespace: "shop", in_order: false };
    let read = parts.iter().map(|part| part.read(&context, BUDGET).items.len());
    assert_eq!(read.sum::<usize>(), 200);
}

#[test]
fn what_is_no_plain_stream_is_one_part() {
    for text in
        ["{\"a\": 1}\n---\nb: 2\n", "a: 1\n---\n%YAML 1.2\n---\nb: 2\n", "a: \0\n---\nb: 2\n", "a: 1\rb: 2\n---\n"]
    {
        let origin = Origin { name: "a.yaml".to_owned(), path: None, piped: false };
        let whole = Arc::new(Text { origin, text: Zeroizing::new(text.to_owned()), strict: true, marked: false });
        assert_eq!(whole.parts(1).count(), 1, "{text:?}");
    }
}
