//! A user's missing rights: one sentence, and the role that grants them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use thiserror::Error;

/// The text before a [role](Lacking::role) in output.
pub(crate) const TO_APPLY: &str = "for an administrator to apply:";

/// The user that the API server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Who {
    User(String),
    ServiceAccount(String, String),
    Unknown,
}

/// Missing rights.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", self.told())]
pub(crate) struct Lacking {
    who: Who,
    /// The namespace; None: all namespaces.
    namespace: Option<String>,
    /// Verbs and resources, by API group.
    rights: BTreeMap<(String, BTreeSet<String>), BTreeSet<String>>,
    /// The resources as RBAC names them, in the order found.
    resources: Vec<String>,
    verbs: BTreeSet<String>,
}

impl Lacking {
    /// Nothing yet. `message`: the API server's 403, which names the user.
    pub(crate) fn new(message: &str, namespace: Option<&str>) -> Self {
        let name = message.split_once("User \"").and_then(|(_, rest)| rest.split_once('"')).map(|(name, _)| name);
        Self::of_user(name, namespace)
    }

    /// Nothing yet, for the user with this name, if known.
    pub(crate) fn of_user(name: Option<&str>, namespace: Option<&str>) -> Self {
        let account = name.and_then(|name| name.strip_prefix("system:serviceaccount:")?.split_once(':'));
        let who = match (account, name) {
            (Some((namespace, name)), _) => Who::ServiceAccount(namespace.to_owned(), name.to_owned()),
            (None, Some(name)) => Who::User(name.to_owned()),
            (None, None) => Who::Unknown,
        };
        Self {
            who,
            namespace: namespace.map(str::to_owned),
            rights: BTreeMap::new(),
            resources: Vec::new(),
            verbs: BTreeSet::new(),
        }
    }

    /// Adds verbs on a resource of a group.
    #[must_use]
    pub(crate) fn of(mut self, group: &str, plural: &str, verbs: &[&str]) -> Self {
        let verbs: BTreeSet<String> = verbs.iter().map(|&verb| verb.to_owned()).collect();
        self.rights.entry((group.to_owned(), verbs.clone())).or_default().insert(plural.to_owned());
        self.resources.push(if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") });
        self.verbs.extend(verbs);
        self
    }

    /// One sentence: `you (jane) may not list pods, deployments.apps in namespace shop`.
    pub(crate) fn told(&self) -> String {
        let who = match &self.who {
            Who::User(name) => format!("you ({name})"),
            Who::ServiceAccount(namespace, name) => format!("you (ServiceAccount {namespace}/{name})"),
            Who::Unknown => "you".to_owned(),
        };
        let verbs: Vec<&str> = self.verbs.iter().map(String::as_str).collect();
        let within =
            self.namespace.as_ref().map_or("in all namespaces".to_owned(), |name| format!("in namespace {name}"));
        format!("{who} may not {} {} {within}", joined(&verbs), self.resources.join(", "))
    }

    /// The role that grants them, bound to the user, for an administrator to apply.
    pub(crate) fn role(&self) -> String {
        let (kind, within) = match &self.namespace {
            None => ("ClusterRole", String::new()),
            Some(namespace) => ("Role", format!(", namespace: {namespace}")),
        };
        let mut text = format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata: {{name: meshvet-reader{within}}}\nrules:\n"
        );
        let list = |items: &BTreeSet<String>| items.iter().cloned().collect::<Vec<_>>().join(", ");
        for ((group, verbs), resources) in &self.rights {
            let group = if group.is_empty() { "\"\"" } else { group };
            let _ = writeln!(
                text,
                "  - {{apiGroups: [{group}], resources: [{}], verbs: [{}]}}",
                list(resources),
                list(verbs)
            );
        }
        let subject = match &self.who {
            Who::User(name) => format!("{{kind: User, apiGroup: rbac.authorization.k8s.io, name: {name:?}}}"),
            Who::ServiceAccount(namespace, name) => {
                format!("{{kind: ServiceAccount, namespace: {namespace}, name: {name}}}")
            }
            Who::Unknown => "{kind: User, apiGroup: rbac.authorization.k8s.io, name: YOU}".to_owned(),
        };
        let _ = write!(
            text,
            "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}Binding\nmetadata: {{name: meshvet-reader{within}}}\n\
             roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {kind}, name: meshvet-reader}}\nsubjects:\n  - {subject}"
        );
        text
    }
}

/// `get, list and watch`.
fn joined(verbs: &[&str]) -> String {
    match verbs {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        verbs => verbs.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_read_as_a_list() {
        let lacking = Lacking::of_user(Some("jane"), None).of("", "pods", &["get", "list", "watch"]);
        assert_eq!(lacking.told(), "you (jane) may not get, list and watch pods in all namespaces");
    }

    #[test]
    fn the_role_names_what_is_lacking_and_who_lacks_it() {
        let refusal =
            "pods is forbidden: User \"jane\" cannot list resource \"pods\" in API group \"\" at the cluster scope";
        let lacking = Lacking::new(refusal, None).of("", "pods", &["list"]).of("apps", "deployments", &["list"]);
        assert_eq!(lacking.told(), "you (jane) may not list pods, deployments.apps in all namespaces");
        let role = lacking.role();
        for line in [
            "kind: ClusterRole\n",
            "  - {apiGroups: [\"\"], resources: [pods], verbs: [list]}\n",
            "  - {apiGroups: [apps], resources: [deployments], verbs: [list]}\n",
            "name: \"jane\"}",
        ] {
            assert!(role.contains(line), "{line}: {role}");
        }
        let account = "x: User \"system:serviceaccount:ci:audit\" cannot";
        let role = Lacking::new(account, Some("shop")).of("", "pods", &["list"]).role();
        assert!(role.contains("kind: Role\nmetadata: {name: meshvet-reader, namespace: shop}"), "{role}");
        assert!(role.ends_with("{kind: ServiceAccount, namespace: ci, name: audit}"), "{role}");
    }
}
