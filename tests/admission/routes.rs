//! Reviews of objects that lead callers to nodes: what changes by an update, what the policy makes of it, and what is read for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use meshvet::mesh::{Fact, FreshStores, SecretAccess, StoreKey, StoreState};
use meshvet::policy::Policy;
use meshvet::sources::{NoReader, StoreReader};
use serde_json::{Value, json};

use crate::bed::{AUTHORITY, Bed, SOUND, create, facts, node, post, review, update};
use crate::support::manifests::{
    calling_node, client_policy, deployment, namespace, secret, tls_secret, virtual_node, virtual_service,
};
use crate::support::mint::Authority;

/// A node whose listener speaks plaintext.
fn plaintext(name: &str) -> Value {
    let mut node = virtual_node("shop", name, &format!("{name}.apps.local"));
    node["spec"]["listeners"][0].as_object_mut().expect("a listener").remove("tls");
    node
}

/// Plaintext nodes `blue` and `green`, `sound` which speaks TLS, and `front` which enforces it towards service `colors`.
fn bed(policy: &str) -> Bed {
    let sound = virtual_node("shop", "sound", "sound.apps.local");
    let front = calling_node("shop", "front", "colors", client_policy());
    let bed = Bed::of([namespace("shop"), plaintext("blue"), plaintext("green"), sound, front]);
    bed.policy.store(Policy::parse(policy).expect("a policy").into());
    bed
}

const DENY: &str = "routing: {severity: deny}";

fn leading_to(node: &str) -> Value {
    virtual_service("shop", "colors", node)
}

#[tokio::test]
async fn a_call_that_cant_work_warns_by_default() {
    let response = bed("").ask(&create(leading_to("blue"))).await;
    response.warns(&["MV305: front → blue: the client enforces TLS"]);
    assert_eq!(response.0["auditAnnotations"], json!({"verdict": "warned", "warned-rules": "MV305"}));
    bed("").ask(&create(leading_to("sound"))).await.passes_silently();
    bed("routing: {severity: off}").ask(&create(leading_to("blue"))).await.passes_silently();
}

#[tokio::test]
async fn what_would_be_refused_passes_where_the_policy_enforces_nothing() {
    let bed = bed(&format!("{DENY}\nenforcement: warn"));
    let response = bed.ask(&create(leading_to("blue"))).await;
    response.warns(&["MV305 (would be refused): front → blue: the client enforces TLS"]);
    assert_eq!(response.0["auditAnnotations"], json!({"verdict": "warned", "warned-rules": "MV305"}));
    let figures = bed.metrics.encode();
    assert!(figures.contains(r#"meshvet_findings_total{rule="MV305",outcome="unenforced"} 1"#), "{figures}");
    // What only warns by itself says nothing of the kind.
    bed.policy.store(Policy::parse("enforcement: warn").expect("a policy").into());
    bed.ask(&create(leading_to("blue"))).await.warns(&["MV305: front → blue"]);
}

#[tokio::test]
async fn it_is_refused_where_the_policy_says_so() {
    let response = bed(DENY).ask(&create(leading_to("blue"))).await;
    response.denies(&[
        "VirtualService shop/colors would not work: MV305 front → blue: ",
        "1 problem",
        "MV305 plaintext-server at spec.provider.virtualNode",
        "front → blue",
        "listener 8443 has no tls",
        "fix:",
    ]);
    let details = &response.0["status"]["details"];
    assert_eq!((&details["kind"], &details["name"]), (&json!("VirtualService"), &json!("colors")));
    assert_eq!(details["causes"][0]["field"], "spec.provider.virtualNode");
}

#[tokio::test]
async fn an_update_is_judged_by_what_it_makes_worse() {
    for policy in ["", DENY] {
        let bed = bed(policy);
        let mut edited = leading_to("blue");
        edited["spec"]["awsName"] = "colors.apps.local".into();
        bed.ask(&update(leading_to("blue"), edited)).await.warns(&["MV305 (as before): front → blue"]);
        bed.ask(&update(leading_to("blue"), leading_to("sound"))).await.passes_silently();
        let worse = bed.ask(&update(leading_to("sound"), leading_to("blue"))).await;
        let other = bed.ask(&update(leading_to("blue"), leading_to("green"))).await;
        if policy == DENY {
            worse.denies(&["front → blue"]);
            other.denies(&["front → green"]);
        } else {
            worse.warns(&["MV305: front → blue"]);
            other.warns(&["MV305: front → green"]);
        }
    }
}

#[tokio::test]
async fn what_is_new_is_told_before_what_was_there() {
    let target = |name: &str| json!({"virtualNodeRef": {"name": name}, "weight": 1});
    let router = |targets: Value| {
        let route = json!({"name": "all", "tcpRoute": {"action": {"weightedTargets": targets}}});
        let mut router = leading_to("blue");
        router["kind"] = "VirtualRouter".into();
        router["spec"] = json!({"routes": [route]});
        router
    };
    let mut service = leading_to("blue");
    service["spec"]["provider"] = json!({"virtualRouter": {"virtualRouterRef": {"name": "colors"}}});
    let front = calling_node("shop", "front", "colors", client_policy());
    let bed = Bed::of([namespace("shop"), plaintext("blue"), plaintext("green"), front, service]);
    let (old, new) = (router(json!([target("blue")])), router(json!([target("blue"), target("green")])));
    let response = bed.ask(&update(old, new)).await;
    let told: Vec<&str> = response.warnings();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("MV305: front → green"), "{told:?}");
    assert!(told[1].contains("MV305 (as before): front → blue"), "{told:?}");
}

#[tokio::test]
async fn calls_of_the_same_names_in_two_namespaces_are_told_apart() {
    let at = |space: &str, mut object: Value| {
        object["metadata"]["namespace"] = space.into();
        object
    };
    let mut front = calling_node("shop", "front", "unused", client_policy());
    front["spec"]["backends"] = json!([]);
    front["spec"]["backendGroups"] = json!([{"name": "colors", "namespace": "shop"}]);
    let world = ["a", "b"].into_iter().flat_map(|space| {
        let service = virtual_service(space, "blue", "blue");
        [namespace(space), at(space, plaintext("blue")), at(space, front.clone()), service]
    });
    let bed = Bed::of(world.collect::<Vec<_>>());
    bed.policy.store(Policy::parse(&format!("{DENY}\nbackendGroups: {{enabled: true}}")).expect("a policy").into());
    let group = |space: &str| {
        let mut group = leading_to("blue");
        group["kind"] = "BackendGroup".into();
        group["spec"] = json!({"virtualservices": [{"name": "blue", "namespace": space}]});
        group
    };
    // In a, front → blue was broken; in b it is another call, and broken by this update.
    let response = bed.ask(&update(group("a"), group("b"))).await;
    response.denies(&[
        "2 problems",
        "MV305 plaintext-server at spec.virtualservices[0]",
        "a/front → b/blue",
        "b/front → b/blue",
    ]);
    assert!(!response.0.to_string().contains("as before"), "{}", response.0);
}

#[tokio::test]
async fn a_service_that_a_group_names_twice_is_told_once() {
    let mut front = calling_node("shop", "front", "unused", client_policy());
    front["spec"]["backends"] = json!([]);
    front["spec"]["backendGroups"] = json!([{"name": "colors"}]);
    let services = ["azure", "blue", "cyan"].map(|name| virtual_service("shop", name, "blue"));
    let bed = Bed::of([namespace("shop"), plaintext("blue"), front].into_iter().chain(services));
    bed.policy.store(Policy::parse("backendGroups: {enabled: true}").expect("a policy").into());
    let mut group = leading_to("blue");
    group["kind"] = "BackendGroup".into();
    group["spec"] = json!({"virtualservices": [{"name": "azure"}, {"name": "*"}]});
    let response = bed.ask(&create(group)).await;
    response.warns(&["MV305", "front → blue"]);
    // One for each of the two entries that leads there, and none for azure's second.
    assert_eq!(response.warnings().len(), 2, "{:?}", response.warnings());
}

#[tokio::test]
async fn one_on_its_way_out_passes() {
    let bed = bed(DENY);
    // Whoever calls it hears of that.
    bed.ask(&review("DELETE", Value::Null, leading_to("blue"))).await.warns(&["shop/front MV308"]);
    let mut leaving = leading_to("blue");
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    bed.ask(&update(leading_to("sound"), leaving)).await.passes_silently();
}

#[tokio::test]
async fn one_that_cant_be_read_is_refused_unless_it_was_so_before() {
    for policy in ["", DENY] {
        let bed = bed(policy);
        let mut unreadable = leading_to("blue");
        unreadable["spec"]["provider"] = json!("blue");
        bed.ask(&create(unreadable.clone())).await.denies(&["VirtualService shop/colors", "MV006", "spec.provider"]);
        bed.ask(&update(leading_to("sound"), unreadable.clone())).await.denies(&["MV006"]);
        bed.ask(&update(unreadable.clone(), unreadable.clone())).await.warns(&["MV006", "unreadable before"]);
        // A repair in steps: readable again, and leading to a call that can't work.
        bed.ask(&update(unreadable, leading_to("blue"))).await.warns(&["MV305"]);
    }
}

#[tokio::test]
async fn a_reason_to_leave_it_holds_as_long_as_it_only_warns() {
    let mut left = leading_to("blue");
    left["metadata"]["annotations"] = json!({"meshvet.dev/ignore": "MV305=blue gets TLS tomorrow"});
    let response = bed("").ask(&create(left.clone())).await;
    response.passes_silently();
    assert_eq!(response.0["auditAnnotations"]["suppressed"], "1: MV305");
    bed(DENY).ask(&create(left)).await.denies(&["MV305"]);
}

/// Finds these stores, and remembers what it was asked for.
#[derive(Clone, Default)]
struct Reader {
    found: HashMap<StoreKey, StoreState>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl StoreReader for Reader {
    fn read(&self, keys: Vec<StoreKey>) -> BoxFuture<'_, FreshStores> {
        self.asked.lock().expect("a lock").extend(keys.iter().map(ToString::to_string));
        let fresh = keys.into_iter().map(|key| {
            let state = self.found.get(&key).cloned().unwrap_or(StoreState::Absent);
            (key, state)
        });
        Box::pin(std::future::ready(fresh.collect()))
    }
}

/// `front` trusts this bundle, as a watch saw it last, and the reader finds the other; `blue` is issued by [`AUTHORITY`].
async fn verdict(policy: &str, access: SecretAccess, seen: &str, now: &str) -> (crate::bed::Response, Vec<String>) {
    let trust = |bundle: &str| secret("shop", "front-cert", &[("ca.crt", bundle)]);
    let stores = [tls_secret("shop", "blue-cert", &SOUND), trust(now)];
    let mut reader = Reader::default();
    for fact in facts(stores) {
        let Fact::Store(key, store) = fact else { panic!("a Secret") };
        reader.found.insert(key, StoreState::Present(store));
    }
    let mut world = vec![
        namespace("shop"),
        deployment("shop", "blue", "blue-cert:/certs"),
        deployment("shop", "front", "front-cert:/certs"),
        node(),
        calling_node("shop", "front", "colors", client_policy()),
    ];
    if access == SecretAccess::Complete {
        world.extend([tls_secret("shop", "blue-cert", &SOUND), trust(seen)]);
    }
    let bed = Bed::reading(world, access, reader.clone());
    bed.policy.store(Policy::parse(policy).expect("a policy").into());
    let response = bed.ask(&create(leading_to("blue"))).await;
    let mut asked = reader.asked.lock().expect("a lock").clone();
    asked.sort_unstable();
    (response, asked)
}

#[tokio::test]
async fn a_denial_is_final_only_after_both_ends_secrets_were_read_afresh() {
    let other = Authority::new("Another root").pem();
    let both = ["Secret shop/blue-cert", "Secret shop/front-cert"];
    let (response, asked) = verdict(DENY, SecretAccess::Complete, &other, &AUTHORITY.pem()).await;
    response.passes_silently();
    assert_eq!(asked, both);
    let (response, asked) = verdict(DENY, SecretAccess::Complete, &other, &other).await;
    response.denies(&["MV301 issuer-untrusted at spec.provider.virtualNode", "front → blue"]);
    assert_eq!(asked, both);
    // Where it only warns, nothing is read for it.
    let (response, asked) = verdict("", SecretAccess::Complete, &other, &AUTHORITY.pem()).await;
    response.warns(&["MV301: front → blue: the client refuses the server's certificate"]);
    assert!(asked.is_empty(), "{asked:?}");
}

#[tokio::test]
async fn secrets_on_demand_of_both_ends_are_read() {
    let other = Authority::new("Another root").pem();
    let (response, asked) = verdict("", SecretAccess::OnDemand, "", &other).await;
    response.warns(&["MV301", "front → blue"]);
    assert_eq!(asked, ["Secret shop/blue-cert", "Secret shop/front-cert"]);
    verdict("", SecretAccess::OnDemand, "", &AUTHORITY.pem()).await.0.passes_silently();
}

/// A world that learns, in which a denial of a call waits for so long: `front` enforces TLS towards `blue`, which is plaintext as
/// far as is known.
fn learning(patience: Duration) -> Bed {
    let front = calling_node("shop", "front", "colors", client_policy());
    let objects = [namespace("shop"), plaintext("blue"), front, leading_to("blue")];
    Bed::waiting(objects, SecretAccess::Complete, NoReader, patience)
}

#[tokio::test]
async fn a_call_whose_other_end_was_mended_a_moment_ago_is_not_refused() {
    let bed = learning(Duration::from_secs(60));
    let mut front = calling_node("shop", "front", "colors", client_policy());
    front["spec"]["logging"] = json!({"accessLog": {"file": {"path": "/dev/stdout"}}});
    // The review comes first, and what a watch tells is learnt while it waits.
    let mended = async {
        let strict = virtual_node("shop", "blue", "blue.apps.local");
        facts([strict]).into_iter().for_each(|fact| bed.world.write(|world| world.learn(fact)));
    };
    let review = create(front);
    let (response, ()) = tokio::join!(bed.ask(&review), mended);
    assert_eq!(response.0["allowed"], true, "{}", response.0);
    assert!(!response.0.to_string().contains("MV305"), "{}", response.0);
}

#[tokio::test]
async fn a_call_that_stays_broken_is_refused_in_the_time_of_the_request() {
    let front = || calling_node("shop", "front", "colors", client_policy());
    learning(Duration::from_millis(30)).ask(&create(front())).await.denies(&["MV305", "front → blue"]);
    // Its patience is longer than the request's.
    let bed = learning(Duration::from_secs(3600));
    let answer = bed.send(post("/validate?timeout=2s", create(front()).to_string())).await;
    assert_eq!(answer.code, 200, "{}", answer.json);
    assert_eq!(answer.json["response"]["allowed"], false, "{}", answer.json);
}

#[tokio::test]
async fn what_is_wrong_by_itself_is_refused_at_once() {
    let bed = learning(Duration::from_secs(3600));
    let mut front = calling_node("shop", "front", "colors", client_policy());
    front["spec"]["backendDefaults"]["clientPolicy"]["tls"]["validation"]["trust"] = json!({});
    let denied = bed.send(post("/validate?timeout=3000s", create(front).to_string())).await;
    let message = denied.json["response"]["status"]["message"].as_str().expect("a message").to_owned();
    assert!(message.contains("MV004") && message.contains("MV305"), "{message}");
}
