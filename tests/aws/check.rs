//! `meshvet check`, with and without `--aws`.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::cloud::{Cloud, REGION, node, root};
use crate::proxy::Fault;
use crate::support::manifests::{deployment, list, namespace};

/// Runs `meshvet check` on this node.
async fn check(cloud: &Cloud, node: &Value, arguments: &[&str]) -> Output {
    check_all(cloud, [node.clone()], arguments).await
}

/// Runs `meshvet check` on these, in an environment that leads to the proxy and nowhere else.
async fn check_all(cloud: &Cloud, objects: impl IntoIterator<Item = Value>, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mesh.json");
    let world = [namespace("shop"), deployment("shop", "blue", "")];
    std::fs::write(&path, list(world.into_iter().chain(objects)).to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshvet"));
    command
        .arg("check")
        .arg(&path)
        .args(arguments)
        .env_clear()
        .env("HOME", folder.path())
        .env("AWS_ENDPOINT_URL", &cloud.proxy.url)
        // Whoever looks for a machine's metadata, or a container's credentials, is seen.
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &cloud.proxy.url)
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/credentials", cloud.proxy.url));
    if arguments.contains(&"--aws") {
        command.envs([("AWS_REGION", REGION), ("AWS_ACCESS_KEY_ID", "suite"), ("AWS_SECRET_ACCESS_KEY", "suite")]);
    }
    // Blocking here would keep the proxy from answering.
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    drop(folder);
    output
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn without_aws_nothing_is_asked_and_the_summary_says_so() {
    let cloud = Cloud::new().await;
    let root = root("Shop root").await;
    let arn = root.certificate(&["green.apps.local"]).await;
    let output = check(&cloud, &node(&arn), &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("AWS was not asked about 1 ARN"), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("the account of 1 object is not known"), "{}", text(&output.stderr));
    let output = check(&cloud, &node(&arn), &["-o", "json"]).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["summary"]["notAsked"], 1, "{report}");
    assert!(cloud.proxy.seen().is_empty(), "{:?}", cloud.proxy.seen());
}

#[tokio::test]
async fn what_the_arn_tells_is_judged_without_aws() {
    let cloud = Cloud::new().await;
    let output = check(&cloud, &node("${CERTIFICATE_ARN}"), &[]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("MV401 acm-arn-malformed"), "{}", text(&output.stdout));
}

#[tokio::test]
async fn with_aws_the_environment_says_where_and_as_whom() {
    let cloud = Cloud::new().await;
    let root = root("Shop root").await;
    let arn = root.certificate(&["green.apps.local"]).await;
    let output = check(&cloud, &node(&arn), &["--aws"]).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let told = text(&output.stdout);
    assert!(told.contains("MV101 hostname-mismatch") && told.contains("DNS:green.apps.local"), "{told}");
    assert!(!told.contains("not asked") && output.stderr.is_empty(), "{told}{}", text(&output.stderr));
    let counts = cloud.proxy.counts();
    let calls: Vec<&str> = counts.keys().map(String::as_str).collect();
    assert_eq!(
        calls,
        [
            "DescribeCertificate",
            "DescribeCertificateAuthority",
            "GetCallerIdentity",
            "GetCertificateAuthorityCertificate"
        ]
    );
}

#[tokio::test]
async fn a_role_that_may_not_be_looked_at_is_a_note() {
    let cloud = Cloud::new().await;
    let denied = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::123456789012:user/ci is not \
                  authorized to perform: iam:SimulatePrincipalPolicy</Message></Error></ErrorResponse>";
    cloud.proxy.fail("SimulatePrincipalPolicy", "", Fault::Answer(403, denied.to_owned()));
    let root = root("Shop root").await;
    let mut node = node(&root.certificate(&["blue.apps.local"]).await);
    let arn = "arn:aws:appmesh:eu-west-1:123456789012:mesh/apps/virtualNode/blue_shop";
    node["status"] = json!({"virtualNodeARN": arn});
    let account = json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {
            "namespace": "shop", "name": "default",
            "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/blue"},
        },
    });
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.yaml");
    std::fs::write(&policy, "aws: {roles: {enabled: true}}").unwrap();
    let arguments = ["--aws", "--fail-on", "warn", "--config", policy.to_str().unwrap()];
    let output = check_all(&cloud, [node, account], &arguments).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let notes: Vec<&str> = text(&output.stderr).lines().collect();
    let [note] = notes[..] else { panic!("{notes:?}") };
    assert!(note.starts_with("note: ") && note.contains("iam:SimulatePrincipalPolicy is denied to arn:"), "{note}");
}
