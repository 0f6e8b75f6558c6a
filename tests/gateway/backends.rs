//! Backends that answer each request with 200: one in plaintext, one over TLS for api.shop.svc.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::secrets;
use crate::standalone::{BACKENDS, TLS_PORT};

/// They serve as long as the process runs: each port is bound once.
pub(crate) fn start() {
    static STARTED: std::sync::Once = std::sync::Once::new();
    STARTED.call_once(|| {
        serve(8080, |mut stream| answer(&mut stream));
        let config = Arc::new(config());
        serve(TLS_PORT, move |stream| {
            if let Ok(connection) = ServerConnection::new(Arc::clone(&config)) {
                answer(&mut StreamOwned::new(connection, stream));
            }
        });
    });
}

fn config() -> ServerConfig {
    let pair = secrets::named("api.shop.svc");
    let chain: Result<_, _> = CertificateDer::pem_slice_iter(pair.chain.as_bytes()).collect();
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).expect("a key");
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
    builder.with_single_cert(chain.expect("a chain"), key).expect("a certificate")
}

fn serve(port: u16, act: impl Fn(TcpStream) + Send + Sync + 'static) {
    let listener = TcpListener::bind((BACKENDS, port)).expect("a port");
    let act = Arc::new(act);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let act = Arc::clone(&act);
            std::thread::spawn(move || act(stream));
        }
    });
}

fn answer(stream: &mut (impl Read + Write)) {
    let mut request = [0; 4096];
    let read = stream.read(&mut request).unwrap_or_default();
    if read > 0 {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let _ = stream.flush();
    }
}
