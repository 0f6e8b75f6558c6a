//! Surveys of manifests and of live worlds, with readers that record requests.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::json;
use tokio::time::Instant;

use super::*;
use crate::aws::Answer;
use crate::example;
use crate::mesh::{Fact, FactId, FreshStores, SecretAccess, StoreState, Unread as StoreUnread};
use crate::sources::manifests::{Manifests, load_texts};
use crate::sources::{AwsReader, NoAws, SharedWorld, StoreReader};

/// The example mesh, with certificates.
fn example() -> Manifests {
    let secrets = example::secrets().expect("certificates");
    load_texts(example::FILES.into_iter().chain([("secrets.json", secrets.as_str())]), "default")
}

/// The same objects as from watches, without the contents of Secrets.
fn living(manifests: &Manifests) -> SharedWorld {
    let world = SharedWorld::with_inventory(World::new(SecretAccess::OnDemand));
    for namespace in manifests.world.namespaces() {
        let labels = manifests.world.namespace(namespace).cloned().unwrap_or_default();
        world.write(|world| world.learn(Fact::Namespace(namespace.to_owned(), labels)));
    }
    for located in &manifests.objects {
        let id = FactId::Object(located.reviewed.object.clone());
        world.write(|world| world.replace(&id, located.reviewed.facts.clone()));
        world.take_stock(|inventory| inventory.note(&id, Some((*located.reviewed).clone())));
    }
    world
}

/// Reads the `state` of a store, if there is one, and records the request.
struct Reader<F> {
    state: F,
    asked: Mutex<Vec<StoreKey>>,
}

impl<F> Reader<F> {
    fn new(state: F) -> Self {
        Self { state, asked: Mutex::default() }
    }

    /// How often each store was asked for.
    fn asked(&self) -> BTreeMap<StoreKey, usize> {
        let mut counts = BTreeMap::new();
        for key in self.asked.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            *counts.entry(key.clone()).or_default() += 1;
        }
        counts
    }
}

impl<F: Fn(&StoreKey) -> Option<StoreState> + Send + Sync + 'static> StoreReader for Reader<F> {
    fn read(&self, keys: Vec<StoreKey>) -> BoxFuture<'_, FreshStores> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).extend(keys.iter().cloned());
        let read = keys.into_iter().filter_map(|key| (self.state)(&key).map(|state| (key, state)));
        let read: FreshStores = read.collect();
        async move { read }.boxed()
    }
}

/// The findings by code and object.
fn found(report: &Report) -> BTreeMap<(&'static str, String), usize> {
    let mut found = BTreeMap::new();
    for Reported { finding, .. } in &report.findings {
        *found.entry((finding.rule.code, finding.object.to_string())).or_default() += 1;
    }
    found
}

#[tokio::test]
async fn a_cluster_whose_secrets_are_read_by_name_is_judged_as_its_manifests_are() {
    let manifests = example();
    let (world, policy) = (living(&manifests), Policy::default());
    let by_manifests = found(&Surveyor::new(&manifests, &policy, None).survey().report);
    assert!(by_manifests.contains_key(&("MV206", "VirtualNode shop/payment".to_owned())), "{by_manifests:?}");

    let mut surveyor = Surveyor::new(&world, &policy, None);
    assert_ne!(found(&surveyor.survey().report), by_manifests, "nothing was read yet");
    let reader = Reader::new(move |key: &StoreKey| Some(manifests.world.store(key)));
    let told = Mutex::new(Vec::new());
    let tell = |read| told.lock().unwrap_or_else(PoisonError::into_inner).push(read);
    assert_eq!(surveyor.read_stores(&reader, &tell).await, None);
    let asked = reader.asked();
    assert!(asked.values().all(|times| *times == 1), "{asked:?}");
    let last = told.lock().unwrap_or_else(PoisonError::into_inner).last().copied();
    assert_eq!(last, Some(StoresRead { stores: asked.len(), of: asked.len() }));
    assert_eq!(found(&surveyor.survey().report), by_manifests);

    surveyor.read_stores(&reader, &tell).await;
    assert_eq!(reader.asked(), asked, "what is known is not read again");
}

#[tokio::test]
async fn stores_that_cant_be_read_are_noted() {
    let (world, policy) = (living(&example()), Policy::default());
    let reader = Reader::new(|_: &StoreKey| Some(StoreState::Unread(StoreUnread::Failed("no route".to_owned()))));
    let note = Surveyor::new(&world, &policy, None).read_stores(&reader, &|_| {}).await;
    let all = reader.asked().len();
    let expected = format!("{all} of {all} Secrets could not be read, so that what is in them isn't judged: no route");
    assert_eq!(note, Some(expected));
}

#[tokio::test]
async fn a_store_that_comes_back_with_nothing_is_asked_for_once() {
    let (world, policy) = (living(&example()), Policy::default());
    let reader = Reader::new(|_: &StoreKey| None);
    assert_eq!(Surveyor::new(&world, &policy, None).read_stores(&reader, &|_| {}).await, None);
    assert!(!reader.asked().is_empty() && reader.asked().values().all(|times| *times == 1));
}

#[tokio::test]
async fn a_look_serves_until_something_is_learnt() {
    let (world, policy) = (living(&example()), Policy::default());
    let mut surveyor = Surveyor::new(&world, &policy, None);
    let reader = Reader::new(|_: &StoreKey| Some(StoreState::Absent));
    surveyor.read_stores(&reader, &|_| {}).await;
    let looked_at = surveyor.look.as_ref().map(|look| look.judged_at);
    assert!(looked_at.is_some());
    surveyor.ask(&NoAws).await;
    assert_eq!(Some(surveyor.survey().judged_at), looked_at);
}

#[test]
fn of_a_namespace_only_its_own_is_told() {
    let manifests = example();
    let (world, policy) = (living(&manifests), Policy::default());
    let survey = |namespace| Surveyor::new(&world, &policy, None).within(Some(namespace)).survey_with_map();
    let (inside, map) = survey("shop");
    // All but the Mesh, which is cluster-scoped.
    let its_own = manifests.objects.iter().filter(|it| it.reviewed.object.namespace() == "shop").count();
    assert_eq!(its_own, manifests.objects.len() - 1);
    assert_eq!((inside.report.objects, inside.report.judged.len()), (its_own, its_own));
    assert!(!inside.report.findings.is_empty() && !map.nodes.is_empty());
    let (outside, map) = survey("elsewhere");
    assert_eq!((outside.report.objects, outside.report.findings.len(), map.nodes.len()), (0, 0, 0));
}

const CERTIFICATE: &str = "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-000000000000";

/// Finds nothing in AWS, and records the questions.
#[derive(Default)]
struct Aws {
    asked: Mutex<Vec<Question>>,
}

impl AwsReader for Aws {
    fn ask(&self, questions: Vec<Question>, _: Instant) -> BoxFuture<'_, AwsFacts> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).extend(questions.iter().cloned());
        async move { questions.into_iter().map(|question| (question, Answer::NotFound)).collect() }.boxed()
    }
}

#[tokio::test]
async fn aws_is_asked_once_of_each_and_its_answers_are_judged() {
    let tls = json!({"mode": "STRICT", "certificate": {"acm": {"certificateARN": CERTIFICATE}}});
    let node = json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualNode",
        "metadata": {"name": "blue", "namespace": "shop"},
        "spec": {"podSelector": {}, "listeners": [{"portMapping": {"port": 8443, "protocol": "http"}, "tls": tls}],
            "serviceDiscovery": {"dns": {"hostname": "blue.shop.svc.cluster.local"}}}});
    let text = node.to_string();
    let manifests = load_texts([("blue.json", text.as_str())], "default");
    let policy = Policy::default();
    let mut surveyor = Surveyor::new(&manifests, &policy, None);
    surveyor.ask(&NoAws).await;
    let survey = surveyor.survey();
    assert_eq!(survey.not_asked, 1, "the certificate");
    assert!(
        survey.notes.iter().any(|note| note.contains("the account of 1 object is not known")),
        "{:?}",
        survey.notes
    );
    assert!(!found(&survey.report).keys().any(|(code, _)| *code == "MV404"));

    let aws = Aws::default();
    surveyor.ask(&aws).await;
    let survey = surveyor.survey();
    assert_eq!(survey.not_asked, 0);
    assert!(found(&survey.report).keys().any(|(code, _)| *code == "MV404"), "{:?}", found(&survey.report));
    let asked = aws.asked.lock().unwrap_or_else(PoisonError::into_inner);
    let different: BTreeSet<&Question> = asked.iter().collect();
    assert_eq!(different.len(), asked.len(), "{asked:?}");
}
