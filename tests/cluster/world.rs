//! The control plane that the tests share, and the corner of it that each has for itself.

use std::sync::OnceLock;

use serde_json::Value;

use crate::control_plane::ControlPlane;
use crate::install::Installation;
use crate::kubectl::{Kubectl, Outcome};
use crate::replica::Replica;
use crate::sandbox;
use crate::support::manifests;

struct Shared {
    plane: ControlPlane,
    /// Set once `deploy/` is installed.
    meshvet: OnceLock<Replica>,
}

static SHARED: OnceLock<Shared> = OnceLock::new();

/// Starts what the tests share: a control plane with the CRDs, and `deploy/` with one replica.
pub(crate) fn start() {
    let plane = ControlPlane::start("shared");
    install_crds(&plane);
    let shared = SHARED.get_or_init(|| Shared { plane, meshvet: OnceLock::new() });
    let installation = Installation::of_deploy(&shared.plane);
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    installation.wait_until_judging("default");
    let _ = shared.meshvet.set(replica);
}

/// The shared control plane.
pub(crate) fn plane() -> &'static ControlPlane {
    &SHARED.get().expect("started by main").plane
}

/// The shared meshvet.
pub(crate) fn meshvet() -> &'static Replica {
    let shared = SHARED.get().expect("started by main");
    shared.meshvet.get().expect("installed by main")
}

/// The ends of the logs of the shared servers, for a failure's sake.
pub(crate) fn logs() -> String {
    let folder = plane().folder();
    [("meshvet-0.log", 30), ("kube-apiserver.log", 10)]
        .map(|(log, lines)| sandbox::tail(&folder.join(log), lines))
        .join("\n\n")
}

/// Installs the CRDs that meshvet generates and waits until they are served.
#[track_caller]
pub(crate) fn install_crds(plane: &ControlPlane) {
    let crds = manifests::list(meshvet::apis::appmesh::crd::custom_resource_definitions());
    plane.kubectl.apply(&crds, &["--server-side"]).succeeds();
    wait_for_crds(plane);
}

/// Waits until every CRD is served. `kubectl wait` gives up at once on one that is so new that it has no conditions at all.
#[track_caller]
pub(crate) fn wait_for_crds(plane: &ControlPlane) {
    sandbox::eventually("every CRD is established", || {
        let wait = ["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"];
        let outcome = plane.kubectl.run(&wait, "");
        if outcome.code == 0 { Ok(()) } else { Err(outcome.to_string()) }
    });
}

/// A test's own corner: a namespace with proxies injected.
pub(crate) struct World {
    pub(crate) namespace: &'static str,
    pub(crate) kubectl: Kubectl,
}

impl World {
    /// In the shared cluster.
    #[track_caller]
    pub(crate) fn new(namespace: &'static str) -> Self {
        Self::on(plane(), namespace)
    }

    #[track_caller]
    pub(crate) fn on(plane: &ControlPlane, namespace: &'static str) -> Self {
        let kubectl = plane.kubectl.clone();
        kubectl.create(&manifests::namespace(namespace), &[]).succeeds();
        Self { namespace, kubectl }
    }

    /// The hostname of a Service of this namespace.
    pub(crate) fn hostname(&self, service: &str) -> String {
        format!("{service}.{}.svc.cluster.local", self.namespace)
    }

    /// Brings these objects into being.
    #[track_caller]
    pub(crate) fn has(&self, objects: impl IntoIterator<Item = Value>) {
        self.kubectl.apply(&manifests::list(objects), &[]).succeeds();
    }

    /// Waits until meshvet has heard of the workloads and the Secrets that `node` rests on, so that what comes next is a
    /// verdict about them.
    #[track_caller]
    pub(crate) fn knows(&self, node: &Value) {
        sandbox::eventually("meshvet knows the world", || {
            let outcome = self.kubectl.apply(node, &["--dry-run=server"]);
            // Among the warnings only: what is denied is known.
            let unknown = ["MV201", "MV202", "MV203", "MV218"];
            let warns = |rule: &&str| outcome.warnings().any(|line| line.contains(*rule));
            if unknown.iter().any(warns) { Err(outcome.to_string()) } else { Ok(()) }
        });
    }

    #[track_caller]
    pub(crate) fn apply(&self, manifest: &Value) -> Outcome {
        self.kubectl.apply(manifest, &[])
    }
}
