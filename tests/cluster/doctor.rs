//! `meshvet doctor` on real installations, sound and broken.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::install::Installation;
use crate::kubelet::{Kubelet, Pod};
use crate::replica::{NAMESPACE, Replica};
use crate::sandbox::{self, eventually};
use crate::support::mint::Authority;
use crate::world::{World, install_crds, plane};

tests![
    a_sound_installation_is_well,
    what_is_broken_is_named_with_what_to_do,
    a_managed_installation_is_looked_at_with_its_lease,
    who_may_not_look_is_told_so,
    an_api_server_that_is_away_is_the_first_thing_told,
];

const NODE: &str = "machine";

/// What doctor said: its exit code, and the checks by name.
#[derive(Debug)]
pub(crate) struct Said {
    code: i32,
    document: Value,
    text: String,
}

impl Said {
    /// The outcomes of a check.
    pub(crate) fn outcomes(&self, check: &str) -> Vec<&str> {
        let checks = self.document["checks"].as_array().into_iter().flatten();
        checks.filter(|it| it["check"] == check).filter_map(|it| it["outcome"].as_str()).collect()
    }

    /// A check of this name and outcome has all of these words, in its message or its fix.
    pub(crate) fn has(&self, check: &str, outcome: &str, words: &[&str]) -> bool {
        let mut checks = self.document["checks"].as_array().into_iter().flatten();
        checks.any(|it| {
            let told = format!("{} {}", it["message"], it["fix"]);
            it["check"] == check && it["outcome"] == outcome && words.iter().all(|word| told.contains(word))
        })
    }
}

pub(crate) fn doctor(kubeconfig: &Path, arguments: &[&str]) -> Said {
    let run = |output: &str| {
        let mut command = Command::new(sandbox::meshvet());
        command.arg("doctor").args(["-o", output, "--kubeconfig"]).arg(kubeconfig).args(arguments);
        command.env_remove("MESHVET_CONTEXT").output().expect("meshvet runs")
    };
    // Between the two looks the cluster may have changed.
    let mut looks = std::iter::repeat_with(|| (run("json"), run("text"))).take(5);
    let same = looks.find(|(told, shown)| told.status.code() == shown.status.code());
    let (told, shown) = same.expect("both outputs tell the same");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let document = serde_json::from_slice(&told.stdout).unwrap_or_else(|_| panic!("no JSON: {told:?}"));
    Said { code: told.status.code().unwrap_or(-1), document, text: text(&shown.stdout) + &text(&shown.stderr) }
}

/// A pod of this name, as the Deployment has it.
fn pod(plane: &ControlPlane, name: &str) -> Value {
    let mut pod = plane.kubectl.get(&["-n", NAMESPACE, "deployment", "meshvet"])["spec"]["template"].clone();
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    pod["metadata"]["namespace"] = NAMESPACE.into();
    pod["metadata"]["name"] = name.into();
    pod
}

/// `deploy/` on a control plane of its own, with two replicas whose pods a kubelet has.
struct Cluster {
    plane: &'static ControlPlane,
    installation: Installation<'static>,
    replicas: [Replica; 2],
    _kubelet: Kubelet,
}

impl Cluster {
    fn start(name: &str) -> Self {
        // Lives as long as the suite: nothing else would end it in time.
        let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start(name)));
        install_crds(plane);
        let installation = Installation::of_deploy(plane);
        let replicas = ["0", "1"].map(|name| installation.start(name));
        let pods = [("meshvet-0", &replicas[0]), ("meshvet-1", &replicas[1])].map(|(name, replica)| Pod {
            namespace: NAMESPACE,
            name,
            loopback: replica.address,
        });
        let kubelet = Kubelet::start(plane, NODE, &pods);
        for pod in &pods {
            let mut object = self::pod(plane, pod.name);
            object["spec"]["nodeName"] = NODE.into();
            plane.kubectl.create(&object, &[]).succeeds();
            let status = json!({"status": {"phase": "Running"}}).to_string();
            let patch =
                ["-n", NAMESPACE, "patch", "pod", pod.name, "--subresource=status", "--type=merge", "-p", &status];
            plane.kubectl.run(&patch, "").succeeds();
        }
        let cluster = Self { plane, installation, replicas, _kubelet: kubelet };
        cluster.route();
        cluster
    }

    /// The EndpointSlice, with the pods behind its addresses.
    #[track_caller]
    fn route(&self) {
        let [first, second] = &self.replicas;
        self.installation.route_to(&[first, second]);
        let target = |name: &str| json!({"kind": "Pod", "namespace": NAMESPACE, "name": name});
        let patch = json!([
            {"op": "add", "path": "/endpoints/0/targetRef", "value": target("meshvet-0")},
            {"op": "add", "path": "/endpoints/1/targetRef", "value": target("meshvet-1")},
        ])
        .to_string();
        self.run(&["-n", NAMESPACE, "patch", "endpointslice", "meshvet", "--type=json", "-p", &patch]);
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) {
        self.plane.kubectl.run(arguments, "").succeeds();
    }

    fn doctor(&self, arguments: &[&str]) -> Said {
        doctor(&self.plane.folder().join("kubeconfig"), arguments)
    }

    /// What is broken takes a moment to be known everywhere.
    #[track_caller]
    fn tells(&self, check: &str, outcome: &str, words: &[&str]) {
        eventually(check, || {
            let said = self.doctor(&[]);
            let code = i32::from(outcome == "failed");
            if said.has(check, outcome, words) && said.code >= code { Ok(()) } else { Err(format!("{said:#?}")) }
        });
    }
}

fn a_sound_installation_is_well() {
    let cluster = Cluster::start("doctor-sound");
    let said = cluster.doctor(&["--fail-on", "warning"]);
    assert_eq!(said.code, 0, "{said:#?}");
    assert!(said.text.contains("all is well"), "{}", said.text);
    for (check, times) in
        [("served", 2), ("ca-bundle", 2), ("certificate", 2), ("rights", 1), ("crds", 3), ("rules", 1), ("entries", 1)]
    {
        assert_eq!(said.outcomes(check), vec!["ok"; times], "{check}: {said:#?}");
    }
    assert!(said.has("served", "ok", &["pod meshvet-0 answers as meshvet does"]), "{said:#?}");
    assert!(said.has("rights", "ok", &["meshvet-system/meshvet may do what its mode needs"]), "{said:#?}");
    assert_eq!(said.document["summary"]["failed"], 0);
    // Without the cluster's help it sees the same.
    let address = format!("{}:8443", cluster.replicas[0].address);
    let said = cluster.doctor(&["--address", &address, "--fail-on", "warning"]);
    assert!(said.code == 0 && said.has("ca-bundle", "ok", &[&address]), "{said:#?}");
}

fn what_is_broken_is_named_with_what_to_do() {
    let cluster = Cluster::start("doctor-broken");
    let configuration = cluster.plane.kubectl.get(&["validatingwebhookconfiguration", "meshvet"]);
    let patch = |patch: Value| {
        let patch = patch.to_string();
        cluster.run(&["patch", "validatingwebhookconfiguration", "meshvet", "--type=json", "-p", &patch]);
    };
    // The replicas would mend it at once.
    let rules = cluster.plane.kubectl.get(&["clusterrole", "meshvet"])["rules"].clone();
    let may = |rules: &Value| {
        let patch = json!([{"op": "replace", "path": "/rules", "value": rules}]).to_string();
        cluster.run(&["patch", "clusterrole", "meshvet", "--type=json", "-p", &patch]);
    };
    let keeping = json!(["validatingwebhookconfigurations"]);
    let others = rules.as_array().into_iter().flatten().filter(|rule| rule["resources"] != keeping);
    may(&others.cloned().collect());
    cluster.tells("rights", "failed", &["validatingwebhookconfigurations"]);
    let stranger = Authority::new("Somebody else").pem();
    let stranger = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, stranger);
    let bundle =
        |value: &Value| patch(json!([{"op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": value}]));
    bundle(&stranger.into());
    cluster.tells(
        "ca-bundle",
        "failed",
        &["x509: certificate signed by unknown authority", "virtualnodes.meshvet.dev", "meshvet ca-bundle"],
    );
    bundle(&configuration["webhooks"][0]["clientConfig"]["caBundle"]);
    let path = |at: usize, value: &Value| {
        let place = format!("/webhooks/{at}/clientConfig/service/path");
        patch(json!([{"op": "replace", "path": place, "value": value}]));
    };
    path(1, &"/elsewhere".into());
    cluster.tells("path", "failed", &["/elsewhere", "/validate"]);
    path(1, &configuration["webhooks"][1]["clientConfig"]["service"]["path"]);
    path(0, &"/validate/ignore/00000000000000000000000000000000".into());
    cluster.tells("served", "failed", &["takes no reviews where the webhooks send them"]);
    path(0, &configuration["webhooks"][0]["clientConfig"]["service"]["path"]);
    may(&rules);

    let hooks = configuration["webhooks"].as_array().expect("webhooks");
    let place = hooks.iter().position(|hook| hook["name"] == "secrets.meshvet.dev").expect("an entry");
    let conditions = |value: &Value| {
        patch(json!([{"op": "replace", "path": format!("/webhooks/{place}/matchConditions"), "value": value}]));
    };
    conditions(&json!([]));
    cluster.tells("entries", "warning", &["secrets.meshvet.dev has no matchConditions", "passwords too"]);
    conditions(&hooks[place]["matchConditions"]);

    let verbs = |verbs: &[&str]| {
        let patch = json!([{"op": "replace", "path": "/rules/0/verbs", "value": verbs}]).to_string();
        cluster.run(&["patch", "clusterrole", "meshvet-secrets", "--type=json", "-p", &patch]);
    };
    verbs(&["get", "list"]);
    cluster.tells("rights", "failed", &["meshvet-system/meshvet may not watch secrets", "--secrets get or none"]);
    verbs(&["get", "list", "watch"]);

    cluster.run(&["-n", NAMESPACE, "delete", "rolebinding", "meshvet-events"]);
    // Its right to write Events about mesh objects holds for its own namespace too.
    cluster.run(&["delete", "clusterrolebinding", "meshvet-watcher"]);
    cluster.tells("events", "warning", &["may not create events.events.k8s.io"]);
    cluster.tells("watcher", "warning", &["create, patch events.events.k8s.io", "metrics only"]);

    cluster.run(&["-n", NAMESPACE, "delete", "endpointslice", "meshvet"]);
    cluster.tells("endpoints", "failed", &["no replica", "get pods", "docs/break-glass.md"]);
    cluster.route();

    cluster.run(&["-n", NAMESPACE, "delete", "service", "meshvet"]);
    cluster.tells("service", "failed", &["there is no Service meshvet-system/meshvet"]);

    let said = cluster.doctor(&["--webhook-configuration", "vet"]);
    assert!(
        said.code == 1
            && said.has("webhooks", "failed", &["ValidatingWebhookConfiguration vet", "the cluster has meshvet"]),
        "{said:#?}"
    );
    cluster.run(&["delete", "crd", "--all"]);
    // It has Ingress all the same.
    cluster.tells("crds", "warning", &["the cluster has no appmesh.k8s.aws/v1beta2", "install the CRDs"]);
    cluster.run(&["delete", "validatingwebhookconfiguration", "meshvet"]);
    cluster.tells("webhooks", "failed", &["there is no ValidatingWebhookConfiguration meshvet", "nothing is judged"]);
}

/// The mode is told by the arguments of a pod.
fn a_managed_installation_is_looked_at_with_its_lease() {
    let _world = World::new("doctor-managed");
    let installation = Installation::managed_for(plane(), "doctor-managed", ["1h", "240h"], false);
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    let name = installation.name();
    let labels = json!({"app": name});
    let selector = json!({"spec": {"selector": labels}}).to_string();
    plane().kubectl.run(&["-n", NAMESPACE, "patch", "service", name, "--type=merge", "-p", &selector], "").succeeds();
    let mut pod = pod(plane(), &format!("{name}-0"));
    pod["metadata"]["labels"] = labels;
    pod["spec"]["containers"][0]["args"] = json!(["serve", format!("--managed-certificate={name}"), "--secrets=get"]);
    plane().kubectl.create(&pod, &[]).succeeds();
    let kubeconfig = plane().folder().join("kubeconfig");
    let look = || doctor(&kubeconfig, &["--webhook-configuration", name]);
    eventually("all is well", || {
        let said = look();
        let held = said.has("lease", "ok", &[&format!("holds Lease {NAMESPACE}/{name}")]);
        if held && said.code == 0 && said.outcomes("ca-bundle") == ["ok"] { Ok(()) } else { Err(format!("{said:#?}")) }
    });
    // Nobody keeps it once the replica is gone, and whoever comes after says so.
    let said = look();
    assert!(said.has("endpoints", "warning", &["one replica is ready", "run two"]), "{said:#?}");
    plane().kubectl.run(&["delete", "clusterrolebinding", name], "").succeeds();
    eventually("the lost right is named", || {
        let said = look();
        let words = ["may not get, update validatingwebhookconfigurations.admissionregistration.k8s.io", name];
        if said.has("rights", "failed", &words) { Ok(()) } else { Err(format!("{said:#?}")) }
    });
    let lease = json!({"spec": {"holderIdentity": ""}}).to_string();
    drop(replica);
    plane().kubectl.run(&["-n", NAMESPACE, "patch", "lease", name, "--type=merge", "-p", &lease], "").succeeds();
    let said = look();
    assert!(said.has("lease", "failed", &["no replica holds Lease", "caBundle isn't updated"]), "{said:#?}");
    assert!(said.has("served", "warning", &["could not be asked", "--address"]), "{said:#?}");
}

/// Somebody with these rights, and the kubeconfig by which they come.
#[track_caller]
fn user(name: &str, rules: &Value) -> std::path::PathBuf {
    let kubectl = &plane().kubectl;
    let run = |arguments: &[&str]| kubectl.run(arguments, "").succeeds();
    run(&["-n", NAMESPACE, "create", "serviceaccount", name]);
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": rules,
    });
    kubectl.create(&role, &[]).succeeds();
    let subject = format!("--serviceaccount={NAMESPACE}:{name}");
    run(&["create", "clusterrolebinding", name, &format!("--clusterrole={name}"), &subject]);
    let token = run(&["-n", NAMESPACE, "create", "token", name]);
    plane().kubeconfig_for(name, token.stdout.trim())
}

fn who_may_not_look_is_told_so() {
    let nobody = user("doctor-nobody", &json!([]));
    let said = doctor(&nobody, &[]);
    let configuration = ["ValidatingWebhookConfiguration meshvet could not be read", "forbidden", "ask someone"];
    assert!(said.code == 0 && said.has("webhooks", "warning", &configuration), "{said:#?}");
    assert!(said.has("crds", "ok", &["7 kinds"]), "everybody may see which kinds there are: {said:#?}");
    assert_eq!(doctor(&nobody, &["--fail-on", "warning"]).code, 1);

    let rule = |group: &str, resources: &[&str]| json!({"apiGroups": [group], "resources": resources, "verbs": ["get", "list"]});
    let looker = user(
        "doctor-looker",
        &json!([
            rule("admissionregistration.k8s.io", &["validatingwebhookconfigurations"]),
            rule("", &["services", "pods"]),
            rule("discovery.k8s.io", &["endpointslices"]),
        ]),
    );
    let rights = [
        "the rights of system:serviceaccount:meshvet-system:meshvet could not be checked",
        "you yourself may not",
        "list, watch secrets",
        "subjectaccessreviews",
    ];
    eventually("the rights are known", || {
        let said = doctor(&looker, &[]);
        if said.has("rights", "warning", &rights) { Ok(()) } else { Err(format!("{said:#?}")) }
    });
}

fn an_api_server_that_is_away_is_the_first_thing_told() {
    let kubeconfig = sandbox::work().join("away.kubeconfig");
    let text = std::fs::read_to_string(plane().folder().join("kubeconfig")).expect("a kubeconfig");
    std::fs::write(&kubeconfig, text.replace(&format!(":{}", plane().port()), ":1")).expect("a file");
    let said = doctor(&kubeconfig, &[]);
    assert_eq!(said.code, 2, "{said:#?}");
    assert!(said.has("api-server", "failed", &["can't be reached", "refused", "the right --context"]), "{said:#?}");
    assert_eq!(said.document["checks"].as_array().map(Vec::len), Some(1));
}
