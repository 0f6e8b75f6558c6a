//! Both ends of each call that the member under review makes or receives, with what their proxies load.

use crate::field::FieldPath;
use crate::finding::{Problem, Severity, Site};
use crate::mesh::{Call, Calls, Member, ObjectRef, PolicyInForce, View, same_release};
use crate::pki::Bundle;
use crate::pki::path::{Purpose, Reason, Refusal};
use crate::policy::Effective;
use crate::rules::context::{CertificateUse, Context, End, Files, Surface, TrustUse};

/// Which end of a call is under review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that calls.
    Client,
    /// The one that is called.
    Server,
}

/// One call, with both ends.
#[derive(Debug)]
pub struct Pair<'a> {
    /// Who calls whom, by which policy.
    pub call: Call<'a>,
    /// Which end is under review.
    pub side: Side,
    /// Whether both ends are of one release, whose objects are applied one after the other.
    pub same_release: bool,
    /// What the listener loads.
    pub server: Files<'a>,
    /// What the client's policy loads.
    pub client: Files<'a>,
}

impl<'a> Pair<'a> {
    /// All calls of the member under review.
    pub(super) fn all(cx: &Context<'a>) -> Vec<Pair<'a>> {
        let Some(member) = cx.member() else { return Vec::new() };
        let calls = Calls::new(cx.view.world, member, cx.policy.backend_groups_enabled);
        let made = calls.made().into_iter().map(|call| (Side::Client, call));
        let received = calls.received().into_iter().map(|call| (Side::Server, call));
        // Where neither end has anything to do with TLS, no rule has anything to say.
        made.chain(received)
            .filter(|(_, call)| call.listener.active_tls().is_some() || call.policy.enforced().is_some())
            .map(|(side, call)| Pair::new(cx.view, side, call))
            .collect()
    }

    /// The calls that any member makes, those without TLS too.
    pub fn made_by(view: View<'a>, member: &'a Member, policy: &Effective) -> impl Iterator<Item = Pair<'a>> {
        let calls = Calls::new(view.world, member, policy.backend_groups_enabled);
        calls.made().into_iter().map(move |call| Pair::new(view, Side::Client, call))
    }

    fn new(view: View<'a>, side: Side, call: Call<'a>) -> Self {
        let (mut server, mut client) = (Files::default(), Files::default());
        if let Some(tls) = call.listener.active_tls() {
            server.find(view, call.server, End::Server(call.listener, tls));
        }
        if let Some(end) = call.policy.enforced() {
            client.find(view, call.client, End::Client(end));
        }
        let same_release = same_release(call.client, call.server);
        Self { call, side, same_release, server, client }
    }

    /// `front → blue`, with namespaces where they differ.
    pub fn title(&self) -> String {
        let (client, server) = (&self.call.client.object, &self.call.server.object);
        if client.namespace == server.namespace {
            format!("{} → {}", client.name, server.name)
        } else {
            format!("{} → {}", full(client), full(server))
        }
    }

    /// A problem of this pair: at the field of whichever end is under review. It denies, unless no request takes the way
    /// now, or both ends are of one release that is just being applied.
    pub(super) fn problem(&self, cx: &Context<'_>, fields: Fields<'_>, message: &str) -> Problem {
        let field = match self.side {
            Side::Client => fields.client,
            Side::Server => fields.server,
        };
        let anchor = format!("{} {}", self.title(), self.call.listener.anchor);
        let mut site = Site::new(anchor, field.clone()).of_call(self.call.key());
        let files = [&self.server, &self.client];
        let stores = files.into_iter().flat_map(|files| {
            let certificates = files.certificates.iter().flat_map(|using| [&using.chain_place, &using.key_place]);
            certificates.chain(files.trusts.iter().map(|using| &using.place)).filter_map(|place| place.store())
        });
        for store in stores {
            site = site.resting_on(store);
        }
        let applied_in_turn = cx.surface == Surface::Admission && self.same_release;
        let severity = if self.call.idle || applied_in_turn { Severity::Warn } else { Severity::Deny };
        Problem::new(severity, site, format!("{}: {message}", self.title()))
    }

    /// The listener's certificates, one for each different place.
    pub fn server_certificates(&self) -> impl Iterator<Item = &CertificateUse<'a>> {
        self.server.certificates.iter()
    }

    /// The certificates that the client shows, one for each different place.
    pub fn client_certificates(&self) -> impl Iterator<Item = &CertificateUse<'a>> {
        self.client.certificates.iter()
    }

    /// The bundles that the client trusts.
    pub fn client_trusts(&self) -> impl Iterator<Item = &TrustUse<'a>> {
        self.client.trusts.iter()
    }

    /// The bundles that the listener trusts its clients by.
    pub fn server_trusts(&self) -> impl Iterator<Item = &TrustUse<'a>> {
        self.server.trusts.iter()
    }

    /// Whether the client checks the server's name by the hostname alone: its policy counts, and lists no names.
    pub fn relies_on_hostname(&self) -> bool {
        match self.call.policy {
            PolicyInForce::Enforced(end) => end.validation.as_ref().is_some_and(|v| v.names.is_empty()),
            PolicyInForce::NotEnforced(_) | PolicyInForce::None => false,
        }
    }
}

/// The field that a pair's problem stands at, for either end.
#[derive(Clone, Copy)]
pub(super) struct Fields<'f> {
    pub(super) client: &'f FieldPath,
    pub(super) server: &'f FieldPath,
}

/// A certificate that one end of a pair shows, and that the other's trust bundle doesn't lead to.
#[derive(Debug)]
pub struct Refused {
    /// The place of the pair in [`Context::pairs`].
    pair: usize,
    presented: usize,
    trust: usize,
    /// Which end shows the certificate.
    pub by: Side,
    /// Why it is refused.
    pub refusal: Refusal,
}

impl Refused {
    /// The refused certificates of all calls. Where a file isn't known, nothing is claimed.
    pub(super) fn all(cx: &Context<'_>) -> Vec<Self> {
        let mut all = Vec::new();
        for (place, pair) in cx.pairs.iter().enumerate() {
            for by in [Side::Server, Side::Client] {
                let (shown, trusting, purpose) = match by {
                    Side::Server => (&pair.server, &pair.client, Purpose::Server),
                    Side::Client => (&pair.client, &pair.server, Purpose::Client),
                };
                for (presented, using) in shown.certificates.iter().enumerate() {
                    let Some(chain) = using.chain() else { continue };
                    for (trust, trusting) in trusting.trusts.iter().enumerate() {
                        let Some(Ok(bundle)) = trusting.facts().map(|facts| &facts.bundle) else { continue };
                        let verdict = cx.view.world.paths().verdict(chain, bundle, purpose);
                        if let Some(refusal) = verdict.refusal_at(cx.now) {
                            all.push(Self { pair: place, presented, trust, by, refusal });
                        }
                    }
                }
            }
        }
        all
    }

    /// Whether the leaf itself is refused for its dates or its usage: the rules on certificates say so already.
    pub fn is_told_of_the_leaf(&self) -> bool {
        let dated =
            matches!(self.refusal.reason, Reason::Expired { .. } | Reason::NotYetValid { .. } | Reason::Purpose);
        dated && self.refusal.depth == 0
    }

    /// The pair, the certificate that is shown, and the bundle that doesn't accept it.
    pub fn parts<'c, 'a>(
        &self,
        cx: &'c Context<'a>,
    ) -> Option<(&'c Pair<'a>, &'c CertificateUse<'a>, &'c TrustUse<'a>)> {
        let pair = cx.pairs.get(self.pair)?;
        let (shown, trusting) = match self.by {
            Side::Server => (&pair.server, &pair.client),
            Side::Client => (&pair.client, &pair.server),
        };
        Some((pair, shown.certificates.get(self.presented)?, trusting.trusts.get(self.trust)?))
    }

    /// The problem of this pair, with what both ends have and what would be logged.
    pub(super) fn problem(&self, cx: &Context<'_>, what: &str) -> Option<Problem> {
        let (pair, using, trust) = self.parts(cx)?;
        let fields = match self.by {
            Side::Server => Fields { client: &trust.file.field, server: &using.chain_file.field },
            Side::Client => Fields { client: &using.chain_file.field, server: &trust.file.field },
        };
        let (shower, verifier) = match self.by {
            Side::Server => ("server", "client"),
            Side::Client => ("client", "listener"),
        };
        let message = format!("the {verifier} doesn't accept the {shower}'s certificate: {what}");
        let mut problem = pair.problem(cx, fields, &message);
        problem.site.anchor = format!("{} {shower}'s certificate", problem.site.anchor);
        let consequence = match self.by {
            Side::Server => format!("{} {}", super::envoy::CLIENT_SEES, self.refusal.envoy_log()),
            Side::Client => {
                format!("the server ends the handshake: the client's proxy logs {}", self.refusal.alert())
            }
        };
        let trusted = trust.facts().and_then(|facts| facts.bundle.as_ref().ok());
        let issuer = using.chain().map(|chain| chain.leaf().issuer.clone()).unwrap_or_default();
        Some(
            problem
                .expected(format!("a path to {} ({})", subjects(trusted), trust.origin()))
                .found(format!("{} by issuer {issuer} ({})", self.refusal, using.chain_origin()))
                .consequence(consequence),
        )
    }
}

/// The subjects of a bundle, few of them.
fn subjects(bundle: Option<&Bundle>) -> String {
    const SHOWN: usize = 4;
    let all = bundle.map_or(&[][..], |bundle| &bundle.certificates);
    let mut text = all.iter().take(SHOWN).map(|one| one.subject.as_str()).collect::<Vec<_>>().join(" or ");
    if all.len() > SHOWN {
        text.push_str(&format!(" or {} more", all.len() - SHOWN));
    }
    text
}

fn full(object: &ObjectRef) -> String {
    format!("{}/{}", object.namespace(), object.name)
}
