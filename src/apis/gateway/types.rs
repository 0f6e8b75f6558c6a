//! The fields of Gateway API's objects that are read. They are in the same places in every version.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::apis::gateway::ENVOY_PROXY;
use crate::apis::lenient::or_default;
use crate::k8s::LabelSelector;

/// A GatewayClass.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GatewayClassSpec {
    #[serde(deserialize_with = "or_default")]
    pub(crate) controller_name: String,
    pub(crate) parameters_ref: Option<ParametersRef>,
}

/// The object with a class's settings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ParametersRef {
    #[serde(deserialize_with = "or_default")]
    pub(crate) group: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) kind: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
}

impl ParametersRef {
    /// Whether it names settings of Envoy Gateway.
    pub(crate) fn is_envoy_proxy(&self) -> bool {
        ENVOY_PROXY.0.split_once('/').is_some_and(|(group, _)| group == self.group) && self.kind == ENVOY_PROXY.1
    }
}

/// Envoy Gateway's EnvoyProxy.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct EnvoyProxySpec {
    pub(crate) merge_gateways: Option<bool>,
}

/// A Gateway.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GatewaySpec {
    #[serde(deserialize_with = "or_default")]
    pub(crate) gateway_class_name: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) listeners: Vec<Listener>,
    pub(crate) allowed_listeners: Option<AllowedListeners>,
    pub(crate) tls: Option<GatewayTls>,
}

/// Which ListenerSets a Gateway allows.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct AllowedListeners {
    pub(crate) namespaces: Option<From>,
}

/// Some namespaces.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct From {
    pub(crate) from: Option<String>,
    pub(crate) selector: Option<LabelSelector>,
}

/// The TLS settings of a whole Gateway.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GatewayTls {
    pub(crate) frontend: Option<Frontend>,
    pub(crate) backend: Option<BackendTls>,
}

/// What clients must present.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Frontend {
    pub(crate) default: Option<FrontendTls>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) per_port: Vec<PerPort>,
}

/// The same for one port.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PerPort {
    #[serde(deserialize_with = "or_default")]
    pub(crate) port: i64,
    pub(crate) tls: Option<FrontendTls>,
}

/// How clients are validated.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct FrontendTls {
    pub(crate) validation: Option<FrontendValidation>,
}

/// The authorities of client certificates, and what happens without one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct FrontendValidation {
    #[serde(deserialize_with = "or_default")]
    pub(crate) ca_certificate_refs: Vec<SecretRef>,
    pub(crate) mode: Option<String>,
}

/// What the Gateway presents to backends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct BackendTls {
    pub(crate) client_certificate_ref: Option<SecretRef>,
}

/// A ListenerSet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListenerSetSpec {
    pub(crate) parent_ref: ParentRef,
    #[serde(deserialize_with = "or_default")]
    pub(crate) listeners: Vec<Listener>,
}

/// A listener.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Listener {
    #[serde(deserialize_with = "or_default")]
    pub(crate) name: String,
    pub(crate) hostname: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) port: i64,
    #[serde(deserialize_with = "or_default")]
    pub(crate) protocol: String,
    pub(crate) tls: Option<ListenerTls>,
    pub(crate) allowed_routes: Option<AllowedRoutes>,
}

/// A listener's TLS settings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ListenerTls {
    pub(crate) mode: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) certificate_refs: Vec<SecretRef>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) options: BTreeMap<String, serde_json::Value>,
}

impl ListenerTls {
    /// Whether the listener hands the connection on without decrypting it.
    pub(crate) fn passes_through(&self) -> bool {
        self.mode.as_deref() == Some("Passthrough")
    }
}

/// Which routes a listener allows.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct AllowedRoutes {
    pub(crate) namespaces: Option<From>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) kinds: Vec<RouteKind>,
}

/// A kind of routes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RouteKind {
    #[serde(deserialize_with = "or_default")]
    pub(crate) kind: String,
}

/// A reference to a Secret, a ConfigMap or something else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SecretRef {
    pub(crate) group: Option<String>,
    pub(crate) kind: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
}

impl SecretRef {
    /// The group, empty for the core group.
    pub(crate) fn group(&self) -> &str {
        self.group.as_deref().unwrap_or_default()
    }

    /// The kind, Secret by default.
    pub(crate) fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or("Secret")
    }

    /// `Secret`, or with a group: `ClusterTrustBundle.certificates.k8s.io`.
    pub(crate) fn full_kind(&self) -> String {
        match self.group() {
            "" => self.kind().to_owned(),
            group => format!("{}.{group}", self.kind()),
        }
    }

    /// Whether it names a Secret.
    pub(crate) fn is_secret(&self) -> bool {
        self.group().is_empty() && self.kind() == "Secret"
    }

    /// The namespace; by default that of the object with the reference.
    pub(crate) fn namespace_or<'a>(&'a self, own: &'a str) -> &'a str {
        self.namespace.as_deref().filter(|there| !there.is_empty()).unwrap_or(own)
    }
}

/// What a route attaches to, or a ListenerSet adds listeners to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ParentRef {
    pub(crate) group: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) namespace: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) name: String,
    pub(crate) section_name: Option<String>,
    pub(crate) port: Option<i64>,
}

/// A route of any kind.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RouteSpec {
    #[serde(deserialize_with = "or_default")]
    pub(crate) parent_refs: Vec<ParentRef>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) hostnames: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) rules: Vec<RouteRule>,
}

/// A rule of a route: where it leads.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RouteRule {
    #[serde(deserialize_with = "or_default")]
    pub(crate) backend_refs: Vec<BackendRef>,
}

/// A backend.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct BackendRef {
    pub(crate) group: Option<String>,
    pub(crate) kind: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
    pub(crate) port: Option<i64>,
    pub(crate) weight: Option<i64>,
}

/// A ReferenceGrant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GrantSpec {
    #[serde(deserialize_with = "or_default")]
    pub(crate) from: Vec<GrantFrom>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) to: Vec<GrantTo>,
}

/// Who may have a reference.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GrantFrom {
    #[serde(deserialize_with = "or_default")]
    pub(crate) group: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) kind: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) namespace: String,
}

/// What may be referred to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GrantTo {
    #[serde(deserialize_with = "or_default")]
    pub(crate) group: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) kind: String,
    pub(crate) name: Option<String>,
}

/// A BackendTLSPolicy.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BackendTlsPolicySpec {
    #[serde(deserialize_with = "or_default")]
    pub(crate) target_refs: Vec<TargetRef>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) validation: BackendValidation,
}

/// What a policy is attached to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct TargetRef {
    #[serde(deserialize_with = "or_default")]
    pub(crate) group: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) kind: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) name: String,
    pub(crate) section_name: Option<String>,
}

/// What a backend must present.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct BackendValidation {
    #[serde(deserialize_with = "or_default")]
    pub(crate) ca_certificate_refs: Vec<SecretRef>,
    #[serde(rename = "wellKnownCACertificates")]
    pub(crate) well_known_ca_certificates: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) hostname: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) subject_alt_names: Vec<SubjectAltName>,
}

/// A name that a backend's certificate may have.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SubjectAltName {
    pub(crate) hostname: Option<String>,
    pub(crate) uri: Option<String>,
}
