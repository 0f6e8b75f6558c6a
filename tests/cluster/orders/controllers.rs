//! The cluster's own controllers, by the real kube-controller-manager: none of their writes is sent for review, however much they write, and
//! a namespace or an owner that goes takes all it holds along without meshvet hearing of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::control_plane::{ControlPlane, Controllers};
use crate::install::set_bundles;
use crate::orders::bed::mesh;
use crate::orders::shop::{ROOT, Shop};
use crate::orders::writes::{Write, Writer};
use crate::release::Release;
use crate::sandbox::eventually;
use crate::stand_in::{Asked, StandIn};
use crate::support::manifests::deployment;
use crate::support::mint::Authority;
use crate::world;

tests![
    no_write_of_a_controller_is_reviewed,
    a_namespace_goes_without_a_review,
    what_an_owner_takes_along_is_not_reviewed,
];

const PLACE: (&str, &str) = ("meshvet-system", "meshvet");

/// The chart on a control plane with controllers, and a stand-in that remembers what comes to meshvet.
pub(super) struct Cluster {
    pub(super) plane: ControlPlane,
    pub(super) writer: Writer,
    stand_in: StandIn,
    _controllers: Controllers,
}

impl Cluster {
    pub(super) fn start(name: &str) -> Self {
        let plane = ControlPlane::start(name);
        world::install_crds(&plane);
        Release::install(&plane, PLACE, &[]);
        let authority = Authority::new("The stand-in's");
        let stand_in = StandIn::start(&authority.leaf(&["meshvet.meshvet-system.svc"]).issue());
        set_bundles(&plane, "meshvet", Some(&STANDARD.encode(authority.pem())));
        plane.kubectl.apply(&endpoint(&stand_in.address.to_string()), &[]).succeeds();
        let controllers = plane.start_controllers();
        let writer = Writer::new(&plane.folder().join("kubeconfig"));
        let cluster = Self { plane, writer, stand_in, _controllers: controllers };
        let shop = Shop::new("first");
        cluster.does(&Write::Apply(shop.namespace()));
        eventually("the API server calls the stand-in", || {
            cluster.does(&Write::DryRun(shop.server_secret(&shop.leaf())));
            if cluster.take().is_empty() { Err("not called".to_owned()) } else { Ok(()) }
        });
        cluster
    }

    pub(super) fn does(&self, write: &Write) {
        self.writer.write(write).succeeds();
    }

    fn take(&self) -> Vec<Asked> {
        self.stand_in.take()
    }

    /// `kubectl ARGUMENTS…`
    fn run(&self, arguments: &str) {
        self.plane.kubectl.run(&arguments.split(' ').collect::<Vec<_>>(), "").succeeds();
    }

    /// Waits until this many objects of a kind are in the namespace.
    fn until(&self, what: &str, path: &str, is_so: impl Fn(&[Value]) -> bool) {
        eventually(what, || {
            let list = self.writer.get(path);
            let items = list["items"].as_array().expect("items");
            if is_so(items) { Ok(()) } else { Err(format!("{} objects: {list}", items.len())) }
        });
    }
}

/// Where the Service of the release leads.
pub(super) fn endpoint(address: &str) -> Value {
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"namespace": PLACE.0, "name": "meshvet", "labels": {"kubernetes.io/service-name": "meshvet"}},
        "addressType": "IPv4",
        "ports": [{"name": "https", "port": 8443, "protocol": "TCP"}],
        "endpoints": [{"addresses": [address], "conditions": {"ready": true}}],
    })
}

/// `path OPERATION Kind name`, and who asked.
fn lines(asked: &[Asked]) -> Vec<String> {
    let line = |Asked { path, request }: &Asked| {
        let object = if request["object"].is_null() { &request["oldObject"] } else { &request["object"] };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (operation, kind, name) =
            (text(&request["operation"]), text(&request["kind"]["kind"]), text(&object["metadata"]["name"]));
        format!("{path} {operation} {kind} {name} by {}", text(&request["userInfo"]["username"]))
    };
    asked.iter().map(line).collect()
}

fn no_write_of_a_controller_is_reviewed() {
    let cluster = Cluster::start("controllers");
    let shop = Shop::new("busy");
    cluster.does(&Write::Apply(shop.namespace()));
    let (pods, sets) = ("/api/v1/namespaces/busy/pods", "/apis/apps/v1/namespaces/busy/replicasets");
    let with = |kind: &str, count: usize| {
        let (kind, at_least) = (kind.to_owned(), count);
        move |items: &[Value]| {
            let owned = items.iter().filter(|it| it["metadata"]["ownerReferences"][0]["kind"] == kind.as_str());
            owned.count() >= at_least
        }
    };
    cluster.take();
    let mut busy = deployment("busy", "busy", "busy-tls:/certs");
    busy["spec"]["replicas"] = 3.into();
    let template = busy["spec"]["template"].clone();
    let stateful = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"namespace": "busy", "name": "kept"},
        "spec": {"serviceName": "kept", "selector": busy["spec"]["selector"], "template": template,
            "podManagementPolicy": "Parallel", "replicas": 2}});
    let daemon = json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"namespace": "busy", "name": "each"},
        "spec": {"selector": busy["spec"]["selector"], "template": template}});
    let mut once = template.clone();
    once["spec"]["restartPolicy"] = "Never".into();
    once["metadata"] = json!({"annotations": template["metadata"]["annotations"]});
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"namespace": "busy", "name": "job"}, "spec": {"template": once}});
    let cron = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"namespace": "busy", "name": "nightly"},
        "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": once}}}});
    for object in [&busy, &stateful, &daemon, &job, &cron] {
        cluster.does(&Write::Apply(object.clone()));
    }
    cluster.until("the Deployment has pods", pods, with("ReplicaSet", 3));
    cluster.until("the StatefulSet has pods", pods, with("StatefulSet", 2));
    cluster.until("the Job has a pod", pods, with("Job", 1));
    cluster.run("-n busy scale deployment busy --replicas=6");
    cluster.until("it is scaled", pods, with("ReplicaSet", 6));
    cluster.run("-n busy rollout restart deployment busy");
    cluster.until("it is rolled out", sets, with("Deployment", 2));
    cluster.run("-n busy set image deployment busy app=app:2");
    cluster.until("it is rolled out again", sets, with("Deployment", 3));
    cluster.run("-n busy rollout undo deployment busy");
    cluster.run("-n busy scale statefulset kept --replicas=4");
    cluster.until("the other is scaled", pods, with("StatefulSet", 4));
    // A pod that goes is replaced.
    cluster.run("-n busy delete pod kept-0 --force --grace-period=0");
    cluster.until("it is replaced", pods, |items| items.iter().any(|it| it["metadata"]["name"] == "kept-0"));
    let mut asked = lines(&cluster.take());
    let by_hand = asked.split_off(5.min(asked.len()));
    let created = [
        "/workloads CREATE Deployment busy by admin",
        "/workloads CREATE StatefulSet kept by admin",
        "/workloads CREATE DaemonSet each by admin",
        "/workloads CREATE Job job by admin",
        "/workloads CREATE CronJob nightly by admin",
    ];
    assert_eq!(asked, created);
    // Restart, image and undo; the API server asks once more where a controller wrote the object meanwhile.
    let is_by_hand = |line: &String| line == "/workloads UPDATE Deployment busy by admin";
    assert!(by_hand.len() >= 3 && by_hand.iter().all(is_by_hand), "nothing else is reviewed: {by_hand:?}");
    let written = [pods, sets, "/api/v1/namespaces/busy/configmaps"].map(|path| {
        let list = cluster.writer.get(path);
        list["items"].as_array().map_or(0, Vec::len)
    });
    println!("pods, ReplicaSets and ConfigMaps that controllers wrote: {written:?}");
    assert!(written[0] >= 10 && written[1] == 3 && written[2] == 1, "{written:?}");
}

/// Everything that a mesh rests on, in namespaces that go: meshvet hears nothing of it, and they do go.
fn a_namespace_goes_without_a_review() {
    let cluster = Cluster::start("controllers-namespace");
    cluster.does(&Write::Apply(mesh("everywhere", json!({}))));
    let shops = ["gone-1", "gone-2", "gone-3"].map(Shop::new);
    for shop in &shops {
        cluster.does(&Write::Apply(shop.namespace()));
        for write in shop.sound() {
            cluster.does(&write);
        }
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": shop.name, "name": "trust"},
            "data": {"ca.crt": ROOT.pem()}});
        cluster.does(&Write::Apply(map));
    }
    cluster.take();
    cluster.run("delete namespace gone-1 gone-2 gone-3 --timeout=60s");
    let asked = lines(&cluster.take());
    assert!(asked.is_empty(), "{asked:#?}");
    for shop in &shops {
        let left = cluster.plane.kubectl.run(&["get", "namespace", &shop.name], "");
        assert!(left.stderr.contains("NotFound"), "{left}");
    }
}

fn what_an_owner_takes_along_is_not_reviewed() {
    let cluster = Cluster::start("controllers-owner");
    let shop = Shop::new("owned");
    cluster.does(&Write::Apply(shop.namespace()));
    cluster.does(&Write::Apply(shop.deployment("blue", "blue-tls:/certs")));
    let owner = cluster.writer.get("/apis/apps/v1/namespaces/owned/deployments/blue");
    let mut secret = shop.server_secret(&shop.leaf());
    let reference =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "blue", "uid": owner["metadata"]["uid"]});
    secret["metadata"]["ownerReferences"] = json!([reference]);
    cluster.does(&Write::Apply(secret));
    cluster.take();
    cluster.run("-n owned delete deployment blue");
    cluster.until("its Secret goes with it", "/api/v1/namespaces/owned/secrets", <[Value]>::is_empty);
    let asked = lines(&cluster.take());
    assert!(asked.is_empty(), "{asked:#?}");
}
