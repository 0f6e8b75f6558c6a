//! How the calls to AWS went, for metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::aws::{Call, Unanswered};

/// How a call went, all its tries taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// With an answer.
    Answered,
    /// There is nothing of that name.
    NotFound,
    /// A permission is missing.
    Denied,
    /// Too many calls.
    Throttled,
    /// No answer in time.
    TimedOut,
    /// Nobody to ask as.
    NoCredentials,
    /// Anything else.
    Failed,
}

impl CallOutcome {
    /// All of them.
    pub const ALL: [CallOutcome; 7] = [
        CallOutcome::Answered,
        CallOutcome::NotFound,
        CallOutcome::Denied,
        CallOutcome::Throttled,
        CallOutcome::TimedOut,
        CallOutcome::NoCredentials,
        CallOutcome::Failed,
    ];

    /// `timed-out`, as metrics have it.
    pub fn as_str(self) -> &'static str {
        match self {
            CallOutcome::Answered => "answered",
            CallOutcome::NotFound => "not-found",
            CallOutcome::Denied => "denied",
            CallOutcome::Throttled => "throttled",
            CallOutcome::TimedOut => "timed-out",
            CallOutcome::NoCredentials => "no-credentials",
            CallOutcome::Failed => "failed",
        }
    }
}

impl From<&Unanswered> for CallOutcome {
    fn from(why: &Unanswered) -> Self {
        match why {
            Unanswered::Denied { .. } => CallOutcome::Denied,
            Unanswered::Throttled { .. } => CallOutcome::Throttled,
            Unanswered::TimedOut { .. } => CallOutcome::TimedOut,
            Unanswered::NoCredentials { .. } => CallOutcome::NoCredentials,
            Unanswered::Failed { .. } => CallOutcome::Failed,
        }
    }
}

/// Counts of calls by their outcome. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct CallStats(Arc<[[AtomicU64; CallOutcome::ALL.len()]; Call::ALL.len()]>);

impl CallStats {
    /// Counts a call.
    pub fn count(&self, call: Call, outcome: CallOutcome) {
        if let Some(count) = self.0.get(call as usize).and_then(|counts| counts.get(outcome as usize)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often each call has had each outcome.
    pub fn iter(&self) -> impl Iterator<Item = (Call, CallOutcome, u64)> {
        Call::ALL.iter().zip(self.0.iter()).flat_map(|(call, counts)| {
            let outcomes = CallOutcome::ALL.iter().zip(counts);
            outcomes.map(|(outcome, count)| (*call, *outcome, count.load(Ordering::Relaxed)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_and_outcome_has_a_count_of_its_own() {
        let stats = CallStats::default();
        for call in Call::ALL {
            for outcome in CallOutcome::ALL {
                stats.count(call, outcome);
            }
        }
        stats.clone().count(Call::AssumeRole, CallOutcome::Throttled);
        for (call, outcome, count) in stats.iter() {
            let twice = call == Call::AssumeRole && outcome == CallOutcome::Throttled;
            assert_eq!(count, 1 + u64::from(twice), "{call} {outcome:?}");
        }
        assert_eq!(stats.iter().count(), Call::ALL.len() * CallOutcome::ALL.len());
    }
}
