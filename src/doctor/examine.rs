//! The examination: one thing after the other, each by what the one before has told.

use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use kube::Client;
use kube::api::{Api, ListParams};

use crate::apis;
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
    for (api, names) in apis::mesh_apis() {
        // Of what a cluster may do without, former versions are nobody's lack.
        let needed = api.kinds.iter().all(|row| !row.optional);
        for version in api.api_versions().into_iter().filter(|version| needed || api.kinds[0].known_as == *version) {
            crds(client, api, names, version, &mut diagnosis).await;
        }
    }
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
    let deployed = pod.as_ref().map(Deployed::of).unwrap_or_default();
    // The chart and deploy/ call it as the Service.
    let own = || (namespace.clone(), deployed.service_account.clone().unwrap_or_else(|| called.service.1.clone()));
    let (account_namespace, account) = questions.service_account.clone().unwrap_or_else(own);
    let needed = rights::needed(&deployed, namespace, &questions.configuration);
    rights::look(client, (&account_namespace, &account), needed, &mut diagnosis).await;
    if let Some(name) = &deployed.managed {
        lease::look(client, namespace, name, questions.now, &mut diagnosis).await;
    }
    diagnosis
}

/// Whether the cluster has the kinds of an API that are vetted, in one of its versions. Everybody may ask that.
async fn crds(client: &Client, api: &apis::Api, names: &apis::Names, version: &'static str, diagnosis: &mut Diagnosis) {
    let fix = format!("install the CRDs of {}: without them there is nothing to judge", names.controller);
    let served = match client.list_api_group_resources(version).await {
        Ok(served) => served.resources,
        Err(kube::Error::Api(status)) if status.code == 404 && api.kinds.iter().all(|row| row.optional) => {
            return diagnosis.ok("crds", format!("the cluster has no {version}: none of its objects are judged"));
        }
        Err(kube::Error::Api(status)) if status.code == 404 => {
            return diagnosis.fail("crds", format!("the cluster has no {version}"), fix);
        }
        Err(error) => return diagnosis.unseen("crds", version, &error),
    };
    let kinds = || api.kinds.iter().filter(|row| row.kind.api_version == version);
    let missing: Vec<&str> = kinds()
        .map(|row| row.plural)
        .filter(|plural| !served.iter().any(|resource| resource.name == *plural))
        .collect();
    if missing.is_empty() {
        diagnosis.ok("crds", format!("{version} is there, with {} kinds", kinds().count()));
    } else {
        diagnosis.warn("crds", format!("{version} has no {}", missing.join(", ")), fix);
    }
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
