//! An installation of meshvet as it is seen from outside: what is right, what is wrong, and what to do about it.
//!
//! ```text
//! API server ──► CRDs ──► webhook configuration ──► Service, endpoints ──► what is served there ──► rights, Lease
//! ```
//!
//! Everything is read with the caller's own rights, and nothing is changed. A Secret is never read: what is served is seen by shaking
//! hands, as the API server does.

mod configuration;
mod deployed;
mod endpoints;
mod examine;
mod lease;
mod report;
mod rights;
mod served;

use jiff::Timestamp;

use crate::sources::cluster::told;

pub(crate) use examine::examine;
pub(crate) use report::{json, text};

/// What is to be looked at.
#[derive(Clone, Debug)]
pub(crate) struct Questions {
    /// The ValidatingWebhookConfiguration.
    pub configuration: String,
    /// Where meshvet serves reviews, host and port, for one that can be reached without the cluster; None: at its pods, by port-forward.
    pub address: Option<String>,
    /// The ServiceAccount, namespace and name; None: the one that the pods run as.
    pub service_account: Option<(String, String)>,
    /// The time to judge certificates and Leases as of.
    pub now: Timestamp,
}

/// How a check has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// All is well.
    Ok,
    /// It works, or nobody can say; somebody should look.
    Warning,
    /// It doesn't work.
    Failed,
}

impl Outcome {
    /// `ok`, `warning` or `failed`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Warning => "warning",
            Outcome::Failed => "failed",
        }
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    /// What was looked at: `ca-bundle`.
    pub name: &'static str,
    /// How it has ended.
    pub outcome: Outcome,
    /// What was found, in one sentence.
    pub message: String,
    /// What to do; None where nothing is.
    pub fix: Option<String>,
}

/// Everything that was found, in the order in which it was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    /// The checks.
    pub checks: Vec<Check>,
    /// Whether the API server could not be asked at all.
    pub unreachable: bool,
}

impl Diagnosis {
    /// How many checks have ended so.
    pub(crate) fn count(&self, outcome: Outcome) -> usize {
        self.checks.iter().filter(|check| check.outcome == outcome).count()
    }

    /// The worst outcome.
    pub(crate) fn worst(&self) -> Outcome {
        self.checks.iter().map(|check| check.outcome).max().unwrap_or(Outcome::Ok)
    }

    fn ok(&mut self, name: &'static str, message: impl Into<String>) {
        self.checks.push(Check { name, outcome: Outcome::Ok, message: message.into(), fix: None });
    }

    fn warn(&mut self, name: &'static str, message: impl Into<String>, fix: impl Into<String>) {
        let fix = Some(fix.into());
        self.checks.push(Check { name, outcome: Outcome::Warning, message: message.into(), fix });
    }

    fn fail(&mut self, name: &'static str, message: impl Into<String>, fix: impl Into<String>) {
        let fix = Some(fix.into());
        self.checks.push(Check { name, outcome: Outcome::Failed, message: message.into(), fix });
    }

    /// Something that the caller could not look at: a right of the caller's own, most often.
    fn unseen(&mut self, name: &'static str, what: &str, error: &kube::Error) {
        let fix = match error {
            kube::Error::Api(status) if status.is_forbidden() => {
                "ask someone who has the right, or get it; meshvet itself may be fine".to_owned()
            }
            _ => "try again; if it keeps failing, check the API server's log".to_owned(),
        };
        self.warn(name, format!("{what} could not be read: {}", told(error)), fix);
    }
}
