//! A TLS client that accepts whatever certificate it is presented, and reports what a strict one would find wrong with it.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, StreamOwned,
    SupportedProtocolVersion,
};
use serde::{Deserialize, Serialize};

use crate::case::Ask;
use crate::secrets::{self, Pair};

const PATIENCE: Duration = Duration::from_secs(10);

/// The outcome of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) host: Option<String>,
    pub(crate) port: u16,
    /// Whether the client had a certificate to present.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) shows: bool,
    /// What answered the request, or how the connection ended before that.
    pub(crate) outcome: Outcome,
    /// The names of the leaf that was presented.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) names: Vec<String>,
    /// What a client that trusts the authority of the cases finds wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wrong: Option<String>,
    /// Whether HTTP/2 was offered.
    #[serde(default)]
    pub(crate) http2: bool,
    /// The outcome for a client that only knows TLS 1.2.
    pub(crate) older: Outcome,
    /// The outcome for a client that only accepts the signatures that browsers accept: neither P-521 nor Ed25519.
    pub(crate) browser: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// With this HTTP status.
    Served(u16),
    /// In the client's own words.
    Ended(String),
}

/// Makes every request that is needed for one outcome.
pub(crate) fn ask(ask: &Ask) -> Seen {
    let shown = Arc::new(Shown::new());
    let narrow = Arc::new(Shown { narrow: true, ..Shown::new() });
    let both = [&TLS13, &TLS12];
    let at = |shown: &Arc<Shown>, versions: &[&'static SupportedProtocolVersion], protocols: &[&str]| {
        request(ask, config(shown, ask.shows.as_ref(), versions, protocols))
    };
    let (browser, _) = at(&narrow, &both, &["http/1.1"]);
    let (older, _) = at(&shown, &[&TLS12], &["http/1.1"]);
    let (outcome, _) = at(&shown, &both, &["http/1.1"]);
    let (_, protocol) = at(&shown, &both, &["h2", "http/1.1"]);
    let shown = shown.last.lock().expect("no thread panicked").clone();
    let (names, wrong) = shown.map_or((Vec::new(), None), |(leaf, wrong)| (names(&leaf), wrong));
    Seen {
        host: ask.host.clone(),
        port: ask.port,
        shows: ask.shows.is_some(),
        outcome,
        names,
        // Without a requested name, the certificate's names can't be checked.
        wrong: wrong.filter(|_| ask.host.is_some()),
        http2: protocol.as_deref() == Some(b"h2"),
        older,
        browser,
    }
}

/// Whether anything answers.
pub(crate) fn is_served(asked: &Ask) -> bool {
    let shown = Arc::new(Shown::new());
    let config = config(&shown, asked.shows.as_ref(), &[&TLS13, &TLS12], &["http/1.1"]);
    matches!(request(asked, config).0, Outcome::Served(_))
}

fn request(ask: &Ask, config: ClientConfig) -> (Outcome, Option<Vec<u8>>) {
    let ended = |error: &std::io::Error| (Outcome::Ended(words(error)), None);
    let stream = match TcpStream::connect(("127.0.0.1", ask.port)) {
        Ok(stream) => stream,
        Err(error) => return ended(&error),
    };
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let host = ask.host.clone().unwrap_or_else(|| "127.0.0.1".to_owned());
    let name = ServerName::try_from(host.clone()).expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a connection");
    let mut stream = StreamOwned::new(connection, stream);
    if let Err(error) = stream.conn.complete_io(&mut stream.sock) {
        return ended(&error);
    }
    let protocol = stream.conn.alpn_protocol().map(<[u8]>::to_vec);
    if protocol.as_deref() == Some(b"h2") {
        return (Outcome::Ended("not asked".to_owned()), protocol);
    }
    let text = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let mut answer = [0; 12];
    let asked = stream.write_all(text.as_bytes()).and_then(|()| stream.read_exact(&mut answer));
    match asked {
        Ok(()) => {
            let status = std::str::from_utf8(&answer).ok().and_then(|line| line.split(' ').nth(1)?.parse().ok());
            (status.map_or_else(|| Outcome::Ended("no HTTP".to_owned()), Outcome::Served), protocol)
        }
        Err(error) => (Outcome::Ended(words(&error)), protocol),
    }
}

/// What ended a connection, in the same words in each run.
fn words(error: &std::io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match (inner, error.kind()) {
        (Some(Error::AlertReceived(alert)), _) => format!("alert {alert:?}"),
        (Some(other), _) => other.to_string(),
        (None, ErrorKind::ConnectionRefused) => "connection refused".to_owned(),
        // Which of them it is depends on timing.
        (None, ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => "closed".to_owned(),
        (None, kind) => kind.to_string(),
    }
}

fn config(
    shown: &Arc<Shown>,
    shows: Option<&Pair>,
    versions: &[&'static SupportedProtocolVersion],
    protocols: &[&str],
) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_protocol_versions(versions).expect("versions");
    let verifier: Arc<dyn ServerCertVerifier> = Arc::clone(shown) as _;
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match shows {
        None => builder.with_no_client_auth(),
        Some(pair) => {
            let chain: Result<_, _> = CertificateDer::pem_slice_iter(pair.chain.as_bytes()).collect();
            let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).expect("a key");
            builder.with_client_auth_cert(chain.expect("a chain"), key).expect("a certificate")
        }
    };
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    config
}

/// The DNS names of a leaf.
fn names(leaf: &[u8]) -> Vec<String> {
    use x509_parser::extensions::GeneralName;
    let Ok((_, leaf)) = x509_parser::parse_x509_certificate(leaf) else { return Vec::new() };
    let Ok(Some(list)) = leaf.subject_alternative_name() else { return Vec::new() };
    let dns = list.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    });
    dns.take(3).collect()
}

/// Accepts every certificate, and keeps the last with what is wrong with it.
#[derive(Debug)]
struct Shown {
    careful: Arc<WebPkiServerVerifier>,
    /// Whether it accepts only the signatures that browsers accept.
    narrow: bool,
    last: Mutex<Option<(Vec<u8>, Option<String>)>>,
}

impl Shown {
    fn new() -> Self {
        let mut roots = RootCertStore::empty();
        let authority = secrets::authority();
        roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).expect("an authority")).expect("an authority");
        let provider = Arc::new(ring::default_provider());
        let careful = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        Shown { careful: careful.expect("a verifier"), narrow: false, last: Mutex::new(None) }
    }
}

impl ServerCertVerifier for Shown {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let wrong = self.careful.verify_server_cert(leaf, rest, name, stapled, now).err();
        *self.last.lock().expect("no thread panicked") = Some((leaf.to_vec(), wrong.map(|wrong| finding(&wrong))));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let wide = [SignatureScheme::ECDSA_NISTP521_SHA512, SignatureScheme::ED25519];
        let narrow = [
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::RSA_PKCS1_SHA256,
            SignatureScheme::ECDSA_NISTP384_SHA384,
            SignatureScheme::RSA_PSS_SHA384,
            SignatureScheme::RSA_PKCS1_SHA384,
            SignatureScheme::RSA_PSS_SHA512,
            SignatureScheme::RSA_PKCS1_SHA512,
        ];
        narrow.into_iter().chain(wide.into_iter().filter(|_| !self.narrow)).collect()
    }
}

/// What is wrong, without dates and names.
fn finding(error: &Error) -> String {
    use rustls::CertificateError as Wrong;
    match error {
        Error::InvalidCertificate(Wrong::NotValidForName | Wrong::NotValidForNameContext { .. }) => {
            "not valid for the name".to_owned()
        }
        Error::InvalidCertificate(Wrong::Expired | Wrong::ExpiredContext { .. }) => "expired".to_owned(),
        Error::InvalidCertificate(Wrong::NotValidYet | Wrong::NotValidYetContext { .. }) => "not valid yet".to_owned(),
        Error::InvalidCertificate(Wrong::InvalidPurpose | Wrong::InvalidPurposeContext { .. }) => {
            "not for servers".to_owned()
        }
        Error::InvalidCertificate(Wrong::UnknownIssuer) => "unknown issuer".to_owned(),
        other => other.to_string(),
    }
}
