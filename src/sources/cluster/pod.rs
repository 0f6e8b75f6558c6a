//! A pod, as far as meshvet itself reads one. The type of the whole API, with its volumes and affinities, would be a thirtieth of the program.

use std::borrow::Cow;

use k8s_openapi::api::core::v1 as core;
use kube::api::{ObjectMeta, Portforward, Resource};
use serde::Deserialize;

/// A pod ([`core/v1`](https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/)).
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Pod {
    #[serde(default)]
    pub(crate) metadata: ObjectMeta,
    #[serde(default)]
    pub(crate) spec: PodSpec,
    #[serde(default)]
    pub(crate) status: PodStatus,
}

/// What runs in it, and as whom.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PodSpec {
    pub(crate) service_account_name: Option<String>,
    #[serde(default)]
    pub(crate) containers: Vec<Container>,
    #[serde(default)]
    pub(crate) init_containers: Vec<Container>,
}

/// One container, as it is started.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Container {
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) command: Vec<String>,
    #[serde(default)]
    pub(crate) args: Vec<String>,
    #[serde(default)]
    pub(crate) env: Vec<EnvVar>,
}

/// A variable of a container's environment; without a value where that comes from elsewhere.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct EnvVar {
    #[serde(default)]
    pub(crate) name: String,
    pub(crate) value: Option<String>,
}

/// How it fares.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct PodStatus {
    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
    pub(crate) phase: Option<String>,
}

impl Resource for Pod {
    type DynamicType = ();
    type Scope = kube::core::NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        core::Pod::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        core::Pod::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        core::Pod::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        core::Pod::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

impl Portforward for Pod {}
