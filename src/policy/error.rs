//! Why a policy can't be used.

use thiserror::Error;

/// Why a policy can't be used.
#[derive(Debug, Error)]
pub enum PolicyError {
    /// Not YAML, or a value of the wrong type.
    #[error("{0}")]
    Syntax(String),
    /// A key that the policy doesn't have.
    #[error("{path}: there is no such key{}", hint(.nearest))]
    UnknownKey {
        /// Where it stands.
        path: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A rule that meshvet doesn't have.
    #[error("{path}: {name:?} is no rule of meshvet{}; `meshvet explain` lists them", hint(.nearest))]
    UnknownRule {
        /// Where it stands.
        path: String,
        /// What was written.
        name: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A value that can't be what it is to be.
    #[error("{path}: {problem}")]
    Value {
        /// Where it stands.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A namespace selector that can never match.
    #[error("{path}: {problem}")]
    Selector {
        /// Where it stands.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}
