//! How often one review allocates: the part of its cost that can be counted. A change that allocates more than this asks for a reason; one
//! that allocates less lowers the bound.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]
#![allow(dead_code, reason = "shared with the suite `admission`")]

#[path = "admission/bed.rs"]
mod bed;
#[path = "support/mod.rs"]
mod support;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::bed::{Bed, MISNAMED, SOUND, create, node, post};
use crate::support::manifests::virtual_node;

/// What was counted is a few less: 130, 268 and 21.
const SOUND_NODE: u64 = 134;
const DENIED_NODE: u64 = 276;
const UNJUDGED: u64 = 22;

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
