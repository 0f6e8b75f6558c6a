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
                anchor: Arc::from(anchors.next(format!("listener {}", mapping.port))),
                port: u16::try_from(mapping.port).ok().filter(|port| *port > 0),
                protocol: mapping.protocol.clone(),
                tls: tls.and_then(|tls| server_tls(field.key("tls"), tls, covers)),
                field,
            }
        })
        .collect()
}

/// None for a mode that App Mesh doesn't know: the API refuses it, and no proxy ever sees it.
fn server_tls(field: FieldPath, tls: &ListenerTls, covers: &[Covered]) -> Option<ServerTls> {
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
    Some(ServerTls { field, mode, certificates, covers: covers.to_vec(), validation })
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

/// Dns or Cloud Map; both at once is App Mesh's to refuse (MV004), and claims nothing here.
pub(super) fn discovery(spec: &FieldPath, given: Option<&ServiceDiscovery>) -> Discovery {
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
