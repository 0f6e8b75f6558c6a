//! Findings made up for the tests of this folder.

use crate::finding::Rule;
use crate::finding::{Finding, Problem, Severity, Site};
use crate::k8s::FieldPath;
use crate::k8s::ObjectRef;
use crate::mesh::{CallKey, StoreKey};
use crate::rules::Judgement;

/// A denial by rule `code` of VirtualNode shop/blue.
pub(super) fn finding(code: &str, anchor: &str, message: &str) -> Finding {
    let field = FieldPath::root().keys(["spec", "listeners"]).index(0).key("tls");
    Finding {
        rule: Rule::find(code).expect("a rule"),
        severity: Severity::Deny,
        object: node(),
        problem: Problem::deny(Site::new(anchor, field), message),
        suppressed: None,
    }
}

/// VirtualNode shop/blue.
pub(super) fn node() -> ObjectRef {
    ObjectRef::new("appmesh.k8s.aws/v1beta2", "VirtualNode", "shop", "blue")
}

pub(super) fn judgement<const N: usize>(findings: [Finding; N]) -> Judgement {
    Judgement::new(findings.into())
}

impl Finding {
    pub(super) fn mild(mut self) -> Self {
        self.severity = Severity::Warn;
        self
    }

    pub(super) fn between(mut self, client: &str, server: &str) -> Self {
        let node = |name: &str| ObjectRef::new("appmesh.k8s.aws/v1beta2", "VirtualNode", "shop", name);
        let (client, server) = (node(client), node(server));
        let call = CallKey { client, server, listener: "listener 1".into(), policy: None };
        self.problem.site = self.problem.site.of_call(call);
        self
    }

    pub(super) fn at(mut self, pointer: &str) -> Self {
        self.problem.site.field = FieldPath::from_pointer(pointer);
        self
    }

    pub(super) fn suppressed(mut self, reason: &str) -> Self {
        self.suppressed = Some(reason.to_owned());
        self
    }

    pub(super) fn resting_on(mut self, store: &StoreKey) -> Self {
        self.problem.site = self.problem.site.resting_on(store);
        self
    }
}
