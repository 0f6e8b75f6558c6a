//! Authorities of AWS Private CA, and certificates of ACM, as a test makes them.

use std::net::SocketAddr;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_acmpca::types::{
    Asn1Subject, CertificateAuthorityConfiguration, CertificateAuthorityType, KeyAlgorithm, SigningAlgorithm, Validity,
    ValidityPeriodType,
};
use aws_smithy_http_client::Builder;

/// Anybody: moto takes everyone.
pub(crate) fn credentials() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new("suite", "suite", None, None, "suite"))
}

/// How to ask a moto server.
pub(crate) async fn sdk_at(moto: SocketAddr, region: &str, credentials: SharedCredentialsProvider) -> SdkConfig {
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
    config: SdkConfig,
}

impl PrivateCa {
    /// One without a certificate.
    pub(crate) async fn pending_at(name: &str, kind: CertificateAuthorityType, config: &SdkConfig) -> Self {
        let client = aws_sdk_acmpca::Client::new(config);
        let configuration = CertificateAuthorityConfiguration::builder()
            .key_algorithm(KeyAlgorithm::Rsa2048)
            .signing_algorithm(SigningAlgorithm::Sha256Withrsa)
            .subject(Asn1Subject::builder().common_name(name).build())
            .build()
            .expect("moto answers");
        let request = client
            .create_certificate_authority()
            .certificate_authority_configuration(configuration)
            .certificate_authority_type(kind);
        let made = Box::pin(request.send()).await.expect("moto answers");
        Self { arn: made.certificate_authority_arn.expect("an ARN"), client, config: config.clone() }
    }

    /// An active root.
    pub(crate) async fn root_at(name: &str, config: &SdkConfig) -> Self {
        let root = Self::pending_at(name, CertificateAuthorityType::Root, config).await;
        let (certificate, _) = root.issue(&root.request().await, true).await;
        root.install(&certificate, None).await;
        root
    }

    /// An active authority below this one.
    pub(crate) async fn subordinate(&self, name: &str) -> Self {
        let below = Self::pending_at(name, CertificateAuthorityType::Subordinate, &self.config).await;
        let (certificate, chain) = self.issue(&below.request().await, true).await;
        below.install(&certificate, Some(chain)).await;
        below
    }

    async fn request(&self) -> String {
        let request = self.client.get_certificate_authority_csr().certificate_authority_arn(&self.arn);
        Box::pin(request.send()).await.expect("moto answers").csr.expect("moto answers")
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
        Box::pin(import.send()).await.expect("moto answers");
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
            .validity(Validity::builder().r#type(ValidityPeriodType::Days).value(300).build().expect("moto answers"));
        let issued = Box::pin(request.send()).await.expect("moto answers");
        let arn = issued.certificate_arn.expect("moto answers");
        let got = self.client.get_certificate().certificate_authority_arn(&self.arn).certificate_arn(arn);
        let got = Box::pin(got.send()).await.expect("moto answers");
        let lines = |text: Option<String>| format!("{}\n", text.unwrap_or_default().trim_end());
        (lines(got.certificate), lines(got.certificate_chain))
    }

    pub(crate) async fn set_status(&self, status: &str) {
        let update = self.client.update_certificate_authority().certificate_authority_arn(&self.arn);
        Box::pin(update.status(status.into()).send()).await.expect("moto answers");
    }

    pub(crate) async fn delete(&self) {
        let delete = self.client.delete_certificate_authority().certificate_authority_arn(&self.arn);
        Box::pin(delete.send()).await.expect("moto answers");
    }

    /// Requests a certificate for these names from ACM.
    pub(crate) async fn certificate(&self, names: &[&str]) -> String {
        let client = aws_sdk_acm::Client::new(&self.config);
        let mut request = client.request_certificate().domain_name(names[0]).certificate_authority_arn(&self.arn);
        for name in &names[1..] {
            request = request.subject_alternative_names(*name);
        }
        Box::pin(request.send()).await.expect("moto answers").certificate_arn.expect("moto answers")
    }
}
