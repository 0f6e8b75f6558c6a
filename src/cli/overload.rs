//! The arguments that say how much `meshvet serve` takes on at a time.

use std::num::NonZeroU16;

use clap::ValueEnum;

use crate::admission::overload::{OnOverload, Overload};

/// How much is taken on at a time.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct OverloadArgs {
    /// How to answer a review that is over the limit, or whose turn doesn't come before its deadline.
    #[arg(
        long = "overload",
        env = "MESHVET_OVERLOAD",
        value_name = "ANSWER",
        value_enum,
        ignore_case = true,
        default_value = "allow"
    )]
    answer: Answer,

    /// Concurrent reviews. Four times as many may wait for their turn.
    #[arg(long, env = "MESHVET_MAX_REVIEWS", value_name = "N", default_value = "256")]
    max_reviews: NonZeroU16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Answer {
    /// Let it pass, with a warning that it was not judged.
    Allow,
    /// Refuse it, with a message that meshvet is overloaded.
    Refuse,
}

impl OverloadArgs {
    /// The bounds.
    pub(super) fn bounds(self) -> Overload {
        let answer = match self.answer {
            Answer::Allow => OnOverload::Allow,
            Answer::Refuse => OnOverload::Refuse,
        };
        Overload { reviews: usize::from(self.max_reviews.get()), answer, ..Overload::default() }
    }
}
