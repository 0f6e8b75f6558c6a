//! Since when what is known is known.

use std::time::Duration;

use jiff::Timestamp;

use crate::operate::Clock;
use crate::sources::cluster::WatchStats;

/// From this age on what is known of a kind may be old: a watch that works hears a bookmark about once a minute.
const OLD: Duration = Duration::from_secs(180);

/// When the API server last sent anything, by kind. Without watches nothing is old.
#[derive(Clone, Default)]
pub(super) struct Ages(Option<(WatchStats, Clock)>);

impl Ages {
    pub(super) fn of(watched: WatchStats, clock: Clock) -> Self {
        Self(Some((watched, clock)))
    }

    /// When the API server last sent anything about a kind: `12:31:05 UTC`.
    pub(super) fn since(&self, kind: &str) -> Option<String> {
        let (watched, clock) = self.0.as_ref()?;
        at(clock(), watched.kind(kind)?.age()?)
    }

    /// Which kinds nothing was heard of for long, and since when: one sentence, if there are any.
    pub(super) fn old(&self) -> Option<String> {
        let (watched, clock) = self.0.as_ref()?;
        let ages = watched.iter().filter_map(|(kind, figures)| Some((kind, figures.age()?)));
        let old: Vec<(&str, Duration)> = ages.filter(|(_, age)| *age >= OLD).collect();
        let oldest = old.iter().map(|(_, age)| *age).max()?;
        let kinds = match old.as_slice() {
            [(one, _)] => (*one).to_owned(),
            [(one, _), (other, _)] => format!("{one} and {other}"),
            [(one, _), rest @ ..] => format!("{one} and {} more kinds", rest.len()),
            [] => return None,
        };
        let since = at(clock(), oldest)?;
        Some(format!(
            "meshvet knows {kinds} as of {since}: the API server has sent nothing since, and what changed may be missed"
        ))
    }
}

fn at(now: Timestamp, age: Duration) -> Option<String> {
    let then = now.checked_sub(jiff::SignedDuration::from_secs(i64::try_from(age.as_secs()).ok()?)).ok()?;
    Some(then.strftime("%H:%M:%S UTC").to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn ages(kinds: &[&str], old: &[&str]) -> Ages {
        let (began, watched) = (std::time::Instant::now(), WatchStats::default());
        for kind in kinds {
            let by = if old.contains(kind) { 200 } else { 20 };
            watched.kind(kind).expect("a kind").heard_at(began.checked_sub(Duration::from_secs(by)).expect("a time"));
        }
        Ages::of(watched, Arc::new(|| "2026-11-28T12:34:25Z".parse().expect("a time")))
    }

    #[test]
    fn what_nothing_was_heard_of_for_minutes_is_told_with_the_time() {
        let all = ["Deployment", "Secret", "VirtualNode"];
        let told = |old: &[&str]| ages(&all, old).old();
        let since = "as of 12:31:05 UTC: the API server has sent nothing since, and what changed may be missed";
        assert_eq!(told(&[]), None);
        assert_eq!(told(&["Secret"]), Some(format!("meshvet knows Secret {since}")));
        assert_eq!(told(&["Secret", "Deployment"]), Some(format!("meshvet knows Deployment and Secret {since}")));
        assert_eq!(told(&all), Some(format!("meshvet knows Deployment and 2 more kinds {since}")));
        assert_eq!(ages(&all, &[]).since("Secret"), Some("12:34:05 UTC".to_owned()));
        assert_eq!(ages(&[], &[]).since("Secret"), None, "it isn't watched");
        assert_eq!(Ages::default().old(), None);
    }
}
