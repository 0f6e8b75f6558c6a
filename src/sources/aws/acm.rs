//! ACM: facts about a certificate.

use std::sync::Arc;

use aws_sdk_acm::Client;
use aws_sdk_acm::types::CertificateDetail;
use aws_smithy_types::DateTime;
use jiff::Timestamp;

use crate::aws::{Arn, Call, CertificateFacts, Unanswered, key_algorithm};
use crate::pki::{Certificate, Description, ExtendedKeyUsage, HashAlgorithm, KeyUsage};
use crate::sources::aws::clients::Clients;
use crate::sources::aws::failure::{Trouble, trouble};

/// Describes one certificate.
pub(super) async fn describe(clients: &Clients, arn: &Arn) -> Result<CertificateFacts, Trouble> {
    let call = Call::DescribeCertificate;
    clients.turn(call, &arn.account, &arn.region).await;
    let client = Client::new(&clients.for_arn(arn).await);
    // The SDK's futures are large: boxed, so that a debug build's stack holds them.
    let answer = Box::pin(client.describe_certificate().certificate_arn(arn.to_string()).send()).await;
    let answer = answer.map_err(|error| trouble(call, &error));
    let detail = clients.counted(call, answer)?.certificate;
    let empty = || Unanswered::Failed { call, why: "an answer without a certificate".to_owned() };
    detail.and_then(|detail| facts(arn, &detail)).ok_or_else(|| Trouble::Unanswered(empty()))
}

/// None where the answer lacks what every certificate has; then no object is rejected for it.
fn facts(arn: &Arn, detail: &CertificateDetail) -> Option<CertificateFacts> {
    Some(CertificateFacts {
        kind: detail.r#type()?.as_str().to_owned(),
        status: detail.status()?.as_str().to_owned(),
        key_algorithm: detail.key_algorithm().map_or("unknown", |algorithm| algorithm.as_str()).to_owned(),
        authority: detail.certificate_authority_arn().map(str::to_owned),
        leaf: leaf(arn, detail).map(Arc::new),
    })
}

/// The certificate as described. One that isn't issued has no dates.
fn leaf(arn: &Arn, detail: &CertificateDetail) -> Option<Certificate> {
    let (not_before, not_after) = (time(detail.not_before()?)?, time(detail.not_after()?)?);
    let mut dns_names: Vec<String> = detail.subject_alternative_names().to_vec();
    // ACM returns them in no fixed order.
    dns_names.sort_unstable();
    Some(Certificate::described(Description {
        identity: arn.to_string(),
        serial: detail.serial().unwrap_or_default().replace(':', "").to_ascii_lowercase(),
        common_name: detail.domain_name().map(str::to_owned),
        dns_names,
        not_before,
        not_after,
        key_algorithm: key_algorithm(detail.key_algorithm().map_or("unknown", |algorithm| algorithm.as_str())),
        signature_algorithm: detail.signature_algorithm().unwrap_or_default().to_owned(),
        signature_hash: detail.signature_algorithm().and_then(hash),
        key_usage: key_usage(detail),
        extended_key_usage: extended_key_usage(detail),
        issuer: detail.issuer().unwrap_or_default().to_owned(),
    }))
}

fn time(at: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(at.secs()).ok()
}

/// `SHA256WITHRSA`
fn hash(name: &str) -> Option<HashAlgorithm> {
    let known = [
        ("SHA256", HashAlgorithm::Sha256),
        ("SHA384", HashAlgorithm::Sha384),
        ("SHA512", HashAlgorithm::Sha512),
        ("SHA224", HashAlgorithm::Sha224),
        ("SHA1", HashAlgorithm::Sha1),
        ("MD5", HashAlgorithm::Md5),
    ];
    let name = name.to_ascii_uppercase();
    known.iter().find(|(known, _)| name.starts_with(known)).map(|(_, hash)| *hash)
}

fn key_usage(detail: &CertificateDetail) -> Option<KeyUsage> {
    let mut usage = KeyUsage::default();
    let mut named = detail.key_usages().iter().filter_map(|usage| usage.name()).peekable();
    named.peek()?;
    for name in named {
        match name.as_str() {
            "DIGITAL_SIGNATURE" => usage.digital_signature = true,
            "NON_REPUDIATION" => usage.content_commitment = true,
            "KEY_ENCIPHERMENT" => usage.key_encipherment = true,
            "DATA_ENCIPHERMENT" => usage.data_encipherment = true,
            "KEY_AGREEMENT" => usage.key_agreement = true,
            "CERTIFICATE_SIGNING" => usage.key_cert_sign = true,
            "CRL_SIGNING" => usage.crl_sign = true,
            "ENCIPHER_ONLY" => usage.encipher_only = true,
            "DECIPHER_ONLY" => usage.decipher_only = true,
            // ANY, CUSTOM and future values: the whole usage is unknown.
            _ => return None,
        }
    }
    Some(usage)
}

fn extended_key_usage(detail: &CertificateDetail) -> Option<ExtendedKeyUsage> {
    let mut usage = ExtendedKeyUsage::default();
    let mut named = detail.extended_key_usages().iter().peekable();
    named.peek()?;
    for one in named {
        match one.name().map(|name| name.as_str()) {
            Some("TLS_WEB_SERVER_AUTHENTICATION") => usage.server_auth = true,
            Some("TLS_WEB_CLIENT_AUTHENTICATION") => usage.client_auth = true,
            Some("ANY") => usage.any = true,
            // NONE means that the certificate lacks the extension.
            Some("NONE") => return None,
            name => usage.others.push(one.oid().or(name).unwrap_or_default().to_owned()),
        }
    }
    Some(usage)
}
