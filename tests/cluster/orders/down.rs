//! meshvet is down: its address refuses, or takes connections and never answers. Whatever is written in the cluster passes all the same, but
//! for objects of the mesh where these fail closed.

use std::net::{Ipv4Addr, TcpListener};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::control_plane::ControlPlane;
use crate::install::set_bundles;
use crate::orders::bed::mesh;
use crate::orders::controllers::endpoint;
use crate::orders::shop::{OTHER, Shop};
use crate::orders::writes::Write::{Apply, Delete, Patch};
use crate::orders::writes::{Write, Writer};
use crate::release::Release;
use crate::sandbox;
use crate::world;

tests![everything_passes_where_meshvet_refuses_connections, everything_passes_where_meshvet_never_answers];

/// Each kind of write that is sent for review, and those that never are.
fn writes(shop: &Shop) -> Vec<(&'static str, Write)> {
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": shop.name, "name": "trust"},
        "data": {"ca.crt": OTHER.pem()}});
    let label = |label: &str| json!({"metadata": {"labels": {label: "yes"}}});
    vec![
        ("a Secret", Apply(shop.server_secret(&shop.leaf()))),
        ("its rotation", Apply(shop.server_secret(&shop.leaf()))),
        ("a ConfigMap", Apply(map)),
        ("a Deployment", Apply(shop.deployment("blue", "blue-tls:/certs"))),
        ("its template", Apply(shop.deployment("blue", ""))),
        ("labels of a namespace", Patch(shop.namespace(), label("team"))),
        ("a mesh's selector", Apply(mesh("everywhere", json!({"matchLabels": {"mesh": "shop"}})))),
        ("the Secret's end", Delete(shop.server_secret(&shop.leaf()))),
        ("the Deployment's end", Delete(shop.deployment("blue", ""))),
    ]
}

/// Objects of the mesh.
fn mesh_objects(shop: &Shop) -> Vec<(&'static str, Write)> {
    vec![
        ("a node", Apply(shop.server())),
        ("a service", Apply(shop.service())),
        ("the end of a node", Delete(shop.server())),
        ("the end of a service", Delete(shop.service())),
    ]
}

struct Cluster<'a> {
    plane: &'a ControlPlane,
    writer: Writer,
}

impl Cluster<'_> {
    #[track_caller]
    fn passes(&self, what: &str, write: &Write) {
        let said = self.writer.write(write);
        assert!(said.is_done(), "{what}: {said}");
    }

    /// Waits until the API server calls the webhook, which fails it.
    fn is_called(&self, shop: &Shop) {
        sandbox::eventually("the API server calls the webhook", || {
            let text = self.writer.write(&Write::DryRun(shop.server_secret(&shop.leaf())));
            let calls = self.plane.kubectl.run(&["get", "--raw", "/metrics"], "").stdout;
            let failed = calls.lines().any(|line| {
                line.starts_with("apiserver_admission_webhook_fail_open_count") && line.contains("secrets.meshvet.dev")
            });
            if failed { Ok(()) } else { Err(text.to_string()) }
        });
    }
}

fn everything_passes(name: &str, address: Ipv4Addr) {
    let plane = ControlPlane::start(name);
    world::install_crds(&plane);
    plane.kubectl.apply(&mesh("everywhere", json!({})), &[]).succeeds();
    let release = Release::install(&plane, ("meshvet-system", "meshvet"), &[]);
    // Of an authority that nobody there has a certificate of.
    set_bundles(&plane, "meshvet", Some(&STANDARD.encode(OTHER.pem())));
    plane.kubectl.apply(&endpoint(&address.to_string()), &[]).succeeds();
    let open = Cluster { plane: &plane, writer: Writer::new(&plane.folder().join("kubeconfig")) };
    let shop = Shop::new("shop");
    open.passes("a namespace", &Apply(shop.namespace()));
    open.is_called(&shop);
    for (what, write) in writes(&shop).into_iter().chain(mesh_objects(&shop)) {
        open.passes(what, &write);
    }
    // Where the cluster's own parts are, and the release's own, nothing is asked.
    let count = || {
        let text = open.plane.kubectl.run(&["get", "--raw", "/metrics"], "").stdout;
        let lines = text.lines().filter(|line| line.starts_with("apiserver_admission_webhook_fail_open_count"));
        let counts: Vec<f64> = lines.filter_map(|line| line.rsplit_once(' ')?.1.parse().ok()).collect();
        counts.iter().sum::<f64>()
    };
    let before = count();
    assert!(before >= 11.0, "{before} calls: every entry was called");
    for place in ["kube-system", "meshvet-system"] {
        let own = Shop::new(place);
        for write in [own.server_secret(&own.leaf()), own.deployment("blue", "blue-tls:/certs")] {
            open.passes(place, &Apply(write));
        }
    }
    assert_eq!(count(), before, "kube-system and the release's own namespace are never asked about");

    // Where objects of the mesh fail closed, they alone do.
    let shop = Shop::new("closed");
    open.passes("a namespace", &Apply(shop.namespace()));
    release.upgrade(&["webhook.failurePolicy=Fail", "webhook.routesFailurePolicy=Fail"]);
    sandbox::eventually("they fail closed", || {
        let said = open.writer.write(&Write::DryRun(shop.server()));
        let is_closed = said.code == 500 && said.to_string().contains("failed calling webhook");
        if is_closed { Ok(()) } else { Err(said.to_string()) }
    });
    for (what, write) in writes(&shop) {
        open.passes(what, &write);
    }
}

fn everything_passes_where_meshvet_refuses_connections() {
    everything_passes("refused", sandbox::pod_address());
}

fn everything_passes_where_meshvet_never_answers() {
    let address = sandbox::pod_address();
    // Connections are taken by the system; nobody ever reads from them.
    let _silent = TcpListener::bind((address, 8443)).expect("a port");
    everything_passes("silent", address);
}
