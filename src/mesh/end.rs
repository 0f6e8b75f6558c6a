//! The two ends of a TLS connection that a proxy makes, free of any one mesh's vocabulary.
//!
//! App Mesh's listeners become [`ServerEnd`]s and its client policies [`ClientEnd`]s; another mesh API would produce the
//! same, and the rules on ends would hold for it as they are.

use std::sync::Arc;

use crate::k8s::FieldPath;

/// Whether a listener speaks TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TlsMode {
    /// Plaintext only.
    Disabled,
    /// Both plaintext and TLS.
    Permissive,
    /// TLS only.
    Strict,
}

/// Something that a proxy loads: a file by its path, a certificate or an authority of AWS by its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRef {
    /// The path inside the proxy's container, or the ARN, as written.
    pub path: String,
    /// The field that names it.
    pub field: FieldPath,
}

/// Where an end's own certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateSource {
    /// Two PEM files in the proxy's container.
    File {
        /// The certificate and its intermediates.
        chain: FileRef,
        /// The private key.
        key: FileRef,
    },
    /// A certificate of AWS Certificate Manager, by its ARN.
    Acm(FileRef),
    /// A secret that Envoy's Secret Discovery Service delivers.
    Sds {
        /// Its name at the SDS provider.
        secret_name: String,
        /// The field that names it.
        field: FieldPath,
    },
}

/// Where an end's trust comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustSource {
    /// A PEM bundle in the proxy's container.
    File(FileRef),
    /// Authorities of AWS Private CA, by their ARNs.
    Acm(Vec<FileRef>),
    /// A secret that Envoy's Secret Discovery Service delivers.
    Sds {
        /// Its name at the SDS provider.
        secret_name: String,
        /// The field that names it.
        field: FieldPath,
    },
}

/// What an end demands of the certificate that the other end shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validation {
    /// The `validation` field.
    pub field: FieldPath,
    /// The authorities to trust; None where the object gives none, or several.
    pub trust: Option<TrustSource>,
    /// The names of which one must be in the peer's certificate, each with its field; empty: any name.
    pub names: Vec<(String, FieldPath)>,
}

/// A listener: the end that is connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerEnd {
    /// `listener 8080`: outlives a reordering of the list.
    pub anchor: Arc<str>,
    /// The listener's field.
    pub field: FieldPath,
    /// The port that clients reach; None when out of range.
    pub port: Option<u16>,
    /// `http`, `http2`, `grpc` or `tcp`, as written.
    pub protocol: String,
    /// None: plaintext.
    pub tls: Option<ServerTls>,
}

/// A listener's TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTls {
    /// The `tls` field.
    pub field: FieldPath,
    /// Whether TLS is demanded, offered or switched off.
    pub mode: TlsMode,
    /// The listener's certificate; None where the object gives none, or several.
    pub certificate: Option<CertificateSource>,
    /// What clients must show; None: clients are not asked.
    pub validation: Option<Validation>,
}

impl ServerEnd {
    /// The TLS that the proxy really sets up: None for plaintext listeners and for mode DISABLED.
    pub fn active_tls(&self) -> Option<&ServerTls> {
        self.tls.as_ref().filter(|tls| tls.mode != TlsMode::Disabled)
    }

    /// Whether the listener refuses plaintext.
    pub fn is_strict(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.mode == TlsMode::Strict)
    }
}

/// A client policy: how a proxy connects to its backends, or to one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientEnd {
    /// `backend defaults`, `backend shop/blue`: outlives a reordering of the list.
    pub anchor: Arc<str>,
    /// The `tls` field of the policy.
    pub field: FieldPath,
    /// Which backend it speaks of; None: all that have no policy of their own.
    pub backend: Option<Backend>,
    /// Whether TLS is enforced (absent means true, by App Mesh's API reference).
    pub enforce: bool,
    /// The server ports it holds for; empty: all.
    pub ports: Vec<u16>,
    /// The certificate to show; None: none, or the object gives several.
    pub certificate: Option<CertificateSource>,
    /// What the server must show.
    pub validation: Option<Validation>,
}

/// The anchor of the client policy that holds for every backend without one of its own.
pub(crate) const BACKEND_DEFAULTS: &str = "backend defaults";

impl ClientEnd {
    /// Whether this is the policy for all backends that have none of their own.
    pub fn is_default(&self) -> bool {
        &*self.anchor == BACKEND_DEFAULTS
    }
}

/// The service that a backend entry names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Backend {
    /// A VirtualService object, in its namespace.
    Service {
        /// Its namespace, already defaulted to the referrer's.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// A virtual service known to App Mesh alone.
    Arn(String),
}

/// What a mesh's clients know a member by, and so what its certificates must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// A DNS name that clients resolve, and that App Mesh makes them check.
    Dns {
        /// The name.
        hostname: String,
        /// The field that gives it.
        field: FieldPath,
    },
    /// A Cloud Map service: names are not considered.
    CloudMap {
        /// The Cloud Map namespace.
        namespace: String,
        /// The service in it.
        service: String,
        /// The field that gives it.
        field: FieldPath,
    },
    /// None given (it only calls, or is a gateway), or more than one.
    None,
}
