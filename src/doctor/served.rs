//! What is served at an endpoint, seen by shaking hands as the API server does, and held against the `caBundle`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use jiff::Timestamp;
use kube::Client;
use kube::api::Api;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::admission::entries::VALIDATE;
use crate::doctor::Diagnosis;
use crate::doctor::configuration::{Called, FILL_IN};
use crate::doctor::endpoints::Endpoint;
use crate::pki::Certificate;
use crate::sources::cluster::{Pod, told};
use crate::sources::http::Http;

/// How long one endpoint may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes.
const MOST: usize = 64 * 1024;
/// How many replicas are asked.
const REPLICAS: usize = 10;

/// What was seen at an endpoint.
struct Seen {
    chain: Vec<CertificateDer<'static>>,
    who: Who,
}

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// meshvet, which takes reviews where the webhooks send them.
    Meshvet,
    /// meshvet, which takes none there.
    Elsewhere,
    /// Nobody who doesn't show a certificate gets an answer.
    Closed,
    /// Something else.
    Other,
}

/// Looks at what is served: at `address`, else at each endpoint.
pub(super) async fn look(
    client: &Client,
    called: &Called,
    endpoints: &[Endpoint],
    address: Option<&str>,
    now: Timestamp,
    diagnosis: &mut Diagnosis,
) {
    let (namespace, name) = &called.service;
    let host = format!("{name}.{namespace}.svc");
    if let Some(address) = address {
        let seen = in_time(at(address, called, &host, now)).await;
        return judge(address, seen, called, &host, now, diagnosis);
    }
    for endpoint in endpoints.iter().take(REPLICAS) {
        let (who, seen) = match &endpoint.pod {
            Some(pod) => {
                (format!("pod {pod}"), in_time(forwarded(client, (pod, endpoint.port), called, &host, now)).await)
            }
            None => {
                let address = format!("{}:{}", endpoint.address, endpoint.port);
                (address.clone(), in_time(at(&address, called, &host, now)).await)
            }
        };
        judge(&who, seen, called, &host, now, diagnosis);
    }
}

async fn in_time(looking: impl Future<Output = Result<Seen, String>>) -> Result<Seen, String> {
    let outcome = tokio::time::timeout(PATIENCE, looking).await;
    outcome.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())))
}

async fn at(address: &str, called: &Called, host: &str, now: Timestamp) -> Result<Seen, String> {
    let stream = TcpStream::connect(address).await.map_err(|error| format!("no connection: {error}"))?;
    shake(stream, called, host, now).await
}

async fn forwarded(
    client: &Client,
    (pod, port): (&str, u16),
    called: &Called,
    host: &str,
    now: Timestamp,
) -> Result<Seen, String> {
    let pods = Api::<Pod>::namespaced(client.clone(), &called.service.0);
    let mut forwarder = pods.portforward(pod, &[port]).await.map_err(|error| match &error {
        kube::Error::Api(status) if status.is_forbidden() => {
            format!("no port-forward: {}; it needs the right to get and create pods/portforward", status.message)
        }
        other => format!("no port-forward: {}", told(other)),
    })?;
    let stream = forwarder.take_stream(port).ok_or("the API server forwards no such port")?;
    let seen = shake(stream, called, host, now).await;
    forwarder.abort();
    seen
}

/// Shakes hands, whatever certificate is shown, and asks for what meshvet alone answers as it does.
async fn shake(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    called: &Called,
    host: &str,
    now: Timestamp,
) -> Result<Seen, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let eye = Arc::new(Eye {
        chain: Mutex::default(),
        is_asked: AtomicBool::new(false),
        algorithms: provider.signature_verification_algorithms,
    });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&eye) as Arc<dyn ServerCertVerifier>)
        .with_client_cert_resolver(Arc::clone(&eye) as Arc<dyn ResolvesClientCert>);
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let chain = || eye.chain.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let is_closed = || eye.is_asked.load(Ordering::Relaxed);
    let stream = match stream {
        Err(_) if is_closed() && !chain().is_empty() => return Ok(Seen { chain: chain(), who: Who::Closed }),
        stream => stream.map_err(|error| format!("no TLS: {error}"))?,
    };
    // The path may be a secret: for whom the webhooks trust.
    let is_trusted = called.trusted.first().is_some_and(|(_, trusted)| verified(&chain(), trusted, host, now).is_ok());
    let path = if is_trusted && !called.path.is_empty() { called.path.as_str() } else { VALIDATE };
    let who = match who(stream, host, path).await {
        Who::Other if is_closed() => Who::Closed,
        Who::Elsewhere if !is_trusted => Who::Meshvet,
        who => who,
    };
    Ok(Seen { chain: chain(), who })
}

/// meshvet answers a GET with a Status that says so: of where reviews go that it's the wrong method, of anything else that there is nothing.
async fn who(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, host: &str, path: &str) -> Who {
    let asked = async {
        let mut http = Http::over(stream, host.to_owned()).await.ok()?;
        let answer = http.get(path).await.ok()?;
        let status = answer.status;
        let body = answer.bytes(MOST).await.ok()?;
        String::from_utf8_lossy(&body).contains("meshvet: ").then_some(status)
    };
    match asked.await {
        Some(StatusCode::METHOD_NOT_ALLOWED) => Who::Meshvet,
        Some(StatusCode::NOT_FOUND) => Who::Elsewhere,
        _ => Who::Other,
    }
}

fn judge(
    who: &str,
    seen: Result<Seen, String>,
    called: &Called,
    host: &str,
    now: Timestamp,
    diagnosis: &mut Diagnosis,
) {
    let seen = match seen {
        Ok(seen) => seen,
        Err(why) => {
            return diagnosis.warn(
                "served",
                format!("{who} could not be asked: {why}"),
                "from a machine that reaches it, use --address HOST:PORT; the API server itself may still reach it",
            );
        }
    };
    match seen.who {
        Who::Meshvet => diagnosis.ok("served", format!("{who} answers as meshvet does")),
        Who::Closed => diagnosis.ok("served", format!("{who} answers only callers with a certificate (--client-ca)")),
        Who::Elsewhere => {
            let fix =
                "mode managed: see the log of meshvet, which writes the paths; else they have to fit --path-secret";
            diagnosis.fail("served", format!("{who} takes no reviews where the webhooks send them"), fix);
        }
        Who::Other => {
            let fix = "check which pods the Service selects, and which port it maps to";
            diagnosis.fail("served", format!("{who} speaks TLS, but doesn't answer like meshvet"), fix);
        }
    }
    verify(who, &seen.chain, called, host, now, diagnosis);
    life(who, &seen.chain, now, diagnosis);
}

/// Holds the chain against what each webhook trusts.
fn verify(
    who: &str,
    chain: &[CertificateDer<'static>],
    called: &Called,
    host: &str,
    now: Timestamp,
    diagnosis: &mut Diagnosis,
) {
    let mut is_good = !called.trusted.is_empty();
    for (webhook, trusted) in called.trusted.iter().filter(|(_, trusted)| !trusted.is_empty()) {
        let (why, fix) = match verified(chain, trusted, host, now) {
            Ok(()) => continue,
            Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => (
                "was issued by another authority than the caBundle's: the API server reports `x509: certificate signed by unknown authority`"
                    .to_owned(),
                FILL_IN.to_owned(),
            ),
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => (
                format!("isn't for {host}, the name by which the API server calls it"),
                format!("issue it for {host}; `meshvet serve --managed-certificate` needs --service NAMESPACE/NAME of the Service"),
            ),
            Err(error) => (format!("doesn't verify: {error}"), FILL_IN.to_owned()),
        };
        is_good = false;
        diagnosis.fail("ca-bundle", format!("what {who} serves {why} ({webhook})"), fix);
    }
    if is_good && called.trusted.iter().all(|(_, trusted)| !trusted.is_empty()) {
        diagnosis.ok("ca-bundle", format!("every webhook's caBundle verifies what {who} serves, for {host}"));
    }
}

fn verified(
    chain: &[CertificateDer<'static>],
    trusted: &[CertificateDer<'static>],
    host: &str,
    now: Timestamp,
) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(trusted.iter().cloned());
    let unknown = || rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
    let provider: Arc<CryptoProvider> = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().map_err(|_| unknown())?;
    let (leaf, intermediates) = chain.split_first().ok_or_else(unknown)?;
    let name = ServerName::try_from(host.to_owned()).map_err(|_| CertificateError::NotValidForName)?;
    let now = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now.as_second()).unwrap_or_default()));
    verifier.verify_server_cert(leaf, intermediates, &name, &[], now).map(drop)
}

/// How long the leaf still holds. A certificate that is renewed in time has more than a fifth of its life left.
fn life(who: &str, chain: &[CertificateDer<'static>], now: Timestamp, diagnosis: &mut Diagnosis) {
    let Some(leaf) = chain.first().and_then(|leaf| Certificate::parse_der(leaf).ok()) else { return };
    let (left, life) = (leaf.not_after.duration_since(now), leaf.not_after.duration_since(leaf.not_before));
    let fix = "find out why it isn't renewed: meshvet's log (mode managed), its Certificate (cert-manager), or renew its files";
    if left.is_negative() {
        diagnosis.fail("certificate", format!("the certificate of {who} expired at {}", leaf.not_after), fix);
    } else if left < life / 5 {
        diagnosis.warn("certificate", format!("the certificate of {who} expires soon, at {}", leaf.not_after), fix);
    } else {
        diagnosis.ok("certificate", format!("the certificate of {who} is valid until {}", leaf.not_after));
    }
}

/// Notes what is shown, and lets it pass: it is judged afterwards, by each webhook's own trust. Nothing but a question that anybody may
/// ask goes over such a connection.
#[derive(Debug)]
struct Eye {
    chain: Mutex<Vec<CertificateDer<'static>>>,
    /// Whether a certificate was asked for.
    is_asked: AtomicBool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ResolvesClientCert for Eye {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.is_asked.store(true, Ordering::Relaxed);
        None
    }

    /// Said so that it is asked: there is none.
    fn has_certs(&self) -> bool {
        true
    }
}

impl ServerCertVerifier for Eye {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown = std::iter::once(leaf).chain(intermediates).map(|certificate| certificate.clone().into_owned());
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) = shown.collect();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
