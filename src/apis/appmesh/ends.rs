//! Listeners and client policies of App Mesh as ends.

use std::collections::HashMap;
use std::sync::Arc;

use crate::apis::appmesh::{
    AcmTrust, ClientPolicy, FileCertificate, ListenerTls, ListenerTlsMode, PortMapping, SdsSecret, ServiceDiscovery,
    TlsTrust, TlsValidation,
};
use crate::k8s::FieldPath;
use crate::mesh::{
    ArnRef, CertificateSource, ClientEnd, Covered, Discovery, FileRef, NameCheck, ServerEnd, ServerTls, TlsMode,
    TrustSource, Validation,
};

/// Gives each anchor once: a second listener of one port becomes `listener 8080 (2)`.
#[derive(Default)]
pub(super) struct Anchors {
    seen: HashMap<String, usize>,
}

impl Anchors {
    pub(super) fn next(&mut self, anchor: String) -> String {
        let count = self.seen.entry(anchor.clone()).or_insert(0);
        *count += 1;
        if *count == 1 { anchor } else { format!("{anchor} ({count})") }
    }
}

/// The listeners of a virtual node or gateway, whose certificates must cover these names.
pub(super) fn server_ends<'a>(
    spec: &FieldPath,
    listeners: impl Iterator<Item = (&'a PortMapping, Option<&'a ListenerTls>)>,
    covers: &[Covered],
) -> Vec<ServerEnd> {
    let mut anchors = Anchors::default();
    let list = spec.key("listeners");
    listeners
        .enumerate()
        .map(|(index, (mapping, tls))| {
            let field = list.index(index);
            ServerEnd {
                anchor: Arc::from(anchors.next(match mapping.port {
                    0 => "listener without a port".to_owned(),
                    port => format!("listener {port}"),
                })),
                port: u16::try_from(mapping.port).ok().filter(|port| *port > 0),
                protocol: mapping.protocol.clone(),
                tls: tls.map(|tls| server_tls(field.key("tls"), tls, covers)),
                gate: None,
                field,
            }
        })
        .collect()
}

fn server_tls(field: FieldPath, tls: &ListenerTls, covers: &[Covered]) -> ServerTls {
    let mode = match tls.mode {
        ListenerTlsMode::Disabled => TlsMode::Disabled,
        ListenerTlsMode::Strict => TlsMode::Strict,
        // One that is missing or misspelt is for the API server to refuse. TLS is meant, and nothing follows from plaintext.
        ListenerTlsMode::Permissive | ListenerTlsMode::Other(_) => TlsMode::Permissive,
    };
    let at = field.key("certificate");
    let given = &tls.certificate;
    let certificate = match (&given.file, &given.acm, &given.sds) {
        (Some(file), None, None) => Some(file_source(&at, file)),
        (None, Some(acm), None) => {
            let field = at.keys(["acm", "certificateARN"]);
            Some(CertificateSource::Acm(ArnRef { arn: acm.certificate_arn.clone(), field }))
        }
        (None, None, Some(sds)) => Some(sds_source(&at, sds)),
        _ => None,
    };
    let given = tls.validation.as_ref();
    let mut validation = given.map(|given| validation(&field.key("validation"), given, NameCheck::Nothing));
    // App Mesh drops it: a listener that trusts by ACM trusts by nothing.
    if let Some(validation) = &mut validation
        && matches!(validation.trust, Some(TrustSource::Acm(_)))
    {
        validation.trust = None;
    }
    let certificates = certificate.into_iter().collect();
    ServerTls { field, mode, certificates, covers: covers.to_vec(), validation }
}

/// A client policy, where it says anything of TLS. An absent `enforce` means true (App Mesh API Reference, ClientPolicyTls).
pub(super) fn client_end(policy_field: &FieldPath, policy: Option<&ClientPolicy>, anchor: &str) -> Option<ClientEnd> {
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
        is_default: false,
        enforce: tls.is_enforced(),
        ports: tls.ports.iter().flatten().filter_map(|port| u16::try_from(*port).ok()).collect(),
        certificates: certificate.into_iter().collect(),
        validation: Some(validation(&field.key("validation"), &tls.validation, NameCheck::Host)),
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

/// What an end demands. Without a list it checks names as `unlisted` says.
fn validation(field: &FieldPath, given: &TlsValidation, unlisted: NameCheck) -> Validation {
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
    let names: Vec<_> = given
        .subject_alternative_names
        .iter()
        .flat_map(|names| &names.r#match.exact)
        .enumerate()
        .map(|(index, name)| (name.clone(), exact.index(index)))
        .collect();
    let names = if names.is_empty() { unlisted } else { NameCheck::List(names) };
    Validation { field: field.clone(), trust, names }
}

fn acm_trust(at: &FieldPath, acm: &AcmTrust) -> TrustSource {
    let list = at.keys(["acm", "certificateAuthorityARNs"]);
    let arns = acm.certificate_authority_arns.iter().enumerate();
    TrustSource::Acm(arns.map(|(index, arn)| ArnRef { arn: arn.clone(), field: list.index(index) }).collect())
}

/// Dns or Cloud Map; both at once is App Mesh's to refuse (MV004), and a name that is missing the API server's: they claim nothing here.
pub(super) fn discovery(spec: &FieldPath, given: Option<&ServiceDiscovery>) -> Discovery {
    let at = spec.key("serviceDiscovery");
    match given.map(|given| (&given.dns, &given.aws_cloud_map)) {
        Some((Some(dns), None)) if !dns.hostname.is_empty() => {
            Discovery::Dns { hostname: dns.hostname.clone(), field: at.keys(["dns", "hostname"]) }
        }
        Some((None, Some(map))) if ![&map.namespace_name, &map.service_name].iter().any(|name| name.is_empty()) => {
            Discovery::CloudMap {
                namespace: map.namespace_name.clone(),
                service: map.service_name.clone(),
                field: at.key("awsCloudMap"),
            }
        }
        _ => Discovery::None,
    }
}
