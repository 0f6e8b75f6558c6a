//! What the rules of a folder are about, so that they need not run where an object has nothing of it.

use crate::apis::Subject;

/// What all rules of a folder are about. Each folder says it as a constant `ABOUT`.
#[derive(Clone, Copy, Debug)]
pub(super) enum About {
    /// Whatever is under review.
    Anything,
    /// What has this: of anything else they have nothing to say.
    Having(fn(&Subject) -> bool),
}

impl About {
    /// Whether the rules have to run.
    pub(super) fn is(self, subject: &Subject) -> bool {
        match self {
            Self::Anything => true,
            Self::Having(has) => has(subject),
        }
    }
}
