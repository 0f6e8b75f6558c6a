//! What a rule found, as data. Every renderer (denial, text, JSON) reads the same.

pub(crate) mod catalogue;
mod manual;
mod suppression;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::k8s::FieldPath;
use crate::k8s::ObjectRef;
use crate::mesh::{CallKey, StoreKey};
use crate::text::{RED, Style, YELLOW};

pub use catalogue::{Breaks, RULES, Rule, Trait};
pub use manual::Manual;
pub(crate) use suppression::{IGNORE_ANNOTATION, may_ignore};
pub use suppression::{Ignore, Suppressions, Use, covers};

/// The severity of a finding. Ordered: `Off < Warn < Deny`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The rule is not judged.
    Off,
    /// Reported, but nothing is refused.
    Warn,
    /// Breaks traffic for certain: refused at admission.
    Deny,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Off => "off",
            Severity::Warn => "warn",
            Severity::Deny => "deny",
        })
    }
}

impl Severity {
    /// The severity in its colour.
    pub(crate) fn painted(self, style: Style) -> String {
        style.paint(if self == Severity::Deny { RED } else { YELLOW }, &self.to_string())
    }
}

/// Where a finding is: the object, the field, and the name by which it is recognised again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The object to fix, where it is another than the one under review (a workload's annotation).
    pub object: Option<ObjectRef>,
    /// The field to fix.
    pub field: FieldPath,
    /// The part of the object in words that outlive an edit: `listener 8080`, `backend blue`.
    /// With the rule it identifies the finding across an UPDATE, where an array index would not.
    pub anchor: String,
    /// Secrets and ConfigMaps that the finding was read from: read afresh before it refuses anything.
    pub rests_on: Vec<StoreKey>,
    /// The call that it is about, where it takes both ends of one.
    pub call: Option<Box<CallKey>>,
}

impl Site {
    /// A place of the object under review that rests on nothing but itself.
    pub fn new(anchor: impl Into<String>, field: FieldPath) -> Self {
        Self { object: None, field, anchor: anchor.into(), rests_on: Vec::new(), call: None }
    }

    /// The same on another object.
    #[must_use]
    pub fn on(mut self, object: ObjectRef) -> Self {
        self.object = Some(object);
        self
    }

    /// The same, about this call.
    #[must_use]
    pub(crate) fn of_call(mut self, call: CallKey) -> Self {
        self.call = Some(Box::new(call));
        self
    }

    /// Adds a store that the finding was read from.
    #[must_use]
    pub(crate) fn resting_on(mut self, store: &StoreKey) -> Self {
        if !self.rests_on.contains(store) {
            self.rests_on.push(store.clone());
        }
        self
    }
}

/// A change of one field that fixes a problem for certain, and that a machine may make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mend {
    /// The field gets another name.
    Rename {
        /// The name.
        to: String,
    },
    /// The field, a string, gets another value.
    Replace {
        /// What it says.
        old: String,
        /// What it is to say.
        new: String,
    },
}

/// What a rule reports: a finding that doesn't know yet what the policy makes of it.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Where it is.
    pub site: Site,
    /// What the rule itself thinks of this case: most have one severity, some soften (a Secret that may yet come).
    pub severity: Severity,
    /// What is wrong, in one sentence without a final full stop.
    pub message: String,
    /// What would have been right.
    pub expected: Option<String>,
    /// What is there.
    pub found: Option<String>,
    /// What happens at run time, in the words of the proxy's own log where it has any.
    pub consequence: Option<String>,
    /// What to do.
    pub fix: Option<String>,
    /// The same for a machine, where the field at hand fixes it automatically.
    pub mend: Option<Mend>,
}

impl Problem {
    /// A problem that breaks traffic for certain.
    pub fn deny(site: Site, message: impl Into<String>) -> Self {
        Self::new(Severity::Deny, site, message)
    }

    /// A problem that may break traffic, or will later.
    pub fn warn(site: Site, message: impl Into<String>) -> Self {
        Self::new(Severity::Warn, site, message)
    }

    /// A problem of a severity decided case by case.
    pub fn new(severity: Severity, site: Site, message: impl Into<String>) -> Self {
        Self {
            site,
            severity,
            message: message.into(),
            expected: None,
            found: None,
            consequence: None,
            fix: None,
            mend: None,
        }
    }

    /// Says what would have been right.
    #[must_use]
    pub fn expected(mut self, text: impl Into<String>) -> Self {
        self.expected = Some(text.into());
        self
    }

    /// Says what is there.
    #[must_use]
    pub fn found(mut self, text: impl Into<String>) -> Self {
        self.found = Some(text.into());
        self
    }

    /// Says what would happen.
    #[must_use]
    pub fn consequence(mut self, text: impl Into<String>) -> Self {
        self.consequence = Some(text.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn fix(mut self, text: impl Into<String>) -> Self {
        self.fix = Some(text.into());
        self
    }

    /// Gives the change that fixes it, if there is one.
    #[must_use]
    pub fn mend(mut self, mend: Option<Mend>) -> Self {
        self.mend = mend;
        self
    }
}

/// One rule broken at one place, with the severity that the policy gives it.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule, with its code, name and manual.
    pub rule: &'static Rule,
    /// What the policy makes of it; never [`Severity::Off`].
    pub severity: Severity,
    /// The object that holds the field to fix.
    pub object: ObjectRef,
    /// What was found there.
    pub problem: Problem,
    /// The owner's reason to ignore it (`meshvet.dev/ignore`): reported, but counted separately.
    pub suppressed: Option<String>,
}

impl Finding {
    /// What makes this finding the same one before and after an edit: the rule, the object and the part of it.
    pub fn identity(&self) -> (&'static str, &ObjectRef, &str) {
        (self.rule.code, &self.object, &self.problem.site.anchor)
    }

    /// The field to fix.
    pub fn field(&self) -> &FieldPath {
        &self.problem.site.field
    }

    /// Whether this finding refuses the object.
    pub fn denies(&self) -> bool {
        self.severity == Severity::Deny && self.suppressed.is_none()
    }
}
