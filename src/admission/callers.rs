//! Who may ask, where API servers authenticate themselves: whoever has a certificate of one of these authorities.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, RootCertStore, SignatureScheme};
use thiserror::Error;

use crate::sources::file_watch::FileWatch;

/// Why a file's authorities can't be used.
#[derive(Debug, Error)]
pub enum CallersError {
    /// A file that can't be read.
    #[error("{}: {error}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A file without a certificate, or with one that can't be used.
    #[error("{} has no certificates of an authority in PEM", .0.display())]
    Unusable(PathBuf),
}

/// Verifies clients' certificates by the authorities of a file, which may be replaced while it serves.
#[derive(Debug)]
pub struct Callers {
    verifier: ArcSwap<Arc<dyn ClientCertVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Callers {
    /// Loads the authorities of a file.
    ///
    /// # Errors
    /// [`CallersError`], with the file's name.
    pub fn load(path: &Path) -> Result<Self, CallersError> {
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        Ok(Self { verifier: ArcSwap::from_pointee(verifier(path)?), algorithms })
    }

    /// Loads the file again whenever it changes, until the watch is dropped. One that can't be used is logged, and changes nothing.
    pub fn follow(self: &Arc<Self>, path: PathBuf) -> FileWatch {
        let callers = Arc::clone(self);
        let watched = path.clone();
        let mut complaint = String::new();
        FileWatch::new(&[&watched], move || match verifier(&path) {
            Ok(verifier) => {
                complaint.clear();
                callers.verifier.store(Arc::new(verifier));
            }
            Err(error) => {
                let text = error.to_string();
                if text != complaint {
                    tracing::error!(
                        error = text.as_str(),
                        "the new --client-ca can't be used; the last good one stays"
                    );
                    complaint = text;
                }
            }
        })
    }
}

fn verifier(path: &Path) -> Result<Arc<dyn ClientCertVerifier>, CallersError> {
    let unusable = || CallersError::Unusable(path.to_owned());
    let pem = std::fs::read(path).map_err(|error| CallersError::Read { path: path.to_owned(), error })?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        roots.add(certificate.map_err(|_| unusable())?).map_err(|_| unusable())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().map_err(|_| unusable())
}

/// Whoever has no certificate is refused: the verifiers' own default.
impl ClientCertVerifier for Callers {
    /// None: they may be others at the next handshake, and the API server shows the certificate that it has.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.verifier.load().verify_client_cert(leaf, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
