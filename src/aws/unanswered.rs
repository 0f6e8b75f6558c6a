//! Why AWS did not answer, and what to do about it.

use std::fmt;

use super::call::Call;

/// Why a question has no answer. Displays as one clause that names the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// The caller may not ask.
    Denied {
        /// The call, and so the permission that is missing.
        call: Call,
        /// Who was denied, where the answer says.
        principal: Option<String>,
    },
    /// Asked too often.
    Throttled {
        /// The call.
        call: Call,
    },
    /// No answer came in the time that there was.
    TimedOut {
        /// The call.
        call: Call,
    },
    /// There were no credentials to ask with.
    NoCredentials {
        /// The call.
        call: Call,
        /// What was wrong with them.
        why: String,
    },
    /// The call failed in another way.
    Failed {
        /// The call.
        call: Call,
        /// How, in the words of the answer or of the connection.
        why: String,
    },
}

impl Unanswered {
    /// The call that was not answered.
    pub fn call(&self) -> Call {
        match self {
            Unanswered::Denied { call, .. }
            | Unanswered::Throttled { call }
            | Unanswered::TimedOut { call }
            | Unanswered::NoCredentials { call, .. }
            | Unanswered::Failed { call, .. } => *call,
        }
    }

    /// What to do about it.
    pub fn fix(&self) -> String {
        match self {
            Unanswered::Denied { call, principal } => {
                let principal = principal.as_deref().unwrap_or("meshvet's role");
                format!("allow {call} to {principal} (deploy/iam/meshvet.json), and apply again")
            }
            Unanswered::Throttled { .. } => {
                "apply again later; if it keeps happening, ask AWS for a higher quota for that call".to_owned()
            }
            Unanswered::TimedOut { .. } => {
                "apply again: an answer that came late is kept; if it keeps happening, check whether meshvet reaches AWS"
                    .to_owned()
            }
            Unanswered::NoCredentials { .. } => {
                "give meshvet a role (IRSA or EKS Pod Identity: docs/aws.md), and apply again".to_owned()
            }
            Unanswered::Failed { .. } => "check whether meshvet reaches AWS, and apply again".to_owned(),
        }
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unanswered::Denied { call, principal: Some(principal) } => {
                write!(f, "{call} is denied to {principal}")
            }
            Unanswered::Denied { call, principal: None } => write!(f, "{call} is denied"),
            Unanswered::Throttled { call } => write!(f, "{call} was throttled"),
            Unanswered::TimedOut { call } => write!(f, "{call} was not answered in time"),
            Unanswered::NoCredentials { call, why } => write!(f, "{call}: no credentials: {why}"),
            Unanswered::Failed { call, why } => write!(f, "{call} failed: {why}"),
        }
    }
}
