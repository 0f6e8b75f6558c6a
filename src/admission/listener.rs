//! TLS: accepts connections, shakes hands, and hands each to [`super::connection`].

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::server::ResolvesServerCert;
use rustls::server::danger::ClientCertVerifier;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use crate::admission::connection::{self, Timeouts};
use crate::admission::crowd::{Crowd, Place};
use crate::admission::drain::{Drain, Phase};
use crate::admission::server::Webhook;
use crate::operate::metrics::Metrics;

/// What a server takes from unauthenticated clients.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time, those that still shake hands included: one more, and the one that matters least ends. An API
    /// server keeps up to 25 open.
    pub connections: usize,
    /// Time for a TLS handshake.
    pub handshake: Duration,
    /// Time that a connection may do nothing, and that a request's head may take.
    pub timeouts: Timeouts,
    /// Time for what is under way once the server stops.
    pub stopping: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            handshake: Duration::from_secs(10),
            timeouts: Timeouts::default(),
            // No webhook call takes longer.
            stopping: Duration::from_secs(30),
        }
    }
}

/// A server over TLS.
pub struct Server {
    /// What answers.
    pub router: Webhook,
    /// How TLS is spoken.
    pub tls: Arc<ServerConfig>,
    /// When to end.
    pub drain: Drain,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What unauthenticated clients get.
    pub limits: Limits,
}

/// TLS 1.2 and 1.3 by ring, HTTP/2 and HTTP/1.1 by ALPN.
///
/// # Errors
/// When ring doesn't have what these versions need: never.
pub fn tls_config(certificates: Arc<dyn ResolvesServerCert>) -> Result<ServerConfig, rustls::Error> {
    tls_config_for(None, certificates)
}

/// The same; where there are `callers`, for clients alone whose certificate they accept: without one no handshake succeeds.
///
/// # Errors
/// As [`tls_config`].
pub fn tls_config_for(
    callers: Option<Arc<dyn ClientCertVerifier>>,
    certificates: Arc<dyn ResolvesServerCert>,
) -> Result<ServerConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(rustls::ALL_VERSIONS)?;
    let builder = match callers {
        Some(callers) => builder.with_client_cert_verifier(callers),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(certificates);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

impl Server {
    /// Serves until the drain has run its course and what was under way has ended.
    pub async fn serve(self, listener: TcpListener) {
        let Limits { connections, handshake, timeouts, stopping } = self.limits;
        let crowd = Crowd::new(connections);
        let acceptor = TlsAcceptor::from(Arc::clone(&self.tls));
        let tasks = TaskTracker::new();
        let mut phase = self.drain.subscribe();
        loop {
            let accepted = tokio::select! {
                accepted = self.accept(&listener, &crowd) => accepted,
                _ = phase.wait_for(|phase| *phase == Phase::Stopping) => break,
            };
            let (stream, place) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, or the peer is gone already: others may still come.
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let (acceptor, router, metrics) = (acceptor.clone(), self.router.clone(), Arc::clone(&self.metrics));
            let phase = phase.clone();
            tasks.spawn(async move {
                let _open = metrics.connected();
                let shaken = tokio::select! {
                    shaken = timeout(handshake, acceptor.accept(stream)) => shaken,
                    () = place.standing.gives_way() => return,
                };
                match shaken {
                    Ok(Ok(stream)) => connection::serve(stream, router, phase, timeouts, &place.standing).await,
                    Ok(Err(error)) => {
                        metrics.handshake_failed();
                        tracing::debug!(%error, "a TLS handshake failed");
                    }
                    Err(_) => metrics.handshake_failed(),
                }
            });
        }
        drop(listener);
        tasks.close();
        if timeout(stopping, tasks.wait()).await.is_err() {
            tracing::warn!(connections = tasks.len(), "stopped with connections open");
        }
    }
    async fn accept(&self, listener: &TcpListener, crowd: &Arc<Crowd>) -> io::Result<(TcpStream, Place)> {
        let (stream, _) = listener.accept().await?;
        let (place, displaced) = crowd.admit().await;
        if displaced {
            self.metrics.displaced();
        }
        // An answer is one small write: waiting for more only delays it.
        let _ = stream.set_nodelay(true);
        Ok((stream, place))
    }
}
