//! The webhook's entries for what a mesh rests on, with the chart's own conditions on a real API server: which writes come to meshvet,
//! and which never leave the API server.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::install::set_bundles;
use crate::release::Release;
use crate::sandbox::eventually;
use crate::stand_in::StandIn;
use crate::support::manifests::{app_mesh, deployment, namespace, virtual_node};
use crate::support::mint::Authority;
use crate::world;

tests![
    only_changes_of_what_a_mesh_rests_on_are_reviewed,
    large_objects_pass_in_no_time,
    what_a_policy_lists_is_reviewed_at_its_template,
];

const PLACE: (&str, &str) = ("meshvet-system", "meshvet");
const NAMESPACE_CONTROLLER: &str = "system:serviceaccount:kube-system:namespace-controller";
/// More than any condition takes, by far, and less than a loop over many keys would: 9 to 13 s. The suite has two cores for everything.
const SOON: Duration = Duration::from_secs(3);

/// The chart on a control plane of its own, with a stand-in for its pods.
struct Cluster {
    plane: ControlPlane,
    stand_in: StandIn,
}

impl Cluster {
    fn start(name: &str, values: &[&str]) -> Self {
        let plane = ControlPlane::start(name);
        world::install_crds(&plane);
        Release::install(&plane, PLACE, values);
        let authority = Authority::new("The stand-in's");
        let stand_in = StandIn::start(&authority.leaf(&["meshvet.meshvet-system.svc"]).issue());
        set_bundles(&plane, "meshvet", Some(&STANDARD.encode(authority.pem())));
        let slice = json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "namespace": PLACE.0,
                "name": "meshvet",
                "labels": {"kubernetes.io/service-name": "meshvet"},
            },
            "addressType": "IPv4",
            "ports": [{"name": "https", "port": 8443, "protocol": "TCP"}],
            "endpoints": [{"addresses": [stand_in.address], "conditions": {"ready": true}}],
        });
        plane.kubectl.apply(&slice, &[]).succeeds();
        plane.kubectl.create(&namespace("shop"), &[]).succeeds();
        let cluster = Self { plane, stand_in };
        let probe = secret("probe", &[("tls.crt", PEM)]);
        eventually("the API server calls the stand-in", || {
            cluster.plane.kubectl.create(&probe, &["--dry-run=server"]).succeeds();
            if cluster.stand_in.take().is_empty() { Err("not called".to_owned()) } else { Ok(()) }
        });
        cluster
    }

    /// What comes to meshvet of this: `path OPERATION Kind name`, one line each.
    #[track_caller]
    fn reviews(&self, arguments: &[&str], object: Option<&Value>) -> Vec<String> {
        self.stand_in.take();
        let input = object.map(Value::to_string).unwrap_or_default();
        self.plane.kubectl.run(arguments, &input).succeeds();
        self.lines()
    }

    fn lines(&self) -> Vec<String> {
        let line = |asked: crate::stand_in::Asked| {
            let request = &asked.request;
            let object = if request["object"].is_null() { &request["oldObject"] } else { &request["object"] };
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (operation, kind) = (text(&request["operation"]), text(&request["kind"]["kind"]));
            format!("{} {operation} {kind} {}", asked.path, text(&object["metadata"]["name"]))
        };
        self.stand_in.take().into_iter().map(line).collect()
    }

    #[track_caller]
    fn create(&self, object: &Value) -> Vec<String> {
        self.reviews(&["create", "-f", "-"], Some(object))
    }

    /// `kubectl -n shop ARGUMENTS…`.
    #[track_caller]
    fn run(&self, arguments: &str) -> Vec<String> {
        let words: Vec<&str> = ["-n", "shop"].into_iter().chain(arguments.split(' ')).collect();
        self.reviews(&words, None)
    }

    /// A merge patch of an object in `shop`.
    #[track_caller]
    fn patch(&self, what: &str, patch: &Value) -> Vec<String> {
        let patch = patch.to_string();
        let (kind, name) = what.split_once('/').expect("kind/name");
        self.reviews(&["-n", "shop", "patch", kind, name, "--type=merge", "-p", &patch], None)
    }

    /// `kubectl VERB -f -`: how long it takes, and what comes to meshvet of it.
    #[track_caller]
    fn timed(&self, verb: &str, object: &Value) -> (Duration, Vec<String>) {
        let started = Instant::now();
        let reviews = self.reviews(&[verb, "-f", "-"], Some(object));
        (started.elapsed(), reviews)
    }
}

const PEM: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const NOTHING: [String; 0] = [];

fn secret(name: &str, data: &[(&str, &str)]) -> Value {
    let data: Value = data.iter().map(|(key, text)| ((*key).to_owned(), json!(STANDARD.encode(text)))).collect();
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "shop", "name": name}, "data": data})
}

fn typed(kind: &str, mut secret: Value) -> Value {
    secret["type"] = kind.into();
    secret
}

fn config_map(name: &str, data: &[(&str, &str)]) -> Value {
    let data: Value = data.iter().map(|(key, text)| ((*key).to_owned(), json!(text))).collect();
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": name}, "data": data})
}

/// With this owner, which controls it.
fn owned(mut object: Value, kind: &str) -> Value {
    let uid = "11111111-2222-3333-4444-555555555555";
    object["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "apps/v1", "kind": kind, "name": "its", "uid": uid, "controller": true}]);
    object
}

/// A workload with the template of the Deployment.
fn workload(api_version: &str, kind: &str, name: &str, spec: impl FnOnce(&Value) -> Value) -> Value {
    let template = deployment("shop", name, "web-tls:/certs");
    json!({
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"namespace": "shop", "name": name},
        "spec": spec(&template["spec"]),
    })
}

fn only_changes_of_what_a_mesh_rests_on_are_reviewed() {
    let cluster = Cluster::start("entries", &[]);
    workloads(&cluster);
    secrets(&cluster);
    config_maps(&cluster);
    services(&cluster);
    mesh_objects(&cluster);
    namespaces(&cluster);
}

fn workloads(cluster: &Cluster) {
    let image = |image: &str| json!({"spec": {"template": {"metadata": {"annotations": {"image": image}}}}});
    assert_eq!(cluster.create(&deployment("shop", "web", "web-tls:/certs")), ["/workloads CREATE Deployment web"]);
    assert_eq!(cluster.patch("deployment/web", &image("new")), ["/workloads UPDATE Deployment web"]);
    assert_eq!(cluster.run("rollout restart deployment web"), ["/workloads UPDATE Deployment web"]);
    for quiet in [
        "scale deployment web --replicas=3",
        "label deployment web team=shop",
        "annotate deployment web team=shop",
        "rollout pause deployment web",
        "delete deployment web",
    ] {
        assert_eq!(cluster.run(quiet), NOTHING, "{quiet}");
    }
    // A scale of the object itself, as Helm does it.
    cluster.create(&deployment("shop", "web", "web-tls:/certs"));
    assert_eq!(cluster.patch("deployment/web", &json!({"spec": {"replicas": 5}})), NOTHING);

    // Whoever owns pods, from the first of the owners on.
    let plain = |spec: &Value| json!({"selector": spec["selector"], "template": spec["template"]});
    let set = workload("apps/v1", "ReplicaSet", "set", plain);
    assert_eq!(cluster.create(&owned(set.clone(), "Deployment")), NOTHING);
    cluster.run("delete replicaset set");
    assert_eq!(cluster.create(&set), ["/workloads CREATE ReplicaSet set"]);
    let job = |spec: &Value| {
        let mut template = spec["template"].clone();
        template["spec"]["restartPolicy"] = "Never".into();
        template["metadata"] = json!({});
        json!({"template": template})
    };
    assert_eq!(cluster.create(&workload("batch/v1", "Job", "job", job)), ["/workloads CREATE Job job"]);
    assert_eq!(cluster.create(&owned(workload("batch/v1", "Job", "nightly-1", job), "CronJob")), NOTHING);
    let cron = |spec: &Value| json!({"schedule": "0 0 * * *", "jobTemplate": {"spec": job(spec)}});
    assert_eq!(
        cluster.create(&workload("batch/v1", "CronJob", "nightly", cron)),
        ["/workloads CREATE CronJob nightly"]
    );
    assert_eq!(cluster.patch("cronjob/nightly", &json!({"spec": {"schedule": "1 0 * * *"}})), NOTHING);
    let annotated = json!({"spec": {"jobTemplate": image("new")}});
    assert_eq!(cluster.patch("cronjob/nightly", &annotated), ["/workloads UPDATE CronJob nightly"]);

    let mut pod = deployment("shop", "web", "web-tls:/certs")["spec"]["template"].clone();
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    pod["metadata"]["namespace"] = "shop".into();
    pod["metadata"]["name"] = "bare".into();
    assert_eq!(cluster.create(&pod), ["/workloads CREATE Pod bare"]);
    assert_eq!(cluster.run("label pod bare team=shop"), NOTHING);
    assert_eq!(cluster.run("delete pod bare --now"), NOTHING);
    pod["metadata"]["name"] = "set-1".into();
    assert_eq!(cluster.create(&owned(pod, "ReplicaSet")), NOTHING);

    // Where the cluster's own parts are, and where the namespace was taken out.
    let mut system = deployment("shop", "web", "web-tls:/certs");
    for place in ["kube-system", PLACE.0] {
        system["metadata"]["namespace"] = place.into();
        assert_eq!(cluster.create(&system), NOTHING, "{place}");
    }
}

fn secrets(cluster: &Cluster) {
    // At each of the three places that base64 may cut a line at.
    for (name, before) in [("tls-0", ""), ("tls-1", "\n"), ("tls-2", "\n\n")] {
        let pem = format!("{before}{PEM}");
        let created = cluster.create(&secret(name, &[("password", "hush"), ("tls.crt", &pem)]));
        assert_eq!(created, [format!("/secrets CREATE Secret {name}")]);
    }
    let more = json!({"data": {"ca.crt": STANDARD.encode("other")}});
    assert_eq!(cluster.patch("secret/tls-0", &more), ["/secrets UPDATE Secret tls-0"]);
    assert_eq!(cluster.run("label secret tls-0 team=shop"), NOTHING);
    assert_eq!(cluster.run("annotate secret tls-0 team=shop"), NOTHING);
    // What was PEM is none any more, and the other way round.
    let none = json!({"data": {"tls.crt": STANDARD.encode("none")}});
    assert_eq!(cluster.patch("secret/tls-0", &none), ["/secrets UPDATE Secret tls-0"]);
    assert_eq!(cluster.patch("secret/tls-0", &json!({"data": {"a": "YQ=="}})), NOTHING);
    assert_eq!(cluster.patch("secret/tls-0", &json!({"data": {"a": STANDARD.encode(PEM)}})).len(), 1);
    assert_eq!(cluster.run("delete secret tls-0"), ["/secrets DELETE Secret tls-0"]);
    let system = format!("delete secret tls-1 --as={NAMESPACE_CONTROLLER}");
    assert_eq!(cluster.run(&system), NOTHING);

    // What is no certificate never leaves the API server.
    let types = ["helm.sh/release.v1", "kubernetes.io/basic-auth", "kubernetes.io/ssh-auth"];
    let mut quiet: Vec<Value> =
        types.iter().map(|kind| typed(kind, secret("quiet", &[("ssh-privatekey", PEM), ("username", "me")]))).collect();
    quiet.push(secret("quiet", &[("password", "hush")]));
    quiet.push(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "shop", "name": "quiet"}}));
    let mut next = secret("quiet", &[("tls.key", PEM)]);
    next["metadata"]["labels"] = json!({"cert-manager.io/next-private-key": "true"});
    quiet.push(next);
    for secret in &quiet {
        assert_eq!(cluster.create(secret), NOTHING, "{secret}");
        assert_eq!(cluster.patch("secret/quiet", &json!({"data": {"more": "YQ=="}})), NOTHING, "{secret}");
        assert_eq!(cluster.run("delete secret quiet"), NOTHING, "{secret}");
    }
    cluster.run("create serviceaccount me");
    let mut token = typed("kubernetes.io/service-account-token", secret("quiet", &[("ca.crt", PEM)]));
    token["metadata"]["annotations"] = json!({"kubernetes.io/service-account.name": "me"});
    assert_eq!(cluster.create(&token), NOTHING);
    let mut system = secret("tls", &[("tls.crt", PEM)]);
    system["metadata"]["namespace"] = "kube-system".into();
    assert_eq!(cluster.create(&system), NOTHING);
}

fn config_maps(cluster: &Cluster) {
    assert_eq!(cluster.create(&config_map("trust", &[("ca.crt", PEM)])), ["/secrets CREATE ConfigMap trust"]);
    let more = json!({"data": {"more": "text"}});
    assert_eq!(cluster.patch("configmap/trust", &more), ["/secrets UPDATE ConfigMap trust"]);
    assert_eq!(cluster.run("label configmap trust team=shop"), NOTHING);
    assert_eq!(cluster.run("delete configmap trust"), ["/secrets DELETE ConfigMap trust"]);
    let mut binary = config_map("trust", &[]);
    binary["binaryData"] = json!({"ca.crt": STANDARD.encode(format!("\u{feff}{PEM}"))});
    assert_eq!(cluster.create(&binary), ["/secrets CREATE ConfigMap trust"]);
    let none = json!({"binaryData": {"ca.crt": null}});
    assert_eq!(cluster.patch("configmap/trust", &none), ["/secrets UPDATE ConfigMap trust"]);
    assert_eq!(cluster.create(&config_map("settings", &[("a", "b")])), NOTHING);
    assert_eq!(cluster.patch("configmap/settings", &more), NOTHING);
    assert_eq!(cluster.create(&config_map("kube-root-ca.crt", &[("ca.crt", PEM)])), NOTHING);
    assert_eq!(cluster.run("delete configmap kube-root-ca.crt"), NOTHING);
}

fn services(cluster: &Cluster) {
    let service = |namespace: &str| {
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"namespace": namespace, "name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 8443}]},
        })
    };
    assert_eq!(cluster.create(&service("shop")), ["/services CREATE Service web"]);
    let ports = json!({"spec": {"ports": [{"port": 8443, "targetPort": 80}]}});
    assert_eq!(cluster.patch("service/web", &ports), ["/services UPDATE Service web"]);
    let balanced = "annotate service web service.beta.kubernetes.io/aws-load-balancer-ssl-cert=arn";
    assert_eq!(cluster.run(balanced), ["/services UPDATE Service web"]);
    assert_eq!(cluster.patch("service/web", &ports), NOTHING);
    assert_eq!(cluster.run("label service web team=shop"), NOTHING);
    // A load balancer's controller keeps it until its own work is undone.
    let finalizers = json!({"metadata": {"finalizers": ["service.kubernetes.io/load-balancer-cleanup"]}});
    assert_eq!(cluster.patch("service/web", &finalizers), NOTHING);
    let condition = json!({"type": "Ready", "status": "True", "reason": "R", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"});
    let status = json!({"status": {"conditions": [condition]}}).to_string();
    let to_status = ["-n", "shop", "patch", "service", "web", "--subresource=status", "--type=merge", "-p", &status];
    assert_eq!(cluster.reviews(&to_status, None), NOTHING);
    assert_eq!(cluster.run("delete service web --wait=false"), ["/services DELETE Service web"]);
    let back = json!({"spec": {"ports": [{"port": 8443}]}});
    assert_eq!(cluster.patch("service/web", &back), NOTHING, "it is on its way out");
    assert_eq!(cluster.patch("service/web", &json!({"metadata": {"finalizers": null}})), NOTHING);
    for place in ["kube-system", PLACE.0] {
        assert_eq!(cluster.create(&service(place)), NOTHING, "{place}");
    }
}

fn mesh_objects(cluster: &Cluster) {
    let mut mesh = app_mesh("Mesh", "", "shop", json!({"namespaceSelector": {"matchLabels": {"mesh": "shop"}}}));
    mesh["metadata"].as_object_mut().expect("metadata").remove("namespace");
    assert_eq!(cluster.create(&mesh), NOTHING);
    let selects = json!({"spec": {"namespaceSelector": {"matchLabels": {"mesh": "till"}}}});
    assert_eq!(cluster.patch("mesh/shop", &selects), ["/meshes UPDATE Mesh shop"]);
    assert_eq!(cluster.run("label mesh shop team=shop"), NOTHING);

    let mut node = virtual_node("shop", "web", "web.shop.svc.cluster.local");
    assert_eq!(cluster.create(&node), ["/validate/ignore CREATE VirtualNode web"]);
    assert_eq!(cluster.run("delete virtualnode web"), ["/deletions DELETE VirtualNode web"]);
    // With a finalizer, as App Mesh's controller sets it: the second time nothing is new, and the end is an update.
    node["metadata"]["finalizers"] = json!(["finalizers.appmesh.k8s.aws/aws-resources"]);
    cluster.create(&node);
    assert_eq!(cluster.run("delete virtualnode web --wait=false"), ["/deletions DELETE VirtualNode web"]);
    assert_eq!(cluster.run("delete virtualnode web --wait=false"), NOTHING);
    assert_eq!(cluster.patch("virtualnode/web", &json!({"metadata": {"finalizers": null}})), NOTHING);
    node["metadata"]["finalizers"] = json!([]);
    for name in ["web", "api"] {
        node["metadata"]["name"] = name.into();
        cluster.create(&node);
    }
    // By a collection: one review each, without a name of its own.
    let all = cluster.reviews(&["delete", "--raw", "/apis/appmesh.k8s.aws/v1beta2/namespaces/shop/virtualnodes"], None);
    let mut all: Vec<String> = all;
    all.sort();
    assert_eq!(all, ["/deletions DELETE VirtualNode api", "/deletions DELETE VirtualNode web"]);
}

fn namespaces(cluster: &Cluster) {
    let namespaced = |arguments: &str| cluster.reviews(&arguments.split(' ').collect::<Vec<_>>(), None);
    assert_eq!(namespaced("label namespace shop team=shop"), ["/namespaces UPDATE Namespace shop"]);
    assert_eq!(namespaced("label namespace shop team-"), ["/namespaces UPDATE Namespace shop"]);
    for quiet in ["annotate namespace shop team=shop", "label namespace kube-system team=shop", "create namespace till"]
    {
        assert_eq!(namespaced(quiet), NOTHING, "{quiet}");
    }
    // As its controller empties it.
    let node = virtual_node("shop", "last", "last.shop.svc.cluster.local");
    let mut service = json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 8443}]}});
    service["metadata"] = json!({"namespace": "shop", "name": "last"});
    for object in [&secret("last", &[("tls.crt", PEM)]), &config_map("last", &[("ca.crt", PEM)]), &node, &service] {
        cluster.create(object);
    }
    assert_eq!(namespaced("delete namespace shop --wait=false"), NOTHING);
    let user = format!("--as={NAMESPACE_CONTROLLER}");
    for collection in ["secrets", "configmaps", "services", "virtualnodes.appmesh.k8s.aws"] {
        let delete = ["-n", "shop", "delete", collection, "last", &user];
        assert_eq!(cluster.reviews(&delete, None), NOTHING, "{collection}");
    }
}

/// `count` keys with nothing in them.
fn many(count: usize) -> Value {
    (0..count).map(|key| (format!("k{key}"), json!(""))).collect()
}

fn large_objects_pass_in_no_time() {
    let cluster = Cluster::start("entries-large", &[]);
    // The same write where no entry looks, which takes its time too with objects like these.
    let is_soon = |what: &str, verb: &str, object: &Value, expected: usize| {
        let mut apart = object.clone();
        apart["metadata"]["namespace"] = "kube-system".into();
        let (usual, none) = cluster.timed(verb, &apart);
        assert_eq!(none, NOTHING);
        let (took, reviews) = cluster.timed(verb, object);
        assert!(took < 2 * usual + SOON, "{what} took {took:?}, and {usual:?} without an entry");
        assert_eq!(reviews.len(), expected, "{what}: {reviews:?}");
    };
    for mut keys in [secret("keys", &[]), config_map("keys", &[])] {
        keys["data"] = many(60_000);
        is_soon("an object of 60,000 keys", "create", &keys, 0);
        keys["data"]["k1"] = "YQ==".into();
        is_soon("its change", "replace", &keys, 0);
    }

    // As large as a Secret may be. Nothing of it is PEM, so that all of it is looked through, before and after.
    let large = |text: &str| text.repeat((1024 * 1024 - 64) / text.len());
    let fill = large("hush");
    let room = fill.len() - PEM.len();
    is_soon("a large Secret", "create", &secret("large", &[("a", &fill)]), 0);
    is_soon("its change", "replace", &secret("large", &[("a", &large("shout"))]), 0);
    is_soon("PEM in it", "replace", &secret("large", &[("a", &large(PEM))]), 1);
    // What is PEM is found in the last key too, before and after.
    is_soon("PEM at its end", "replace", &secret("large", &[("a", &fill[..room]), ("z", PEM)]), 1);
    is_soon("no PEM any more", "replace", &secret("large", &[("a", &fill[..room]), ("z", "none")]), 1);

    is_soon("a large ConfigMap", "create", &config_map("large", &[("a", &large("-"))]), 0);
    is_soon("its change", "replace", &config_map("large", &[("a", &large("----")[4..])]), 0);
    is_soon("PEM in it", "replace", &config_map("large", &[("a", &large(PEM))]), 1);

    // A template of nearly a megabyte.
    let mut long = deployment("shop", "long", "web-tls:/certs");
    let variable = |text: &str| json!([{"name": "LONG", "value": large(text)}]);
    long["spec"]["template"]["spec"]["containers"][0]["env"] = variable("a");
    is_soon("a large template", "create", &long, 1);
    long["spec"]["template"]["spec"]["containers"][0]["env"] = variable("b");
    is_soon("its change", "replace", &long, 1);
    long["metadata"]["labels"] = json!({"a": "b"});
    is_soon("its label", "replace", &long, 0);
}

fn what_a_policy_lists_is_reviewed_at_its_template() {
    let policy = r#"policy.workloads=[{"apiVersion":"example.com/v1","kind":"Fleet","plural":"fleets","template":"/spec/a~1b/0/pod"}]"#;
    let cluster = Cluster::start("entries-policy", &[policy]);
    let crd = |group: &str, kind: &str, version: &str| {
        let plural = format!("{}s", kind.to_lowercase());
        json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.{group}")},
            "spec": {
                "group": group,
                "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase()},
                "scope": "Namespaced",
                "versions": [{
                    "name": version,
                    "served": true,
                    "storage": true,
                    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
                }],
            },
        })
    };
    for crd in [crd("example.com", "Fleet", "v1"), crd("argoproj.io", "Rollout", "v1alpha1")] {
        cluster.plane.kubectl.apply(&crd, &["--server-side"]).succeeds();
    }
    world::wait_for_crds(&cluster.plane);
    let fleet = |image: &str, size: u32| {
        json!({
            "apiVersion": "example.com/v1",
            "kind": "Fleet",
            "metadata": {"namespace": "shop", "name": "ships"},
            "spec": {"size": size, "a/b": [{"pod": {"image": image}}]},
        })
    };
    assert_eq!(cluster.create(&fleet("a", 1)), ["/workloads CREATE Fleet ships"]);
    let apply = |object: &Value| {
        let arguments = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
        cluster.reviews(&arguments, Some(object))
    };
    assert_eq!(apply(&fleet("a", 2)), NOTHING);
    assert_eq!(apply(&fleet("b", 2)), ["/workloads UPDATE Fleet ships"]);
    // Usual kinds are compared as ever, one with the template of another too.
    let rollout = |taken: &str, replicas: u32| {
        json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "metadata": {"namespace": "shop", "name": "web"},
            "spec": {"replicas": replicas, "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": taken}},
        })
    };
    assert_eq!(cluster.create(&rollout("web", 1)), ["/workloads CREATE Rollout web"]);
    assert_eq!(apply(&rollout("web", 2)), NOTHING);
    assert_eq!(apply(&rollout("api", 2)), ["/workloads UPDATE Rollout web"]);
    let annotated = json!({"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}});
    cluster.create(&deployment("shop", "web", "web-tls:/certs"));
    assert_eq!(cluster.patch("deployment/web", &annotated), ["/workloads UPDATE Deployment web"]);
    assert_eq!(cluster.run("scale deployment web --replicas=3"), NOTHING);
    assert_eq!(cluster.run("label deployment web team=shop"), NOTHING);
}
