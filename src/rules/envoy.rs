//! What Envoy logs, in its own words (observed on Envoy 1.40), for the consequences that findings quote.

use crate::pki::Certificate;

const VERIFY_FAILED: &str =
    "TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify cert failed: ";

/// A client whose expected names are none of the certificate's.
pub(super) fn san_mismatch(certificate: &Certificate) -> String {
    let sans: Vec<String> = certificate.sans.iter().map(san_text).collect();
    format!("{VERIFY_FAILED}SAN matcher, certificate SANs are [{}]", sans.join(", "))
}

/// Envoy prints a SAN's value without its type.
fn san_text(san: &crate::pki::San) -> String {
    let text = san.to_string();
    text.split_once(':').map_or(text.clone(), |(_, value)| value.to_owned())
}

/// A client for whom the chain doesn't hold: `reason` in BoringSSL's words.
pub(super) fn verify_error(reason: &str) -> String {
    format!("{VERIFY_FAILED}X509_verify_cert: certificate verification error at depth 0: {reason}")
}

/// How a client's application sees any of these.
pub(super) const CLIENT_SEES: &str = "clients get 503, and their proxy logs";
