//! `meshvet serve --aws` behind a real API server, with a moto server for AWS: nodes that name ACM certificates and authorities of
//! AWS Private CA are refused and accepted at `kubectl apply`.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::LazyLock;

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::install::Installation;
use crate::replica::Replica;
use crate::sandbox;
use crate::support::manifests::{deployment, virtual_node};
use crate::support::moto;
use crate::support::private_ca::{PrivateCa, credentials, sdk_at};
use crate::world::{World, plane};

tests![
    a_certificate_of_acm_is_created_or_refused_by_what_acm_says,
    both_ends_of_a_pair_are_compared_by_what_aws_says,
    aws_that_is_away_warns_and_refuses_nothing,
];

const REGION: &str = "eu-west-1";

static MOTO: LazyLock<SocketAddr> = LazyLock::new(|| moto::start(sandbox::moto()));
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

/// Does something at AWS.
fn at_aws<T: Send>(work: impl Future<Output = T> + Send) -> T {
    RUNTIME.block_on(work)
}

async fn root(name: &str) -> PrivateCa {
    PrivateCa::root_at(name, &sdk_at(*MOTO, REGION, credentials()).await).await
}

/// A namespace that a meshvet of its own looks at, which asks AWS at this address.
fn world(namespace: &'static str, endpoint: &str) -> (World, Replica) {
    let world = World::new(namespace);
    let installation = Installation::copy_for(plane(), namespace, "Fail");
    let replica = installation.start_asking("0", endpoint);
    installation.route_to(&[&replica]);
    installation.wait_until_judging(namespace);
    (world, replica)
}

/// A node with a certificate of ACM.
fn by_acm(world: &World, name: &str, arn: &str) -> Value {
    let mut node = virtual_node(world.namespace, name, &world.hostname(name));
    node["spec"]["listeners"][0]["tls"]["certificate"] = json!({"acm": {"certificateARN": arn}});
    node
}

/// Applies until meshvet has heard of the workload.
#[track_caller]
fn created(world: &World, node: &Value) {
    world.knows(node);
    world.apply(node).succeeds_silently();
}

fn a_certificate_of_acm_is_created_or_refused_by_what_acm_says() {
    let endpoint = format!("http://{}", *MOTO);
    let (world, _replica) = world("acm", &endpoint);
    world.has([deployment("acm", "web", "")]);
    let (hostname, authority) = (world.hostname("web"), at_aws(root("Shop root")));
    created(&world, &by_acm(&world, "web", &at_aws(authority.certificate(&[&hostname]))));

    let field = "spec.listeners[0].tls.certificate.acm.certificateARN";
    let refused = |arn: &str, says: &[&str]| {
        world.apply(&by_acm(&world, "web", arn)).refused(&[says, &[field, "expected: ", "fix: "]].concat());
    };
    let wrong = at_aws(authority.certificate(&["web.elsewhere.local"]));
    refused(&wrong, &["MV101 hostname-mismatch", "DNS:web.elsewhere.local", &hostname]);
    let public = at_aws(async {
        let client = aws_sdk_acm::Client::new(&sdk_at(*MOTO, REGION, credentials()).await);
        let request = client.request_certificate().domain_name(&hostname);
        Box::pin(request.send()).await.expect("moto answers").certificate_arn.expect("an ARN")
    });
    refused(&public, &["MV405 acm-not-private", "AMAZON_ISSUED"]);
    let gone = "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-000000000000";
    refused(gone, &["MV404 acm-not-found", gone]);
    refused(&gone.replace("eu-west-1", "us-east-1"), &["MV402 acm-other-region", "us-east-1"]);
    refused("${CERTIFICATE_ARN}", &["MV401 acm-arn-malformed", "placeholder"]);
}

fn both_ends_of_a_pair_are_compared_by_what_aws_says() {
    let endpoint = format!("http://{}", *MOTO);
    let (world, _replica) = world("acm-pair", &endpoint);
    world.has([deployment("acm-pair", "web", ""), deployment("acm-pair", "front", "")]);
    let (ours, other) = (at_aws(root("Shop root")), at_aws(root("Other root")));
    let node = by_acm(&world, "web", &at_aws(ours.certificate(&[&world.hostname("web")])));
    created(&world, &node);
    world.has([json!({
        "apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualService",
        "metadata": {"namespace": "acm-pair", "name": "web"},
        "spec": {"provider": {"virtualNode": {"virtualNodeRef": {"name": "web"}}}},
    })]);
    let client = |arn: &str| {
        let mut node = virtual_node("acm-pair", "front", &world.hostname("front"));
        node["spec"]["listeners"] = json!([]);
        node["spec"]["backends"] = json!([{"virtualService": {"virtualServiceRef": {"name": "web"}}}]);
        let trust = json!({"acm": {"certificateAuthorityARNs": [arn]}});
        node["spec"]["backendDefaults"] = json!({"clientPolicy": {"tls": {"validation": {"trust": trust}}}});
        node
    };
    let says = ["MV301 issuer-untrusted", "front → web", "CN=Other root", "CN=Shop root"];
    // The client comes last, once the watches have told of the server.
    sandbox::eventually("meshvet knows the server", || {
        let outcome = world.kubectl.apply(&client(&other.arn), &["--dry-run=server"]);
        if outcome.speaks_of("MV301") { Ok(()) } else { Err(outcome.to_string()) }
    });
    world.apply(&client(&other.arn)).refused(&says).refused(&["certificateAuthorityARNs[0]"]);
    world.apply(&client(&ours.arn)).succeeds_silently();
    // The server comes last.
    let theirs = by_acm(&world, "web", &at_aws(other.certificate(&[&world.hostname("web")])));
    sandbox::eventually("meshvet knows the client", || {
        let outcome = world.kubectl.apply(&theirs, &["--dry-run=server"]);
        if outcome.speaks_of("MV301") { Ok(()) } else { Err(outcome.to_string()) }
    });
    world.apply(&theirs).refused(&["MV301 issuer-untrusted", "front → web", "certificateARN"]);
}

fn aws_that_is_away_warns_and_refuses_nothing() {
    // Nobody listens there: the network is the suite's own.
    let (world, _replica) = world("acm-away", "http://127.0.0.1:9");
    world.has([deployment("acm-away", "web", "")]);
    let arn = "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-000000000000";
    world.apply(&by_acm(&world, "web", arn)).warns(&["MV408", "acm:DescribeCertificate"]);
}
