//! A proxy before moto that counts calls, and makes some of them fail as calls to AWS do.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

type Body = BoxBody<Bytes, io::Error>;

/// What happens to a call.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// `ThrottlingException`
    Throttled,
    /// `AccessDeniedException`, as AWS words it.
    Denied,
    /// No answer, ever.
    Hang,
    /// The connection is closed.
    Reset,
    /// The connection is closed in the middle of the answer.
    Cut,
    /// A page of HTML, as from a proxy on the way.
    Html,
    /// The answer comes late.
    Slow(Duration),
    /// Not moto's answer, but this: status and body.
    Answer(u16, String),
    /// moto's answer, with this text replaced.
    Rewritten(&'static str, &'static str),
}

/// A fault for the calls of this name whose bodies hold this text, so many times.
struct Rule {
    call: &'static str,
    about: String,
    fault: Fault,
    times: usize,
}

/// A call that came by.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// `DescribeCertificate`
    pub(crate) call: String,
    /// The whole body.
    pub(crate) body: String,
    /// The header `authorization`.
    pub(crate) authorization: String,
}

#[derive(Default)]
struct State {
    rules: Mutex<Vec<Rule>>,
    seen: Mutex<Vec<Seen>>,
}

/// A running proxy: ends when dropped.
pub(crate) struct Proxy {
    pub(crate) url: String,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn before(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(Arc::clone(&state), upstream, request));
                    // A connection that breaks off is what some tests are about.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { url, state, serving }
    }

    /// From now on this happens to calls of this name about this.
    pub(crate) fn fail(&self, call: &'static str, about: &str, fault: Fault) {
        self.fail_times(call, about, fault, usize::MAX);
    }

    /// The same for the first so many of them.
    pub(crate) fn fail_times(&self, call: &'static str, about: &str, fault: Fault, times: usize) {
        let rule = Rule { call, about: about.to_owned(), fault, times };
        self.state.rules.lock().expect("a lock").push(rule);
    }

    /// No call fails from now on.
    pub(crate) fn heal(&self) {
        self.state.rules.lock().expect("a lock").clear();
    }

    /// What came by so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().expect("a lock").clone()
    }

    /// How many calls of each name came by so far.
    pub(crate) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for seen in self.seen() {
            *counts.entry(seen.call).or_default() += 1;
        }
        counts
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(
    state: Arc<State>,
    upstream: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<Body>, io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
    let authorization = head.headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let authorization = authorization.to_owned();
    let about = format!("{} {text}", head.uri);
    // A header in the protocol of ACM and AWS Private CA, a field in that of STS and IAM, the path in that of EKS.
    let call = {
        let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let target = target.and_then(|target| target.rsplit('.').next());
        let action = text.split('&').find_map(|pair| pair.strip_prefix("Action="));
        target.or(action).unwrap_or_else(|| head.uri.path()).to_owned()
    };
    state.seen.lock().expect("a lock").push(Seen { call: call.clone(), body: text, authorization });
    let fault = {
        let mut rules = state.rules.lock().expect("a lock");
        let rule = rules.iter_mut().find(|rule| call == rule.call && about.contains(&rule.about) && rule.times > 0);
        rule.map(|rule| {
            rule.times -= usize::from(rule.times < usize::MAX);
            rule.fault.clone()
        })
    };
    let json_error = |kind: &str, message: &str| {
        whole(400, json!({"__type": kind, "message": message, "Message": message}).to_string())
    };
    match fault {
        None => forward(upstream, head, body).await,
        Some(Fault::Throttled) => Ok(json_error("ThrottlingException", "Rate exceeded")),
        Some(Fault::Denied) => Ok(json_error(
            "AccessDeniedException",
            &format!(
                "User: arn:aws:sts::111122223333:assumed-role/meshvet/pod is not authorized to perform: {call} on resource: *"
            ),
        )),
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Reset) => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
        Some(Fault::Html) => {
            let mut response = whole(500, "<html><body><h1>Internal Server Error</h1></body></html>".repeat(50));
            response.headers_mut().insert(CONTENT_TYPE, "text/html".parse().expect("a header"));
            Ok(response)
        }
        Some(Fault::Slow(by)) => {
            tokio::time::sleep(by).await;
            forward(upstream, head, body).await
        }
        Some(Fault::Answer(status, body)) => Ok(whole(status, body)),
        Some(Fault::Cut) => {
            let response = forward(upstream, head, body).await?;
            let (head, body) = response.into_parts();
            let body = body.collect().await?.to_bytes();
            let half = body.slice(..body.len() / 2);
            let broken = io::Error::from(io::ErrorKind::ConnectionReset);
            let frames = stream::iter([Ok(Frame::data(half))]).chain(stream::once(async {
                // The first half goes out before the connection breaks.
                tokio::time::sleep(Duration::from_millis(20)).await;
                Err(broken)
            }));
            let mut response = Response::from_parts(head, BoxBody::new(StreamBody::new(frames)));
            response.headers_mut().insert(CONTENT_LENGTH, body.len().into());
            Ok(response)
        }
        Some(Fault::Rewritten(from, to)) => {
            let response = forward(upstream, head, body).await?;
            let (mut head, body) = response.into_parts();
            let body = body.collect().await?.to_bytes();
            let text = String::from_utf8_lossy(&body);
            assert!(text.contains(from), "moto's answer has no {from}: {text}");
            head.headers.remove(CONTENT_LENGTH);
            Ok(Response::from_parts(head, full(text.replace(from, to))))
        }
    }
}

fn full(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).map_err(|never: Infallible| match never {}).boxed()
}

fn whole(status: u16, body: String) -> Response<Body> {
    let mut response = Response::new(full(body));
    *response.status_mut() = hyper::StatusCode::from_u16(status).expect("a status");
    response.headers_mut().insert(CONTENT_TYPE, "application/x-amz-json-1.1".parse().expect("a header"));
    response
}

async fn forward(
    upstream: SocketAddr,
    mut head: hyper::http::request::Parts,
    body: Bytes,
) -> Result<Response<Body>, io::Error> {
    let stream = TcpStream::connect(upstream).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    tokio::spawn(connection);
    head.headers.entry(HOST).or_insert_with(|| upstream.to_string().parse().expect("a host"));
    let request = Request::from_parts(head, Full::new(body));
    let response = sender.send_request(request).await.map_err(io::Error::other)?;
    Ok(response.map(|body| body.map_err(io::Error::other).boxed()))
}
