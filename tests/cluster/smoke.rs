//! The suite itself: its servers are there.

use crate::Test;
use crate::world::{self, World};

pub(crate) const TESTS: &[Test] = &[
    (
        "the_api_server_says_its_version",
        the_api_server_says_its_version,
    ),
    (
        "an_object_without_tls_is_created",
        an_object_without_tls_is_created,
    ),
];

fn the_api_server_says_its_version() {
    let version = world::plane()
        .kubectl
        .run(&["version"], "")
        .succeeds_silently();
    assert!(version.stdout.contains("Server Version: v1."), "{version}");
}

fn an_object_without_tls_is_created() {
    let world = World::new("without-tls");
    let mut node = crate::support::manifests::virtual_node(world.namespace, "web", "web.local");
    node["spec"]["listeners"][0]
        .as_object_mut()
        .unwrap()
        .remove("tls");
    world.apply(&node).succeeds_silently();
}
