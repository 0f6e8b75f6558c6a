//! A webhook that allows everything and remembers what it was asked: it stands in for meshvet where the question is what comes to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::sandbox;
use crate::support::mint::Issued;

/// A running one. It ends with the suite.
pub(crate) struct StandIn {
    pub(crate) address: Ipv4Addr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// A review.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The path that it went to.
    pub(crate) path: String,
    /// `AdmissionReview.request`.
    pub(crate) request: Value,
}

impl StandIn {
    /// Starts one at the port of a pod of meshvet.
    pub(crate) fn start(certificate: &Issued) -> Self {
        let chain: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(certificate.chain.as_bytes()).map(|it| it.expect("PEM")).collect();
        let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config =
            config.expect("versions").with_no_client_auth().with_single_cert(chain, key).expect("a certificate");
        let (address, config) = (sandbox::pod_address(), Arc::new(config));
        let listener = TcpListener::bind((address, 8443)).expect("a port");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let memory = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (config, memory) = (Arc::clone(&config), Arc::clone(&memory));
                // Who goes away in the middle of a request is not answered.
                std::thread::spawn(move || serve(stream, config, &memory));
            }
        });
        Self { address, asked }
    }

    /// What it has been asked since the last look.
    pub(crate) fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().expect("no panic"))
    }
}

/// Answers reviews by HTTP/1.1, one after the other.
fn serve(stream: TcpStream, config: Arc<ServerConfig>, asked: &Mutex<Vec<Asked>>) -> std::io::Result<()> {
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let path = head.split([' ', '?']).nth(1).unwrap_or_default().to_owned();
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body)?;
        let review: Value = serde_json::from_slice(&body)?;
        let answer = json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "response": {"uid": review["request"]["uid"], "allowed": true},
        });
        let answer = answer.to_string();
        asked.lock().expect("no panic").push(Asked { path, request: review["request"].clone() });
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length:";
        write!(stream.get_mut(), "{head} {}\r\n\r\n{answer}", answer.len())?;
        stream.get_mut().flush()?;
    }
}
