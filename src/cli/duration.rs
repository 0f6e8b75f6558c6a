//! Durations as arguments.

use std::time::Duration;

use crate::admission::timeout::parse_go_duration;

/// Reads one.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    parse_go_duration(text).ok_or_else(|| "expected a duration such as 5s, 1m30s or 500ms".to_owned())
}

/// Reads one that isn't zero.
pub(super) fn lasting(text: &str) -> Result<Duration, String> {
    // Zero is refused in the words for what is none.
    duration(text).and_then(|found| if found.is_zero() { duration("") } else { Ok(found) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_a_duration_that_does_not_last() {
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert_eq!(lasting("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(lasting("0s"), lasting("soon"));
        assert!(lasting("0s").is_err_and(|error| error.contains("1m30s")));
    }
}
