//! Both ends of each call that the object under review makes, receives or brings about, with what their proxies load.

use std::rc::Rc;

use crate::finding::{Problem, Severity, Site};
use crate::k8s::FieldPath;
use crate::k8s::ObjectRef;
use crate::mesh::{Brought, Call, Calls, Member, PolicyInForce, View, brought_about, same_release};
use crate::pki::Bundle;
use crate::pki::path::{Purpose, Reason, Refusal};
use crate::policy::Effective;
use crate::rules::context::{CertificateUse, Context, End, Files, Surface, TrustUse};

/// One end of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that calls.
    Client,
    /// The one that is called.
    Server,
}

/// Where the object under review stands in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standpoint {
    /// It is one of the ends.
    End(Side),
    /// It leads from one to the other, by this field.
    Way(FieldPath),
}

/// One call, with both ends.
#[derive(Debug)]
pub struct Pair<'a> {
    /// Who calls whom, by which policy.
    pub call: Call<'a>,
    /// Where the object under review stands.
    pub standpoint: Standpoint,
    /// Whether both ends (or an end and the object that leads to it) are of one release, whose objects are applied one after
    /// the other.
    pub same_release: bool,
    /// What the listener loads. Pairs of one end share it.
    pub server: Rc<Files<'a>>,
    /// What the client's policy loads, likewise.
    pub client: Rc<Files<'a>>,
}

/// What each end of a judgement's pairs loads: found once, however many pairs the end has.
#[derive(Default)]
struct Loaded<'a> {
    ends: Vec<(End<'a>, Rc<Files<'a>>)>,
    nothing: Rc<Files<'a>>,
}

impl<'a> Loaded<'a> {
    fn by(&mut self, view: View<'a>, member: &'a Member, end: End<'a>) -> Rc<Files<'a>> {
        if let Some((_, known)) = self.ends.iter().find(|(known, _)| known.is(&end)) {
            return Rc::clone(known);
        }
        let mut files = Files::default();
        files.find(view, member, end);
        let files = Rc::new(files);
        self.ends.push((end, Rc::clone(&files)));
        files
    }
}

impl<'a> Pair<'a> {
    /// All calls of the object under review, but those in which neither end has anything to do with TLS. Those that routing
    /// objects bring about are judged where only these change: manifests are judged as a whole, and each call by its ends.
    pub(super) fn all(cx: &Context<'a>) -> Vec<Pair<'a>> {
        let mut loaded = Loaded::default();
        let (world, by_groups) = (cx.view.world, cx.policy.backend_groups_enabled);
        let by_tls = |call: &Call<'_>| call.listener.active_tls().is_some() || call.policy.enforced().is_some();
        if let Some(member) = cx.member() {
            let calls = Calls::new(world, member, by_groups);
            let made = calls.made().into_iter().map(|call| (Side::Client, call));
            let received = calls.received().into_iter().map(|call| (Side::Server, call));
            let calls = made.chain(received).filter(|(_, call)| by_tls(call));
            return calls.map(|(side, call)| Pair::new(cx.view, Standpoint::End(side), call, &mut loaded)).collect();
        }
        let judged = cx.surface == Surface::Admission && cx.policy.routing != Severity::Off;
        let Some((routing, marks)) = cx.reviewed.routing().filter(|_| judged) else { return Vec::new() };
        let calls = brought_about(world, routing, by_groups).into_iter().filter(|brought| by_tls(&brought.call));
        calls
            .map(|Brought { field, call }| {
                let of_an_end = [call.client, call.server].iter().any(|end| same_release(marks, end.marks()));
                let mut pair = Pair::new(cx.view, Standpoint::Way(field), call, &mut loaded);
                pair.same_release |= of_an_end;
                pair
            })
            .collect()
    }

    /// The calls that any member makes, those without TLS too.
    pub fn made_by(view: View<'a>, member: &'a Member, policy: &Effective) -> Vec<Pair<'a>> {
        let mut loaded = Loaded::default();
        let calls = Calls::new(view.world, member, policy.backend_groups_enabled).made().into_iter();
        calls.map(|call| Pair::new(view, Standpoint::End(Side::Client), call, &mut loaded)).collect()
    }

    fn new(view: View<'a>, standpoint: Standpoint, call: Call<'a>, loaded: &mut Loaded<'a>) -> Self {
        let server =
            call.listener.active_tls().map(|tls| loaded.by(view, call.server, End::Server(call.listener, tls)));
        let client = call.policy.enforced().map(|end| loaded.by(view, call.client, End::Client(end)));
        let nothing = || Rc::clone(&loaded.nothing);
        let (server, client) = (server.unwrap_or_else(nothing), client.unwrap_or_else(nothing));
        let same_release = same_release(call.client.marks(), call.server.marks());
        Self { call, standpoint, same_release, server, client }
    }

    /// Whether the object under review is this end.
    pub fn is_seen_from(&self, side: Side) -> bool {
        self.standpoint == Standpoint::End(side)
    }

    /// `front → blue`, with namespaces where they are others than the one in which it is told.
    pub fn title(&self, told_in: &str) -> String {
        let (client, server) = (&self.call.client.object, &self.call.server.object);
        if [client, server].iter().all(|end| end.namespace() == told_in) {
            format!("{} → {}", client.name, server.name)
        } else {
            format!("{} → {}", full(client), full(server))
        }
    }

    /// A problem of this pair: at the field of whichever end is under review, or at the one that leads to the server. It denies, unless no request takes the way
    /// now, or both ends are of one release that is just being applied.
    pub(super) fn problem(&self, cx: &Context<'_>, fields: Fields<'_>, message: &str) -> Problem {
        let field = match &self.standpoint {
            Standpoint::End(Side::Client) => fields.client,
            Standpoint::End(Side::Server) => fields.server,
            Standpoint::Way(field) => field,
        };
        // With kinds and namespaces: an object may touch calls between others of the same names.
        let Call { client, server, listener, .. } = &self.call;
        let anchor = format!("{} → {} {}", client.object, server.object, listener.anchor);
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
        Problem::new(severity, site, format!("{}: {message}", self.title(cx.reviewed.object.namespace())))
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
                        let Some(bundle) = trusting.bundle() else { continue };
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

    /// The problem of this pair when a certificate above the leaf is at fault: what that one does.
    pub(super) fn problem_on_the_path(&self, cx: &Context<'_>, does: &str) -> Option<Problem> {
        self.problem(cx, |shower, verifier| {
            format!("a certificate on the {shower}'s path {does}: the {verifier} refuses it")
        })
    }

    /// The problem of this pair, with what both ends have and what would be logged. What is wrong is said with the names of the
    /// one who shows the certificate and the one who refuses it.
    pub(super) fn problem(&self, cx: &Context<'_>, what: impl FnOnce(&str, &str) -> String) -> Option<Problem> {
        let (pair, using, trust) = self.parts(cx)?;
        let fields = match self.by {
            Side::Server => Fields { client: &trust.file.field, server: &using.chain_file.field },
            Side::Client => Fields { client: &using.chain_file.field, server: &trust.file.field },
        };
        let (shower, verifier) = match self.by {
            Side::Server => ("server", "client"),
            Side::Client => ("client", "listener"),
        };
        let message = what(shower, verifier);
        let mut problem = pair.problem(cx, fields, &message);
        problem.site.anchor = format!("{} {shower}'s certificate", problem.site.anchor);
        let consequence = match self.by {
            Side::Server => format!("{} {}", super::envoy::CLIENT_SEES, self.refusal.envoy_log()),
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
