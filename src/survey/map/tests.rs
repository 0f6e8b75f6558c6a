//! Maps of small worlds, and of one too large to show.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::example;
use crate::mesh::View;
use crate::policy::Policy;
use crate::sources::manifests::{Manifests, load_texts};
use crate::survey::{Report, Surveyor};

fn report(manifests: &Manifests, policy: &Policy, now: Timestamp) -> Report {
    Surveyor::new(manifests, policy, Some(now)).survey().report
}

fn map(manifests: &Manifests, policy: &Policy) -> Map {
    let report = report(manifests, policy, Timestamp::now());
    MapBuilder::map(&report, View::new(&manifests.world), policy)
}

/// The example mesh, with certificates.
fn example() -> Manifests {
    let secrets = example::secrets().expect("certificates");
    load_texts(example::FILES.into_iter().chain([("secrets.json", secrets.as_str())]), "default")
}

/// The state of each call, by `client → server`.
fn states(map: &Map) -> Vec<(String, State)> {
    let name = |number: usize| map.nodes[number].name.as_str();
    map.calls.iter().map(|call| (format!("{} → {}", name(call.client), name(call.server)), call.state)).collect()
}

#[track_caller]
fn node<'m>(map: &'m Map, name: &str) -> &'m Node {
    map.nodes.iter().find(|node| node.name == name).unwrap_or_else(|| panic!("no node {name}"))
}

#[test]
fn the_example_is_drawn_with_its_gateway_and_the_trouble_of_each_node() {
    let map = map(&example(), &Policy::default());
    assert_eq!(states(&map), [("front → catalog".to_owned(), State::Sound)]);
    assert_eq!(node(&map, "ingress").noun(), "virtual gateway");
    for (name, state) in [
        ("catalog", State::Sound),
        ("front", State::Sound),
        ("cart", State::Broken),
        ("payment", State::Broken),
        ("orders", State::Broken),
        ("reviews", State::AtRisk),
    ] {
        assert_eq!(node(&map, name).state, state, "{name}");
    }
    let first = &map.certificates[0];
    assert!(first.subject.contains("orders"), "the one that has ended comes first: {}", first.subject);
    assert_eq!(first.shown_by.len(), 1);
    let trusted = map.certificates.iter().filter(|it| it.authority && !it.trusted_by.is_empty());
    assert!(trusted.count() > 0, "the authority that the front trusts");
}

#[test]
fn a_policy_that_only_warns_mends_nothing() {
    let policy = Policy::parse("severities: {MV206: warn, MV101: 'off'}").expect("a policy");
    let map = map(&example(), &policy);
    assert_eq!(node(&map, "payment").state, State::Broken, "the key isn't the certificate's all the same");
    assert_eq!(node(&map, "cart").state, State::Sound, "what isn't judged isn't told");
}

#[test]
fn what_an_owner_leaves_is_no_risk_and_stays_told() {
    let texts = example::FILES.map(|(name, text)| {
        let ignored = "name: reviews\n  annotations: {meshvet.dev/ignore: \"MV102=the mesh is old\"}";
        (
            name,
            if name.ends_with("reviews.yaml") {
                text.replacen(
                    "kind: VirtualNode\nmetadata:\n  name: reviews",
                    &format!("kind: VirtualNode\nmetadata:\n  {ignored}"),
                    1,
                )
            } else {
                text.to_owned()
            },
        )
    });
    let secrets = example::secrets().expect("certificates");
    let texts = texts.iter().map(|(name, text)| (*name, text.as_str())).chain([("secrets.json", secrets.as_str())]);
    let map = map(&load_texts(texts, "default"), &Policy::default());
    let reviews = node(&map, "reviews");
    assert_eq!(reviews.state, State::Sound);
    let told = &map.findings[reviews.findings[0]];
    assert_eq!((told.code, told.suppressed.as_deref()), ("MV102", Some("the mesh is old")));
    assert!(map.mend.iter().all(|mend| !mend.findings.contains(&reviews.findings[0])));
}

#[test]
fn a_namespace_has_its_neighbours_and_nobody_else() {
    let manifests = example();
    let policy = Policy::default();
    let report = report(&manifests, &policy, Timestamp::now());
    let view = View::new(&manifests.world);
    for (namespace, nodes) in [("shop", manifests.world.members().count()), ("elsewhere", 0)] {
        let mut builder = MapBuilder::new(&report, Some(namespace));
        manifests.world.members().for_each(|member| builder.member(view, &policy, member));
        let map = builder.finish();
        assert_eq!(map.nodes.len(), nodes, "{namespace}");
        assert_eq!(map.findings.is_empty(), nodes == 0, "{namespace}");
    }
}

#[test]
fn a_mesh_in_which_everyone_calls_everyone_is_cut_off_and_says_so() {
    const NODES: usize = 160;
    let own = |kind: &str, name: &str, spec: Value| json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": kind, "metadata": {"namespace": "shop", "name": name}, "spec": spec});
    let mut items = vec![own("BackendGroup", "all", json!({"virtualservices": [{"name": "*"}]}))];
    for number in 0..NODES {
        let name = format!("node-{number}");
        items.push(own(
            "VirtualService",
            &name,
            json!({"provider": {"virtualNode": {"virtualNodeRef": {"name": name}}}}),
        ));
        let listeners = json!([{"portMapping": {"port": 8080, "protocol": "http"}}]);
        items.push(own(
            "VirtualNode",
            &name,
            json!({"podSelector": {}, "listeners": listeners, "backendGroups": [{"name": "all"}]}),
        ));
    }
    let text = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
    let manifests = load_texts([("all.json", text.as_str())], "default");
    let policy = Policy::parse("backendGroups: {enabled: true}").expect("a policy");
    let draw = || MapBuilder::map(&Report::default(), View::new(&manifests.world), &policy);
    let map = draw();
    assert_eq!(map.calls.len(), MOST_CALLS);
    assert_eq!(map.left_out.calls, NODES * NODES - MOST_CALLS);
    assert!(map.calls.iter().all(|call| call.state == State::Plaintext));
    let ends = |map: &Map| map.calls.iter().map(|call| (call.client, call.server)).collect::<Vec<_>>();
    assert_eq!(ends(&map), ends(&draw()), "and always at the same place");
}

#[test]
fn a_node_is_found_by_its_name_or_leads_to_the_nearest() {
    let map = map(&example(), &Policy::default());
    assert_eq!(map.find("shop", "cart").map(|found| found.len()), Ok(1));
    assert_eq!(map.find("shop", "crat"), Err(Some("shop/cart".to_owned())));
    assert_eq!(map.find("default", "cart"), Err(Some("shop/cart".to_owned())));
    assert_eq!(Map::default().find("shop", "cart"), Err(None));
}
