//! Findings stand at the line and column of their field, however the manifest is written.

use serde_json::Value;

use crate::run::{BLUE, Folder, GREEN, NODE, WORKLOAD, codes, places, secret};

/// Every object of the world in one list.
fn list(node: &str, certificate: &crate::support::mint::Issued) -> Value {
    let texts = [node, WORKLOAD, &secret(&certificate.chain, &certificate.key)].join("\n---\n");
    let items: Vec<Value> = texts.split("\n---\n").map(|text| serde_saphyr::from_str(text).expect("YAML")).collect();
    serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items})
}

/// Writes a world as one file and expects MV101 at a place.
#[track_caller]
fn stands(name: &str, text: &str, line: u64, column: u64) {
    let folder = Folder::empty();
    folder.write(name, text);
    let (code, json) = folder.json(&[]);
    assert_eq!(places(&json), [("MV101".to_owned(), line, column)], "{json:#}\n{text}");
    assert_eq!(code, Some(1));
    assert_eq!(json["findings"][0]["file"], name);
}

fn green() -> String {
    secret(&GREEN.chain, &GREEN.key)
}

#[test]
fn a_stream_of_documents() {
    let before = format!("# all of it\n---\n{WORKLOAD}\n--- # the node\n");
    let line = u64::try_from(before.lines().count()).expect("a number") + 15;
    stands("all.yaml", &format!("{before}{NODE}...\n---\n{}", green()), line, 31);
}

#[test]
fn line_ends_of_windows_and_a_byte_order_mark() {
    let text = format!("\u{feff}{NODE}---\n{WORKLOAD}---\n{}", green()).replace('\n', "\r\n");
    stands("windows.yml", &text, 15, 31);
}

#[test]
fn json_as_kubectl_prints_it() {
    let list = list(NODE, &GREEN);
    let pretty = serde_json::to_string_pretty(&list).expect("JSON");
    let line = pretty.lines().position(|line| line.contains("\"certificateChain\"")).expect("the line") + 1;
    let column = pretty.lines().nth(line - 1).and_then(|line| line.find("\"/certs")).expect("the value") + 1;
    let at = |number: usize| u64::try_from(number).expect("a number");
    stands("list.json", &pretty, at(line), at(column));

    let tabs = pretty.replace("  ", "\t");
    let column = tabs.lines().nth(line - 1).and_then(|line| line.find("\"/certs")).expect("the value") + 1;
    stands("tabs.json", &tabs, at(line), at(column));

    let one = list.to_string();
    let column = one.find("\"/certs/tls.crt").expect("the value") + 1;
    stands("one.json", &one, 1, at(column));
}

#[test]
fn several_json_values_in_one_file() {
    let Value::Array(items) = list(NODE, &GREEN)["items"].take() else { panic!("items") };
    let text: String = items.iter().map(|item| format!("{item}\n")).collect();
    let column = text.find("\"/certs/tls.crt").expect("the value") + 1;
    stands("stream.json", &text, 1, u64::try_from(column).expect("a number"));
}

#[test]
fn a_list_in_yaml_whose_items_leave_out_their_kind() {
    let items: String = NODE
        .lines()
        .skip(2)
        .enumerate()
        .map(|(number, line)| format!("{}{line}\n", if number == 0 { "- " } else { "  " }))
        .collect();
    let text = format!(
        "apiVersion: appmesh.k8s.aws/v1beta2\nkind: VirtualNodeList\nitems:\n{items}---\n{WORKLOAD}---\n{}",
        green()
    );
    stands("list.yaml", &text, 16, 33);
}

#[test]
fn an_anchor_is_where_the_value_is_written() {
    let node = NODE.replace(
        "        certificate:\n          file:\n            certificateChain: /certs/tls.crt\n            privateKey: /certs/tls.key\n",
        "        certificate: *files\n",
    );
    let node =
        node.replace("metadata:\n", "metadata:\n  labels: {a: b}\n  annotations:\n    x: &path /certs/tls.crt\n");
    let node = node.replace(
        "spec:\n",
        "spec:\n  meshRef: {name: apps, uid: u}\n  backendDefaults:\n    clientPolicy:\n      tls:\n        enforce: false\n        \
         certificate: &files\n          file: {certificateChain: *path, privateKey: /certs/tls.key}\n        validation: {trust: {file: {certificateChain: /certs/tls.crt}}}\n",
    );
    let text = format!("{node}---\n{WORKLOAD}---\n{}", green());
    let line = text.lines().position(|line| line.contains("file: {certificateChain: *path")).expect("the line") + 1;
    let column = text.lines().nth(line - 1).and_then(|line| line.find("*path")).expect("the alias") + 1;
    let at = |number: usize| u64::try_from(number).expect("a number");
    stands("anchors.yaml", &text, at(line), at(column));
}

#[test]
fn a_key_that_is_wrong_is_pointed_at_itself() {
    let folder =
        Folder::with(&NODE.replace("        mode: STRICT\n", "        mode: STRICT\n        modee: STRICT\n"), &BLUE);
    let (code, json) = folder.json(&[]);
    assert_eq!(code, Some(0));
    assert_eq!(places(&json), [("MV001".to_owned(), 13, 9)]);
}

#[test]
fn a_workloads_annotation_is_found_in_the_workloads_file_once() {
    let folder = Folder::sound();
    folder.write("workload.yaml", WORKLOAD.replace("blue-cert:/certs", "blue-cert:/certs,blue-cert"));
    folder.write("second.yaml", NODE.replace("name: blue\n", "name: blue2\n").replace("app: blue", "app: blue2"));
    let (code, json) = folder.json(&[]);
    let mine: Vec<_> = json["findings"].as_array().expect("a list").iter().filter(|it| it["code"] == "MV002").collect();
    assert_eq!(mine.len(), 1, "{json:#}");
    assert_eq!(mine[0]["file"], "workload.yaml");
    assert_eq!(mine[0]["object"]["kind"], "Deployment");
    assert_eq!((&mine[0]["line"], &mine[0]["column"]), (&Value::from(13), &Value::from(51)));
    assert_eq!(code, Some(1));
}

#[test]
fn an_object_that_cannot_be_read_is_named_at_its_field() {
    let folder = Folder::with(&NODE.replace("port: 8443", "port: lots"), &BLUE);
    let (code, json) = folder.json(&[]);
    assert_eq!(places(&json), [("MV006".to_owned(), 10, 27)], "{json:#}");
    assert_eq!(code, Some(1));
}

#[test]
fn every_place_that_cannot_be_read_is_named_and_the_rest_is_judged() {
    let slips = NODE
        .replace("port: 8443", "port: \"8443\"")
        .replace("mode: STRICT", "mode: [STRICT]")
        .replace("      tls:\n", "      tlss: {}\n      tls:\n");
    // The certificate is another name's, which is no matter of ports and modes.
    let folder = Folder::with(&slips, &GREEN);
    let (code, json) = folder.json(&[]);
    let told: Vec<_> =
        json["findings"].as_array().expect("findings").iter().map(|it| (&it["code"], &it["field"])).collect();
    let at = |code: &'static str, path: &'static str| (Value::from(code), Value::from(path));
    let expected = [
        at("MV006", "/spec/listeners/0/portMapping/port"),
        at("MV006", "/spec/listeners/0/tls/mode"),
        at("MV101", "/spec/listeners/0/tls/certificate/file/certificateChain"),
        at("MV001", "/spec/listeners/0/tlss"),
    ];
    assert_eq!(told, expected.iter().map(|(code, path)| (code, path)).collect::<Vec<_>>(), "{json:#}");
    assert_eq!((code, &json["summary"]["objects"]), (Some(1), &Value::from(2)), "{json:#}");
}

#[test]
fn of_what_depends_on_values_that_cannot_be_read_nothing_is_claimed() {
    // Which pods it selects isn't known, so nor is what they mount.
    let folder = Folder::with(&NODE.replace("{app: blue}}", "{app: blue, tier: 1}}"), &GREEN);
    assert_eq!(codes(&folder.json(&[]).1), ["MV006"]);
    // Nor which certificate is meant.
    let folder = Folder::with(&NODE.replace("/certs/tls.crt", "[/certs/tls.crt]"), &GREEN);
    assert_eq!(codes(&folder.json(&[]).1), ["MV006"]);
    // A list whose elements can't be read, and what stands behind them.
    let text = NODE.replace("  listeners:\n", "  backends: [a, {virtualService: 5}]\n  listeners:\n");
    let (_, json) = Folder::with(&text, &GREEN).json(&[]);
    assert_eq!(codes(&json), ["MV006", "MV006", "MV101"], "{json:#}");
}

#[test]
fn every_place_of_a_workload_that_cannot_be_read_is_named() {
    let folder = Folder::sound();
    folder.write(
        "workload.yaml",
        WORKLOAD.replace("{app: blue}\n      annotations: {", "{app: yes, tier: 1}\n      annotations: {a: true, "),
    );
    let (_, json) = folder.json(&[]);
    let of_workload =
        json["findings"].as_array().expect("findings").iter().filter(|it| it["object"]["kind"] == "Deployment");
    let messages: Vec<_> = of_workload.map(|it| it["message"].as_str().expect("text")).collect();
    assert_eq!(messages.len(), 3, "{json:#}");
    for word in ["annotations.a: ", "labels.app: ", "labels.tier: "] {
        assert!(messages.iter().any(|it| it.contains(word)), "{word}: {messages:#?}");
    }
}

/// A Deployment whose template is wrong in one place, which is reported there and in words of Kubernetes.
#[track_caller]
fn unreadable(template: &str, words: &str, line: u64, column: u64) {
    let folder = Folder::sound();
    let head = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: red, namespace: shop}\nspec:\n  template:\n";
    folder.write("red.yaml", format!("{head}{template}"));
    let (code, json) = folder.json(&[]);
    assert_eq!(places(&json), [("MV006".to_owned(), line, column)], "{json:#}");
    assert_eq!((&json["findings"][0]["file"], code), (&Value::from("red.yaml"), Some(1)));
    assert_eq!(json["findings"][0]["message"], format!("the object can't be read: {words}"));
}

#[test]
fn a_workload_that_cannot_be_read_is_named_at_its_field() {
    let port =
        "    spec:\n      containers:\n        - name: app\n          ports:\n            - containerPort: http\n";
    let words =
        "spec.template.spec.containers[0].ports[0].containerPort: invalid type: string \"http\", expected an integer";
    unreadable(port, words, 10, 30);
}

#[test]
fn a_list_item_and_a_key_with_a_slash_are_places_too() {
    let second = "    spec:\n      containers:\n        - name: app\n        - 5\n";
    let words = "spec.template.spec.containers[1]: invalid type: integer `5`, expected an object";
    unreadable(second, words, 9, 11);

    let label = "    metadata:\n      labels:\n        app: red\n        example.com/a~b: 5\n";
    let words = "spec.template.metadata.labels[example.com/a~b]: invalid type: integer `5`, expected a string";
    unreadable(label, words, 9, 26);
}
