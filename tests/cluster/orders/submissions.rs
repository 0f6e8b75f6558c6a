//! Many objects at once: by helm, which submits those of one kind side by side, and in a namespace that is labelled and filled in one go.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::kubectl::Outcome;
use crate::orders::bed::Bed;
use crate::orders::shop::{OTHER, ROOT};
use crate::orders::writes::Write::{Apply, Patch};
use crate::sandbox;
use crate::support::manifests::{
    calling_node, client_policy, deployment, namespace, secret, tls_secret, virtual_node, virtual_service,
};

tests![
    calls_that_helm_submits_side_by_side_are_reported,
    nodes_that_helm_submits_side_by_side_are_refused_each,
    an_uninstalled_release_goes_without_a_word,
    a_namespace_that_is_labelled_and_filled_at_once_is_judged,
];

/// Calls or nodes in one release: every other one is broken.
const MANY: usize = 10;

fn is_broken(number: usize) -> bool {
    number % 2 == 1
}

/// helm on a chart of these objects.
fn helm(bed: &Bed, command: &str, release: &str, objects: &[Value]) -> Outcome {
    let chart = bed.plane.folder().join(format!("chart-{release}"));
    fs::create_dir_all(chart.join("templates")).unwrap();
    fs::write(chart.join("Chart.yaml"), format!("apiVersion: v2\nname: {release}\nversion: 1.0.0\n")).unwrap();
    let documents: Vec<String> = objects.iter().map(Value::to_string).collect();
    fs::write(chart.join("templates/all.yaml"), documents.join("\n---\n")).unwrap();
    let path: &Path = &chart;
    let path = path.display().to_string();
    bed.plane.kubectl.program(&sandbox::helm(), &[command, release, &path, "-n", release])
}

/// `front-N`, which calls `blue-N`, with all that the two rest on; it trusts another authority where the call is to be broken.
fn calls(namespace: &str, is_broken: impl Fn(usize) -> bool) -> Vec<Value> {
    let call = |number: usize| {
        let (front, blue) = (format!("front-{number}"), format!("blue-{number}"));
        let host = format!("{blue}.{namespace}.svc.cluster.local");
        let trusted = if is_broken(number) { OTHER.pem() } else { ROOT.pem() };
        [
            tls_secret(namespace, &format!("{blue}-tls"), &ROOT.leaf(&[&host]).issue()),
            secret(namespace, &format!("{front}-tls"), &[("ca.crt", &trusted)]),
            deployment(namespace, &blue, &format!("{blue}-tls:/certs")),
            deployment(namespace, &front, &format!("{front}-tls:/certs")),
            virtual_node(namespace, &blue, &host),
            virtual_service(namespace, &blue, &blue),
            calling_node(namespace, &front, &blue, client_policy()),
        ]
    };
    (0..MANY).flat_map(call).collect()
}

/// The same call is reported by an Event; None of the others.
fn tells_of_the_broken_ones(bed: &Bed, namespace: &str, broken: usize) {
    bed.settle();
    assert_eq!(bed.figures().count(namespace, "MV301"), broken, "{:?}", bed.figures().rules(namespace));
    sandbox::eventually("an Event tells of each", || {
        let events = bed.events(namespace);
        let untold = (0..MANY).filter(|number| is_broken(*number)).find(|number| {
            let call = format!("front-{number} → blue-{number}");
            !events.iter().any(|event| event.warns && event.note.starts_with("MV301") && event.note.contains(&call))
        });
        untold.map_or(Ok(()), |number| Err(format!("{number}: {events:#?}")))
    });
    for event in bed.events(namespace).iter().filter(|event| event.warns && event.note.starts_with("MV301")) {
        let of_sound = (0..MANY).filter(|number| !is_broken(*number));
        let told = of_sound.map(|number| format!("front-{number} → ")).find(|call| event.note.contains(call));
        assert_eq!(told, None, "{event:?}");
    }
}

fn calls_that_helm_submits_side_by_side_are_reported() {
    let bed = Bed::shared();
    bed.does(&Apply(namespace("helm-calls"))).succeeds();
    helm(bed, "install", "helm-calls", &calls("helm-calls", is_broken)).succeeds();
    tells_of_the_broken_ones(bed, "helm-calls", MANY / 2);
}

fn nodes_that_helm_submits_side_by_side_are_refused_each() {
    let (bed, place) = (Bed::shared(), "helm-nodes");
    bed.does(&Apply(namespace(place))).succeeds();
    let objects = (0..MANY).flat_map(|number| {
        let name = format!("blue-{number}");
        let host = format!("{name}.{place}.svc.cluster.local");
        let leaf = ROOT.leaf(&[if is_broken(number) { "elsewhere.local" } else { &host }]).issue();
        [
            tls_secret(place, &format!("{name}-tls"), &leaf),
            deployment(place, &name, &format!("{name}-tls:/certs")),
            virtual_node(place, &name, &host),
        ]
    });
    let outcome = helm(bed, "install", place, &objects.collect::<Vec<_>>());
    assert!(outcome.code != 0 && outcome.stderr.contains("MV101"), "{outcome}");
    let nodes = bed.writer.get(&format!("/apis/appmesh.k8s.aws/v1beta2/namespaces/{place}/virtualnodes"));
    let stored: Vec<&str> =
        nodes["items"].as_array().expect("items").iter().filter_map(|node| node["metadata"]["name"].as_str()).collect();
    let broken = (0..MANY).filter(|number| is_broken(*number)).map(|number| format!("blue-{number}"));
    let unseen: Vec<String> = broken.filter(|name| stored.contains(&name.as_str())).collect();
    assert!(unseen.is_empty(), "stored though broken: {unseen:?}\n{outcome}");
    bed.settle();
    assert!(bed.figures().rules(place).is_empty(), "{:?}", bed.figures().rules(place));
}

fn an_uninstalled_release_goes_without_a_word() {
    let (bed, place) = (Bed::shared(), "helm-gone");
    bed.does(&Apply(namespace(place))).succeeds();
    let installed = helm(bed, "install", place, &calls(place, |_| false)).succeeds();
    assert_eq!(installed.stderr, "", "{installed}");
    bed.settle();
    assert!(bed.figures().rules(place).is_empty(), "{:?}", bed.figures().rules(place));
    let gone = bed.plane.kubectl.program(&sandbox::helm(), &["uninstall", place, "-n", place]).succeeds();
    assert_eq!(gone.stderr, "", "{gone}");
    bed.settle();
    assert!(bed.figures().rules(place).is_empty(), "{:?}", bed.figures().rules(place));
    let events = bed.events(place);
    assert!(events.iter().all(|event| !event.warns), "{events:#?}");
    let left = bed.writer.get(&format!("/apis/appmesh.k8s.aws/v1beta2/namespaces/{place}/virtualnodes"));
    assert_eq!(left["items"], json!([]));
}

fn a_namespace_that_is_labelled_and_filled_at_once_is_judged() {
    let (bed, place) = (Bed::shared(), "filled");
    let mut bare = namespace(place);
    bare["metadata"]["labels"] = json!({});
    bed.does(&Apply(bare)).succeeds();
    bed.settle();
    bed.does(&Patch(namespace(place), json!({"metadata": {"labels": namespace(place)["metadata"]["labels"]}})));
    let mut said = Vec::new();
    for object in calls(place, is_broken) {
        said.push(bed.does(&Apply(object)));
    }
    for answer in &said {
        // Nothing sound is refused, whatever is known of the namespace by then.
        let is_refused_rightly = answer.tells(&["MV301".to_owned()]);
        assert!(answer.is_done() || is_refused_rightly, "{answer}");
        assert!(!answer.lines().iter().any(|line| line.contains("MV218")), "{answer}");
    }
    bed.settle();
    let refused = said.iter().filter(|answer| !answer.is_done()).count();
    assert_eq!(refused + bed.figures().count(place, "MV301"), MANY / 2);
    let others: Vec<String> =
        bed.figures().rules(place).into_iter().filter(|rule| *rule != "MV301").map(str::to_owned).collect();
    assert!(others.is_empty(), "{others:?}");
}
