use serde_json::{Value, json};

use super::*;

fn review(object: &Value, old: &Value) -> Value {
    json!({
        "kind": "AdmissionReview",
        "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": "u-1",
            "kind": {"group": "appmesh.k8s.aws", "version": "v1beta2", "kind": "VirtualNode"},
            "resource": {"group": "appmesh.k8s.aws", "version": "v1beta2", "resource": "virtualnodes"},
            "name": "blue",
            "namespace": "shop",
            "operation": if old.is_null() { "CREATE" } else { "UPDATE" },
            "userInfo": {"username": "system:serviceaccount:shop:deployer", "groups": ["a", "b"], "extra": {"k": ["v"]}},
            "object": object,
            "oldObject": old,
            "dryRun": true,
            "options": {"kind": "CreateOptions"}
        }
    })
}

fn node(spec: &Value) -> Value {
    json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualNode",
        "metadata": {"name": "blue", "namespace": "shop", "annotations": {"a": "with \"quotes\" and \\ and ü"}},
        "spec": spec})
}

/// The text in the order of the API server: serde_json's own order is that of the alphabet.
fn in_order(review: &Value) -> String {
    let request = &review["request"];
    let keys = [
        "uid",
        "kind",
        "resource",
        "subResource",
        "name",
        "namespace",
        "operation",
        "userInfo",
        "object",
        "oldObject",
        "dryRun",
        "options",
    ];
    let fields = keys.iter().filter_map(|key| request.get(key).map(|value| format!("\"{key}\":{value}")));
    let fields: Vec<String> = fields.collect();
    format!(r#"{{"kind":{},"apiVersion":{},"request":{{{}}}}}"#, review["kind"], review["apiVersion"], fields.join(","))
}

#[track_caller]
fn same(body: &str) {
    let quick = read(body.as_bytes()).map(|request| format!("{request:?}"));
    let other = Request::parse(body.as_bytes()).map(|request| format!("{request:?}"));
    assert_eq!(quick, other.ok(), "{body}");
    assert!(quick.is_some(), "{body}");
}

#[track_caller]
fn left(body: &str) {
    assert!(read(body.as_bytes()).is_none(), "{body}");
}

#[test]
fn it_reads_what_the_other_way_reads() {
    let sound = node(&json!({"listeners": [{"portMapping": {"port": 8080, "protocol": "http"}}]}));
    let wrong = node(&json!({"listeners": 5}));
    let unknown = node(&json!({"listeners": [{"portMapping": {"port": 8080}, "tlss": {}}], "backends": null}));
    let mut leaving = sound.clone();
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    for new in [&sound, &wrong, &unknown, &leaving] {
        for old in [&Value::Null, &sound, &wrong, &unknown] {
            let review = review(new, old);
            same(&in_order(&review));
            // In another order too.
            same(&review.to_string());
            same(&serde_json::to_string_pretty(&review).expect("JSON"));
        }
    }
}

#[test]
fn it_reads_what_is_not_judged() {
    let sound = node(&json!({}));
    let edits: [fn(&mut Value); 7] = [
        |request| request["operation"] = "DELETE".into(),
        |request| request["subResource"] = "status".into(),
        |request| request["subResource"] = "".into(),
        |request| request["kind"]["kind"] = "Gadget".into(),
        |request| request["kind"] = json!({"group": "", "version": "v1", "kind": "Secret"}),
        |request| drop(request.as_object_mut().map(|it| it.remove("namespace"))),
        |request| request["dryRun"] = Value::Null,
    ];
    for edit in edits {
        let mut review = review(&sound, &sound);
        edit(&mut review["request"]);
        same(&in_order(&review));
    }
}

#[test]
fn what_is_not_as_api_servers_write_it_is_left_to_the_other_way() {
    let whole = in_order(&review(&node(&json!({})), &Value::Null));
    for (from, to) in [
        ("\"uid\":\"u-1\"", "\"uid\":\"\""),
        ("\"uid\":\"u-1\"", "\"uid\":\"u-1\",\"uid\":\"u-2\""),
        ("\"uid\":\"u-1\"", "\"uid\":\"u\\u002d1\""),
        ("\"uid\":\"u-1\"", "\"\\u0075id\":\"u-1\""),
        ("\"uid\":\"u-1\"", "\"uid\":7"),
        ("AdmissionReview", "ConversionReview"),
        ("admission.k8s.io/v1", "admission.k8s.io/v1beta1"),
        ("\"CREATE\"", "\"UPDATE\""),
        ("\"dryRun\":true", "\"dryRun\":tru"),
        ("\"dryRun\":true", "\"dryRun\":true,"),
        ("\"dryRun\":true", "\"dryRun\":true,\"more\":[}"),
        ("\"dryRun\":true", "\"dryRun\":true,\"object\":{}"),
        ("\"dryRun\":true", "\"dryRun\":true,\"dryRun\":true"),
        ("\"oldObject\":null", "\"oldObject\":null,\"oldObject\":null"),
        ("\"dryRun\":true", "\u{c}\"dryRun\":true"),
        ("\"request\":", "\"request\":null,\"request\":"),
    ] {
        assert!(whole.contains(from), "{from}");
        left(&whole.replacen(from, to, 1));
    }
    for end in 0..whole.len() {
        assert!(read(&whole.as_bytes()[..end]).is_none(), "{end}");
    }
    left(&format!("{whole}x"));
    left(&format!("[{whole}]"));
    assert!(read(&[whole.as_bytes(), b"\xff"].concat()).is_none());
}
