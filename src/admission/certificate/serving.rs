//! The certificate that meshvet itself serves with: from files that are renewed while it runs, managed, or self-issued.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::sources::file_watch::FileWatch;

/// Where a serving certificate lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The chain, leaf first, as PEM.
    pub chain: PathBuf,
    /// The leaf's private key, as PEM.
    pub key: PathBuf,
}

/// Why a pair of files can't be served with. Never quotes a file: one of them is a key.
#[derive(Debug, Error)]
pub enum ServingCertificateError {
    /// A file that can't be read.
    #[error("{}: {error}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file without a certificate, or with a broken one.
    #[error("{} has no certificate chain in PEM", .0.display())]
    NoChain(PathBuf),
    /// A file without a private key that can be used.
    #[error("{} has no private key in PEM", .0.display())]
    NoKey(PathBuf),
    /// A chain and a key that don't go together, or that rustls can't use.
    #[error("{} and {}: {error}", .files.chain.display(), .files.key.display())]
    Unusable {
        /// The files.
        files: CertificateFiles,
        /// Why.
        error: rustls::Error,
    },
    /// A self-issued certificate for a name that no certificate can have.
    #[error("could not issue a certificate: {0}")]
    Issue(#[from] rcgen::Error),
}

/// The serving certificate as it is: swapped whole, so that a handshake sees the old pair or the new. While there is none
/// (the default), every handshake fails.
#[derive(Debug, Default)]
pub struct ServingCertificate {
    served: ArcSwapOption<Loaded>,
    /// Why nobody trusts it, where that is known.
    distrust: ArcSwapOption<&'static str>,
}

#[derive(Debug)]
struct Loaded {
    pair: Arc<CertifiedKey>,
    ends: Timestamp,
}

impl ServingCertificate {
    /// Loads a pair of files.
    ///
    /// # Errors
    /// [`ServingCertificateError`], with the file's name.
    pub fn load(files: &CertificateFiles) -> Result<Self, ServingCertificateError> {
        let served = ArcSwapOption::from_pointee(Loaded::load(files)?);
        Ok(Self { served, distrust: ArcSwapOption::empty() })
    }

    pub(super) fn of(pair: CertifiedKey) -> Self {
        let certificate = Self::default();
        certificate.replace(pair);
        certificate
    }

    /// Serves with another pair from now on.
    pub(super) fn replace(&self, pair: CertifiedKey) {
        let ends = end(&pair.cert);
        self.served.store(Some(Arc::new(Loaded { pair: Arc::new(pair), ends })));
    }

    /// Notes why nobody trusts it, or that somebody does; returns what was noted before.
    pub(super) fn distrust(&self, why: Option<&'static str>) -> Option<&'static str> {
        self.distrust.swap(why.map(Arc::new)).as_deref().copied()
    }

    /// Why nobody trusts it, where that is known.
    pub(crate) fn distrusted(&self) -> Option<&'static str> {
        self.distrust.load().as_deref().copied()
    }

    /// When it ends; None while there is none. One that can't be read has ended.
    pub fn ends(&self) -> Option<Timestamp> {
        self.served.load().as_ref().map(|loaded| loaded.ends)
    }

    /// Loads the files again; true when they hold another certificate than the one served so far.
    ///
    /// # Errors
    /// As [`ServingCertificate::load`]; the last good pair stays.
    pub(crate) fn reload(&self, files: &CertificateFiles) -> Result<bool, ServingCertificateError> {
        let loaded = Loaded::load(files)?;
        // A key belongs to its certificate: the same chain is the same pair.
        let changed = self.served.load().as_ref().is_none_or(|served| served.pair.cert != loaded.pair.cert);
        if changed {
            self.served.store(Some(Arc::new(loaded)));
        }
        Ok(changed)
    }

    /// Reloads whenever the files change, until the watch is dropped. A pair that is broken, or written by half, is logged once
    /// and changes nothing.
    pub fn follow(self: &Arc<Self>, files: CertificateFiles) -> FileWatch {
        let certificate = Arc::clone(self);
        let mut complaint = String::new();
        let (chain, key) = (files.chain.clone(), files.key.clone());
        FileWatch::new(&[&chain, &key], move || match certificate.reload(&files) {
            Ok(changed) => {
                complaint.clear();
                if changed && let Some(ends) = certificate.ends() {
                    tracing::info!(%ends, "the serving certificate was renewed");
                }
            }
            Err(error) => {
                let text = error.to_string();
                if text != complaint {
                    tracing::error!(
                        error = text.as_str(),
                        "the new serving certificate can't be used; the last good one stays"
                    );
                    complaint = text;
                }
            }
        })
    }
}

impl ResolvesServerCert for ServingCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.served.load().as_ref().map(|loaded| Arc::clone(&loaded.pair))
    }
}

impl Loaded {
    fn load(files: &CertificateFiles) -> Result<Self, ServingCertificateError> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&read(&files.chain)?)
            .collect::<Result<_, _>>()
            .map_err(|_| ServingCertificateError::NoChain(files.chain.clone()))?;
        if chain.is_empty() {
            return Err(ServingCertificateError::NoChain(files.chain.clone()));
        }
        let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?)
            .map_err(|_| ServingCertificateError::NoKey(files.key.clone()))?;
        let provider = rustls::crypto::ring::default_provider();
        let pair = CertifiedKey::from_der(chain, key, &provider)
            .map_err(|error| ServingCertificateError::Unusable { files: files.clone(), error })?;
        Ok(Self { ends: end(&pair.cert), pair: Arc::new(pair) })
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, ServingCertificateError> {
    std::fs::read(path)
        .map(Zeroizing::new)
        .map_err(|error| ServingCertificateError::Read { path: path.to_owned(), error })
}

/// The leaf's notAfter.
pub(super) fn end(chain: &[CertificateDer<'_>]) -> Timestamp {
    let seconds = chain
        .first()
        .and_then(|leaf| x509_parser::parse_x509_certificate(leaf).ok())
        .map(|(_, leaf)| leaf.validity().not_after.timestamp());
    seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::certificate::self_issued::{SelfIssued, self_issue};

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("a folder"))
        }

        fn files(&self) -> CertificateFiles {
            CertificateFiles { chain: self.0.path().join("tls.crt"), key: self.0.path().join("tls.key") }
        }

        fn write(&self, name: &str, text: &str) {
            std::fs::write(self.0.path().join(name), text).expect("a file");
        }
    }

    fn chain(served: &ServingCertificate) -> Vec<CertificateDer<'static>> {
        served.served.load().as_ref().expect("a pair").pair.cert.clone()
    }

    fn issued() -> SelfIssued {
        self_issue(&["meshvet.local".to_owned()]).expect("a certificate")
    }

    #[test]
    fn a_broken_or_half_written_pair_keeps_the_last_good_one() {
        let (folder, first, second) = (Folder::new(), issued(), issued());
        folder.write("tls.crt", &first.chain_pem);
        folder.write("tls.key", &first.key_pem);
        let served = ServingCertificate::load(&folder.files()).expect("a pair");
        let before = chain(&served);
        assert!(!served.reload(&folder.files()).expect("the same pair"));

        for (chain, key, words) in [
            (second.chain_pem.as_str(), first.key_pem.as_str(), "KeyMismatch"),
            (&second.chain_pem[..100], &second.key_pem, "no certificate chain"),
            ("", &second.key_pem, "no certificate chain"),
            (&second.chain_pem, "", "no private key"),
            (&second.chain_pem, &second.key_pem[..100], "no private key"),
        ] {
            folder.write("tls.crt", chain);
            folder.write("tls.key", key);
            let error = served.reload(&folder.files()).expect_err("no pair").to_string();
            assert!(error.contains(words) && error.contains("tls."), "{error}");
            assert_eq!(self::chain(&served), before);
        }

        folder.write("tls.crt", &second.chain_pem);
        folder.write("tls.key", &second.key_pem);
        assert!(served.reload(&folder.files()).expect("a pair"));
        assert_ne!(self::chain(&served), before);
    }

    #[test]
    fn an_absent_file_is_named() {
        let folder = Folder::new();
        let error = ServingCertificate::load(&folder.files()).expect_err("nothing there").to_string();
        assert!(error.contains("tls.crt: No such file"), "{error}");
    }

    #[test]
    fn a_certificate_knows_its_end() {
        let years =
            issued().certificate.ends().expect("a pair").duration_since(Timestamp::now()).as_hours() / (24 * 365);
        assert!((9..=10).contains(&years), "{years}");
    }
}
