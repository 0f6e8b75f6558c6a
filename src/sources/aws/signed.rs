//! Calls to services without an SDK client: a hand-made request, signed by the SDK's signer and sent by its HTTP client. The
//! IAM client alone would take longer to compile than all others together, for one call.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use tokio::sync::Mutex;

use crate::aws::{Call, Unanswered};
use crate::sources::aws::failure::{chain, clean};

/// The longest time for one attempt.
const ATTEMPT: Duration = Duration::from_secs(4);
/// The attempts of a call.
const ATTEMPTS: u32 = 3;
/// The pause after the first attempt.
const BACKOFF: Duration = Duration::from_millis(300);
/// Credentials that expire sooner than this are fetched again.
const MARGIN: Duration = Duration::from_secs(60);

/// A request before it is signed.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    /// The call that it makes.
    pub(super) call: Call,
    /// `GET` or `POST`.
    pub(super) method: &'static str,
    /// The endpoint, without the path.
    pub(super) endpoint: String,
    /// Path and query, encoded.
    pub(super) path: String,
    /// The Region to sign for.
    pub(super) region: String,
    /// The form body; may be empty.
    pub(super) form: String,
}

/// A response, whatever its status.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: u16,
    /// The `x-amzn-errortype` header, in which some services return the error code.
    pub(super) kind: Option<String>,
    pub(super) body: String,
}

/// Signs and sends requests.
pub(super) struct Sender {
    /// Created on first use: it loads the system's CAs.
    connector: LazyLock<Connector>,
    /// By role; the empty one is meshvet's own. The provider itself doesn't cache them.
    credentials: Mutex<HashMap<String, Credentials>>,
}

impl Sender {
    pub(super) fn new() -> Self {
        let connector = || Connector::builder().tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).build();
        Self { connector: LazyLock::new(connector), credentials: Mutex::default() }
    }

    /// Sends a request, and retries where that may help.
    ///
    /// # Errors
    /// There are no credentials, or there is no answer.
    pub(super) async fn send(&self, config: &SdkConfig, asker: &str, plain: &Plain) -> Result<Answered, Unanswered> {
        let call = plain.call;
        let mut pause = BACKOFF;
        let mut last = Unanswered::TimedOut { call };
        for attempt in 1..=ATTEMPTS {
            match tokio::time::timeout(ATTEMPT, self.send_once(config, asker, plain)).await {
                Ok(Ok(answer)) if attempt < ATTEMPTS && may_help(&answer) => {}
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(failure @ Unanswered::NoCredentials { .. })) => return Err(failure),
                Ok(Err(failure)) => last = failure,
                Err(_) => last = Unanswered::TimedOut { call },
            }
            if attempt < ATTEMPTS {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
        Err(last)
    }

    async fn send_once(&self, config: &SdkConfig, asker: &str, plain: &Plain) -> Result<Answered, Unanswered> {
        let call = plain.call;
        let failed = |why: String| Unanswered::Failed { call, why };
        let credentials = self.credentials(config, asker, call).await?;
        let request = signed(plain, credentials).map_err(failed)?;
        let response = self.connector.call(request).await.map_err(|error| failed(chain(&error)))?;
        let status = response.status().as_u16();
        let kind = response.headers().get("x-amzn-errortype").map(clean);
        let body = ByteStream::new(response.into_body()).collect().await.map_err(|error| failed(chain(&error)))?;
        Ok(Answered { status, kind, body: String::from_utf8_lossy(&body.into_bytes()).into_owned() })
    }

    async fn credentials(&self, config: &SdkConfig, asker: &str, call: Call) -> Result<Credentials, Unanswered> {
        let mut known = self.credentials.lock().await;
        let soon = SystemTime::now() + MARGIN;
        if let Some(credentials) = known.get(asker).filter(|it| it.expiry().is_none_or(|end| end > soon)) {
            return Ok(credentials.clone());
        }
        let without = |why| Unanswered::NoCredentials { call, why };
        let provider = config.credentials_provider().ok_or_else(|| without("none are configured".to_owned()))?;
        let credentials = provider.provide_credentials().await.map_err(|error| without(chain(&error)))?;
        known.insert(asker.to_owned(), credentials.clone());
        Ok(credentials)
    }
}

/// Whether a retry may get another answer.
fn may_help(answer: &Answered) -> bool {
    answer.status >= 500 || answer.status == 429 || answer.body.contains("Throttling")
}

fn signed(plain: &Plain, credentials: Credentials) -> Result<HttpRequest, String> {
    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    let uri = format!("{}{}", plain.endpoint.trim_end_matches('/'), plain.path);
    let headers = (!plain.form.is_empty()).then_some(FORM);
    let identity = credentials.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(&plain.region)
        .name(plain.call.service())
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| chain(&error))?
        .into();
    let body = SignableBody::Bytes(plain.form.as_bytes());
    let signable = SignableRequest::new(plain.method, uri.as_str(), headers.into_iter(), body);
    let (instructions, _) =
        signable.and_then(|signable| sign(signable, &parameters)).map_err(|error| chain(&error))?.into_parts();
    let mut request = HttpRequest::new(SdkBody::from(plain.form.clone()));
    request.set_method(plain.method).map_err(|error| chain(&error))?;
    request.set_uri(uri).map_err(|error| chain(&error))?;
    for (name, value) in instructions.headers() {
        request.headers_mut().insert(name.to_owned(), value.to_owned());
    }
    if let Some((name, value)) = headers {
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}
