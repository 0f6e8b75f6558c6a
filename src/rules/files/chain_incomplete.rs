//! # MV210: `chain-incomplete`
//!
//! ## What it checks
//! For each call whose two ends are known: whether the presented chain ends before a certificate that the other end
//! trusts, and the missing certificate is available: it is stored beside the chain, such as in `ca.crt` of the same Secret,
//! and belongs in the chain file.
//!
//! Who calls a gateway or an Ingress isn't known. There it warns if the file lacks the issuer of its last certificate, and that issuer
//! is certainly no root: it is stored beside the file, or the leaf is in Certificate Transparency logs, whose authorities never issue
//! leaves from a root.
//!
//! ## Why it matters
//! Clients trust the root and get only the leaf, and Envoy fetches no missing intermediate. Requests end in 503, and the
//! client's proxy logs `unable to get local issuer certificate`.
//!
//! ## Example
//! ```text
//! tls.crt: only the leaf; ca.crt: the intermediate that issued it; the client trusts the root
//! ```
//!
//! ## How to fix
//! Put the intermediate after the leaf, in the chain file: `cat blue.crt intermediate.crt > tls.crt`.

use std::sync::Arc;

use crate::finding::Problem;
use crate::mesh::{Place, StoreState, View};
use crate::pki::Certificate;
use crate::pki::path::{Purpose, Reason, missing_links};
use crate::rules::context::Context;
use crate::rules::files::THEN_RESTART;
use crate::rules::pairs::Side;
use crate::rules::refused::Refused;
use crate::rules::reporter::Reporter;
use crate::rules::uses::CertificateUse;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for using in cx.certificates.iter().filter(|using| using.end.is_server() && !using.plane.is_direct()) {
        check_entrance(using, &certificates_beside(cx.view, [&using.chain_place, &using.key_place]), out);
    }
    for refused in &cx.refused {
        let Some(links) = links_at_hand(cx, refused) else { continue };
        let subjects = links.iter().map(|link| link.subject.as_str()).collect::<Vec<_>>().join(", ");
        if let Some(problem) = refused
            .problem(cx, |shower, verifier| format!("the {shower}'s chain lacks {subjects}: the {verifier} refuses it"))
        {
            out.add(problem.fix(format!("put {subjects} after the leaf in the chain file{THEN_RESTART}")));
        }
    }
}

/// A chain that ends with a certificate whose issuer isn't a root: clients that trust only roots refuse it.
fn check_entrance(using: &CertificateUse<'_>, beside: &[Arc<Certificate>], out: &mut Reporter<'_>) {
    let (Some(chain), Some(leaf)) = (using.chain(), using.issued_leaf()) else { return };
    let Some(start) = chain.certificates.iter().find(|one| one.fingerprint == leaf.fingerprint) else { return };
    let mut top = start;
    for _ in 0..chain.certificates.len() {
        let issuer = chain.certificates.iter().find(|one| one.fingerprint != top.fingerprint && names(top, one));
        let Some(issuer) = issuer else { break };
        top = issuer;
    }
    if is_root(top) {
        return;
    }
    let missing = beside.iter().find(|one| names(top, one));
    let (lacks, found) = match missing {
        Some(one) if is_root(one) => return,
        Some(one) => (one.subject.as_str().into(), "it is stored beside the file, under another key"),
        None if top.is_logged => (
            top.issuer.clone(),
            "the leaf is in public logs, so its issuer isn't a root, and the file doesn't contain it",
        ),
        None => return,
    };
    let message = format!("the chain in {} lacks {lacks}, which issued its last certificate", using.chain_origin());
    out.add(
        Problem::warn(using.chain_site(), message)
            .expected("the leaf, followed by every intermediate up to the root")
            .found(found)
            .consequence("clients that trust only roots refuse it: \"unable to get local issuer certificate\"")
            .fix(format!("put {lacks} after the leaf in the file, to make it the full chain{}", using.then_restart())),
    );
}

/// Whether a certificate names another as its issuer. The signature isn't checked: the finding is only a warning.
fn names(child: &Certificate, issuer: &Certificate) -> bool {
    let by_key =
        child.authority_key_id.as_ref().zip(issuer.subject_key_id.as_ref()).is_none_or(|(one, other)| one == other);
    child.issuer_der == issuer.subject_der && by_key
}

fn is_root(certificate: &Certificate) -> bool {
    certificate.subject_der == certificate.issuer_der
}

/// The available certificates that would complete the chain: if there are any, it is incomplete, and its issuer isn't unknown.
pub(in crate::rules) fn links_at_hand(cx: &Context<'_>, refused: &Refused) -> Option<Vec<Arc<Certificate>>> {
    if !matches!(refused.refusal.reason, Reason::NoIssuer { .. }) {
        return None;
    }
    let (_, using, trust) = refused.parts(&cx.pairs)?;
    // Nobody can add to a chain that ACM provides.
    if using.is_acm() {
        return None;
    }
    let bundle = trust.bundle()?;
    let purpose = match refused.by {
        Side::Server => Purpose::Server,
        Side::Client => Purpose::Client,
    };
    let known = certificates_beside(cx.view, [&using.chain_place, &using.key_place, &trust.place]);
    missing_links(using.chain()?, bundle, purpose, &known)
}

/// The certificates in the stores that files come from.
fn certificates_beside<const N: usize>(view: View<'_>, places: [&Place; N]) -> Vec<Arc<Certificate>> {
    let mut stores: Vec<_> = places.into_iter().filter_map(Place::store).collect();
    stores.dedup();
    let mut known = Vec::new();
    for store in stores {
        let StoreState::Present(store) = view.store(store) else { continue };
        for bundle in store.files.values().filter_map(|facts| facts.bundle.as_ref().ok()) {
            known.extend(bundle.certificates.iter().cloned());
        }
    }
    known
}
