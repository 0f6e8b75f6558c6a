//! What is made at AWS for a test, and the webhook that asks about it.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_acmpca::types::{
    Asn1Subject, CertificateAuthorityConfiguration, CertificateAuthorityType, KeyAlgorithm, SigningAlgorithm, Validity,
    ValidityPeriodType,
};
use aws_smithy_http_client::Builder;
use meshvet::policy::Policy;
use meshvet::sources::aws::{AwsSource, Pace, Station};
use serde_json::{Value, json};

use crate::bed::{self, Bed, Response};
use crate::moto::MOTO;
use crate::proxy::Proxy;
use crate::support::manifests::{deployment, namespace, virtual_node};

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

fn credentials() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new("suite", "suite", None, None, "suite"))
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
        let source = Arc::new(AwsSource::at(station, Arc::clone(&policy), pace));
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
    let moto = tokio::task::spawn_blocking(|| *MOTO).await.expect("moto");
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(Builder::new().build_http())
        .endpoint_url(format!("http://{moto}"))
        .region(Region::new(region.to_owned()))
        .credentials_provider(credentials);
    // The SDK's futures are large: boxed, as everywhere here.
    Box::pin(loader.load()).await
}

/// An authority of AWS Private CA.
pub(crate) struct PrivateCa {
    pub(crate) arn: String,
    client: aws_sdk_acmpca::Client,
}

impl PrivateCa {
    /// One without a certificate.
    pub(crate) async fn pending(name: &str, kind: CertificateAuthorityType) -> Self {
        Self::pending_at(name, kind, &sdk(REGION).await).await
    }

    async fn pending_at(name: &str, kind: CertificateAuthorityType, config: &SdkConfig) -> Self {
        let client = aws_sdk_acmpca::Client::new(config);
        let configuration = CertificateAuthorityConfiguration::builder()
            .key_algorithm(KeyAlgorithm::Rsa2048)
            .signing_algorithm(SigningAlgorithm::Sha256Withrsa)
            .subject(Asn1Subject::builder().common_name(name).build())
            .build()
            .unwrap();
        let request = client
            .create_certificate_authority()
            .certificate_authority_configuration(configuration)
            .certificate_authority_type(kind);
        let made = Box::pin(request.send()).await.unwrap();
        Self { arn: made.certificate_authority_arn.unwrap(), client }
    }

    /// An active root.
    pub(crate) async fn root(name: &str) -> Self {
        Self::root_at(name, &sdk(REGION).await).await
    }

    pub(crate) async fn root_at(name: &str, config: &SdkConfig) -> Self {
        let root = Self::pending_at(name, CertificateAuthorityType::Root, config).await;
        let (certificate, _) = root.issue(&root.request().await, true).await;
        root.install(&certificate, None).await;
        root
    }

    /// An active authority below this one.
    pub(crate) async fn subordinate(&self, name: &str) -> Self {
        let below = Self::pending(name, CertificateAuthorityType::Subordinate).await;
        let (certificate, chain) = self.issue(&below.request().await, true).await;
        below.install(&certificate, Some(chain)).await;
        below
    }

    async fn request(&self) -> String {
        let request = self.client.get_certificate_authority_csr().certificate_authority_arn(&self.arn);
        Box::pin(request.send()).await.unwrap().csr.unwrap()
    }

    async fn install(&self, certificate: &str, chain: Option<String>) {
        let mut import = self
            .client
            .import_certificate_authority_certificate()
            .certificate_authority_arn(&self.arn)
            .certificate(aws_sdk_acmpca::primitives::Blob::new(certificate.as_bytes()));
        if let Some(chain) = chain {
            import = import.certificate_chain(aws_sdk_acmpca::primitives::Blob::new(chain.into_bytes()));
        }
        Box::pin(import.send()).await.unwrap();
    }

    /// Signs a request: the certificate, and the chain above it.
    pub(crate) async fn issue(&self, request: &str, authority: bool) -> (String, String) {
        // moto makes an authority's certificate by this template alone.
        let template = if authority { "RootCACertificate/V1" } else { "EndEntityCertificate/V1" };
        let request = self
            .client
            .issue_certificate()
            .certificate_authority_arn(&self.arn)
            .csr(aws_sdk_acmpca::primitives::Blob::new(request.as_bytes()))
            .signing_algorithm(SigningAlgorithm::Sha256Withrsa)
            .template_arn(format!("arn:aws:acm-pca:::template/{template}"))
            .validity(Validity::builder().r#type(ValidityPeriodType::Days).value(300).build().unwrap());
        let issued = Box::pin(request.send()).await.unwrap();
        let arn = issued.certificate_arn.unwrap();
        let got = self.client.get_certificate().certificate_authority_arn(&self.arn).certificate_arn(arn);
        let got = Box::pin(got.send()).await.unwrap();
        let lines = |text: Option<String>| format!("{}\n", text.unwrap_or_default().trim_end());
        (lines(got.certificate), lines(got.certificate_chain))
    }

    pub(crate) async fn set_status(&self, status: &str) {
        let update = self.client.update_certificate_authority().certificate_authority_arn(&self.arn);
        Box::pin(update.status(status.into()).send()).await.unwrap();
    }

    pub(crate) async fn delete(&self) {
        let delete = self.client.delete_certificate_authority().certificate_authority_arn(&self.arn);
        Box::pin(delete.send()).await.unwrap();
    }

    /// Requests a certificate for these names from ACM.
    pub(crate) async fn certificate(&self, names: &[&str]) -> String {
        self.certificate_at(names, &sdk(REGION).await).await
    }

    pub(crate) async fn certificate_at(&self, names: &[&str], config: &SdkConfig) -> String {
        let client = aws_sdk_acm::Client::new(config);
        let mut request = client.request_certificate().domain_name(names[0]).certificate_authority_arn(&self.arn);
        for name in &names[1..] {
            request = request.subject_alternative_names(*name);
        }
        Box::pin(request.send()).await.unwrap().certificate_arn.unwrap()
    }
}

/// The node `blue`, found at blue.apps.local, with a certificate of ACM.
pub(crate) fn node(arn: &str) -> Value {
    let mut node = virtual_node("shop", "blue", "blue.apps.local");
    node["spec"]["listeners"][0]["tls"]["certificate"] = json!({"acm": {"certificateARN": arn}});
    node
}

/// The same, trusting these authorities.
pub(crate) fn trusting(mut node: Value, arns: &[&str]) -> Value {
    let trust = json!({"acm": {"certificateAuthorityARNs": arns}});
    node["spec"]["backendDefaults"] = json!({"clientPolicy": {"tls": {"validation": {"trust": trust}}}});
    node
}
