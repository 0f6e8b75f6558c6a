//! Gateway API on a real API server that has its CustomResourceDefinitions and none of App Mesh's.

use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::release::Release;
use crate::sandbox::{self, eventually};
use crate::support::manifests::tls_secret;
use crate::support::mint::{Authority, Issued, Key};
use crate::world::{self, World};

tests![gateways_are_vetted_where_there_is_no_mesh];

fn gateway(name: &str, listeners: &[(&str, &str)]) -> Value {
    let listeners = listeners.iter().map(|(name, secret)| {
        json!({"name": name, "port": 443, "protocol": "HTTPS", "hostname": format!("{name}.example.com"),
            "tls": {"certificateRefs": [{"name": secret}]}})
    });
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
        "metadata": {"namespace": "edge", "name": name},
        "spec": {"gatewayClassName": "eg", "listeners": listeners.collect::<Vec<_>>()}})
}

fn secret(name: &str, issued: &Issued) -> Value {
    let mut secret = tls_secret("edge", name, issued);
    secret["type"] = "kubernetes.io/tls".into();
    secret
}

fn gateways_are_vetted_where_there_is_no_mesh() {
    let plane = ControlPlane::start("gateway-api");
    let definitions = sandbox::gateway_crds().display().to_string();
    plane.kubectl.run(&["apply", "--server-side", "-f", &definitions], "").succeeds();
    world::wait_for_crds(&plane);
    let release = Release::install(&plane, ("meshvet-system", "meshvet"), &["apis.appmesh=false"]);
    let world = World::on(&plane, "edge");
    world.has([
        json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": "eg"},
        "spec": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"}}),
    ]);
    let authority = Authority::new("edge root");
    let leaf = |name: &str| authority.leaf(&[&format!("{name}.example.com")]);
    let sound = |name: &str| secret(name, &leaf(name).issue());
    let short = |name: &str| secret(name, &leaf(name).key(Key::Rsa(1024)).issue());
    let mismatched = Issued { key: leaf("web").issue().key, ..leaf("web").issue() };
    world.has([secret("wrong", &mismatched)]);

    let installation = release.installation();
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    eventually("meshvet judges", || {
        let outcome = plane.kubectl.create(&gateway("wrong", &[("web", "wrong")]), &["--dry-run=server"]);
        if outcome.stderr.contains("denied the request") { Ok(()) } else { Err(outcome.to_string()) }
    });
    world
        .apply(&gateway("wrong", &[("web", "wrong")]))
        .refused_by("gateways.meshvet.dev", &["MV206", "Envoy Gateway refuses the reference"]);

    // An ACME challenge by HTTP needs the Gateway before its Secret.
    world.apply(&gateway("edge", &[("web", "web"), ("api", "api")])).succeeds().warns(&["MV202", "Secret edge/web"]);
    world.has([sound("web"), sound("api")]);
    let refused = ["Secret edge/web would break Gateway edge/edge: MV502", "beside it api.example.com"];
    eventually("meshvet knows of the Gateway and its Secrets", || {
        let outcome = plane.kubectl.apply(&short("web"), &["--dry-run=server"]);
        if outcome.stderr.contains(refused[0]) { Ok(()) } else { Err(outcome.to_string()) }
    });
    world.apply(&short("web")).refused_by("secrets.meshvet.dev", &refused);
    // What was there before meshvet looked, its repair, and its deletion.
    world.apply(&sound("web")).succeeds_silently();
    world.kubectl.run(&["-n", "edge", "delete", "secret", "web"], "").succeeds();
    assert!(!replica.log().contains("appmesh.k8s.aws: not"), "{}", replica.log());
}
