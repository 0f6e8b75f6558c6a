//! HTTP: what answers reviews, and everything around it that is no review.
//!
//! It knows no socket: tests drive it in process. Every body that isn't a review is a `metav1.Status`, the only one whose text the API
//! server passes on to the user. There are few paths and one method, and every request goes through here: it is no router of a framework,
//! which costs more than reading the review's body does.

use std::convert::Infallible;
use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http_body_util::Full;
use hyper::body::Body;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::admission::answer::{Answer, Reason};
use crate::admission::crowd::Standing;
use crate::admission::drain::{Drain, Phase};
use crate::admission::overload::{self, BODY_LIMIT, Gate, Held, OnOverload, Overload, Unread};
use crate::admission::paths::{Door, Paths};
use crate::admission::service::Admission;
use crate::admission::timeout::budget;
use crate::admission::unready::FailurePolicy;
use crate::operate::trace;

/// Answers requests. Clones share it.
#[derive(Clone)]
pub struct Webhook(Arc<Shared>);

struct Shared {
    admission: Arc<Admission>,
    drain: Drain,
    gate: Gate,
    on_overload: OnOverload,
    paths: Arc<Paths>,
}

/// What answers at an admission server: `POST` to `/validate`, or to `/validate/ignore` for entries of failurePolicy Ignore, or to the
/// path of an [entry](crate::admission::entries::ENTRIES), which all fail open. What is asked about is in the review itself.
pub fn router(admission: Arc<Admission>, drain: Drain) -> Webhook {
    bounded_router(admission, drain, Overload::default())
}

/// The same, taking on so much at a time.
pub fn bounded_router(admission: Arc<Admission>, drain: Drain, overload: Overload) -> Webhook {
    router_at(admission, drain, overload, Paths::of(&[Door::Plain]).into())
}

/// The same, at these paths in place of the entries' own.
pub fn router_at(admission: Arc<Admission>, drain: Drain, overload: Overload, paths: Arc<Paths>) -> Webhook {
    Webhook(Arc::new(Shared { admission, drain, gate: Gate::new(overload), on_overload: overload.answer, paths }))
}

impl Webhook {
    /// Answers a request, whose connection stands so.
    pub(super) async fn answer<B>(&self, request: Request<B>, standing: Option<&Arc<Standing>>) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Error + Send + Sync + 'static,
    {
        let shared = &*self.0;
        let version = request.version();
        // The same answer for every other path: nothing tells how near to a right one it was.
        let Some(own) = shared.paths.at(request.uri().path()) else {
            let message = "meshvet: there is nothing here: reviews go where the webhook configuration sends them";
            return respond(Answer::failure(Reason::NotFound, message), version, &shared.drain);
        };
        if request.method() != Method::POST {
            let message = format!("meshvet: {} is not allowed on {own}: POST is", request.method());
            let answer = Answer::failure(Reason::MethodNotAllowed, &message);
            let mut response = respond(answer, version, &shared.drain);
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            return response;
        }
        let span = trace::request(request.headers());
        let review = AssertUnwindSafe(answer(shared, request, own, standing)).catch_unwind().instrument(span);
        let answer = review.await.unwrap_or_else(|_| {
            shared.admission.metrics.failed("panic");
            tracing::error!("a review failed; this is a bug of meshvet");
            Answer::failure(Reason::InternalError, "meshvet: judging the object failed; this is a bug of meshvet")
        });
        respond(answer, version, &shared.drain)
    }
}

impl<B> tower::Service<Request<B>> for Webhook
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Error + Send + Sync + 'static,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let webhook = self.clone();
        Box::pin(async move { Ok(webhook.answer(request, None).await) })
    }
}

/// The answer to a review that came by the path of the entry whose own path is `own`.
async fn answer<B>(shared: &Shared, request: Request<B>, own: &str, standing: Option<&Arc<Standing>>) -> Answer
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Error + Send + Sync + 'static,
{
    let deadline = Instant::now() + budget(request.uri().query());
    let policy = FailurePolicy::of_path(own);
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let body = match shared.gate.read(request.into_body(), length, deadline).await {
        Ok(body) => body,
        Err(unread) => return not_read(shared, unread),
    };
    // From here on meshvet is the one that is waited for: the connection stays.
    let _judging = standing.map(Standing::judge);
    let Held { bytes, charge: _charge } = body;
    // Before the turn: who waits for the caches takes none.
    shared.admission.unready.wait(deadline).await;
    match shared.gate.turn(deadline).await {
        Some(_turn) => shared.admission.review(bytes, deadline, policy).await,
        None => overloaded(shared, &bytes),
    }
}

/// The answer to a review that was rejected by overload.
fn overloaded(shared: &Shared, body: &[u8]) -> Answer {
    let metrics = &shared.admission.metrics;
    match overload::uid(body) {
        Ok(uid) => {
            let allowed = shared.on_overload == OnOverload::Allow;
            metrics.overloaded(if allowed { "allowed" } else { "refused" });
            tracing::warn!(uid, allowed, "overloaded: answered a review without judging it");
            Answer::unjudged(&uid, allowed)
        }
        Err(error) => {
            metrics.failed("malformed");
            Answer::failure(Reason::BadRequest, &format!("meshvet: {error}"))
        }
    }
}

/// The answer to a body that was not read. Nobody knows whose it is, so it is no review: the failurePolicy decides.
fn not_read(shared: &Shared, why: Unread) -> Answer {
    let metrics = &shared.admission.metrics;
    match why {
        Unread::TooLarge => {
            metrics.failed("too-large");
            tracing::warn!(limit = BODY_LIMIT, "refused a body that is too large");
            let limit = BODY_LIMIT / (1024 * 1024);
            Answer::failure(Reason::RequestEntityTooLarge, &format!("meshvet: the body is larger than {limit} MiB"))
        }
        Unread::NoRoom => {
            metrics.overloaded("unread");
            tracing::warn!("overloaded: did not read a body");
            let message = "meshvet is overloaded, and did not read this request's body: apply again later";
            Answer::failure(Reason::ServiceUnavailable, message)
        }
        Unread::Broken(error) => {
            metrics.failed("broken-body");
            tracing::warn!(error = &*error as &dyn Error, "could not read a request's body");
            Answer::failure(Reason::BadRequest, &format!("meshvet: the body was cut off: {error}"))
        }
        Unread::Late => {
            metrics.failed("timeout");
            tracing::warn!("a request's body did not arrive in time");
            Answer::failure(Reason::Timeout, "meshvet: the body did not arrive in the time of the request")
        }
    }
}

/// While draining, a connection of HTTP/1.1 ends with the answer that is under way, so that the client sees it coming and
/// doesn't write its next request into a closed one. HTTP/2 has GOAWAY for that.
fn respond(answer: Answer, version: Version, drain: &Drain) -> Response<Full<Bytes>> {
    let Answer { code, body } = answer;
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if drain.phase() != Phase::Serving && version < Version::HTTP_2 {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
