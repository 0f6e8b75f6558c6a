//! Servers that are no Envoys: applications that end TLS themselves, and those outside of the mesh.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixListener;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use crate::config::application;
use crate::pairing::{Content, Identity, Pairing, Place, Program, ServerTls};

/// The applications of pairings, ended when dropped.
pub(crate) struct Applications {
    _runtime: Runtime,
}

impl Applications {
    /// Starts those of these pairings that are no Envoys, each at a socket of its own.
    pub(crate) fn start(folder: &Path, pairings: &[Pairing]) -> Self {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build().expect("a runtime");
        for (number, pairing) in pairings.iter().enumerate() {
            if pairing.place == Place::Listener || pairing.program == Program::Envoy {
                continue;
            }
            let _within = runtime.enter();
            let socket = UnixListener::bind(folder.join(application(number))).expect("a socket");
            let tls = pairing.server.as_ref().map(|tls| acceptor(tls).expect("rustls can load it"));
            runtime.spawn(serve(socket, pairing.program, tls));
        }
        Self { _runtime: runtime }
    }
}

/// Whether rustls can present this.
pub(crate) fn can_load(identity: &Identity) -> bool {
    certified(identity).is_some()
}

async fn serve(socket: UnixListener, program: Program, tls: Option<TlsAcceptor>) {
    while let Ok((stream, _)) = socket.accept().await {
        if program == Program::Mute {
            let mut stream = stream;
            let _some = stream.read(&mut [0; 512]).await;
            continue;
        }
        let tls = tls.clone();
        tokio::spawn(async move {
            match tls {
                // What fails here is told by the other end.
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        answer(stream).await;
                    }
                }
                None => answer(stream).await,
            }
        });
    }
}

/// Answers one request; what isn't HTTP is a bad one.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut request = vec![0; 4096];
    let mut length = 0;
    loop {
        match stream.read(&mut request[length..]).await {
            Ok(0) | Err(_) => return,
            Ok(more) => length += more,
        }
        if length == request.len() || !request.starts_with(b"GET ") || request[..length].ends_with(b"\r\n\r\n") {
            break;
        }
    }
    let status = if request.starts_with(b"GET ") { "200 OK" } else { "400 Bad Request" };
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
    let _sent = stream.write_all(answer.as_bytes()).await;
    let _ended = stream.shutdown().await;
}

/// One certificate for everybody, whatever is in it.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

fn certificates(content: &Content) -> Option<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(content.as_deref()?).collect::<Result<_, _>>().ok()
}

fn certified(identity: &Identity) -> Option<CertifiedKey> {
    let chain = certificates(&identity.chain)?;
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_deref()?).ok()?;
    let key = ring::sign::any_supported_type(&key).ok()?;
    Some(CertifiedKey::new(chain, key))
}

fn acceptor(tls: &ServerTls) -> Option<TlsAcceptor> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().ok()?;
    let builder = match &tls.validation {
        None => builder.with_no_client_auth(),
        Some(validation) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(certificates(&validation.bundle)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().ok()?)
        }
    };
    let config = builder.with_cert_resolver(Arc::new(Always(Arc::new(certified(&tls.identity)?))));
    Some(TlsAcceptor::from(Arc::new(config)))
}
