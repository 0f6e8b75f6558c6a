//! What can go wrong with the managed certificate, in words that say what to do.

use super::authority::AuthorityError;
use crate::operate::lease::LeaseError;
use crate::sources::cluster::told;

/// Why a turn of the managed certificate failed. The next one tries again.
#[derive(Debug, thiserror::Error)]
pub(super) enum ManagedError {
    /// The API server doesn't allow it.
    #[error("{0}; a Role for the ServiceAccount of meshvet must allow it")]
    Forbidden(String),
    /// A request failed.
    #[error("{0}")]
    Request(String),
    /// The Secret holds something else.
    #[error("{0}: {1}; delete its data, and meshvet writes the authority again")]
    Unreadable(String, String),
    /// The Secret is empty, or gone, and is written again by and by.
    #[error("{0} has lost the authority, or isn't there")]
    NoSecret(String),
    /// The Lease isn't there, and is made again by and by.
    #[error("{0} isn't there")]
    NoLease(String),
    /// The configuration isn't there.
    #[error("there is no ValidatingWebhookConfiguration {0}: no reviews will come; install it, or name the right one")]
    NoConfiguration(String),
    /// The configuration has no webhook for this Service.
    #[error("no webhook of ValidatingWebhookConfiguration {configuration} calls Service {service}")]
    NoWebhook {
        /// The configuration's name.
        configuration: String,
        /// The Service, NAMESPACE/NAME.
        service: String,
    },
    /// The API server doesn't answer.
    #[error("the API server doesn't answer")]
    TimedOut,
    /// A certificate could not be issued.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

impl ManagedError {
    /// Of a request, `verb`, for `what`.
    pub(super) fn request(verb: &str, what: String, error: &kube::Error) -> Self {
        let text = format!("could not {verb} {what}: {}", told(error));
        match error {
            kube::Error::Api(status) if status.is_forbidden() => Self::Forbidden(text),
            _ => Self::Request(text),
        }
    }
}

impl From<LeaseError> for ManagedError {
    fn from(LeaseError { verb, lease, error }: LeaseError) -> Self {
        Self::request(verb, lease, &error)
    }
}

/// How the API server refuses a write that another one has overtaken.
pub(super) trait Refused {
    /// Whether the object has changed, come or gone since it was read.
    fn is_conflict(&self) -> bool;
}

impl Refused for kube::Error {
    fn is_conflict(&self) -> bool {
        matches!(self, kube::Error::Api(status) if status.code == 409)
    }
}
