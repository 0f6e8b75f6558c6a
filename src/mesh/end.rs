//! The two ends of a TLS connection that a proxy makes, free of any one mesh's vocabulary.
//!
//! An API's listeners become [`ServerEnd`]s and its client policies [`ClientEnd`]s: the rules on ends hold for whichever API
//! they come from.

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
    pub store: Arc<StoreKey>,
    /// The key in it.
    pub key: String,
    /// The field that names it.
    pub field: FieldPath,
}

/// A certificate or an authority of AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArnRef {
    /// The ARN, as written.
    pub arn: String,
    /// The field that names it.
    pub field: FieldPath,
}

/// What an end names, whichever way.
#[derive(Clone, Copy, Debug)]
pub enum Named<'a> {
    /// A file by its path.
    File(&'a FileRef),
    /// A key of a Secret or ConfigMap.
    Key(&'a KeyRef),
    /// Something at AWS by its ARN.
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
    /// Two keys of Secrets, which the proxy is given by its control plane.
    Keys {
        /// The certificate and its intermediates.
        chain: KeyRef,
        /// The private key.
        key: KeyRef,
    },
    /// A certificate of AWS Certificate Manager, by its ARN.
    Acm(ArnRef),
    /// Something that meshvet doesn't read.
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
    /// Whether this is what a name of a chain is of.
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

/// Where an end's trust comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustSource {
    /// A PEM bundle in the proxy's container.
    File(FileRef),
    /// A PEM bundle in a key of a Secret or ConfigMap, which the proxy is given by its control plane.
    Key(KeyRef),
    /// Authorities of AWS Private CA, by their ARNs.
    Acm(Vec<ArnRef>),
    /// What the proxy's own image trusts.
    Proxy(FieldPath),
    /// What the system trusts that the proxy runs on.
    System(FieldPath),
    /// A secret that Envoy's Secret Discovery Service delivers.
    Sds {
        /// Its name at the SDS provider.
        secret_name: String,
        /// The field that names it.
        field: FieldPath,
    },
}

/// What an end demands of the certificate that the other end presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validation {
    /// The `validation` field.
    pub field: FieldPath,
    /// The authorities to trust; None where the object gives none, or several.
    pub trust: Option<TrustSource>,
    /// Which names the peer's certificate must have.
    pub names: NameCheck,
}

/// How an end checks the names of the peer's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameCheck {
    /// One of these must be among them, to the letter; each with its field. Never empty.
    List(Vec<(String, FieldPath)>),
    /// This host must match one of them, wildcards included.
    Name(String, FieldPath),
    /// The host that is called must match one of them: the [names](ServerTls::covers) of the listener.
    Host,
    /// They aren't looked at.
    Nothing,
}

impl NameCheck {
    /// The listed names; none where no list is checked.
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
    /// The name, as clients ask for it.
    pub name: String,
    /// The field that gives it.
    pub field: FieldPath,
    /// What it is, for messages: `hostname`.
    pub reason: &'static str,
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
    /// What it takes of what is routed to its gateway.
    pub gate: Option<Gate>,
}

/// What a gateway's listener takes of what is routed to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Its name, by which routes mean it.
    pub section: String,
    /// The host that clients ask for, and its field; None: any. `*.` before it stands for one label or more.
    pub host: Option<(String, FieldPath)>,
    /// The namespaces whose routes it takes.
    pub from: Admits,
    /// The kinds of routes that it takes; empty: all that its protocol is for.
    pub kinds: Vec<String>,
}

/// The namespaces from which something is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Admits {
    /// None.
    #[default]
    None,
    /// Its own.
    Same,
    /// Each whose labels match.
    Matching(LabelSelector),
    /// All.
    All,
}

/// A listener's TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTls {
    /// The `tls` field.
    pub field: FieldPath,
    /// Whether TLS is demanded, offered or switched off.
    pub mode: TlsMode,
    /// The listener's certificates; empty where the object gives none, or contradicts itself.
    pub certificates: Vec<CertificateSource>,
    /// The names that they must cover between them.
    pub covers: Vec<Covered>,
    /// What clients must show; None: clients are not asked.
    pub validation: Option<Validation>,
}

impl ServerEnd {
    /// The TLS that the proxy really sets up: None for plaintext listeners and for mode DISABLED.
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
    /// `backend defaults`, `backend shop/blue`: outlives a reordering of the list.
    pub anchor: Arc<str>,
    /// The `tls` field of the policy.
    pub field: FieldPath,
    /// Whether it holds for everything that is called and has no policy of its own.
    pub is_default: bool,
    /// Whether TLS is enforced.
    pub enforce: bool,
    /// The server ports it holds for; empty: all.
    pub ports: Vec<u16>,
    /// The certificate to present; empty: none, or the object contradicts itself.
    pub certificates: Vec<CertificateSource>,
    /// What the server must show.
    pub validation: Option<Validation>,
}

/// What a mesh's clients know a member by, and so what its certificates must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// A DNS name that clients resolve, and that they check.
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
