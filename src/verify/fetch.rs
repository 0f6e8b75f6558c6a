//! Reads the admin interface of a proxy, over any stream that leads to it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::{StatusCode, Uri};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::sources::cluster::Lacking;
use crate::sources::http::{BodyError, Http};
use crate::verify::stats::FILTER;
use crate::verify::{CertsError, ProxyCertificate, Stats, StatsError};

/// The longest answer that is read, in bytes: some fifty thousand counters. Each takes a hundred bytes or so.
const MAX_ANSWER: usize = 16 << 20;

/// What was read of a proxy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    /// Its counters.
    pub stats: Stats,
    /// What it has loaded.
    pub certificates: Vec<ProxyCertificate>,
}

/// Where a proxy's admin interface is: `http://HOST[:PORT][/PREFIX]`. The interface speaks no TLS. A prefix is for a proxy
/// in between (`kubectl proxy`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AdminUrl {
    host: String,
    port: u16,
    prefix: String,
}

impl FromStr for AdminUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const EXPECTED: &str = "expected the URL of a proxy's admin interface, such as http://127.0.0.1:9901";
        let uri: Uri = text.parse().map_err(|_| EXPECTED.to_owned())?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err("the admin interface of Envoy speaks plain HTTP: write http://".to_owned()),
            _ => return Err(EXPECTED.to_owned()),
        }
        let authority = uri.authority().filter(|it| !it.as_str().contains('@')).ok_or(EXPECTED)?;
        if uri.query().is_some() || authority.host().is_empty() {
            return Err(EXPECTED.to_owned());
        }
        let port = match authority.as_str().get(authority.host().len()..) {
            None | Some("") => 80,
            Some(_) => authority.port_u16().filter(|port| *port > 0).ok_or(EXPECTED)?,
        };
        Ok(Self { host: authority.host().to_owned(), port, prefix: uri.path().trim_end_matches('/').to_owned() })
    }
}

impl fmt::Display for AdminUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}{}", self.host, self.port, self.prefix)
    }
}

/// Why a proxy could not be read.
#[derive(Debug, Error)]
pub(crate) enum FetchError {
    /// No connection.
    #[error(
        "no connection to {address}: {source}; in a pod the admin interface listens on 127.0.0.1 only: \
         give the pod instead (meshvet verify -n NAMESPACE POD), or forward its port"
    )]
    Connect {
        /// Host and port.
        address: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The API server or the kubelet doesn't forward.
    #[error("{0}")]
    Forward(String),
    /// The API server doesn't allow it.
    #[error("no port-forward: {0}")]
    Lacking(Box<Lacking>),
    /// The connection is no HTTP, or ended early.
    #[error("{path}: {reason}; is this the port of the proxy's admin interface?")]
    Http {
        /// What was asked for.
        path: &'static str,
        /// What went wrong.
        reason: String,
    },
    /// An answer that isn't 200.
    #[error("the answer to {path} was {status}; is this the port of the proxy's admin interface?")]
    Status {
        /// What was asked for.
        path: &'static str,
        /// The answer's status.
        status: StatusCode,
    },
    /// An answer that is too long.
    #[error("the answer to {path} is longer than {} MiB: it is not read", MAX_ANSWER >> 20)]
    TooLong {
        /// What was asked for.
        path: &'static str,
    },
    /// An answer that is no statistics.
    #[error(transparent)]
    Stats(#[from] StatsError),
    /// An answer that is no list of certificates.
    #[error(transparent)]
    Certs(#[from] CertsError),
    /// It took too long.
    #[error("no answer within {} s; a longer --timeout waits longer", .0.as_secs_f64())]
    TimedOut(Duration),
}

/// Connects to an admin interface.
///
/// # Errors
/// [`FetchError::Connect`].
pub(crate) async fn connect(url: &AdminUrl) -> Result<TcpStream, FetchError> {
    let host = url.host.trim_start_matches('[').trim_end_matches(']');
    TcpStream::connect((host, url.port))
        .await
        .map_err(|source| FetchError::Connect { address: format!("{}:{}", url.host, url.port), source })
}

/// Reads counters and certificates over a stream; with `over`, twice, and the counters are what that time has added.
///
/// # Errors
/// [`FetchError`], without its time limit: the caller's.
pub(crate) async fn read<S>(stream: S, url: &AdminUrl, over: Option<Duration>) -> Result<Reading, FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut http = Http::over(stream, format!("{}:{}", url.host, url.port))
        .await
        .map_err(|reason| FetchError::Http { path: "/stats", reason })?;
    let certificates = ProxyCertificate::parse(&get(&mut http, url, "/certs", "").await?)?;
    let mut stats = stats(&mut http, url).await?;
    if let Some(span) = over {
        tokio::time::sleep(span).await;
        stats = self::stats(&mut http, url).await?.since(&stats);
    }
    Ok(Reading { stats, certificates })
}

async fn stats(http: &mut Http, url: &AdminUrl) -> Result<Stats, FetchError> {
    let filter: String = FILTER.bytes().map(percent_encoded).collect();
    let body = get(http, url, "/stats", &format!("?format=json&filter={filter}")).await?;
    Ok(Stats::parse(&body)?)
}

fn percent_encoded(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
}

async fn get(http: &mut Http, url: &AdminUrl, path: &'static str, query: &str) -> Result<Bytes, FetchError> {
    let failed = |reason: String| FetchError::Http { path, reason };
    let answer = http.get(&format!("{}{path}{query}", url.prefix)).await.map_err(failed)?;
    if answer.status != StatusCode::OK {
        return Err(FetchError::Status { path, status: answer.status });
    }
    answer.bytes(MAX_ANSWER).await.map_err(|error| match error {
        BodyError::TooLong => FetchError::TooLong { path },
        BodyError::Broken(reason) => failed(reason),
    })
}

impl AdminUrl {
    /// The admin interface at a port of the machine (or the pod) that a stream leads to.
    pub(crate) fn local(port: u16) -> Self {
        Self { host: "127.0.0.1".to_owned(), port, prefix: String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[track_caller]
    fn reads(text: &str, expected: &str) {
        assert_eq!(text.parse::<AdminUrl>().map(|url| url.to_string()).as_deref(), Ok(expected));
    }

    #[track_caller]
    fn refuses(text: &str, word: &str) {
        let error = text.parse::<AdminUrl>().expect_err(text);
        assert!(error.contains(word), "{text}: {error}");
    }

    #[test]
    fn an_address_is_a_url() {
        reads("http://127.0.0.1:9901", "http://127.0.0.1:9901");
        reads("http://[::1]:9901/", "http://[::1]:9901");
        reads("http://localhost", "http://localhost:80");
        reads("http://localhost:8001/api/v1/proxy/", "http://localhost:8001/api/v1/proxy");
        refuses("https://127.0.0.1:9901", "plain HTTP");
        for text in
            ["", "127.0.0.1:9901", "9901", "http://", "http://me:hush@a:1", "http://a/?b", "ftp://a", "http://a:99999"]
        {
            refuses(text, "expected");
        }
    }

    /// Answers every request of a connection with these bytes.
    async fn answered(answer: Vec<u8>) -> Result<Reading, FetchError> {
        let (ours, mut theirs) = tokio::io::duplex(1 << 16);
        let server = tokio::spawn(async move {
            let mut buffer = vec![0; 4096];
            while theirs.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                if theirs.write_all(&answer).await.is_err() {
                    break;
                }
            }
        });
        let outcome = read(ours, &AdminUrl::local(9901), None).await;
        server.abort();
        outcome
    }

    fn ok(body: &str) -> Vec<u8> {
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    #[tokio::test]
    async fn both_answers_make_a_reading() {
        let both = r#"{"certificates": [], "stats": [{"name": "server.uptime", "value": 7}]}"#;
        let reading = answered(ok(both)).await.unwrap();
        assert_eq!(reading.stats.uptime, Some(7));
    }

    #[tokio::test]
    async fn what_is_no_admin_interface_is_an_error() {
        let answers: [(Vec<u8>, &str); 5] = [
            (ok("hello"), "/certs is not Envoy's"),
            (ok(r#"{"certificates": []}"#), "/stats is not Envoy's"),
            (b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec(), "404"),
            (b"SSH-2.0-x\r\n\r\n".to_vec(), "admin interface"),
            (format!("HTTP/1.1 200 OK\r\n\r\n{}", " ".repeat(MAX_ANSWER + 1)).into_bytes(), "16 MiB"),
        ];
        for (answer, word) in answers {
            let error = answered(answer).await.expect_err(word).to_string();
            assert!(error.contains(word), "{error:?} lacks {word:?}");
        }
    }
}
