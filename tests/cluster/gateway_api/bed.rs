//! The cluster that these tests share, and what they ask of it.

use std::sync::LazyLock;

use serde_json::Value;

use crate::control_plane::ControlPlane;
use crate::gateway_api::objects::{class, gateway, leaf, mismatched, secret};
use crate::kubectl::Outcome;
use crate::release::Release;
use crate::replica::Replica;
use crate::sandbox::{self, eventually};
use crate::support::manifests::list;
use crate::watcher::report_kind;
use crate::world::{self, World};

pub(crate) const GATEWAYS: &str = "gateways.meshvet.dev";
pub(crate) const SECRETS: &str = "secrets.meshvet.dev";

/// A cluster with Gateway API's kinds, and meshvet in it.
pub(crate) struct Bed {
    pub(crate) plane: &'static ControlPlane,
    pub(crate) replica: Replica,
}

static SHARED: LazyLock<Bed> = LazyLock::new(|| {
    let plane = self::plane("gateway-api", |_| true);
    plane.kubectl.apply(&report_kind(), &[]).succeeds();
    world::wait_for_crds(plane);
    Bed::install(plane, &["apis.appmesh=false", "reports.enabled=true"])
});

/// The cluster that all tests share, each in a namespace of its own.
pub(crate) fn shared() -> &'static Bed {
    &SHARED
}

/// A control plane that runs as long as the suite, with the definitions that `keep` selects, as it changes them.
pub(crate) fn plane(name: &str, keep: impl Fn(&mut Value) -> bool) -> &'static ControlPlane {
    let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start(name)));
    define(plane, keep);
    plane
}

/// Creates those definitions.
pub(crate) fn define(plane: &ControlPlane, keep: impl Fn(&mut Value) -> bool) {
    let mut all = definitions();
    all.retain_mut(|definition| keep(definition));
    if !all.is_empty() {
        plane.kubectl.apply(&list(all), &["--server-side"]).succeeds();
        world::wait_for_crds(plane);
    }
}

/// The standard CustomResourceDefinitions.
fn definitions() -> Vec<Value> {
    let files = std::fs::read_dir(sandbox::gateway_crds()).expect("a folder");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    let read = |path| serde_saphyr::from_str(&std::fs::read_to_string(path).expect("text")).expect("YAML");
    paths.into_iter().map(read).collect()
}

impl Bed {
    /// Installs the chart with these values, with one replica, and waits until it reviews Gateways.
    pub(crate) fn install(plane: &'static ControlPlane, values: &[&str]) -> Self {
        let release = Release::install(plane, ("meshvet-system", "meshvet"), values);
        let installation = release.installation();
        let replica = installation.start("0");
        installation.route_to(&[&replica]);
        Self { plane, replica }
    }

    /// A namespace, once Gateways in it are reviewed with the classes `eg`, `istio`, `contour` and `other`.
    #[track_caller]
    pub(crate) fn world(&self, namespace: &'static str) -> World {
        self.classes();
        let world = World::on(self.plane, namespace);
        world.has([secret(namespace, "judged", &mismatched(&leaf("judged")))]);
        let wrong = gateway(namespace, "judged", "eg", &[("judged", "judged.test", "judged")]);
        eventually("meshvet judges, by the class", || {
            let outcome = self.plane.kubectl.create(&wrong, &["--dry-run=server"]);
            if outcome.stderr.contains("Envoy Gateway refuses the reference") {
                Ok(())
            } else {
                Err(outcome.to_string())
            }
        });
        world
    }

    #[track_caller]
    pub(crate) fn classes(&self) {
        let classes = [
            ("eg", "gateway.envoyproxy.io/gatewayclass-controller"),
            ("istio", "istio.io/gateway-controller"),
            ("contour", "projectcontour.io/gateway-controller"),
            ("other", "example.com/gateway-controller"),
        ];
        // Several tests do so at once.
        let classes = list(classes.map(|(name, controller)| class(name, controller)));
        eventually("there are classes", || {
            let outcome = self.plane.kubectl.apply(&classes, &[]);
            if outcome.code == 0 { Ok(()) } else { Err(outcome.to_string()) }
        });
    }

    /// Waits until a dry run of applying this says so.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, manifest: &Value, holds: impl Fn(&Outcome) -> bool) {
        eventually(what, || {
            let outcome = self.plane.kubectl.apply(manifest, &["--dry-run=server"]);
            if holds(&outcome) { Ok(()) } else { Err(outcome.to_string()) }
        });
    }
}

/// Creates objects while meshvet doesn't review the namespace, like objects that existed before it was installed.
#[track_caller]
pub(crate) fn unseen(world: &World, objects: &[Value]) {
    let label = |value: &str| {
        let label = format!("meshvet.dev/admission{value}");
        world.kubectl.run(&["label", "namespace", world.namespace, &label], "").succeeds();
    };
    label("=disabled");
    for object in objects {
        // The API server sees the label in a watch of its own.
        eventually("the namespace is out of sight", || {
            let outcome = world.kubectl.apply(object, &[]);
            if outcome.code == 0 { Ok(()) } else { Err(outcome.to_string()) }
        });
    }
    label("-");
    let wrong = gateway(world.namespace, "judged", "eg", &[("judged", "judged.test", "judged")]);
    eventually("the namespace is in sight again", || {
        let outcome = world.kubectl.create(&wrong, &["--dry-run=server"]);
        if outcome.stderr.contains("denied the request") { Ok(()) } else { Err(outcome.to_string()) }
    });
}
