//! The part of kube-apiserver that asks a webhook, and the part of kubectl that tells what came of it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::{Request, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::apis::{self, Row, SchemaFault};
use crate::k8s::ObjectRef;

/// Why a webhook could not be asked, or did not answer as it should.
#[derive(Debug, Error)]
pub(crate) enum Unanswered {
    /// There is nobody at the address.
    #[error("{address}")]
    Unreachable {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        error: io::Error,
    },
    /// The connection failed, or its TLS handshake did.
    #[error(transparent)]
    Broken(#[from] io::Error),
    /// The authority is no PEM.
    #[error(transparent)]
    Pem(#[from] pem::Error),
    /// The authority is none to verify by.
    #[error(transparent)]
    Authority(#[from] rustls::Error),
    /// The host is none to verify by.
    #[error(transparent)]
    Host(#[from] InvalidDnsNameError),
    /// No request could be made of it.
    #[error(transparent)]
    Request(#[from] axum::http::Error),
    /// The object is no JSON.
    #[error(transparent)]
    Object(#[from] serde_json::Error),
    /// HTTP failed.
    #[error(transparent)]
    Http(#[from] hyper::Error),
    /// The answer is no 200.
    #[error("the admission server answered {status}: {body}")]
    Status {
        /// The status.
        status: StatusCode,
        /// What it said.
        body: String,
    },
    /// The answer is no review.
    #[error("the admission server's answer")]
    Answer(#[source] serde_json::Error),
    /// The answer is to another question.
    #[error("the admission server answered {answered} and was asked {asked}")]
    OtherReview {
        /// The uid of the answer.
        answered: String,
        /// The uid of the question.
        asked: String,
    },
}

/// A connection to a webhook, over TLS and HTTP/1.1 as to a Service.
pub(crate) struct ApiServer {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    asked: u64,
}

/// What a user gets to see.
pub(crate) struct Told {
    /// Whether the object was created.
    pub(crate) created: bool,
    /// The warnings, each without `Warning: `.
    pub(crate) warnings: Vec<String>,
    /// All of it, as kubectl writes it.
    pub(crate) text: String,
}

#[derive(Deserialize)]
struct Review {
    response: Response,
}

#[derive(Deserialize)]
struct Response {
    uid: String,
    allowed: bool,
    #[serde(default)]
    status: Status,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    message: String,
    reason: String,
}

impl ApiServer {
    /// Connects, and verifies the webhook by its authority, as by a `caBundle`.
    pub(super) async fn connect(address: SocketAddr, host: &str, authority_pem: &str) -> Result<Self, Unanswered> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority_pem.as_bytes())?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let stream = TcpStream::connect(address).await.map_err(|error| Unanswered::Unreachable { address, error })?;
        stream.set_nodelay(true)?;
        let stream =
            TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(host.to_owned())?, stream).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, host: host.to_owned(), asked: 0 })
    }

    /// Submits an object to be created, as `kubectl apply -f FILE` would.
    pub(crate) async fn create(&mut self, row: &Row, object: &Value, file: &str) -> Result<Told, Unanswered> {
        self.asked += 1;
        let uid = format!("00000000-0000-4000-8000-{:012x}", self.asked);
        let review = review(row, object, &uid);
        let request = Request::post(format!("https://{}/validate?timeout=5s", self.host))
            .header(header::HOST, &self.host)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(serde_json::to_vec(&review)?)))?;
        self.sender.ready().await?;
        let (head, body) = self.sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        if head.status != 200 {
            let body = String::from_utf8_lossy(&body).into_owned();
            return Err(Unanswered::Status { status: head.status, body });
        }
        let Review { response } = serde_json::from_slice(&body).map_err(Unanswered::Answer)?;
        if response.uid != uid {
            return Err(Unanswered::OtherReview { answered: response.uid, asked: uid });
        }
        Ok(tell(row, object, file, response))
    }
}

/// What kubectl prints of an object that the API server itself refuses, by the schema of its kind: nobody else is asked.
pub(crate) fn invalid(object: &ObjectRef, faults: &[SchemaFault]) -> Option<Told> {
    let lines: Vec<String> =
        faults.iter().map(|fault| format!("{}: {}", fault.field.kubernetes(), fault.refusal)).collect();
    let what = match lines.as_slice() {
        [] => return None,
        [only] => format!(" {only}"),
        several => several.iter().map(|line| format!("\n* {line}")).collect(),
    };
    let text = format!("The {} {:?} is invalid:{what}\n", object.kind, object.name);
    Some(Told { created: false, warnings: Vec::new(), text })
}

/// What kubectl prints.
fn tell(row: &Row, object: &Value, file: &str, response: Response) -> Told {
    let mut text: String = response.warnings.iter().map(|warning| format!("Warning: {warning}\n")).collect();
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    if response.allowed {
        text.push_str(&format!("{}.{}/{name} created\n", row.singular, row.group));
    } else {
        let Status { message, reason } = response.status;
        let webhook = apis::word(row.group, |names| names.webhook);
        text.push_str(&format!(
            "Error from server ({reason}): error when creating {file:?}: admission webhook {webhook:?} denied the request: \
             {message}\n"
        ));
    }
    Told { created: response.allowed, warnings: response.warnings, text }
}

fn review(row: &Row, object: &Value, uid: &str) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("uid".to_owned(), uid.into());
        metadata.insert("generation".to_owned(), 1.into());
        metadata.insert("creationTimestamp".to_owned(), Timestamp::now().to_string().into());
    }
    let metadata = object.get("metadata").unwrap_or(&Value::Null);
    let of = |key: &str| metadata.get(key).cloned().unwrap_or_default();
    let group_version_kind = json!({"group": row.group, "version": row.version, "kind": row.kind.kind});
    let resource = json!({"group": row.group, "version": row.version, "resource": row.plural});
    json!({
        "kind": "AdmissionReview",
        "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": uid,
            "kind": group_version_kind,
            "resource": resource,
            "requestKind": group_version_kind,
            "requestResource": resource,
            "name": of("name"),
            "namespace": of("namespace"),
            "operation": "CREATE",
            "userInfo": {"username": "you", "groups": ["system:authenticated"]},
            "object": object,
            "oldObject": null,
            "dryRun": false,
            "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "kubectl-client-side-apply"},
        },
    })
}
