//! An API server with a few objects for tests, which records its requests.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::BoxError;
use axum::body::Body as Answer;
use axum::http::{HeaderMap, Request, Response};
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedSender, unbounded};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

/// How a GET is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Get {
    Sound,
    /// The first so many hang; later ones succeed.
    Hangs(usize),
    Fails(u16, usize),
    /// The connection breaks.
    Breaks(usize),
}

/// An API server with a few objects.
#[derive(Clone)]
pub(super) struct Server(Arc<Mutex<State>>);

pub(super) struct State {
    /// By resource and name: `pods/bare`.
    pub(super) objects: BTreeMap<String, Value>,
    pub(super) get: Get,
    /// Whether GETs block.
    pub(super) closed: bool,
    /// The objects that were read by name, in order.
    pub(super) read: Vec<String>,
    /// The lists and watches requested: resource, verb and Accept.
    pub(super) asked: Vec<(String, &'static str, String)>,
    pub(super) watches: BTreeMap<String, Vec<UnboundedSender<String>>>,
}

impl Server {
    pub(super) fn with(objects: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        Self(Arc::new(Mutex::new(State {
            objects: objects.into_iter().map(|(key, object)| (key.to_owned(), object)).collect(),
            get: Get::Sound,
            closed: false,
            read: Vec::new(),
            asked: Vec::new(),
            watches: BTreeMap::new(),
        })))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn getting(self, get: Get) -> Self {
        self.state().get = get;
        self
    }

    pub(super) fn read(&self) -> Vec<String> {
        self.state().read.clone()
    }

    pub(super) fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { server.answer(&request.uri().to_string(), request.headers()).await }
        });
        Client::new(service, "default")
    }

    async fn answer(&self, target: &str, headers: &HeaderMap) -> Result<Response<Answer>, BoxError> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let accept = headers.get("accept").and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        let mut parts = path.rsplit('/');
        let (last, before) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if ["pods", "replicasets", "jobs"].contains(&before) {
            return self.get(&format!("{before}/{last}")).await;
        }
        let mut state = self.state();
        let verb = if query.contains("watch=true") { "watch" } else { "list" };
        state.asked.push((last.to_owned(), verb, accept.to_owned()));
        if verb == "watch" {
            let (events, body) = unbounded();
            state.watches.entry(last.to_owned()).or_default().push(events);
            return Ok(Response::new(Answer::from_stream(body.map(Ok::<String, Infallible>))));
        }
        let prefix = format!("{last}/");
        let of_kind = state.objects.iter().filter(|(key, _)| key.starts_with(&prefix));
        let items: Vec<Value> = of_kind.map(|(_, object)| partly(object, accept)).collect();
        let list = json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": items});
        Ok(Response::new(Answer::from(list.to_string())))
    }

    async fn get(&self, key: &str) -> Result<Response<Answer>, BoxError> {
        // The state at the time of the request.
        let (found, get) = {
            let mut state = self.state();
            state.read.push(key.to_owned());
            let get = match state.get {
                Get::Hangs(0) | Get::Fails(_, 0) | Get::Breaks(0) | Get::Sound => Get::Sound,
                Get::Hangs(left) => std::mem::replace(&mut state.get, Get::Hangs(left - 1)),
                Get::Fails(code, left) => std::mem::replace(&mut state.get, Get::Fails(code, left - 1)),
                Get::Breaks(left) => std::mem::replace(&mut state.get, Get::Breaks(left - 1)),
            };
            (state.objects.get(key).cloned(), get)
        };
        while self.state().closed {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        let (code, body) = match (get, found) {
            (Get::Hangs(_), _) => return std::future::pending().await,
            (Get::Breaks(_), _) => return Err("the connection is gone".into()),
            (Get::Fails(code, _), _) => {
                let reason = if code == 403 { "Forbidden" } else { "InternalError" };
                (code, json!({"kind": "Status", "status": "Failure", "reason": reason, "code": code, "message": "no"}))
            }
            (Get::Sound, Some(object)) => (200, object),
            (Get::Sound, None) => {
                (404, json!({"kind": "Status", "reason": "NotFound", "code": 404, "message": "gone"}))
            }
        };
        Ok(Response::builder().status(code).body(Answer::from(body.to_string()))?)
    }

    /// Stores objects, and sends their events to the watches in one chunk.
    pub(super) fn put(&self, objects: &[(&str, &Value)]) {
        let events = objects.iter().map(|(key, object)| {
            self.state().objects.insert((*key).to_owned(), (*object).clone());
            (*key, "MODIFIED", *object)
        });
        self.tell(&events.collect::<Vec<_>>());
    }

    pub(super) fn delete(&self, key: &str) {
        let object = self.state().objects.remove(key).expect("an object");
        self.tell(&[(key, "DELETED", &object)]);
    }

    /// Sends events to the watches of one resource, in one chunk.
    pub(super) fn tell(&self, events: &[(&str, &str, &Value)]) {
        let line = |(_, what, object): &(&str, &str, &Value)| {
            // Fields in the API server's order.
            format!("{{\"type\":\"{what}\",\"object\":{}}}\n", partly(object, "PartialObjectMetadata"))
        };
        let chunk: String = events.iter().map(line).collect();
        let resource = events[0].0.split('/').next().expect("a resource");
        for watch in self.state().watches.get(resource).expect("a watch") {
            let _ = watch.unbounded_send(chunk.clone());
        }
    }
}

/// What the API server sends of an object: only metadata, if the request asks for that.
pub(super) fn partly(object: &Value, accept: &str) -> Value {
    if !accept.contains("PartialObjectMetadata") {
        return object.clone();
    }
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}
