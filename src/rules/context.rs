//! What a rule may look at: everything it could ask for, looked up once.

use jiff::Timestamp;

use crate::apis::{self, Names, Subject, UnknownField};
use crate::finding::Site;
use crate::mesh::Validation;
use crate::mesh::{
    CertificateSource, ClientEnd, Covered, FileRef, Member, Named, Place, ServerEnd, ServerTls, TrustSource, View,
    Workload,
};
use crate::policy::Effective;
use crate::rules::pairs::{Pair, Refused};
use crate::rules::uses::site;
pub use crate::rules::uses::{CertificateUse, TrustUse};

/// Where the question comes from. Only MV002 weighs differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// A change on its way into a cluster.
    Admission,
    /// Manifests, with everything they belong to.
    Check,
}

/// Everything a rule reads. Built once an object, so that rules are look-ups.
#[derive(Debug)]
pub struct Context<'a> {
    /// The object under review.
    pub subject: &'a Subject,
    /// The mesh it belongs to.
    pub view: View<'a>,
    /// The policy of its namespace.
    pub policy: &'a Effective,
    /// The time to judge as of.
    pub now: Timestamp,
    /// Who asks.
    pub surface: Surface,
    /// The workloads that the member selects, opted-out ones included.
    pub workloads: Vec<&'a Workload>,
    /// Each certificate by file that a proxy of the member loads: one for each end and different place.
    pub certificates: Vec<CertificateUse<'a>>,
    /// Each trust bundle by file that a proxy of the member loads.
    pub trusts: Vec<TrustUse<'a>>,
    /// Each call that the object makes, receives or brings about, where TLS has a part in it.
    pub pairs: Vec<Pair<'a>>,
    /// The certificates of those calls that the other end would not accept now.
    pub refused: Vec<Refused>,
}

/// The files that ends of one member load, with what stands at their paths.
#[derive(Debug, Default)]
pub struct Files<'a> {
    /// Certificates and their keys: one for each end and different place.
    pub certificates: Vec<CertificateUse<'a>>,
    /// Trust bundles, likewise.
    pub trusts: Vec<TrustUse<'a>>,
}

/// One end of the member.
#[derive(Clone, Copy, Debug)]
pub enum End<'a> {
    /// A listener that speaks TLS.
    Server(&'a ServerEnd, &'a ServerTls),
    /// A client policy that is enforced.
    Client(&'a ClientEnd),
}

impl<'a> Context<'a> {
    pub(super) fn new(
        subject: &'a Subject,
        view: View<'a>,
        policy: &'a Effective,
        now: Timestamp,
        surface: Surface,
    ) -> Self {
        // Its own facts count, whatever the world knows of it.
        let view = view.under(policy.settings()).about(&subject.facts);
        let mut cx = Self {
            subject,
            view,
            policy,
            // Certificates know whole seconds, and people read no more.
            now: Timestamp::from_second(now.as_second()).unwrap_or(now),
            surface,
            workloads: Vec::new(),
            certificates: Vec::new(),
            trusts: Vec::new(),
            pairs: Vec::new(),
            refused: Vec::new(),
        };
        if let Some(member) = subject.member() {
            cx.workloads = view.workloads_of(member);
            if member.uses_tls() {
                let mut files = Files::default();
                let owners = owners(member, cx.workloads.iter().copied());
                ends_of(member).for_each(|end| files.find_for(view, member, &owners, end));
                (cx.certificates, cx.trusts) = (files.certificates, files.trusts);
            }
        }
        cx.pairs = Pair::all(&cx);
        cx.refused = Refused::all(&cx);
        cx
    }

    /// The member under review, where it is one.
    pub fn member(&self) -> Option<&'a Member> {
        self.subject.member()
    }

    /// The workload under review, where it is one.
    pub fn workload(&self) -> Option<&'a Workload> {
        self.subject.workload()
    }

    /// What people call something of the object's API.
    pub(super) fn word(&self, word: fn(&Names) -> &'static str) -> String {
        apis::word(self.subject.object.group(), word)
    }

    /// The fields of the object that no version of its API has.
    pub fn unknown_fields(&self) -> &'a [UnknownField] {
        &self.subject.unknown_fields
    }

    /// The ends of the member that speak TLS.
    pub fn ends(&self) -> impl Iterator<Item = End<'a>> {
        self.member().into_iter().flat_map(ends_of)
    }

    /// Every file that a proxy of the member loads for TLS, with what stands at its path.
    pub fn files(&self) -> impl Iterator<Item = FileUse<'_>> {
        let certificates = self.certificates.iter().flat_map(|using| {
            let common = (using.end, using.workload);
            [
                (common, Role::Chain, using.chain_ref, &using.chain_place),
                (common, Role::Key, using.key_ref, &using.key_place),
            ]
        });
        let trusts = self.trusts.iter();
        let trusts = trusts.map(|using| ((using.end, using.workload), Role::Trust, using.trust_ref, &using.place));
        certificates.chain(trusts).filter_map(|((end, workload), role, named, place)| match named {
            Named::File(file) => Some(FileUse { end, workload, role, file, place }),
            Named::Key(_) | Named::Arn(_) => None,
        })
    }
}

impl<'a> Files<'a> {
    /// The files of one end of any member.
    pub fn of(view: View<'a>, member: &'a Member, end: End<'a>) -> Self {
        let mut files = Self::default();
        files.find(view, member, end);
        files
    }

    /// Finds the files of one end of any member.
    pub(super) fn find(&mut self, view: View<'a>, member: &'a Member, end: End<'a>) {
        let owners = owners(member, view.workloads_of(member).into_iter());
        self.find_for(view, member, &owners, end);
    }

    fn find_for(&mut self, view: View<'a>, member: &'a Member, owners: &[Option<&'a Workload>], end: End<'a>) {
        // Only the uses of this very end can be the same: looking further would cost the square of a large object.
        let (certificates, trusts) = (self.certificates.len(), self.trusts.len());
        // What the control plane hands over is the same for all workloads.
        self.certificates.extend(end.certificates().iter().filter_map(|source| handed_over(view, end, source)));
        let trust = end.validation().and_then(|validation| validation.trust.as_ref());
        self.trusts.extend(trust.and_then(|trust| handed_over_trust(view, end, trust)));
        for workload in owners {
            for source in end.certificates() {
                if let CertificateSource::File { chain, key } = source {
                    self.find_certificate(view, member, end, *workload, (chain, key), certificates);
                }
            }
            if let Some(TrustSource::File(file)) = trust {
                let place = view.place(member, *workload, file);
                let known = self.trusts.iter().skip(trusts).any(|other| same_file(&other.place, &place));
                if !known {
                    self.trusts.push(TrustUse { end, workload: *workload, trust_ref: Named::File(file), place });
                }
            }
        }
    }

    fn find_certificate(
        &mut self,
        view: View<'a>,
        member: &'a Member,
        end: End<'a>,
        workload: Option<&'a Workload>,
        (chain_file, key_file): (&'a FileRef, &'a FileRef),
        first: usize,
    ) {
        let chain_place = view.place(member, workload, chain_file);
        let key_place = view.place(member, workload, key_file);
        let known = self
            .certificates
            .iter()
            .skip(first)
            .any(|other| same_file(&other.chain_place, &chain_place) && same_file(&other.key_place, &key_place));
        if !known {
            let (chain_ref, key_ref) = (Named::File(chain_file), Named::File(key_file));
            self.certificates.push(CertificateUse { end, workload, chain_ref, key_ref, chain_place, key_place });
        }
    }
}

/// A certificate that the control plane hands to the proxy.
fn handed_over<'a>(view: View<'a>, end: End<'a>, source: &'a CertificateSource) -> Option<CertificateUse<'a>> {
    let (chain_ref, key_ref, chain_place, key_place) = match source {
        CertificateSource::Acm(arn) => (Named::Arn(arn), Named::Arn(arn), view.acm_place(arn), Place::Unknown),
        CertificateSource::Keys { chain, key } => {
            (Named::Key(chain), Named::Key(key), view.key_place(chain), view.key_place(key))
        }
        CertificateSource::File { .. } | CertificateSource::Sds { .. } => return None,
    };
    Some(CertificateUse { end, workload: None, chain_ref, key_ref, chain_place, key_place })
}

/// A trust bundle, likewise.
fn handed_over_trust<'a>(view: View<'a>, end: End<'a>, trust: &'a TrustSource) -> Option<TrustUse<'a>> {
    let (trust_ref, place) = match trust {
        TrustSource::Acm(arns) => (Named::Arn(arns.first()?), view.authorities_place(arns)),
        TrustSource::Key(key) => (Named::Key(key), view.key_place(key)),
        // Of these nothing is known.
        TrustSource::File(_) | TrustSource::Sds { .. } | TrustSource::Proxy(_) | TrustSource::System(_) => return None,
    };
    Some(TrustUse { end, workload: None, trust_ref, place })
}

/// The workloads whose proxies load the member's files; one None where there are none, for folders that stand in.
fn owners<'a>(member: &Member, workloads: impl Iterator<Item = &'a Workload>) -> Vec<Option<&'a Workload>> {
    let proxied = workloads
        .filter(|workload| member.is_gateway() || !workload.proxy(member.api).is_some_and(|proxy| proxy.opted_out));
    let mut owners: Vec<_> = proxied.map(Some).collect();
    if owners.is_empty() {
        owners.push(None);
    }
    owners
}

/// What a proxy loads a file as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A certificate and its intermediates.
    Chain,
    /// The certificate's private key.
    Key,
    /// A trust bundle.
    Trust,
}

impl Role {
    /// What Envoy says when it refuses its configuration because the file isn't there, or is empty.
    pub fn absent_log(self, path: &str) -> String {
        match self {
            Role::Chain => format!("Failed to load incomplete certificate from {path}: certificate chain not set"),
            Role::Key => format!("Failed to load incomplete private key from path: {path}"),
            Role::Trust => format!("Invalid path: {path}"),
        }
    }
}

/// Any one file of [`Context::files`].
#[derive(Clone, Copy, Debug)]
pub struct FileUse<'c> {
    /// The end that loads it.
    pub end: End<'c>,
    /// The workload whose proxy loads it.
    pub workload: Option<&'c Workload>,
    /// What it is loaded as.
    pub role: Role,
    /// The field and path.
    pub file: &'c FileRef,
    /// What stands there.
    pub place: &'c Place,
}

impl FileUse<'_> {
    /// The field that names the file.
    pub fn site(&self) -> Site {
        site(self.end, Named::File(self.file), self.place)
    }

    /// `Deployment shop/blue`, or the words for none.
    pub fn owner(&self) -> String {
        self.workload.map_or_else(|| "this object".to_owned(), |workload| workload.object.to_string())
    }
}

fn ends_of(member: &Member) -> impl Iterator<Item = End<'_>> {
    let servers = member.servers.iter().filter_map(|server| Some(End::Server(server, server.active_tls()?)));
    let clients = member.clients.iter().filter(|client| client.enforce).map(End::Client);
    servers.chain(clients)
}

/// Whether two workloads' proxies read the very same file: then one judgement stands for both.
fn same_file(one: &Place, other: &Place) -> bool {
    match (one, other) {
        (Place::File { store: a, key: x, .. }, Place::File { store: b, key: y, .. }) => a == b && x == y,
        _ => false,
    }
}

impl<'a> End<'a> {
    /// Whether both are the very same end, and not only alike.
    pub(super) fn is(&self, other: &End<'_>) -> bool {
        match (self, other) {
            (End::Server(one, _), End::Server(other, _)) => std::ptr::eq(*one, *other),
            (End::Client(one), End::Client(other)) => std::ptr::eq(*one, *other),
            (End::Server(..), End::Client(_)) | (End::Client(_), End::Server(..)) => false,
        }
    }

    /// `listener 8080`, `backend defaults`.
    pub fn anchor(&self) -> &'a str {
        match self {
            End::Server(server, _) => &server.anchor,
            End::Client(client) => &client.anchor,
        }
    }

    /// `listener 8080`, `client policy of backend shop/blue`.
    pub fn noun(&self) -> String {
        match self {
            End::Server(server, _) => server.anchor.to_string(),
            End::Client(client) => format!("client policy of {}", client.anchor),
        }
    }

    /// Whether this is a listener.
    pub fn is_server(&self) -> bool {
        matches!(self, End::Server(..))
    }

    /// Where its own certificates come from.
    pub fn certificates(&self) -> &'a [CertificateSource] {
        match self {
            End::Server(_, tls) => &tls.certificates,
            End::Client(client) => &client.certificates,
        }
    }

    /// The names that its certificates must cover between them.
    pub fn covers(&self) -> &'a [Covered] {
        match self {
            End::Server(_, tls) => &tls.covers,
            End::Client(_) => &[],
        }
    }

    /// What it demands of the other end.
    pub fn validation(&self) -> Option<&'a Validation> {
        match self {
            End::Server(_, tls) => tls.validation.as_ref(),
            End::Client(client) => client.validation.as_ref(),
        }
    }
}
