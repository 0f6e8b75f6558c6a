//! The report of what is in the cluster now, at `/` of the probes' port: read-only, for people with a browser.
//!
//! A request only ever takes the last page. Pages are made by one task, one at a time, and only while somebody looks: no more often
//! than [`Pace::least`], and again after [`Pace::most`] even when nothing has changed, because certificates come nearer to their end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use ring::digest::{SHA256, digest};
use tokio::sync::{Notify, watch};

use crate::mesh::{SecretAccess, SecretScope};
use crate::operate::Clock;
use crate::policy::Policy;
use crate::report::html::{About, Page, html};
use crate::sources::SharedWorld;
use crate::survey::Surveyor;
use crate::text::hex;

/// How often pages are made, and how long a request waits for one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// A page this young is good enough, whatever has changed.
    pub least: Duration,
    /// A page older than this is made again, whether anything has changed or not.
    pub most: Duration,
    /// How long a request waits; then it takes the old page, where there is one.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { least: Duration::from_secs(5), most: Duration::from_secs(60), patience: Duration::from_secs(10) }
    }
}

/// The report of a living world.
#[derive(Clone)]
pub(crate) struct ReportPage(Arc<Shared>);

struct Shared {
    world: SharedWorld,
    policy: Arc<ArcSwap<Policy>>,
    clock: Clock,
    pace: Pace,
    asked: Notify,
    last: watch::Sender<Option<Arc<Made>>>,
}

/// A page as it is answered.
struct Made {
    at: Instant,
    /// How many changes the world had seen.
    change: u64,
    body: Bytes,
    tag: HeaderValue,
    policy: HeaderValue,
}

impl ReportPage {
    /// A report of `world`, which must keep an [inventory](SharedWorld::with_inventory).
    pub(crate) fn new(world: SharedWorld, policy: Arc<ArcSwap<Policy>>, clock: Clock, pace: Pace) -> Self {
        let (asked, last) = (Notify::new(), watch::Sender::default());
        Self(Arc::new(Shared { world, policy, clock, pace, asked, last }))
    }

    /// Makes pages whenever one is asked for. Ends only by being dropped.
    pub(crate) async fn run(self) {
        let changes = self.0.world.changes();
        loop {
            self.0.asked.notified().await;
            let change = *changes.borrow();
            if !self.0.is_due(change) {
                continue;
            }
            let shared = Arc::clone(&self.0);
            // Judging is nothing but work: it has no place among the reviews' tasks.
            match tokio::task::spawn_blocking(move || shared.make(change)).await {
                Ok(Ok(made)) => drop(self.0.last.send_replace(Some(Arc::new(made)))),
                Ok(Err(error)) => tracing::error!(%error, "the report could not be written"),
                Err(error) => tracing::error!(%error, "the report failed; this is a bug of meshvet"),
            }
        }
    }

    /// The page, a new one where it is due and comes in time.
    async fn page(&self) -> Option<Arc<Made>> {
        let mut last = self.0.last.subscribe();
        let change = *self.0.world.changes().borrow();
        if self.0.is_due(change) {
            self.0.asked.notify_one();
            let _ = tokio::time::timeout(self.0.pace.patience, last.changed()).await;
        }
        last.borrow().clone()
    }
}

impl Shared {
    fn is_due(&self, change: u64) -> bool {
        self.last.borrow().as_ref().is_none_or(|made| {
            let age = made.at.elapsed();
            age >= self.pace.most || (age >= self.pace.least && made.change != change)
        })
    }

    fn make(&self, change: u64) -> Result<Made, Box<dyn std::error::Error + Send + Sync>> {
        let now = (self.clock)();
        let (survey, map) = Surveyor::new(&self.world, &self.policy.load(), Some(now)).survey_with_map();
        let mut notes = Vec::new();
        if let SecretScope::Only(_) = self.world.read(|world| world.secret_scope().clone()) {
            notes.push(
                "Secrets of some namespaces alone are read here (--secret-namespaces): what is in others isn't shown."
                    .to_owned(),
            );
        }
        if self.world.read(|world| world.secret_access()) != SecretAccess::Complete {
            notes.push(
                "Secrets are not watched here (--secrets), so what is in them isn't shown; `meshvet audit` reads them by name."
                    .to_owned(),
            );
        }
        let about = About { source: "this cluster, as the webhook sees it".to_owned(), judged_at: now, notes };
        let Page { text, policy } = html(&survey.report, &map, &about)?;
        let digest = digest(&SHA256, text.as_bytes());
        let tag = hex(digest.as_ref().get(..16).unwrap_or_default());
        Ok(Made {
            at: Instant::now(),
            change,
            body: text.into(),
            tag: HeaderValue::try_from(format!("\"{tag}\""))?,
            // No other page may hold this one in a frame; a page can't say that of itself.
            policy: HeaderValue::try_from(format!("{policy}; frame-ancestors 'none'"))?,
        })
    }
}

/// `GET /`
pub(super) async fn get(State(page): State<ReportPage>, headers: HeaderMap) -> Response {
    let Some(made) = page.page().await else {
        let text = "the report is being made: load this page again\n";
        return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")], text).into_response();
    };
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let tag = made.tag.to_str().unwrap_or_default();
    let unchanged = known.flat_map(|tags| tags.split(',')).any(|known| {
        let known = known.trim();
        known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
    });
    let (status, body) = match unchanged {
        true => (StatusCode::NOT_MODIFIED, Body::empty()),
        false => (StatusCode::OK, Body::from(made.body.clone())),
    };
    let fixed = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        // It may be kept, and must be asked about: names and issuers are not for a shared cache.
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let own = [(header::ETAG, made.tag.clone()), (header::CONTENT_SECURITY_POLICY, made.policy.clone())];
    (status, fixed, own, body).into_response()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::Request;
    use http_body_util::BodyExt as _;
    use jiff::Timestamp;
    use serde_json::json;
    use tower::ServiceExt as _;

    use super::*;
    use crate::apis::{Entry, decode_object};
    use crate::k8s::ObjectRef;
    use crate::mesh::{FactId, World};

    /// Adds a virtual node, as a watch would.
    fn learn(world: &SharedWorld, name: &str) {
        let node = json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualNode",
            "metadata": {"name": name, "namespace": "shop"}, "spec": {"podSelector": {}}});
        let Ok(Entry::Subject(reviewed)) = decode_object(node, "shop") else { panic!("no node") };
        let id = FactId::Object(ObjectRef::new("appmesh.k8s.aws/v1beta2", "VirtualNode", "shop", name));
        world.write(|world| world.extend(reviewed.facts.iter().cloned()));
        world.take_stock(|inventory| inventory.note(&id, Some(*reviewed)));
    }

    fn page(access: SecretAccess, pace: Pace) -> (SharedWorld, Router, tokio::task::JoinHandle<()>) {
        let world = SharedWorld::with_inventory(World::new(access));
        let clock: Clock = Arc::new(Timestamp::now);
        let page = ReportPage::new(world.clone(), Arc::default(), clock, pace);
        let router = Router::new().route("/", axum::routing::get(get)).with_state(page.clone());
        (world, router, tokio::spawn(page.run()))
    }

    async fn ask(router: &Router, tag: Option<&str>) -> (u16, HeaderMap, String) {
        let mut request = Request::get("/");
        if let Some(tag) = tag {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        let request = request.body(Body::empty()).expect("a request");
        let answer = router.clone().oneshot(request).await.expect("an answer");
        let (head, body) = answer.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        (head.status.as_u16(), head.headers, String::from_utf8(body.into()).expect("text"))
    }

    const EAGER: Pace =
        Pace { least: Duration::ZERO, most: Duration::from_secs(3600), patience: Duration::from_secs(60) };

    #[tokio::test]
    async fn it_shows_what_is_known_and_again_when_that_changes() {
        let (world, router, task) = page(SecretAccess::Complete, EAGER);
        learn(&world, "blue");
        let (status, headers, body) = ask(&router, None).await;
        assert_eq!(status, 200);
        assert!(body.contains("\"name\":\"blue\"") && !body.contains("\"name\":\"green\""));
        let policy = headers["content-security-policy"].to_str().expect("text");
        assert!(policy.starts_with("default-src 'none'; ") && policy.ends_with("frame-ancestors 'none'"), "{policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff");

        let tag = headers["etag"].to_str().expect("text");
        let (status, _, body) = ask(&router, Some(tag)).await;
        assert_eq!((status, body.as_str()), (304, ""), "nothing has changed");
        assert_eq!(ask(&router, Some(&format!("\"other\", W/{tag}"))).await.0, 304);

        learn(&world, "green");
        let (status, _, body) = ask(&router, Some(tag)).await;
        assert_eq!(status, 200);
        assert!(body.contains("\"name\":\"green\""));
        task.abort();
    }

    #[tokio::test]
    async fn a_young_page_is_good_enough() {
        let hour = Duration::from_secs(3600);
        let (world, router, task) = page(SecretAccess::OnDemand, Pace { least: hour, most: hour, patience: hour });
        learn(&world, "blue");
        let (_, _, first) = ask(&router, None).await;
        assert!(first.contains("Secrets are not watched here"), "and it says what it doesn't know");
        learn(&world, "green");
        assert_eq!(ask(&router, None).await.2, first);
        task.abort();
    }

    #[tokio::test]
    async fn without_a_page_in_time_it_says_so() {
        let (_, router, task) = page(SecretAccess::Complete, Pace { patience: Duration::ZERO, ..EAGER });
        // Nobody makes pages any more.
        task.abort();
        let _ = task.await;
        let (status, headers, body) = ask(&router, None).await;
        assert_eq!(status, 503);
        assert_eq!(headers["retry-after"], "5");
        assert!(body.contains("load this page again"), "{body}");
    }
}
