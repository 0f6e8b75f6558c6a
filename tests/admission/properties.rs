//! Whatever arrives is answered in JSON, and nothing panics.

use meshvet::policy::Policy;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::bed::{Bed, MISNAMED, create, node, update};
use crate::support::manifests::{
    backend_group, calling_node, client_policy, gateway_route, virtual_router, virtual_service,
};

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// The answer is a review's, or a refusal of the body; never a failure of meshvet.
fn answers(bed: &Bed, body: Vec<u8>) {
    let answer = runtime().block_on(bed.post(body));
    match answer.code {
        200 => assert!(answer.json["response"]["allowed"].is_boolean(), "{}", answer.json),
        _ => answer.is_status(400, &[]),
    }
}

/// One change to a document: at a place, another value.
fn mutate(value: &mut Value, path: &[Index], with: &Value) {
    let Some((first, rest)) = path.split_first() else {
        *value = with.clone();
        return;
    };
    match value {
        Value::Object(members) if !members.is_empty() => {
            let key = members.keys().nth(first.index(members.len())).cloned().expect("a key");
            mutate(&mut members[&key], rest, with);
        }
        Value::Array(items) if !items.is_empty() => {
            let at = first.index(items.len());
            mutate(&mut items[at], rest, with);
        }
        _ => *value = with.clone(),
    }
}

fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[null]])),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "[/:,a-z]{0,20}".prop_map(Value::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_answered(body in proptest::collection::vec(any::<u8>(), 0..256)) {
        answers(&Bed::of([]), body);
    }

    #[test]
    fn a_review_with_bytes_changed_or_cut_off_is_answered(
        changes in proptest::collection::vec((any::<Index>(), any::<u8>()), 0..4),
        end in any::<Index>(),
        cut in any::<bool>(),
    ) {
        let mut body = create(node()).to_string().into_bytes();
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        if cut {
            body.truncate(end.index(body.len()));
        }
        answers(&Bed::serving(&MISNAMED), body);
    }

    #[test]
    fn a_review_with_odd_values_is_answered(
        changes in proptest::collection::vec((proptest::collection::vec(any::<Index>(), 1..9), odd_value()), 1..4),
    ) {
        let mut review = update(node(), node());
        for (path, value) in changes {
            mutate(&mut review, &path, &value);
        }
        answers(&Bed::serving(&MISNAMED), review.to_string().into_bytes());
    }

    #[test]
    fn a_review_of_a_route_with_odd_values_is_answered(
        kind in 0..4_usize,
        changes in proptest::collection::vec((proptest::collection::vec(any::<Index>(), 1..9), odd_value()), 1..4),
    ) {
        let route = [
            virtual_service("shop", "colors", "blue"),
            virtual_router("shop", "colors", "blue"),
            gateway_route("shop", "colors", "colors"),
            backend_group("shop", "colors", "colors"),
        ][kind].clone();
        let mut review = update(route.clone(), route);
        for (path, value) in changes {
            mutate(&mut review, &path, &value);
        }
        let bed = Bed::of([node(), calling_node("shop", "front", "colors", client_policy())]);
        bed.policy.store(Policy::parse("backendGroups: {enabled: true}\nrouting: {severity: deny}").expect("a policy").into());
        answers(&bed, review.to_string().into_bytes());
    }
}
