//! The entries of the webhook configuration, as `charts` and `deploy` have them: which there are, and where each sends its reviews.
//!
//! Nodes, gateways and routes go to [`VALIDATE`], by entries that may fail closed. What a mesh rests on goes to a path for each of these
//! entries, which all fail open.

/// Where objects of a mesh are reviewed.
pub const VALIDATE: &str = "/validate";
/// The same, for entries that let pass what isn't judged.
pub const VALIDATE_IGNORE: &str = "/validate/ignore";
/// How long the API server waits for an answer about what is no mesh's own, in seconds.
pub const TIMEOUT_SECONDS: i32 = 2;

/// An entry that fails open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name in the configuration.
    pub name: &'static str,
    /// Where its reviews go.
    pub path: &'static str,
    /// What comes to it, as people call it.
    pub what: &'static str,
    /// The value of the chart that leaves it out; None: it is always there.
    pub value: Option<&'static str>,
    /// The expression that lets a write through to it. More may stand before its last parenthesis: the workloads of a policy.
    pub condition: &'static str,
}

/// All of them.
pub const ENTRIES: &[Entry] = &[
    Entry {
        name: "deletions.meshvet.dev",
        path: "/deletions",
        what: "deletions of mesh objects",
        value: None,
        condition: include_str!("../../charts/meshvet/conditions/deletions.cel"),
    },
    Entry {
        name: "meshes.meshvet.dev",
        path: "/meshes",
        what: "changes of meshes",
        value: Some("secrets.mode"),
        condition: include_str!("../../charts/meshvet/conditions/meshes.cel"),
    },
    Entry {
        name: "workloads.meshvet.dev",
        path: "/workloads",
        what: "workloads",
        value: Some("webhook.workloads.enabled"),
        condition: include_str!("../../charts/meshvet/conditions/workloads.cel"),
    },
    Entry {
        name: "secrets.meshvet.dev",
        path: "/secrets",
        what: "Secrets",
        value: Some("webhook.secrets.enabled"),
        condition: include_str!("../../charts/meshvet/conditions/secrets.cel"),
    },
    Entry {
        name: "configmaps.meshvet.dev",
        path: "/secrets",
        what: "ConfigMaps",
        value: Some("webhook.secrets.enabled"),
        condition: include_str!("../../charts/meshvet/conditions/configmaps.cel"),
    },
    Entry {
        name: "services.meshvet.dev",
        path: "/services",
        what: "Services",
        value: Some("webhook.services.enabled"),
        condition: include_str!("../../charts/meshvet/conditions/services.cel"),
    },
    Entry {
        name: "namespaces.meshvet.dev",
        path: "/namespaces",
        what: "labels of namespaces",
        value: Some("webhook.namespaces.enabled"),
        condition: include_str!("../../charts/meshvet/conditions/namespaces.cel"),
    },
];

/// The entry of this name.
pub fn entry(name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.name == name)
}

/// The path of a webhook of this name and failurePolicy (None: the API server takes it for `Fail`), before anything is added to it.
pub fn path_of(name: &str, failure_policy: Option<&str>) -> &'static str {
    match entry(name) {
        Some(entry) => entry.path,
        None if failure_policy == Some("Ignore") => VALIDATE_IGNORE,
        None => VALIDATE,
    }
}

impl Entry {
    /// Whether an expression is this entry's, whatever it was wrapped like.
    pub fn is_condition(&self, expression: &str) -> bool {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        words(expression).starts_with(words(self.condition).trim_end_matches(')'))
    }
}
