//! The real helm: charts/meshvet as it renders it (what comes of each value, which entries the webhook has, and exactly which rights each mode asks for), and what
//! `check` says of its output.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]

mod entries;
mod helm;
mod pipe;
mod rights;
mod values;

use serde_json::Value;

use crate::helm::{DEFAULTS, chart, helm, of_kind, render};

#[test]
fn lint_finds_nothing() {
    let outcome = helm(&["lint", "--strict", &chart()]);
    assert!(outcome.is_ok(), "{outcome:?}");
}

#[test]
fn rendering_again_gives_the_same_and_makes_no_certificate() {
    let once = helm(&["template", "meshvet", &chart(), "-n", "meshvet-system"]).expect("rendered");
    let again = helm(&["template", "meshvet", &chart(), "-n", "meshvet-system"]).expect("rendered");
    assert_eq!(once, again);
    assert!(!once.contains("BEGIN ") && !once.contains("caBundle:"), "{once}");
    let objects = render(DEFAULTS);
    let secret = of_kind(&objects, "Secret");
    assert!(secret.get("data").is_none() && secret.get("stringData").is_none(), "{secret}");
}

#[test]
fn the_plain_manifests_are_what_the_chart_renders() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = std::process::Command::new(root.join("scripts/deploy")).arg("--print").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rendered = String::from_utf8(output.stdout).unwrap();
    let kept = std::fs::read_to_string(root.join("deploy/meshvet.yaml")).unwrap();
    let difference = rendered.lines().zip(kept.lines()).position(|(one, other)| one != other);
    assert!(rendered == kept, "deploy/meshvet.yaml is stale from line {difference:?} on: run scripts/deploy");
    // What a reader has to know before changing it stands beside it.
    for comment in
        ["Set Fail once meshvet has run", "Has to fit the role meshvet-secrets", "kubectl label namespace NAME"]
    {
        assert!(kept.contains(comment), "{comment}");
    }
    assert!(!kept.contains("Helm\n"), "nothing in it is Helm's");
}

#[test]
fn the_deployment_starts_the_program_by_arguments_that_it_takes() {
    let objects = render(DEFAULTS);
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("config.yaml");
    let text = of_kind(&objects, "ConfigMap")["data"]["config.yaml"].as_str().expect("a policy").to_owned();
    std::fs::write(&policy, text).unwrap();
    let container = &of_kind(&objects, "Deployment")["spec"]["template"]["spec"]["containers"][0];
    let arguments = container["args"].as_array().expect("arguments").iter().map(|argument| {
        let argument = argument.as_str().expect("text").replace("0.0.0.0:8443", "127.0.0.1:0");
        let argument = argument.replace("0.0.0.0:8081", "127.0.0.1:0");
        argument.replace("/etc/meshvet/policy/config.yaml", &policy.display().to_string())
    });
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_meshvet"))
        .args(arguments)
        .env_clear()
        .env("MESHVET_KUBECONFIG", folder.path().join("no-cluster"))
        .output()
        .unwrap();
    // All of it was taken: what is missing is the cluster.
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("no-cluster") && !told.contains("Usage"), "{told}");
}

#[test]
fn every_object_carries_the_releases_labels_and_its_namespace() {
    let objects = render(&[DEFAULTS, &["labels.team=platform"], values::EVERYTHING].concat());
    let cluster_wide = ["ClusterRole", "ClusterRoleBinding", "ValidatingWebhookConfiguration"];
    for object in &objects {
        let (kind, metadata) = (object["kind"].as_str().expect("a kind"), &object["metadata"]);
        assert_eq!(metadata["labels"]["team"], "platform", "{kind}");
        // The Service would send reviews to the test's pod.
        if kind != "Pod" {
            assert_eq!(metadata["labels"]["app.kubernetes.io/instance"], "meshvet", "{kind}");
        }
        let namespace = if cluster_wide.contains(&kind) { Value::Null } else { "meshvet-system".into() };
        assert_eq!(metadata["namespace"], namespace, "{kind}");
    }
}

#[test]
fn two_releases_share_no_cluster_wide_object() {
    let names = |release: &str| {
        let rendered = helm(&["template", release, &chart(), "-n", release]).expect("rendered");
        let objects = helm::documents(&rendered);
        let all = ["ClusterRole", "ClusterRoleBinding", "ValidatingWebhookConfiguration"];
        all.map(|kind| of_kind(&objects, kind)["metadata"]["name"].as_str().expect("a name").to_owned())
    };
    for (one, other) in names("meshvet").iter().zip(names("canary")) {
        assert_ne!(*one, other);
    }
}
