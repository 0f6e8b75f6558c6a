//! Gateways and ListenerSets as members with ends.

use std::sync::Arc;

use crate::apis::gateway::types::{From, Frontend, GatewaySpec, Listener, ListenerSetSpec, ParentRef, SecretRef};
use crate::apis::gateway::{API_VERSION, GROUP};
use crate::k8s::{FieldPath, Metadata, ObjectRef};
use crate::mesh::{
    Admits, CertificateSource, ClientEnd, Gate, Gateway, KeyRef, Member, NameCheck, Release, ServerEnd, ServerTls,
    StoreKey, TlsMode, TrustSource, Validation,
};

/// A Secret's key for the certificate and its intermediates.
pub(crate) const CHAIN: &str = "tls.crt";
/// A Secret's key for the private key.
pub(crate) const KEY: &str = "tls.key";
/// The key for authorities.
const AUTHORITIES: &str = "ca.crt";

/// A Gateway as a member.
pub(super) fn gateway_member(object: ObjectRef, metadata: &Metadata, spec: &GatewaySpec) -> Member {
    let frontend = spec.tls.as_ref().and_then(|tls| tls.frontend.as_ref());
    let allowed = spec.allowed_listeners.as_ref().and_then(|allowed| allowed.namespaces.as_ref());
    Member {
        noun: "gateway",
        servers: servers(&spec.listeners, object.namespace(), frontend),
        clients: shown_to_backends(spec, object.namespace()).into_iter().collect(),
        gateway: Some(Box::new(Gateway { routes: None, extended_from: admits(allowed, Admits::None) })),
        class: Some(spec.gateway_class_name.clone()).filter(|class| !class.is_empty()),
        ..member(object, metadata)
    }
}

/// The certificate that a Gateway presents to its backends, if a policy makes it speak TLS with them.
fn shown_to_backends(spec: &GatewaySpec, namespace: &str) -> Option<ClientEnd> {
    let reference = spec.tls.as_ref()?.backend.as_ref()?.client_certificate_ref.as_ref()?;
    let field = FieldPath::root().keys(["spec", "tls", "backend"]);
    let certificate = certificate(reference, namespace, &field.key("clientCertificateRef"));
    Some(ClientEnd {
        anchor: Arc::from("its backends"),
        field,
        is_default: true,
        enforce: true,
        ports: Vec::new(),
        certificates: vec![certificate],
        validation: None,
    })
}

/// A ListenerSet: its listeners are added to those of the Gateway that it names.
pub(super) fn listener_set_member(object: ObjectRef, metadata: &Metadata, spec: &ListenerSetSpec) -> Member {
    Member {
        noun: "listener set",
        servers: servers(&spec.listeners, object.namespace(), None),
        gateway: Some(Box::default()),
        extends: parent(&spec.parent_ref, object.namespace()),
        ..member(object, metadata)
    }
}

fn member(object: ObjectRef, metadata: &Metadata) -> Member {
    let release = Release::of(&metadata.labels, &metadata.annotations);
    Member { release, ..Member::plain(object, GROUP, "gateway") }
}

/// The object that a `parentRef` names, if it has listeners. A Service has none.
pub(super) fn parent(reference: &ParentRef, own: &str) -> Option<ObjectRef> {
    let group = reference.group.as_deref().unwrap_or(GROUP);
    let kind = reference.kind.as_deref().unwrap_or("Gateway");
    let namespace = reference.namespace.as_deref().filter(|there| !there.is_empty()).unwrap_or(own);
    let has_listeners = group == GROUP && matches!(kind, "Gateway" | "ListenerSet");
    has_listeners.then(|| ObjectRef::new(API_VERSION, kind, namespace, &reference.name))
}

fn servers(listeners: &[Listener], namespace: &str, frontend: Option<&Frontend>) -> Vec<ServerEnd> {
    let list = FieldPath::root().keys(["spec", "listeners"]);
    listeners
        .iter()
        .enumerate()
        .map(|(index, listener)| {
            let field = list.index(index);
            let port = u16::try_from(listener.port).ok().filter(|port| *port > 0);
            let host = listener.hostname.as_ref().filter(|host| !host.is_empty());
            ServerEnd {
                anchor: Arc::from(format!("listener {}", listener.name)),
                port,
                protocol: listener.protocol.to_lowercase(),
                tls: server_tls(listener, &field, namespace, frontend, port),
                gate: Some(Box::new(Gate {
                    section: listener.name.clone(),
                    host: host.map(|host| (host.clone(), field.key("hostname"))),
                    from: admits(listener.allowed_routes.as_ref().and_then(|it| it.namespaces.as_ref()), Admits::Same),
                    kinds: kinds(listener),
                })),
                field,
            }
        })
        .collect()
}

/// The kinds of routes that a listener allows; those of its protocol if it names none.
fn kinds(listener: &Listener) -> Vec<String> {
    let given: Vec<String> =
        listener.allowed_routes.iter().flat_map(|allowed| &allowed.kinds).map(|kind| kind.kind.clone()).collect();
    let usual: &[&str] = match listener.protocol.as_str() {
        _ if !given.is_empty() => return given,
        "HTTP" | "HTTPS" => &["HTTPRoute", "GRPCRoute"],
        "TLS" => &["TLSRoute", "TCPRoute"],
        _ => &[],
    };
    usual.iter().map(|kind| (*kind).to_owned()).collect()
}

fn server_tls(
    listener: &Listener,
    field: &FieldPath,
    namespace: &str,
    frontend: Option<&Frontend>,
    port: Option<u16>,
) -> Option<ServerTls> {
    if !matches!(listener.protocol.as_str(), "HTTPS" | "TLS") {
        return None;
    }
    let field = field.key("tls");
    let passes = listener.tls.as_ref().is_some_and(|tls| tls.passes_through());
    let references = listener.tls.iter().flat_map(|tls| &tls.certificate_refs).filter(|_| !passes);
    let list = field.key("certificateRefs");
    let certificates = references
        .enumerate()
        .map(|(index, reference)| certificate(reference, namespace, &list.index(index)))
        .collect();
    let validation = frontend.filter(|_| !passes).and_then(|frontend| validation(frontend, namespace, port));
    Some(ServerTls { field, mode: TlsMode::Strict, certificates, covers: Vec::new(), validation })
}

/// The certificate that a reference names.
pub(super) fn certificate(reference: &SecretRef, namespace: &str, field: &FieldPath) -> CertificateSource {
    if !reference.is_secret() {
        return CertificateSource::Elsewhere {
            name: format!("{} {}", reference.kind(), reference.name),
            field: field.clone(),
        };
    }
    let store = StoreKey::secret(reference.namespace_or(namespace), &reference.name);
    let key = |key: &str| KeyRef { store: store.clone(), key: key.to_owned(), field: field.clone() };
    CertificateSource::Keys { chain: key(CHAIN), key: key(KEY) }
}

/// What clients of a port must present. An entry for the port replaces the whole default.
fn validation(frontend: &Frontend, namespace: &str, port: Option<u16>) -> Option<Validation> {
    let at = FieldPath::root().keys(["spec", "tls", "frontend"]);
    let own = frontend.per_port.iter().position(|entry| Some(entry.port) == port.map(i64::from));
    let (tls, at) = match own {
        Some(index) => (frontend.per_port.get(index)?.tls.as_ref(), at.key("perPort").index(index).key("tls")),
        None => (frontend.default.as_ref(), at.key("default")),
    };
    let field = at.key("validation");
    let references = &tls?.validation.as_ref()?.ca_certificate_refs;
    let trust = match references.as_slice() {
        [only] => authorities(only, namespace, &field.key("caCertificateRefs").index(0)),
        _ => None,
    };
    Some(Validation { field, trust, names: NameCheck::Nothing })
}

/// The authorities that a reference names, if they are in a ConfigMap or Secret.
pub(crate) fn authorities(reference: &SecretRef, namespace: &str, field: &FieldPath) -> Option<TrustSource> {
    let there = reference.namespace_or(namespace);
    let store = match (reference.group(), reference.kind()) {
        ("", "ConfigMap") => StoreKey::config_map(there, &reference.name),
        ("", "Secret") => StoreKey::secret(there, &reference.name),
        _ => return None,
    };
    Some(TrustSource::Key(KeyRef { store, key: AUTHORITIES.to_owned(), field: field.clone() }))
}

/// The namespaces that are allowed; `otherwise` if nothing is set.
fn admits(given: Option<&From>, otherwise: Admits) -> Admits {
    let Some(given) = given else { return otherwise };
    match given.from.as_deref() {
        Some("All") => Admits::All,
        Some("Same") => Admits::Same,
        // An absent selector selects nothing.
        Some("Selector") => given.selector.clone().map_or(Admits::None, Admits::Matching),
        Some("None") => Admits::None,
        _ => otherwise,
    }
}
