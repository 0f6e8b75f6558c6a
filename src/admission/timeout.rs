//! How long a review may take: the API server's own `?timeout=`, less what the answer's way back needs.

use std::time::Duration;

use tokio::time::Instant;

/// What the API server waits when it doesn't say (the webhook configuration's own default).
const DEFAULT: Duration = Duration::from_secs(10);
/// The longest that a webhook configuration may ask for.
const LONGEST: Duration = Duration::from_secs(30);
/// Left for the way there and back. The API server rounds the timeout *up* to seconds, so that one second is never too little.
const MARGIN: Duration = Duration::from_secs(1);
/// Enough to judge; a timeout of one second leaves this.
const LEAST: Duration = Duration::from_millis(250);

/// The time for a review, by the query string of its request (`timeout=5s`).
pub(crate) fn budget(query: Option<&str>) -> Duration {
    let given = query
        .into_iter()
        .flat_map(|query| query.split('&'))
        .find_map(|pair| pair.strip_prefix("timeout="))
        .and_then(parse_go_duration);
    given.unwrap_or(DEFAULT).min(LONGEST).saturating_sub(MARGIN).max(LEAST)
}

/// When to stop waiting for others, so that something is left for the rest.
pub(super) fn before(deadline: Instant) -> Instant {
    let left = deadline.saturating_duration_since(Instant::now());
    deadline - (left / 5).min(Duration::from_millis(100))
}

/// Reads a duration as Go's `time.ParseDuration` does: `5s`, `1m30s`, `1.5s`, `500ms`. None for anything else, negative
/// ones included.
pub(crate) fn parse_go_duration(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0_u128;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        total = total.checked_add(nanoseconds(number, unit_nanoseconds(unit)?)?)?;
        rest = next;
    }
    u64::try_from(total).ok().map(Duration::from_nanos)
}

fn unit_nanoseconds(unit: &str) -> Option<u128> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// A decimal number of units, cut off below the nanosecond.
fn nanoseconds(number: &str, unit: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut total = whole.checked_mul(unit)?;
    let mut scale = unit;
    for digit in fraction.chars() {
        scale /= 10;
        total = total.checked_add(u128::from(digit.to_digit(10)?).checked_mul(scale)?)?;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_read_as_go_does() {
        for (text, milliseconds) in [
            ("5s", 5_000),
            ("1m30s", 90_000),
            ("500ms", 500),
            ("1.5s", 1_500),
            (".5s", 500),
            ("1.s", 1_000),
            ("+2s", 2_000),
            ("1h", 3_600_000),
            ("0", 0),
            ("0.25m", 15_000),
            ("2000000us", 2_000),
            ("2000000µs", 2_000),
        ] {
            assert_eq!(parse_go_duration(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        let long = "9".repeat(60) + "h";
        for text in ["", "5", "s", "-5s", "5 s", "1d", "1.2.3s", ".s", "+", "5s ", "٣s", &long] {
            assert_eq!(parse_go_duration(text), None, "{text}");
        }
    }

    #[test]
    fn the_budget_leaves_a_second_for_the_way() {
        let milliseconds = |query| budget(query).as_millis();
        assert_eq!(milliseconds(Some("timeout=5s")), 4_000);
        assert_eq!(milliseconds(Some("a=b&timeout=2.5s")), 1_500);
        assert_eq!(milliseconds(Some("timeout=1s")), 250);
        assert_eq!(milliseconds(Some("timeout=0s")), 250);
        assert_eq!(milliseconds(Some("timeout=10000h")), 29_000);
        for absent in [None, Some(""), Some("timeout=soon"), Some("timeouts=5s")] {
            assert_eq!(milliseconds(absent), 9_000, "{absent:?}");
        }
    }
}
