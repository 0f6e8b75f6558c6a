//! What a watcher holds after any changes, against judging everybody afresh.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use meshvet::apis::{Entry, decode_object};
use meshvet::mesh::{Fact, FactId, SecretAccess, World};
use meshvet::policy::Policy;
use meshvet::sources::{SharedWorld, Touched};
use meshvet::watch::{Board, judge_all};
use proptest::prelude::*;

use crate::touched::{NOW, SLOTS, cases, facts};

/// A watched world, and what the watcher holds of it.
struct Watched {
    world: SharedWorld,
    board: Board,
    policy: Policy,
}

impl Watched {
    fn new(forms: &[usize]) -> Self {
        let world = SharedWorld::with_inventory(World::new(SecretAccess::Complete));
        world.follow();
        let policy = Policy::parse("backendGroups: {enabled: true}\n").expect("a policy");
        let mut watched = Self { world, board: Board::default(), policy };
        let all: Vec<(usize, usize)> = forms.iter().copied().enumerate().collect();
        watched.change(&all);
        watched
    }

    /// Gives some slots other forms, in one step as watches do, and judges whom that touches.
    fn change(&mut self, changes: &[(usize, usize)]) {
        let changes = changes.iter().map(|(slot, form)| {
            let forms = &SLOTS[*slot].0;
            let (id, _) = facts(forms.iter().flatten().next().expect("a form").clone());
            let learnt = forms[form % forms.len()].clone().map(|value| match decode_object(value, "shop") {
                Ok(Entry::Subject(subject)) => (subject.facts.clone(), Some(*subject)),
                Ok(Entry::Fact(fact)) => (vec![fact], None),
                other => panic!("nothing to learn: {other:?}"),
            });
            (id, learnt)
        });
        let changes: Vec<(FactId, Option<(Vec<Fact>, _)>)> = changes.collect();
        self.world.step(
            |step| {
                for (id, learnt) in &changes {
                    match learnt {
                        Some((facts, _)) => step.replace(id, facts.iter().cloned()),
                        None => step.forget(id),
                    }
                }
            },
            |inventory, ()| {
                for (id, learnt) in &changes {
                    match learnt {
                        Some((_, subject)) => inventory.note(id, subject.clone()),
                        None => inventory.lose(id),
                    }
                }
            },
        );
        self.judge(*NOW);
    }

    fn judge(&mut self, now: Timestamp) {
        judge_all(&mut self.board, &self.world, &self.policy, now, &self.world.touched());
    }

    /// What judging everybody afresh finds.
    fn afresh(&self, now: Timestamp) -> Board {
        let mut board = Board::default();
        judge_all(&mut board, &self.world, &self.policy, now, &Touched::everybody());
        board
    }
}

/// What is found, in words.
fn told(board: &Board) -> Vec<String> {
    let told = board.problems().into_iter().map(|seen| {
        let it = &seen.finding;
        format!("{} {:?} {} {} {:?}", it.rule.code, it.severity, it.object, it.field(), it.problem)
    });
    told.collect()
}

/// The same without texts, which tell how much time is left.
fn told_briefly(board: &Board) -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for seen in board.problems() {
        let it = &seen.finding;
        let line = format!("{} {:?} {} {}", it.rule.code, it.severity, it.object, it.problem.site.anchor);
        *told.entry(line).or_default() += 1;
    }
    told
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_watcher_holds_what_judging_everybody_finds(
        forms in proptest::collection::vec(0..14_usize, SLOTS.len()),
        steps in proptest::collection::vec(proptest::collection::vec((0..SLOTS.len(), 0..14_usize), 1..4), 1..6),
    ) {
        let mut watched = Watched::new(&forms);
        let before = told(&watched.board);
        prop_assert_eq!(&before, &told(&watched.afresh(*NOW)));
        for step in &steps {
            watched.change(step);
            prop_assert_eq!(told(&watched.board), told(&watched.afresh(*NOW)), "after {:?}", step);
        }
        // All of it repaired, one by one and last things first.
        for (slot, _) in steps.iter().flatten().rev() {
            watched.change(&[(*slot, forms[*slot])]);
        }
        prop_assert_eq!(told(&watched.board), before);
    }

    /// Nothing changes but the time, which passes in steps of any length.
    #[test]
    fn the_time_alone_brings_whom_it_touches(
        forms in proptest::collection::vec(0..14_usize, SLOTS.len()),
        hours in proptest::collection::vec(1..24_i64 * 200, 1..5),
    ) {
        let mut watched = Watched::new(&forms);
        let mut now = *NOW;
        for hours in hours {
            now += SignedDuration::from_hours(hours);
            watched.judge(now);
            prop_assert_eq!(told_briefly(&watched.board), told_briefly(&watched.afresh(now)));
        }
    }
}
/// Leave to present a certificate to backends concerns these too.
#[test]
fn a_grant_brings_whom_its_gateway_calls() {
    let place = |kind: &str, name: &str| {
        let is_it = |forms: &Vec<Option<serde_json::Value>>| {
            forms.iter().flatten().all(|form| form["kind"] == kind && form["metadata"]["name"] == name)
        };
        SLOTS.iter().position(|slot| is_it(&slot.0)).unwrap_or_else(|| panic!("no {kind} {name}"))
    };
    let mut forms = vec![0; SLOTS.len()];
    for (kind, name, form) in [
        ("Secret", "red", 1),
        ("Rollout", "blue", 3),
        ("VirtualNode", "blue", 1),
        ("Gateway", "web", 12),
        ("HTTPRoute", "web", 6),
        ("BackendTLSPolicy", "b", 1),
        ("Service", "api", 7),
        ("ConfigMap", "ca", 2),
        ("ReferenceGrant", "grant", 8),
    ] {
        let place = place(kind, name);
        forms[place] = form % SLOTS[place].0.len();
    }
    let mut watched = Watched::new(&forms);
    assert!(told(&watched.board).iter().any(|line| line.starts_with("MV301 ")), "{:#?}", told(&watched.board));
    let before = told(&watched.board);
    watched.change(&[(place("ReferenceGrant", "grant"), 1)]);
    assert_ne!(told(&watched.board), before);
    assert_eq!(told(&watched.board), told(&watched.afresh(*NOW)));
}
