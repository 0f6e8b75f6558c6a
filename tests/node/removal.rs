//! The last test: nothing is left after it.

use crate::bed::{NAMESPACE, bed, patiently};

tests![uninstalled_it_leaves_nothing_behind];

fn uninstalled_it_leaves_nothing_behind() {
    let bed = bed();
    let installed = bed.kubectl.everything();
    for object in [
        "Secret meshvet-system/meshvet-authority",
        "Lease meshvet-system/meshvet-authority",
        "ValidatingWebhookConfiguration /meshvet",
        "ClusterRole /meshvet",
    ] {
        assert!(installed.contains(object), "{object} is not among {installed:#?}");
    }
    bed.helm("uninstall", &["--wait", "--timeout", "2m"], &[]).succeeds();
    patiently("nothing is left", || {
        let left: Vec<String> = bed.kubectl.everything().difference(&bed.before).cloned().collect();
        // What the tests applied, whose pods have moved since, and what controllers and kubelets make in their own time.
        let meanwhile = [" shop/", " kube-node-lease/", "/kube-root-ca.crt"];
        let others = |object: &&String| !meanwhile.iter().any(|part| object.contains(part));
        let left: Vec<&String> = left.iter().filter(others).collect();
        if left.is_empty() { Ok(()) } else { Err(format!("{left:#?}")) }
    });
    let pods = bed.kubectl.run(&["-n", NAMESPACE, "get", "pods", "-o", "name"], "").succeeds();
    assert_eq!(pods.stdout, "", "the pods have ended");
    // Nobody stands in the way of writes any more.
    bed.kubectl.apply(&bed.broken, &[]).succeeds_silently();
}
