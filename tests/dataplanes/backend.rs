//! The applications behind the proxies.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::server::WebPkiClientVerifier;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::client::{chain, key, roots};
use crate::minted::Pair;
use crate::sandbox::API_SERVER;

/// Starts an application that answers each request with 200, and with whether a certificate was presented; returns its port. It runs as
/// long as the suite.
pub(crate) fn start(pair: Option<&Pair>) -> u16 {
    let listener = TcpListener::bind((API_SERVER, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let config = pair.map(|pair| {
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(roots(), Arc::clone(&provider));
        let verifier = verifier.allow_unauthenticated().build().expect("a verifier");
        let builder =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
        let config = builder.with_client_cert_verifier(verifier).with_single_cert(chain(pair), key(pair));
        Arc::new(config.expect("a pair"))
    });
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = config.clone();
            std::thread::spawn(move || serve(stream, config));
        }
    });
    port
}

fn serve(stream: TcpStream, config: Option<Arc<ServerConfig>>) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
    match config {
        None => answer(stream),
        Some(config) => {
            let Ok(connection) = ServerConnection::new(config) else { return };
            answer(StreamOwned::new(connection, stream));
        }
    }
}

/// One request without a body, one answer.
fn answer(mut stream: impl Read + Write) {
    let mut request = Vec::new();
    let mut some = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut some) {
            Ok(count) if count > 0 => request.extend_from_slice(&some[..count]),
            _ => return,
        }
    }
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let _ = stream.flush();
}
