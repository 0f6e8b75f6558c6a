//! # MV302: `issuer-not-allowed`
//!
//! ## What it checks
//! Where the policy lists allowed issuers: whether the certificate of each listener, and of each client policy, was issued
//! by one of them. Signatures are followed upwards from the leaf, through the chain file, the known trust bundles and the
//! policy's own certificates, and any authority on the path may be the allowed one. A name is no proof: an authority that
//! is allowed by its subject alone must be in a trust bundle of the mesh, so that a look-alike with another key is refused.
//!
//! ## Why it matters
//! Both ends of a call can agree on an authority that nobody has approved: a developer's own root, or the staging root in
//! production. Envoy accepts it, and whoever controls that authority can issue a certificate for any name in the mesh.
//!
//! ## Example
//! ```yaml
//! issuers:
//!   allowed:
//!     - certificateFile: mesh-root.pem
//!     - spkiSha256: 4Pp6nCmy7zqFSwzVDk9ZS2yqr9wY3SNvLE8TpX7gS+w=
//!     - subject: CN=mesh root,O=Shop
//!     - authorityArn: arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/11223344-5566-7788-99aa-bbccddeeff00
//! ```
//!
//! ## How to fix
//! Have the certificate issued by an allowed authority. If it was and isn't recognised, put the intermediates that lead to
//! it into the chain file, or list the authority's certificate in the policy.

use std::collections::HashSet;
use std::sync::Arc;

use crate::aws::{Arn, ArnKind};
use crate::finding::{Problem, Severity};
use crate::mesh::{Place, View};
use crate::pki::{Certificate, Chain};
use crate::policy::{AllowedIssuers, DistinguishedName};
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;
use crate::rules::uses::{CertificateUse, TrustUse};
use crate::text::hex_start;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some(allowed) = cx.policy.allowed_issuers.as_deref() else { return };
    let (trusted, at_aws) = (trusted(cx), AtAws::of(cx.view, allowed));
    let listed: Vec<_> = allowed.certificates.iter().chain(at_aws.certificates.iter().copied()).collect();
    for using in cx.certificates.iter().filter(|using| !at_aws.issued(cx.view, using)) {
        let Some(chain) = using.chain() else { continue };
        let above = Above::of(cx, chain, &trusted, &listed);
        // An authority that AWS hasn't told of may be the one, or one in a bundle that nobody could read.
        let is_open = at_aws.some_unknown || (is_trust_hidden(cx) && above.may_lead_on(allowed));
        if !above.is_allowed(allowed, &listed) && !is_open {
            out.add(problem(using, chain, &above, allowed));
        }
    }
}

/// The certificates that somebody trusts: the member itself, and whoever it talks to.
fn trusted<'c>(cx: &'c Context<'_>) -> Vec<&'c Arc<Certificate>> {
    let peers = cx.pairs.iter().flat_map(|pair| pair.client.trusts.iter().chain(&pair.server.trusts));
    let bundles = cx.trusts.iter().chain(peers).filter_map(TrustUse::bundle);
    let mut seen = HashSet::new();
    bundles.flat_map(|bundle| &bundle.certificates).filter(|one| seen.insert(one.fingerprint)).collect()
}

/// Whether somebody may trust more than is known: a bundle was not read, or whoever calls may not be listed.
fn is_trust_hidden(cx: &Context<'_>) -> bool {
    let peers = cx.pairs.iter().flat_map(|pair| pair.client.trusts.iter().chain(&pair.server.trusts));
    let is_unread = |trust: &TrustUse<'_>| matches!(trust.place, Place::StoreUnread { .. });
    cx.view.may_have_hidden_callers() || cx.trusts.iter().chain(peers).any(is_unread)
}

/// The allowed authorities of AWS Private CA.
struct AtAws<'c> {
    arns: &'c [Arn],
    /// The certificates of those that are known.
    certificates: Vec<&'c Arc<Certificate>>,
    some_unknown: bool,
}

impl<'c> AtAws<'c> {
    fn of(view: View<'c>, allowed: &'c AllowedIssuers) -> Self {
        let own = |arn: &Arn| view.authority(arn).known()?.bundle.as_ref()?.certificates.first();
        let certificates: Vec<_> = allowed.authorities.iter().filter_map(own).collect();
        let some_unknown = certificates.len() < allowed.authorities.len();
        Self { arns: &allowed.authorities, certificates, some_unknown }
    }

    /// Whether ACM says that one of them issued the certificate.
    fn issued(&self, view: View<'_>, using: &CertificateUse<'_>) -> bool {
        let issuer = || {
            let arn = Arn::parse(using.chain_ref.text(), ArnKind::Certificate).ok()?;
            Arn::parse(view.certificate(&arn).known()?.authority.as_deref()?, ArnKind::Authority).ok()
        };
        using.is_acm() && issuer().is_some_and(|authority| self.arns.contains(&authority))
    }
}

/// What stands above a leaf, each link proved by its signature.
struct Above<'c> {
    /// The authorities, nearest first; the leaf itself where it is its own. With each, whether a trust bundle or the policy
    /// holds it.
    authorities: Vec<(&'c Arc<Certificate>, bool)>,
}

impl<'c> Above<'c> {
    fn of(
        cx: &Context<'_>,
        chain: &'c Chain,
        trusted: &[&'c Arc<Certificate>],
        listed: &[&'c Arc<Certificate>],
    ) -> Self {
        let vouched = trusted.iter().chain(listed).map(|one| (*one, true));
        let known: Vec<_> = vouched.chain(chain.certificates.iter().map(|one| (one, false))).collect();
        let mut authorities = Vec::new();
        let mut seen = HashSet::new();
        let mut open: Vec<&Arc<Certificate>> = chain.certificates.first().into_iter().collect();
        while let Some(child) = open.pop() {
            for (issuer, vouched) in &known {
                if !seen.contains(&issuer.fingerprint) && cx.view.paths().link(child, issuer) {
                    seen.insert(issuer.fingerprint);
                    authorities.push((*issuer, *vouched));
                    open.push(issuer);
                }
            }
        }
        Self { authorities }
    }

    /// Whether another bundle could change the answer: by an authority above those that are known, or by vouching for one that is
    /// allowed by its name.
    fn may_lead_on(&self, allowed: &AllowedIssuers) -> bool {
        let ends = self.authorities.iter().any(|(authority, _)| authority.subject_der == authority.issuer_der);
        let by_name = |(authority, _): &(&Arc<Certificate>, bool)| {
            allowed.subjects.contains(&DistinguishedName::parse(&authority.subject))
        };
        !ends || self.authorities.iter().any(by_name)
    }

    fn is_allowed(&self, allowed: &AllowedIssuers, listed: &[&Arc<Certificate>]) -> bool {
        self.authorities.iter().any(|(authority, vouched)| {
            // One certificate of an authority stands for all that it has for this name and key.
            let same = |one: &&Arc<Certificate>| {
                one.spki_sha256 == authority.spki_sha256 && one.subject_der == authority.subject_der
            };
            listed.iter().any(same)
                || allowed.pins.contains(&authority.spki_sha256)
                || (*vouched && allowed.subjects.contains(&DistinguishedName::parse(&authority.subject)))
        })
    }
}

fn problem(using: &CertificateUse<'_>, chain: &Chain, above: &Above<'_>, allowed: &AllowedIssuers) -> Problem {
    let leaf = chain.leaf();
    let top = above.authorities.last().map(|(top, _)| top);
    let found = match top {
        Some(top) => {
            format!("issued under {} (key {}) ({})", top.subject, hex_start(&top.spki_sha256), using.chain_origin())
        }
        None => format!("issuer {}, whose own certificate isn't known ({})", leaf.issuer, using.chain_origin()),
    };
    let named = |name: &str| {
        let name = DistinguishedName::parse(name);
        let listed = allowed.certificates.iter().any(|one| DistinguishedName::parse(&one.subject) == name);
        listed || allowed.subjects.contains(&name)
    };
    let names = above.authorities.iter().map(|(one, _)| one.subject.as_str()).chain([leaf.issuer.as_str()]);
    let lookalike = names.into_iter().find(|name| named(name));
    let message = match lookalike {
        Some(name) => {
            format!("the certificate names {name} as its issuer, and no signature proves that it is the allowed one")
        }
        None => "the certificate's issuer is not among those that the policy allows".to_owned(),
    };
    let fix = match (lookalike, top) {
        (Some(_), _) => {
            "have the certificate issued by the allowed authority itself; if it was, put the intermediates up to it into the chain file, or list \
             the authority by its certificate or key in the policy's issuers.allowed"
        }
        (None, None) => {
            "have the certificate issued by an allowed authority; if it was, put the intermediates that lead to it into the chain file"
        }
        (None, Some(_)) => {
            "have the certificate issued by an allowed authority, or add this one to the policy's issuers.allowed"
        }
    };
    Problem::new(Severity::Deny, using.chain_site(), message)
        .expected(format!("a certificate issued under {allowed}"))
        .found(found)
        .consequence("every peer that trusts this authority accepts any certificate that it signs, for any name")
        .fix(fix)
}
