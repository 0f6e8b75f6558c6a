//! How meshvet was started, as its pods tell. No I/O.

use crate::apis::Vetted;
use crate::mesh::SecretAccess;
use crate::sources::cluster::{Container, Pod};

/// What a pod of meshvet tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Deployed {
    /// The ServiceAccount.
    pub(super) service_account: Option<String>,
    /// How Secrets are read.
    pub(super) secrets: SecretAccess,
    /// The only namespaces whose Secrets are watched; empty: all.
    pub(super) secret_namespaces: Vec<String>,
    /// The APIs that are vetted.
    pub(super) apis: Vetted,
    /// The Secret of a managed certificate, which is the name of its Lease too.
    pub(super) managed: Option<String>,
    /// Whether AWS is asked.
    pub(super) aws: bool,
    /// Whether problems of the mesh are reported by Events.
    pub(super) events: bool,
    /// Whether they are by Reports.
    pub(super) reports: bool,
    /// The Lease, NAMESPACE/NAME, by which one replica at a time does either.
    pub(super) watcher_lease: Option<String>,
}

impl Deployed {
    /// As a pod's container says.
    pub(super) fn of(pod: &Pod) -> Self {
        let spec = &pod.spec;
        let container = spec.containers.iter().find(|container| argument(container, "serve", "").is_some());
        let given = |name: &str, variable: &str| container.and_then(|container| argument(container, name, variable));
        let is_set = |name, variable| given(name, variable).is_some_and(|value| value != "false");
        Self {
            service_account: spec.service_account_name.clone(),
            secrets: match given("--secrets", "MESHVET_SECRETS").as_deref() {
                Some("get") => SecretAccess::OnDemand,
                Some("none") => SecretAccess::Never,
                _ => SecretAccess::Complete,
            },
            secret_namespaces: given("--secret-namespaces", "MESHVET_SECRET_NAMESPACES")
                .map(|names| names.split(',').map(str::to_owned).collect())
                .unwrap_or_default(),
            apis: given("--apis", "MESHVET_APIS").map(|names| Vetted::of(names.split(','))).unwrap_or_default(),
            managed: given("--managed-certificate", "MESHVET_MANAGED_CERTIFICATE"),
            aws: is_set("--aws", "MESHVET_AWS"),
            events: is_set("--events", "MESHVET_EVENTS"),
            reports: is_set("--open-reports", "MESHVET_OPEN_REPORTS"),
            watcher_lease: given("--watcher-lease", "MESHVET_WATCHER_LEASE"),
        }
    }
}

/// The value of an argument (`--name=value`, `--name value`, or empty for one that stands alone), else of the variable.
fn argument(container: &Container, name: &str, variable: &str) -> Option<String> {
    let mut words = container.command.iter().chain(&container.args);
    while let Some(word) = words.next() {
        if let Some(value) = word.strip_prefix(name) {
            match value.strip_prefix('=') {
                Some(value) => return Some(value.to_owned()),
                None if value.is_empty() => {
                    let next = words.next().filter(|next| !next.starts_with("--"));
                    return Some(next.cloned().unwrap_or_default());
                }
                None => {}
            }
        }
    }
    container.env.iter().filter(|it| it.name == variable).find_map(|it| it.value.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployed(args: &[&str], env: &[(&str, &str)]) -> Deployed {
        let env: Vec<_> = env.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let pod = json!({
            "metadata": {},
            "spec": {"serviceAccountName": "vet", "containers": [{"name": "meshvet", "args": args, "env": env}]},
        });
        Deployed::of(&serde_json::from_value(pod).expect("a pod"))
    }

    #[test]
    fn the_arguments_tell_the_mode() {
        let usual = deployed(&["serve", "--secrets=watch", "--tls-cert=a"], &[]);
        assert_eq!((usual.secrets, usual.managed.as_deref(), usual.aws), (SecretAccess::Complete, None, false));
        assert_eq!(usual.service_account.as_deref(), Some("vet"));
        let other = deployed(&["serve", "--managed-certificate=ca", "--secrets", "get", "--aws"], &[]);
        assert_eq!((other.secrets, other.managed.as_deref(), other.aws), (SecretAccess::OnDemand, Some("ca"), true));
        let tells = deployed(&["serve", "--events", "--watcher-lease=vet/watch"], &[("MESHVET_OPEN_REPORTS", "true")]);
        assert!(tells.events && tells.reports && tells.watcher_lease.as_deref() == Some("vet/watch") && !other.events);
        let few = deployed(&["serve", "--secret-namespaces=a,b"], &[]);
        assert_eq!(few.secret_namespaces, ["a", "b"]);
        assert_eq!(deployed(&["serve"], &[("MESHVET_SECRETS", "none")]).secrets, SecretAccess::Never);
    }
}
