//! The examination: one thing after the other, each by what the one before has told.

use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use kube::Client;
use kube::api::{Api, ListParams};

use crate::apis::{self, Vetted};
use crate::doctor::configuration::{self, Called};
use crate::doctor::deployed::Deployed;
use crate::doctor::{Diagnosis, Questions, endpoints, lease, rights, served};
use crate::sources::cluster::Trouble;

/// Looks at an installation through the API server. Changes nothing.
pub(crate) async fn examine(client: &Client, questions: &Questions) -> Diagnosis {
    let mut diagnosis = Diagnosis::default();
    match client.apiserver_version().await {
        Ok(version) => diagnosis.ok("api-server", format!("Kubernetes {} answers", version.git_version)),
        Err(error) => {
            diagnosis.unreachable = true;
            let Trouble { what, fix } = Trouble::of(&error);
            diagnosis.fail("api-server", what, fix);
            return diagnosis;
        }
    }
    let asked = groups_asked_for(client, &questions.configuration).await;
    kinds(client, &asked, &mut diagnosis).await;
    let Some(called) = configuration(client, &questions.configuration, &mut diagnosis).await else { return diagnosis };
    let endpoints = endpoints::look(client, &called, &mut diagnosis).await;
    served::look(client, &called, &endpoints, questions.address.as_deref(), questions.now, &mut diagnosis).await;

    let namespace = &called.service.0;
    let pod = endpoints::a_pod(client, &called, &endpoints).await;
    if pod.is_none() {
        diagnosis.warn(
            "mode",
            format!("no pod of Service {namespace}/{} could be read: the default mode is assumed", called.service.1),
            "rights that it doesn't need may be reported, and missing ones may not",
        );
    }
    let unseen = || Deployed { apis: Vetted::of_groups(&asked), ..Deployed::default() };
    let deployed = pod.as_ref().map_or_else(unseen, Deployed::of);
    // The chart and deploy/ call it as the Service.
    let own = || (namespace.clone(), deployed.service_account.clone().unwrap_or_else(|| called.service.1.clone()));
    let (account_namespace, account) = questions.service_account.clone().unwrap_or_else(own);
    let needed = rights::needed(&deployed, namespace, &questions.configuration);
    let needed = (needed, deployed.apis);
    rights::look(client, (&account_namespace, &account), needed, &mut diagnosis).await;
    if let Some(name) = &deployed.managed {
        lease::look(client, namespace, name, questions.now, &mut diagnosis).await;
    }
    diagnosis
}

/// Whether the cluster has the kinds that are vetted. Everybody may ask that.
async fn kinds(client: &Client, asked: &[String], diagnosis: &mut Diagnosis) {
    let is_asked = |api: &apis::Api| asked.iter().any(|group| group == "*" || group == api.group);
    let mut absent = Vec::new();
    let mut some = false;
    for (api, names) in apis::mesh_apis() {
        if !asked.is_empty() && !is_asked(api) {
            diagnosis.ok("crds", format!("{} isn't checked: the webhook leaves it out", names.api));
            continue;
        }
        // Of what a cluster may do without, former versions are nobody's lack.
        let needed = api.kinds.iter().all(|row| !row.optional);
        for version in api.api_versions().into_iter().filter(|version| needed || api.kinds[0].known_as == *version) {
            match crds(client, api, names, version, diagnosis).await {
                Some(true) => some = true,
                Some(false) if needed => absent.push((api, names, version)),
                Some(false) | None => {}
            }
        }
    }
    for (api, names, version) in absent {
        let message = format!("the cluster has no {version}");
        let fix = format!(
            "install the CRDs of {}, or turn the API off (apis.{}: false in the chart's values)",
            names.controller, api.folder
        );
        if some { diagnosis.warn("crds", message, fix) } else { diagnosis.fail("crds", message, fix) }
    }
}

/// The groups that the webhook asks for; none, where nobody knows.
async fn groups_asked_for(client: &Client, name: &str) -> Vec<String> {
    let found = Api::<ValidatingWebhookConfiguration>::all(client.clone()).get_opt(name).await.ok().flatten();
    let webhooks = found.into_iter().flat_map(|found| found.webhooks.unwrap_or_default());
    let rules = webhooks.flat_map(|webhook| webhook.rules.unwrap_or_default());
    rules.flat_map(|rule| rule.api_groups.unwrap_or_default()).collect()
}

/// Whether the cluster has the kinds of an API in one of its versions; None where it can't be asked. An API without which a cluster does is
/// told of, others are left to the caller where they are absent.
async fn crds(
    client: &Client,
    api: &apis::Api,
    names: &apis::Names,
    version: &'static str,
    diagnosis: &mut Diagnosis,
) -> Option<bool> {
    let served = match client.list_api_group_resources(version).await {
        Ok(served) => served.resources,
        Err(kube::Error::Api(status)) if status.code == 404 => {
            if api.kinds.iter().all(|row| row.optional) {
                diagnosis.ok("crds", format!("the cluster has no {version}: that API isn't checked"));
            }
            return Some(false);
        }
        Err(error) => {
            diagnosis.unseen("crds", version, &error);
            return None;
        }
    };
    let kinds = || api.kinds.iter().filter(|row| row.kind.api_version == version);
    let missing: Vec<&str> = kinds()
        .map(|row| row.plural)
        .filter(|plural| !served.iter().any(|resource| resource.name == *plural))
        .collect();
    if missing.is_empty() {
        diagnosis.ok("crds", format!("{version} is there, with {} kinds", kinds().count()));
    } else if api.kinds.iter().all(|row| row.optional) {
        diagnosis.ok("crds", format!("{version} is there, without {}", missing.join(", ")));
    } else {
        let fix = format!("install the CRDs of {}: without them there is nothing to check", names.controller);
        diagnosis.warn("crds", format!("{version} has no {}", missing.join(", ")), fix);
    }
    Some(true)
}

async fn configuration(client: &Client, name: &str, diagnosis: &mut Diagnosis) -> Option<Called> {
    let configurations = Api::<ValidatingWebhookConfiguration>::all(client.clone());
    match configurations.get_opt(name).await {
        Ok(Some(found)) => configuration::judge(&found, diagnosis),
        Ok(None) => {
            let others = configurations.list(&ListParams::default()).await.map(|list| list.items).unwrap_or_default();
            let others: Vec<String> = others.into_iter().filter(is_ours).filter_map(|it| it.metadata.name).collect();
            let fix = if others.is_empty() {
                "install the chart or deploy/: nothing is judged".to_owned()
            } else {
                format!("the cluster has {}: name one with --webhook-configuration", others.join(", "))
            };
            diagnosis.fail("webhooks", format!("there is no ValidatingWebhookConfiguration {name}"), fix);
            None
        }
        Err(error) => {
            diagnosis.unseen("webhooks", &format!("ValidatingWebhookConfiguration {name}"), &error);
            None
        }
    }
}

fn is_ours(configuration: &ValidatingWebhookConfiguration) -> bool {
    configuration.webhooks.iter().flatten().any(|webhook| webhook.name.ends_with(".meshvet.dev"))
}
