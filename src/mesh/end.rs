//! The two ends of a TLS connection between proxies, independent of any mesh API.
//!
//! Each API's listeners become [`ServerEnd`]s and its client policies [`ClientEnd`]s, so that the rules work for every API.

use std::sync::Arc;

use crate::k8s::{FieldPath, LabelSelector};
use crate::mesh::store::StoreKey;

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

/// A file that a proxy loads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRef {
    /// The path inside the proxy's container, as written.
    pub path: String,
    /// The field that names it.
    pub field: FieldPath,
}

/// A key of a Secret or ConfigMap that an end names itself, without a mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRef {
    /// The Secret or ConfigMap.
    pub store: StoreKey,
    /// The key in it.
    pub key: String,
    /// The field that names it.
    pub field: FieldPath,
}

/// A certificate or a certificate authority in AWS, by its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArnRef {
    /// The ARN, as written.
    pub arn: String,
    /// The field that names it.
    pub field: FieldPath,
}

/// A reference from an end to a certificate, a key or a CA.
#[derive(Clone, Copy, Debug)]
pub enum Named<'a> {
    /// A file by its path.
    File(&'a FileRef),
    /// A key of a Secret or ConfigMap.
    Key(&'a KeyRef),
    /// An AWS resource, by its ARN.
    Arn(&'a ArnRef),
}

impl<'a> Named<'a> {
    /// The field that names it.
    pub fn field(self) -> &'a FieldPath {
        match self {
            Named::File(file) => &file.field,
            Named::Key(key) => &key.field,
            Named::Arn(arn) => &arn.field,
        }
    }

    /// The path, the key or the ARN, as written.
    pub fn text(self) -> &'a str {
        match self {
            Named::File(file) => &file.path,
            Named::Key(key) => &key.key,
            Named::Arn(arn) => &arn.arn,
        }
    }
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
    /// Two keys of Secrets, which the control plane delivers to the proxy.
    Keys {
        /// The certificate and its intermediates.
        chain: KeyRef,
        /// The private key.
        key: KeyRef,
    },
    /// A certificate of AWS Certificate Manager, by its ARN.
    Acm(ArnRef),
    /// A source that meshvet can't read.
    Elsewhere {
        /// What it is, for messages.
        name: String,
        /// The field that names it.
        field: FieldPath,
    },
    /// A secret that Envoy's Secret Discovery Service delivers.
    Sds {
        /// Its name at the SDS provider.
        secret_name: String,
        /// The field that names it.
        field: FieldPath,
    },
}

impl CertificateSource {
    /// Whether `chain` is this source's chain.
    pub(crate) fn is_named_by(&self, chain: Named<'_>) -> bool {
        let field = match self {
            CertificateSource::File { chain, .. } => &chain.field,
            CertificateSource::Keys { chain, .. } => &chain.field,
            CertificateSource::Acm(arn) => &arn.field,
            CertificateSource::Elsewhere { field, .. } | CertificateSource::Sds { field, .. } => field,
        };
        field == chain.field()
    }
}

/// Where an end's trusted CAs come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustSource {
    /// A PEM bundle in the proxy's container.
    File(FileRef),
    /// A PEM bundle in a key of a Secret or ConfigMap, which the control plane delivers to the proxy.
    Key(KeyRef),
    /// Authorities in AWS Private CA, by their ARNs.
    Acm(Vec<ArnRef>),
    /// The CAs in the proxy's own image.
    Proxy(FieldPath),
    /// The CAs of the system that the proxy runs on.
    System(FieldPath),
    /// A secret that Envoy's Secret Discovery Service delivers.
    Sds {
        /// Its name at the SDS provider.
        secret_name: String,
        /// The field that names it.
        field: FieldPath,
    },
}

/// What an end requires of the peer's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validation {
    /// The `validation` field.
    pub field: FieldPath,
    /// The CAs to trust; None where the object gives none, or several.
    pub trust: Option<TrustSource>,
    /// Which names the certificate must have.
    pub names: NameCheck,
}

/// How an end checks the names of the peer's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameCheck {
    /// The certificate must have one of these names exactly; each with its field. Never empty.
    List(Vec<(String, FieldPath)>),
    /// The certificate must match this host, wildcards included.
    Name(String, FieldPath),
    /// The certificate must match the called host, one of the listener's [names](ServerTls::covers).
    Host,
    /// Names aren't checked.
    Nothing,
}

impl NameCheck {
    /// The listed names; empty for any other check.
    pub fn list(&self) -> &[(String, FieldPath)] {
        match self {
            NameCheck::List(names) => names,
            NameCheck::Name(..) | NameCheck::Host | NameCheck::Nothing => &[],
        }
    }
}

/// A name that a listener's certificates must cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covered {
    /// The name that clients ask for.
    pub name: String,
    /// The field that gives it.
    pub field: FieldPath,
    /// What kind of name it is, for messages: `hostname`.
    pub reason: &'static str,
}

/// A listener: the end that is connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerEnd {
    /// `listener 8080`: stays the same when the list is reordered.
    pub anchor: Arc<str>,
    /// The listener's field.
    pub field: FieldPath,
    /// The port that clients reach; None when out of range.
    pub port: Option<u16>,
    /// `http`, `http2`, `grpc` or `tcp`, as written.
    pub protocol: String,
    /// None: plaintext.
    pub tls: Option<ServerTls>,
    /// Which routes it accepts, where it is a gateway's listener.
    pub gate: Option<Box<Gate>>,
}

/// Which routes a gateway's listener accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Its name, which routes refer to.
    pub section: String,
    /// The host that clients ask for, and its field; None: any. A leading `*.` stands for one or more labels.
    pub host: Option<(String, FieldPath)>,
    /// The namespaces whose routes it accepts.
    pub from: Admits,
    /// The kinds of routes that it accepts; empty: all that its protocol allows.
    pub kinds: Vec<String>,
}

/// The namespaces from which routes or listeners are accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Admits {
    /// None.
    #[default]
    None,
    /// Only the object's own namespace.
    Same,
    /// Each namespace whose labels match.
    Matching(LabelSelector),
    /// All.
    All,
}

/// A listener's TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTls {
    /// The `tls` field.
    pub field: FieldPath,
    /// Whether TLS is required, optional or off.
    pub mode: TlsMode,
    /// The listener's certificates; empty where the object gives none, or contradictory ones.
    pub certificates: Vec<CertificateSource>,
    /// The names that the certificates together must cover.
    pub covers: Vec<Covered>,
    /// What client certificates must satisfy; None: clients aren't asked for one.
    pub validation: Option<Validation>,
}

impl ServerEnd {
    /// The TLS in effect: None for plaintext listeners and for mode DISABLED.
    pub(crate) fn active_tls(&self) -> Option<&ServerTls> {
        self.tls.as_ref().filter(|tls| tls.mode != TlsMode::Disabled)
    }

    /// Whether the listener refuses plaintext.
    pub(crate) fn is_strict(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.mode == TlsMode::Strict)
    }
}

/// A client policy: how a proxy connects to its backends, or to one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientEnd {
    /// `backend defaults`, `backend shop/blue`: stays the same when the list is reordered.
    pub anchor: Arc<str>,
    /// The `tls` field of the policy.
    pub field: FieldPath,
    /// Whether it applies to every backend that has no policy of its own.
    pub is_default: bool,
    /// Whether TLS is enforced.
    pub enforce: bool,
    /// The server ports it applies to; empty: all.
    pub ports: Vec<u16>,
    /// The client certificate; empty: none, or the object is contradictory.
    pub certificates: Vec<CertificateSource>,
    /// What the server's certificate must satisfy.
    pub validation: Option<Validation>,
}

/// How clients find a member, which decides the names its certificates must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// A DNS name that clients resolve, and check in the certificate.
    Dns {
        /// The name.
        hostname: String,
        /// The field that gives it.
        field: FieldPath,
    },
    /// A Cloud Map service: names aren't checked.
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
