//! How much is accepted at a time, and how requests over that limit are answered.
//!
//! Three things are bounded: the reviews under way and those that wait for them, and the bytes of all bodies that are held at a time. A
//! body is charged for as it arrives, so that one which is announced and doesn't come costs nothing. A request that is rejected by
//! overload is still answered within its deadline, as the [policy](OnOverload) says.

use std::borrow::Cow;
use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Body;
use serde::Deserialize;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use crate::admission::review::{BadReview, MAX_UID};

/// The largest body that is read. A review carries an object twice, and the API server's own limit is 3 MiB for one.
pub(crate) const BODY_LIMIT: usize = 8 * 1024 * 1024;
/// Bodies above this many bytes are large: they leave room for others.
const SMALL_BODY: usize = 64 * 1024;
/// What of the bytes held at a time is kept free of large bodies: one part in so many.
const KEPT_FREE: usize = 3;
/// How many reviews may wait for each one under way.
const WAITING: usize = 4;
/// Bytes are counted in blocks of this size.
const BLOCK: usize = 1024;
/// A body has this long to come, and more by its length: an API server sends it in one go.
const PATIENCE: Duration = Duration::from_secs(2);
/// The slowest that a long body may come, in bytes a second.
const SLOWEST: usize = 256 * 1024;

/// What is taken on at a time. The default suits a memory limit of 512 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overload {
    /// Reviews under way at a time. Four times as many may wait for their turn.
    pub reviews: usize,
    /// Bytes of bodies that are held at a time.
    pub body_bytes: usize,
    /// How a review that is rejected by overload is answered.
    pub answer: OnOverload,
}

/// How a review that is rejected by overload is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnOverload {
    /// It passes unjudged, with a warning.
    #[default]
    Allow,
    /// It is refused, with a Status that says why.
    Refuse,
}

impl Default for Overload {
    fn default() -> Self {
        Self { reviews: 256, body_bytes: 48 * 1024 * 1024, answer: OnOverload::default() }
    }
}

/// Keeps the bounds.
#[derive(Debug)]
pub(super) struct Gate {
    turns: Semaphore,
    waiting: Semaphore,
    /// Blocks for all bodies.
    blocks: Semaphore,
    /// Of these, those that large bodies may take.
    large: Semaphore,
}

/// A body that was read, charged for until it is dropped.
#[derive(Debug)]
pub(super) struct Held<'a> {
    pub(super) bytes: Bytes,
    pub(super) charge: Charge<'a>,
}

/// What a body takes of the memory for bodies.
#[derive(Debug)]
pub(super) struct Charge<'a> {
    gate: &'a Gate,
    blocks: Option<SemaphorePermit<'a>>,
    large: Option<SemaphorePermit<'a>>,
}

/// Why a body was not read.
#[derive(Debug)]
pub(super) enum Unread {
    /// It is longer than [`BODY_LIMIT`].
    TooLarge,
    /// There is no memory for it.
    NoRoom,
    /// It did not come in time.
    Late,
    /// It broke off.
    Broken(Box<dyn Error + Send + Sync>),
}

impl Gate {
    pub(super) fn new(overload: Overload) -> Self {
        let blocks = (overload.body_bytes / BLOCK).clamp(1, Semaphore::MAX_PERMITS);
        let reviews = overload.reviews.clamp(1, Semaphore::MAX_PERMITS / WAITING);
        Self {
            turns: Semaphore::new(reviews),
            waiting: Semaphore::new(reviews * WAITING),
            blocks: Semaphore::new(blocks),
            large: Semaphore::new(blocks - blocks / KEPT_FREE),
        }
    }

    /// A review's turn; None when it doesn't come in time, or when too many wait for theirs.
    pub(super) async fn turn(&self, deadline: Instant) -> Option<SemaphorePermit<'_>> {
        if let Ok(turn) = self.turns.try_acquire() {
            return Some(turn);
        }
        let _place = self.waiting.try_acquire().ok()?;
        timeout_at(in_time(deadline), self.turns.acquire()).await.ok()?.ok()
    }

    /// Reads a body whose head says `length`, while there is room for it.
    pub(super) async fn read<B>(&self, body: B, length: Option<usize>, deadline: Instant) -> Result<Held<'_>, Unread>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Error + Send + Sync + 'static,
    {
        if length.is_some_and(|length| length > BODY_LIMIT) {
            return Err(Unread::TooLarge);
        }
        let latest = deadline.min(Instant::now() + time_for(length));
        let mut charge = Charge { gate: self, blocks: None, large: None };
        let (mut bytes, mut waits) = (Bytes::new(), false);
        let read = gather(body, &mut charge, &mut bytes, &mut waits);
        let read = timeout_at(latest, read).await;
        match read {
            Ok(Ok(())) => Ok(Held { bytes, charge }),
            Ok(Err(unread)) => Err(unread),
            Err(_) if waits => Err(Unread::NoRoom),
            Err(_) => Err(Unread::Late),
        }
    }
}

/// Takes a body up, frame by frame. `waits` holds while the wait is for room, not for the body.
async fn gather<B>(mut body: B, charge: &mut Charge<'_>, whole: &mut Bytes, waits: &mut bool) -> Result<(), Unread>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Error + Send + Sync + 'static,
{
    let (mut first, mut more) = (Bytes::new(), Vec::new());
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| Unread::Broken(error.into()))?.into_data() else { continue };
        let total = first.len() + more.len() + data.len();
        if total > BODY_LIMIT {
            return Err(Unread::TooLarge);
        }
        *waits = true;
        charge.reach(total).await?;
        *waits = false;
        if total == data.len() {
            // Most reviews come in one piece, which needn't be copied.
            first = data;
            continue;
        }
        if more.is_empty() {
            more.extend_from_slice(&std::mem::take(&mut first));
        }
        more.extend_from_slice(&data);
    }
    *whole = if more.is_empty() { first } else { more.into() };
    Ok(())
}

impl<'a> Charge<'a> {
    /// Charges for so many bytes in all. Only who holds nothing yet waits for room: nobody waits for somebody who waits.
    async fn reach(&mut self, total: usize) -> Result<(), Unread> {
        let wanted = blocks(total);
        let held = self.blocks.as_ref().map_or(0, SemaphorePermit::num_permits);
        grow(&self.gate.blocks, &mut self.blocks, wanted.saturating_sub(held)).await?;
        if total <= SMALL_BODY {
            return Ok(());
        }
        let held = self.large.as_ref().map_or(0, SemaphorePermit::num_permits);
        grow(&self.gate.large, &mut self.large, wanted.saturating_sub(held)).await
    }
}

async fn grow<'a>(pool: &'a Semaphore, held: &mut Option<SemaphorePermit<'a>>, more: usize) -> Result<(), Unread> {
    if more == 0 {
        return Ok(());
    }
    let more = u32::try_from(more).map_err(|_| Unread::NoRoom)?;
    match held {
        Some(held) => held.merge(pool.try_acquire_many(more).map_err(|_| Unread::NoRoom)?),
        None => *held = Some(pool.acquire_many(more).await.map_err(|_| Unread::NoRoom)?),
    }
    Ok(())
}

fn blocks(bytes: usize) -> usize {
    bytes.div_ceil(BLOCK)
}

/// How long a body may take whose head says `length`.
fn time_for(length: Option<usize>) -> Duration {
    PATIENCE + Duration::from_secs((length.unwrap_or(BODY_LIMIT) / SLOWEST) as u64)
}

/// When to stop waiting, so that something is left for an answer.
fn in_time(deadline: Instant) -> Instant {
    let left = deadline.saturating_duration_since(Instant::now());
    deadline - (left / 5).min(Duration::from_millis(100))
}

#[derive(Deserialize)]
#[serde(expecting = "an AdmissionReview")]
struct Review<'a> {
    #[serde(borrow)]
    request: Asked<'a>,
}

#[derive(Deserialize)]
#[serde(expecting = "a request with a uid")]
struct Asked<'a> {
    #[serde(borrow)]
    uid: Cow<'a, str>,
}

/// The uid of a review, and nothing else of it: what an answer needs at least.
pub(super) fn uid(body: &[u8]) -> Result<String, BadReview> {
    let review: Review<'_> = serde_json::from_slice(body).map_err(|error| BadReview::Malformed(error.to_string()))?;
    match review.request.uid {
        uid if uid.is_empty() || uid.len() > MAX_UID => Err(BadReview::Missing("request.uid (of at most 128 bytes)")),
        uid => Ok(uid.into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures::stream;

    use super::*;

    const MIB: usize = 1024 * 1024;
    const MOMENT: Duration = Duration::from_millis(40);

    fn gate(body_bytes: usize) -> Gate {
        Gate::new(Overload { reviews: 1, body_bytes, ..Overload::default() })
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    /// A body in pieces of 16 KiB.
    fn of(bytes: usize) -> Body {
        let pieces = vec![b'x'; bytes].chunks(16 * 1024).map(Bytes::copy_from_slice).collect::<Vec<_>>();
        Body::from_stream(stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>)))
    }

    /// A body that begins with so many bytes and never ends.
    fn begun(bytes: usize) -> Body {
        use futures::StreamExt as _;
        let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; bytes]))]);
        Body::from_stream(first.chain(stream::pending()))
    }

    #[tokio::test]
    async fn a_body_is_charged_for_until_it_is_dropped() {
        let gate = gate(MIB);
        for size in [0, 1, 1024, 1025, 60_000] {
            let held = gate.read(of(size), Some(size), soon()).await.expect("room");
            assert_eq!(held.bytes.len(), size);
            assert_eq!(gate.blocks.available_permits(), 1024 - size.div_ceil(1024), "{size}");
            assert_eq!(gate.large.available_permits(), 683);
        }
        let held = gate.read(of(200 * 1024), None, soon()).await.expect("room");
        assert_eq!((gate.blocks.available_permits(), gate.large.available_permits()), (824, 483));
        drop(held);
        assert_eq!((gate.blocks.available_permits(), gate.large.available_permits()), (1024, 683));
    }

    #[tokio::test]
    async fn large_bodies_leave_room_for_small_ones() {
        let gate = gate(MIB);
        let large = gate.read(of(600 * 1024), None, soon()).await.expect("room");
        let other = gate.read(of(100 * 1024), None, soon()).await;
        assert!(matches!(other, Err(Unread::NoRoom)), "{other:?}");
        gate.read(of(60 * 1024), None, soon()).await.expect("room for a small one");
        drop(large);
        gate.read(of(600 * 1024), None, soon()).await.expect("room again");
    }

    #[tokio::test]
    async fn a_body_without_room_waits_for_it_within_its_time() {
        let gate = gate(64 * 1024);
        let full = gate.read(of(60 * 1024), None, soon()).await.expect("room");
        let waited = gate.read(of(8 * 1024), Some(8 * 1024), Instant::now() + MOMENT).await;
        assert!(matches!(waited, Err(Unread::NoRoom)), "{waited:?}");
        let (waited, ()) = tokio::join!(gate.read(of(8 * 1024), None, soon()), async {
            tokio::time::sleep(MOMENT).await;
            drop(full);
        });
        waited.expect("room after a moment");
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_let_go_and_nothing_is_held_of_it() {
        let gate = gate(MIB);
        let read = gate.read(begun(8), Some(10), Instant::now() + MOMENT).await;
        assert!(matches!(read, Err(Unread::Late)), "{read:?}");
        assert_eq!(gate.blocks.available_permits(), 1024);
        let seconds = |length| time_for(length).as_secs();
        assert_eq!((seconds(Some(10)), seconds(Some(MIB)), seconds(None)), (2, 6, 34));
    }

    #[tokio::test]
    async fn a_turn_comes_in_time_or_not_at_all() {
        let gate = gate(MIB);
        let turn = gate.turn(soon()).await.expect("the first");
        let deadline = Instant::now() + MOMENT;
        assert!(gate.turn(deadline).await.is_none());
        assert!(in_time(deadline) < deadline, "with time left to answer");
        let (next, ()) = tokio::join!(gate.turn(soon()), async {
            tokio::time::sleep(MOMENT).await;
            drop(turn);
        });
        drop(next.expect("its turn"));
    }

    #[tokio::test]
    async fn only_so_many_wait_for_their_turn() {
        let gate = gate(MIB);
        let _turn = gate.turn(soon()).await.expect("the first");
        let waiting = futures::future::join_all((0..WAITING).map(|_| gate.turn(soon())));
        let one_more = async { gate.turn(soon()).await.map(drop) };
        tokio::select! {
            biased;
            _ = waiting => panic!("nobody's turn has come"),
            one_more = one_more => assert!(one_more.is_none()),
        }
    }

    #[test]
    fn a_uid_is_found_whatever_else_there_is() {
        assert_eq!(uid(br#"{"kind":"x","request":{"object":{"a":[1,{}]},"uid":"a\u0062"}}"#).expect("one"), "ab");
        let long = format!(r#"{{"request":{{"uid":"{}"}}}}"#, "9".repeat(MAX_UID + 1));
        for body in
            [long.as_bytes(), &b"{"[..], b"{}", b"[]", br#"{"request":{}}"#, br#"{"request":{"uid":5}}"#, b"\xff"]
        {
            uid(body).expect_err("none");
        }
        let deep = format!(r#"{{"request":{{"object":{}{},"uid":"u"}}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(uid(deep.as_bytes()).ok().as_deref(), Some("u"));
    }
}
