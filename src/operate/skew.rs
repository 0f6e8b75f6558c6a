//! How far this machine's clock is from the API server's: validity is judged by it, and what is issued here is verified by the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kube::Client;
use kube::client::Body;

use crate::operate::Clock;
use crate::operate::metrics::Metrics;

/// How far the two may differ before that is logged, in seconds.
const NOTED: i64 = 60;
/// How far they may differ before no review is wanted.
const FAR: i64 = 5 * 60;
/// How often to look.
const EVERY: Duration = Duration::from_secs(60);
/// When to look again after a look that failed, or that says otherwise than the one before.
const AGAIN: Duration = Duration::from_secs(2);
/// An answer that took longer says too little.
const PATIENCE: Duration = Duration::from_secs(5);

/// By how many seconds the clock is ahead of the API server's, as far as is known. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Skew(Arc<AtomicI64>);

impl Skew {
    /// What keeps a replica from being ready.
    pub(crate) fn told(&self) -> Option<String> {
        let ahead = self.0.load(Ordering::Relaxed);
        (ahead.abs() > FAR).then(|| format!("the clock is {}", described(ahead)))
    }

    fn note(&self, ahead: i64) {
        let before = self.0.swap(ahead, Ordering::Relaxed);
        match (before.abs() > NOTED, ahead.abs() > NOTED) {
            (false, true) => {
                let error = format!("the clock of this node is {}", described(ahead));
                tracing::error!(
                    error,
                    "certificates are judged by a clock that differs: check the time service of the nodes"
                );
            }
            (true, false) => tracing::info!("the clock is right again"),
            _ => {}
        }
    }
}

fn described(ahead: i64) -> String {
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    format!("{} s {side} the API server's", ahead.abs())
}

/// Looks again and again, forever. A difference counts once two looks in a row have found it: one answer may have been long on its way.
pub(crate) async fn follow(client: Client, clock: Clock, skew: Skew, metrics: Arc<Metrics>) {
    let mut before = 0;
    loop {
        let Some(ahead) = look(&client, &clock).await else {
            tokio::time::sleep(AGAIN).await;
            continue;
        };
        metrics.clock_differs(ahead);
        let agrees = (ahead - before).abs() <= NOTED;
        before = ahead;
        if agrees {
            skew.note(ahead);
        }
        tokio::time::sleep(if agrees { EVERY } else { AGAIN }).await;
    }
}

/// One look, by the `Date` of an answer; None where there was none in time. Whatever the answer is: a refusal has a date too.
async fn look(client: &Client, clock: &Clock) -> Option<i64> {
    let request = axum::http::Request::get("/version").body(Body::empty()).ok()?;
    let asked = Instant::now();
    let answer = tokio::time::timeout(PATIENCE, client.send(request)).await.ok()?.ok()?;
    let now = clock();
    let date = answer.headers().get(axum::http::header::DATE)?.to_str().ok()?;
    let date = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    Some(difference(now, date, asked.elapsed()))
}

/// How many seconds `now` is ahead of a date that was written, in whole seconds, at some moment of the time that the answer took: as few
/// as it may be.
fn difference(now: Timestamp, date: Timestamp, took: Duration) -> i64 {
    let ahead = now.duration_since(date).as_secs();
    let slack = i64::try_from(took.as_secs()).unwrap_or(i64::MAX).saturating_add(1);
    if ahead > 0 { (ahead - slack).max(0) } else { ahead.min(0) }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    #[test]
    fn what_an_answer_took_is_no_difference() {
        let date: Timestamp = "2026-11-28T12:00:00Z".parse().expect("a time");
        for (seconds, took, ahead) in [(0, 0, 0), (4, 4, 0), (1, 0, 0), (100, 1, 98), (-100, 1, -100)] {
            assert_eq!(difference(date + seconds.seconds(), date, Duration::from_secs(took)), ahead, "{seconds}");
        }
    }

    #[test]
    fn only_a_clock_that_is_far_off_keeps_it_from_being_ready() {
        let skew = Skew::default();
        for (ahead, told) in [(0, false), (61, false), (300, false), (301, true), (-301, true), (0, false)] {
            skew.note(ahead);
            assert_eq!(skew.told().is_some(), told, "{ahead}");
        }
        skew.note(-7_200);
        assert_eq!(skew.told().as_deref(), Some("the clock is 7200 s behind the API server's"));
    }
}
