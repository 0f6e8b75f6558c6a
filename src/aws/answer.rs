//! What is asked, and what is known of it.

use std::collections::HashMap;
use std::sync::Arc;

use super::arn::{Arn, ArnKind};
use super::call::Call;
use super::certificate::{AuthorityFacts, CertificateFacts};
use super::identity::{RoleOf, Simulation};
use super::unanswered::Unanswered;

/// One thing to ask AWS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// In which Region and account meshvet itself is.
    Home,
    /// What a certificate is.
    Certificate(Arn),
    /// What an authority is.
    Authority(Arn),
    /// Which role EKS Pod Identity gives a ServiceAccount.
    PodIdentity {
        /// The cluster's Region.
        region: String,
        /// The cluster's name at EKS.
        cluster: String,
        /// The ServiceAccount's namespace.
        namespace: String,
        /// The ServiceAccount's name.
        service_account: String,
    },
    /// What a role may do.
    Simulation(Simulation),
}

impl Question {
    /// The question that a reference asks.
    pub fn of(arn: Arn) -> Self {
        match arn.kind {
            ArnKind::Certificate => Question::Certificate(arn),
            ArnKind::Authority => Question::Authority(arn),
        }
    }

    /// Whether it is about a role: where nobody answers it, the rules on roles say nothing.
    pub(crate) fn is_about_roles(&self) -> bool {
        matches!(self, Question::PodIdentity { .. } | Question::Simulation(_))
    }

    /// The calls that answer it, in their order.
    pub fn calls(&self) -> &'static [Call] {
        match self {
            Question::Home => &[Call::GetCallerIdentity],
            Question::Certificate(_) => &[Call::DescribeCertificate],
            Question::Authority(_) => &[Call::DescribeCertificateAuthority, Call::GetCertificateAuthorityCertificate],
            Question::PodIdentity { .. } => &[Call::ListPodIdentityAssociations, Call::DescribePodIdentityAssociation],
            Question::Simulation(_) => &[Call::SimulatePrincipalPolicy],
        }
    }
}

/// Where a virtual node is, as far as is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Home {
    /// `eu-west-1`.
    pub region: Option<String>,
    /// Twelve digits.
    pub account: Option<String>,
    /// Why the account isn't known, where AWS was asked for it.
    pub unanswered: Option<Unanswered>,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To [`Question::Home`].
    Home(Home),
    /// To [`Question::Certificate`].
    Certificate(Arc<CertificateFacts>),
    /// To [`Question::Authority`].
    Authority(Arc<AuthorityFacts>),
    /// To [`Question::PodIdentity`].
    Role(RoleOf),
    /// To [`Question::Simulation`]: whether it may.
    May(bool),
    /// There is nothing of that name.
    NotFound,
    /// Nobody answered.
    Unanswered(Unanswered),
}

/// The answers to some questions; one that isn't in it was not asked.
pub type AwsFacts = HashMap<Question, Answer>;

/// What is known of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked<'a, T> {
    /// This.
    Known(&'a T),
    /// There is nothing of that name.
    NotFound,
    /// Nobody answered.
    Unanswered(&'a Unanswered),
    /// Nobody asked.
    NotAsked,
}

impl<'a, T> Asked<'a, T> {
    /// What is known, if anything.
    pub fn known(self) -> Option<&'a T> {
        match self {
            Asked::Known(known) => Some(known),
            _ => None,
        }
    }

    pub(crate) fn of(answer: Option<&'a Answer>, pick: impl FnOnce(&'a Answer) -> Option<&'a T>) -> Self {
        match answer {
            None => Asked::NotAsked,
            Some(Answer::NotFound) => Asked::NotFound,
            Some(Answer::Unanswered(why)) => Asked::Unanswered(why),
            Some(answer) => pick(answer).map_or(Asked::NotAsked, Asked::Known),
        }
    }
}
