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

use crate::apis::SchemaFault;
use crate::k8s::ObjectRef;
use crate::sources::manifests::Document;

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
    #[error("the admission server answered {answered}, and was asked about {asked}")]
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
    /// Whether the object was stored.
    pub(crate) created: bool,
    /// Whether the webhook was asked.
    pub(crate) asked: bool,
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

    /// Asks a webhook of this name at a path about an object.
    pub(super) async fn ask(&mut self, asked: &Asked<'_>, path: &str, webhook: &str) -> Result<Told, Unanswered> {
        self.asked += 1;
        let uid = format!("00000000-0000-4000-8000-{:012x}", self.asked);
        let review = asked.review(&uid)?;
        let request = Request::post(format!("https://{}{path}?timeout=5s", self.host))
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
        Ok(asked.told(response, webhook))
    }
}

/// What kubectl prints of an object that the API server itself refuses, by the schema of its kind: nobody else is asked.
pub(super) fn invalid(object: &ObjectRef, faults: &[SchemaFault]) -> Option<Told> {
    let lines: Vec<String> =
        faults.iter().map(|fault| format!("{}: {}", fault.field.kubernetes(), fault.refusal)).collect();
    let what = match lines.as_slice() {
        [] => return None,
        [only] => format!(" {only}"),
        several => several.iter().map(|line| format!("\n* {line}")).collect(),
    };
    let text = format!("The {} {:?} is invalid:{what}\n", object.kind, object.name);
    Some(Told { created: false, asked: false, warnings: Vec::new(), text })
}

/// An object that is submitted.
pub(super) struct Asked<'a> {
    pub(super) document: &'a Document,
    /// As it was applied before.
    pub(super) old: Option<&'a [u8]>,
    /// The file that it stands in.
    pub(super) file: &'a str,
}

impl Asked<'_> {
    /// What kubectl prints where no webhook is asked.
    pub(super) fn unasked(&self) -> Told {
        Told { created: true, asked: false, warnings: Vec::new(), text: self.done() }
    }

    fn done(&self) -> String {
        let row = self.document.row;
        let kind =
            if row.group.is_empty() { row.singular.to_owned() } else { format!("{}.{}", row.singular, row.group) };
        let done = match self.old {
            None => "created",
            Some(old) if old == self.document.json.as_slice() => "unchanged",
            Some(_) => "configured",
        };
        format!("{kind}/{} {done}\n", self.document.object.name)
    }

    /// What kubectl prints.
    fn told(&self, response: Response, webhook: &str) -> Told {
        let mut text: String = response.warnings.iter().map(|warning| format!("Warning: {warning}\n")).collect();
        if response.allowed {
            text.push_str(&self.done());
        } else {
            let Status { message, reason } = response.status;
            let doing = if self.old.is_none() { "creating" } else { "applying patch to" };
            text.push_str(&format!(
                "Error from server ({reason}): error when {doing} {:?}: admission webhook {webhook:?} denied the request: {message}\n",
                self.file
            ));
        }
        Told { created: response.allowed, asked: true, warnings: response.warnings, text }
    }

    fn review(&self, uid: &str) -> Result<Value, serde_json::Error> {
        let row = self.document.row;
        let mut object: Value = serde_json::from_slice(&self.document.json)?;
        let mut old: Option<Value> = self.old.map(serde_json::from_slice).transpose()?;
        for object in [Some(&mut object), old.as_mut()].into_iter().flatten() {
            if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.insert("uid".to_owned(), uid.into());
                metadata.insert("generation".to_owned(), 1.into());
                metadata.insert("creationTimestamp".to_owned(), Timestamp::now().to_string().into());
            }
        }
        let (name, namespace) = (&self.document.object.name, self.document.object.namespace());
        let group_version_kind = json!({"group": row.group, "version": row.version, "kind": row.kind.kind});
        let resource = json!({"group": row.group, "version": row.version, "resource": row.plural});
        let (operation, options) = if old.is_none() { ("CREATE", "CreateOptions") } else { ("UPDATE", "PatchOptions") };
        Ok(json!({
            "kind": "AdmissionReview",
            "apiVersion": "admission.k8s.io/v1",
            "request": {
                "uid": uid,
                "kind": group_version_kind,
                "resource": resource,
                "requestKind": group_version_kind,
                "requestResource": resource,
                "name": name,
                "namespace": namespace,
                "operation": operation,
                "userInfo": {"username": "you", "groups": ["system:authenticated"]},
                "object": object,
                "oldObject": old,
                "dryRun": false,
                "options": {"kind": options, "apiVersion": "meta.k8s.io/v1", "fieldManager": "kubectl-client-side-apply"},
            },
        }))
    }
}
