//! Workloads of other kinds, and what may not be listed: on the real API server, which refuses before it looks.

use serde_json::{Value, json};

use crate::audit::{audit, command, limited, run, unwatched};
use crate::control_plane::ControlPlane;
use crate::release::Release;
use crate::sandbox::eventually;
use crate::support::manifests::{self, deployment, tls_secret, virtual_node};
use crate::support::mint::Authority;
use crate::world::{self, World};

tests![
    labels_that_may_not_be_read_are_not_taken_for_missing,
    a_rollout_is_judged_where_it_is_served,
    a_kind_that_may_not_be_listed_is_unknown_and_its_right_is_named,
];

/// Everything that verdicts rest on, but namespaces.
const ALL_BUT_NAMESPACES: &str = "pods,configmaps,secrets,replicasets.apps,deployments.apps,statefulsets.apps,daemonsets.apps,\
                                  jobs.batch,cronjobs.batch,virtualnodes.appmesh.k8s.aws,virtualgateways.appmesh.k8s.aws,\
                                  virtualservices.appmesh.k8s.aws,virtualrouters.appmesh.k8s.aws,\
                                  gatewayroutes.appmesh.k8s.aws,backendgroups.appmesh.k8s.aws";

fn labels_that_may_not_be_read_are_not_taken_for_missing() {
    let world = unwatched("kinds-labels");
    let issued = Authority::new("Test root").leaf(&[&world.hostname("web")]).issue();
    world.has([
        tls_secret(world.namespace, "web-tls", &issued),
        deployment(world.namespace, "web", "web-tls:/certs"),
        virtual_node(world.namespace, "web", &world.hostname("web")),
    ]);
    let resources = format!("--resource={ALL_BUT_NAMESPACES}");
    world.kubectl.run(&["create", "clusterrole", "kinds-labels", "--verb=get,list", &resources], "").succeeds();
    let (role, account) = ("--clusterrole=kinds-labels", "--serviceaccount=kinds-labels:tenant");
    let tenant = limited(&world, "tenant", &["-n", "kinds-labels", "create", "rolebinding", "tenant", role, account]);
    let as_tenant = || run(command(tenant.clone(), &["audit", "-n", "kinds-labels", "-o", "json"]));
    let said = as_tenant();
    assert_eq!((said.code, said.findings()), (Some(0), Vec::new()), "{said:?}");
    let noted = "the labels of the namespace could not be read";
    assert!(said.err.contains(noted) && said.err.contains("replicationcontrollers"), "{}", said.err);

    // Without the label nothing is said either, but to somebody who may see that it isn't there.
    let label = "appmesh.k8s.aws/sidecarInjectorWebhook-";
    world.kubectl.run(&["label", "namespace", "kinds-labels", label], "").succeeds();
    assert_eq!(as_tenant().findings(), Vec::new());
    let said = audit(world::plane(), &["-n", "kinds-labels", "-o", "json"]);
    assert_eq!(said.findings(), [("MV218".to_owned(), "web".to_owned())], "{said:?}");
}

/// Argo's Rollout, as far as the API server has to know it.
fn rollouts() -> Value {
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "rollouts.argoproj.io"},
        "spec": {
            "group": "argoproj.io",
            "scope": "Namespaced",
            "names": {"kind": "Rollout", "listKind": "RolloutList", "plural": "rollouts", "singular": "rollout"},
            "versions": [{
                "name": "v1alpha1",
                "served": true,
                "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": open, "status": open}}},
            }],
        },
    })
}

/// A Rollout with the template of a Deployment.
fn rollout(namespace: &str, name: &str, mounts: &str) -> Value {
    let mut rollout = deployment(namespace, name, mounts);
    rollout["apiVersion"] = "argoproj.io/v1alpha1".into();
    rollout["kind"] = "Rollout".into();
    rollout
}

fn plane(name: &str) -> ControlPlane {
    let plane = ControlPlane::start(name);
    world::install_crds(&plane);
    plane.kubectl.apply(&rollouts(), &["--server-side"]).succeeds();
    world::wait_for_crds(&plane);
    plane
}

fn a_rollout_is_judged_where_it_is_served() {
    let plane = plane("kinds-served");
    let world = World::on(&plane, "shop");
    let authority = Authority::new("Test root");
    let [mine, others] = [0, 1].map(|_| authority.leaf(&[&world.hostname("web")]).issue());
    let keys = [("tls.crt", mine.chain.as_str()), ("tls.key", others.key.as_str())];
    world.has([manifests::secret("shop", "web-tls", &keys), rollout("shop", "web", "web-tls:/certs")]);
    let release = Release::install(&plane, ("kinds", "kinds"), &[]);
    let installation = release.installation();
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    installation.wait_until_judging("shop");
    let node = virtual_node("shop", "web", &world.hostname("web"));
    world.apply(&node).refused(&["MV206 key-mismatch"]);
    assert!(!replica.log().contains("may not"), "{}", replica.log());

    // One that takes the template of a Deployment without replicas.
    let mut scaled = deployment("shop", "till", "till-tls:/certs");
    scaled["spec"]["replicas"] = 0.into();
    let taking = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"namespace": "shop", "name": "till"},
        "spec": {"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "till"}}});
    world.has([manifests::secret("shop", "till-tls", &keys), scaled, taking.clone()]);
    let till = virtual_node("shop", "till", &world.hostname("web"));
    eventually("it is known", || {
        let outcome = world.kubectl.apply(&till, &["--dry-run=server"]);
        if outcome.stderr.contains("MV206") { Ok(()) } else { Err(outcome.to_string()) }
    });
    plane.kubectl.run(&["-n", "shop", "delete", "rollouts.argoproj.io", "till"], "").succeeds();
    eventually("the Deployment alone has no pods", || {
        let outcome = world.kubectl.apply(&till, &["--dry-run=server"]);
        if outcome.stderr.contains("so its certificate files aren't checked") {
            Ok(())
        } else {
            Err(outcome.to_string())
        }
    });
}

fn a_kind_that_may_not_be_listed_is_unknown_and_its_right_is_named() {
    let plane = plane("kinds-forbidden");
    let world = World::on(&plane, "shop");
    let issued = Authority::new("Test root").leaf(&["web.elsewhere.local"]).issue();
    world.has([tls_secret("shop", "web-tls", &issued), rollout("shop", "web", "web-tls:/certs")]);
    let release = Release::install(&plane, ("kinds", "kinds"), &[]);
    let rules = plane.kubectl.get(&["clusterrole", "kinds"])["rules"].clone();
    let is_of_argo = |rule: &Value| rule["apiGroups"] == json!(["argoproj.io"]);
    let place = rules.as_array().and_then(|rules| rules.iter().position(is_of_argo)).expect("the rule");
    let set = |verbs: Value| {
        let patch = json!([{"op": "replace", "path": format!("/rules/{place}/verbs"), "value": verbs}]).to_string();
        plane.kubectl.run(&["patch", "clusterrole", "kinds", "--type=json", "-p", &patch], "").succeeds();
        let account = "--as=system:serviceaccount:kinds:kinds";
        let may = verbs.as_array().is_some_and(|verbs| verbs.iter().any(|verb| verb == "list"));
        eventually("the API server hears of it", || {
            let outcome = plane.kubectl.run(&["auth", "can-i", account, "list", "rollouts.argoproj.io", "-A"], "");
            if (outcome.stdout.trim() == "yes") == may { Ok(()) } else { Err(outcome.to_string()) }
        });
    };
    set(json!(["get"]));
    let installation = release.installation();
    // Ready without it.
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    installation.wait_until_judging("shop");
    let log = replica.log();
    let told: Vec<&str> = log.lines().filter(|line| line.contains("may not list rollouts.argoproj.io")).collect();
    assert!(told.len() == 1 && told[0].contains("\"WARN\"") && told[0].contains("must allow list and watch"), "{log}");
    let node = virtual_node("shop", "web", &world.hostname("web"));
    let words = ["MV203", "selects a workload is unknown: meshvet may not list rollouts.argoproj.io"];
    world.kubectl.apply(&node, &["--dry-run=server"]).warns(&words);
    let doctor = run(command(
        plane.folder().join("kubeconfig"),
        &["doctor", "--webhook-configuration", "kinds", "--service-account", "kinds/kinds"],
    ));
    assert!(doctor.out.contains("may not list, watch rollouts.argoproj.io"), "{doctor:?}");

    set(json!(["list", "watch"]));
    let again = installation.start("1");
    installation.route_to(&[&again]);
    eventually("it is judged", || {
        let outcome = world.kubectl.apply(&node, &["--dry-run=server"]);
        if outcome.stderr.contains("MV101") { Ok(()) } else { Err(outcome.to_string()) }
    });
}
