//! What is read, and what can't be: named by file and line, while the rest is judged.

use serde_json::{Value, json};

use crate::run::{BLUE, Folder, GREEN, NODE, WORKLOAD, codes, secret};

/// A sound world with one more file; what the errors say: file, line, column, message.
fn errors(name: &str, content: impl AsRef<[u8]>) -> Vec<(String, Value, Value, String)> {
    let folder = Folder::with(NODE, &GREEN);
    folder.write(name, content);
    let (code, json) = folder.json(&[]);
    assert_eq!(codes(&json), ["MV101"], "the others are judged: {json:#}");
    assert_eq!(code, Some(2), "{json:#}");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let errors = json["errors"].as_array().expect("errors");
    errors
        .iter()
        .map(|it| (text(&it["file"]), it["line"].clone(), it["column"].clone(), text(&it["message"])))
        .collect()
}

#[track_caller]
fn is_broken(name: &str, content: impl AsRef<[u8]>, line: u64, words: &str) {
    let errors = errors(name, content);
    assert_eq!(errors.len(), 1, "{errors:?}");
    let (file, at, column, message) = &errors[0];
    assert_eq!((file.as_str(), at), (name, &json!(line)), "{errors:?}");
    assert!(column.is_u64() && message.contains(words), "{errors:?}");
}

#[test]
fn a_broken_document_is_named_with_its_line() {
    is_broken("x.yaml", "a: [1\n---\n", 1, "");
    is_broken("x.json", "{\"a\": 1,\n \"b\" 2}", 2, "expected `:`");
    is_broken("x.json", "{\"kind\": \"VirtualNode\", ", 1, "the JSON ends too early");
    is_broken(
        "x.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nkind: Secret\n",
        4,
        "the key \"kind\" is a duplicate",
    );
    is_broken("x.yaml", b"apiVersion: v1\nkind: \xff\n", 2, "UTF-8");
    is_broken("x.yaml", b"\xff\xfea\0", 1, "UTF-16");
    is_broken("x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\n", 3, "helm template");
    is_broken(
        "x.yaml",
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {}1{}\n", "[".repeat(500), "]".repeat(500)),
        3,
        "deeper",
    );
    is_broken("x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n", 1, "metadata.name is missing");
    is_broken("x.yaml", "apiVersion: v1\nkind: List\nitems: 5\n", 3, "not a list");
    is_broken("x.yaml", "apiVersion: v1\nkind: List\nitems:\n- 5\n", 4, "not a Kubernetes object");
    is_broken("x.yaml", NODE.replace("VirtualNode", "Virtualnode"), 2, "did you mean VirtualNode?");
    is_broken("x.yaml", NODE.replace("v1beta2", "v1beta1"), 1, "appmesh.k8s.aws/v1beta2");
}

#[test]
fn an_alias_bomb_is_an_error_and_the_rest_is_judged() {
    let mut bomb =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\na0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 8].join(", ")));
    }
    let errors = errors("bomb.yaml", bomb);
    assert!(errors.len() == 1 && errors[0].3.contains("aliases"), "{errors:?}");
}

#[test]
fn the_documents_around_a_broken_one_are_judged() {
    let folder = Folder::empty();
    let text = format!("{WORKLOAD}---\na: [1\n---\n{NODE}---\nb: 'x\n---\n{}", secret(&GREEN.chain, &GREEN.key));
    folder.write("all.yaml", &text);
    let (code, json) = folder.json(&[]);
    assert_eq!(code, Some(2));
    assert_eq!(codes(&json), ["MV101"]);
    let lines: Vec<_> = json["errors"].as_array().expect("errors").iter().map(|it| it["line"].as_u64()).collect();
    let line = |words: &str| text.lines().position(|line| line == words).and_then(|line| u64::try_from(line + 1).ok());
    assert_eq!(lines[0], line("a: [1"));
    assert!(lines.len() == 2 && lines[1] >= line("b: 'x"), "{lines:?}");

    let ran = folder.run(&["check", "all.yaml"]);
    assert!(ran.out.starts_with("error all.yaml:"), "{ran:?}");
    assert!(ran.out.contains("2 places not read"), "{ran:?}");
}

#[test]
fn the_standard_input_is_a_dash() {
    let world = format!("{NODE}---\n{WORKLOAD}---\n{}", secret(&GREEN.chain, &GREEN.key));
    let folder = Folder::empty();
    let ran = folder.run_with(&["check", "-", "-o", "json"], &world);
    let json: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!((ran.code, codes(&json)), (Some(1), vec!["MV101".to_owned()]));
    assert_eq!(json["findings"][0]["file"], "stdin");

    folder.write("secret.yaml", secret(&BLUE.chain, &BLUE.key));
    let ran = folder.run_with(&["check", "-", "secret.yaml"], &format!("{NODE}---\n{WORKLOAD}"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn what_is_no_manifest_is_left_out_of_a_folder_and_told_of_a_file() {
    let folder = Folder::sound();
    folder.write("settings.yaml", "replicas: 3\n");
    folder.write("notes.txt", "kind: [");
    folder.write(".git/x.yaml", "kind: [");
    let ran = folder.run(&["check", "."]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("1 document without apiVersion and kind is skipped"), "{ran:?}");

    let ran = folder.run(&["check", ".", "settings.yaml"]);
    assert_eq!(ran.code, Some(0), "read once, as part of the folder: {ran:?}");
    let ran = folder.run(&["check", "settings.yaml"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(
        ran.out.contains("settings.yaml:1:1: this is not a Kubernetes object: apiVersion and kind are missing"),
        "{ran:?}"
    );
}

#[test]
fn nothing_to_read_is_an_error() {
    let folder = Folder::empty();
    let ran = folder.run(&["check", "."]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.err.starts_with("error: no Kubernetes object in ."), "{ran:?}");

    let ran = folder.run(&["check", "none.yaml"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.out.contains("error none.yaml: there is no such file or folder"), "{ran:?}");
    assert_eq!(folder.run(&["check"]).code, Some(2));

    folder.write("other.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: x}\n");
    let ran = folder.run(&["check", "."]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("error: no mesh object among 1 object"), "{ran:?}");
}

#[test]
fn the_later_of_two_objects_counts() {
    let folder = Folder::with(&NODE.replace("blue.apps.local", "red.apps.local"), &BLUE);
    folder.write("z.yaml", NODE);
    let ran = folder.run(&["check", "."]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.err.contains("VirtualNode shop/blue appears twice, at node.yaml:1 and z.yaml:1: the later one counts"),
        "{ran:?}"
    );
    let ran = folder.run(&["check", "z.yaml", "."]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
}

#[test]
fn objects_without_a_name_get_one_and_without_a_namespace_too() {
    let generated = NODE.replace("  name: blue\n  namespace: shop\n", "  generateName: blue-\n");
    let world = format!("{generated}---\n{generated}---\n{WORKLOAD}---\n{}", secret(&GREEN.chain, &GREEN.key));
    let ran = Folder::empty().run_with(&["check", "-", "-n", "shop", "-o", "json"], &world);
    let json: Value = serde_json::from_str(&ran.out).expect("JSON");
    let names: Vec<_> =
        json["findings"].as_array().expect("findings").iter().filter(|it| it["code"] == "MV101").collect();
    assert_eq!(names.len(), 2, "{json:#}");
    assert_eq!(names[0]["object"]["namespace"], "shop");
    assert_ne!(names[0]["object"]["name"], names[1]["object"]["name"]);
}

#[test]
fn scalars_mean_what_they_mean_to_kubectl() {
    // YAML 1.1: 020373 is octal, 8443; and `yes` is a boolean, which no port is.
    let folder = Folder::with(&NODE.replace("port: 8443", "port: 020373"), &BLUE);
    assert_eq!(folder.json(&[]).0, Some(0));
    let folder = Folder::with(&NODE.replace("port: 8443", "port: yes"), &BLUE);
    assert_eq!(codes(&folder.json(&[]).1), ["MV006"]);
}
