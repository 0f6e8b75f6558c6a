//! # MV507: `policy-misses-port`
//!
//! ## What it checks
//! Whether the `sectionName` of a BackendTLSPolicy's target is the name of a port of that Service. A Service that doesn't exist isn't
//! checked: it may follow. When a policy is applied this only warns, since the Service may be changed next.
//!
//! ## Why it matters
//! The policy isn't applied (`TargetNotFound`), and requests go to the backend in plaintext.
//!
//! ## Example
//! ```yaml
//! targetRefs: [{group: "", kind: Service, name: api, sectionName: "8443"}]   # and the Service's port is named https
//! ```
//!
//! ## How to fix
//! Give the name of the port, not its number; or leave `sectionName` out to mean every port.

use crate::finding::{Problem, Severity, Site};
use crate::k8s::FieldPath;
use crate::mesh::{SERVICE, Service};
use crate::pki::nearest_name;
use crate::rules::context::{Context, Surface};
use crate::rules::gateway::policy;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some((own, spec)) = policy(cx) else { return };
    let severity = if cx.surface == Surface::Check { Severity::Deny } else { Severity::Warn };
    for aim in own.aims.iter().filter(|aim| aim.target.is_a(SERVICE)) {
        let Some(section) = &aim.section else { continue };
        let Some(service) = cx.view.service(&aim.target) else { continue };
        if service.port_names.contains(section) {
            continue;
        }
        let is_it = |name: &str, wanted: &Option<String>| name == aim.target.name && wanted.as_ref() == Some(section);
        let index = spec.target_refs.iter().position(|target| is_it(&target.name, &target.section_name));
        let field = FieldPath::root().keys(["spec", "targetRefs"]).index(index.unwrap_or(0)).key("sectionName");
        let message = format!("{} has no port named {section}", aim.target);
        out.add(
            Problem::new(severity, Site::new(format!("target {}", aim.target.name), field), message)
                .expected("the name of one of its ports")
                .found(found(service, section))
                .consequence("the policy isn't applied (TargetNotFound): requests go to the backend in plaintext")
                .fix("set sectionName to the port's name, or leave it out to mean every port"),
        );
    }
}

fn found(service: &Service, section: &str) -> String {
    let numbered = service.ports.iter().find(|port| port.port.to_string() == section);
    if let Some(port) = numbered {
        return match &port.name {
            Some(name) => format!("the number of port {name}"),
            None => "the number of a port that has no name".to_owned(),
        };
    }
    if service.port_names.is_empty() {
        return "its port has no name".to_owned();
    }
    let near = nearest_name(section, service.port_names.iter().map(String::as_str));
    let hint = near.map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
    format!("{}{hint}", service.port_names.join(", "))
}
