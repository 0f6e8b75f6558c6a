//! Judges again, one object at a time, so that reviews don't wait for the lock, and in slices, so that they don't wait for a processor.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::aws::Question;
use crate::k8s::ObjectRef;
use crate::mesh::{StoreState, Unread};
use crate::policy::Policy;
use crate::rules::{self, Examined, Surface};
use crate::sources::{SharedWorld, Touched};
use crate::survey::Read;
use crate::watch::board::{Board, Judged};
use crate::watch::slices::Slices;

/// What objects are judged with.
pub(super) struct Bench<'a> {
    pub(super) world: &'a SharedWorld,
    pub(super) policy: &'a Policy,
    pub(super) now: Timestamp,
}

/// Updates the board to the current world, for the objects affected by changes.
///
/// Without AWS, and without pauses: what isn't known yet stays unknown.
pub fn judge_all(board: &mut Board, world: &SharedWorld, policy: &Policy, now: Timestamp, touched: &Touched) {
    let bench = Bench { world, policy, now };
    let wanted = bench.wanted(board, touched);
    bench.judge(board, &mut Read::default(), &wanted, &mut Slices::whole());
}

impl Bench<'_> {
    /// The objects to judge.
    pub(super) fn wanted(&self, board: &Board, touched: &Touched) -> BTreeSet<ObjectRef> {
        let reviewed = match touched {
            Touched { everybody: false, namespaces, objects } if namespaces.is_empty() => {
                self.world.subjects(objects).iter().map(|subject| subject.object.clone()).collect()
            }
            _ => self.world.reviewed().iter().map(|subject| subject.object.clone()).collect(),
        };
        board.wanted(touched, reviewed, self.now)
    }

    /// Judges these, slice by slice. Returns the open questions to AWS, and the objects that they concern.
    pub(super) fn judge(
        &self,
        board: &mut Board,
        read: &mut Read,
        wanted: &BTreeSet<ObjectRef>,
        slices: &mut Slices<'_>,
    ) -> Open {
        let mut open = Open::default();
        for object in wanted {
            let judged = self.world.subjects([object]).first().map(|subject| {
                let examined = self.examine(subject, read);
                if !examined.questions.is_empty() {
                    open.objects.insert(object.clone());
                    open.questions.extend(examined.questions);
                }
                Judged { findings: examined.judgement.findings, until: examined.until }
            });
            board.place(object, judged);
            open.judged += 1;
            if !slices.go_on() {
                return open;
            }
        }
        let undecodable = self.world.undecodable();
        let found = undecodable.iter().flat_map(|error| {
            let examined = self.world.read(|world| {
                rules::examine_undecodable(error, read.view(world), self.policy, self.now, Surface::Check)
            });
            examined.judgement.findings
        });
        board.place_undecodable(found.collect::<Vec<_>>());
        open
    }

    /// Secrets that aren't watched aren't read here either: their contents stay unknown, as where reading them isn't allowed.
    fn examine(&self, subject: &crate::apis::Subject, read: &mut Read) -> Examined {
        loop {
            let examined = self
                .world
                .read(|world| rules::examine(subject, read.view(world), self.policy, self.now, Surface::Check));
            if examined.stores.is_empty() {
                return examined;
            }
            let unread = |store| (store, StoreState::Unread(Unread::NotAllowed));
            read.overlay.stores.extend(examined.stores.into_iter().map(unread));
        }
    }
}

/// The open questions to AWS, and the objects that they concern.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// How many objects were judged.
    pub(super) judged: u64,
    pub(super) questions: BTreeSet<Question>,
    pub(super) objects: BTreeSet<ObjectRef>,
}
