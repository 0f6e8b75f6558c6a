//! Label selectors, with the semantics of Kubernetes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::lenient::{null_to_default, string_map};

/// Selects objects by their labels (`meta/v1 LabelSelector`).
///
/// All labels and all requirements must hold. An empty selector selects everything; what an *absent* one selects is
/// the business of the field that it is absent from (for a virtual node's `podSelector`: nothing).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LabelSelector {
    /// Labels that must be there with exactly these values.
    #[serde(deserialize_with = "string_map")]
    pub match_labels: BTreeMap<String, String>,
    /// Requirements on single labels.
    #[serde(deserialize_with = "null_to_default")]
    pub match_expressions: Vec<LabelSelectorRequirement>,
}

/// One requirement of a [`LabelSelector`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["key", "operator"]))]
pub struct LabelSelectorRequirement {
    /// The label that the requirement is about.
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    pub operator: String,
    /// The values of `In` and `NotIn`; empty for the others.
    #[serde(deserialize_with = "null_to_default")]
    pub values: Vec<String>,
}

/// Why a selector is not one. The API server accepts such a selector in a custom resource; whoever has to evaluate it
/// (the App Mesh controller) fails.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SelectorProblem {
    /// The operator is none of the four.
    #[error(
        "matchExpressions[{index}]: {operator:?} is no operator: use In, NotIn, Exists or DoesNotExist"
    )]
    UnknownOperator {
        /// Position in `matchExpressions`.
        index: usize,
        /// What stands there.
        operator: String,
    },
    /// `In` or `NotIn` without values.
    #[error("matchExpressions[{index}]: {operator} needs at least one value")]
    NoValues {
        /// Position in `matchExpressions`.
        index: usize,
        /// The operator.
        operator: String,
    },
    /// `Exists` or `DoesNotExist` with values.
    #[error("matchExpressions[{index}]: {operator} takes no values")]
    UnexpectedValues {
        /// Position in `matchExpressions`.
        index: usize,
        /// The operator.
        operator: String,
    },
    /// A requirement on no label.
    #[error("matchExpressions[{index}]: the key is empty")]
    EmptyKey {
        /// Position in `matchExpressions`.
        index: usize,
    },
}

impl LabelSelector {
    /// Whether an object with these labels is selected. A selector with a [problem](Self::problems) selects nothing.
    #[must_use]
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.match_labels
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value))
            && self
                .match_expressions
                .iter()
                .all(|requirement| requirement.matches(labels))
    }

    /// Whether the selector selects everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.match_labels.is_empty() && self.match_expressions.is_empty()
    }

    /// Everything that is wrong with the selector, in order.
    #[must_use]
    pub fn problems(&self) -> Vec<SelectorProblem> {
        let mut problems = Vec::new();
        for (index, requirement) in self.match_expressions.iter().enumerate() {
            if requirement.key.is_empty() {
                problems.push(SelectorProblem::EmptyKey { index });
            }
            problems.extend(requirement.problem(index));
        }
        problems
    }
}

impl LabelSelectorRequirement {
    fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        if self.key.is_empty() || self.problem(0).is_some() {
            return false;
        }
        let value = labels.get(&self.key);
        match self.operator.as_str() {
            "In" => value.is_some_and(|value| self.values.contains(value)),
            // An object without the label is not in the set (Kubernetes, "Set-based requirement").
            "NotIn" => value.is_none_or(|value| !self.values.contains(value)),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    }

    fn problem(&self, index: usize) -> Option<SelectorProblem> {
        let operator = self.operator.clone();
        match self.operator.as_str() {
            "In" | "NotIn" if self.values.is_empty() => {
                Some(SelectorProblem::NoValues { index, operator })
            }
            "Exists" | "DoesNotExist" if !self.values.is_empty() => {
                Some(SelectorProblem::UnexpectedValues { index, operator })
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => None,
            _ => Some(SelectorProblem::UnknownOperator { index, operator }),
        }
    }
}
