//! Why a policy can't be used.

use thiserror::Error;

use crate::k8s::FieldPath;
use crate::sources::manifests::{Positions, first_positions};

/// Why a policy can't be used.
#[derive(Debug, Error)]
pub enum PolicyError {
    /// Not YAML.
    #[error("{problem}")]
    Syntax {
        /// Line and column, where they are known.
        at: Option<(u32, u32)>,
        /// What is wrong.
        problem: String,
    },
    /// A key that the policy doesn't have.
    #[error("{path}: unknown key{}", hint(.nearest))]
    UnknownKey {
        /// Where it is.
        path: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A rule that meshvet doesn't have.
    #[error("{path}: meshvet has no rule {name:?}{}; `meshvet explain` lists them", hint(.nearest))]
    UnknownRule {
        /// Where it is.
        path: String,
        /// What was written.
        name: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A value that can't be what it is to be.
    #[error("{path}: {problem}")]
    Value {
        /// Where it is.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A namespace selector that can never match.
    #[error("{path}: {problem}")]
    Selector {
        /// Where it is.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl PolicyError {
    /// Line and column of the fault in the text that it was read from, as far as they are known.
    pub(crate) fn place(&self, text: &str) -> Option<(u32, u32)> {
        let (path, name) = match self {
            Self::Syntax { at, .. } => return *at,
            Self::UnknownKey { path, .. } | Self::Value { path, .. } | Self::Selector { path, .. } => (path, None),
            Self::UnknownRule { path, name, .. } => (path, Some(name)),
        };
        let mut field = path.split('.').fold(FieldPath::root(), |field, part| {
            let mut parts = part.split('[');
            let field = parts.next().filter(|key| !key.is_empty()).map_or(field.clone(), |key| field.key(key));
            parts
                .filter_map(|index| index.strip_suffix(']')?.parse().ok())
                .fold(field, |field, index| field.index(index))
        });
        if let Some(name) = name {
            field = field.key(name);
        }
        let positions = first_positions(text)?;
        let of_value = |positions: &Positions| positions.value(&field).unwrap_or_else(|| positions.nearest(&field));
        // A key that is wrong stands before its value.
        let mark = match self {
            Self::UnknownKey { .. } | Self::UnknownRule { .. } => positions.key(&field),
            _ => None,
        };
        let mark = mark.unwrap_or_else(|| of_value(&positions));
        Some((mark.line, mark.column))
    }
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}
