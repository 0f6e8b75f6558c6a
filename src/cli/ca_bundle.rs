//! `meshvet ca-bundle`: a certificate authority in the form that a webhook configuration wants it.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use zeroize::Zeroizing;

use crate::apis;

const EXAMPLES: &str = "\
Examples:
  meshvet ca-bundle ca.pem                            base64, for a webhook configuration's caBundle
  meshvet ca-bundle ca.pem --patch WEBHOOK |
    kubectl patch validatingwebhookconfiguration meshvet --patch-file /dev/stdin
  kubectl get secret ca -o jsonpath='{.data.ca\\.crt}' | base64 -d | meshvet ca-bundle -";

fn examples() -> String {
    let webhooks: Vec<&str> = apis::mesh_apis().map(|(_, names)| names.webhook).collect();
    EXAMPLES.replace("WEBHOOK", &webhooks.join(","))
}

/// Print a certificate authority as a caBundle.
///
/// Prints the file's certificates in base64, and nothing else of it: a private key in the file is left out.
#[derive(Debug, clap::Args)]
#[command(after_help = examples())]
pub(super) struct CaBundleArgs {
    /// The authority's certificates, in PEM; - reads standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Print a patch that sets the caBundle of these webhooks (virtualnodes.meshvet.dev,routes.meshvet.dev), for
    /// `kubectl patch validatingwebhookconfiguration meshvet --patch-file /dev/stdin`.
    #[arg(long, value_name = "WEBHOOKS", value_delimiter = ',')]
    patch: Vec<String>,
}

impl CaBundleArgs {
    /// Prints the bundle.
    ///
    /// # Errors
    /// When the file can't be read or holds no certificate.
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let name = self.file.display().to_string();
        let mut pem = Zeroizing::new(Vec::new());
        if name == "-" {
            std::io::stdin().read_to_end(&mut pem).context("the standard input can't be read")?;
        } else {
            *pem = std::fs::read(&self.file).with_context(|| format!("{name} can't be read"))?;
        }
        let bundle = ca_bundle(&pem).with_context(|| {
            format!("{name} can't be used; give a PEM file with the CA's certificates, such as ca.crt of a Secret")
        })?;
        let text = if self.patch.is_empty() { bundle } else { patch(&self.patch, &bundle) };
        writeln!(std::io::stdout(), "{text}")?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Base64 of the certificates of a PEM file, written anew.
fn ca_bundle(pem: &[u8]) -> anyhow::Result<String> {
    let mut bundle = String::new();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        // The error could quote a line, and that line could be of a key.
        let Ok(certificate) = certificate else { bail!("it has a broken PEM block") };
        if x509_parser::parse_x509_certificate(&certificate).is_err() {
            bail!("it has a certificate that can't be read");
        }
        bundle.push_str("-----BEGIN CERTIFICATE-----\n");
        let text = STANDARD.encode(&certificate);
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(64));
            bundle.push_str(line);
            bundle.push('\n');
            rest = after;
        }
        bundle.push_str("-----END CERTIFICATE-----\n");
    }
    if bundle.is_empty() {
        bail!("it has no certificate in PEM");
    }
    Ok(STANDARD.encode(bundle))
}

/// A strategic merge patch: webhooks are distinguished by name.
fn patch(webhooks: &[String], bundle: &str) -> String {
    let patched = |name: &String| serde_json::json!({"name": name, "clientConfig": {"caBundle": bundle}});
    serde_json::json!({"webhooks": webhooks.iter().map(patched).collect::<Vec<_>>()}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bundle: &str) -> String {
        String::from_utf8(STANDARD.decode(bundle).expect("base64")).expect("text")
    }

    #[test]
    fn only_certificates_come_through() {
        let issued = rcgen::generate_simple_self_signed(["a.local".to_owned()]).expect("a certificate");
        let (certificate, key) = (issued.cert.pem(), issued.signing_key.serialize_pem());
        let unix = |pem: &str| pem.replace('\r', "");
        let bundle = ca_bundle(format!("a comment\n{key}{certificate}{certificate}").as_bytes()).expect("a bundle");
        assert_eq!(decoded(&bundle), format!("{0}{0}", unix(&certificate)));
        assert!(!decoded(&bundle).contains("PRIVATE KEY"));

        let webhooks = ["a.meshvet.dev".to_owned(), "b.meshvet.dev".to_owned()];
        let patch: serde_json::Value = serde_json::from_str(&patch(&webhooks, &bundle)).expect("JSON");
        for (index, name) in webhooks.iter().enumerate() {
            assert_eq!(patch["webhooks"][index]["name"], *name);
            assert_eq!(patch["webhooks"][index]["clientConfig"]["caBundle"], bundle);
        }

        for broken in ["", "no PEM", &key, &certificate[..80], &certificate.replace("MII", "MIJ")] {
            ca_bundle(broken.as_bytes()).expect_err("no bundle");
        }
    }
}
