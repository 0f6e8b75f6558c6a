//! Lists of several pages and their readers, against scripted responses.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kube::Client;
use serde_json::json;

use super::kinds::SECRETS;
use super::object::RawObject;
use super::pages::{Pages, begun_anew, is_expired};
use super::place::Place;
use super::watch_tests::{Answer, Log, client, only, page};
use super::{ClusterOptions, compare, list_all};
use crate::mesh::World;
use crate::sources::SharedWorld;
use crate::verify::pods;

/// The queries of the lists of one resource, in order.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<String>>>);

impl Asked {
    fn queries(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The requested pages.
    fn pages(&self) -> String {
        self.queries().iter().map(|query| if query.contains("continue=second") { '2' } else { '1' }).collect()
    }
}

fn expired() -> Answer {
    let message = "The provided continue parameter is too old";
    let status = json!({"kind": "Status", "status": "Failure", "reason": "Expired", "code": 410, "message": message});
    Some((410, status.to_string()))
}

/// A cluster with two pages of `resource`. The second page expires `expiries` times.
fn two_pages(resource: &'static str, expiries: usize) -> (Client, Asked) {
    let asked = Asked::default();
    let heard = asked.clone();
    let client = client(only(resource, move |query| {
        heard.0.lock().unwrap_or_else(PoisonError::into_inner).push(query.to_owned());
        let seconds = heard.pages().matches('2').count();
        match query.contains("continue=second") {
            false => page(&["a", "b"], "second"),
            true if seconds <= expiries => expired(),
            true => page(&["c"], ""),
        }
    }));
    (client, asked)
}

fn names(objects: &[RawObject]) -> Vec<&str> {
    objects.iter().map(RawObject::name).collect()
}

async fn read_all(client: &Client) -> kube::Result<Vec<RawObject>> {
    let api = Place::Everywhere.api(client.clone(), &SECRETS);
    let (mut pages, mut all) = (Pages::of(&SECRETS), Vec::new());
    while let Some(page) = pages.next(&api).await? {
        all.extend(page);
    }
    Ok(all)
}

#[tokio::test]
async fn pages_come_in_order_and_the_last_one_again() {
    let (client, asked) = two_pages("/secrets", 0);
    let api = Place::Everywhere.api(client, &SECRETS);
    let mut pages = Pages::of(&SECRETS);
    for expected in [["a", "b"].as_slice(), &["c"]] {
        for again in [true, false] {
            let page = pages.next(&api).await.expect("an answer").expect("a page");
            assert_eq!(names(&page), expected);
            if again {
                pages.again();
            }
        }
    }
    for _ in 0..2 {
        assert!(pages.next(&api).await.expect("no question").is_none());
    }
    assert_eq!(asked.pages(), "1122");
    let alike = |query: &String| query.contains("limit=50") && query.contains("fieldSelector=type%21%3Dhelm.sh");
    assert!(asked.queries().iter().all(alike), "{:?}", asked.queries());
}

#[tokio::test]
async fn a_page_that_failed_is_still_the_next() {
    let (client, asked) = two_pages("/secrets", 1);
    let api = Place::Everywhere.api(client, &SECRETS);
    let mut pages = Pages::of(&SECRETS);
    pages.next(&api).await.expect("the first page");
    assert!(is_expired(&pages.next(&api).await.expect_err("a refusal")));
    let page = pages.next(&api).await.expect("an answer").expect("the second page");
    assert_eq!(names(&page), ["c"]);
    assert_eq!(asked.pages(), "122");
}

#[tokio::test]
async fn an_expired_list_begins_anew_and_not_for_ever() {
    for (expiries, pages) in [(0, "12"), (1, "1212"), (3, "12121212")] {
        let (client, asked) = two_pages("/secrets", expiries);
        let all = begun_anew(|| read_all(&client), is_expired).await.expect("a list");
        assert_eq!(names(&all), ["a", "b", "c"]);
        assert_eq!(asked.pages(), pages);
    }
    let (client, asked) = two_pages("/secrets", 4);
    assert!(is_expired(&begun_anew(|| read_all(&client), is_expired).await.expect_err("too often")));
    assert_eq!(asked.pages(), "12121212");
}

#[tokio::test]
async fn another_failure_is_final() {
    let (client, asked) = two_pages("/secrets", 4);
    assert!(begun_anew(|| read_all(&client), |_| false).await.is_err());
    assert_eq!(asked.pages(), "12");
}

#[tokio::test]
async fn nothing_of_an_answer_is_logged() {
    let (log, _guard) = Log::start();
    let list = r#"{"metadata":{"resourceVersion":"7"},"items":[{"metadata":{"namespace":"shop","name":"cert"}"#;
    for code in [200, 500] {
        read_all(&client(move |_| Some((code, list.to_owned())))).await.expect_err("a broken list");
    }
    // The client's own task sees no contents, and isn't silenced.
    let text = log.text();
    assert_eq!(text.lines().find(|line| !line.contains(" tower::buffer::worker: ")), None, "{text}");
}

#[tokio::test]
async fn a_snapshot_begins_a_list_anew() {
    let read = async |expiries| {
        let (client, asked) = two_pages("/namespaces", expiries);
        let world = SharedWorld::new(World::default());
        let gaps = list_all(&client, ClusterOptions::default(), None, &world, &|_| {}).await;
        let counts = world.read(World::counts);
        let namespaces = counts.iter().find(|(what, _)| *what == "namespaces").map(|found| found.1);
        (gaps.problems, namespaces, asked.pages())
    };
    assert_eq!(read(1).await, (Vec::new(), Some(3), "1212".to_owned()));
    let (problems, _, pages) = read(4).await;
    assert_eq!(problems, ["could not list namespaces: it changed too often"]);
    assert_eq!(pages, "12121212");
}

#[tokio::test]
async fn a_comparison_begins_a_list_anew() {
    let look = async |expiries| {
        let (client, asked) = two_pages("/namespaces", expiries);
        let world = SharedWorld::new(World::default());
        let comparison = compare(&client, ClusterOptions::default(), &world, Duration::ZERO).await;
        (comparison.objects, comparison.problems, asked.pages())
    };
    // Unknown objects are checked twice.
    assert_eq!(look(1).await, (3, Vec::new(), "121212".to_owned()));
    let problems = vec!["could not list Namespace: it changed too often".to_owned()];
    assert_eq!(look(4).await, (0, problems, "12121212".to_owned()));
}

#[tokio::test]
async fn the_list_of_proxies_begins_anew() {
    let (client, asked) = two_pages("/pods", 1);
    assert_eq!(pods::find(&client, None, Some("app=blue")).await.expect("a list"), []);
    assert_eq!(asked.pages(), "1212");
    assert!(asked.queries().iter().all(|query| query.contains("labelSelector=app%3Dblue")), "{:?}", asked.queries());

    let (client, asked) = two_pages("/pods", 4);
    let error = pods::find(&client, Some("shop"), None).await.expect_err("too often");
    assert_eq!(
        error.to_string(),
        "the pods could not be listed: the API server answered 410: The provided continue parameter is too old"
    );
    assert_eq!(asked.pages(), "12121212");
}
