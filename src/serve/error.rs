//! Why a server could not start, or go on.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;
use tokio::task::JoinError;

use crate::admission::callers::CallersError;
use crate::admission::certificate::serving::ServingCertificateError;
use crate::sources::cluster::ConnectError;

/// Why a server could not start, or go on.
#[derive(Debug, Error)]
pub(crate) enum ServeError {
    /// The certificate's files can't be used.
    #[error("the serving certificate can't be used; check --tls-cert and --tls-key, or use --self-signed")]
    Certificate(#[source] ServingCertificateError),
    /// No certificate could be issued.
    #[error(transparent)]
    SelfIssued(ServingCertificateError),
    /// The authorities of clients can't be used.
    #[error("the authorities of clients can't be used; check --client-ca")]
    Callers(#[source] CallersError),
    /// The authority could not be written where it was wanted.
    #[error("{}", .path.display())]
    CaBundle {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        error: io::Error,
    },
    /// The keeper of the managed certificate could not begin.
    #[error("the managed certificate")]
    Managed(#[source] rustls::Error),
    /// Somebody else listens there, or nobody may.
    #[error("could not listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        error: io::Error,
    },
    /// There is no cluster to go by.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    /// The system refused what every process may do.
    #[error(transparent)]
    System(#[from] io::Error),
    /// What is known would not be kept up any more.
    #[error("a watch of the cluster broke: this is a bug of meshvet")]
    WatchBroke,
    /// The server ended without being told to.
    #[error("the server stopped by itself: {0:?}")]
    Stopped(Result<(), JoinError>),
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[test]
    fn what_the_system_says_stays_a_cause_of_its_own() {
        let refused = || io::Error::from(io::ErrorKind::PermissionDenied);
        let address: SocketAddr = "0.0.0.0:443".parse().expect("an address");
        let causes = [
            (ServeError::Listen { address, error: refused() }, "could not listen on 0.0.0.0:443"),
            (ServeError::CaBundle { path: "ca.pem".into(), error: refused() }, "ca.pem"),
        ];
        for (error, text) in causes {
            assert_eq!(error.to_string(), text);
            // By its kind the command line says what to do.
            let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
            assert_eq!(cause.map(io::Error::kind), Some(io::ErrorKind::PermissionDenied));
        }
    }
}
