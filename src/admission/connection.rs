//! One connection: HTTP over a TLS stream, its idle time, and its end.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::{Request, Response};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_rustls::server::TlsStream;

use crate::admission::crowd::Standing;
use crate::admission::drain::Phase;
use crate::admission::server::Webhook;

/// What of HTTP/1.1 is held unread, at most: a head, or a piece of a body.
const BUFFER: usize = 32 * 1024;
/// The same for HTTP/2, for all streams together and for each.
const WINDOW: u32 = 128 * 1024;
const STREAM_WINDOW: u32 = 64 * 1024;
/// Requests side by side on one connection.
const STREAMS: u32 = 64;
/// What a head may hold in HTTP/2.
const HEADERS: u32 = 16 * 1024;
/// Streams that were taken back before they were looked at. More than this at once is an attack.
const TAKEN_BACK: usize = 20;
/// How long a connection that has to give way may take over a request that comes just then.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long a connection may keep a server waiting.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Without a request under way. Above the 90 seconds after which Go's clients close by themselves, so that theirs is the
    /// side that closes: a request written into a closing connection is lost, and the API server doesn't repeat it.
    pub idle: Duration,
    /// From the first byte of a request's head to its last.
    pub head: Duration,
    /// How often to look.
    pub tick: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { idle: Duration::from_secs(120), head: Duration::from_secs(10), tick: Duration::from_secs(5) }
    }
}

/// What speaks HTTP on a connection, within the bounds that hold for every one.
fn builder(http2: bool) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // Activity sees to the time of a head: hyper's own timer would be set anew for each request.
    builder.http1().header_read_timeout(None).keep_alive(true).max_buf_size(BUFFER);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(None)
        .max_concurrent_streams(STREAMS)
        .max_pending_accept_reset_streams(TAKEN_BACK)
        .max_header_list_size(HEADERS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(WINDOW);
    if http2 { builder.http2_only() } else { builder.http1_only() }
}

/// Serves one connection until it ends, idles too long, or the server stops.
pub(super) async fn serve(
    stream: TlsStream<TcpStream>,
    webhook: Webhook,
    mut phase: watch::Receiver<Phase>,
    timeouts: Timeouts,
    standing: &Arc<Standing>,
) {
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let activity = Arc::new(Activity::new(http2));
    let io = TokioIo::new(Watched { stream, activity: Arc::clone(&activity) });
    let service = Counting { webhook, activity: Arc::clone(&activity), standing: Arc::clone(standing) };
    let builder = builder(http2);
    let connection = builder.serve_connection(io, service);
    tokio::pin!(connection);

    let mut closing: Option<Instant> = None;
    let now = *phase.borrow_and_update();
    if now == Phase::Stopping {
        connection.as_mut().graceful_shutdown();
    }
    // Each is polled only when it has something to say, not whenever a byte comes.
    let mut others = FuturesUnordered::<BoxFuture<'_, Event>>::new();
    if now != Phase::Stopping {
        others.push(Box::pin(next_phase(phase)));
    }
    others.push(Box::pin(tick(timeouts.tick)));
    others.push(Box::pin(gives_way(standing)));
    loop {
        let event = tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(error = error.as_ref() as &dyn std::error::Error, "a connection broke");
                }
                return;
            }
            Some(event) = others.next() => event,
        };
        match event {
            Event::Phase(seen, phase) => {
                // HTTP/1.1 is told to go with its next answer: closing now would lose a request that is on its way.
                if http2 || seen == Phase::Stopping {
                    connection.as_mut().graceful_shutdown();
                }
                if seen != Phase::Stopping {
                    others.push(Box::pin(next_phase(phase)));
                }
            }
            Event::GivesWay => {
                connection.as_mut().graceful_shutdown();
                others.push(Box::pin(farewell(standing)));
            }
            Event::Farewell => return,
            Event::Tick => {
                others.push(Box::pin(tick(timeouts.tick)));
                match (activity.state(timeouts), closing) {
                    (State::Busy, _) => {}
                    (State::Idle, None) => {
                        connection.as_mut().graceful_shutdown();
                        closing = Some(Instant::now());
                    }
                    // It was asked to go, and doesn't.
                    (State::Idle, Some(since)) if since.elapsed() > timeouts.head => return,
                    (State::Idle, Some(_)) => {}
                    (State::SlowHead, _) => return,
                }
            }
        }
    }
}

/// What happens to a connection beside what is read and written.
enum Event {
    Phase(Phase, watch::Receiver<Phase>),
    GivesWay,
    Farewell,
    Tick,
}

async fn next_phase(mut phase: watch::Receiver<Phase>) -> Event {
    let seen = if phase.changed().await.is_ok() { *phase.borrow_and_update() } else { Phase::Stopping };
    Event::Phase(seen, phase)
}

async fn tick(after: Duration) -> Event {
    sleep(after).await;
    Event::Tick
}

async fn gives_way(standing: &Standing) -> Event {
    standing.gives_way().await;
    Event::GivesWay
}

async fn farewell(standing: &Standing) -> Event {
    if standing.has_been_of_use() {
        sleep(FAREWELL).await;
    }
    Event::Farewell
}

/// What a connection is doing, as its stream and its service see it.
#[derive(Debug)]
struct Activity {
    /// HTTP/2 reads more than heads between requests: pings say nothing.
    http2: bool,
    base: Instant,
    under_way: AtomicUsize,
    /// When the first byte of a head came, in milliseconds from `base`, plus one. Zero: none has come.
    head_since: AtomicU64,
    /// When the last request ended.
    last: AtomicU64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Busy,
    Idle,
    SlowHead,
}

impl Activity {
    fn new(http2: bool) -> Self {
        Self {
            http2,
            base: Instant::now(),
            under_way: AtomicUsize::new(0),
            head_since: AtomicU64::new(0),
            last: AtomicU64::new(0),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.base.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn read(&self) {
        self.read_at(self.now());
    }

    fn read_at(&self, now: u64) {
        if !self.http2 && self.under_way.load(Ordering::Relaxed) == 0 && self.head_since.load(Ordering::Relaxed) == 0 {
            self.head_since.store(now + 1, Ordering::Relaxed);
        }
    }

    fn begin(self: &Arc<Self>) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        self.head_since.store(0, Ordering::Relaxed);
        UnderWay(Arc::clone(self))
    }

    fn end_at(&self, now: u64) {
        self.last.store(now, Ordering::Relaxed);
        self.under_way.fetch_sub(1, Ordering::Relaxed);
    }

    fn state(&self, timeouts: Timeouts) -> State {
        self.state_at(self.now(), timeouts)
    }

    fn state_at(&self, now: u64, timeouts: Timeouts) -> State {
        let longer = |since: u64, time: Duration| u128::from(now.saturating_sub(since)) >= time.as_millis();
        match self.head_since.load(Ordering::Relaxed) {
            _ if self.under_way.load(Ordering::Relaxed) > 0 => State::Busy,
            since if since > 0 && longer(since - 1, timeouts.head) => State::SlowHead,
            _ if longer(self.last.load(Ordering::Relaxed), timeouts.idle) => State::Idle,
            _ => State::Busy,
        }
    }
}

/// A request that is being answered. Ends when dropped, whatever became of it.
struct UnderWay(Arc<Activity>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.end_at(self.0.now());
    }
}

/// The webhook, with each request counted while it is under way.
struct Counting {
    webhook: Webhook,
    activity: Arc<Activity>,
    standing: Arc<Standing>,
}

impl Service<Request<Incoming>> for Counting {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let under_way = self.activity.begin();
        let (webhook, standing) = (self.webhook.clone(), Arc::clone(&self.standing));
        Box::pin(async move {
            let answer = webhook.answer(request, Some(&standing)).await;
            drop(under_way);
            Ok(answer)
        })
    }
}

/// The stream, with each read noted.
struct Watched {
    stream: TlsStream<TcpStream>,
    activity: Arc<Activity>,
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.read();
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUTS: Timeouts =
        Timeouts { idle: Duration::from_secs(120), head: Duration::from_secs(10), tick: Duration::from_secs(5) };

    #[track_caller]
    fn stands(activity: &Activity, second: u64, state: State) {
        assert_eq!(activity.state_at(second * 1_000, TIMEOUTS), state, "at second {second}");
    }

    #[test]
    fn a_connection_idles_from_its_last_answer() {
        let activity = Arc::new(Activity::new(false));
        stands(&activity, 119, State::Busy);
        stands(&activity, 120, State::Idle);
        let request = activity.begin();
        stands(&activity, 500, State::Busy);
        activity.end_at(600_000);
        stands(&activity, 719, State::Busy);
        stands(&activity, 720, State::Idle);
        std::mem::forget(request);
    }

    #[test]
    fn a_request_ends_when_it_is_dropped() {
        let activity = Arc::new(Activity::new(false));
        let request = activity.begin();
        stands(&activity, 500, State::Busy);
        drop(request);
        stands(&activity, 500, State::Idle);
    }

    #[test]
    fn a_head_that_trickles_in_is_slow() {
        let activity = Arc::new(Activity::new(false));
        activity.read_at(60_000);
        activity.read_at(69_000);
        stands(&activity, 69, State::Busy);
        stands(&activity, 70, State::SlowHead);
        let request = activity.begin();
        // Now it is a body, which has a deadline of its own.
        activity.read_at(71_000);
        activity.end_at(72_000);
        stands(&activity, 100, State::Busy);
        std::mem::forget(request);
    }

    #[test]
    fn the_pings_of_http2_are_no_head() {
        let activity = Arc::new(Activity::new(true));
        activity.read_at(0);
        stands(&activity, 60, State::Busy);
        activity.read_at(119_000);
        stands(&activity, 120, State::Idle);
    }
}
