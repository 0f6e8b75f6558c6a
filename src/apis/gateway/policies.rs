//! BackendTLSPolicies: how a gateway connects to a Service.

use std::sync::Arc;

use jiff::Timestamp;

use crate::apis::gateway::members::authorities;
use crate::apis::gateway::types::BackendTlsPolicySpec;
use crate::k8s::{FieldPath, Metadata, ObjectRef};
use crate::mesh::{Aim, Attached, ClientEnd, NameCheck, TrustSource, Validation};

/// A policy, attached to Services of its own namespace.
pub(super) fn attached(object: ObjectRef, metadata: &Metadata, spec: &BackendTlsPolicySpec) -> Attached {
    let at = FieldPath::root().key("spec");
    let targets = spec.target_refs.iter().filter(|target| target.kind == "Service" && target.group.is_empty());
    let aims = targets.map(|target| Aim {
        target: ObjectRef::new("v1", "Service", object.namespace(), &target.name),
        section: target.section_name.clone().filter(|section| !section.is_empty()),
    });
    let created = metadata.creation_timestamp.as_deref().and_then(|time| time.parse::<Timestamp>().ok());
    Attached {
        aims: aims.collect(),
        // A manifest without a creation time counts as newer than any object that has one.
        rank: created.map_or(i64::MAX, Timestamp::as_second),
        client: ClientEnd {
            anchor: Arc::from("validation"),
            field: at.key("validation"),
            is_default: false,
            enforce: true,
            ports: Vec::new(),
            certificates: Vec::new(),
            validation: Some(validation(spec, object.namespace(), &at.key("validation"))),
        },
        object,
    }
}

/// The certificate is checked against `hostname`, unless `subjectAltNames` lists names.
fn validation(spec: &BackendTlsPolicySpec, namespace: &str, field: &FieldPath) -> Validation {
    let given = &spec.validation;
    let list = field.key("subjectAltNames");
    let names = given.subject_alt_names.iter().enumerate().filter_map(|(index, name)| {
        let text = name.hostname.as_ref().or(name.uri.as_ref())?;
        Some((text.clone(), list.index(index)))
    });
    let names: Vec<_> = names.collect();
    let references = field.key("caCertificateRefs");
    let trust = match (given.ca_certificate_refs.as_slice(), given.well_known_ca_certificates.as_deref()) {
        ([only], _) => authorities(only, namespace, &references.index(0)),
        ([], Some("System")) => Some(TrustSource::System(field.key("wellKnownCACertificates"))),
        _ => None,
    };
    let names = match names.is_empty() {
        true => NameCheck::Name(given.hostname.clone(), field.key("hostname")),
        false => NameCheck::List(names),
    };
    Validation { field: field.clone(), trust, names }
}
