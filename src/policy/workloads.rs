//! The kinds that own pods, as a policy adds them to the list.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::apis::{self, WorkloadKind};
use crate::policy::error::PolicyError;

/// A kind that owns pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(extend("required" = ["apiVersion", "kind"]))]
pub struct Workload {
    /// Its group and version: `example.com/v1`.
    pub api_version: String,
    /// Its kind: `Fleet`.
    pub kind: String,
    /// The resource's name in URLs and RBAC: `fleets`. Needed with `template`.
    pub plural: String,
    /// Where the pod template is in it, as a JSON pointer: `/spec/template`. Default: the kind has none, and is only between a listed
    /// workload and its pods, as a ReplicaSet is for a Deployment.
    pub template: Option<String>,
    /// Where the selector of its pods is, as a JSON pointer: a label selector or a map of labels. Its labels count as the pods' too.
    pub selector: Option<String>,
    /// A label that its pods get, with the object's name as the value.
    pub name_label: Option<String>,
}

/// The list, looked through.
///
/// # Errors
/// For an entry that can't be one, with its place.
pub(super) fn resolve(entries: &[Workload]) -> Result<Vec<WorkloadKind>, PolicyError> {
    entries.iter().enumerate().map(|(index, entry)| entry.resolve(&format!("workloads[{index}]"))).collect()
}

impl Workload {
    fn resolve(&self, path: &str) -> Result<WorkloadKind, PolicyError> {
        let wrong = |key: &str, problem: &str| {
            Err(PolicyError::Value { path: format!("{path}.{key}"), problem: problem.to_owned() })
        };
        let versioned =
            self.api_version.split_once('/').is_none_or(|(group, version)| is_name(group) && is_name(version));
        if self.api_version.is_empty() || !versioned || self.api_version.matches('/').count() > 1 {
            return wrong("apiVersion", "group and version are written as example.com/v1");
        }
        if self.kind.is_empty() || !self.kind.chars().all(|c| c.is_ascii_alphanumeric()) {
            return wrong("kind", "a kind is written as Fleet");
        }
        let built_in = apis::row(&self.api_version, &self.kind).is_some_and(|row| !row.optional);
        if built_in || apis::mesh_api(self.api_version.split('/').next().unwrap_or_default()).is_some() {
            return wrong("kind", "meshvet already knows this kind");
        }
        if self.template.is_some() && !is_name(&self.plural) {
            return wrong("plural", "a template needs the resource's plural name, as in `kubectl api-resources`");
        }
        for (key, pointer) in [("template", &self.template), ("selector", &self.selector)] {
            if pointer.as_ref().is_some_and(|pointer| !pointer.starts_with('/')) {
                return wrong(key, "a JSON pointer is written as /spec/template");
            }
        }
        Ok(WorkloadKind {
            api_version: self.api_version.clone(),
            kind: self.kind.clone(),
            plural: self.plural.clone(),
            template: self.template.clone(),
            selector: self.selector.clone(),
            name_label: self.name_label.clone(),
        })
    }
}

/// A part of a URL: what RBAC and discovery take for a group, a version or a resource.
fn is_name(text: &str) -> bool {
    let of_a_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    !text.is_empty() && text.chars().all(of_a_name)
}

#[cfg(test)]
mod tests {
    use crate::policy::Policy;

    #[test]
    fn an_entry_is_a_kind_or_is_refused_with_its_place() {
        let policy = Policy::parse(
            "workloads: [{apiVersion: example.com/v1, kind: Fleet, plural: fleets, template: /spec/template}, \
             {apiVersion: example.com/v1, kind: Squad}]",
        );
        let kinds = policy.expect("a policy").workloads().to_vec();
        assert_eq!(kinds.len(), 2);
        assert_eq!((kinds[0].plural.as_str(), kinds[1].template.as_deref()), ("fleets", None));
        for (entry, words) in [
            ("{kind: Fleet}", "workloads[0].apiVersion: group and version are written as example.com/v1"),
            ("{apiVersion: a/b/c, kind: Fleet}", "workloads[0].apiVersion"),
            ("{apiVersion: example.com/v1}", "workloads[0].kind: a kind is written as Fleet"),
            ("{apiVersion: example.com/v1, kind: Fleet, template: /spec}", "workloads[0].plural"),
            ("{apiVersion: a.b/v1, kind: Fleet, plural: fleets, template: spec.pods}", "workloads[0].template: a JSON"),
            ("{apiVersion: apps/v1, kind: Deployment}", "meshvet already knows this kind"),
            ("{apiVersion: appmesh.k8s.aws/v1beta2, kind: Fleet}", "meshvet already knows this kind"),
            ("{apiVersion: a.b/v1, knd: Fleet}", "workloads[0].knd: unknown key; did you mean `kind`?"),
        ] {
            let error = Policy::parse(&format!("workloads: [{entry}]")).expect_err(entry).to_string();
            assert!(error.contains(words), "{entry}: {error}");
        }
    }
}
