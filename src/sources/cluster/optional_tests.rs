//! Optional kinds: missing, forbidden, or served in another version.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use super::watch_tests::{Answer, Cluster, Log, client, only, page};
use super::{ClusterOptions, compare, list_all};
use crate::mesh::{SecretAccess, Sort, View, World};
use crate::sources::SharedWorld;

/// The API server's answer to a list without the right, and discovery of Argo's kinds.
fn forbidding(served: bool) -> impl Fn(&str) -> Answer + Clone + Send + Sync + 'static {
    move |target| {
        let path = target.split('?').next().unwrap_or_default();
        if path == "/apis/argoproj.io/v1alpha1" {
            let resource = json!({"name": "rollouts", "singularName": "rollout", "namespaced": true, "kind": "Rollout", "verbs": ["list"]});
            let list =
                json!({"kind": "APIResourceList", "groupVersion": "argoproj.io/v1alpha1", "resources": [resource]});
            return Some(if served { (200, list.to_string()) } else { (404, "404 page not found\n".to_owned()) });
        }
        let message = "rollouts.argoproj.io is forbidden: User \"meshvet\" cannot list resource \"rollouts\"";
        let status =
            json!({"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403, "message": message});
        match (target.contains("watch=true"), path.ends_with("/rollouts")) {
            (_, true) => Some((403, status.to_string())),
            (true, false) => None,
            (false, false) => page(&[], ""),
        }
    }
}

fn unlisted(world: &SharedWorld) -> Vec<(String, String)> {
    let gaps = |world: &World| {
        let gaps = View::new(world).unlisted(Sort::Workloads, "shop").into_iter();
        gaps.map(|(resource, gap)| (resource.to_owned(), gap.why.clone())).collect()
    };
    world.read(gaps)
}

#[tokio::test]
async fn an_optional_kind_that_is_forbidden_counts_as_filled_and_is_noted() {
    let (log, _guard) = Log::start();
    let cluster = Cluster::watch(client(forbidding(true)));
    cluster.until("ready without it", |cluster| cluster.readiness.ready()).await;
    let gaps = unlisted(&cluster.world);
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert!(
        gaps[0].0 == "rollouts.argoproj.io" && gaps[0].1.contains("must allow list and watch on rollouts.argoproj.io")
    );
    tokio::time::sleep(Duration::from_millis(60)).await;
    let lines: Vec<String> = log
        .text()
        .lines()
        .filter(|line| line.contains("may not list rollouts.argoproj.io"))
        .map(str::to_owned)
        .collect();
    assert!(lines.len() == 1 && lines[0].contains("WARN"), "{lines:?}");
}

#[tokio::test]
async fn an_optional_kind_that_is_not_there_is_no_gap_whatever_the_rights() {
    let (log, _guard) = Log::start();
    let cluster = Cluster::watch(client(forbidding(false)));
    cluster.until("ready without it", |cluster| cluster.readiness.ready()).await;
    assert!(unlisted(&cluster.world).is_empty());
    assert!(!log.text().contains("WARN"), "{}", log.text());
}

#[tokio::test]
async fn a_gap_ends_when_the_right_is_given() {
    let given = Arc::new(AtomicBool::new(false));
    let (is_given, refuses) = (Arc::clone(&given), forbidding(true));
    let cluster = Cluster::watch(client(move |target| {
        let list = !target.contains("watch=true") && target.contains("/rollouts");
        if list && is_given.load(Ordering::Relaxed) { page(&["blue"], "") } else { refuses(target) }
    }));
    cluster.until("a gap", |cluster| !unlisted(&cluster.world).is_empty()).await;
    given.store(true, Ordering::Relaxed);
    cluster.until("no gap", |cluster| unlisted(&cluster.world).is_empty()).await;
    cluster.until("listed", |cluster| cluster.stats.kind("Rollout").expect("a kind").objects() == 1).await;
}

#[tokio::test]
async fn a_resource_is_followed_in_the_first_version_that_is_served() {
    let kruise = |served: &'static str| {
        move |target: &str| {
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            match (query.contains("watch=true"), path.contains("/apps.kruise.io/") && path.ends_with("/statefulsets")) {
                (true, _) => None,
                (false, true) if path.contains(served) => page(&["db"], ""),
                (false, true) => Some((404, "404 page not found\n".to_owned())),
                (false, false) => page(&[], ""),
            }
        }
    };
    for (served, version) in [("/v1alpha1/", "apps.kruise.io/v1alpha1"), ("/v1", "apps.kruise.io/v1beta1")] {
        let cluster = Cluster::watch(client(kruise(served)));
        cluster.until("ready", |cluster| cluster.readiness.ready()).await;
        let known = |world: &World| world.workloads().map(|it| it.object.api_version.clone()).collect::<Vec<_>>();
        assert_eq!(cluster.world.read(known), [version]);
        // Both versions are one watch with one metric; `StatefulSet` is Kubernetes' own kind.
        assert_eq!(cluster.stats.kind("statefulsets.apps.kruise.io").expect("a kind").objects(), 1);
        assert_eq!(cluster.stats.kind("StatefulSet").expect("a kind").objects(), 0);
        let options = ClusterOptions { access: SecretAccess::Complete, ..ClusterOptions::default() };
        let compared = compare(&client(kruise(served)), options, &cluster.world, Duration::ZERO).await;
        assert_eq!((compared.differences, compared.problems), (Vec::new(), Vec::new()));
    }
}

#[tokio::test]
async fn an_audit_does_without_an_optional_kind_and_says_so() {
    for served in [true, false] {
        let world = SharedWorld::new(World::default());
        let gaps = list_all(&client(forbidding(served)), ClusterOptions::default(), None, &world, &|_| {}).await;
        assert!(gaps.problems.is_empty(), "{gaps:?}");
        assert_eq!(gaps.notes.iter().any(|note| note.contains("rollouts.argoproj.io may not be listed")), served);
        assert_eq!(unlisted(&world).len(), usize::from(served));
    }
    // Most clusters lack them.
    let nothing = client(only("/rollouts", |_| Some((404, "404 page not found\n".to_owned()))));
    let gaps = list_all(&nothing, ClusterOptions::default(), None, &SharedWorld::default(), &|_| {}).await;
    assert!(gaps.notes.is_empty() && gaps.problems.is_empty(), "{gaps:?}");
}
