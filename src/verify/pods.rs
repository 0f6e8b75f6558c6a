//! Proxies in the cluster's pods: finding them, and reaching their admin interface through the API server.
//!
//! The interface listens on the pod's own 127.0.0.1, which the API server's port-forward reaches (the kubelet connects from
//! inside the pod) and its pod proxy doesn't.

use std::time::Duration;

use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};
use thiserror::Error;

use crate::sources::cluster::{self, Lacking, Pages, Pod, begun_anew, is_expired};
use crate::verify::fetch::{self, AdminUrl, FetchError, Reading};

/// The container that App Mesh's injector adds, and that gateways have.
const PROXY: &str = "envoy";
/// The phase of a pod whose containers have started.
const RUNNING: &str = "Running";
/// How many pods one call lists.
const PAGE: u32 = 500;

/// A pod that has a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProxyPod {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Why pods could not be listed.
#[derive(Debug, Error)]
pub(crate) enum ListError {
    /// The API server doesn't allow it.
    #[error("{0}")]
    Lacking(Box<Lacking>),
    /// Anything else.
    #[error("the pods could not be listed: {0}")]
    Other(String),
}

/// The running pods that have a container `envoy`: of a namespace, or of all (None), with these labels (a label selector).
///
/// # Errors
/// [`ListError`] when the API server doesn't list them.
pub(crate) async fn find(
    client: &Client,
    namespace: Option<&str>,
    selector: Option<&str>,
) -> Result<Vec<ProxyPod>, ListError> {
    let api: Api<Pod> = match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let found = begun_anew(|| find_once(&api, selector), is_expired).await;
    found.map_err(|error| match refusal(&error, namespace) {
        Some(lacking) => ListError::Lacking(lacking),
        None => ListError::Other(cluster::told(&error)),
    })
}

/// The rights that are lacking where the API server refuses: all that reading proxies takes.
fn refusal(error: &kube::Error, namespace: Option<&str>) -> Option<Box<Lacking>> {
    let kube::Error::Api(status) = error else { return None };
    let lacking = status.is_forbidden().then(|| Lacking::new(&status.message, namespace))?;
    Some(Box::new(lacking.of("", "pods", &["get", "list"]).of("", "pods/portforward", &["create", "get"])))
}

async fn find_once(api: &Api<Pod>, selector: Option<&str>) -> kube::Result<Vec<ProxyPod>> {
    let params = ListParams { label_selector: selector.map(str::to_owned), ..ListParams::default() };
    let (mut pages, mut found) = (Pages::new(params.limit(PAGE)), Vec::new());
    while let Some(page) = pages.next(api).await? {
        found.extend(
            page.iter()
                .filter(|pod| is_running_proxy(pod))
                .map(|pod| ProxyPod { namespace: pod.namespace().unwrap_or_default(), name: pod.name_any() }),
        );
    }
    Ok(found)
}

fn is_running_proxy(pod: &Pod) -> bool {
    // A sidecar may be an init container that keeps running.
    let mut containers = pod.spec.containers.iter().chain(&pod.spec.init_containers);
    pod.status.phase.as_deref() == Some(RUNNING) && containers.any(|container| container.name == PROXY)
}

/// Reads a pod's proxy through the API server.
///
/// # Errors
/// [`FetchError`], without its time limit: the caller's.
pub(crate) async fn read(
    client: &Client,
    pod: &ProxyPod,
    port: u16,
    over: Option<Duration>,
) -> Result<Reading, FetchError> {
    let api: Api<Pod> = Api::namespaced(client.clone(), &pod.namespace);
    see_that_it_runs(&api, pod).await?;
    let forwarder = api.portforward(&pod.name, &[port]).await;
    let mut forwarder = forwarder.map_err(|error| match refusal(&error, Some(&pod.namespace)) {
        Some(lacking) => FetchError::Lacking(lacking),
        None => FetchError::Forward(format!("no port-forward: {}", cluster::told(&error))),
    })?;
    let nothing = || FetchError::Forward("the API server forwards no such port".to_owned());
    let stream = forwarder.take_stream(port).ok_or_else(nothing)?;
    let refusal = forwarder.take_error(port).ok_or_else(nothing)?;
    let refused = async {
        match refusal.await {
            Some(message) => message,
            // Not refused, only over: then it is the reading that says what happened.
            None => std::future::pending().await,
        }
    };
    let url = AdminUrl::local(port);
    let outcome = tokio::select! {
        biased;
        message = refused => Err(FetchError::Forward(format!(
            "port {port} of the pod can't be reached: {}; has the pod a proxy, and is this its admin port (--admin-port)?",
            message.trim()
        ))),
        outcome = fetch::read(stream, &url, over) => outcome,
    };
    forwarder.abort();
    outcome
}

/// Says of a pod that is not there, or doesn't run, what the API server or the kubelet would say less clearly. Who may not look
/// at pods may still forward their ports.
async fn see_that_it_runs(api: &Api<Pod>, ProxyPod { namespace, name }: &ProxyPod) -> Result<(), FetchError> {
    let problem = match api.get_opt(name).await {
        Ok(Some(pod)) => match pod.status.phase {
            Some(phase) if phase != RUNNING => format!("the pod is {phase}, and not {RUNNING}: it has no proxy to ask"),
            _ => return Ok(()),
        },
        Ok(None) => format!("there is no such pod; kubectl -n {namespace} get pods lists those there are"),
        Err(kube::Error::Api(status)) if status.is_forbidden() => return Ok(()),
        Err(error) => format!("the pod could not be read: {}", cluster::told(&error)),
    };
    Err(FetchError::Forward(problem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn is_proxy(expected: bool, phase: &str, spec: serde_json::Value) {
        let pod = serde_json::from_value(json!({"metadata": {"name": "a"}, "spec": spec, "status": {"phase": phase}}));
        assert_eq!(is_running_proxy(&pod.unwrap()), expected, "{phase} {spec}");
    }

    #[test]
    fn a_running_pod_with_an_envoy_container_is_a_proxy() {
        let injected = json!({"containers": [{"name": "app"}, {"name": "envoy"}]});
        is_proxy(true, "Running", injected.clone());
        is_proxy(false, "Pending", injected);
        is_proxy(true, "Running", json!({"containers": [{"name": "app"}], "initContainers": [{"name": "envoy"}]}));
        is_proxy(false, "Running", json!({"containers": [{"name": "envoyer"}]}));
    }
}
