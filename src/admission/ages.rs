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
    let then = now.checked_sub(jiff::SignedDuration::try_from(age).ok()?).ok()?;
    Some(then.strftime("%H:%M:%S UTC").to_string())
}
