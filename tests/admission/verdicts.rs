//! What is refused, what is only told, and in which words.

use meshvet::policy::Policy;
use serde_json::{Value, json};

use crate::bed::{AUTHORITY, Bed, MISNAMED, SOUND, create, node, review, update};
use crate::support::manifests::{deployment, namespace, secret, tls_secret, virtual_node};
use crate::support::mint::Issued;

/// A certificate with two things wrong: the name, and the key.
fn twice_wrong() -> Issued {
    Issued { key: SOUND.key.clone(), ..MISNAMED.clone() }
}

#[tokio::test]
async fn a_sound_node_passes_without_a_word() {
    let response = Bed::serving(&SOUND).ask(&create(node())).await;
    response.passes_silently();
    assert_eq!(response.0["auditAnnotations"], json!({"verdict": "allowed"}));
    assert!(response.0.get("status").is_none());
}

#[tokio::test]
async fn a_wrong_name_is_refused_with_all_that_a_user_needs() {
    let response = Bed::serving(&MISNAMED).ask(&create(node())).await;
    response.denies(&[
        "VirtualNode shop/blue",
        "MV101 hostname-mismatch",
        "spec.listeners[0].tls.certificate.file.certificateChain",
        "blue.apps.local",
        "red.apps.local",
        "CERTIFICATE_VERIFY_FAILED",
        "fix:",
    ]);
    assert!(response.message().ends_with("meshvet explain MV101"), "{}", response.message());
    let details = &response.0["status"]["details"];
    assert_eq!((&details["name"], &details["kind"]), (&json!("blue"), &json!("VirtualNode")));
    assert_eq!(details["group"], "appmesh.k8s.aws");
    assert_eq!(details["causes"][0]["reason"], "MV101 hostname-mismatch");
    assert_eq!(details["causes"][0]["field"], "spec.listeners[0].tls.certificate.file.certificateChain");
    let annotations = response.0["auditAnnotations"].as_object().expect("annotations");
    assert_eq!((&annotations["verdict"], &annotations["rules"]), (&json!("denied"), &json!("MV101")));
    assert!(annotations.keys().all(|key| key.len() <= 63 && !key.contains('/')));
}

#[tokio::test]
async fn every_problem_is_told_at_once() {
    let response = Bed::serving(&twice_wrong()).ask(&create(node())).await;
    response.denies(&["2 problems", "1. MV101", "2. MV206", "meshvet explain MV101 MV206"]);
    assert_eq!(response.0["status"]["details"]["causes"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn an_update_that_makes_nothing_worse_passes_with_a_warning() {
    let bed = Bed::serving(&MISNAMED);
    let mut edited = node();
    edited["metadata"]["labels"] = json!({"team": "shop"});
    bed.ask(&update(node(), edited)).await.warns(&["MV101", "as before"]);

    // The listener moves in the list: it is still the one on port 8443.
    let mut moved = node();
    let plain = json!({"portMapping": {"port": 8080, "protocol": "http"}});
    moved["spec"]["listeners"].as_array_mut().expect("listeners").insert(0, plain);
    let response = bed.ask(&update(node(), moved)).await;
    response.warns(&["MV101", "as before"]);
    assert_eq!(response.0["auditAnnotations"], json!({"verdict": "warned", "warned-rules": "MV101"}));
}

/// A warning has 120 characters: with names as long as they are in real clusters, its end is cut.
#[tokio::test]
async fn the_point_of_a_warning_is_not_cut() {
    const HOST: &str = "checkout-service.payments.svc.cluster.local";
    let (space, name) = ("payments", "checkout-service");
    let world = |namespace: Value, issued: &Issued| {
        let secret = tls_secret(space, "checkout-service-serving-cert", issued);
        Bed::of([namespace, deployment(space, name, "checkout-service-serving-cert:/certs"), secret])
    };
    let node = virtual_node(space, name, HOST);

    let by_common_name = AUTHORITY.leaf(&[]).common_name(HOST).issue();
    let response = world(namespace(space), &by_common_name).ask(&create(node.clone())).await;
    response.warns(&[&format!("MV102: hostname {HOST} matches only the common name")]);

    let soon = AUTHORITY.leaf(&[HOST]).valid(-80, 3).issue();
    let response = world(namespace(space), &soon).ask(&create(node.clone())).await;
    response.warns(&["MV209: the certificate expires in "]);

    let mut unlabelled = namespace(space);
    unlabelled["metadata"]["labels"] = json!({});
    let response = world(unlabelled, &AUTHORITY.leaf(&[HOST]).issue()).ask(&create(node.clone())).await;
    response.warns(&["MV218: namespace payments isn't labelled for injection: no proxy for the pods"]);

    let mut edited = node.clone();
    edited["spec"]["awsName"] = "checkout".into();
    let response = world(namespace(space), &MISNAMED).ask(&update(node, edited)).await;
    response.warns(&[&format!("MV101 (as before): hostname {HOST} matches no name of the cert")]);
}

#[tokio::test]
async fn an_update_is_refused_for_what_it_makes_worse_and_for_that_alone() {
    let bed = Bed::serving(&twice_wrong());
    let mut right_key = node();
    right_key["spec"]["listeners"][0]["tls"]["mode"] = "DISABLED".into();
    // Nothing was judged while TLS was off: switching it on brings both problems.
    bed.ask(&update(right_key, node())).await.denies(&["MV101", "MV206"]);

    let mut second = node();
    let listeners = second["spec"]["listeners"].as_array_mut().expect("listeners");
    let mut more = listeners[0].clone();
    more["portMapping"]["port"] = 9443.into();
    listeners.push(more);
    let response = bed.ask(&update(node(), second)).await;
    response.denies(&["2 problems", "spec.listeners[1].tls"]);
    assert!(!response.message().contains("spec.listeners[0]"), "{}", response.message());
    assert!(response.warnings().iter().any(|line| line.contains("MV101") && line.contains("as before")));
}

#[tokio::test]
async fn a_repair_of_one_of_two_problems_passes() {
    let bed = Bed::of([
        namespace("shop"),
        deployment("shop", "blue", "blue-cert:/certs"),
        secret(
            "shop",
            "blue-cert",
            &[("tls.crt", &MISNAMED.chain), ("tls.key", &MISNAMED.key), ("other.key", &SOUND.key)],
        ),
    ]);
    let mut broken = node();
    broken["spec"]["listeners"][0]["tls"]["certificate"]["file"]["privateKey"] = "/certs/other.key".into();
    let response = bed.ask(&update(broken, node())).await;
    response.warns(&["MV101", "as before"]);
    assert!(!response.0.to_string().contains("MV206"), "{}", response.0);
}

#[tokio::test]
async fn an_object_that_cant_be_read_is_refused_unless_it_was_so_before() {
    let bed = Bed::serving(&MISNAMED);
    let mut unreadable = node();
    unreadable["spec"]["listeners"][0]["portMapping"]["port"] = json!(["8443"]);
    let response = bed.ask(&create(unreadable.clone())).await;
    response.denies(&["VirtualNode shop/blue", "MV006 undecodable-object", "spec.listeners[0].portMapping.port"]);
    bed.ask(&update(node(), unreadable.clone())).await.denies(&["MV006"]);

    let mut labelled = unreadable.clone();
    labelled["metadata"]["labels"] = json!({"team": "shop"});
    bed.ask(&update(unreadable.clone(), labelled)).await.warns(&["MV006", "unreadable before"]);
    // What else is wrong with it is reported with it.
    unreadable["spec"]["listeners"][0]["tls"]["mode"] = json!(5);
    let all = ["MV006", "listeners[0].portMapping.port", "listeners[0].tls.mode", "MV101", "hostname-mismatch"];
    bed.ask(&create(unreadable.clone())).await.denies(&all);
    // A repair in steps: readable again, and still wrong.
    bed.ask(&update(unreadable, node())).await.warns(&["MV101", "unreadable before"]);
}

#[tokio::test]
async fn an_object_on_its_way_out_passes_whatever_it_says() {
    let bed = Bed::serving(&MISNAMED);
    let mut leaving = node();
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    leaving["spec"]["listeners"] = json!("none");
    bed.ask(&update(node(), leaving)).await.passes_silently();
}

#[tokio::test]
async fn what_meshvet_does_not_judge_passes_silently() {
    let bed = Bed::serving(&MISNAMED);
    bed.ask(&review("DELETE", Value::Null, node())).await.passes_silently();
    bed.ask(&review("CONNECT", node(), Value::Null)).await.passes_silently();
    for (place, value) in [
        ("/request/subResource", json!("status")),
        ("/request/kind/kind", json!("Gadget")),
        ("/request/kind/group", json!("apps")),
        ("/request/kind/version", json!("v1beta1")),
    ] {
        let mut asked = create(node());
        asked["request"]["subResource"] = "".into();
        *asked.pointer_mut(place).expect("a place") = value;
        bed.ask(&asked).await.passes_silently();
    }
}

#[tokio::test]
async fn a_dry_run_answers_the_same() {
    let bed = Bed::serving(&twice_wrong());
    let really = bed.ask(&create(node())).await;
    let mut dry = create(node());
    dry["request"]["dryRun"] = true.into();
    assert_eq!(bed.ask(&dry).await.0, really.0);
}

#[tokio::test]
async fn what_the_owner_has_left_is_counted_and_not_told() {
    let soon = AUTHORITY.leaf(&["blue.apps.local"]).valid(-80, 3).issue();
    let bed = Bed::serving(&soon);
    bed.ask(&create(node())).await.warns(&["MV209"]);

    let mut left = node();
    left["metadata"]["annotations"] = json!({"meshvet.dev/ignore": "MV209=rotation on Friday"});
    let response = bed.ask(&create(left)).await;
    response.passes_silently();
    assert_eq!(response.0["auditAnnotations"], json!({"verdict": "allowed", "suppressed": "1: MV209"}));
}

#[tokio::test]
async fn the_policy_in_force_decides_and_can_be_swapped() {
    let bed = Bed::serving(&MISNAMED);
    bed.ask(&create(node())).await.denies(&["MV101"]);
    bed.policy.store(Policy::parse("severities: {MV101: warn}").expect("a policy").into());
    bed.ask(&create(node())).await.warns(&["MV101:"]);
}

#[tokio::test]
async fn a_brief_answer_tells_nothing_that_was_found() {
    let bed = Bed::serving(&MISNAMED);
    bed.policy.store(Policy::parse("answers: {detail: brief}").expect("a policy").into());
    let response = bed.ask(&create(node())).await;
    response.denies(&["MV101 hostname-mismatch at spec.listeners[0].tls", "meshvet audit -n shop"]);
    // The certificate's names and the Secret are the namespace's own.
    let told = response.0.to_string();
    assert!(!told.contains("red.apps.local") && !told.contains("blue-cert"), "{told}");
}

#[tokio::test]
async fn every_review_is_counted_by_kind_and_verdict() {
    let bed = Bed::serving(&MISNAMED);
    bed.ask(&create(node())).await;
    bed.ask(&update(node(), node())).await;
    bed.ask(&review("DELETE", Value::Null, node())).await;
    bed.ask(&review("CONNECT", node(), Value::Null)).await;
    bed.post("{").await;
    let text = bed.metrics.encode();
    for line in [
        "meshvet_reviews_total{kind=\"VirtualNode\",verdict=\"denied\"} 1",
        "meshvet_reviews_total{kind=\"VirtualNode\",verdict=\"warned\"} 1",
        "meshvet_reviews_total{kind=\"VirtualNode\",verdict=\"allowed\"} 1",
        "meshvet_reviews_total{kind=\"VirtualNode\",verdict=\"unjudged\"} 1",
        "meshvet_failures_total{cause=\"malformed\"} 1",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}
