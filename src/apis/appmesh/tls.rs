//! TLS of listeners and of clients, as VirtualNode and VirtualGateway share it.
//!
//! Source of the shapes: App Mesh API reference, `ListenerTls`, `ClientPolicyTls`, `TlsValidationContext`. Fields that
//! the API requires decode to their empty value where they are missing, so that a rule can speak of them; the generated
//! CRDs require them.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

/// TLS of a listener: what the proxy presents, and what it asks of its clients.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["certificate", "mode"]))]
pub struct ListenerTls {
    /// Whether the listener speaks TLS.
    pub mode: ListenerTlsMode,
    /// The certificate that the listener presents.
    pub certificate: ListenerTlsCertificate,
    /// How the listener validates its clients' certificates; absent means that it asks for none.
    pub validation: Option<TlsValidation>,
}

/// Whether a listener speaks TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenerTlsMode {
    /// Plaintext only; the rest of the group has no effect.
    Disabled,
    /// Both plaintext and TLS.
    Permissive,
    /// TLS only.
    Strict,
    /// None of the three, which the API server refuses; empty where the field is missing.
    Other(String),
}

impl ListenerTlsMode {
    /// The mode as App Mesh spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Disabled => "DISABLED",
            Self::Permissive => "PERMISSIVE",
            Self::Strict => "STRICT",
            Self::Other(other) => other,
        }
    }
}

impl Default for ListenerTlsMode {
    /// A missing mode.
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl From<String> for ListenerTlsMode {
    fn from(mode: String) -> Self {
        match mode.as_str() {
            "DISABLED" => Self::Disabled,
            "PERMISSIVE" => Self::Permissive,
            "STRICT" => Self::Strict,
            _ => Self::Other(mode),
        }
    }
}

impl fmt::Display for ListenerTlsMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ListenerTlsMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl JsonSchema for ListenerTlsMode {
    fn schema_name() -> Cow<'static, str> {
        "ListenerTlsMode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": ["DISABLED", "PERMISSIVE", "STRICT"]})
    }
}

/// Where a listener's certificate comes from. App Mesh takes exactly one of the alternatives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ListenerTlsCertificate {
    /// From AWS Certificate Manager.
    pub acm: Option<AcmCertificate>,
    /// From files in the proxy's container.
    pub file: Option<FileCertificate>,
    /// From the proxy's Secret Discovery Service.
    pub sds: Option<SdsSecret>,
}

/// A certificate in AWS Certificate Manager.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["certificateARN"]))]
pub struct AcmCertificate {
    /// ARN of the certificate.
    #[serde(rename = "certificateARN")]
    pub certificate_arn: String,
}

/// A certificate and its key in the file system of the proxy's container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["certificateChain", "privateKey"]))]
pub struct FileCertificate {
    /// Path of the PEM file with the leaf and the intermediates.
    #[schemars(length(min = 1, max = 255))]
    pub certificate_chain: String,
    /// Path of the PEM file with the leaf's private key.
    #[schemars(length(min = 1, max = 255))]
    pub private_key: String,
}

/// A secret that the proxy asks its Secret Discovery Service for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["secretName"]))]
pub struct SdsSecret {
    /// Name of the secret; a SPIFFE ID where SPIRE serves it.
    pub secret_name: String,
}

/// How one end validates the certificate of the other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["trust"]))]
pub struct TlsValidation {
    /// The certificate authorities that this end trusts.
    pub trust: TlsTrust,
    /// The names of which the other end's certificate must carry one; absent means that any name will do.
    pub subject_alternative_names: Option<SubjectAlternativeNames>,
}

/// Where trusted authorities come from. App Mesh takes exactly one of the alternatives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsTrust {
    /// Authorities of AWS Private CA. Not on a virtual node's listener, where the field doesn't exist; on a gateway's
    /// listener the field exists and the controller drops it.
    pub acm: Option<AcmTrust>,
    /// A bundle in the proxy's file system.
    pub file: Option<FileTrust>,
    /// From the proxy's Secret Discovery Service.
    pub sds: Option<SdsSecret>,
}

/// Trusted authorities of AWS Private CA.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["certificateAuthorityARNs"]))]
pub struct AcmTrust {
    /// ARNs of the authorities, one to three.
    #[serde(rename = "certificateAuthorityARNs")]
    #[schemars(length(min = 1, max = 3))]
    pub certificate_authority_arns: Vec<String>,
}

/// A bundle of trusted authorities in the file system of the proxy's container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["certificateChain"]))]
pub struct FileTrust {
    /// Path of the PEM file with the authorities' certificates.
    #[schemars(length(min = 1, max = 255))]
    pub certificate_chain: String,
}

/// Names of which a certificate must carry one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["match"]))]
pub struct SubjectAlternativeNames {
    /// How the names are compared.
    pub r#match: SubjectAlternativeNameMatchers,
}

/// The ways to compare names: exact is the only one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["exact"]))]
pub struct SubjectAlternativeNameMatchers {
    /// Names of which one must be equal to one of the certificate's.
    pub exact: Vec<String>,
}

/// What a client asks of the servers that it calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ClientPolicy {
    /// TLS; absent means that the server decides.
    pub tls: Option<ClientPolicyTls>,
}

/// TLS of a client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["validation"]))]
pub struct ClientPolicyTls {
    /// The certificate that the client presents; absent means none.
    pub certificate: Option<ClientTlsCertificate>,
    /// Whether the client insists on TLS; absent means true. See [`is_enforced`](Self::is_enforced).
    pub enforce: Option<bool>,
    /// The server ports that the policy holds for; absent means all.
    #[schemars(inner(range(min = 1, max = 65535)))]
    pub ports: Option<Vec<i64>>,
    /// How the client validates the server's certificate.
    pub validation: TlsValidation,
}

impl ClientPolicyTls {
    /// Whether the client insists on TLS: an absent `enforce` means true.
    #[must_use]
    pub(crate) fn is_enforced(&self) -> bool {
        self.enforce.unwrap_or(true)
    }
}

/// Where a client's certificate comes from. App Mesh takes exactly one of the alternatives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ClientTlsCertificate {
    /// From files in the proxy's container.
    pub file: Option<FileCertificate>,
    /// From the proxy's Secret Discovery Service.
    pub sds: Option<SdsSecret>,
}

/// The validation of a virtual node's listener: [`TlsValidation`] without ACM trust.
///
/// It exists so that `trust.acm`, which a VirtualNode's listener doesn't have and the API server prunes, is reported
/// there as the unknown field that it is, while the rules see one type for both ends.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["trust"]))]
struct NodeListenerValidation {
    /// The certificate authorities that the listener trusts.
    trust: NodeListenerTrust,
    /// The names of which a client's certificate must carry one; absent means that any name will do.
    subject_alternative_names: Option<SubjectAlternativeNames>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
struct NodeListenerTrust {
    /// A bundle in the proxy's file system.
    file: Option<FileTrust>,
    /// From the proxy's Secret Discovery Service.
    sds: Option<SdsSecret>,
}

/// [`ListenerTls`] as a virtual node's listener has it: without ACM trust.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["certificate", "mode"]))]
pub(super) struct NodeListenerTls {
    /// Whether the listener speaks TLS.
    mode: ListenerTlsMode,
    /// The certificate that the listener presents.
    certificate: ListenerTlsCertificate,
    /// How the listener validates its clients' certificates; absent means that it asks for none.
    validation: Option<NodeListenerValidation>,
}

impl NodeListenerTls {
    pub(super) fn deserialize_option<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<ListenerTls>, D::Error> {
        Ok(Option::<Self>::deserialize(deserializer)?.map(ListenerTls::from))
    }
}

impl From<NodeListenerTls> for ListenerTls {
    fn from(tls: NodeListenerTls) -> Self {
        Self {
            mode: tls.mode,
            certificate: tls.certificate,
            validation: tls.validation.map(|validation| TlsValidation {
                trust: TlsTrust { acm: None, file: validation.trust.file, sds: validation.trust.sds },
                subject_alternative_names: validation.subject_alternative_names,
            }),
        }
    }
}
