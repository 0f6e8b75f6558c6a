//! The serving certificate, and what keeps it up to date.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::admission::certificate::managed::{Kept, Managed};
use crate::admission::certificate::self_issued::self_issue;
use crate::admission::certificate::serving::ServingCertificate;
use crate::admission::paths::{Door, Paths};
use crate::operate::Clock;
use crate::operate::metrics::Metrics;
use crate::serve::error::ServeError;
use crate::serve::options::CertificateSource;
use crate::sources::file_watch::FileWatch;

/// A certificate to serve with, and what renews it from its files. A managed one is empty until [`keep`] fills it.
pub(super) fn obtain(source: &CertificateSource) -> Result<(Arc<ServingCertificate>, Option<FileWatch>), ServeError> {
    match source {
        CertificateSource::Files(files) => {
            let certificate = Arc::new(ServingCertificate::load(files).map_err(ServeError::Certificate)?);
            let watch = certificate.follow(files.clone());
            Ok((certificate, Some(watch)))
        }
        CertificateSource::SelfIssued { dns_names, ca_bundle_file } => {
            Ok((issue(dns_names, ca_bundle_file.as_deref())?, None))
        }
        CertificateSource::Managed(_) => Ok((Arc::default(), None)),
    }
}

fn issue(dns_names: &[String], ca_bundle_file: Option<&Path>) -> Result<Arc<ServingCertificate>, ServeError> {
    let issued = self_issue(dns_names).map_err(ServeError::SelfIssued)?;
    if let Some(path) = ca_bundle_file {
        std::fs::write(path, &issued.authority_pem)
            .map_err(|error| ServeError::CaBundle { path: path.to_owned(), error })?;
    }
    let ca_bundle = STANDARD.encode(&issued.authority_pem);
    tracing::info!(names = dns_names.join(","), ca_bundle, "issued a serving certificate");
    Ok(Arc::new(issued.certificate))
}

/// Where reviews are taken: with a managed certificate nowhere, until [`keep`] opens paths.
pub(super) fn paths(source: &CertificateSource, door: &Door) -> Arc<Paths> {
    Arc::new(match source {
        CertificateSource::Managed(_) => Paths::of(&[]),
        CertificateSource::Files(_) | CertificateSource::SelfIssued { .. } => Paths::of(std::slice::from_ref(door)),
    })
}

/// Begins to keep a managed certificate filled and renewed, and the paths with it. Must be called within a tokio runtime.
pub(super) fn keep(
    source: &CertificateSource,
    client: &kube::Client,
    kept: Kept,
    metrics: &Arc<Metrics>,
    clock: &Clock,
) -> Result<Option<Managed>, ServeError> {
    let CertificateSource::Managed(options) = source else { return Ok(None) };
    let managed = Managed::start(client.clone(), options.clone(), kept, Arc::clone(metrics), Arc::clone(clock));
    managed.map(Some).map_err(ServeError::Managed)
}
