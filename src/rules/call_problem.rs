//! Problems of calls: at which end's field they are reported, how severe they are, and what both ends have.

use crate::finding::{Problem, Severity, Site};
use crate::k8s::FieldPath;
use crate::mesh::Link;
use crate::pki::Bundle;
use crate::rules::context::{Context, Surface};
use crate::rules::envoy::CLIENT_SEES;
use crate::rules::pairs::{Pair, Side, Standpoint};
use crate::rules::refused::Refused;

/// The field that a pair's problem is reported at, for either end.
#[derive(Clone, Copy)]
pub(super) struct Fields<'f> {
    pub(super) client: &'f FieldPath,
    pub(super) server: &'f FieldPath,
}

impl Pair<'_> {
    /// A problem of this pair: at the field of whichever end is under review, or at the one that leads to the server. It denies, unless no
    /// request takes this way now, or both ends are of one release that is just being applied.
    pub(super) fn problem(&self, cx: &Context<'_>, fields: Fields<'_>, message: &str) -> Problem {
        let field = match &self.standpoint {
            Standpoint::End(Side::Client) => fields.client,
            Standpoint::End(Side::Server) => fields.server,
            Standpoint::Way(field) => field,
            // The client's certificate is named in another object.
            Standpoint::Policy => {
                let own = self.link.attached.map(|attached| &attached.client.field);
                own.filter(|own| !own.holds(fields.client)).unwrap_or(fields.client)
            }
        };
        // With kinds and namespaces: an object may touch calls between others of the same names.
        let Link { client, server, .. } = &self.link;
        let anchor = format!("{} → {} {}", client.object, server.object, self.link.listener.anchor);
        let mut site = Site::new(anchor, field.clone()).of_call(self.key());
        let files = [&self.server, &self.client];
        let stores = files.into_iter().flat_map(|files| {
            let certificates = files.certificates.iter().flat_map(|using| [&using.chain_place, &using.key_place]);
            certificates.chain(files.trusts.iter().map(|using| &using.place)).filter_map(|place| place.store())
        });
        for store in stores {
            site = site.resting_on(store);
        }
        let applied_in_turn = cx.surface == Surface::Admission && self.same_release;
        // The policy is reviewed by itself: one backend of many is no reason to refuse a gateway, or a route.
        let by_the_way = self.link.attached.is_some() && matches!(self.standpoint, Standpoint::Way(_));
        let severity = if self.link.idle || applied_in_turn || by_the_way { Severity::Warn } else { Severity::Deny };
        Problem::new(severity, site, format!("{}: {message}", self.title(cx.subject.object.namespace())))
    }
}

impl Refused {
    /// Whether it is for what rules report about the leaf by itself. They check the object that presents it; when another object is
    /// applied, such as the first client that verifies it, it is reported there too.
    pub(super) fn is_told_of_the_leaf(&self, cx: &Context<'_>) -> bool {
        let shown_by_it = || self.parts(&cx.pairs).is_some_and(|(pair, ..)| pair.is_seen_from(self.by));
        self.is_for_the_leaf() && (cx.surface == Surface::Check || shown_by_it())
    }

    /// The problem of this pair when one certificate of the path is at fault. `does`: what is wrong with it.
    pub(super) fn problem_of_a_certificate(&self, cx: &Context<'_>, does: &str) -> Option<Problem> {
        self.problem(cx, |shower, verifier| match self.refusal.depth {
            0 => format!("the {shower}'s certificate {does}: the {verifier} refuses it"),
            _ => format!("a certificate on the {shower}'s path {does}: the {verifier} refuses it"),
        })
    }

    /// The problem of this pair, with what both ends have and what would be logged. `what` makes the message from the words for the end
    /// that presents the certificate and for the end that refuses it.
    pub(super) fn problem(&self, cx: &Context<'_>, what: impl FnOnce(&str, &str) -> String) -> Option<Problem> {
        let (pair, using, trust) = self.parts(&cx.pairs)?;
        let fields = match self.by {
            Side::Server => Fields { client: trust.trust_ref.field(), server: using.chain_ref.field() },
            Side::Client => Fields { client: using.chain_ref.field(), server: trust.trust_ref.field() },
        };
        let (shower, verifier) = match self.by {
            Side::Server => ("server", "client"),
            Side::Client => ("client", "listener"),
        };
        let message = what(shower, verifier);
        let mut problem = pair.problem(cx, fields, &message);
        problem.site.anchor = format!("{} {shower}'s certificate", problem.site.anchor);
        let consequence = match self.by {
            Side::Server => format!("{} {}", CLIENT_SEES, self.refusal.envoy_log()),
            Side::Client => {
                format!("the server ends the handshake: the client's proxy logs {}", self.refusal.alert())
            }
        };
        let trusted = trust.bundle();
        let issuer = using.chain().map(|chain| chain.leaf().issuer.clone()).unwrap_or_default();
        Some(
            problem
                .expected(format!("a path to {} ({})", subjects(trusted), trust.origin()))
                .found(format!("{}; the leaf is issued by {issuer} ({})", self.refusal, using.chain_origin()))
                .consequence(consequence),
        )
    }
}

/// The first few subjects of a bundle.
fn subjects(bundle: Option<&Bundle>) -> String {
    const SHOWN: usize = 4;
    let all = bundle.map_or(&[][..], |bundle| &bundle.certificates);
    let mut text = all.iter().take(SHOWN).map(|one| one.subject.as_str()).collect::<Vec<_>>().join(" or ");
    if all.len() > SHOWN {
        text.push_str(&format!(" or {} more", all.len() - SHOWN));
    }
    text
}
