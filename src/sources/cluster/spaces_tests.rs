//! Fresh reads of namespaces, from an API server that records its requests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::Body as Answer;
use axum::http::{Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::sources::cluster::{ClusterOptions, KubeSpaces};
use crate::sources::{FreshWorkloads, Kinds, NamespaceReader};

/// The answers to lists of these paths; other paths aren't found.
#[derive(Clone, Default)]
struct Server {
    lists: Arc<BTreeMap<&'static str, (u16, Vec<Value>)>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn of(lists: impl IntoIterator<Item = (&'static str, u16, Vec<Value>)>) -> Self {
        let lists = lists.into_iter().map(|(path, code, items)| (path, (code, items)));
        Self { lists: Arc::new(lists.collect()), asked: Arc::default() }
    }

    fn spaces(&self) -> KubeSpaces {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let answer = server.answer(&request.uri().to_string());
            async move { Ok::<_, std::convert::Infallible>(answer) }
        });
        KubeSpaces::new(Client::new(service, "default"), ClusterOptions::default())
    }

    fn answer(&self, target: &str) -> Response<Answer> {
        self.asked.lock().expect("a lock").push(target.to_owned());
        let path = target.split('?').next().unwrap_or_default();
        let (code, body) = match self.lists.get(path) {
            Some((200, items)) => (200, json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": items})),
            Some((403, _)) => (403, json!({"kind": "Status", "reason": "Forbidden", "code": 403, "message": "no"})),
            Some((code, _)) => (*code, json!({"kind": "Status", "reason": "InternalError", "code": code})),
            None => (404, json!({"kind": "Status", "reason": "NotFound", "code": 404})),
        };
        Response::builder().status(code).body(Answer::from(body.to_string())).expect("an answer")
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().expect("a lock"))
    }
}

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/shop/deployments";
const PODS: &str = "/api/v1/namespaces/shop/pods";
/// The other kinds of every cluster, without objects.
const EMPTY: [&str; 5] = [
    "/apis/apps/v1/namespaces/shop/statefulsets",
    "/apis/apps/v1/namespaces/shop/daemonsets",
    "/apis/batch/v1/namespaces/shop/cronjobs",
    "/apis/apps/v1/namespaces/shop/replicasets",
    "/apis/batch/v1/namespaces/shop/jobs",
];

fn deployment(name: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop"}, "spec": {
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}},
    }})
}

fn cluster(deployments: (u16, Vec<Value>)) -> Server {
    let empty = EMPTY.map(|path| (path, 200, Vec::new()));
    Server::of(empty.into_iter().chain([(DEPLOYMENTS, deployments.0, deployments.1), (PODS, 200, Vec::new())]))
}

async fn read(spaces: &KubeSpaces, kinds: Kinds) -> FreshWorkloads {
    spaces.workloads("shop", kinds, Instant::now()).await.expect("it reads")
}

#[tokio::test]
async fn a_list_asks_for_all_that_is_stored_by_now_and_for_no_labels() {
    let server = cluster((
        200,
        vec![deployment("blue"), deployment("green"), json!({"metadata": {"name": "odd"}, "spec": {"template": 7}})],
    ));
    let found = read(&server.spaces(), Kinds::Owners).await;
    assert_eq!(found.failed, None);
    let names: Vec<&str> = found.workloads.iter().map(|workload| workload.object.name.as_str()).collect();
    assert_eq!(names, ["blue", "green"], "one that can't be read takes no other along");
    let asked = server.asked();
    assert!(asked.iter().any(|target| target.starts_with(DEPLOYMENTS)), "{asked:?}");
    for target in &asked {
        assert!(!target.contains("resourceVersion") && !target.contains("Selector"), "{target}");
        assert!(target.contains("/namespaces/shop/") && !target.starts_with(PODS), "{target}");
    }
}

#[tokio::test]
async fn kinds_that_the_cluster_lacks_are_left_alone_for_a_while() {
    let server = cluster((200, vec![deployment("blue")]));
    let spaces = server.spaces();
    read(&spaces, Kinds::Owners).await;
    assert!(server.asked().iter().any(|target| target.contains("/rollouts")));
    read(&spaces, Kinds::Owners).await;
    let again = server.asked();
    assert_eq!(again.len(), 4, "{again:?}");
}

#[tokio::test]
async fn one_list_that_fails_says_so_and_leaves_the_others() {
    for (code, words) in [(500, "could not list deployments.apps"), (403, "may not list deployments.apps")] {
        let found = read(&cluster((code, Vec::new())).spaces(), Kinds::Owners).await;
        assert!(found.failed.as_ref().is_some_and(|why| why.contains(words)), "{found:?}");
    }
    // The gap of an optional forbidden kind is noted by its watch.
    let mut lists = cluster((200, vec![deployment("blue")]));
    let rollouts = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts";
    Arc::make_mut(&mut lists.lists).insert(rollouts, (403, Vec::new()));
    let found = read(&lists.spaces(), Kinds::Owners).await;
    assert_eq!((found.failed, found.workloads.len()), (None, 1));
}

#[tokio::test]
async fn pods_replica_sets_and_jobs_are_read_by_themselves() {
    let server = cluster((200, Vec::new()));
    let found = read(&server.spaces(), Kinds::MostlyOwned).await;
    assert_eq!((found.failed, found.workloads.len()), (None, 0));
    let asked = server.asked();
    assert!(asked.len() == 3 && asked.iter().any(|target| target.starts_with(PODS)), "{asked:?}");
}

#[tokio::test]
async fn a_namespaces_labels_are_listed_by_its_name_and_no_other_name_reaches_a_request() {
    let namespace = json!({"metadata": {"name": "shop", "labels": {"team": "calm"}}});
    let server = Server::of([("/api/v1/namespaces", 200, vec![namespace])]);
    let spaces = server.spaces();
    let labels = spaces.labels("shop").await;
    assert_eq!(labels, Some(BTreeMap::from([("team".to_owned(), "calm".to_owned())])));
    assert!(server.asked()[0].contains("fieldSelector=metadata.name%3Dshop"));
    assert_eq!(spaces.labels("a/../b").await, None);
    let found = spaces.workloads("a/../b", Kinds::Owners, Instant::now()).await;
    assert_eq!((found, server.asked().len()), (Some(FreshWorkloads::default()), 0));
}
