//! A bare watcher: the client library's watches of the kinds that meshvet watches, whole or by metadata as it does, in typed objects
//! where the library has a type. It counts the objects and drops them.

use std::fmt::Debug;
use std::io::Write as _;
use std::path::Path;
use std::pin::pin;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, ReplicationController, Secret, Service};
use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind};
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Client, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::mesh::client;

/// Watches until it is killed, and says on standard output when all lists are complete.
pub(crate) fn watch(kubeconfig: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let client = client(Path::new(kubeconfig)).await;
        let (sender, mut listed) = unbounded_channel();
        let kinds = spawn_all(&client, &sender);
        let mut objects = 0;
        for _ in 0..kinds {
            objects += listed.recv().await.expect("a list");
        }
        println!("ready {objects}");
        std::io::stdout().flush().expect("an output");
        std::future::pending::<()>().await;
    });
}

/// Starts all watches; how many there are.
fn spawn_all(client: &Client, listed: &UnboundedSender<usize>) -> usize {
    let api_objects =
        ["Mesh", "VirtualNode", "VirtualGateway", "VirtualService", "VirtualRouter", "GatewayRoute", "BackendGroup"];
    for kind in api_objects {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("appmesh.k8s.aws", "v1beta2", kind));
        let api = Api::<DynamicObject>::all_with(client.clone(), &resource);
        tokio::spawn(count(watcher(api, watcher::Config::default()), listed.clone()));
    }
    fn whole<K>(client: &Client, config: watcher::Config, listed: &UnboundedSender<usize>)
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
    {
        tokio::spawn(count(watcher(Api::<K>::all(client.clone()), config), listed.clone()));
    }
    fn owned<K>(client: &Client, listed: &UnboundedSender<usize>)
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
    {
        let api = Api::<PartialObjectMeta<K>>::all(client.clone());
        tokio::spawn(count(watcher(api, watcher::Config::default()), listed.clone()));
    }
    let usual = watcher::Config::default;
    whole::<Secret>(client, usual().fields("type!=helm.sh/release.v1"), listed);
    whole::<ConfigMap>(client, usual(), listed);
    whole::<Namespace>(client, usual(), listed);
    whole::<Service>(client, usual(), listed);
    whole::<Deployment>(client, usual(), listed);
    whole::<StatefulSet>(client, usual(), listed);
    whole::<DaemonSet>(client, usual(), listed);
    whole::<CronJob>(client, usual(), listed);
    whole::<ReplicationController>(client, usual(), listed);
    whole::<Ingress>(client, usual(), listed);
    whole::<IngressClass>(client, usual(), listed);
    owned::<Pod>(client, listed);
    owned::<ReplicaSet>(client, listed);
    owned::<Job>(client, listed);
    api_objects.len() + 14
}

/// Counts objects; reports the count once the list is complete.
async fn count<K>(events: impl futures::Stream<Item = watcher::Result<Event<K>>>, listed: UnboundedSender<usize>) {
    let (mut events, mut objects) = (pin!(events.into_stream()), 0);
    while let Some(event) = events.next().await {
        match event.expect("an event") {
            Event::InitApply(_) => objects += 1,
            Event::InitDone => drop(listed.send(objects)),
            Event::Init | Event::Apply(_) | Event::Delete(_) => {}
        }
    }
}
