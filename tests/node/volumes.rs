//! Volumes as the kubelet swaps them: a changed policy and a renewed certificate hold without a restart.

use base64::Engine as _;
use std::process::{Command, Stdio};

use crate::bed::{NAMESPACE, Pod, VALUES, bed, patiently};
use crate::support::manifests::tls_secret;
use crate::support::mint::Authority;

tests![a_changed_policy_holds_without_a_restart, a_renewed_certificate_is_served_without_a_restart];

fn a_changed_policy_holds_without_a_restart() {
    let bed = bed();
    let before: Vec<(String, u64)> = ids(&bed.two_ready());
    bed.try_broken().refused(&["MV101"]);
    let values = [VALUES, &["policy.severities.MV101=warn"]].concat();
    bed.helm("upgrade", &[&bed.chart(), "--reset-values"], &values).succeeds();
    patiently("the kubelet brings the policy", || {
        // Each replica reads it in its own time: some in a row.
        let outcomes: Vec<_> = (0..8).map(|_| bed.try_broken()).collect();
        let refused = outcomes.iter().find(|outcome| outcome.code != 0);
        refused.map_or(Ok(()), |outcome| Err(outcome.to_string()))
    });
    bed.try_broken().warns(&["MV101"]);
    bed.helm("upgrade", &[&bed.chart(), "--reset-values"], VALUES).succeeds();
    patiently("the kubelet brings it back", || {
        let outcomes: Vec<_> = (0..8).map(|_| bed.try_broken()).collect();
        let passed = outcomes.iter().find(|outcome| outcome.code == 0);
        passed.map_or(Ok(()), |outcome| Err(outcome.to_string()))
    });
    assert_eq!(ids(&bed.two_ready()), before, "the same pods, none started again");
}

fn ids(pods: &[Pod]) -> Vec<(String, u64)> {
    let mut ids: Vec<(String, u64)> = pods.iter().map(|pod| (pod.field("uid"), pod.restarts())).collect();
    ids.sort();
    ids
}

/// A release whose certificate is somebody's own, in a Secret.
fn a_renewed_certificate_is_served_without_a_restart() {
    const FILES: (&str, &str) = ("own", "meshvet-own");
    let bed = bed();
    let (release, namespace) = FILES;
    let authority = Authority::new("Somebody's root");
    let issue = || authority.leaf(&["own.meshvet-own.svc"]).issue();
    bed.kubectl.run(&["create", "namespace", namespace], "").succeeds();
    let first = issue();
    bed.kubectl.apply(&tls_secret(namespace, "own-tls", &first), &[]).succeeds();
    let bundle = base64::engine::general_purpose::STANDARD.encode(authority.pem());
    let bundle = format!("certificate.files.caBundle={bundle}");
    let values = [
        "image.repository=localhost/meshvet",
        "certificate.mode=files",
        "certificate.files.secretName=own-tls",
        &bundle,
    ];
    let install = [&bed.chart(), "--wait", "--timeout", "3m"];
    let outcome = bed.helm_for(release, namespace, "install", &install, &values);
    assert!(outcome.code == 0, "{outcome}\n{}", bed.kubectl.run(&["-n", namespace, "get", "pods,events"], ""));
    let pods = bed.pods_of(namespace, release);
    assert_eq!(pods.len(), 2);
    for pod in &pods {
        assert_eq!(served(pod), leaf(&first.chain));
    }
    let second = issue();
    bed.kubectl.apply(&tls_secret(namespace, "own-tls", &second), &[]).succeeds();
    for pod in &pods {
        patiently("the kubelet brings the renewed certificate", || {
            let served = served(pod);
            if served == leaf(&second.chain) { Ok(()) } else { Err(format!("{served}\n{}", bed.log(pod))) }
        });
    }
    assert_eq!(ids(&bed.pods_of(namespace, release)), ids(&pods), "the same pods, none started again");
    bed.helm_for(release, namespace, "uninstall", &["--wait"], &[]).succeeds();
    bed.kubectl.run(&["delete", "namespace", namespace, "--timeout=120s"], "").succeeds();
    // The other release was never touched.
    assert_eq!(bed.two_ready().len(), 2, "{NAMESPACE}");
}

/// The certificate that a pod serves reviews with, as PEM.
fn served(pod: &Pod) -> String {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &format!("{}:8443", pod.address())]);
    let output = command.stdin(Stdio::null()).output().expect("openssl runs");
    leaf(&String::from_utf8_lossy(&output.stdout))
}

/// The first certificate in a text, without line breaks.
fn leaf(text: &str) -> String {
    let inner = text.split("-----BEGIN CERTIFICATE-----").nth(1).unwrap_or_default();
    inner.split("-----END").next().unwrap_or_default().split_whitespace().collect()
}
