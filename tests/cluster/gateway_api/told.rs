//! What is reported of gateways without a review: by audit, tree, the watcher's Events, Reports and figures, and doctor; and what the
//! policy and the owner do with it.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::audit::{Live, Said, audit, command, run};
use crate::gateway_api::bed::{GATEWAYS, SECRETS, shared, unseen};
use crate::gateway_api::objects::{annotated, gateway, leaf, mismatched, route, secret, short};
use crate::replica::Replica;
use crate::sandbox::eventually;
use crate::world::World;

tests![
    a_cluster_of_gateways_is_audited,
    a_live_view_follows_a_gateway,
    a_gateway_is_drawn_as_a_tree,
    events_reports_and_figures_follow_a_gateway,
    what_the_owner_leaves_is_left,
    a_scope_of_the_policy_holds_for_gateways,
    doctor_knows_the_apis_that_are_vetted,
];

fn admin() -> PathBuf {
    shared().plane.folder().join("kubeconfig")
}

/// The Events of the watcher on objects of a namespace: the type and the reason of each.
fn told(world: &World) -> Vec<String> {
    let list = world.kubectl.get(&["-n", world.namespace, "events.events.k8s.io"]);
    let items = list["items"].as_array().expect("items").iter();
    let ours = items.filter(|event| event["reportingController"] == "meshvet.dev/watcher");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    ours.map(|event| format!("{} {}", text(&event["type"]), text(&event["reason"]))).collect()
}

/// Waits until these Events have been written, and no others.
#[track_caller]
pub(crate) fn tells(world: &World, expected: &[&str]) {
    eventually("it is told by Events", || {
        let (mut told, mut expected) = (told(world), expected.to_vec());
        told.sort();
        expected.sort_unstable();
        if told == expected { Ok(()) } else { Err(format!("{told:?}, not {expected:?}")) }
    });
}

/// A Gateway `edge` whose first listener has the key of another certificate, and whose second has a host that its certificate lacks.
fn broken(namespace: &'static str) -> World {
    let world = shared().world(namespace);
    let edge = gateway(namespace, "edge", "eg", &[("web", "web.example.com", "web"), ("api", "*.api.test", "api")]);
    let objects = [
        secret(namespace, "web", &mismatched(&leaf("web.example.com"))),
        secret(namespace, "api", &leaf("*.api.test")),
        edge,
        route(namespace, "deep", "edge", &["a.b.api.test"]),
    ];
    unseen(&world, &objects);
    world
}

fn of(said: &Said) -> Vec<String> {
    let mut found: Vec<String> = said.findings().into_iter().map(|(code, name)| format!("{code} {name}")).collect();
    found.sort();
    found
}

fn a_cluster_of_gateways_is_audited() {
    let (world, other) = (broken("gw-audit"), broken("gw-audit-other"));
    let bed = shared();
    let said = audit(bed.plane, &["-n", "gw-audit", "-o", "json"]);
    assert_eq!((said.code, of(&said)), (Some(1), vec!["MV206 edge".to_owned(), "MV504 edge".to_owned()]), "{said:?}");
    assert!(
        said.json()["findings"].as_array().expect("findings").iter().all(|it| it["object"]["namespace"] == "gw-audit")
    );
    let text = audit(bed.plane, &["-n", "gw-audit"]);
    for words in ["Gateway gw-audit/edge", "MV206 key-mismatch", "MV504 uncovered-hostname", "1 denial", "1 warning"] {
        assert!(text.out.contains(words), "{words}: {}", text.out);
    }
    // A warning alone is no failure, unless `--fail-on warn` asks for it.
    world.has([secret("gw-audit", "web", &leaf("web.example.com"))]);
    let said = audit(bed.plane, &["-n", "gw-audit", "-o", "json"]);
    assert_eq!((said.code, of(&said)), (Some(0), vec!["MV504 edge".to_owned()]), "{said:?}");
    assert_eq!(audit(bed.plane, &["-n", "gw-audit", "--fail-on", "warn"]).code, Some(1));
    // All Secrets in one list, or each by its name, or none: nothing is reported about what isn't read.
    let listed = audit(bed.plane, &["-n", "gw-audit-other", "-o", "json", "--secrets", "list"]);
    assert_eq!(of(&listed), ["MV206 edge", "MV504 edge"], "{listed:?}");
    let none = audit(bed.plane, &["-n", "gw-audit-other", "-o", "json", "--secrets", "none"]);
    assert_eq!((none.code, of(&none)), (Some(0), Vec::new()), "{none:?}");
    let all = audit(bed.plane, &["-A", "--statistics"]);
    assert!(all.out.contains("MV206") && all.out.contains("MV504"), "{all:?}");
    // The same as check reports for an export.
    let kinds = "namespaces,gatewayclasses,gateways,listenersets,httproutes,grpcroutes,tlsroutes,backendtlspolicies,\
                 referencegrants,ingressclasses,ingresses,secrets,configmaps,services";
    let export = other.kubectl.run(&["get", kinds, "-n", "gw-audit-other", "-o", "yaml"], "").succeeds();
    let path = bed.plane.folder().join("gw-export.yaml");
    std::fs::write(&path, export.stdout).expect("a file");
    let mut check = Command::new(crate::sandbox::meshvet());
    check.arg("check").arg(&path).args(["-o", "json"]);
    let checked = run(check);
    assert_eq!((checked.code, of(&checked)), (Some(1), of(&listed)), "{checked:?}");
}

fn a_live_view_follows_a_gateway() {
    let namespace = "gw-live";
    let world = broken(namespace);
    let arguments = ["audit", "-n", namespace, "--watch", "--secrets", "list"];
    let mut live = Live::start(command(admin(), &arguments));
    live.shows("MV206 key-mismatch");
    live.shows("1 denial");
    world.has([secret(namespace, "web", &leaf("web.example.com"))]);
    live.shows("MV504 uncovered-hostname");
    live.shows("1 warning");
    world.kubectl.run(&["-n", namespace, "delete", "httproute", "deep"], "").succeeds();
    live.shows("nothing wrong");
}

fn a_gateway_is_drawn_as_a_tree() {
    let _world = broken("gw-tree");
    let said = run(command(admin(), &["tree", "edge", "-n", "gw-tree"]));
    assert_eq!(said.code, Some(1), "it is broken: {said:?}");
    assert!(said.out.starts_with("gateway gw-tree/edge  ✗ broken"), "{}", said.out);
    for words in ["listener web", "listener api", "web.example.com", "MV206"] {
        assert!(said.out.contains(words), "{words}: {}", said.out);
    }
    let said = run(command(admin(), &["tree", "gw-tree/edgy"]));
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("did you mean gw-tree/edge?"), "{said:?}");
}

/// The metric of a namespace's problems.
fn problems(replica: &Replica, namespace: &str, kind: &str, rule: &str) -> Option<f64> {
    let text = replica.get("/metrics").expect("figures");
    let begins = format!("meshvet_problems{{namespace=\"{namespace}\",kind=\"{kind}\",rule=\"{rule}\"");
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with(&begins)).collect();
    let values = lines.iter().filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
    (!lines.is_empty()).then(|| values.sum())
}

#[track_caller]
fn counts(namespace: &str, kind: &str, rule: &str, expected: f64) {
    eventually("the figure tells it", || match problems(&shared().replica, namespace, kind, rule) {
        Some(count) if count == expected => Ok(()),
        other => Err(format!("{rule}: {other:?}, not {expected}")),
    });
}

fn events_reports_and_figures_follow_a_gateway() {
    let (bed, namespace) = (shared(), "gw-told");
    let world = broken(namespace);
    tells(&world, &["Warning KeyMismatch", "Warning UncoveredHostname"]);
    counts(namespace, "Gateway", "MV206", 1.0);
    let described = world.kubectl.run(&["-n", namespace, "describe", "gateway", "edge"], "").succeeds();
    assert!(described.stdout.contains("KeyMismatch"), "{described}");
    let report = |count: usize| {
        eventually("the Report shows it", || {
            let list = bed.plane.kubectl.get(&["-n", namespace, "reports.openreports.io"]);
            let found = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
            let of_gateway: Vec<&Value> = found.iter().filter(|report| report["scope"]["kind"] == "Gateway").collect();
            let [report] = of_gateway.as_slice() else { return Err(list.to_string()) };
            let results = report["results"].as_array().map_or(0, Vec::len);
            if results == count { Ok((*report).clone()) } else { Err(report.to_string()) }
        })
    };
    let made = report(2);
    let edge = bed.plane.kubectl.get(&["-n", namespace, "gateway", "edge"]);
    assert_eq!(made["metadata"]["ownerReferences"][0]["uid"], edge["metadata"]["uid"], "{made}");
    assert_eq!(made["scope"]["apiVersion"], edge["apiVersion"], "{made}");
    world.has([secret(namespace, "web", &leaf("web.example.com"))]);
    report(1);
    world.kubectl.run(&["-n", namespace, "delete", "httproute", "deep"], "").succeeds();
    report(0);
    counts(namespace, "Gateway", "MV206", 0.0);
    tells(
        &world,
        &[
            "Warning KeyMismatch",
            "Normal KeyMismatchResolved",
            "Warning UncoveredHostname",
            "Normal UncoveredHostnameResolved",
        ],
    );
    // The kinds are watched, counted and reviewed by their names.
    let figures = bed.replica.get("/metrics").expect("figures");
    for line in [
        "meshvet_reviews_total{kind=\"Gateway\"",
        "kind=\"HTTPRoute\"",
        "kind=\"BackendTLSPolicy\"",
        "kind=\"Ingress\"",
    ] {
        assert!(figures.contains(line), "{line}: {figures}");
    }
}

fn what_the_owner_leaves_is_left() {
    let (bed, namespace) = (shared(), "gw-left");
    let world = bed.world(namespace);
    world.has([
        secret(namespace, "web", &leaf("other.example.com")),
        secret(namespace, "wrong", &mismatched(&leaf("web.example.com"))),
    ]);
    world.apply(&route(namespace, "web", "edge", &["web.example.com"])).succeeds_silently();
    let edge = |secret: &str| {
        let edge = gateway(namespace, "edge", "eg", &[("web", "web.example.com", secret)]);
        annotated(edge, "meshvet.dev/ignore", "MV504=on purpose; MV206=hush")
    };
    let plain = gateway(namespace, "edge", "eg", &[("web", "web.example.com", "web")]);
    bed.until("meshvet knows of the route", &plain, |outcome| outcome.speaks_of("MV504"));
    // An owner may ignore a warning, but a denial only if the policy allows it.
    world.apply(&edge("web")).succeeds().lacks(&["MV504"]);
    world.apply(&edge("wrong")).refused_by(GATEWAYS, &["MV206"]);
    let said = audit(bed.plane, &["-n", namespace, "-o", "json"]);
    let json = said.json();
    assert_eq!(json["summary"]["suppressed"], 1, "{json}");
}

fn a_scope_of_the_policy_holds_for_gateways() {
    let (namespace, lax) = ("gw-scope", "gw-scope-lax");
    let plane = crate::gateway_api::bed::plane("gateway-scopes", |_| true);
    let scopes = r#"policy.scopes=[{"namespaceSelector":{"matchLabels":{"env":"prod"}},"severities":{"MV504":"deny"}},{"namespaceSelector":{"matchLabels":{"env":"lab"}},"severities":{"MV502":"warn"},"enforcement":"warn"}]"#;
    let bed = crate::gateway_api::bed::Bed::install(plane, &["apis.appmesh=false", scopes]);
    let worlds = [bed.world(namespace), bed.world(lax)];
    for (world, env) in worlds.iter().zip(["prod", "lab"]) {
        let namespace = world.namespace;
        world.kubectl.run(&["label", "namespace", namespace, &format!("env={env}")], "").succeeds();
        world.has([
            secret(namespace, "web", &leaf("web.example.com")),
            secret(namespace, "wrong", &mismatched(&leaf("web.example.com"))),
        ]);
        world.apply(&gateway(namespace, "edge", "eg", &[("web", "web.example.com", "web")])).succeeds();
        let bad = secret(namespace, "web", &short("web.example.com"));
        bed.until("meshvet knows of the Gateway", &bad, |outcome| outcome.speaks_of("MV502"));
    }
    let [strict, lab] = &worlds;
    let other = route(namespace, "other", "edge", &["web.example.com"]);
    strict.apply(&other).succeeds_silently();
    // A certificate that loses the host is reported in the Secret's review, which never refuses for that.
    strict.apply(&secret(namespace, "web", &leaf("other.example.com"))).warns(&["MV504"]);
    let mut second = other;
    second["metadata"]["name"] = "second".into();
    bed.until("meshvet knows of it", &second, |outcome| outcome.speaks_of("MV504"));
    strict.apply(&second).refused_by("gateway-routes.meshvet.dev", &["MV504"]);
    strict.apply(&secret(namespace, "web", &short("web.example.com"))).refused_by(SECRETS, &["MV502"]);
    // Where nothing is enforced, a warning says what would have been refused.
    lab.apply(&secret(lax, "web", &short("web.example.com"))).warns(&["MV502"]);
    let wrong = gateway(lax, "wrong", "eg", &[("web", "web.example.com", "wrong")]);
    lab.apply(&wrong).warns(&["MV206 (would be refused)"]);
}

fn doctor_knows_the_apis_that_are_vetted() {
    let bed = shared();
    let said = crate::doctor::doctor(&admin(), &[]);
    assert!(said.has("crds", "ok", &["gateway.networking.k8s.io/v1 is there"]), "{said:#?}");
    assert!(said.has("crds", "ok", &["networking.k8s.io/v1 is there"]), "{said:#?}");
    // The chart's value leaves App Mesh out, and the cluster doesn't have it either.
    assert!(!said.outcomes("crds").contains(&"failed") && !said.outcomes("rights").contains(&"failed"), "{said:#?}");
    assert_eq!(said.outcomes("rules"), ["ok"], "{said:#?}");
    assert_eq!(said.outcomes("entries"), ["ok"], "{said:#?}");
    assert!(said.outcomes("kinds").is_empty(), "{said:#?}");
    // A webhook rule that was removed is named.
    let configuration = bed.plane.kubectl.get(&["validatingwebhookconfiguration", "meshvet"]);
    let hooks = configuration["webhooks"].as_array().expect("webhooks");
    let at = hooks.iter().position(|hook| hook["name"] == "ingresses.meshvet.dev").expect("an entry");
    let dry = json!([{"op": "replace", "path": format!("/webhooks/{at}/rules/0/operations"), "value": ["CREATE"]}]);
    let patch = |value: &Value| {
        let value = value.to_string();
        let arguments = ["patch", "validatingwebhookconfiguration", "meshvet", "--type=json", "-p", &value];
        bed.plane.kubectl.run(&arguments, "").succeeds();
    };
    patch(&dry);
    eventually("doctor names it", || {
        let said = crate::doctor::doctor(&admin(), &[]);
        if said.has("rules", "failed", &["ingresses"]) { Ok(()) } else { Err(format!("{said:#?}")) }
    });
    patch(
        &json!([{"op": "replace", "path": format!("/webhooks/{at}/rules/0/operations"), "value": ["CREATE", "UPDATE"]}]),
    );
}
