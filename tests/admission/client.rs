//! A webhook that really listens, and clients that really connect.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Request, Response, Version, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use meshvet::admission::certificate::self_issued::self_issue;
use meshvet::admission::certificate::serving::ServingCertificate;
use meshvet::admission::listener::{Limits, Server, tls_config};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::bed::Bed;

/// Longer than anything here takes: who waits this long has found a fault.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for something that must come.
#[track_caller]
pub(crate) fn soon<T>(what: &'static str, future: impl Future<Output = T>) -> impl Future<Output = T> {
    let waited = tokio::time::timeout(PATIENCE, future);
    async move { waited.await.unwrap_or_else(|_| panic!("waited in vain: {what}")) }
}

/// A webhook on a port of its own on loopback.
pub(crate) struct Live {
    pub(crate) bed: Bed,
    pub(crate) address: SocketAddr,
    pub(crate) authority: String,
    pub(crate) server: JoinHandle<()>,
}

impl Live {
    pub(crate) async fn start(bed: Bed, limits: Limits) -> Self {
        let issued = self_issue(&["localhost".to_owned()]).expect("a certificate");
        Self::start_with(bed, limits, Arc::new(issued.certificate), issued.authority_pem).await
    }

    pub(crate) async fn start_with(
        bed: Bed,
        limits: Limits,
        certificate: Arc<ServingCertificate>,
        authority: String,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = Server {
            router: bed.router.clone(),
            tls: Arc::new(tls_config(certificate).expect("a configuration")),
            drain: bed.drain.clone(),
            metrics: Arc::clone(&bed.metrics),
            limits,
        };
        let server = tokio::spawn(server.serve(listener));
        Self { bed, address, authority, server }
    }

    /// A TLS connection that verifies the server, offering these protocols.
    pub(crate) async fn connect(&self, protocols: &[&str]) -> TlsStream<TcpStream> {
        let config = config(&self.authority, protocols, rustls::ALL_VERSIONS);
        soon("a handshake", handshake(self.address, config)).await.expect("a handshake")
    }

    /// An HTTP/1.1 connection.
    pub(crate) async fn http1(&self) -> http1::SendRequest<Full<Bytes>> {
        let io = TokioIo::new(self.connect(&["http/1.1"]).await);
        let (sender, connection) = http1::handshake(io).await.expect("HTTP/1.1");
        tokio::spawn(connection);
        sender
    }

    /// An HTTP/2 connection, and what tells when it has ended.
    pub(crate) async fn http2(&self) -> (http2::SendRequest<Full<Bytes>>, JoinHandle<()>) {
        let io = TokioIo::new(self.connect(&["h2"]).await);
        let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.expect("HTTP/2");
        (sender, tokio::spawn(async { drop(connection.await) }))
    }
}

/// What a client trusts, and what it can speak.
pub(crate) fn config(
    authority: &str,
    protocols: &[&str],
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authority.as_bytes()) {
        roots.add(certificate.expect("PEM")).expect("a root");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).expect("versions");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Arc::new(config)
}

pub(crate) async fn handshake(address: SocketAddr, config: Arc<ClientConfig>) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(config).connect(name, stream).await
}

/// The request that the API server would send.
pub(crate) fn request(version: Version, review: &Value) -> Request<Full<Bytes>> {
    let body = Full::new(Bytes::from(review.to_string()));
    let request = Request::post("https://localhost/validate?timeout=30s").version(version);
    let request = request.header(header::HOST, "localhost").header(header::CONTENT_TYPE, "application/json");
    request.body(body).expect("a request")
}

/// The answer's head and JSON.
pub(crate) async fn read(response: Response<Incoming>) -> (axum::http::response::Parts, Value) {
    let (head, body) = response.into_parts();
    let body = soon("a body", body.collect()).await.expect("a body").to_bytes();
    (head, serde_json::from_slice(&body).expect("JSON"))
}
