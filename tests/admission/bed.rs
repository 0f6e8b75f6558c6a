//! A webhook over a world made in code, and the reviews to ask it.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use meshvet::admission::drain::Drain;
use meshvet::admission::overload::Overload;
use meshvet::admission::server::{Webhook, bounded_router, router};
use meshvet::admission::service::Admission;
use meshvet::apis::{Entry, decode_object};
use meshvet::mesh::{Fact, SecretAccess, World};
use meshvet::operate::Clock;
use meshvet::operate::metrics::Metrics;
use meshvet::policy::Policy;
use meshvet::sources::{AwsReader, NoAws, NoReader, SharedWorld, StoreReader};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::manifests::{deployment, namespace, tls_secret, virtual_node};
use crate::support::mint::{Authority, Issued};

/// The authority of every certificate here.
pub(crate) static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new("Test root"));
/// A certificate for the sound node.
pub(crate) static SOUND: LazyLock<Issued> = LazyLock::new(|| AUTHORITY.leaf(&["blue.apps.local"]).issue());
/// A certificate of a wrong name.
pub(crate) static MISNAMED: LazyLock<Issued> = LazyLock::new(|| AUTHORITY.leaf(&["red.apps.local"]).issue());

/// The virtual node `shop/blue`: STRICT on 8443, found at `blue.apps.local`, certificate at /certs.
pub(crate) fn node() -> Value {
    virtual_node("shop", "blue", "blue.apps.local")
}

/// The facts of these manifests.
pub(crate) fn facts(objects: impl IntoIterator<Item = Value>) -> Vec<Fact> {
    let decoded = objects.into_iter().map(|object| decode_object(object, "shop").expect("it can be read"));
    decoded
        .flat_map(|entry| match entry {
            Entry::Subject(reviewed) => reviewed.facts,
            Entry::Fact(fact) => vec![fact],
            other => panic!("nothing to learn: {other:?}"),
        })
        .collect()
}

/// Lets a world learn an object.
pub(crate) fn learn(world: &SharedWorld, object: Value) {
    match decode_object(object, "shop").expect("it can be read") {
        Entry::Subject(reviewed) => world.learn(*reviewed),
        Entry::Fact(fact) => world.write(|world| world.learn(fact)),
        other => panic!("nothing to learn: {other:?}"),
    }
}

/// A webhook, and what can be changed while it serves.
pub(crate) struct Bed {
    pub(crate) policy: Arc<ArcSwap<Policy>>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) drain: Drain,
    pub(crate) router: Webhook,
    pub(crate) world: SharedWorld,
    admission: Arc<Admission>,
}

impl Bed {
    /// A world of these objects, Secrets included: nothing is read afresh.
    pub(crate) fn of(objects: impl IntoIterator<Item = Value>) -> Self {
        Self::reading(objects, SecretAccess::Complete, NoReader)
    }

    /// A world of these objects, and a reader of Secrets.
    pub(crate) fn reading(
        objects: impl IntoIterator<Item = Value>,
        access: SecretAccess,
        reader: impl StoreReader,
    ) -> Self {
        Self::of_all(objects, access, reader, Arc::new(NoAws), Duration::ZERO)
    }

    /// A world of these objects, and somebody who asks AWS.
    #[allow(dead_code, reason = "the suite of AWS shares this file")]
    pub(crate) fn asking(objects: impl IntoIterator<Item = Value>, aws: Arc<dyn AwsReader>) -> Self {
        Self::of_all(objects, SecretAccess::Complete, NoReader, aws, Duration::ZERO)
    }

    /// The same, and how long a denial of a call waits for what is learnt.
    #[allow(dead_code, reason = "the suite of AWS shares this file")]
    pub(crate) fn waiting(
        objects: impl IntoIterator<Item = Value>,
        access: SecretAccess,
        reader: impl StoreReader,
        patience: Duration,
    ) -> Self {
        Self::of_all(objects, access, reader, Arc::new(NoAws), patience)
    }

    fn of_all(
        objects: impl IntoIterator<Item = Value>,
        access: SecretAccess,
        reader: impl StoreReader,
        aws: Arc<dyn AwsReader>,
        patience: Duration,
    ) -> Self {
        let shared = SharedWorld::with_inventory(World::new(access));
        objects.into_iter().for_each(|object| learn(&shared, object));
        let policy = Arc::new(ArcSwap::from_pointee(Policy::default()));
        let (metrics, drain) = (Arc::new(Metrics::default()), Drain::default());
        let world = shared;
        let admission = Admission::new(
            world.clone(),
            Arc::new(reader),
            Arc::clone(&policy),
            Arc::new(Timestamp::now),
            Arc::clone(&metrics),
        );
        let admission = Arc::new(admission.asking(aws).waiting_for_watches(patience));
        let router = router(Arc::clone(&admission), drain.clone());
        Self { policy, metrics, drain, router, world, admission }
    }

    /// The same, by another clock.
    #[allow(dead_code, reason = "the suite of AWS shares this file")]
    pub(crate) fn by(mut self, clock: Clock) -> Self {
        let reader = Arc::clone(&self.admission.reader);
        let (policy, metrics) = (Arc::clone(&self.policy), Arc::clone(&self.metrics));
        self.admission = Arc::new(Admission::new(self.world.clone(), reader, policy, clock, metrics));
        self.router = router(Arc::clone(&self.admission), self.drain.clone());
        self
    }

    /// The same, by a webhook with other parts.
    #[allow(dead_code, reason = "the suite of AWS shares this file")]
    pub(crate) fn with(mut self, parts: impl FnOnce(Admission) -> Admission) -> Self {
        let Admission { reader, clock, .. } = &*self.admission;
        let (reader, clock) = (Arc::clone(reader), Arc::clone(clock));
        let (policy, metrics) = (Arc::clone(&self.policy), Arc::clone(&self.metrics));
        self.admission = Arc::new(parts(Admission::new(self.world.clone(), reader, policy, clock, metrics)));
        self.router = router(Arc::clone(&self.admission), self.drain.clone());
        self
    }

    /// The same, taking on so much at a time.
    #[allow(dead_code, reason = "the suite of AWS shares this file")]
    pub(crate) fn bounded(mut self, overload: Overload) -> Self {
        self.router = bounded_router(Arc::clone(&self.admission), self.drain.clone(), overload);
        self
    }

    /// The world of the sound node, its Secret holding this certificate.
    pub(crate) fn serving(issued: &Issued) -> Self {
        Self::of([
            namespace("shop"),
            deployment("shop", "blue", "blue-cert:/certs"),
            tls_secret("shop", "blue-cert", issued),
        ])
    }

    /// The answer to an HTTP request, which must come at all.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let answered = self.router.clone().oneshot(request);
        let response = tokio::time::timeout(Duration::from_secs(60), answered).await.expect("an answer").expect("one");
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        let json = serde_json::from_slice(&body).unwrap_or_else(|_| panic!("no JSON: {body:?}"));
        assert!(
            !head.headers.contains_key(header::RETRY_AFTER),
            "the API server would ask again within its own deadline"
        );
        Answer { code: head.status.as_u16(), allow: head.headers.get(header::ALLOW).cloned(), json }
    }

    /// The body of the answer to an HTTP request, unread.
    #[allow(dead_code, reason = "the suite of allocations shares this file")]
    pub(crate) async fn answer(&self, request: Request<Body>) -> bytes::Bytes {
        let response = self.router.clone().oneshot(request).await.expect("one");
        response.into_body().collect().await.expect("a body").to_bytes()
    }

    /// The answer to a body sent as the API server sends reviews.
    pub(crate) async fn post(&self, body: impl Into<Body>) -> Answer {
        self.send(post("/validate?timeout=30s", body)).await
    }

    /// The answer to a review, which must have one.
    #[track_caller]
    pub(crate) fn ask(&self, review: &Value) -> impl Future<Output = Response> {
        let asked = self.post(review.to_string());
        async {
            let answer = asked.await;
            assert_eq!(answer.code, 200, "{}", answer.json);
            assert_eq!(answer.json["kind"], "AdmissionReview");
            assert_eq!(answer.json["apiVersion"], "admission.k8s.io/v1");
            assert_eq!(answer.json["response"]["uid"], "7f0c");
            Response(answer.json["response"].clone())
        }
    }
}

pub(crate) fn post(target: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::post(target).header(header::CONTENT_TYPE, "application/json");
    request.body(body.into()).expect("a request")
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) allow: Option<axum::http::HeaderValue>,
    pub(crate) json: Value,
}

impl Answer {
    /// It is a `metav1.Status` of this code whose message has these words.
    #[track_caller]
    pub(crate) fn is_status(&self, code: u16, words: &[&str]) {
        let Self { json, .. } = self;
        assert_eq!((self.code, json["code"].as_u64()), (code, Some(u64::from(code))), "{json}");
        assert_eq!((json["kind"].as_str(), json["apiVersion"].as_str()), (Some("Status"), Some("v1")));
        assert_eq!(json["status"], "Failure");
        for word in words {
            assert!(json["message"].as_str().is_some_and(|message| message.contains(word)), "{json} lacks {word:?}");
        }
    }
}

/// The `response` of a review.
#[derive(Debug)]
pub(crate) struct Response(pub(crate) Value);

impl Response {
    pub(crate) fn message(&self) -> &str {
        self.0["status"]["message"].as_str().unwrap_or_default()
    }

    pub(crate) fn warnings(&self) -> Vec<&str> {
        self.0["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Allowed, and not a word said.
    #[track_caller]
    pub(crate) fn passes_silently(&self) {
        assert_eq!(self.0["allowed"], true, "{}", self.0);
        assert_eq!(self.warnings(), Vec::<&str>::new());
    }

    /// Allowed, with a warning that has all of these words, each in one line of at most 120 characters.
    #[track_caller]
    pub(crate) fn warns(&self, words: &[&str]) {
        assert_eq!(self.0["allowed"], true, "{}", self.0);
        let told = self.warnings().iter().any(|line| words.iter().all(|word| line.contains(word)));
        assert!(told, "no warning has all of {words:?}: {:#?}", self.warnings());
        for line in self.warnings() {
            assert!(!line.chars().any(char::is_control) && line.chars().count() <= 256, "{line:?}");
        }
    }

    /// Denied as DESIGN has it, with all of these words in the message.
    #[track_caller]
    pub(crate) fn denies(&self, words: &[&str]) {
        assert_eq!(self.0["allowed"], false, "{}", self.0);
        let status = &self.0["status"];
        assert_eq!((&status["code"], &status["reason"]), (&json!(403), &json!("Forbidden")));
        for word in words {
            match word.split_once(" problem").and_then(|(count, _)| count.parse::<usize>().ok()) {
                Some(count) => assert_eq!(problems(self.message()), count, "{}", self.message()),
                None => assert!(self.message().contains(word), "the message lacks {word:?}:\n{}", self.message()),
            }
        }
    }
}

/// How many problems the first line of a denial counts.
fn problems(message: &str) -> usize {
    let first = message.lines().next().unwrap_or_default();
    let more = first.rsplit_once(" (+").and_then(|(_, rest)| rest.strip_suffix(" more)"));
    1 + more.map_or(0, |more| more.parse().expect("a number"))
}

/// The review of a new object.
pub(crate) fn create(object: Value) -> Value {
    review("CREATE", object, Value::Null)
}

/// The review of a change.
pub(crate) fn update(old: Value, new: Value) -> Value {
    review("UPDATE", new, old)
}

pub(crate) fn review(operation: &str, object: Value, old: Value) -> Value {
    let said = if object.is_null() { &old } else { &object };
    let (kind, name, namespace) =
        (said["kind"].clone(), said["metadata"]["name"].clone(), said["metadata"]["namespace"].clone());
    let api_version = said["apiVersion"].as_str().unwrap_or("appmesh.k8s.aws/v1beta2").to_owned();
    let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
    json!({
        "kind": "AdmissionReview",
        "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": "7f0c",
            "kind": {"group": group, "version": version, "kind": kind},
            "resource": {"group": "appmesh.k8s.aws", "version": "v1beta2", "resource": "virtualnodes"},
            "requestKind": {"group": group, "version": version, "kind": kind},
            "requestResource": {"group": "appmesh.k8s.aws", "version": "v1beta2", "resource": "virtualnodes"},
            "name": name,
            "namespace": namespace,
            "operation": operation,
            "userInfo": {"username": "kubernetes-admin", "groups": ["system:masters", "system:authenticated"]},
            "object": object,
            "oldObject": old,
            "dryRun": false,
            "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "kubectl-create"},
        },
    })
}
