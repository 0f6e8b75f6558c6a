//! The cluster of these tests: the chart as it stands, by the real helm, and one replica. A mesh selects every namespace.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, OnceLock};

use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::orders::hands::{CERT_MANAGER, FLUX};
use crate::orders::writes::{Said, Write, Writer};
use crate::release::Release;
use crate::replica::Replica;
use crate::sandbox::eventually;
use crate::support::manifests::{self, app_mesh, deployment, tls_secret, virtual_node};
use crate::support::mint::{Authority, Issued};
use crate::world;

/// Who reports, as Events have it.
const WATCHER: &str = "meshvet.dev/watcher";
/// The namespace of what shows how far the watcher is.
const MARKS: &str = "marks";

/// A cluster with meshvet in it.
pub(crate) struct Bed {
    pub(crate) plane: ControlPlane,
    pub(crate) replica: Replica,
    pub(crate) writer: Writer,
    marks: Mutex<Marks>,
}

/// What shows how far the watcher is: a Secret and a Deployment that break their nodes by turns, and nodes.
struct Marks {
    count: usize,
    leaves: [Issued; 2],
}

impl Bed {
    /// The one that all of these tests share: it ends with the suite.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Bed> = OnceLock::new();
        SHARED.get_or_init(|| Self::start("orders", &[]))
    }

    /// One whose policy has changes refused that break a member.
    pub(crate) fn refusing() -> &'static Self {
        static REFUSING: OnceLock<Bed> = OnceLock::new();
        let kinds = ["workloads", "secrets", "namespaces", "meshes"];
        REFUSING.get_or_init(|| Self::start("refusing", &kinds.map(|kind| format!("policy.changes.{kind}=deny"))))
    }

    pub(crate) fn start(name: &str, values: &[String]) -> Self {
        let plane = ControlPlane::start(name);
        world::install_crds(&plane);
        plane.kubectl.apply(&mesh("everywhere", json!({})), &[]).succeeds();
        let release = Release::install(
            &plane,
            ("meshvet-system", "meshvet"),
            &values.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        for account in [CERT_MANAGER, FLUX] {
            let (name, user) = (account.replace(':', "-"), format!("--user={account}"));
            plane
                .kubectl
                .run(&["create", "clusterrolebinding", &name, "--clusterrole=cluster-admin", &user], "")
                .succeeds();
        }
        let installation = release.installation();
        let replica = installation.start("0");
        installation.route_to(&[&replica]);
        installation.wait_until_judging("default");
        let writer = Writer::new(&plane.folder().join("kubeconfig"));
        let authority = Authority::new("Marks' root");
        let leaves = ["s.marks.svc.cluster.local", "elsewhere.local"].map(|name| authority.leaf(&[name]).issue());
        let bed = Self { plane, replica, writer, marks: Mutex::new(Marks { count: 0, leaves }) };
        bed.does(&Write::Apply(manifests::namespace(MARKS))).succeeds();
        for name in ["s", "d"] {
            bed.does(&Write::Apply(virtual_node(MARKS, name, "s.marks.svc.cluster.local"))).succeeds();
        }
        bed.does(&Write::Apply(deployment(MARKS, "s", "s-tls:/certs"))).succeeds();
        bed
    }

    pub(crate) fn does(&self, write: &Write) -> Said {
        self.writer.write(write)
    }

    /// Waits until the watcher has judged all that was written before.
    pub(crate) fn settle(&self) {
        let mut marks = self.marks.lock().unwrap();
        marks.count += 1;
        let (count, broken) = (marks.count, marks.count % 2);
        let mounts = ["s-tls:/certs", "s-tls:/else"][broken];
        for object in [
            tls_secret(MARKS, "s-tls", &marks.leaves[broken]),
            deployment(MARKS, "d", mounts),
            virtual_node(MARKS, &format!("n-{count}"), "n.local"),
        ] {
            // Whatever the policy, a ServiceAccount isn't refused.
            self.does(&Write::By(CERT_MANAGER, "marks", object)).succeeds();
        }
        let is_broken = broken > 0;
        eventually("the watcher has judged everything", || {
            let figures = self.figures();
            let [secrets, deployments, nodes] = ["MV101", "MV201", "MV203"].map(|rule| figures.count(MARKS, rule));
            let is_judged = (secrets > 0) == is_broken && (deployments > 0) == is_broken && nodes == count;
            if is_judged { Ok(()) } else { Err(format!("{count}: {:?}", figures.rules(MARKS))) }
        });
    }

    /// What is wrong now, as the figures have it.
    pub(crate) fn figures(&self) -> Figures {
        let text = self.replica.get("/metrics").expect("figures");
        let mut problems: BTreeMap<(String, String), usize> = BTreeMap::new();
        for line in text.lines().filter_map(|line| line.strip_prefix("meshvet_problems{")) {
            let label = |name: &str| {
                let (_, rest) = line.split_once(&format!("{name}=\""))?;
                rest.split_once('"').map(|(value, _)| value.to_owned())
            };
            let count = line.rsplit_once(' ').and_then(|(_, count)| count.parse::<usize>().ok());
            let (Some(namespace), Some(rule), Some(count)) = (label("namespace"), label("rule"), count) else {
                panic!("{line}")
            };
            *problems.entry((namespace, rule)).or_default() += count;
        }
        Figures(problems)
    }

    /// The watcher's Events of a namespace.
    pub(crate) fn events(&self, namespace: &str) -> Vec<Event> {
        events(&self.writer, namespace)
    }
}

/// The watcher's Events of a namespace.
pub(crate) fn events(writer: &Writer, namespace: &str) -> Vec<Event> {
    let list = writer.get(&format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events?limit=500"));
    let items = list["items"].as_array().expect("items");
    let of_watcher = items.iter().filter(|event| event["reportingController"] == WATCHER);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    of_watcher
        .map(|event| Event {
            name: text(&event["metadata"]["name"]),
            warns: event["type"] == "Warning",
            about: format!("{} {}", text(&event["regarding"]["kind"]), text(&event["regarding"]["name"])),
            note: text(&event["note"]),
        })
        .collect()
}

/// A mesh that selects namespaces by this.
pub(crate) fn mesh(name: &str, selector: Value) -> Value {
    let mut mesh = app_mesh("Mesh", "", name, json!({"namespaceSelector": selector}));
    mesh["metadata"].as_object_mut().expect("metadata").remove("namespace");
    mesh
}

/// How many problems there are, by namespace and rule.
pub(crate) struct Figures(BTreeMap<(String, String), usize>);

impl Figures {
    pub(crate) fn count(&self, namespace: &str, rule: &str) -> usize {
        self.0.get(&(namespace.to_owned(), rule.to_owned())).copied().unwrap_or(0)
    }

    /// The rules that find something in a namespace.
    pub(crate) fn rules(&self, namespace: &str) -> BTreeSet<&str> {
        let here = self.0.iter().filter(|((place, _), count)| place == namespace && **count > 0);
        here.map(|((_, rule), _)| rule.as_str()).collect()
    }
}

/// An Event of the watcher.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    /// Rather than telling that a problem is over.
    pub(crate) warns: bool,
    /// `VirtualNode blue`.
    pub(crate) about: String,
    pub(crate) note: String,
}
