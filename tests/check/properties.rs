//! Whatever the text: no panic, and every field at its place.

use std::fmt::Write;

use meshvet::k8s::FieldPath;
use meshvet::sources::manifests::{first_value, load_texts};
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::run::{NODE, WORKLOAD};

/// Pieces that manifests, and hostile ones, are made of.
const PIECES: &[&str] = &[
    "\n",
    "\r\n",
    "\r",
    " ",
    "  ",
    "\t",
    "---\n",
    "...\n",
    "- ",
    "? ",
    ": ",
    ":",
    ", ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "&b ",
    "*b",
    "<<: *a",
    "<<: ",
    "|\n",
    ">-\n",
    "|2\n",
    "\"",
    "'",
    "#",
    " # c\n",
    " # meshvet: ignore MV001 x\n",
    "# meshvet: ignore\n",
    "!!str ",
    "!!binary ",
    "! ",
    "!x ",
    "%YAML 1.1\n",
    "%TAG ! x\n",
    "\\",
    "\u{feff}",
    "\0",
    "\u{85}",
    "{{ .x }}",
    "null",
    "~",
    "yes",
    "0x1f",
    "-1",
    ".inf",
    "1e9",
    "kind: ",
    "VirtualNode\n",
    "apiVersion: appmesh.k8s.aws/v1beta2\n",
    "kind: VirtualNode\n",
    "kind: Secret\n",
    "kind: List\n",
    "apiVersion: v1\n",
    "items:\n",
    "metadata: {name: x}\n",
    "spec:\n",
    "data: {a: b}\n",
    "\"kind\": \"List\"",
    "true",
];

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![8 => proptest::sample::select(PIECES).prop_map(str::to_owned), 1 => "\\PC{0,4}"]
}

/// One of the sound manifests, with a part cut out and something else put in.
fn damaged() -> impl Strategy<Value = String> {
    let whole = format!("{NODE}---\n{WORKLOAD}");
    let length = whole.len();
    (0..length, 0..40_usize, proptest::collection::vec(piece(), 0..4)).prop_map(move |(from, cut, pieces)| {
        let to = (from + cut).min(whole.len());
        format!("{}{}{}", &whole[..from], pieces.concat(), &whole[to..])
    })
}

/// A value whose keys and texts need no quotes.
fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        "[a-m]é?[0-9]{0,3}".prop_map(Value::from),
        any::<u16>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..5).prop_map(Value::from),
            proptest::collection::btree_map("[a-m]{1,3}[0-9/~]?", inner, 1..5)
                .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Writes YAML and notes where each scalar comes to stand.
#[derive(Default)]
struct Writer {
    text: String,
    places: Vec<(FieldPath, u32, u32)>,
    /// Line ends in CRLF.
    crlf: bool,
    /// Counts up, so that styles change from place to place.
    turn: usize,
}

impl Writer {
    fn here(&self) -> (u32, u32) {
        let line = self.text.matches('\n').count() + 1;
        let column = self.text.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        (u32::try_from(line).expect("small"), u32::try_from(column).expect("small"))
    }

    fn end(&mut self) {
        self.text.push_str(if self.crlf { "\r\n" } else { "\n" });
    }

    fn scalar(&mut self, path: &FieldPath, value: &Value) {
        let (line, column) = self.here();
        self.places.push((path.clone(), line, column));
        self.turn += 1;
        match value {
            Value::String(text) if self.turn.is_multiple_of(3) => write!(self.text, "\"{text}\"").expect("text"),
            Value::String(text) if self.turn % 3 == 1 => write!(self.text, "'{text}'").expect("text"),
            Value::String(text) => self.text.push_str(text),
            other => write!(self.text, "{other}").expect("text"),
        }
    }

    fn block(&mut self, path: &FieldPath, value: &Value, indent: usize) {
        let pad = " ".repeat(indent);
        self.turn += 1;
        match value {
            _ if self.turn.is_multiple_of(5) => {
                self.text.push(' ');
                self.flow(path, value);
                self.end();
            }
            Value::Object(members) => {
                self.text.push_str(" # a mapping");
                self.end();
                for (key, value) in members {
                    write!(self.text, "{pad}{key}:").expect("text");
                    self.block(&path.key(key), value, indent + 2);
                }
            }
            Value::Array(items) => {
                self.end();
                self.end();
                for (index, item) in items.iter().enumerate() {
                    write!(self.text, "{pad}-").expect("text");
                    self.block(&path.index(index), item, indent + 2);
                }
            }
            scalar => {
                self.text.push(' ');
                self.scalar(path, scalar);
                self.end();
            }
        }
    }

    fn flow(&mut self, path: &FieldPath, value: &Value) {
        match value {
            Value::Object(members) => {
                self.text.push('{');
                for (index, (key, value)) in members.iter().enumerate() {
                    write!(self.text, "{}{key}: ", if index > 0 { ", " } else { "" }).expect("text");
                    self.flow(&path.key(key), value);
                }
                self.text.push('}');
            }
            Value::Array(items) => {
                self.text.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.text.push_str(if index > 0 { " , " } else { "" });
                    self.flow(&path.index(index), item);
                }
                self.text.push(']');
            }
            scalar => self.scalar(path, scalar),
        }
    }
}

proptest! {
    // PROPTEST_CASES asks for more.
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: ProptestConfig::default().cases.max(1000),
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_text_panics(pieces in proptest::collection::vec(piece(), 0..80)) {
        let text = pieces.concat();
        let _ = load_texts([("a.yaml", text.as_str())], "default");
    }

    #[test]
    fn no_damaged_manifest_panics(text in damaged()) {
        let read = load_texts([("a.yaml", text.as_str())], "default");
        prop_assert!(read.objects.len() + read.undecodable.len() <= read.found);
    }

    #[test]
    fn no_text_at_all_panics(text in "\\PC*") {
        let _ = load_texts([("a.yaml", text.as_str())], "default");
    }

    #[test]
    fn every_field_stands_where_it_is_written(tree in tree(), crlf: bool, first in 0..5_usize) {
        let mut writer = Writer { crlf, turn: first, ..Writer::default() };
        for line in ["# é", "---", "apiVersion: appmesh.k8s.aws/v1beta2", "kind: VirtualService", "metadata: {name: x}"] {
            writer.text.push_str(line);
            writer.end();
        }
        let root = FieldPath::root().key("extra");
        writer.text.push_str("extra:");
        writer.block(&root, &tree, 2);

        let read = load_texts([("a.yaml", writer.text.as_str())], "default");
        prop_assert_eq!(&read.problems, &[], "{}", writer.text);
        let object = read.objects.first().ok_or_else(|| TestCaseError::fail(writer.text.clone()))?;
        let value = first_value(&writer.text);
        prop_assert_eq!(value.as_ref().and_then(|value| value.get("extra")), Some(&tree), "{}", writer.text);
        for (path, line, column) in &writer.places {
            let mark = object.site.positions.value(path);
            prop_assert_eq!(mark.map(|mark| (mark.line, mark.column)), Some((*line, *column)), "{}\n{}", path, writer.text);
        }

        // The same as JSON: the same value, and each scalar's own text at its place.
        let json = serde_json::json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualService",
            "metadata": {"name": "x"}, "extra": tree});
        let text = serde_json::to_string_pretty(&json).expect("JSON");
        let read = load_texts([("a.json", text.as_str())], "default");
        let object = read.objects.first().ok_or_else(|| TestCaseError::fail(text.clone()))?;
        for (path, ..) in &writer.places {
            let mark = object.site.positions.value(path).ok_or_else(|| TestCaseError::fail(path.to_string()))?;
            let line = text.lines().nth(usize::try_from(mark.line).expect("small") - 1).unwrap_or_default();
            let (from, width) = (usize::try_from(mark.column).expect("small") - 1, usize::try_from(mark.width).expect("small"));
            let shown: String = line.chars().skip(from).take(width).collect();
            prop_assert_eq!(Some(shown), json.pointer(path.pointer()).map(Value::to_string), "{}\n{}", path, text);
        }
    }
}
