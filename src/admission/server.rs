//! HTTP: the router that answers reviews, and everything around it that is no review.
//!
//! The router knows no socket: tests drive it in process. Every body that isn't a review is a `metav1.Status`, the only one
//! whose text the API server passes on to the user.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, Version, header};
use axum::response::Response;
use axum::routing::post;
use futures::FutureExt as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;

use crate::admission::answer::{Answer, Reason};
use crate::admission::drain::{Drain, Phase};
use crate::admission::service::Admission;
use crate::admission::timeout::budget;
use crate::admission::trace;

/// The largest body that is read. A review carries an object twice, and the API server's own limit is 3 MiB for one.
pub const BODY_LIMIT: usize = 8 * 1024 * 1024;
/// Bodies above this many bytes, or of unknown length, take turns, so that many at once don't fill the memory.
const SMALL_BODY: usize = 64 * 1024;
/// How many large bodies are held at a time.
const LARGE_AT_ONCE: usize = 32;

struct Shared {
    admission: Arc<Admission>,
    drain: Drain,
    large: Semaphore,
}

/// The router of the admission server: `POST /validate`.
pub fn router(admission: Arc<Admission>, drain: Drain) -> Router {
    let shared = Arc::new(Shared { admission, drain, large: Semaphore::new(LARGE_AT_ONCE) });
    Router::new()
        .route("/validate", post(validate))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .with_state(shared)
}

async fn validate(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let version = request.version();
    let span = trace::request(request.headers());
    let review = AssertUnwindSafe(answer(&shared, request)).catch_unwind().instrument(span);
    let answer = review.await.unwrap_or_else(|_| {
        shared.admission.metrics.failed("panic");
        tracing::error!("a review failed; this is a bug of meshvet");
        Answer::failure(Reason::InternalError, "meshvet: judging the object failed; this is a bug of meshvet")
    });
    respond(answer, version, &shared.drain)
}

async fn answer(shared: &Shared, request: Request) -> Answer {
    let deadline = Instant::now() + budget(request.uri().query());
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: usize| length > BODY_LIMIT) {
        return too_large(shared);
    }
    let read = async {
        // Without a length it may be any size.
        let _turn = match length {
            Some(length) if length <= SMALL_BODY => None,
            _ => shared.large.acquire().await.ok(),
        };
        match Limited::new(request.into_body(), BODY_LIMIT).collect().await {
            Ok(body) => Ok(shared.admission.review(body.to_bytes(), deadline).await),
            Err(error) => Err(error),
        }
    };
    // The review keeps the deadline by itself, so that it can still answer; this is for bodies that don't come.
    match timeout_at(deadline + std::time::Duration::from_millis(100), read).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) if error.is::<LengthLimitError>() => too_large(shared),
        Ok(Err(error)) => {
            shared.admission.metrics.failed("broken-body");
            tracing::warn!(error = error.as_ref() as &dyn std::error::Error, "could not read a request's body");
            Answer::failure(Reason::BadRequest, &format!("meshvet: the body broke off: {error}"))
        }
        Err(_) => {
            shared.admission.metrics.failed("timeout");
            tracing::warn!("a request's body did not arrive in time");
            Answer::failure(Reason::Timeout, "meshvet: the body did not arrive in the time of the request")
        }
    }
}

fn too_large(shared: &Shared) -> Answer {
    shared.admission.metrics.failed("too-large");
    tracing::warn!(limit = BODY_LIMIT, "refused a body that is too large");
    let limit = BODY_LIMIT / (1024 * 1024);
    Answer::failure(Reason::RequestEntityTooLarge, &format!("meshvet: the body is larger than {limit} MiB"))
}

async fn method_not_allowed(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let message = format!("meshvet: {} is not allowed on {}: POST is", request.method(), request.uri().path());
    let answer = Answer::failure(Reason::MethodNotAllowed, &message);
    let mut response = respond(answer, request.version(), &shared.drain);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

async fn not_found(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let message = format!("meshvet: there is nothing at {}: reviews go to /validate", request.uri().path());
    respond(Answer::failure(Reason::NotFound, &message), request.version(), &shared.drain)
}

/// While draining, a connection of HTTP/1.1 ends with the answer that is under way, so that the client sees it coming and
/// doesn't write its next request into a closed one. HTTP/2 has GOAWAY for that.
fn respond(answer: Answer, version: Version, drain: &Drain) -> Response {
    let Answer { code, body } = answer;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if drain.phase() != Phase::Serving && version < Version::HTTP_2 {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
