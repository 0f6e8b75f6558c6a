//! Where the scheduler puts replicas.

use crate::bed::{NODES, Pod, bed, patiently};

tests![one_node_takes_both_replicas];

/// A release of its own, while all nodes but one are cordoned: as on a cluster of one node.
fn one_node_takes_both_replicas() {
    let bed = bed();
    bed.kubectl.run(&["cordon", NODES[1]], "").succeeds();
    let install = ["--create-namespace", &bed.chart()];
    bed.helm_for("single", "meshvet-single", "install", &install, &["image.repository=localhost/meshvet"]).succeeds();
    let pods = patiently("both replicas are ready", || {
        let pods = bed.pods_of("meshvet-single", "single");
        let ready = pods.len() == 2 && pods.iter().all(Pod::is_ready);
        if ready {
            Ok(pods)
        } else {
            Err(bed.kubectl.run(&["-n", "meshvet-single", "get", "pods,events"], "").to_string())
        }
    });
    assert!(pods.iter().all(|pod| pod.node() == NODES[0]));
    bed.helm_for("single", "meshvet-single", "uninstall", &["--wait"], &[]).succeeds();
    bed.kubectl.run(&["delete", "namespace", "meshvet-single", "--timeout=120s"], "").succeeds();
    bed.kubectl.run(&["uncordon", NODES[1]], "").succeeds();
}
