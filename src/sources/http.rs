//! A small HTTP/1 client: requests over one given stream (TCP, TLS, a forwarded port).
//!
//! For requests to proxies and to meshvet itself, where the stream matters and a connection pool would be in the way. Timeouts
//! are up to the caller, who knows what else they cover.

use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;

/// A connection.
pub(crate) struct Http {
    sender: SendRequest<Empty<Bytes>>,
    /// Ends with the connection. The requests report its errors.
    driver: JoinHandle<hyper::Result<()>>,
    host: String,
}

/// A response whose body hasn't been read.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    body: Incoming,
}

/// Why a body wasn't read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// It is longer than the limit.
    TooLong,
    /// It ended early, or isn't HTTP.
    Broken(String),
}

impl Http {
    /// Connects over this stream; `host` is the Host header of the requests.
    ///
    /// # Errors
    /// What went wrong.
    pub(crate) async fn over<S>(stream: S, host: String) -> Result<Self, String>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| described(&error))?;
        Ok(Self { sender, driver: tokio::spawn(connection), host })
    }

    /// Requests a path, including its query.
    ///
    /// # Errors
    /// What went wrong, without the path, which the caller knows.
    pub(crate) async fn get(&mut self, path: &str) -> Result<Answer, String> {
        let request = Request::get(path)
            .header(HOST, &self.host)
            .header(ACCEPT, "application/json")
            .body(Empty::new())
            .map_err(|error| error.to_string())?;
        let answer = self.sender.send_request(request).await.map_err(|error| described(&error))?;
        Ok(Answer { status: answer.status(), body: answer.into_body() })
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Answer {
    /// The body, up to this many bytes.
    ///
    /// # Errors
    /// [`BodyError`].
    pub(crate) async fn bytes(self, most: usize) -> Result<Bytes, BodyError> {
        match Limited::new(self.body, most).collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(BodyError::TooLong),
            Err(error) => Err(BodyError::Broken(error.to_string())),
        }
    }
}

fn described(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

    use super::*;

    /// A connection whose server answers each of two requests with this text, and the requests it got.
    async fn answered(words: &'static str) -> (Http, tokio::task::JoinHandle<String>) {
        let (near, mut far): (DuplexStream, DuplexStream) = tokio::io::duplex(1024);
        let server = tokio::spawn(async move {
            let mut asked = vec![0; 1024];
            let mut length = 0;
            while !asked[..length].ends_with(b"\r\n\r\n") {
                length += far.read(&mut asked[length..]).await.expect("a question");
            }
            far.write_all(words.as_bytes()).await.expect("written");
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        (Http::over(near, "blue:9901".to_owned()).await.expect("a connection"), server)
    }

    #[tokio::test]
    async fn an_answer_is_read_up_to_its_bound() {
        const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
        let (mut http, server) = answered(OK).await;
        let answer = http.get("/stats?a=b").await.expect("an answer");
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.bytes(5).await.as_deref(), Ok(b"hello".as_slice()));
        let asked = server.await.expect("asked");
        assert!(asked.starts_with("GET /stats?a=b HTTP/1.1\r\n") && asked.contains("host: blue:9901\r\n"), "{asked}");

        let (mut http, _server) = answered(OK).await;
        assert_eq!(http.get("/").await.expect("an answer").bytes(4).await, Err(BodyError::TooLong));
    }

    #[tokio::test]
    async fn what_is_no_http_or_ends_early_is_an_error_in_words() {
        let (mut http, _server) = answered("SSH-2.0-x\r\n\r\n").await;
        let why = http.get("/").await.err().expect("no HTTP");
        assert!(why.contains("HTTP"), "{why}");

        let (mut http, _server) = answered("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe").await;
        let body = http.get("/").await.expect("an answer").bytes(9).await;
        assert!(matches!(&body, Err(BodyError::Broken(why)) if !why.is_empty()), "{body:?}");
    }
}
