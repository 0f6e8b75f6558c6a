//! What meshvet's ServiceAccount may do, held against what its mode needs.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec, SubjectAccessReview,
    SubjectAccessReviewSpec,
};
use kube::Client;
use kube::api::{Api, PostParams};

use crate::apis::Vetted;
use crate::doctor::Diagnosis;
use crate::doctor::deployed::Deployed;
use crate::mesh::SecretAccess;
use crate::sources::cluster::{ClusterOptions, watched_resources};

/// How many rights are asked about at a time.
const AT_ONCE: usize = 8;

/// One verb on one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Right {
    /// Empty for the core group.
    group: &'static str,
    resource: &'static str,
    verb: &'static str,
    /// Empty: in all namespaces, or of the cluster itself.
    namespace: String,
    /// Empty: all of them.
    name: String,
}

impl Right {
    fn attributes(&self) -> ResourceAttributes {
        let said = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        ResourceAttributes {
            group: Some(self.group.to_owned()),
            resource: Some(self.resource.to_owned()),
            verb: Some(self.verb.to_owned()),
            namespace: said(&self.namespace),
            name: said(&self.name),
            ..ResourceAttributes::default()
        }
    }

    /// `secrets meshvet-authority in namespace meshvet-system`.
    fn what(&self) -> String {
        let mut text = self.resource.to_owned();
        if !self.group.is_empty() {
            text = format!("{text}.{}", self.group);
        }
        if !self.name.is_empty() {
            text = format!("{text} {}", self.name);
        }
        if !self.namespace.is_empty() {
            text = format!("{text} in namespace {}", self.namespace);
        }
        text
    }
}

/// What the mode needs. `namespace` is meshvet's own.
pub(super) fn needed(deployed: &Deployed, namespace: &str, configuration: &str) -> Vec<Right> {
    let right = |group, resource, verb, namespace: &str, name: &str| Right {
        group,
        resource,
        verb,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    // Secrets are distinguished below.
    let options = ClusterOptions {
        access: SecretAccess::Never,
        service_accounts: deployed.aws,
        apis: deployed.apis,
        ..ClusterOptions::default()
    };
    let mut rights = Vec::new();
    for resource in watched_resources(options).filter(|resource| !resource.optional) {
        rights.extend(resource.verbs.iter().map(|verb| right(resource.group, resource.plural, verb, "", "")));
    }
    rights.push(right("", "configmaps", "get", "", ""));
    let verbs: &[&'static str] = match deployed.secrets {
        SecretAccess::Complete => &["get", "list", "watch"],
        SecretAccess::OnDemand => &["get"],
        SecretAccess::Never => &[],
    };
    let everywhere = [String::new()];
    let namespaces = if deployed.secret_namespaces.is_empty() { &everywhere[..] } else { &deployed.secret_namespaces };
    for namespace in namespaces {
        rights.extend(verbs.iter().map(|verb| right("", "secrets", verb, namespace, "")));
    }
    if let Some(name) = &deployed.managed {
        // To make them again, by an apply, too.
        for verb in ["create", "get", "patch", "update"] {
            rights.push(right("", "secrets", verb, namespace, name));
            rights.push(right("coordination.k8s.io", "leases", verb, namespace, name));
        }
        for verb in ["get", "update"] {
            let configurations = "validatingwebhookconfigurations";
            rights.push(right("admissionregistration.k8s.io", configurations, verb, "", configuration));
        }
    }
    for (is_told, group, resource) in
        [(deployed.events, "events.k8s.io", "events"), (deployed.reports, "openreports.io", "reports")]
    {
        let verbs = ["create", "patch"].into_iter().filter(|_| is_told);
        rights.extend(verbs.map(|verb| right(group, resource, verb, "", "")));
    }
    if (deployed.events || deployed.reports)
        && let Some((namespace, name)) = deployed.watcher_lease.as_deref().and_then(|lease| lease.split_once('/'))
    {
        let verbs = ["get", "update"].into_iter();
        rights.extend(verbs.map(|verb| right("coordination.k8s.io", "leases", verb, namespace, name)));
    }
    rights
}

/// What it does without where it has to: rights to kinds that it may or may not find in a cluster, as far as this one has them.
async fn optional(client: &Client, apis: Vetted) -> BTreeSet<Right> {
    let mut rights = BTreeSet::new();
    let options = ClusterOptions { apis, ..ClusterOptions::default() };
    for resource in watched_resources(options).filter(|resource| resource.optional) {
        if resource.is_served(client).await != Some(false) {
            rights.extend(resource.verbs.iter().map(|verb| Right {
                group: resource.group,
                resource: resource.plural,
                verb,
                namespace: String::new(),
                name: String::new(),
            }));
        }
    }
    rights
}

/// What it is better to have: Events.
fn wished(namespace: &str) -> Right {
    let namespace = namespace.to_owned();
    Right { group: "events.k8s.io", resource: "events", verb: "create", namespace, name: String::new() }
}

/// Asks what the ServiceAccount may do, as somebody who may ask for others; else as the caller, who may be it.
pub(super) async fn look(
    client: &Client,
    (namespace, account): (&str, &str),
    (needed, apis): (Vec<Right>, Vetted),
    diagnosis: &mut Diagnosis,
) {
    let user = format!("system:serviceaccount:{namespace}:{account}");
    let optional = optional(client, apis).await;
    let mut all = needed;
    all.extend(optional.iter().cloned());
    all.push(wished(namespace));
    let asked = match missing(all.clone(), |right| for_another(client, &user, namespace, right)).await {
        Err(kube::Error::Api(status)) if status.is_forbidden() => {
            if caller(client).await.as_deref() != Some(&user) {
                return of_the_caller(client, &user, all, diagnosis).await;
            }
            missing(all, |right| for_oneself(client, right)).await
        }
        asked => asked,
    };
    match asked {
        Ok(missing) => {
            judge(&format!("ServiceAccount {namespace}/{account}"), missing, &optional, namespace, diagnosis)
        }
        Err(error) => diagnosis.unseen("rights", "what meshvet may do", &error),
    }
}

fn judge(
    who: &str,
    mut missing: BTreeSet<Right>,
    optional: &BTreeSet<Right>,
    namespace: &str,
    diagnosis: &mut Diagnosis,
) {
    let unread: BTreeSet<Right> = missing.extract_if(.., |right| optional.contains(right)).collect();
    if !unread.is_empty() {
        diagnosis.warn(
            "kinds",
            format!("{who} may not {}", listed(&unread)),
            "grant it by a ClusterRole, as the chart does (the policy's `workloads` too): until then what depends on them is unknown",
        );
    }
    if missing.remove(&wished(namespace)) {
        diagnosis.warn(
            "events",
            format!("{who} may not create events.events.k8s.io in namespace {namespace}"),
            "grant it by a Role: then a policy that can't be used is reported by an Event too",
        );
    }
    let telling = |right: &Right| matches!(right.group, "events.k8s.io" | "openreports.io");
    let untold: BTreeSet<Right> = missing.extract_if(.., |right| telling(right)).collect();
    if !untold.is_empty() {
        diagnosis.warn(
            "watcher",
            format!("{who} may not {}", listed(&untold)),
            "grant it by a ClusterRole, as the chart does: until then what breaks without a review is reported by metrics only, if one \
             of the rights is missing",
        );
    }
    if missing.is_empty() {
        return diagnosis.ok("rights", format!("{who} may do what its mode needs"));
    }
    diagnosis.fail(
        "rights",
        format!("{who} may not {}", listed(&missing)),
        "grant it by a ClusterRole (of a namespace: by a Role) as the chart and deploy/ do, or choose a mode that needs less \
         (--secrets get or none)",
    );
}

/// `list, watch secrets; get configmaps`.
fn listed(rights: &BTreeSet<Right>) -> String {
    let mut verbs: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for right in rights {
        verbs.entry(right.what()).or_default().push(right.verb);
    }
    let each = verbs.iter().map(|(what, verbs)| format!("{} {what}", verbs.join(", ")));
    each.collect::<Vec<_>>().join("; ")
}

/// Who may not ask for others sees at least what their own rights would do.
async fn of_the_caller(client: &Client, user: &str, all: Vec<Right>, diagnosis: &mut Diagnosis) {
    let own = match missing(all, |right| for_oneself(client, right)).await {
        Ok(missing) if missing.is_empty() => "your own rights would be enough".to_owned(),
        Ok(missing) => format!("you yourself may not {}", listed(&missing)),
        Err(error) => return diagnosis.unseen("rights", "what meshvet may do", &error),
    };
    diagnosis.warn(
        "rights",
        format!("the rights of {user} could not be checked; {own}"),
        "run this as a user who may create subjectaccessreviews.authorization.k8s.io, or as the ServiceAccount itself",
    );
}

/// Those of the rights that are not given.
async fn missing<F>(rights: Vec<Right>, may: impl Fn(Right) -> F) -> Result<BTreeSet<Right>, kube::Error>
where
    F: Future<Output = Result<bool, kube::Error>>,
{
    let asked = stream::iter(rights).map(|right| {
        let answer = may(right.clone());
        async move { answer.await.map(|allowed| (!allowed).then_some(right)) }
    });
    asked.buffer_unordered(AT_ONCE).try_filter_map(async |missing| Ok(missing)).try_collect().await
}

async fn for_another(client: &Client, user: &str, namespace: &str, right: Right) -> Result<bool, kube::Error> {
    let groups = ["system:serviceaccounts", &format!("system:serviceaccounts:{namespace}"), "system:authenticated"];
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some(user.to_owned()),
            groups: Some(groups.map(str::to_owned).to_vec()),
            resource_attributes: Some(right.attributes()),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let answer = Api::<SubjectAccessReview>::all(client.clone()).create(&PostParams::default(), &review).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

async fn for_oneself(client: &Client, right: Right) -> Result<bool, kube::Error> {
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(right.attributes()),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let answer = Api::<SelfSubjectAccessReview>::all(client.clone()).create(&PostParams::default(), &review).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

/// Who the API server takes the caller for.
async fn caller(client: &Client) -> Option<String> {
    let reviews = Api::<SelfSubjectReview>::all(client.clone());
    let answer = reviews.create(&PostParams::default(), &SelfSubjectReview::default()).await.ok()?;
    answer.status?.user_info?.username
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(deployed: &Deployed) -> String {
        listed(&needed(deployed, "vet", "meshvet").into_iter().collect())
    }

    #[test]
    fn each_mode_needs_its_rights_and_no_others() {
        let plain = Deployed { secrets: SecretAccess::Never, ..Deployed::default() };
        let without = told(&plain);
        assert!(without.contains("list, watch virtualnodes.appmesh.k8s.aws"), "{without}");
        assert!(without.contains("get, list, watch configmaps"), "{without}");
        for read_by_name in ["pods", "replicasets.apps", "jobs.batch"] {
            assert!(without.contains(&format!("get, list, watch {read_by_name}")), "{without}");
        }
        assert!(!without.contains("get, list, watch deployments.apps"), "{without}");
        assert!(!without.contains(" secrets") && !without.contains("serviceaccounts"), "{without}");
        for (deployed, words) in [
            (Deployed::default(), "; get, list, watch secrets;"),
            (Deployed { secrets: SecretAccess::OnDemand, ..plain.clone() }, "; get secrets;"),
            (Deployed { aws: true, ..plain.clone() }, "list, watch serviceaccounts"),
            (
                Deployed { secret_namespaces: vec!["a".to_owned()], ..Deployed::default() },
                "get, list, watch secrets in namespace a",
            ),
            (
                Deployed { managed: Some("ca".to_owned()), ..plain.clone() },
                "create, get, patch, update secrets ca in namespace vet",
            ),
            (
                Deployed { managed: Some("ca".to_owned()), ..plain.clone() },
                "create, get, patch, update leases.coordination.k8s.io ca in namespace vet",
            ),
            (Deployed { events: true, ..plain.clone() }, "create, patch events.events.k8s.io;"),
            (
                Deployed { reports: true, watcher_lease: Some("vet/watch".to_owned()), ..plain.clone() },
                "get, update leases.coordination.k8s.io watch in namespace vet",
            ),
            (
                Deployed { managed: Some("ca".to_owned()), ..plain.clone() },
                "get, update validatingwebhookconfigurations.admissionregistration.k8s.io meshvet",
            ),
        ] {
            let text = format!("; {};", told(&deployed));
            assert!(text.contains(words), "{words:?} is not in {text}");
        }
    }
}
