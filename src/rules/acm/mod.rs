//! Rules on certificates of AWS Certificate Manager and authorities of AWS Private CA: that they are there, private, here, and
//! usable by the proxy.
//!
//! What ACM says of names, dates and keys is judged by the rules on files: they read a certificate, wherever it came from.

pub(super) mod acm_arn_malformed;
pub(super) mod acm_authority_not_root;
pub(super) mod acm_authority_unusable;
pub(super) mod acm_key_algorithm;
pub(super) mod acm_not_found;
pub(super) mod acm_not_issued;
pub(super) mod acm_not_private;
pub(super) mod acm_other_account;
pub(super) mod acm_other_region;
pub(super) mod acm_unverified;
pub(super) mod envoy_cannot_export;
pub(super) mod roles;

pub(super) use roles::questions as questions_about_roles;

use crate::aws::{Arn, ArnError, ArnKind, Home, region_and_account};
use crate::finding::Site;
use crate::mesh::{ArnRef, CertificateSource, TrustSource};
use crate::rules::about::About;
use crate::rules::context::Context;
use crate::rules::end::{End, ends_of};

/// What they are about.
pub(super) const ABOUT: About = About::Having(|subject| {
    subject.member().into_iter().flat_map(ends_of).any(|end| references_of(end).next().is_some())
});

/// What comes of a certificate that a proxy can't be given.
const NO_CERTIFICATE: &str = "the proxy never gets a certificate, and nothing answers on the port";

/// What becomes of a reference that the mesh can't use.
pub(super) fn refused(cx: &Context<'_>) -> String {
    let api = cx.word(|names| names.api);
    format!("{api} refuses it: the controller's call fails, and the object keeps its former state")
}

/// One ARN that an end of the member names.
#[derive(Debug)]
pub(super) struct Reference<'a> {
    /// The end.
    pub(super) end: End<'a>,
    /// The ARN as written, and its field.
    pub(super) named: &'a ArnRef,
    /// What it is to name.
    pub(super) kind: ArnKind,
    /// The ARN as read.
    pub(super) arn: Result<Arn, ArnError>,
}

impl Reference<'_> {
    /// `certificate` or `authority`.
    fn noun(&self) -> &'static str {
        match self.kind {
            ArnKind::Certificate => "certificate",
            ArnKind::Authority => "authority",
        }
    }

    /// The same with its article.
    fn a_noun(&self) -> &'static str {
        match self.kind {
            ArnKind::Certificate => "a certificate",
            ArnKind::Authority => "an authority",
        }
    }

    /// `the listener 8080's certificate`, `an authority of the client policy of backend defaults`.
    pub(super) fn owner(&self) -> String {
        match self.kind {
            ArnKind::Certificate => format!("the {}'s certificate", self.end.noun()),
            ArnKind::Authority => format!("an authority of the {}", self.end.noun()),
        }
    }

    /// Of several authorities each is reported by itself.
    fn site(&self) -> Site {
        let anchor = match self.kind {
            ArnKind::Certificate => self.end.anchor().to_owned(),
            ArnKind::Authority => format!("{} authority {}", self.end.anchor(), self.named.arn),
        };
        Site::new(anchor, self.named.field.clone())
    }
}

/// What an end names at AWS.
pub(super) fn references_of<'e>(end: End<'e>) -> impl Iterator<Item = Reference<'e>> {
    let certificates = end.certificates().iter().filter_map(|source| match source {
        CertificateSource::Acm(arn) => Some((arn, ArnKind::Certificate)),
        _ => None,
    });
    let trust = end.validation().and_then(|validation| validation.trust.as_ref());
    let authorities = trust.map_or(&[][..], |trust| match trust {
        TrustSource::Acm(arns) => arns,
        _ => &[],
    });
    let all = certificates.chain(authorities.iter().map(|arn| (arn, ArnKind::Authority)));
    all.map(move |(named, kind): (&'e ArnRef, _)| Reference { end, named, kind, arn: Arn::parse(&named.arn, kind) })
}

/// What the member under review names at AWS.
pub(super) fn references<'a>(cx: &Context<'a>) -> impl Iterator<Item = Reference<'a>> {
    cx.ends().flat_map(references_of)
}

/// The references of one kind whose ARNs can be read.
fn readable<'a>(cx: &Context<'a>, kind: ArnKind) -> impl Iterator<Item = (Reference<'a>, Arn)> {
    references(cx).filter(move |reference| reference.kind == kind).filter_map(|reference| {
        let arn = reference.arn.clone().ok()?;
        Some((reference, arn))
    })
}

/// In which Region and account the member is, or will be: as its status says, else the policy, else where meshvet itself is.
pub(super) fn home(cx: &Context<'_>) -> Home {
    let status = cx.member().and_then(|member| region_and_account(member.aws.arn.as_deref()?));
    if let Some((region, account)) = status {
        return Home { region: Some(region.to_owned()), account: Some(account.to_owned()), unanswered: None };
    }
    let own = cx.view.home().known();
    let aws = &cx.policy.aws;
    Home {
        region: aws.region.clone().or_else(|| own?.region.clone()),
        account: aws.account.clone().or_else(|| own?.account.clone()),
        unanswered: own.and_then(|own| own.unanswered.clone()).filter(|_| aws.account.is_none()),
    }
}
