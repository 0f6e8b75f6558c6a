//! What works is created without a word, and what may work is created with a warning.

use serde_json::{Value, json};

use crate::support::manifests::{self, list, tls_secret, virtual_node};
use crate::support::mint::{Authority, Issued, Key};
use crate::world::World;

tests![
    a_sound_node_is_created,
    a_wildcard_fits,
    any_name_will_do_with_cloud_map,
    a_permissive_listener_is_created,
    an_object_without_tls_is_created,
    everything_in_one_apply_is_created,
    a_common_name_alone_warns,
    an_ending_certificate_warns,
    a_path_without_a_mount_warns,
    a_node_before_its_workload_warns,
    a_namespace_without_injection_warns,
];

/// A world with node `web`, its workload and its Secret `web-tls`; the node as it is to be applied.
fn world(namespace: &'static str, issued: &Issued, edit: impl Fn(&mut Value)) -> (World, Value) {
    let world = World::new(namespace);
    let mut node = virtual_node(namespace, "web", &world.hostname("web"));
    edit(&mut node);
    world.has([tls_secret(namespace, "web-tls", issued), manifests::deployment(namespace, "web", "web-tls:/certs")]);
    (world, node)
}

#[track_caller]
fn created(namespace: &'static str, issued: &Issued, edit: impl Fn(&mut Value)) {
    let (world, node) = world(namespace, issued, edit);
    world.knows(&node);
    world.apply(&node).succeeds_silently();
}

fn leaf(names: &[&str]) -> Issued {
    Authority::new("Test root").leaf(names).issue()
}

fn a_sound_node_is_created() {
    created("sound", &leaf(&["web.sound.svc.cluster.local"]), |_| ());
}

fn a_wildcard_fits() {
    created("wildcard", &leaf(&["*.wildcard.svc.cluster.local"]), |_| ());
}

fn any_name_will_do_with_cloud_map() {
    created("cloud-map", &leaf(&["web.shop.local"]), |node| {
        node["spec"]["serviceDiscovery"] =
            json!({"awsCloudMap": {"namespaceName": "shop.local", "serviceName": "web"}});
    });
}

fn a_permissive_listener_is_created() {
    created("permissive", &leaf(&["web.permissive.svc.cluster.local"]), |node| {
        node["spec"]["listeners"][0]["tls"]["mode"] = "PERMISSIVE".into();
    });
}

fn an_object_without_tls_is_created() {
    let world = World::new("without-tls");
    let mut node = virtual_node(world.namespace, "web", "web.local");
    let listener = node["spec"]["listeners"][0].as_object_mut().expect("a listener");
    listener.remove("tls");
    world.apply(&node).succeeds_silently();
}

/// The order in which watches deliver is nobody's promise: whatever meshvet has heard of by then, it must not refuse.
fn everything_in_one_apply_is_created() {
    let world = World::new("one-apply");
    let issued = leaf(&["web.one-apply.svc.cluster.local"]);
    let all = list([
        tls_secret("one-apply", "web-tls", &issued),
        manifests::deployment("one-apply", "web", "web-tls:/certs"),
        virtual_node("one-apply", "web", &world.hostname("web")),
    ]);
    world.apply(&all).succeeds();
}

fn a_common_name_alone_warns() {
    let authority = Authority::new("Test root");
    let issued = authority.leaf(&[]).common_name("web.cn.svc.cluster.local").issue();
    let (world, node) = world("cn", &issued, |_| ());
    world.knows(&node);
    world.apply(&node).warns(&["MV102"]);
}

fn an_ending_certificate_warns() {
    let authority = Authority::new("Test root");
    let hostname = "web.ending.svc.cluster.local";
    let issued = authority.leaf(&[hostname]).valid(-360, 5).key(Key::P256).issue();
    let (world, node) = world("ending", &issued, |_| ());
    world.knows(&node);
    world.apply(&node).warns(&["MV209"]);
}

fn a_path_without_a_mount_warns() {
    let issued = leaf(&["web.no-mount.svc.cluster.local"]);
    let (world, good) = world("no-mount", &issued, |_| ());
    world.knows(&good);
    let mut node = good;
    let file = &mut node["spec"]["listeners"][0]["tls"]["certificate"]["file"];
    file["certificateChain"] = "/cert/tls.crt".into();
    world.apply(&node).warns(&["MV201", "/cert/tls.crt"]);
}

fn a_node_before_its_workload_warns() {
    let world = World::new("no-workload");
    let node = virtual_node("no-workload", "web", &world.hostname("web"));
    world.apply(&node).warns(&["MV203"]);
}

fn a_namespace_without_injection_warns() {
    let issued = leaf(&["web.no-proxy.svc.cluster.local"]);
    let (world, node) = world("no-proxy", &issued, |_| ());
    world.knows(&node);
    let unlabel = ["label", "namespace", "no-proxy", "appmesh.k8s.aws/sidecarInjectorWebhook-"];
    world.kubectl.run(&unlabel, "").succeeds();
    crate::sandbox::eventually("meshvet hears of the label", || {
        let outcome = world.kubectl.apply(&node, &["--dry-run=server"]);
        if outcome.speaks_of("MV218") { Ok(()) } else { Err(outcome.to_string()) }
    });
    world.apply(&node).warns(&["MV218"]);
}
