//! A TLS client that reports what it saw, even of servers that it doesn't trust.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    StreamOwned,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

use crate::case::Probe;
use crate::minted::{AUTHORITY, CURVES, Pair};

/// Far longer than an answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Algorithms that ring can't verify, and OpenSSL and Go can.
const UNVERIFIED: SignatureScheme = SignatureScheme::ECDSA_NISTP521_SHA512;

/// Makes a request and reports the outcome: a status, and what is wrong with the certificate; or how the connection ended.
pub(crate) fn ask(probe: &Probe, port: u16) -> String {
    let verifier = Arc::new(Listening::new());
    match exchange(probe, port, &verifier) {
        Err(ended) => ended,
        Ok(status) => match verifier.refuses.lock().expect("a lock").as_ref() {
            None => status,
            Some(wrong) => format!("{status}, and the certificate is refused: {wrong}"),
        },
    }
}

fn exchange(probe: &Probe, port: u16, verifier: &Arc<Listening>) -> Result<String, String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map_err(|_| "nobody listens".to_owned())?;
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let builder =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().expect("versions");
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::clone(verifier) as _);
    let config = match &probe.shows {
        Some(pair) => builder.with_client_auth_cert(chain(pair), key(pair)).expect("a client certificate"),
        None => builder.with_no_client_auth(),
    };
    let name = ServerName::try_from(probe.host.clone()).expect("a host");
    let mut connection = ClientConnection::new(Arc::new(config), name).expect("a connection");
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).map_err(|error| ended(&error))?;
    }
    let mut stream = StreamOwned::new(connection, stream);
    let request = format!("GET / HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", probe.host);
    stream.write_all(request.as_bytes()).map_err(|error| ended(&error))?;
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    match (answer.split(' ').nth(1), read) {
        (Some(status), _) => Ok(status.to_owned()),
        (None, Err(error)) => Err(ended(&error)),
        (None, Ok(_)) => Err("closed".to_owned()),
    }
}

/// How a connection ended, without what differs by chance.
fn ended(error: &std::io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        Some(Error::AlertReceived(alert)) => format!("alert {alert:?}"),
        Some(error) => error.to_string(),
        None if error.kind() == std::io::ErrorKind::WouldBlock => "no answer".to_owned(),
        None => "closed".to_owned(),
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The certificates of a pair.
pub(crate) fn chain(pair: &Pair) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pair.chain.as_bytes()).map(|one| one.expect("a certificate")).collect()
}

/// The key of a pair.
pub(crate) fn key(pair: &Pair) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).expect("a key")
}

/// The authorities of all cases.
pub(crate) fn roots() -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for root in [AUTHORITY.pem(), CURVES.pem()] {
        roots.add(CertificateDer::from_pem_slice(root.as_bytes()).expect("a root")).expect("a root");
    }
    Arc::new(roots)
}

/// Accepts any certificate, and keeps the reason why a strict client would have refused it.
#[derive(Debug)]
struct Listening {
    careful: Arc<WebPkiServerVerifier>,
    refuses: Mutex<Option<String>>,
}

impl Listening {
    fn new() -> Self {
        let careful = WebPkiServerVerifier::builder_with_provider(roots(), provider()).build().expect("a verifier");
        Self { careful, refuses: Mutex::new(None) }
    }
}

impl ServerCertVerifier for Listening {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let wrong = match self.careful.verify_server_cert(leaf, others, name, ocsp, now) {
            Ok(_) => None,
            Err(Error::InvalidCertificate(why)) => Some(match why {
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    "another name".to_owned()
                }
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => "ended".to_owned(),
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "not begun".to_owned(),
                CertificateError::UnknownIssuer => "an unknown issuer".to_owned(),
                other => format!("{other:?}"),
            }),
            Err(error) => Some(error.to_string()),
        };
        *self.refuses.lock().expect("a lock") = wrong;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.careful.verify_tls12_signature(message, leaf, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // Other clients can.
        if signed.scheme == UNVERIFIED {
            return Ok(HandshakeSignatureValid::assertion());
        }
        self.careful.verify_tls13_signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        [self.careful.supported_verify_schemes(), vec![UNVERIFIED]].concat()
    }
}
