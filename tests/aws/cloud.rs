//! What is made at AWS for a test, and the webhook that asks about it.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use aws_config::SdkConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_acmpca::types::CertificateAuthorityType;
use meshvet::policy::Policy;
use meshvet::sources::aws::{AwsSource, Pace, Station};
use serde_json::{Value, json};

use crate::bed::{self, Bed, Response};
use crate::moto::MOTO;
use crate::proxy::Proxy;
use crate::support::manifests::{deployment, namespace, virtual_node};
pub(crate) use crate::support::private_ca::PrivateCa;
use crate::support::private_ca::{credentials, sdk_at};

pub(crate) const REGION: &str = "eu-west-1";
/// The account of everything that moto is asked for without a role.
pub(crate) const ACCOUNT: &str = "123456789012";

/// A pace for tests: nothing is held back, and what is doubtful is forgotten soon.
pub(crate) fn pace() -> Pace {
    Pace {
        keep_doubtful: Duration::from_millis(300),
        ask_again: Duration::from_millis(200),
        per_second: 1_000,
        burst: 1_000,
        ..Pace::default()
    }
}

/// moto, a proxy before it, and meshvet's way to ask.
pub(crate) struct Cloud {
    pub(crate) proxy: Proxy,
    pub(crate) policy: Arc<ArcSwap<Policy>>,
    pub(crate) source: Arc<AwsSource>,
}

impl Cloud {
    pub(crate) async fn new() -> Self {
        Self::with(pace(), "").await
    }

    pub(crate) async fn with(pace: Pace, policy: &str) -> Self {
        // Started on a thread where it may block.
        let moto = tokio::task::spawn_blocking(|| *MOTO).await.expect("moto");
        let proxy = Proxy::before(moto).await;
        let policy = Arc::new(ArcSwap::from_pointee(Policy::parse(policy).expect("a policy")));
        let station =
            Station { endpoint_url: proxy.url.clone(), region: REGION.to_owned(), credentials: credentials() };
        let followed = Arc::clone(&policy);
        let roles = Arc::new(move |account: &str| followed.load().role_in(account));
        let source = Arc::new(AwsSource::at(station, roles, pace));
        Self { proxy, policy, source }
    }

    /// The webhook in a world of these objects, besides the workload of node `blue`.
    pub(crate) fn bed(&self, objects: impl IntoIterator<Item = Value>) -> Bed {
        let world = [namespace("shop"), deployment("shop", "blue", "")];
        let bed = Bed::asking(world.into_iter().chain(objects), Arc::clone(&self.source) as _);
        bed.policy.store(self.policy.load_full());
        bed
    }

    /// What comes of creating this node in a world of its own.
    pub(crate) async fn create(&self, node: Value) -> Response {
        self.bed([]).ask(&bed::create(node)).await
    }

    /// The same within this time.
    pub(crate) async fn create_within(&self, seconds: u64, node: Value) -> Response {
        let review = bed::create(node).to_string();
        let answer = self.bed([]).send(bed::post(&format!("/validate?timeout={seconds}s"), review)).await;
        assert_eq!(answer.code, 200, "{}", answer.json);
        Response(answer.json["response"].clone())
    }
}

/// Asks moto itself, past every proxy.
pub(crate) async fn sdk(region: &str) -> SdkConfig {
    sdk_as(region, credentials()).await
}

pub(crate) async fn sdk_as(region: &str, credentials: SharedCredentialsProvider) -> SdkConfig {
    // Started on a thread where it may block.
    let moto = tokio::task::spawn_blocking(|| *MOTO).await.expect("moto");
    sdk_at(moto, region, credentials).await
}

/// The node `blue`, found at blue.apps.local, with a certificate of ACM.
pub(crate) fn node(arn: &str) -> Value {
    let mut node = virtual_node("shop", "blue", "blue.apps.local");
    node["spec"]["listeners"][0]["tls"]["certificate"] = json!({"acm": {"certificateARN": arn}});
    node
}

/// The same, trusting these authorities in what it calls.
pub(crate) fn trusting(mut node: Value, arns: &[&str]) -> Value {
    let trust = json!({"acm": {"certificateAuthorityARNs": arns}});
    node["spec"]["backendDefaults"] = json!({"clientPolicy": {"tls": {"validation": {"trust": trust}}}});
    if node["spec"]["backends"].is_null() {
        node["spec"]["backends"] = json!([{"virtualService": {"virtualServiceRef": {"name": "elsewhere"}}}]);
    }
    node
}

/// An active root.
pub(crate) async fn root(name: &str) -> PrivateCa {
    PrivateCa::root_at(name, &sdk(REGION).await).await
}

/// An authority without a certificate.
pub(crate) async fn pending(name: &str) -> PrivateCa {
    PrivateCa::pending_at(name, CertificateAuthorityType::Root, &sdk(REGION).await).await
}
