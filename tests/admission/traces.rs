//! Traces, as a collector receives them from a running `meshvet serve`.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Version};
use axum::routing::post;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Told;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use crate::bed::{create, node};
use crate::client::{config, handshake, read, request, soon};
use crate::serve::{Running, address};

/// A collector of spans.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

impl Collector {
    /// Serves it; returns its endpoint.
    async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let take = async |State(collector): State<Collector>, headers: HeaderMap, body: Bytes| {
            assert_eq!(headers["content-type"], "application/x-protobuf");
            let request = ExportTraceServiceRequest::decode(body).expect("OTLP");
            collector.0.lock().expect("a lock").push(request);
            StatusCode::OK
        };
        let router = Router::new().route("/v1/traces", post(take)).with_state(self.clone());
        tokio::spawn(async { axum::serve(listener, router).await });
        endpoint
    }

    fn spans(&self) -> Vec<Span> {
        let received = self.0.lock().expect("a lock");
        let resources = received.iter().flat_map(|request| &request.resource_spans);
        resources.flat_map(|spans| &spans.scope_spans).flat_map(|spans| spans.spans.clone()).collect()
    }

    /// Waits until there are so many spans.
    async fn has(&self, count: usize) -> Vec<Span> {
        let waiting = async {
            while self.spans().len() < count {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            self.spans()
        };
        soon("the spans", waiting).await
    }
}

fn attributes(attributes: &[KeyValue]) -> BTreeMap<&str, String> {
    let text = |told: &KeyValue| match told.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Told::StringValue(text)) => text.clone(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|told| (told.key.as_str(), text(told))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_collector_is_told_of_each_review_as_part_of_the_api_servers_trace() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00f067aa0ba902b7";
    let collector = Collector::default();
    let endpoint = collector.serve().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut running = Running::start_with(folder.path(), &["--otlp-endpoint", &endpoint]);
    let serving = running.logs("serving");
    let authority = std::fs::read_to_string(folder.path().join("ca.pem")).expect("the authority");
    let config = config(&authority, &["http/1.1"], rustls::ALL_VERSIONS);
    let stream = soon("a handshake", handshake(address(&serving, "address"), config)).await.expect("a handshake");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP/1.1");
    tokio::spawn(connection);
    for parent in [Some(format!("00-{TRACE}-{PARENT}-01")), None, Some(format!("00-{TRACE}-{PARENT}-00"))] {
        let mut asked = request(Version::HTTP_11, &create(node()));
        if let Some(parent) = parent {
            asked.headers_mut().insert("traceparent", HeaderValue::from_str(&parent).expect("a header"));
        }
        sender.ready().await.expect("a connection");
        read(soon("an answer", sender.send_request(asked)).await.expect("an answer")).await;
    }

    // Of the third nobody wants to hear: the API server says that its trace isn't sampled.
    let spans = collector.has(2).await;
    let (followed, own) = (&spans[0], &spans[1]);
    assert_eq!((hex(&followed.trace_id), hex(&followed.parent_span_id)), (TRACE.to_owned(), PARENT.to_owned()));
    assert_ne!(hex(&own.trace_id), TRACE);
    assert!(own.parent_span_id.is_empty(), "{own:?}");
    for span in &spans {
        let told = attributes(&span.attributes);
        for (field, value) in [
            ("uid", "7f0c"),
            ("kind", "VirtualNode"),
            ("namespace", "shop"),
            ("name", "blue"),
            ("operation", "CREATE"),
            ("verdict", "warned"),
        ] {
            assert_eq!(told.get(field).map(String::as_str), Some(value), "{field}: {told:?}");
        }
        assert!(told["rules"].contains("MV203"), "{told:?}");
        assert!(span.name == "review" && span.end_time_unix_nano > span.start_time_unix_nano, "{span:?}");
    }
    let received = collector.0.lock().expect("a lock")[0].clone();
    let resource = received.resource_spans[0].resource.clone().expect("a resource");
    assert_eq!(attributes(&resource.attributes)["service.name"], "meshvet");

    // The line of the log is the same as ever.
    let verdict = running.logs("verdict");
    assert!(verdict.get("spans").is_none() && verdict["uid"] == "7f0c", "{verdict}");

    // What has not been delivered yet is, before it ends.
    sender.ready().await.expect("a connection");
    read(soon("an answer", sender.send_request(request(Version::HTTP_11, &create(node())))).await.expect("one")).await;
    let kill = Command::new("sh").args(["-c", &format!("kill -TERM {}", running.child.id())]).status();
    assert!(kill.expect("sh runs").success());
    running.logs("stopped");
    let ended = tokio::task::spawn_blocking(move || running.child.wait().expect("it ends"));
    assert_eq!(soon("its end", ended).await.expect("a status").code(), Some(0));
    assert_eq!(collector.has(3).await.len(), 3);
}

#[tokio::test]
async fn a_collector_that_is_away_is_told_once_and_costs_no_review() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut running = Running::start_with(folder.path(), &["--otlp-endpoint=http://127.0.0.1:1"]);
    let serving = running.logs("serving");
    let authority = std::fs::read_to_string(folder.path().join("ca.pem")).expect("the authority");
    let config = config(&authority, &["http/1.1"], rustls::ALL_VERSIONS);
    let stream = soon("a handshake", handshake(address(&serving, "address"), config)).await.expect("a handshake");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP/1.1");
    tokio::spawn(connection);
    let (_, body) =
        read(soon("an answer", sender.send_request(request(Version::HTTP_11, &create(node())))).await.expect("one"))
            .await;
    assert_eq!(body["response"]["allowed"], true, "{body}");
    running.logs("traces can't be delivered; reviews go on without them");
}
