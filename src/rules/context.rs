//! What a rule may look at: everything it could ask for, looked up once.

use jiff::Timestamp;

use crate::apis::{self, Names, Subject, UnknownField};
use crate::finding::Severity;
use crate::mesh::{Belonging, Front, Member, Named, Place, Settings, View, Workload};
use crate::policy::Effective;
use crate::rules::end::{End, ends_of};
use crate::rules::loads::Files;
use crate::rules::pairs::Pair;
use crate::rules::refused::Refused;
use crate::rules::uses::{CertificateUse, FileUse, Role, TrustUse};

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
    /// What callers reach by the member's hostname.
    pub front: Front<'a>,
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
        let told_to = (surface == Surface::Admission).then(|| subject.object.namespace());
        let view = view.under(Settings { told_to, ..policy.settings() }).about(&subject.facts);
        // Certificates know whole seconds, and people read no more.
        let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let member = subject.member();
        let workloads = member.map(|member| view.workloads_of(member)).unwrap_or_default();
        let counts = |member: &&Member| member.uses_tls() && view.is_taken_in(member) != Belonging::No;
        let files = member.filter(counts).map(|member| Files::of_ends(view, member, &workloads, ends_of(member)));
        let Files { certificates, trusts } = files.unwrap_or_default();
        // The calls that a hop brings about are judged where only the hop changes: manifests are judged as a whole, and each
        // call by its ends.
        let judges_hops = surface == Surface::Admission && policy.routing != Severity::Off;
        let pairs = Pair::all(view, subject, &workloads, judges_hops);
        let refused = Refused::all(view, &pairs, now);
        let front = member.map_or(Front::Unknown, |member| view.front_of(member));
        Self { subject, view, policy, now, surface, workloads, certificates, trusts, pairs, refused, front }
    }

    /// The same of the object's own text alone.
    pub(super) fn of_text(subject: &'a Subject, view: View<'a>, policy: &'a Effective) -> Self {
        let (now, surface) = (Timestamp::UNIX_EPOCH, Surface::Check);
        let (workloads, certificates, trusts) = (Vec::new(), Vec::new(), Vec::new());
        let (pairs, refused, front) = (Vec::new(), Vec::new(), Front::Unknown);
        Self { subject, view, policy, now, surface, workloads, certificates, trusts, pairs, refused, front }
    }

    /// The member under review, where it is one.
    pub fn member(&self) -> Option<&'a Member> {
        self.subject.member()
    }

    /// The workload under review, where it is one whose pods run.
    pub fn workload(&self) -> Option<&'a Workload> {
        self.subject.workload().filter(|workload| self.view.runs(workload))
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

    /// Every file that a proxy of the member loads for TLS, with what is at its path.
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

    /// What is at the paths of the object's files, then of the files at both ends of its calls.
    pub(super) fn every_place(&self) -> impl Iterator<Item = &Place> {
        let ends = self.pairs.iter().flat_map(|pair| [&pair.server, &pair.client]);
        let peers = ends.flat_map(|files| places(&files.certificates, &files.trusts));
        places(&self.certificates, &self.trusts).chain(peers)
    }
}

fn places<'c>(certificates: &'c [CertificateUse<'_>], trusts: &'c [TrustUse<'_>]) -> impl Iterator<Item = &'c Place> {
    let pairs = certificates.iter().flat_map(|using| [&using.chain_place, &using.key_place]);
    pairs.chain(trusts.iter().map(|using| &using.place))
}
