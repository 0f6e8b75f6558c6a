//! The chart's life in a cluster: installed by one command, tested by its own test, upgraded and rolled back under reviews without a
//! break, and taken away without a trace.

use std::process::Command;

use meshvet::admission::entries::ENTRIES;
use serde_json::{Value, json};

use crate::control_plane::{ControlPlane, spawn};
use crate::install::{Installation, set_bundles};
use crate::release::{Release, everything, roll};
use crate::replica::{IN_A_POD, Replica, service_account};
use crate::sandbox::{self, API_SERVER, eventually};
use crate::stream::Stream;
use crate::support::manifests::{self, tls_secret, virtual_node};
use crate::support::mint::Authority;
use crate::world::{self, World};

tests![
    installed_it_judges_and_its_own_test_says_so,
    upgrades_and_rollbacks_fail_no_review,
    an_upgrade_that_brings_entries_fails_no_review,
    uninstalled_it_leaves_nothing_behind,
    a_certificate_of_ones_own_is_served,
    what_cert_manager_issues_is_served_and_stays_trusted,
];

const PLACE: (&str, &str) = ("meshvet-system", "meshvet");
/// All that is optional and needs no CRD of others, so that the API server has a look at what comes of it.
const EVERYTHING: &[&str] = &[
    "networkPolicy.enabled=true",
    r#"networkPolicy.apiServerCidrs=["192.0.2.0/24"]"#,
    "dashboard.enabled=true",
    "hostNetwork=true",
    "port=9443",
    "probePort=9081",
    r#"webhook.matchConditions=[{"name":"mine","expression":"object.metadata.name != 'left-alone'"}]"#,
    r#"webhook.objectSelector={"matchExpressions":[{"key":"unvetted","operator":"DoesNotExist"}]}"#,
    r#"image.pullSecrets=["mine"]"#,
    r#"nodeSelector={"kubernetes.io/os":"linux"}"#,
    r#"tolerations=[{"operator":"Exists"}]"#,
    r#"affinity={"nodeAffinity":{}}"#,
    r#"extraArgs=["--report"]"#,
    r#"extraEnv=[{"name":"MESHVET_DNS_NAME","value":"unused.svc"}]"#,
    r#"labels={"team":"platform"}"#,
    r#"podAnnotations={"team":"platform"}"#,
    r#"serviceAccountAnnotations={"team":"platform"}"#,
];
const FAIL: &[&str] = &["webhook.failurePolicy=Fail", "webhook.routesFailurePolicy=Fail"];

fn plane(name: &str) -> ControlPlane {
    let plane = ControlPlane::start(name);
    world::install_crds(&plane);
    plane
}

/// A namespace with a sound node, and one whose certificate holds for another name.
fn nodes(plane: &ControlPlane) -> (World, Value, Value) {
    let world = World::on(plane, "shop");
    let authority = Authority::new("Test root");
    world.has([
        tls_secret("shop", "web-tls", &authority.leaf(&[&world.hostname("web")]).issue()),
        tls_secret("shop", "api-tls", &authority.leaf(&["api.elsewhere.local"]).issue()),
        manifests::deployment("shop", "web", "web-tls:/certs"),
        manifests::deployment("shop", "api", "api-tls:/certs"),
    ]);
    let [sound, broken] = ["web", "api"].map(|name| virtual_node("shop", name, &world.hostname(name)));
    (world, sound, broken)
}

/// As many replicas as the Deployment asks for, ready and called.
fn replicas(plane: &ControlPlane, release: &Release<'_>, installation: &Installation<'_>) -> Vec<Replica> {
    let deployment = plane.kubectl.get(&["-n", release.namespace, "deployment", release.name]);
    let count = deployment["spec"]["replicas"].as_u64().expect("a number");
    // All at once, as a cluster starts them.
    let mut replicas: Vec<Replica> =
        (0..count).map(|number| installation.start_unready(&format!("first-{number}"))).collect();
    for replica in &mut replicas {
        replica.wait_until_ready();
    }
    installation.route_to(&replicas.iter().collect::<Vec<_>>());
    installation.wait_until_judging("default");
    replicas
}

fn installed_it_judges_and_its_own_test_says_so() {
    let plane = plane("helm-install");
    let (world, sound, broken) = nodes(&plane);
    let release = Release::install(&plane, PLACE, &[]);
    let installation = release.installation();
    let replicas = replicas(&plane, &release, &installation);
    assert_eq!(replicas.len(), 2);
    world.knows(&sound);
    world.apply(&sound).succeeds_silently();
    world.apply(&broken).refused(&["MV101 hostname-mismatch", "api.elsewhere.local"]);
    // The command that its notes give to try it, as it stands there.
    let notes = release.notes();
    let command = notes.split("\n\n").find(|block| block.trim_start().starts_with("echo '{")).expect("a command");
    plane.kubectl.script(command, plane.folder()).refused(&["MV004 not-exactly-one-source"]);
    let (outcome, told) = std::thread::scope(|scope| {
        let kubelet = scope.spawn(|| run_test_pod(&plane, &release));
        let outcome = release.helm("test", &["--timeout", "60s"]);
        (outcome, kubelet.join().expect("the pod runs"))
    });
    assert!(outcome.stdout.contains("Succeeded"), "{outcome}");
    assert!(told.contains("meshvet judges"), "{told}");
    let left: Vec<String> = everything(&plane).into_iter().filter(|object| object.ends_with("meshvet-test")).collect();
    assert!(left.is_empty(), "{left:?}");
    // Each denial is in the log of the replica that gave it, and nothing there is an error.
    let logs: String = replicas.iter().map(Replica::log).collect();
    assert!(logs.contains("MV101") && logs.contains("MV004"), "{logs}");
    for word in ["\"ERROR\"", "forbidden", "may not"] {
        assert!(!logs.contains(word), "{word}:\n{logs}");
    }
}

/// Runs the pod of `helm test` as a kubelet would, and says what it printed.
fn run_test_pod(plane: &ControlPlane, release: &Release<'_>) -> String {
    let (namespace, name) = (release.namespace, format!("{}-test", release.name));
    let kubectl = &plane.kubectl;
    let pod: Value = eventually("helm makes the test's pod", || {
        let outcome = kubectl.run(&["-n", namespace, "get", "pod", &name, "-o", "json"], "");
        serde_json::from_str(&outcome.stdout).map_err(|_| outcome.to_string())
    });
    let account = pod["spec"]["serviceAccountName"].as_str().expect("an account");
    let token = kubectl.run(&["-n", namespace, "create", "token", account], "").succeeds();
    let folder = plane.folder().join("helm-test");
    std::fs::create_dir_all(&folder).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", IN_A_POD]).arg(service_account(
        plane,
        &folder,
        namespace,
        token.stdout.trim(),
    ));
    let container = &pod["spec"]["containers"][0];
    command.args(container["command"].as_array().expect("a command").iter().filter_map(Value::as_str));
    let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", sandbox::assets().display());
    command.env_clear().env("PATH", path).current_dir("/");
    command.env("KUBERNETES_SERVICE_HOST", API_SERVER.to_string());
    command.env("KUBERNETES_SERVICE_PORT", plane.port().to_string());
    let log = folder.join("log");
    let status = spawn(command, &log).wait().expect("it ends");
    let phase = if status.success() { "Succeeded" } else { "Failed" };
    let patch = json!({"status": {"phase": phase}}).to_string();
    kubectl.run(&["-n", namespace, "patch", "pod", &name, "--subresource=status", "-p", &patch], "").succeeds();
    std::fs::read_to_string(log).unwrap()
}

fn upgrades_and_rollbacks_fail_no_review() {
    let plane = plane("helm-upgrade");
    let (world, sound, broken) = nodes(&plane);
    let release = Release::install(&plane, PLACE, FAIL);
    let installation = release.installation();
    let replicas = replicas(&plane, &release, &installation);
    world.knows(&sound);
    world.knows(&broken);
    let dry_run = || world.kubectl.apply(&broken, &["--dry-run=server"]);
    dry_run().refused(&["MV101"]);
    let authority = || plane.kubectl.get(&["-n", PLACE.0, "secret", "meshvet-authority"])["data"]["ca.crt"].clone();
    let first_authority = authority();
    let path = || {
        let configuration = plane.kubectl.get(&["validatingwebhookconfiguration", "meshvet"]);
        let path = configuration["webhooks"][0]["clientConfig"]["service"]["path"].as_str().expect("a path").to_owned();
        assert!(path.starts_with("/validate/") && path.len() == "/validate/".len() + 32, "{path}");
        path
    };
    let first_path = path();
    let labelled = || {
        let kinds = "clusterrole,clusterrolebinding,validatingwebhookconfiguration,deployment,service,serviceaccount,\
                     configmap,secret,lease,role,rolebinding,poddisruptionbudget";
        let all = plane.kubectl.get(&["-n", PLACE.0, kinds, "-l", "team=platform"]);
        all["items"].as_array().map_or(0, Vec::len)
    };

    // Another policy and another label, which the pods carry too: they are replaced.
    let stream = Stream::start(&plane, &sound);
    stream.wait_for(20);
    release.upgrade(&[FAIL, &["labels.team=platform", "policy.severities.MV101=warn"]].concat());
    release.sync_policy(&replicas);
    eventually("the policy holds before any pod is replaced", || {
        let outcome = dry_run();
        if outcome.code == 0 { Ok(()) } else { Err(outcome.to_string()) }
    });
    let replicas = roll(&installation, replicas, "second");
    stream.wait_for(20);
    stream.end();
    dry_run().warns(&["MV101"]);
    let upgraded = labelled();
    assert!(upgraded >= 13, "{upgraded} objects carry the new label");
    assert_eq!(authority(), first_authority, "the authority outlives an upgrade");
    assert_eq!(path(), first_path, "so do the paths");

    let stream = Stream::start(&plane, &sound);
    stream.wait_for(20);
    release.helm("rollback", &["1"]);
    release.sync_policy(&replicas);
    let replicas = roll(&installation, replicas, "third");
    stream.wait_for(20);
    stream.end();
    dry_run().refused(&["MV101"]);
    assert_eq!(labelled(), 0, "the first revision's labels are back");
    assert_eq!(authority(), first_authority, "the authority outlives a rollback");
    assert_eq!(path(), first_path, "so do the paths");

    // As a Helm before 4 upgrades: by patches that it works out itself.
    let stream = Stream::start(&plane, &sound);
    release.upgrade_by(&["--server-side=false"], &[FAIL, &["labels.team=platform"]].concat());
    let replicas = roll(&installation, replicas, "fourth");
    stream.wait_for(20);
    stream.end();
    dry_run().refused(&["MV101"]);
    assert_eq!(authority(), first_authority, "the authority outlives that too");
    assert_eq!(path(), first_path, "so do the paths");
    let logs: String = replicas.iter().map(Replica::log).collect();
    assert!(!logs.contains("\"ERROR\""), "{logs}");
}

/// From a version without entries for what a mesh rests on: the new ones come without a `caBundle`.
fn an_upgrade_that_brings_entries_fails_no_review() {
    let plane = plane("helm-entries");
    let (world, sound, broken) = nodes(&plane);
    let without =
        ["workloads", "secrets", "services", "namespaces"].map(|what| format!("webhook.{what}.enabled=false"));
    let without: Vec<&str> = without.iter().map(String::as_str).collect();
    let release = Release::install(&plane, PLACE, &[FAIL, &without].concat());
    let installation = release.installation();
    let replicas = replicas(&plane, &release, &installation);
    world.knows(&sound);
    world.knows(&broken);
    let bundles = || -> Vec<Value> {
        let configuration = plane.kubectl.get(&["validatingwebhookconfiguration", "meshvet"]);
        let hooks = configuration["webhooks"].as_array().expect("webhooks").iter();
        hooks.map(|hook| hook["clientConfig"]["caBundle"].clone()).collect()
    };
    let before = bundles();
    assert_eq!(before.len(), 7);
    let stream = Stream::start(&plane, &sound);
    stream.wait_for(20);
    release.upgrade(FAIL);
    eventually("every entry has its caBundle", || {
        let now = bundles();
        let all = now.len() == 5 + ENTRIES.len() && now.iter().all(|bundle| *bundle == before[0]);
        if all { Ok(()) } else { Err(format!("{now:?}")) }
    });
    let replicas = roll(&installation, replicas, "second");
    stream.wait_for(20);
    stream.end();
    world.kubectl.apply(&broken, &["--dry-run=server"]).refused(&["MV101"]);
    let logs: String = replicas.iter().map(Replica::log).collect();
    assert!(!logs.contains("\"ERROR\""), "{logs}");
}

fn uninstalled_it_leaves_nothing_behind() {
    let plane = plane("helm-uninstall");
    let (world, sound, broken) = nodes(&plane);
    plane.kubectl.run(&["create", "namespace", PLACE.0], "").succeeds();
    let before = everything(&plane);
    assert!(before.contains("Secret shop/web-tls"), "{before:#?}");
    let release = Release::install(&plane, PLACE, &[FAIL, EVERYTHING].concat());
    let installation = release.installation();
    let mut replicas = replicas(&plane, &release, &installation);
    world.knows(&sound);
    let installed = everything(&plane);
    for object in [
        "Secret meshvet-system/meshvet-authority",
        "Lease meshvet-system/meshvet-authority",
        "ValidatingWebhookConfiguration /meshvet",
        "ClusterRole /meshvet",
        "NetworkPolicy meshvet-system/meshvet",
    ] {
        assert!(installed.contains(object), "{object} is not among {installed:#?}");
    }

    assert_eq!(replicas[0].probe("/"), Ok(200), "the report that was asked for by an argument more");
    let mut left_alone = broken;
    left_alone["metadata"]["name"] = "left-alone".into();
    world.apply(&left_alone).succeeds_silently();

    release.helm("uninstall", &[]);
    // No controller runs here that would have made the addresses, and would take them away with the Service.
    plane.kubectl.run(&["-n", PLACE.0, "delete", "endpointslice", "meshvet"], "").succeeds();
    // The pods end after the objects have gone: what they still do must bring none of them back.
    eventually("they notice", || {
        let told = |line: &str| line.contains("could not") && line.contains("Secret meshvet-system/meshvet-authority");
        let noticed = replicas.iter().all(|replica| replica.log().lines().any(told));
        if noticed { Ok(()) } else { Err(replicas.iter().map(Replica::log).collect()) }
    });
    for replica in &replicas {
        replica.terminate();
    }
    for replica in &mut replicas {
        assert!(replica.wait_until_ended().success(), "{}", replica.log());
    }
    let left: Vec<String> = everything(&plane).difference(&before).cloned().collect();
    assert_eq!(left, ["VirtualNode shop/left-alone"], "nothing but what the test made");
    // Nobody stands in the way of writes any more.
    world.apply(&sound).succeeds_silently();
}

/// A certificate for the Service of the release.
fn issue(authority: &Authority) -> Value {
    tls_secret(PLACE.0, "meshvet-tls", &authority.leaf(&["meshvet.meshvet-system.svc"]).issue())
}

/// The authority's certificate as a `caBundle` has it.
fn bundle(authority: &Authority) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(authority.pem())
}

fn a_certificate_of_ones_own_is_served() {
    let plane = plane("helm-files");
    let authority = Authority::new("Somebody's root");
    plane.kubectl.run(&["create", "namespace", PLACE.0], "").succeeds();
    plane.kubectl.apply(&issue(&authority), &[]).succeeds();
    let bundle = format!("certificate.files.caBundle={}", bundle(&authority));
    let values = ["certificate.mode=files", "certificate.files.secretName=meshvet-tls", &bundle];
    let release = Release::install(&plane, PLACE, &[FAIL, &values].concat());
    let replicas = replicas(&plane, &release, &release.installation());
    let logs: String = replicas.iter().map(Replica::log).collect();
    assert!(!logs.contains("\"ERROR\""), "{logs}");
}

fn what_cert_manager_issues_is_served_and_stays_trusted() {
    let plane = plane("helm-cert-manager");
    plane.kubectl.apply(&certificates(), &["--server-side"]).succeeds();
    world::wait_for_crds(&plane);
    let values = [FAIL, &["certificate.mode=cert-manager", "certificate.certManager.issuerName=mine"]].concat();
    let release = Release::install(&plane, PLACE, &values);

    // What cert-manager does: the Secret that the Certificate names, and the caBundle where the annotation asks for it.
    let certificate = plane.kubectl.get(&["-n", PLACE.0, "certificate", "meshvet-tls"]);
    assert_eq!(certificate["spec"]["dnsNames"], json!(["meshvet.meshvet-system.svc"]));
    assert_eq!(certificate["spec"]["secretName"], "meshvet-tls");
    let configuration = || plane.kubectl.get(&["validatingwebhookconfiguration", "meshvet"]);
    let asked = &configuration()["metadata"]["annotations"]["cert-manager.io/inject-ca-from"];
    assert_eq!(*asked, json!("meshvet-system/meshvet-tls"));
    let authority = Authority::new("The issuer");
    plane.kubectl.apply(&issue(&authority), &[]).succeeds();
    let bundle = bundle(&authority);
    set_bundles(&plane, "meshvet", Some(&bundle));

    let replicas = replicas(&plane, &release, &release.installation());
    release.upgrade(&[&values[..], &["labels.team=platform"]].concat());
    for hook in configuration()["webhooks"].as_array().expect("webhooks") {
        assert_eq!(hook["clientConfig"]["caBundle"], bundle.as_str(), "an upgrade leaves it");
    }
    let logs: String = replicas.iter().map(Replica::log).collect();
    assert!(!logs.contains("\"ERROR\""), "{logs}");
}

/// The resource of cert-manager that the chart makes, with a schema that takes everything.
fn certificates() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "certificates.cert-manager.io"},
        "spec": {
            "group": "cert-manager.io",
            "names": {"kind": "Certificate", "plural": "certificates", "singular": "certificate"},
            "scope": "Namespaced",
            "versions": [{
                "name": "v1",
                "served": true,
                "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
            }],
        },
    })
}
