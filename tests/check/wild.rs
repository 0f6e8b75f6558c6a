//! Manifests as they are in the wild: findings and errors stand at their exact place all the same.

use std::fmt::Write;

use serde_json::Value;

use crate::run::{BLUE, Folder, GREEN, NODE, WORKLOAD, places, secret};

fn world() -> Folder {
    let folder = Folder::with("", &BLUE);
    std::fs::remove_file(folder.path().join("node.yaml")).expect("it goes");
    folder
}

/// Code, line and column.
type Finding = (String, u64, u64);
/// Line, column and message.
type Error = (u64, u64, String);

/// What `check` says of a world with this file: the findings, the errors and the notes.
fn judged(name: &str, text: impl AsRef<[u8]>) -> (Vec<Finding>, Vec<Error>, String) {
    let folder = world();
    folder.write(name, text);
    let ran = folder.run(&["check", ".", "-o", "json"]);
    let json: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let errors = json["errors"].as_array().expect("errors").iter();
    let number = |error: &Value, key: &str| error[key].as_u64().expect("a number");
    let errors = errors
        .map(|it| (number(it, "line"), number(it, "column"), it["message"].as_str().expect("a text").to_owned()))
        .collect();
    (places(&json), errors, ran.err)
}

#[track_caller]
fn stands(text: &str, expected: &[(&str, u64, u64)]) {
    let (found, errors, _) = judged("node.yaml", text);
    let found: Vec<_> = found.iter().map(|(code, line, column)| (code.as_str(), *line, *column)).collect();
    assert_eq!(found, expected, "{text}");
    assert_eq!(errors, [], "{text}");
}

#[track_caller]
fn breaks(text: &str, line: u64, column: u64, words: &str) {
    let (_, errors, _) = judged("node.yaml", text);
    let near: Vec<_> =
        errors.iter().filter(|(at, col, why)| (*at, *col) == (line, column) && why.contains(words)).collect();
    assert_eq!(near.len(), 1, "{errors:?}\n{text}");
}

/// The place of some text in another.
fn place_of(text: &str, words: &str) -> (u64, u64) {
    let byte = text.find(words).expect("the words");
    let before = &text[..byte];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (u64::try_from(line).expect("small"), u64::try_from(column).expect("small"))
}

#[test]
fn a_placeholder_in_a_field_is_judged_as_it_stands_and_noted() {
    let node = NODE.replace("hostname: blue.apps.local", "hostname: \"${HOST}.apps.local\"");
    let (found, errors, notes) = judged("node.yaml", &node);
    assert_eq!(found, [("MV101".to_owned(), 15, 31)]);
    assert!(errors.is_empty(), "{errors:?}");
    let note = "node.yaml:8:38: the placeholder ${HOST} is not filled in, and is judged as it is: fill it in first";
    assert!(notes.contains(note) && notes.contains("envsubst"), "{notes}");
}

#[test]
fn a_placeholder_that_breaks_the_document_is_named() {
    stands(&NODE.replace("name: blue\n", "name: ${NAME}\n"), &[]);
    breaks(&NODE.replace("port: 8443", "port: ${PORT}"), 10, 27, "the placeholder ${PORT} is not filled in");
    let node = NODE.replace(
        "- portMapping: {port: 8443, protocol: http}",
        "- portMapping:\n        port: ${PORT}\n        protocol: http",
    );
    stands(&node, &[("MV006", 11, 15)]);
}

#[test]
fn tabs_between_words_count_as_one_column() {
    stands(&NODE.replace("mode: STRICT", "mode:\t\tSTRIKT\t# x"), &[("MV008", 12, 16)]);
    stands(&NODE.replace("certificateChain: /certs", "certificateChain:\t/cert"), &[("MV201", 15, 31)]);
    breaks(&NODE.replace("        mode: STRICT", "        \tmode: STRICT"), 12, 9, "a tab can't indent YAML");
    breaks(&NODE.replace("        mode: STRICT", "\tmode: STRICT"), 12, 1, "a tab can't indent YAML");
}

#[test]
fn lists_of_lists_and_windows_lines() {
    let inner = NODE.lines().map(|line| format!("      {line}\r\n")).collect::<String>();
    let inner = inner.replacen("      apiVersion", "    - apiVersion", 1).replace("/certs/tls.key", "/cert/tls.key");
    let text =
        format!("apiVersion: v1\r\nkind: List\r\nitems:\r\n- apiVersion: v1\r\n  kind: List\r\n  items:\r\n{inner}");
    let (line, column) = place_of(&text.replace('\r', ""), "/cert/tls.key");
    stands(&text, &[("MV201", line, column)]);
    stands(&format!("\u{feff}{text}"), &[("MV201", line, column)]);
    stands(&text.replace("\r\n", "\r"), &[("MV201", line, column)]);
}

#[test]
fn anchors_merges_and_aliases() {
    let text = format!(
        "{}\n---\n{}",
        NODE.replace("        mode: STRICT\n", "        <<: &common\n          mode: strict\n").replace(
            "            certificateChain: /certs/tls.crt\n",
            "            certificateChain: &chain /certs/tls.crt\n"
        ),
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
    );
    let (line, column) = place_of(&text, "strict");
    stands(&text, &[("MV008", line, column)]);
}

#[test]
fn hundreds_of_documents() {
    let mut text = String::new();
    for number in 0..400 {
        let _ = writeln!(
            text,
            "---\napiVersion: v1\nkind: Service\nmetadata: {{name: s{number}, namespace: shop}}\n# {number}"
        );
    }
    text.push_str("---\n");
    text.push_str(&NODE.replace("/certs/tls.key", "/cert/tls.key"));
    for number in 0..400 {
        let _ = writeln!(text, "---\napiVersion: v1\nkind: Service\nmetadata: {{name: t{number}, namespace: shop}}");
    }
    let (line, column) = place_of(&text, "/cert/tls.key");
    assert!(line > 2000);
    stands(&text, &[("MV201", line, column)]);
    // A break in the middle is told there, and hides nothing behind it.
    let broken = text.replacen("kind: Service\nmetadata: {name: s200,", "kind: Service\nmetadata: {name: [s200,", 1);
    let (found, errors, _) = judged("node.yaml", &broken);
    assert_eq!(found, [("MV201".to_owned(), line, column)]);
    assert_eq!(errors.len(), 1, "{errors:?}");
    let (begins, _) = place_of(&broken, "[s200");
    assert!((begins..begins + 3).contains(&errors[0].0), "{errors:?}");
}

#[test]
fn a_file_of_five_megabytes() {
    let mut text = String::from("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: big}\ndata:\n");
    let line = "x".repeat(120);
    for number in 0..40_000 {
        let _ = writeln!(text, "  key{number}: \"{line}\"");
    }
    assert!(text.len() > 5 << 20, "{}", text.len());
    text.push_str("---\n");
    text.push_str(&NODE.replace("/certs/tls.key", "/cert/tls.key"));
    let (line, column) = place_of(&text, "/cert/tls.key");
    assert!(line > 40_000);
    stands(&text, &[("MV201", line, column)]);
}

#[test]
fn one_long_line_of_json() {
    let value: Value = serde_saphyr::from_str(&NODE.replace("/certs/tls.key", "/cert/tls.key")).expect("YAML");
    let padding = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "é".repeat(60_000)}});
    let text = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": [padding, value]}).to_string();
    let (_, column) = place_of(&text, "\"/cert/tls.key\"");
    let folder = world();
    folder.write("list.json", &text);
    let (_, json) = folder.json(&[]);
    assert_eq!(places(&json), [("MV201".to_owned(), 1, column)]);
    let ran = folder.run(&["check", "."]);
    assert!(ran.out.lines().all(|line| line.chars().count() < 400), "{}", ran.out.len());
    let marked = ran.out.lines().find(|line| line.contains("^^^")).expect("a mark");
    let source =
        ran.out.lines().find(|line| line.contains("\"/cert/tls.key\"") && line.contains("1 |")).expect("the line");
    let under: String = source.chars().zip(marked.chars()).filter(|(_, mark)| *mark == '^').map(|(c, _)| c).collect();
    assert_eq!(under, "\"/cert/tls.key\"");
}

#[test]
fn signs_of_any_width_count_as_one_column() {
    let node = NODE
        .replace("    - portMapping", "    # 漢字 é\n    - portMapping")
        .replace("mode: STRICT", "\"mode\": \"st\u{0456}ct\" # 🙂");
    stands(&node, &[("MV008", 13, 17)]);
}

#[test]
fn a_comment_and_a_directive_before_the_first_document() {
    let text =
        format!("# by hand\n%YAML 1.1\n---\n# of the shop\n{}...\n", NODE.replace("/certs/tls.key", "/cert/tls.key"));
    let (line, column) = place_of(&text, "/cert/tls.key");
    stands(&text, &[("MV201", line, column)]);
}

#[test]
fn the_same_node_in_every_dress_has_the_same_findings() {
    let yaml = format!("{NODE}---\n{WORKLOAD}---\n{}", secret(&GREEN.chain, &GREEN.key));
    let texts: Vec<Value> = yaml.split("\n---\n").map(|text| serde_saphyr::from_str(text).expect("YAML")).collect();
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": texts});
    let dresses = [
        ("a.yaml", yaml.clone()),
        ("b.yaml", yaml.replace('\n', "\r\n")),
        ("c.json", list.to_string()),
        ("d.json", serde_json::to_string_pretty(&list).expect("JSON")),
        ("e.yaml", format!("# x\n\u{2028}\n{yaml}").replace('\u{2028}', "")),
    ];
    let mut all = dresses.iter().map(|(name, text)| {
        let folder = Folder::empty();
        folder.write(name, text);
        let (_, mut json) = folder.json(&[]);
        for finding in json["findings"].as_array_mut().expect("findings") {
            for key in ["file", "line", "column"] {
                finding[key] = Value::Null;
            }
        }
        json["findings"].clone()
    });
    let first = all.next().expect("a dress");
    assert_eq!(first.as_array().map(Vec::len), Some(1), "{first:#}");
    for other in all {
        assert_eq!(other, first);
    }
}
