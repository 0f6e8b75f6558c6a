//! App Mesh's virtual nodes and gateways as members with ends.

use std::collections::HashMap;
use std::sync::Arc;

use crate::apis::appmesh::{
    API_VERSION, AcmTrust, ClientPolicy, FileCertificate, ListenerTls, ListenerTlsMode, PortMapping, SdsSecret,
    ServiceDiscovery, TlsTrust, TlsValidation, VirtualGateway, VirtualNode,
};
use crate::k8s::FieldPath;
use crate::k8s::Metadata;
use crate::k8s::ObjectRef;
use crate::mesh::Name;
use crate::mesh::{
    BACKEND_DEFAULTS, Backend, CertificateSource, ClientEnd, Discovery, FileRef, ServerEnd, ServerTls, TlsMode,
    TrustSource, Validation,
};
use crate::mesh::{BackendEntry, Definition, Member, OwnPolicy};

/// A virtual node as a member. `namespace` is where the object stands, which its metadata may leave out.
pub fn node_member(node: VirtualNode, namespace: &str) -> Member {
    let VirtualNode { metadata, spec, status } = node;
    let at = FieldPath::root().key("spec");
    let listeners = spec.listeners.iter().map(|listener| (&listener.port_mapping, listener.tls.as_ref()));
    let servers = server_ends(&at, listeners);
    let (mut clients, mut backends) = (Vec::new(), Vec::new());
    let defaults = spec.backend_defaults.as_ref().and_then(|defaults| defaults.client_policy.as_ref());
    clients.extend(client_end(&at.keys(["backendDefaults", "clientPolicy"]), defaults, None, BACKEND_DEFAULTS));
    let mut anchors = Anchors::default();
    for (index, backend) in spec.backends.iter().enumerate() {
        let service = &backend.virtual_service;
        // An ARN beats a reference (App Mesh controller, backend conversion).
        let target = match (&service.virtual_service_arn, &service.virtual_service_ref) {
            (Some(arn), _) => Some(Backend::Arn(arn.clone())),
            (None, Some(reference)) => Some(Backend::Service {
                namespace: reference.namespace_or(namespace).to_owned(),
                name: reference.name.clone(),
            }),
            (None, None) => None,
        };
        let anchor = anchors.next(match &target {
            Some(Backend::Arn(arn)) => format!("backend {arn}"),
            Some(Backend::Service { namespace, name }) => format!("backend {namespace}/{name}"),
            None => "backend without a service".to_owned(),
        });
        let field = at.key("backends").index(index).keys(["virtualService", "clientPolicy"]);
        let own = client_end(&field, service.client_policy.as_ref(), target.clone(), &anchor);
        let policy = match (&service.client_policy, &own) {
            (None, _) => OwnPolicy::Inherited,
            (Some(_), None) => OwnPolicy::Own(None),
            (Some(_), Some(_)) => OwnPolicy::Own(Some(clients.len())),
        };
        clients.extend(own);
        backends.extend(target.map(|target| BackendEntry { target, policy }));
    }
    Member {
        object: object_ref("VirtualNode", namespace, &metadata),
        discovery: discovery(&at, spec.service_discovery.as_ref()),
        pod_selector: spec.pod_selector.clone(),
        labels: metadata.labels,
        annotations: metadata.annotations,
        servers,
        clients,
        backends,
        backend_groups: spec
            .backend_groups
            .iter()
            .map(|group| Name::new(group.namespace_or(namespace), &group.name))
            .collect(),
        mesh_ref: spec.mesh_ref.as_ref().map(|mesh| mesh.name.clone()),
        arn: status.and_then(|status| status.virtual_node_arn),
        definition: Definition::VirtualNode(Box::new(spec)),
    }
}

/// A virtual gateway as a member: it has listeners and backend defaults, and no service discovery.
pub fn gateway_member(gateway: VirtualGateway, namespace: &str) -> Member {
    let VirtualGateway { metadata, spec, status } = gateway;
    let at = FieldPath::root().key("spec");
    let listeners = spec.listeners.iter().map(|listener| (&listener.port_mapping, listener.tls.as_ref()));
    let servers = server_ends(&at, listeners);
    let defaults = spec.backend_defaults.as_ref().and_then(|defaults| defaults.client_policy.as_ref());
    let field = at.keys(["backendDefaults", "clientPolicy"]);
    Member {
        object: object_ref("VirtualGateway", namespace, &metadata),
        discovery: Discovery::None,
        pod_selector: spec.pod_selector.clone(),
        labels: metadata.labels,
        annotations: metadata.annotations,
        servers,
        clients: client_end(&field, defaults, None, BACKEND_DEFAULTS).into_iter().collect(),
        backends: Vec::new(),
        backend_groups: Vec::new(),
        mesh_ref: spec.mesh_ref.as_ref().map(|mesh| mesh.name.clone()),
        arn: status.and_then(|status| status.virtual_gateway_arn),
        definition: Definition::VirtualGateway(Box::new(spec)),
    }
}

fn object_ref(kind: &str, namespace: &str, metadata: &Metadata) -> ObjectRef {
    let name = match (&metadata.name, &metadata.generate_name) {
        (name, Some(prefix)) if name.is_empty() => format!("{prefix}…"),
        (name, _) => name.clone(),
    };
    ObjectRef::new(API_VERSION, kind, namespace, &name)
}

/// Gives each anchor once: a second listener of one port becomes `listener 8080 (2)`.
#[derive(Default)]
struct Anchors {
    seen: HashMap<String, usize>,
}

impl Anchors {
    fn next(&mut self, anchor: String) -> String {
        let count = self.seen.entry(anchor.clone()).or_insert(0);
        *count += 1;
        if *count == 1 { anchor } else { format!("{anchor} ({count})") }
    }
}

fn server_ends<'a>(
    spec: &FieldPath,
    listeners: impl Iterator<Item = (&'a PortMapping, Option<&'a ListenerTls>)>,
) -> Vec<ServerEnd> {
    let mut anchors = Anchors::default();
    let list = spec.key("listeners");
    listeners
        .enumerate()
        .map(|(index, (mapping, tls))| {
            let field = list.index(index);
            ServerEnd {
                anchor: Arc::from(anchors.next(format!("listener {}", mapping.port))),
                port: u16::try_from(mapping.port).ok().filter(|port| *port > 0),
                protocol: mapping.protocol.clone(),
                tls: tls.and_then(|tls| server_tls(field.key("tls"), tls)),
                field,
            }
        })
        .collect()
}

/// None for a mode that App Mesh doesn't know: the API refuses it, and no proxy ever sees it.
fn server_tls(field: FieldPath, tls: &ListenerTls) -> Option<ServerTls> {
    let mode = match tls.mode {
        ListenerTlsMode::Disabled => TlsMode::Disabled,
        ListenerTlsMode::Permissive => TlsMode::Permissive,
        ListenerTlsMode::Strict => TlsMode::Strict,
        ListenerTlsMode::Other(_) => return None,
    };
    let at = field.key("certificate");
    let given = &tls.certificate;
    let certificate = match (&given.file, &given.acm, &given.sds) {
        (Some(file), None, None) => Some(file_source(&at, file)),
        (None, Some(acm), None) => {
            let field = at.keys(["acm", "certificateARN"]);
            Some(CertificateSource::Acm(FileRef { path: acm.certificate_arn.clone(), field }))
        }
        (None, None, Some(sds)) => Some(sds_source(&at, sds)),
        _ => None,
    };
    let mut validation = tls.validation.as_ref().map(|given| validation(&field.key("validation"), given));
    // App Mesh drops it: a listener that trusts by ACM trusts by nothing.
    if let Some(validation) = &mut validation
        && matches!(validation.trust, Some(TrustSource::Acm(_)))
    {
        validation.trust = None;
    }
    Some(ServerTls { field, mode, certificate, validation })
}

fn client_end(
    policy_field: &FieldPath,
    policy: Option<&ClientPolicy>,
    backend: Option<Backend>,
    anchor: &str,
) -> Option<ClientEnd> {
    let tls = policy?.tls.as_ref()?;
    let field = policy_field.key("tls");
    let at = field.key("certificate");
    let certificate = tls.certificate.as_ref().and_then(|given| match (&given.file, &given.sds) {
        (Some(file), None) => Some(file_source(&at, file)),
        (None, Some(sds)) => Some(sds_source(&at, sds)),
        _ => None,
    });
    Some(ClientEnd {
        anchor: Arc::from(anchor),
        backend,
        enforce: tls.is_enforced(),
        ports: tls.ports.iter().flatten().filter_map(|port| u16::try_from(*port).ok()).collect(),
        certificate,
        validation: Some(validation(&field.key("validation"), &tls.validation)),
        field,
    })
}

fn file_source(at: &FieldPath, file: &FileCertificate) -> CertificateSource {
    let at = at.key("file");
    CertificateSource::File {
        chain: FileRef { path: file.certificate_chain.clone(), field: at.key("certificateChain") },
        key: FileRef { path: file.private_key.clone(), field: at.key("privateKey") },
    }
}

fn sds_source(at: &FieldPath, sds: &SdsSecret) -> CertificateSource {
    CertificateSource::Sds { secret_name: sds.secret_name.clone(), field: at.keys(["sds", "secretName"]) }
}

fn validation(field: &FieldPath, given: &TlsValidation) -> Validation {
    let at = field.key("trust");
    let TlsTrust { acm, file, sds } = &given.trust;
    let trust = match (file, acm, sds) {
        (Some(file), None, None) => Some(TrustSource::File(FileRef {
            path: file.certificate_chain.clone(),
            field: at.keys(["file", "certificateChain"]),
        })),
        (None, Some(acm), None) => Some(acm_trust(&at, acm)),
        (None, None, Some(sds)) => {
            Some(TrustSource::Sds { secret_name: sds.secret_name.clone(), field: at.keys(["sds", "secretName"]) })
        }
        _ => None,
    };
    let exact = field.keys(["subjectAlternativeNames", "match", "exact"]);
    let names = given
        .subject_alternative_names
        .iter()
        .flat_map(|names| &names.r#match.exact)
        .enumerate()
        .map(|(index, name)| (name.clone(), exact.index(index)))
        .collect();
    Validation { field: field.clone(), trust, names }
}

fn acm_trust(at: &FieldPath, acm: &AcmTrust) -> TrustSource {
    let list = at.keys(["acm", "certificateAuthorityARNs"]);
    let arns = acm.certificate_authority_arns.iter().enumerate();
    TrustSource::Acm(arns.map(|(index, arn)| FileRef { path: arn.clone(), field: list.index(index) }).collect())
}

/// Dns or Cloud Map; both at once is App Mesh's to refuse (MV004), and claims nothing here.
fn discovery(spec: &FieldPath, given: Option<&ServiceDiscovery>) -> Discovery {
    let at = spec.key("serviceDiscovery");
    match given.map(|given| (&given.dns, &given.aws_cloud_map)) {
        Some((Some(dns), None)) => {
            Discovery::Dns { hostname: dns.hostname.clone(), field: at.keys(["dns", "hostname"]) }
        }
        Some((None, Some(map))) => Discovery::CloudMap {
            namespace: map.namespace_name.clone(),
            service: map.service_name.clone(),
            field: at.key("awsCloudMap"),
        },
        _ => Discovery::None,
    }
}
