//! Both ends of each call that the object under review makes, receives or brings about, with what their proxies load.

use std::rc::Rc;
use std::sync::Arc;

use crate::finding::{Problem, Severity, Site};
use crate::k8s::FieldPath;
use crate::k8s::ObjectRef;
use crate::mesh::{CallKey, Link, Member, NameCheck, Reaches, ServerEnd, View};
use crate::pki::Bundle;
use crate::pki::path::{Purpose, Reason, Refusal};
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
    pub link: Link<'a>,
    /// The listener that is reached.
    pub listener: &'a ServerEnd,
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
    /// All calls of the object under review, but those in which neither end has anything to do with TLS. Those that hops bring about
    /// are judged where only these change: manifests are judged as a whole, and each call by its ends. A call that may reach several
    /// listeners isn't judged: nobody can say which is meant.
    pub(super) fn all(cx: &Context<'a>) -> Vec<Pair<'a>> {
        let mut loaded = Loaded::default();
        let mut pairs = Vec::new();
        if let Some(member) = cx.member() {
            let made = cx.view.links_from(member).into_iter().map(|link| (Side::Client, link));
            let received = cx.view.links_to(member).into_iter().map(|link| (Side::Server, link));
            for (side, link) in made.chain(received) {
                pairs.extend(Pair::with_tls(cx.view, Standpoint::End(side), link, &mut loaded));
            }
        }
        let judged = cx.surface == Surface::Admission && cx.policy.routing != Severity::Off;
        if let Some(hop) = cx.subject.hop().filter(|_| judged) {
            for link in cx.view.links_by(hop) {
                let Some(field) = link.field_of(&hop.object).cloned() else { continue };
                let of_an_end = [link.client, link.server].iter().any(|end| hop.release.is_that_of(&end.release));
                let pair = Pair::with_tls(cx.view, Standpoint::Way(field), link, &mut loaded);
                pairs.extend(pair.map(|pair| Pair { same_release: pair.same_release || of_an_end, ..pair }));
            }
        }
        pairs
    }

    /// The calls that any member makes, those without TLS too.
    pub fn made_by(view: View<'a>, member: &'a Member) -> Vec<Pair<'a>> {
        let mut loaded = Loaded::default();
        let links = view.links_from(member).into_iter();
        links.filter_map(|link| Pair::new(view, Standpoint::End(Side::Client), link, &mut loaded)).collect()
    }

    /// A pair, where either end has anything to do with TLS.
    fn with_tls(view: View<'a>, standpoint: Standpoint, link: Link<'a>, loaded: &mut Loaded<'a>) -> Option<Self> {
        let Reaches::One(listener) = link.reaches else { return None };
        let by_tls = listener.active_tls().is_some() || link.policy.enforced().is_some();
        if by_tls { Self::new(view, standpoint, link, loaded) } else { None }
    }

    fn new(view: View<'a>, standpoint: Standpoint, link: Link<'a>, loaded: &mut Loaded<'a>) -> Option<Self> {
        let Reaches::One(listener) = link.reaches else { return None };
        let server = listener.active_tls().map(|tls| loaded.by(view, link.server, End::Server(listener, tls)));
        let client = link.policy.enforced().map(|end| loaded.by(view, link.client, End::Client(end)));
        let nothing = || Rc::clone(&loaded.nothing);
        let (server, client) = (server.unwrap_or_else(nothing), client.unwrap_or_else(nothing));
        let same_release = link.client.release.is_that_of(&link.server.release);
        Some(Self { link, listener, standpoint, same_release, server, client })
    }

    /// What tells this call from others.
    pub fn key(&self) -> CallKey {
        CallKey {
            client: self.link.client.object.clone(),
            server: self.link.server.object.clone(),
            listener: Arc::clone(&self.listener.anchor),
            policy: self.link.policy.end().map(|end| Arc::clone(&end.anchor)),
        }
    }

    /// Whether the object under review is this end.
    pub fn is_seen_from(&self, side: Side) -> bool {
        self.standpoint == Standpoint::End(side)
    }

    /// `front → blue`, with namespaces where they are others than the one in which it is told.
    pub fn title(&self, told_in: &str) -> String {
        let (client, server) = (&self.link.client.object, &self.link.server.object);
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
        let Link { client, server, .. } = &self.link;
        let anchor = format!("{} → {} {}", client.object, server.object, self.listener.anchor);
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
        let severity = if self.link.idle || applied_in_turn { Severity::Warn } else { Severity::Deny };
        Problem::new(severity, site, format!("{}: {message}", self.title(cx.subject.object.namespace())))
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
        let validation = self.link.policy.enforced().and_then(|end| end.validation.as_ref());
        validation.is_some_and(|validation| validation.names == NameCheck::Host)
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
                        let verdict = cx.view.paths().verdict(chain, bundle, purpose);
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
