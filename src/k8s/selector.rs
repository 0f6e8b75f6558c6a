//! Label selectors, with the semantics of Kubernetes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::k8s::labels::{Labelled, Labels};
use crate::k8s::lenient::null_is_absent;
use crate::k8s::syntax::{is_label_value, is_qualified_name};

/// Selects objects by their labels (`meta/v1 LabelSelector`).
///
/// All labels and all requirements must hold. An empty selector selects everything; what an *absent* one selects is
/// the business of the field that it is absent from (for a virtual node's `podSelector`: nothing).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct LabelSelector {
    /// Labels that must be there with exactly these values.
    #[serde(deserialize_with = "null_is_absent")]
    pub match_labels: Labels,
    /// Requirements on single labels.
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
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
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub values: Vec<String>,
}

/// Why a selector can't be evaluated.
///
/// The API server accepts such a selector in a custom resource, and whoever evaluates it fails: the App Mesh injector
/// goes through every virtual node and gateway of a namespace for each new pod, so that one such selector makes it
/// refuse *every* pod of the namespace (`membership_designator.go`; `LabelSelectorAsSelector` in apimachinery).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SelectorProblem {
    /// The operator is none of the four.
    #[error("matchExpressions[{index}]: {operator:?} is not an operator: use In, NotIn, Exists or DoesNotExist")]
    UnknownOperator {
        /// Position in `matchExpressions`.
        index: usize,
        /// What is there.
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
    /// A key that no label can have.
    #[error("{key:?} is not a valid label key")]
    InvalidKey {
        /// What is there.
        key: String,
    },
    /// A value that no label can have.
    #[error("{value:?} is not a valid label value (label {key:?})")]
    InvalidValue {
        /// The label.
        key: String,
        /// What is there.
        value: String,
    },
}

/// The labels that controllers give to pods of one revision, and that stand in no template: Deployments', DaemonSets' and StatefulSets', and
/// those of Argo Rollouts.
const REVISION_LABELS: [&str; 3] = ["pod-template-hash", "controller-revision-hash", "rollouts-pod-template-hash"];

impl LabelSelector {
    /// The selector as it holds for a pod template, and the revision that it asks for besides: Argo Rollouts tells a stable node from a
    /// canary by it. One that asks for nothing else stays as it is.
    #[must_use]
    pub(crate) fn without_revision(mut self) -> (Self, Option<String>) {
        let revision = REVISION_LABELS.iter().find_map(|key| self.match_labels.get(key)).map(str::to_owned);
        let others = |key: &str| !REVISION_LABELS.contains(&key);
        if revision.is_none()
            || (self.match_expressions.is_empty() && !self.match_labels.iter().any(|(key, _)| others(key)))
        {
            return (self, None);
        }
        let kept = self.match_labels.iter().filter(|(key, _)| others(key));
        self.match_labels = kept.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        (self, revision)
    }

    /// Whether an object with these labels is selected. A requirement that is none (an unknown operator, `In` without
    /// values: see [`problems`](Self::problems)) is met by nothing.
    #[must_use]
    pub fn matches(&self, labels: &impl Labelled) -> bool {
        self.match_labels.iter().all(|(key, value)| labels.label(key) == Some(value))
            && self.match_expressions.iter().all(|requirement| requirement.matches(labels))
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
        for (key, value) in self.match_labels.iter() {
            problems.extend(invalid_key(key));
            problems.extend(invalid_value(key, value));
        }
        for (index, requirement) in self.match_expressions.iter().enumerate() {
            let LabelSelectorRequirement { key, operator, values } = requirement;
            problems.extend(invalid_key(key));
            problems.extend(match Operator::read(operator) {
                None => Some(SelectorProblem::UnknownOperator { index, operator: operator.clone() }),
                Some(Operator::In | Operator::NotIn) if values.is_empty() => {
                    Some(SelectorProblem::NoValues { index, operator: operator.clone() })
                }
                Some(Operator::Exists | Operator::DoesNotExist) if !values.is_empty() => {
                    Some(SelectorProblem::UnexpectedValues { index, operator: operator.clone() })
                }
                Some(_) => None,
            });
            problems.extend(values.iter().filter_map(|value| invalid_value(key, value)));
        }
        problems
    }
}

impl LabelSelectorRequirement {
    fn matches(&self, labels: &impl Labelled) -> bool {
        let value = labels.label(&self.key);
        let listed = |value: &str| self.values.iter().any(|known| known == value);
        match Operator::read(&self.operator) {
            Some(Operator::In) => value.is_some_and(listed),
            // An object without the label is in no set, so it meets this one (Kubernetes, "Set-based requirement").
            Some(Operator::NotIn) => !self.values.is_empty() && value.is_none_or(|value| !listed(value)),
            Some(Operator::Exists) => self.values.is_empty() && value.is_some(),
            Some(Operator::DoesNotExist) => self.values.is_empty() && value.is_none(),
            None => false,
        }
    }
}

#[derive(Clone, Copy)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl Operator {
    fn read(operator: &str) -> Option<Self> {
        match operator {
            "In" => Some(Self::In),
            "NotIn" => Some(Self::NotIn),
            "Exists" => Some(Self::Exists),
            "DoesNotExist" => Some(Self::DoesNotExist),
            _ => None,
        }
    }
}

fn invalid_key(key: &str) -> Option<SelectorProblem> {
    (!is_qualified_name(key)).then(|| SelectorProblem::InvalidKey { key: key.to_owned() })
}

fn invalid_value(key: &str, value: &str) -> Option<SelectorProblem> {
    (!is_label_value(value)).then(|| SelectorProblem::InvalidValue { key: key.to_owned(), value: value.to_owned() })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn selector(json: &str) -> LabelSelector {
        serde_json::from_str(json).unwrap()
    }

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[track_caller]
    fn matches(json: &str, yes: &[&[(&str, &str)]], no: &[&[(&str, &str)]]) {
        let selector = selector(json);
        for pairs in yes {
            assert!(selector.matches(&labels(pairs)), "{json} doesn't match {pairs:?}");
        }
        for pairs in no {
            assert!(!selector.matches(&labels(pairs)), "{json} matches {pairs:?}");
        }
    }

    #[test]
    fn labels_must_be_equal_and_all_there() {
        matches("{}", &[&[], &[("app", "a")]], &[]);
        matches(r#"{"matchLabels": {"app": null}}"#, &[&[]], &[]);
        matches(
            r#"{"matchLabels": {"app": "a", "tier": "1"}}"#,
            &[&[("app", "a"), ("tier", "1"), ("more", "x")]],
            &[&[], &[("app", "a")], &[("app", "A"), ("tier", "1")]],
        );
        matches(r#"{"matchLabels": {"app": ""}}"#, &[&[("app", "")]], &[&[]]);
    }

    #[test]
    fn requirements_have_the_semantics_of_kubernetes() {
        let on = |operator: &str, values: &str| {
            format!(r#"{{"matchExpressions": [{{"key": "k", "operator": "{operator}", "values": {values}}}]}}"#)
        };
        matches(&on("In", r#"["a", "b"]"#), &[&[("k", "a")], &[("k", "b")]], &[&[], &[("k", "c")]]);
        matches(&on("NotIn", r#"["a", "b"]"#), &[&[], &[("k", "c")], &[("j", "a")]], &[&[("k", "a")]]);
        matches(&on("Exists", "[]"), &[&[("k", "")], &[("k", "a")]], &[&[], &[("j", "a")]]);
        matches(&on("DoesNotExist", "[]"), &[&[], &[("j", "a")]], &[&[("k", "")]]);
    }

    #[test]
    fn requirements_that_are_none_match_nothing_and_are_reported() {
        for (operator, values, expected) in [
            ("in", r#"["a"]"#, "\"in\" is not an operator"),
            ("", "[]", "\"\" is not an operator"),
            ("In", "[]", "In needs at least one value"),
            ("NotIn", "[]", "NotIn needs at least one value"),
            ("Exists", r#"["a"]"#, "Exists takes no values"),
            ("DoesNotExist", r#"["a"]"#, "DoesNotExist takes no values"),
        ] {
            let json =
                format!(r#"{{"matchExpressions": [{{"key": "k", "operator": "{operator}", "values": {values}}}]}}"#);
            matches(&json, &[], &[&[], &[("k", "a")], &[("k", "b")]]);
            let problems = selector(&json).problems();
            let [problem] = problems.as_slice() else { panic!("{json}: {problems:?}") };
            assert!(problem.to_string().contains(expected), "{problem}");
        }
    }

    #[test]
    fn keys_and_values_that_no_label_can_have_are_reported() {
        let problems = selector(
            r#"{"matchLabels": {"a b": "x", "app": "-"},
                "matchExpressions": [{"key": "", "operator": "In", "values": ["ok", "not ok"]}]}"#,
        )
        .problems();
        let messages: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            messages,
            [
                r#""a b" is not a valid label key"#,
                r#""-" is not a valid label value (label "app")"#,
                r#""" is not a valid label key"#,
                r#""not ok" is not a valid label value (label "")"#,
            ]
        );
        assert_eq!(selector(r#"{"matchLabels": {"app.kubernetes.io/name": "a"}}"#).problems(), []);
    }
}
