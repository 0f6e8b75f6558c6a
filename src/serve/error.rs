//! Why a server could not start, or go on.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;
use tokio::task::JoinError;

use crate::admission::certificate::serving::ServingCertificateError;
use crate::sources::cluster::ConnectError;

/// Why a server could not start, or go on.
#[derive(Debug, Error)]
pub(crate) enum ServeError {
    /// The certificate's files can't be used.
    #[error("the serving certificate can't be used; see --tls-cert and --tls-key, or take --self-signed")]
    Certificate(#[source] ServingCertificateError),
    /// No certificate could be issued.
    #[error(transparent)]
    SelfIssued(ServingCertificateError),
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
