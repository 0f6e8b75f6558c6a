//! The rights of the chart's ServiceAccount, on a real API server that grants nothing else: each mode works with exactly its own, and
//! each of them that is taken away is named by its verb and its resource.

use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::install::Installation;
use crate::release::Release;
use crate::replica::Replica;
use crate::sandbox::eventually;
use crate::support::manifests::{self, tls_secret, virtual_node};
use crate::support::mint::Authority;
use crate::world::{self, World};

tests![
    each_mode_works_with_exactly_its_rights,
    a_right_that_is_missing_is_named,
    a_missing_right_to_read_afresh_is_told_to_the_user_and_the_log,
];

/// A mode: its release, its values, and the namespaces that it judges, each with whether it may read Secrets there.
type Mode = (&'static str, &'static [&'static str], &'static [(&'static str, bool)]);

const MODES: &[Mode] = &[
    ("watch", &[], &[("watched", true)]),
    ("get", &["secrets.mode=get"], &[("got", true)]),
    ("none", &["secrets.mode=none"], &[("unread", false)]),
    ("some", &[r#"secrets.namespaces=["listed"]"#], &[("listed", true), ("not-listed", false)]),
    (
        "some-get",
        &["secrets.mode=get", r#"secrets.namespaces=["got-listed"]"#],
        &[("got-listed", true), ("got-not-listed", false)],
    ),
];

fn plane(name: &str) -> ControlPlane {
    let plane = ControlPlane::start(name);
    world::install_crds(&plane);
    plane
}

/// A value by which a release looks at no namespace but those labelled with its name.
fn looks_at_its_own(name: &str) -> String {
    let selector = json!({"matchLabels": {"judged-by": name}, "matchExpressions": []});
    format!("webhook.namespaceSelector={selector}")
}

/// A namespace that release `name` judges, with a workload whose certificate holds for another name.
fn judged_by(plane: &ControlPlane, name: &str, namespace: &'static str) -> (World, Value) {
    let world = World::on(plane, namespace);
    plane.kubectl.run(&["label", "namespace", namespace, &format!("judged-by={name}")], "").succeeds();
    let issued = Authority::new("Test root").leaf(&["web.elsewhere.local"]).issue();
    world.has([tls_secret(namespace, "web-tls", &issued), manifests::deployment(namespace, "web", "web-tls:/certs")]);
    let node = virtual_node(namespace, "web", &world.hostname("web"));
    (world, node)
}

fn each_mode_works_with_exactly_its_rights() {
    let plane = plane("rights-modes");
    for (name, values, namespaces) in MODES {
        let worlds: Vec<(World, Value, bool)> = namespaces
            .iter()
            .map(|(namespace, reads)| {
                let (world, node) = judged_by(&plane, name, namespace);
                (world, node, *reads)
            })
            .collect();
        let own = looks_at_its_own(name);
        let values = [values, &[own.as_str(), "webhook.failurePolicy=Fail"][..]].concat();
        let release = Release::install(&plane, (name, name), &values);
        let installation = release.installation();
        let replica = installation.start("0");
        installation.route_to(&[&replica]);
        for (world, node, reads) in worlds {
            installation.wait_until_judging(world.namespace);
            world.knows(&node);
            if !reads {
                // Nothing is refused, or told, for what is in a Secret that may not be read.
                world.apply(&node).succeeds_silently();
                continue;
            }
            world.apply(&node).refused(&["MV101 hostname-mismatch", "web.elsewhere.local"]);
            let sound = Authority::new("Test root").leaf(&[&world.hostname("web")]).issue();
            world.has([tls_secret(world.namespace, "web-tls", &sound)]);
            world.apply(&node).succeeds_silently();
        }
        let log = replica.log();
        for word in ["\"ERROR\"", "forbidden", "may not"] {
            assert!(!log.contains(word), "mode {name}: {word}\n{log}");
        }
        assert_eq!(replica.probe("/readyz"), Ok(200), "mode {name}\n{log}");
    }
}

/// The release whose rights are taken away, one after the other.
const LESS: &str = "less";

/// A role of the release: what kubectl finds it by.
type Role = &'static [&'static str];

/// The roles where Secrets are read in one namespace. (Where they are read in all, its own is among them.)
const NARROW: &[Role] =
    &[&["clusterrole", LESS], &["-n", "shop", "role", "less-secrets"], &["-n", LESS, "role", "less-authority"]];
const WIDE: Role = &["clusterrole", "less-secrets"];

/// What the log says when `verb` on `resource` is missing.
fn complaint(verb: &str, resource: &str) -> String {
    match resource {
        "validatingwebhookconfigurations.admissionregistration.k8s.io" => {
            format!("could not {verb} ValidatingWebhookConfiguration {LESS}")
        }
        "leases.coordination.k8s.io" => format!("could not {verb} Lease {LESS}/less-authority"),
        "own secrets" => format!("could not {verb} Secret {LESS}/less-authority"),
        _ => format!("may not {verb} {resource}:"),
    }
}

/// Groups that this cluster doesn't have: a right to them is no loss.
const NOT_SERVED: &[&str] = &[
    "apps.kruise.io",
    "apps.openshift.io",
    "argoproj.io",
    "bitnami.com",
    "cert-manager.io",
    "external-secrets.io",
    "gateway.envoyproxy.io",
    "gateway.networking.k8s.io",
    "secrets-store.csi.x-k8s.io",
    "serving.knative.dev",
    "trust.cert-manager.io",
];
/// What meshvet does without.
const OPTIONAL: &[&str] = &["ingressclasses.networking.k8s.io", "replicationcontrollers", "services"];

/// The resources of which some objects are read by their names while they are followed.
const READ_BY_NAME: &[&str] = &["pods", "replicasets.apps", "jobs.batch"];

/// Every right of a role: the place of its rule, its verb and its resources. Those that matter only in a review are left to another
/// test.
fn rights(plane: &ControlPlane, role: Role) -> Vec<(usize, String, Vec<String>)> {
    let mut rights = Vec::new();
    let rules = plane.kubectl.get(role)["rules"].clone();
    for (place, rule) in rules.as_array().expect("rules").iter().enumerate() {
        let texts = |field: &str| {
            let texts = rule[field].as_array().into_iter().flatten().filter_map(Value::as_str);
            texts.map(str::to_owned).collect::<Vec<_>>()
        };
        let own = !texts("resourceNames").is_empty();
        let group = texts("apiGroups").concat();
        if NOT_SERVED.contains(&group.as_str()) {
            continue;
        }
        let resource = |name: String| match (group.as_str(), own) {
            ("", true) => format!("own {name}"),
            ("", false) => name,
            (group, _) => format!("{name}.{group}"),
        };
        let resources: Vec<String> = texts("resources").into_iter().map(resource).collect();
        let at_once = own || resources.iter().all(|resource| READ_BY_NAME.contains(&resource.as_str()));
        for verb in texts("verbs").into_iter().filter(|verb| at_once || verb != "get") {
            rights.push((place, verb, resources.clone()));
        }
    }
    rights
}

/// Without a verb in one rule of a role, `test`; then with it again.
fn without(plane: &ControlPlane, role: &[&str], place: usize, verb: &str, test: impl FnOnce()) {
    let verbs = plane.kubectl.get(role)["rules"][place]["verbs"].clone();
    let set = |verbs: &Value| {
        let patch = json!([{"op": "replace", "path": format!("/rules/{place}/verbs"), "value": verbs}]).to_string();
        plane.kubectl.run(&[&["patch", "--type=json", "-p", &patch], role].concat(), "").succeeds();
    };
    let rest: Vec<Value> = verbs.as_array().expect("verbs").iter().filter(|found| *found != verb).cloned().collect();
    set(&json!(rest));
    test();
    set(&verbs);
}

/// A workload of each kind whose objects are read by their names where no other workload owns them.
fn unowned() -> [Value; 3] {
    let template =
        json!({"metadata": {"labels": {"app": "bare"}}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}});
    let mut job_template = template.clone();
    job_template["spec"]["restartPolicy"] = "Never".into();
    let metadata = json!({"namespace": "shop", "name": "bare"});
    let selector = json!({"matchLabels": {"app": "bare"}});
    [
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}),
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": {"selector": selector, "template": template}}),
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": job_template}}),
    ]
}

/// Waits until the API server has heard that the ServiceAccount may, or may not, do this.
fn heard(plane: &ControlPlane, may: bool, question: &[&str]) {
    let account = format!("--as=system:serviceaccount:{LESS}:{LESS}");
    eventually("the API server hears of the roles", || {
        let outcome = plane.kubectl.run(&[&["auth", "can-i", &account], question].concat(), "");
        if (outcome.stdout.trim() == "yes") == may { Ok(()) } else { Err(outcome.to_string()) }
    });
}

fn a_right_that_is_missing_is_named() {
    let plane = plane("rights-less");
    World::on(&plane, "shop").has(unowned());
    let release = Release::install(&plane, (LESS, LESS), &[r#"secrets.namespaces=["shop"]"#]);
    let installation = release.installation();
    let tried: usize = NARROW.iter().map(|role| take_each_away(&plane, &installation, role)).sum();
    assert_eq!(
        tried, 33,
        "list and watch of eleven rules and of Secrets, get of three of them, get and update of three"
    );
    // With all of them again it works.
    let replica = installation.start("whole");
    assert!(!replica.log().contains("\"ERROR\""), "{}", replica.log());

    release.upgrade(&[]);
    assert_eq!(take_each_away(&plane, &installation, WIDE), 2);
}

/// Takes each right of a role away in turn, and looks at what a replica says that starts without it. Returns how many there were.
fn take_each_away(plane: &ControlPlane, installation: &Installation<'_>, role: Role) -> usize {
    let mut rights = rights(plane, role);
    // These it needs only where Secret or Lease were deleted.
    rights.retain(|(_, verb, resources)| {
        let is_own = resources.iter().any(|resource| resource == "own secrets" || resource.starts_with("leases"));
        !(is_own && (verb == "create" || verb == "patch"))
    });
    for (number, (place, verb, resources)) in rights.iter().enumerate() {
        forget_the_certificate(plane);
        let first = resources.first().expect("a resource").as_str();
        without(plane, role, *place, verb, || {
            match first {
                "own secrets" => heard(plane, false, &[verb, "secrets/less-authority", "-n", LESS]),
                "secrets" => heard(plane, false, &[verb, first, "-n", "shop"]),
                _ if first.starts_with("leases") => {
                    heard(plane, false, &[verb, &format!("{first}/less-authority"), "-n", LESS]);
                }
                _ if first.starts_with("validating") => heard(plane, false, &[verb, &format!("{first}/{LESS}")]),
                _ => heard(plane, false, &[verb, first, "-A"]),
            }
            let replica = installation.start_unready(&format!("{}-{number}", role.join("-")));
            for resource in resources {
                names(&replica, &complaint(verb, resource));
            }
            // What a watch tells came with the list; a Lease is another replica's to hold.
            if OPTIONAL.contains(&first) {
                eventually("it does without", || match replica.probe("/readyz") {
                    Ok(200) => Ok(()),
                    other => Err(format!("{verb}: {other:?}\n{}", replica.log())),
                });
            } else if (verb == "list" || verb == "get") && !first.starts_with("leases") {
                assert_eq!(replica.probe("/readyz"), Ok(503), "{verb} {resources:?}\n{}", replica.log());
            }
        });
    }
    rights.len()
}

/// The log has one line with this complaint and what to do about it.
#[track_caller]
fn names(replica: &Replica, complaint: &str) {
    eventually("the log names it", || {
        let log = replica.log();
        let named = log.lines().any(|line| line.contains(complaint) && line.contains("must allow"));
        if named { Ok(()) } else { Err(format!("{complaint}\n{log}")) }
    });
}

/// As if meshvet had never run: what it keeps has to be written again.
fn forget_the_certificate(plane: &ControlPlane) {
    let patch = |what: &[&str], patch: Value| {
        let patch = patch.to_string();
        plane.kubectl.run(&[&["patch", "--type=merge", "-p", &patch], what].concat(), "").succeeds();
    };
    patch(&["-n", LESS, "secret", "less-authority"], json!({"data": null}));
    patch(&["-n", LESS, "lease", "less-authority"], json!({"spec": null}));
}

fn a_missing_right_to_read_afresh_is_told_to_the_user_and_the_log() {
    let plane = plane("rights-fresh");
    let (world, node) = judged_by(&plane, LESS, "shop");
    let release = Release::install(&plane, (LESS, LESS), &[&looks_at_its_own(LESS)]);
    let installation: Installation<'_> = release.installation();
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    installation.wait_until_judging("shop");
    world.knows(&node);
    world.apply(&node).refused(&["MV101"]);
    without(&plane, WIDE, 0, "get", || {
        heard(&plane, false, &["get", "secrets", "-n", "shop"]);
        // Whether the Secret is still so can't be seen: it warns, and says why.
        world.apply(&node).warns(&["MV101 (not confirmed)", "may not get secrets"]);
        names(&replica, &complaint("get", "secrets"));
    });
    heard(&plane, true, &["get", "secrets", "-n", "shop"]);
    let mut again = node;
    again["metadata"]["name"] = "again".into();
    world.apply(&again).refused(&["MV101"]);
}
