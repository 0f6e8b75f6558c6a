//! # MV210: `chain-incomplete`
//!
//! ## What it checks
//! For each call whose two ends are known: whether the presented chain stops short of what the other end trusts for want
//! of a link that is at hand: a certificate that lies beside it, such as `ca.crt` of the same Secret, and belongs into
//! the chain file.
//!
//! ## Why it matters
//! Clients trust the root and are sent the leaf alone: nobody fetches what is missing. Requests end in 503, and the
//! client's proxy logs `unable to get local issuer certificate`.
//!
//! ## Example
//! ```text
//! tls.crt: the leaf alone; ca.crt: the intermediate that issued it; the client trusts the root
//! ```
//!
//! ## How to fix
//! Put the intermediate behind the leaf, in the chain file: `cat blue.crt intermediate.crt > tls.crt`.

use std::sync::Arc;

use crate::mesh::{Place, StoreState, View};
use crate::pki::Certificate;
use crate::pki::path::{Purpose, Reason, missing_links};
use crate::rules::context::Context;
use crate::rules::files::THEN_RESTART;
use crate::rules::pairs::Side;
use crate::rules::refused::Refused;
use crate::rules::reporter::Reporter;
use crate::rules::uses::{CertificateUse, TrustUse};

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for refused in &cx.refused {
        let Some(links) = links_at_hand(cx, refused) else { continue };
        let subjects = links.iter().map(|link| link.subject.as_str()).collect::<Vec<_>>().join(", ");
        if let Some(problem) = refused
            .problem(cx, |shower, verifier| format!("the {shower}'s chain lacks {subjects}: the {verifier} refuses it"))
        {
            out.add(problem.fix(format!("put {subjects} behind the leaf in the chain file{THEN_RESTART}")));
        }
    }
}

/// The certificates at hand that would complete the chain: then it is incomplete, and its issuer no stranger.
pub(in crate::rules) fn links_at_hand(cx: &Context<'_>, refused: &Refused) -> Option<Vec<Arc<Certificate>>> {
    if !matches!(refused.refusal.reason, Reason::NoIssuer { .. }) {
        return None;
    }
    let (_, using, trust) = refused.parts(&cx.pairs)?;
    // What ACM hands out is not for the mesh to complete.
    if using.is_acm() {
        return None;
    }
    let bundle = trust.bundle()?;
    let purpose = match refused.by {
        Side::Server => Purpose::Server,
        Side::Client => Purpose::Client,
    };
    let known = certificates_beside(cx.view, using, trust);
    missing_links(using.chain()?, bundle, purpose, &known)
}

/// The certificates in the stores that the chain, its key and the bundle come from.
fn certificates_beside(view: View<'_>, using: &CertificateUse<'_>, trust: &TrustUse<'_>) -> Vec<Arc<Certificate>> {
    let mut stores: Vec<_> =
        [&using.chain_place, &using.key_place, &trust.place].into_iter().filter_map(Place::store).collect();
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
