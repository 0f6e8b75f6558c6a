//! AWS's answers, and what its certificates and CAs are to the model.

use std::sync::Arc;

use crate::aws::{Answer, Arn, ArnKind, Asked, AuthorityFacts, CertificateFacts, Home, Question};
use crate::mesh::end::ArnRef;
use crate::mesh::view::{Place, View};
use crate::pki::Bundle;

impl<'a> View<'a> {
    /// Whether AWS is asked at all.
    pub fn asks(&self) -> bool {
        self.aws.is_some()
    }

    /// The answer to a question to AWS; None where it wasn't asked.
    pub fn answer(&self, question: &Question) -> Option<&'a Answer> {
        self.aws?.get(question)
    }

    /// What ACM reports about a certificate.
    pub fn certificate(&self, arn: &Arn) -> Asked<'a, CertificateFacts> {
        Asked::of(self.answer(&Question::Certificate(arn.clone())), |answer| match answer {
            Answer::Certificate(facts) => Some(&**facts),
            _ => None,
        })
    }

    /// What AWS Private CA reports about an authority.
    pub fn authority(&self, arn: &Arn) -> Asked<'a, AuthorityFacts> {
        Asked::of(self.answer(&Question::Authority(arn.clone())), |answer| match answer {
            Answer::Authority(facts) => Some(&**facts),
            _ => None,
        })
    }

    /// The AWS account and region that meshvet runs in.
    pub fn home(&self) -> Asked<'a, Home> {
        Asked::of(self.answer(&Question::Home), |answer| match answer {
            Answer::Home(home) => Some(home),
            _ => None,
        })
    }

    /// What a certificate's ARN refers to.
    pub(crate) fn acm_place(&self, reference: &ArnRef) -> Place {
        let facts =
            Arn::parse(&reference.arn, ArnKind::Certificate).ok().and_then(|arn| self.certificate(&arn).known());
        let Some(facts) = facts else { return Place::Acm { leaf: None, chain: None } };
        let authority = facts.authority.as_deref().and_then(|arn| Arn::parse(arn, ArnKind::Authority).ok());
        let authority = authority.and_then(|arn| self.authority(&arn).known());
        let chain = authority.and_then(|authority| facts.chain(authority)).map(Arc::new);
        Place::Acm { leaf: facts.leaf.clone(), chain }
    }

    /// The bundle of several authorities. If one is unknown, so is the bundle, since that one may be decisive.
    pub(crate) fn authorities_place(&self, references: &[ArnRef]) -> Place {
        let mut certificates = Vec::new();
        for reference in references {
            let facts =
                Arn::parse(&reference.arn, ArnKind::Authority).ok().and_then(|arn| self.authority(&arn).known());
            let Some(bundle) = facts.and_then(|facts| facts.bundle.as_ref()) else { return Place::Authorities(None) };
            certificates.extend(bundle.certificates.iter().cloned());
        }
        Place::Authorities(Bundle::new(certificates, Vec::new()).map(Arc::new))
    }
}
