//! Both ends of each call that the object under review makes, receives or brings about, with what their proxies load.

use std::rc::Rc;
use std::sync::Arc;

use crate::apis::Subject;
use crate::k8s::FieldPath;
use crate::k8s::ObjectRef;
use crate::mesh::{CallKey, ClientEnd, Fact, Link, Member, NameCheck, View, Workload};
use crate::rules::end::End;
use crate::rules::loads::Files;
use crate::rules::uses::CertificateUse;

/// One end of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that calls.
    Client,
    /// The one that is called.
    Server,
}

/// Where the object under review is in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standpoint {
    /// It is one of the ends.
    End(Side),
    /// It leads from one to the other, by this field.
    Way(FieldPath),
    /// It is the policy by which the one calls the other.
    Policy,
}

/// One call, with both ends.
#[derive(Debug)]
pub struct Pair<'a> {
    /// Who calls whom, by which policy.
    pub link: Link<'a>,
    /// Where the object under review is.
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
    ends: Vec<(&'a Member, End<'a>, Rc<Files<'a>>)>,
    /// The workloads of members, which all their ends have in common.
    workloads: Vec<(&'a Member, Rc<[&'a Workload]>)>,
    nothing: Rc<Files<'a>>,
}

impl<'a> Loaded<'a> {
    fn by(&mut self, view: View<'a>, member: &'a Member, end: End<'a>) -> Rc<Files<'a>> {
        // A policy that is attached is an end of each member that goes by it.
        let is_it = |known: &(&Member, End<'_>, _)| std::ptr::eq(known.0, member) && known.1.is(&end);
        if let Some((.., known)) = self.ends.iter().find(|known| is_it(known)) {
            return Rc::clone(known);
        }
        let files = Rc::new(Files::of_ends(view, member, &self.workloads_of(view, member), [end]));
        self.ends.push((member, end, Rc::clone(&files)));
        files
    }

    fn workloads_of(&mut self, view: View<'a>, member: &'a Member) -> Rc<[&'a Workload]> {
        if let Some((_, known)) = self.workloads.iter().find(|known| std::ptr::eq(known.0, member)) {
            return Rc::clone(known);
        }
        let workloads: Rc<[&Workload]> = view.workloads_of(member).into();
        self.workloads.push((member, Rc::clone(&workloads)));
        workloads
    }
}

impl<'a> Pair<'a> {
    /// All calls of the member under review, and all that the hop under review brings about, but those in which neither end
    /// has anything to do with TLS. A call that may reach several listeners is a pair for each: see
    /// [`certainty`](crate::rules::certainty).
    ///
    /// A call by a policy of its own is told there; only a change (`routed`) of the caller itself is told to it.
    pub(super) fn all(view: View<'a>, subject: &'a Subject, workloads: &[&'a Workload], routed: bool) -> Vec<Pair<'a>> {
        let mut loaded = Loaded::default();
        let mut pairs = Vec::new();
        if let Some(member) = subject.member() {
            loaded.workloads.push((member, workloads.into()));
            for link in view.links_from(member) {
                let standpoint = match link.attached {
                    None => Standpoint::End(Side::Client),
                    Some(_) if !routed => continue,
                    Some(_) => {
                        let shown = member.clients.first().map(|end| end.field.clone());
                        Standpoint::Way(shown.unwrap_or_else(|| FieldPath::root().key("spec")))
                    }
                };
                pairs.extend(Pair::with_tls(view, standpoint, link, &mut loaded));
            }
            for link in view.links_to(member) {
                pairs.extend(Pair::with_tls(view, Standpoint::End(Side::Server), link, &mut loaded));
            }
        }
        for attached in subject.facts.iter().filter_map(Fact::as_attached) {
            let links = view.links_under(attached).into_iter();
            pairs.extend(links.filter_map(|link| Pair::with_tls(view, Standpoint::Policy, link, &mut loaded)));
        }
        if let Some(hop) = subject.hop().filter(|_| routed) {
            for link in view.links_by(hop) {
                let Some(field) = link.field_of(&hop.object).cloned() else { continue };
                let of_an_end = [link.client, link.server].iter().any(|end| hop.release.is_that_of(&end.release));
                let pair = Pair::with_tls(view, Standpoint::Way(field), link, &mut loaded);
                pairs.extend(pair.map(|pair| Pair { same_release: pair.same_release || of_an_end, ..pair }));
            }
        }
        pairs
    }

    /// The calls that any member makes, those without TLS too.
    pub(crate) fn made_by(view: View<'a>, member: &'a Member) -> Vec<Pair<'a>> {
        let mut loaded = Loaded::default();
        let links = view.links_from(member).into_iter();
        links.map(|link| Pair::new(view, Standpoint::End(Side::Client), link, &mut loaded)).collect()
    }

    /// A pair, where either end has anything to do with TLS.
    fn with_tls(view: View<'a>, standpoint: Standpoint, link: Link<'a>, loaded: &mut Loaded<'a>) -> Option<Self> {
        let serves = link.listener.active_tls().is_some() && link.by_service().is_none();
        let by_tls = serves || link.policy.enforced().is_some();
        by_tls.then(|| Self::new(view, standpoint, link, loaded))
    }

    fn new(view: View<'a>, standpoint: Standpoint, link: Link<'a>, loaded: &mut Loaded<'a>) -> Self {
        let listener = link.listener;
        let server = listener.active_tls().map(|tls| loaded.by(view, link.server, End::Server(listener, tls)));
        let client = link.policy.enforced().map(|end| match own_certificate(&link) {
            None => loaded.by(view, link.client, End::Client(end)),
            Some(own) => {
                let workloads = loaded.workloads_of(view, link.client);
                Rc::new(Files::of_ends(view, link.client, &workloads, [End::Client(own), End::Client(end)]))
            }
        });
        let nothing = || Rc::clone(&loaded.nothing);
        let (server, client) = (server.unwrap_or_else(nothing), client.unwrap_or_else(nothing));
        let same_release = link.client.release.is_that_of(&link.server.release);
        Self { link, standpoint, same_release, server, client }
    }

    /// What tells this call from others.
    pub fn key(&self) -> CallKey {
        CallKey {
            client: self.link.client.object.clone(),
            server: self.link.server.object.clone(),
            listener: Arc::clone(&self.link.listener.anchor),
            policy: self.link.policy.end().map(|end| Arc::clone(&end.anchor)),
        }
    }

    /// Whether it is this call.
    pub(super) fn is(&self, call: &CallKey) -> bool {
        let Link { client, server, listener, policy, .. } = &self.link;
        client.object == call.client
            && server.object == call.server
            && listener.anchor == call.listener
            && policy.end().map(|end| &end.anchor) == call.policy.as_ref()
    }

    /// Whether the object under review is this end.
    pub(crate) fn is_seen_from(&self, side: Side) -> bool {
        self.standpoint == Standpoint::End(side)
    }

    /// `front → blue`, with namespaces where they are others than the one in which it is reported, and with the listener where it is one of
    /// several.
    pub fn title(&self, told_in: &str) -> String {
        let (client, server) = (&self.link.client.object, &self.link.server.object);
        let listener = match self.link.instead.as_slice() {
            [] => String::new(),
            _ => format!(" ({})", self.link.listener.anchor),
        };
        if [client, server].iter().all(|end| end.namespace() == told_in) {
            format!("{} → {}{listener}", client.name, server.name)
        } else {
            format!("{} → {}{listener}", full(client), full(server))
        }
    }

    /// The listener's certificates, one for each different place.
    pub(crate) fn server_certificates(&self) -> impl Iterator<Item = &CertificateUse<'a>> {
        self.server.certificates.iter()
    }

    /// The certificates that the client presents, one for each different place.
    pub fn client_certificates(&self) -> impl Iterator<Item = &CertificateUse<'a>> {
        self.client.certificates.iter()
    }

    /// Whether the client shows nothing by any policy.
    pub(crate) fn shows_nothing(&self, end: &ClientEnd) -> bool {
        let nothing = |end: &ClientEnd| end.certificates.is_empty();
        nothing(end) && own_certificate(&self.link).is_none_or(nothing)
    }

    /// Whether the client checks the server's name by the hostname alone: its policy counts, and lists no names.
    pub(crate) fn relies_on_hostname(&self) -> bool {
        let validation = self.link.policy.enforced().and_then(|end| end.validation.as_ref());
        validation.is_some_and(|validation| validation.names == NameCheck::Host)
    }
}

/// What a client shows by a policy that isn't its own: its certificate for all that it calls.
fn own_certificate<'a>(link: &Link<'a>) -> Option<&'a ClientEnd> {
    link.attached.and_then(|_| link.client.clients.iter().find(|end| end.is_default))
}

fn full(object: &ObjectRef) -> String {
    format!("{}/{}", object.namespace(), object.name)
}
