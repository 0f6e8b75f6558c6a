//! The list of workloads besides Kubernetes' own: Argo's Rollout, Knative's Service, Kruise's kinds and others of their sort.
//!
//! The list belongs to the process. A policy adds to it once, before anything is read: kinds are watched, and rights to them are
//! granted, for as long as a process lives.

use std::sync::{LazyLock, OnceLock};

use crate::apis::core::kinds::workload;
use crate::apis::registry::{Part, Pods, Row};
use crate::k8s::TypeRef;

/// A kind that owns pods, as a policy adds it to the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkloadKind {
    /// Group and version: `argoproj.io/v1alpha1`.
    pub api_version: String,
    /// `Rollout`.
    pub kind: String,
    /// The resource's name in URLs and RBAC: `rollouts`.
    pub plural: String,
    /// Where its pod template is, as a JSON pointer; None: it has none, and only stands between a workload and its pods.
    pub template: Option<String>,
    /// Where the selector of its pods is.
    pub selector: Option<String>,
    /// The label that gives its pods its name.
    pub name_label: Option<String>,
}

/// One entry of the list.
#[derive(Clone, Copy, Debug)]
struct Listed {
    api_version: &'static str,
    kind: &'static str,
    plural: &'static str,
    /// None: it only stands between a workload and its pods.
    pods: Option<Pods>,
}

/// All entries, as rows and as owners.
#[derive(Debug)]
struct List {
    rows: Vec<Row>,
    /// Kinds without a template: what they own, a listed workload owns too.
    between: Vec<Listed>,
}

const TEMPLATE: Pods = Pods::at(&["/spec/template"]);
const SELECTED: Pods = Pods { selector: Some("/spec/selector"), ..TEMPLATE };

const fn listed(api_version: &'static str, kind: &'static str, plural: &'static str, pods: Pods) -> Listed {
    Listed { api_version, kind, plural, pods: Some(pods) }
}

/// What is listed without any policy. Of several versions of a kind the first that is served is watched.
const USUAL: &[Listed] = &[
    listed("v1", "ReplicationController", "replicationcontrollers", SELECTED),
    listed("argoproj.io/v1alpha1", "Rollout", "rollouts", Pods { takes: Some("/spec/workloadRef"), ..SELECTED }),
    listed("apps.openshift.io/v1", "DeploymentConfig", "deploymentconfigs", SELECTED),
    listed(
        "serving.knative.dev/v1",
        "Service",
        "services",
        Pods { name_label: Some("serving.knative.dev/service"), ..TEMPLATE },
    ),
    // One without a Service. The label of a Service's pods is on its own pods too.
    listed(
        "serving.knative.dev/v1",
        "Configuration",
        "configurations",
        Pods { name_label: Some("serving.knative.dev/configuration"), ..TEMPLATE },
    ),
    Listed { api_version: "serving.knative.dev/v1", kind: "Revision", plural: "revisions", pods: None },
    listed("apps.kruise.io/v1alpha1", "CloneSet", "clonesets", SELECTED),
    listed("apps.kruise.io/v1beta1", "StatefulSet", "statefulsets", SELECTED),
    listed("apps.kruise.io/v1alpha1", "StatefulSet", "statefulsets", SELECTED),
    listed("apps.kruise.io/v1alpha1", "DaemonSet", "daemonsets", SELECTED),
    listed("apps.kruise.io/v1alpha1", "BroadcastJob", "broadcastjobs", TEMPLATE),
    listed(
        "apps.kruise.io/v1alpha1",
        "AdvancedCronJob",
        "advancedcronjobs",
        Pods::at(&["/spec/template/jobTemplate/spec/template", "/spec/template/broadcastJobTemplate/spec/template"]),
    ),
    listed(
        "apps.kruise.io/v1alpha1",
        "UnitedDeployment",
        "uniteddeployments",
        Pods {
            selector: Some("/spec/selector"),
            ..Pods::at(&[
                "/spec/template/statefulSetTemplate/spec/template",
                "/spec/template/advancedStatefulSetTemplate/spec/template",
                "/spec/template/cloneSetTemplate/spec/template",
                "/spec/template/deploymentTemplate/spec/template",
            ])
        },
    ),
    // Former versions of Kubernetes' own, as manifests still have them.
    listed("apps/v1beta2", "Deployment", "deployments", SELECTED),
    listed("apps/v1beta1", "Deployment", "deployments", SELECTED),
    listed("apps/v1beta2", "StatefulSet", "statefulsets", SELECTED),
    listed("apps/v1beta1", "StatefulSet", "statefulsets", SELECTED),
    listed("apps/v1beta2", "DaemonSet", "daemonsets", SELECTED),
    listed("apps/v1beta2", "ReplicaSet", "replicasets", SELECTED),
    listed("batch/v1beta1", "CronJob", "cronjobs", Pods::at(&["/spec/jobTemplate/spec/template"])),
    listed("extensions/v1beta1", "Deployment", "deployments", SELECTED),
    listed("extensions/v1beta1", "DaemonSet", "daemonsets", SELECTED),
    listed("extensions/v1beta1", "ReplicaSet", "replicasets", SELECTED),
];

static LIST: OnceLock<List> = OnceLock::new();
static WITHOUT_POLICY: LazyLock<List> = LazyLock::new(|| List::with(&[]));

/// Adds kinds to the list, for the life of the process. One that is listed already is read as the new entry says. False when the list
/// was fixed before.
pub(crate) fn list_workloads(added: &[WorkloadKind]) -> bool {
    LIST.set(List::with(added)).is_ok()
}

fn list() -> &'static List {
    LIST.get().unwrap_or(&WITHOUT_POLICY)
}

/// The rows of the list.
pub(in crate::apis) fn listed_workloads() -> impl Iterator<Item = &'static Row> {
    list().rows.iter()
}

/// Whether a type is listed as one that stands between a workload and its pods.
pub(super) fn is_between(api_version: &str, kind: &str) -> bool {
    let is_it = |entry: &Listed| group_of(entry.api_version) == group_of(api_version) && entry.kind == kind;
    list().between.iter().any(is_it)
}

fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

impl List {
    fn with(added: &[WorkloadKind]) -> Self {
        let added: Vec<Listed> = added.iter().map(Listed::for_good).collect();
        let replaced =
            |usual: &Listed| added.iter().any(|it| it.api_version == usual.api_version && it.kind == usual.kind);
        let usual = USUAL.iter().copied().filter(|usual| !replaced(usual));
        let all: Vec<Listed> = usual.chain(added.iter().copied()).collect();
        Self {
            rows: all.iter().filter_map(Listed::row).collect(),
            between: all.into_iter().filter(|entry| entry.pods.is_none()).collect(),
        }
    }
}

impl Listed {
    /// An entry that lives as long as the process: the list is made once.
    fn for_good(added: &WorkloadKind) -> Self {
        let keep = |text: &String| -> &'static str { text.clone().leak() };
        let pods = added.template.as_ref().map(|template| Pods {
            templates: vec![keep(template)].leak(),
            selector: added.selector.as_ref().map(keep),
            name_label: added.name_label.as_ref().map(keep),
            takes: None,
        });
        Self { api_version: keep(&added.api_version), kind: keep(&added.kind), plural: keep(&added.plural), pods }
    }

    fn row(&self) -> Option<Row> {
        let group = group_of(self.api_version);
        Some(Row {
            kind: TypeRef { api_version: self.api_version, kind: self.kind },
            known_as: self.api_version,
            group,
            version: self.api_version.rsplit_once('/').map_or(self.api_version, |(_, version)| version),
            plural: self.plural,
            singular: self.kind.to_lowercase().leak(),
            namespaced: true,
            part: Part::Workload(self.pods?),
            mostly_owned: false,
            optional: true,
            decode: workload,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apis::core::owns_pods;

    fn added(api_version: &str, kind: &str, template: Option<&str>) -> WorkloadKind {
        WorkloadKind {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            plural: format!("{}s", kind.to_lowercase()),
            template: template.map(str::to_owned),
            ..WorkloadKind::default()
        }
    }

    #[test]
    fn a_policy_adds_to_the_list_and_an_entry_replaces_its_like() {
        let usual = List::with(&[]).rows.len();
        let list = List::with(&[
            added("example.com/v1", "Fleet", Some("/spec/pods")),
            added("argoproj.io/v1alpha1", "Rollout", Some("/spec/other")),
            added("example.com/v1", "Squad", None),
        ]);
        assert_eq!(list.rows.len(), usual + 1);
        let template = |kind: &str| {
            let row = list.rows.iter().find(|row| row.kind.kind == kind).expect("a row");
            let Part::Workload(pods) = row.part else { panic!("{row:?}") };
            (row.group, row.version, row.optional, pods.templates)
        };
        assert_eq!(template("Fleet"), ("example.com", "v1", true, &["/spec/pods"][..]));
        assert_eq!(template("Rollout").3, ["/spec/other"]);
        assert!(list.between.iter().any(|entry| entry.kind == "Squad"));
    }

    #[test]
    fn an_owner_is_known_whatever_its_version() {
        for (api_version, kind) in [
            ("apps/v1", "Deployment"),
            ("argoproj.io/v9", "Rollout"),
            ("serving.knative.dev/v1", "Revision"),
            ("v1", "ReplicationController"),
            ("apps.kruise.io/v1beta1", "CloneSet"),
        ] {
            assert!(owns_pods(api_version, kind), "{api_version} {kind}");
        }
        for (api_version, kind) in [("v1", "Node"), ("example.com/v1", "Deployment"), ("v1", "ConfigMap")] {
            assert!(!owns_pods(api_version, kind), "{api_version} {kind}");
        }
    }
}
