//! What a server is to be, as data.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::admission::certificate::managed::ManagedOptions;
use crate::admission::certificate::serving::CertificateFiles;
use crate::admission::overload::Overload;
use crate::admission::paths::Door;
use crate::apis::Vetted;
use crate::mesh::{SecretAccess, SecretScope};
use crate::operate::log::LogLevel;
use crate::policy::Policy;
use crate::sources::AwsReader;
use crate::sources::cluster::ConnectOptions;
use crate::watch::TellingOptions;

/// Everything that [`serve`](super::serve) goes by.
pub(crate) struct ServeOptions {
    /// Where to serve reviews, over TLS.
    pub(crate) listen: SocketAddr,
    /// Where to serve probes and metrics, over plain HTTP.
    pub(crate) probe_listen: SocketAddr,
    /// Where the serving certificate comes from.
    pub(crate) certificate: CertificateSource,
    /// Where reviews come, unless the certificate is managed.
    pub(crate) door: Door,
    /// The authorities of clients that may ask; None: whoever reaches the port.
    pub(crate) client_ca: Option<PathBuf>,
    /// How Secrets are read.
    pub(crate) access: SecretAccess,
    /// Whose Secrets are read.
    pub(crate) scope: SecretScope,
    /// The APIs that are vetted.
    pub(crate) apis: Vetted,
    /// The policy to begin with.
    pub(crate) policy: Arc<ArcSwap<Policy>>,
    /// Where the policy was read, and is read again when that changes; None: it stays.
    pub(crate) policy_file: Option<PathBuf>,
    /// How to reach the cluster.
    pub(crate) connection: ConnectOptions,
    /// How problems of the mesh are reported by Events; None: metrics alone tell of them.
    pub(crate) telling: Option<TellingOptions>,
    /// How long to serve on, no longer ready, after a signal to end.
    pub(crate) drain_grace: Duration,
    /// Whether the mesh is shown as a page at the probes' address.
    pub(crate) report: bool,
    /// How much is taken on at a time.
    pub(crate) overload: Overload,
    /// How often the caches are compared with the cluster; None: only when a signal asks for it.
    pub(crate) self_check: Option<Duration>,
    /// Whoever asks AWS, by the same policy; or nobody.
    pub(crate) aws: Arc<dyn AwsReader>,
    /// What is logged, which the policy may change.
    pub(crate) level: LogLevel,
}

/// Where the serving certificate comes from.
#[derive(Clone, Debug)]
pub(crate) enum CertificateSource {
    /// From files, read again when they change.
    Files(CertificateFiles),
    /// Issued at each start, by an authority made for it alone.
    SelfIssued {
        /// The names that it holds for.
        dns_names: Vec<String>,
        /// Where its authority is written, in PEM.
        ca_bundle_file: Option<PathBuf>,
    },
    /// Kept by the replicas themselves.
    Managed(ManagedOptions),
}
