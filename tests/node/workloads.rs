//! Workloads of a mesh that really run, with a Secret that the kubelet projects into them.

use serde_json::json;

use crate::bed::{bed, patiently};
use crate::images;
use crate::support::manifests::{self, tls_secret, virtual_node};
use crate::support::mint::Authority;

tests![what_a_running_proxy_is_given_is_watched];

/// The proxy's certificate comes from a Secret by a projected volume. Another is written there: the kubelet swaps the files of the
/// running pod, and the watcher reports it on the virtual node.
fn what_a_running_proxy_is_given_is_watched() {
    const NAMESPACE: &str = "running";
    let bed = bed();
    let authority = Authority::new("Running root");
    let hostname = "web.running.svc.cluster.local";
    let [right, wrong] = [hostname, "web.elsewhere.local"].map(|name| authority.leaf(&[name]).issue());
    bed.kubectl.apply(&manifests::namespace(NAMESPACE), &[]).succeeds();
    let mut deployment = manifests::gateway_deployment(NAMESPACE, "web", "web-tls", "/certs");
    let spec = &mut deployment["spec"]["template"]["spec"];
    spec["containers"][0]["image"] = images::PAUSE.into();
    let sources = json!([{"secret": {"name": "web-tls"}}]);
    spec["volumes"] = json!([{"name": "certificates", "projected": {"sources": sources}}]);
    let node = virtual_node(NAMESPACE, "web", hostname);
    bed.kubectl.apply(&manifests::list([tls_secret(NAMESPACE, "web-tls", &right), deployment]), &[]).succeeds();
    let pod = patiently("the workload runs", || {
        let list = bed.kubectl.get(&["-n", NAMESPACE, "pods"]);
        let pod = crate::bed::Pod(list["items"][0].clone());
        if pod.is_ready() {
            Ok(pod)
        } else {
            Err(bed.kubectl.run(&["-n", NAMESPACE, "get", "pods,events"], "").to_string())
        }
    });
    patiently("the node is accepted, with nothing to say of it", || {
        let outcome = bed.kubectl.apply(&node, &[]);
        if outcome.code == 0 && outcome.stderr.is_empty() { Ok(()) } else { Err(outcome.to_string()) }
    });

    bed.kubectl.apply(&tls_secret(NAMESPACE, "web-tls", &wrong), &[]).warns(&["MV101"]);
    let file = bed.node(&pod.node()).volume(&pod.field("uid"), "projected", "certificates").join("tls.crt");
    patiently("the kubelet swaps the files", || {
        let content = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        if content == wrong.chain { Ok(()) } else { Err(content) }
    });
    patiently("the watcher reports it", || {
        let of_node = ["-n", NAMESPACE, "get", "events", "--field-selector=involvedObject.kind=VirtualNode"];
        let events = bed.kubectl.run(&of_node, "").stdout;
        if events.contains("MV101") { Ok(()) } else { Err(events) }
    });
    bed.kubectl.run(&["delete", "namespace", NAMESPACE, "--timeout=120s"], "").succeeds();
}
