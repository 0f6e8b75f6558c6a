//! How often one review allocates, and how many bytes of an object are kept: the parts of the cost that can be counted. A change that
//! needs more than this asks for a reason; one that needs less lowers the bound.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]
#![allow(dead_code, reason = "shared with the suite `admission`")]

#[path = "admission/bed.rs"]
mod bed;
#[path = "support/mod.rs"]
mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use meshvet::apis::{Entry, decode_object};
use meshvet::rules::forget_sound_text;
use serde_json::{Value, json};

use crate::bed::{Bed, MISNAMED, SOUND, create, node, post};
use crate::support::manifests::virtual_node;

/// What was counted is a few less: 108, 228 and 21 allocations; 1,226, 704, 1,024 and 2,092 bytes.
const SOUND_NODE: u64 = 112;
const DENIED_NODE: u64 = 236;
const UNJUDGED: u64 = 22;
const NODE: i64 = 1_300;
const SERVICE: i64 = 750;
const DEPLOYMENT: i64 = 1_080;
const SECRET: i64 = 2_200;

/// Allocations of the review once everything that is allocated once has been.
fn allocations(bed: &Bed, review: &Value, allowed: bool) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let body = Bytes::from(in_order(review));
    let ask = || {
        let answer = runtime.block_on(bed.answer(post("/validate?timeout=10s", body.clone())));
        assert_eq!(answer.windows(14).any(|window| window == b"\"allowed\":true"), allowed, "{answer:?}");
    };
    ask();
    let counted = allocation_counter::measure(ask).count_total;
    println!("{counted} allocations");
    counted
}

/// A review as an API server writes it: what says how to read the object comes before it.
fn in_order(review: &Value) -> String {
    let request = review["request"].as_object().expect("a request");
    let last = ["object", "oldObject", "dryRun", "options"];
    let (after, before): (Vec<_>, Vec<_>) = request.iter().partition(|(key, _)| last.contains(&key.as_str()));
    let fields: Vec<String> =
        before.into_iter().chain(after).map(|(key, value)| format!("\"{key}\":{value}")).collect();
    format!(
        "{{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{{{}}}}}",
        fields.join(",")
    )
}

/// A review that allocates no more than so often.
#[track_caller]
fn at_most(most: u64, bed: &Bed, review: &Value, allowed: bool) {
    let counted = allocations(bed, review, allowed);
    assert!(counted <= most, "{counted} allocations, and no more than {most} were needed before");
}

#[test]
fn a_sound_virtual_node() {
    at_most(SOUND_NODE, &Bed::serving(&SOUND), &create(node()), true);
}

#[test]
fn a_virtual_node_that_is_denied() {
    at_most(DENIED_NODE, &Bed::serving(&MISNAMED), &create(node()), false);
}

#[test]
fn a_kind_that_is_not_judged() {
    let mut review = create(virtual_node("shop", "blue", "blue.apps.local"));
    review["request"]["kind"] = json!({"group": "example.com", "version": "v1", "kind": "Gadget"});
    at_most(UNJUDGED, &Bed::serving(&SOUND), &review, true);
}

/// The bytes that stay of an object once it is decoded, as the watches keep it, where others of its kind are known already.
fn kept(object: &Value) -> i64 {
    let decode = || match decode_object(object.clone(), "shop").expect("an object") {
        Entry::Subject(mut subject) => {
            forget_sound_text(&mut subject);
            subject.annotations.clear();
            Entry::Subject(subject)
        }
        other => other,
    };
    // What its kind has in common is there then.
    drop(decode());
    let mut entry = None;
    let counted = allocation_counter::measure(|| entry = Some(decode())).bytes_current;
    assert!(!matches!(entry, None | Some(Entry::Other | Entry::Nothing(_))));
    println!("{counted} bytes are kept");
    counted
}

/// An object of which no more stays than so many bytes.
#[track_caller]
fn keeps(most: i64, object: &Value) {
    let counted = kept(object);
    assert!(counted <= most, "{counted} bytes are kept, and no more than {most} were needed before");
}

#[test]
fn what_is_kept_of_a_virtual_node() {
    keeps(NODE, &node());
}

#[test]
fn what_is_kept_of_a_virtual_service() {
    let provider = json!({"virtualNode": {"virtualNodeRef": {"name": "blue"}}});
    keeps(
        SERVICE,
        &json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualService", "metadata": {"name": "blue"},
            "spec": {"awsName": "blue.shop.svc.cluster.local", "provider": provider}}),
    );
}

#[test]
fn what_is_kept_of_a_deployment() {
    let container = json!({"name": "app", "image": "app", "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/", "port": "http"}}});
    let template = json!({"spec": {"containers": [container]}, "metadata": {"labels": {"app": "blue"},
        "annotations": {"appmesh.k8s.aws/secretMounts": "blue-tls:/certs"}}});
    keeps(
        DEPLOYMENT,
        &json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "blue"}, "spec": {"template": template}}),
    );
}

#[test]
fn what_is_kept_of_a_secret() {
    let file = |name: &str| {
        let path = format!("{}/tests/fixtures/pki/{name}", env!("CARGO_MANIFEST_DIR"));
        STANDARD.encode(std::fs::read(path).expect("a file"))
    };
    let data = json!({"tls.crt": file("p256.crt"), "tls.key": file("p256.key")});
    keeps(
        SECRET,
        &json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": "blue-tls"}, "data": data}),
    );
}
