//! The APIs whose objects become facts: one folder each, behind one registry.
//!
//! A folder holds an API's vocabulary (types, annotations, defaults) and turns its objects into [`Subject`]s: neutral
//! [facts](crate::mesh::Fact) for the mesh, and the object in its own words for the rules on that API's text. Nothing here does I/O.

pub mod appmesh;
pub mod core;
mod decode_error;
mod entry;
mod faults;
pub mod gateway;
pub mod ingress;
mod lenient;
mod lists;
mod objects;
mod past;
pub mod promises;
mod proxy;
mod registry;
mod resource;
mod schema;
mod subject;
mod tape;
mod typed;
mod vetted;

use std::collections::BTreeMap;

use crate::mesh::Workload;

pub use core::WorkloadKind;
pub use decode_error::DecodeError;
pub use entry::Entry;
pub use faults::Undecodable;
pub use gateway::plane_of;
pub(crate) use objects::{decode_ahead, decode_listed};
pub use objects::{decode_object, decode_subject, decode_written};
pub use registry::{Api, Names, Part, Pods, Row};
pub use schema::{SchemaFault, SchemaRefusal};
pub use subject::{Native, Subject, UnknownField};
pub use vetted::Vetted;

/// Every API, those of meshes first.
pub static APIS: [&Api; 5] = [&appmesh::API, &gateway::API, &ingress::API, &core::API, &promises::API];

/// The proxies that APIs give to pods.
fn proxies() -> impl Iterator<Item = &'static proxy::ProxyOf> {
    APIS.into_iter().filter_map(|api| api.proxy.as_ref())
}

/// Whether a workload's pods have a proxy of an API, in a namespace of these labels. None where these aren't known and decide it.
pub(crate) fn is_proxied(api: &str, workload: &Workload, labels: Option<&BTreeMap<String, String>>) -> Option<bool> {
    let Some(proxy) = workload.proxy(api) else { return Some(false) };
    if proxy.brought || proxy.opted_out {
        return Some(proxy.brought);
    }
    let of_api = mesh_api(api).and_then(|(api, _)| api.proxy.as_ref())?;
    labels.map(|labels| (of_api.is_given)(labels, proxy))
}

/// Every kind that facts come from: those of the APIs, and the workloads that are [listed](core::list_workloads).
pub fn rows() -> impl Iterator<Item = &'static Row> {
    APIS.into_iter().flat_map(|api| api.kinds).chain(core::listed_workloads())
}

/// The kinds that are vetted at admission.
pub(crate) fn reviewed_rows() -> impl Iterator<Item = &'static Row> {
    rows().filter(|row| row.is_reviewed())
}

/// The kind of this apiVersion and kind.
pub fn row(api_version: &str, kind: &str) -> Option<&'static Row> {
    rows().find(|row| row.kind.kind == kind && row.kind.api_version == api_version)
}

/// The kind of this group, version and kind.
pub(crate) fn row_of(group: &str, version: &str, kind: &str) -> Option<&'static Row> {
    rows().find(|row| row.kind.kind == kind && row.group == group && row.version == version)
}

/// The kind of this group, version and kind, where it is vetted at admission. The API server converts to the version that the webhook
/// asks for.
pub(crate) fn reviewed_row(group: &str, version: &str, kind: &str) -> Option<&'static Row> {
    reviewed_rows().find(|row| row.kind.kind == kind && row.group == group && row.version == version)
}

/// The APIs of meshes: those whose objects are vetted at admission.
pub(crate) fn mesh_apis() -> impl Iterator<Item = (&'static Api, &'static Names)> {
    APIS.into_iter().filter_map(|api| Some((api, api.names.as_ref()?)))
}

/// The API that a group belongs to, where it is one of meshes.
pub(crate) fn mesh_api(group: &str) -> Option<(&'static Api, &'static Names)> {
    mesh_apis().find(|(api, _)| api.kinds.iter().any(|row| row.group == group))
}

/// What people call something of every API of meshes: `an App Mesh object`.
pub fn words(word: fn(&Names) -> &'static str) -> String {
    let all: Vec<&str> = mesh_apis().map(|(_, names)| word(names)).collect();
    match all.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => all.concat(),
    }
}

/// The same of the APIs that give pods a proxy.
pub(crate) fn words_of_proxied(word: fn(&Names) -> &'static str) -> String {
    let proxied = mesh_apis().filter(|(api, _)| api.proxy.is_some());
    proxied.map(|(_, names)| word(names)).collect::<Vec<_>>().join(" or ")
}

/// What people call something of the API of this group; of every API of meshes, where the group is of none of them.
pub fn word(group: &str, word: fn(&Names) -> &'static str) -> String {
    mesh_api(group).map_or_else(|| words(word), |(_, names)| word(names).to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn words_go_by_the_group_and_else_are_those_of_every_mesh() {
        assert_eq!(word(appmesh::GROUP, |names| names.controller), "the App Mesh controller");
        assert_eq!(word("apps", |names| names.api), words(|names| names.api));
        assert!(words(|names| names.object).contains("an App Mesh object"));
    }

    #[test]
    fn an_api_of_a_mesh_is_found_by_the_group_of_its_members() {
        for (api, names) in mesh_apis() {
            assert!(mesh_api(api.group).is_some_and(|(found, _)| std::ptr::eq(found, api)), "{}", names.api);
            assert!(api.kinds.iter().any(|row| row.part == Part::Member && row.group == api.group), "{}", names.api);
        }
        assert_eq!(appmesh::API.api_versions(), [appmesh::API_VERSION]);
        assert!(mesh_api("apps").is_none() && mesh_api("").is_none());
    }

    #[test]
    fn every_api_has_a_folder_of_its_own() {
        let folders: BTreeSet<&str> = APIS.into_iter().map(|api| api.folder).collect();
        assert_eq!(folders.len(), APIS.len());
        for folder in folders {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/apis").join(folder);
            assert!(path.is_dir(), "{}", path.display());
        }
    }
}
