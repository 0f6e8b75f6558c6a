//! What the watches make of a real API server: facts come and go, whatever happens between the two.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use meshvet::mesh::{Fact, FactId, SecretAccess, StoreKey, StoreState, Unread, World as Facts};
use meshvet::sources::cluster::{
    ClusterOptions, ConnectOptions, KubeReader, Pace, Readiness, WatchStats, Watches, compare, connect, spawn,
};
use meshvet::sources::{SharedWorld, StoreReader};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::control_plane::ControlPlane;
use crate::sandbox::eventually;
use crate::support::manifests::{self, secret, virtual_node};
use crate::world::{self, World, plane};

tests![
    facts_appear_and_vanish,
    pods_of_another_workload_say_nothing,
    a_fresh_read_is_newer_than_any_watch,
    a_refusal_names_what_to_grant_and_ends_with_the_grant,
    a_crd_may_come_and_go,
    deletions_while_the_api_server_is_away_are_noticed,
    what_is_known_other_than_it_is_is_told,
];

/// The watches of one user, and what they have learnt.
struct Watching {
    facts: SharedWorld,
    readiness: Readiness,
    stats: WatchStats,
    reader: KubeReader,
    log: Log,
    _watches: Watches,
    runtime: Runtime,
}

impl Watching {
    #[track_caller]
    fn start(kubeconfig: PathBuf) -> Self {
        let log = Log::default();
        let writer = log.clone();
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .on_thread_start(move || {
                let writer = writer.clone();
                let subscriber =
                    tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
                // For as long as the thread lives.
                std::mem::forget(tracing::subscriber::set_default(subscriber));
            })
            .build()
            .expect("a runtime");
        let options = ConnectOptions { kubeconfig: Some(kubeconfig), context: None };
        let client = runtime.block_on(connect(&options)).expect("a client");
        let access = SecretAccess::Complete;
        let facts = SharedWorld::new(Facts::new(access));
        let (readiness, stats) = (Readiness::default(), WatchStats::default());
        let soon = Duration::from_millis(200);
        let pace = Pace { absent: soon, retry_least: soon, retry_most: 2 * soon, ..Pace::default() };
        let reader = KubeReader::new(client.clone(), access);
        let watches = {
            let _within = runtime.enter();
            spawn(
                client,
                ClusterOptions { access, pace, service_accounts: true, ..ClusterOptions::default() },
                facts.clone(),
                readiness.clone(),
                &stats,
            )
        };
        Self { facts, readiness, stats, reader, log, _watches: watches, runtime }
    }

    /// As one who may do everything.
    #[track_caller]
    fn all_of(plane: &ControlPlane) -> Self {
        let watching = Self::start(plane.folder().join("kubeconfig"));
        watching.until("everything has been listed", |watching| watching.readiness.ready());
        watching
    }

    #[track_caller]
    fn until(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        eventually(what, || {
            if holds(self) {
                return Ok(());
            }
            let counts = self.facts.read(Facts::counts);
            Err(format!("missing: {:?}\n{counts:?}\n{}", self.readiness.missing(), self.log.text()))
        });
    }

    /// What is known in a namespace: members, workloads and virtual services as `kind/name`, sorted.
    fn known(&self, namespace: &str) -> Vec<String> {
        let mut known: Vec<String> = self.facts.read(|facts| {
            let members = facts.members().map(|member| &member.object);
            let workloads = facts.workloads().map(|workload| &workload.object);
            let services = facts.hops().map(|hop| &hop.object).filter(|object| object.kind == "VirtualService");
            let objects = members.chain(workloads).chain(services);
            let here = objects.filter(|object| object.namespace() == namespace);
            here.map(|object| format!("{}/{}", object.kind, object.name)).collect()
        });
        known.sort();
        known
    }

    /// The size of one file of a Secret; None: there is no such Secret, or no such file.
    fn size(&self, namespace: &str, name: &str, file: &str) -> Option<usize> {
        let key = StoreKey::secret(namespace, name);
        size(&self.facts.read(|facts| facts.store(&key)), file)
    }

    fn read(&self, key: &StoreKey) -> StoreState {
        let mut read = self.runtime.block_on(self.reader.read(vec![key.clone()]));
        read.remove(key).expect("an answer")
    }
}

fn size(state: &StoreState, file: &str) -> Option<usize> {
    match state {
        StoreState::Present(store) => store.files.get(file).map(|facts| facts.size),
        _ => None,
    }
}

/// All that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn pod(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name, "labels": {"app": name}},
        "spec": {"containers": [{"name": "app", "image": "app:1"}]},
    })
}

fn service(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "appmesh.k8s.aws/v1beta2",
        "kind": "VirtualService",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"provider": {"virtualNode": {"virtualNodeRef": {"name": "web"}}}},
    })
}

fn facts_appear_and_vanish() {
    let world = World::new("facts");
    // One of each kind is there before, and one comes after.
    world.has([manifests::deployment("facts", "web", ""), secret("facts", "cert", &[("tls.crt", "1")])]);
    let watching = Watching::all_of(plane());
    assert_eq!(watching.known("facts"), ["Deployment/web"]);
    assert_eq!(watching.size("facts", "cert", "tls.crt"), Some(1));
    assert!(watching.facts.read(|facts| facts.namespace("facts").is_some()));

    let mut node = virtual_node("facts", "web", "web.local");
    node["spec"]["listeners"][0].as_object_mut().unwrap().remove("tls");
    world.has([node.clone(), service("facts", "web"), pod("facts", "alone")]);
    let all = ["Deployment/web", "Pod/alone", "VirtualNode/web", "VirtualService/web"];
    watching.until("the new ones are known", |watching| watching.known("facts") == all);

    world.has([secret("facts", "cert", &[("tls.crt", "22")])]);
    watching.until("the Secret's change is known", |watching| watching.size("facts", "cert", "tls.crt") == Some(2));

    let mut idle = manifests::deployment("facts", "web", "");
    idle["spec"]["replicas"] = 0.into();
    world.has([idle]);
    watching.until("a workload without pods says nothing", |watching| watching.known("facts") == all[1..]);

    for what in [["virtualnode/web", "virtualservice/web"], ["secret/cert", "pod/alone"]] {
        let delete = ["-n", "facts", "delete", "--force", what[0], what[1]];
        world.kubectl.run(&delete, "").succeeds();
    }
    watching.until("all is gone", |watching| watching.known("facts").is_empty());
    watching.until("the Secret too", |watching| watching.size("facts", "cert", "tls.crt").is_none());
}

fn pods_of_another_workload_say_nothing() {
    let world = World::new("owned");
    let owned = |name: &str, api_version: &str, kind: &str| {
        let mut pod = pod("owned", name);
        let owner = json!({"apiVersion": api_version, "kind": kind, "name": "it", "uid": "it", "controller": true});
        pod["metadata"]["ownerReferences"] = json!([owner]);
        pod
    };
    world.has([owned("of-a-set", "apps/v1", "ReplicaSet"), owned("of-an-operator", "example.com/v1", "Thing")]);
    world.has([pod("owned", "bare"), pod("owned", "done")]);
    let finish = |name: &str| {
        let patch = ["-n", "owned", "patch", "pod", name, "--subresource=status", "--type=merge", "-p"];
        world.kubectl.run(&[&patch[..], &[r#"{"status": {"phase": "Succeeded"}}"#]].concat(), "").succeeds();
    };
    finish("done");
    let watching = Watching::all_of(plane());
    assert_eq!(watching.known("owned"), ["Pod/bare", "Pod/of-an-operator"]);

    world.has([owned("later-of-a-set", "apps/v1", "ReplicaSet"), pod("owned", "later")]);
    watching.until("the new one is known", |watching| {
        watching.known("owned") == ["Pod/bare", "Pod/later", "Pod/of-an-operator"]
    });
    finish("later");
    watching.until("and that it is finished", |watching| watching.known("owned") == ["Pod/bare", "Pod/of-an-operator"]);
}

fn a_fresh_read_is_newer_than_any_watch() {
    let world = World::new("fresh");
    let watching = Watching::all_of(plane());
    let key = StoreKey::secret("fresh", "cert");
    assert!(matches!(watching.read(&key), StoreState::Absent));
    for text in ["1", "22", "333"] {
        world.has([secret("fresh", "cert", &[("tls.crt", text)])]);
        assert_eq!(size(&watching.read(&key), "tls.crt"), Some(text.len()));
    }
    let map = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"namespace": "fresh", "name": "bundle"},
        "data": {"ca.crt": "12"},
        "binaryData": {"ca.der": "AAAA"},
    });
    world.has([map]);
    let bundle = watching.read(&StoreKey::config_map("fresh", "bundle"));
    assert_eq!((size(&bundle, "ca.crt"), size(&bundle, "ca.der")), (Some(2), Some(3)));
}

fn a_refusal_names_what_to_grant_and_ends_with_the_grant() {
    let world = World::new("refused");
    let name = "meshvet-refused";
    world.kubectl.run(&["-n", "refused", "create", "serviceaccount", name], "").succeeds();
    let token = world.kubectl.run(&["-n", "refused", "create", "token", name], "").succeeds().stdout;
    let watching = Watching::start(plane().kubeconfig_for(name, token.trim()));
    let told = |watching: &Watching, texts: &[&str]| {
        let log = watching.log.text();
        log.lines().any(|line| line.contains("ERROR") && texts.iter().all(|text| line.contains(text)))
    };
    watching.until("the refusals are told", |watching| {
        let account = "system:serviceaccount:refused:meshvet-refused";
        told(watching, &["may not list secrets", account, "must allow list and watch on secrets", "--secrets must be"])
            && told(watching, &["may not list virtualnodes.appmesh.k8s.aws", account])
    });
    assert!(!watching.readiness.ready());
    assert!(watching.readiness.missing().contains(&"VirtualNode".to_owned()));
    let StoreState::Unread(Unread::Failed(why)) = watching.read(&StoreKey::secret("refused", "cert")) else {
        panic!("a refused read is no answer")
    };
    assert!(why.contains("must allow get on secrets"), "{why}");

    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]}],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "refused"}],
    });
    world.has([role, binding]);
    watching.until("the grant is noticed", |watching| watching.readiness.ready());
}

fn a_crd_may_come_and_go() {
    let plane = ControlPlane::start("crds-come-and-go");
    let watching = Watching::all_of(&plane);
    let log = watching.log.text();
    let warned = log.lines().filter(|line| line.contains("WARN") && line.contains("the cluster has no")).count();
    assert_eq!(warned, 7, "one warning a kind:\n{log}");

    let crd = "virtualservices.appmesh.k8s.aws";
    let world = World::on(&plane, "shop");
    for _ in 0..2 {
        world::install_crds(&plane);
        world.has([service("shop", "web")]);
        watching.until("the CRD is noticed", |watching| watching.known("shop") == ["VirtualService/web"]);
        plane.kubectl.run(&["delete", "crd", crd], "").succeeds();
        watching.until("so is its end", |watching| watching.known("shop").is_empty());
    }
    assert!(watching.readiness.ready());
}

fn deletions_while_the_api_server_is_away_are_noticed() {
    let mut plane = ControlPlane::start("restarted");
    world::install_crds(&plane);
    let world = World::on(&plane, "shop");
    world.has([service("shop", "stays"), service("shop", "goes"), secret("shop", "goes", &[("a", "1")])]);
    let watching = Watching::all_of(&plane);
    assert_eq!(watching.known("shop"), ["VirtualService/goes", "VirtualService/stays"]);
    assert_eq!(watching.size("shop", "goes", "a"), Some(1));

    plane.restart_api_server(|plane| {
        watching.until("the failure is counted", |watching| {
            watching.stats.kind("VirtualService").is_some_and(|figures| figures.errors() > 0)
        });
        assert!(watching.readiness.ready(), "what is known stays good");
        assert_eq!(watching.known("shop").len(), 2);
        plane.delete_raw("/registry/appmesh.k8s.aws/virtualservices/shop/goes");
        plane.delete_raw("/registry/secrets/shop/goes");
    });
    watching.until("the deletions are noticed", |watching| {
        watching.known("shop") == ["VirtualService/stays"] && watching.size("shop", "goes", "a").is_none()
    });
    world.has([service("shop", "new")]);
    watching
        .until("and what comes after", |watching| watching.known("shop").contains(&"VirtualService/new".to_owned()));
}

fn what_is_known_other_than_it_is_is_told() {
    let world = World::new("compared");
    world.has(["lost", "changed"].map(|name| secret("compared", name, &[("a", "1")])));
    world.has([service("compared", "lost")]);
    let kubeconfig = plane().folder().join("kubeconfig");
    let watching = Watching::all_of(plane());
    let options = ConnectOptions { kubeconfig: Some(kubeconfig), context: None };
    let client = watching.runtime.block_on(connect(&options)).expect("a client");
    let differences = || {
        let all = ClusterOptions { service_accounts: true, ..ClusterOptions::default() };
        let compared = compare(&client, all, &watching.facts, Duration::from_secs(1));
        let compared = watching.runtime.block_on(compared);
        assert_eq!(compared.problems, Vec::<String>::new());
        assert!(compared.objects > 5, "{compared:?}");
        let told = compared.differences.iter().map(ToString::to_string);
        // Others are at work in the same cluster.
        told.filter(|line| line.contains("compared")).collect::<Vec<_>>()
    };
    assert_eq!(differences(), Vec::<String>::new());

    let key = |name: &str| StoreKey::secret("compared", name);
    watching.facts.write(|facts| {
        let known = facts.facts_of(&FactId::Store(key("lost")));
        let Some(Fact::Store(_, other)) = known.into_iter().next() else { panic!("it is known") };
        let mut changed = (*other).clone();
        changed.files = meshvet::mesh::Files::default();
        facts.forget(&FactId::Store(key("lost")));
        facts.learn(Fact::Store(key("changed"), changed.into()));
        facts.learn(Fact::Store(key("never"), other));
        let lost: Vec<FactId> = facts
            .hops()
            .map(|hop| &hop.object)
            .filter(|it| it.kind == "VirtualService" && it.namespace() == "compared")
            .map(|it| FactId::Object(it.clone()))
            .collect();
        lost.iter().for_each(|id| facts.forget(id));
    });
    let told = [
        "Secret compared/changed is known as it isn't",
        "Secret compared/lost is not known",
        "Secret compared/never is known though it is gone",
        "VirtualService compared/lost is not known",
    ];
    assert_eq!(differences(), told);
    // The cluster has another version of it by the second look: then it may be the watch that is a moment behind.
    world.has([secret("compared", "changed", &[("a", "2")])]);
    watching.until("the watch has mended it", |watching| watching.size("compared", "changed", "a") == Some(1));
    assert_eq!(differences(), told[1..]);
}
