//! What of the problems has been reported, and what is to be reported next. Pure: no I/O, no clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::watch::notice::{Identity, Notice, Notices};

/// An Event lives for an hour by default, from when it was last written.
const RENEWED: SignedDuration = SignedDuration::from_mins(30);
/// How long to wait where a namespace takes no Events: a right is missing.
const REFUSED: SignedDuration = SignedDuration::from_mins(10);
/// The same where it is being deleted: another one of its name may follow.
const GOING: SignedDuration = SignedDuration::from_mins(1);
/// How long to wait after any other failure.
const FAILED: SignedDuration = SignedDuration::from_secs(15);
/// How long what is missing may take to be heard of: watches are seconds behind where an API server has much to do.
const FOLLOWS: SignedDuration = SignedDuration::from_secs(5);
/// For how long one who doesn't tell remembers what has ended: until another one certainly has reported it, or he tells himself.
const REMEMBERED: SignedDuration = SignedDuration::from_secs(60);

type Key = (String, String);

/// What has been reported.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: BTreeMap<Key, Entry>,
    /// Namespaces that take no Events now, and until when they aren't asked again.
    refused: BTreeMap<String, Timestamp>,
    /// Nothing is tried before: the API server doesn't answer.
    paused: Option<Timestamp>,
    leads: bool,
    /// Whether anything has been heard since this replica tells.
    has_heard: bool,
}

#[derive(Debug)]
struct Entry {
    notice: Arc<Notice>,
    /// Whether it came about while this replica told: where the Event is there already, it has happened again.
    fresh: bool,
    state: State,
    /// When it came to the ledger.
    since: Timestamp,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Nobody has reported it, as far as is known.
    New,
    /// Its Event is there, by another's hand.
    There,
    /// Its Event has been written so often, and is to be written again then.
    Told { count: i32, due: Timestamp },
}

/// A request to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Post {
    pub(super) notice: Arc<Notice>,
    pub(super) act: Act,
}

/// What to do about an Event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Write it.
    Create,
    /// See how often it was written, and when last.
    Look,
    /// Write that it is so still, for the so manieth time.
    Renew(i32),
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Done.
    Done,
    /// It is there already.
    Exists,
    /// So it is there.
    Seen { count: i32, last: Timestamp },
    /// It isn't there any more.
    Gone,
    /// Its namespace takes none.
    Refused,
    /// Its namespace is being deleted, or gone: that is in order.
    Going,
    /// The API server accepts it nowhere as it is.
    Invalid,
    /// Nobody knows.
    Failed,
}

impl Ledger {
    /// Notes whether this replica tells. One who begins to knows nothing of what others have reported.
    pub(super) fn lead(&mut self, leads: bool) {
        if self.leads != leads {
            self.leads = leads;
            self.has_heard = false;
            for entry in self.entries.values_mut() {
                (entry.fresh, entry.state) = (false, State::New);
            }
        }
    }

    /// Takes over what is wrong now. `is_there` tells whether an object still is.
    pub(super) fn update(&mut self, notices: &Notices, now: Timestamp, is_there: impl Fn(&Notice) -> bool) {
        let current: BTreeSet<&Identity> = notices.all.values().map(|notice| &notice.identity).collect();
        let mut ends = Vec::new();
        self.entries.retain(|key, entry| {
            let notice = &entry.notice;
            if notice.is_end {
                // It has come back before its end was reported.
                return !current.contains(&notice.identity)
                    && (self.leads || now.duration_since(entry.since) < REMEMBERED);
            }
            if notices.all.contains_key(key) {
                return true;
            }
            let has_ended = !current.contains(&notice.identity) && !notices.quiet.contains(&notice.identity);
            let was_told = !self.leads || entry.state != State::New;
            if has_ended && was_told && is_there(notice) {
                ends.push(Arc::new(notice.end()));
            }
            false
        });
        let fresh = self.leads && self.has_heard;
        let new = |notice: Arc<Notice>, fresh| Entry { notice, fresh, state: State::New, since: now };
        for end in ends {
            self.entries.insert(end.key(), new(end, self.leads));
        }
        for (key, notice) in &notices.all {
            self.entries.entry(key.clone()).or_insert_with(|| new(Arc::clone(notice), fresh));
        }
        self.has_heard = true;
    }

    /// What to do next, at most so much.
    pub(super) fn due(&mut self, now: Timestamp, most: usize) -> Vec<Post> {
        self.refused.retain(|_, until| *until > now);
        if !self.leads || self.paused.is_some_and(|until| until > now) {
            return Vec::new();
        }
        let open = self.entries.values().filter(|entry| !self.refused.contains_key(&entry.notice.namespace));
        let mut posts: Vec<Post> = open
            .filter_map(|entry| {
                let act = match entry.state {
                    State::New if entry.notice.may_follow && now.duration_since(entry.since) < FOLLOWS => return None,
                    State::New => Act::Create,
                    State::There => Act::Look,
                    State::Told { count, due } if due <= now => Act::Renew(count.saturating_add(1)),
                    State::Told { .. } => return None,
                };
                Some(Post { notice: Arc::clone(&entry.notice), act })
            })
            .collect();
        // News first.
        posts.sort_by_key(|post| !matches!(post.act, Act::Create));
        posts.truncate(most);
        posts
    }

    /// Notes what came of a request; true where a namespace refuses, and that is news.
    pub(super) fn done(&mut self, post: &Post, outcome: &Outcome, now: Timestamp) -> bool {
        let key = post.notice.key();
        match outcome {
            Outcome::Failed => {
                self.paused = now.checked_add(FAILED).ok();
                return false;
            }
            Outcome::Refused | Outcome::Going => {
                let is_going = *outcome == Outcome::Going;
                let until = now.checked_add(if is_going { GOING } else { REFUSED }).unwrap_or(Timestamp::MAX);
                return self.refused.insert(post.notice.namespace.clone(), until).is_none() && !is_going;
            }
            _ => {}
        }
        let Some(entry) = self.entries.get_mut(&key) else { return false };
        let later = |from: Timestamp| from.checked_add(RENEWED).unwrap_or(Timestamp::MAX);
        entry.state = match (outcome, post.act) {
            (Outcome::Exists, _) => State::There,
            (Outcome::Seen { count, .. }, _) if entry.fresh => State::Told { count: *count, due: now },
            (Outcome::Seen { count, last }, _) => State::Told { count: *count, due: later(*last) },
            (Outcome::Gone, _) => State::New,
            (_, Act::Renew(count)) => State::Told { count, due: later(now) },
            _ => State::Told { count: 1, due: later(now) },
        };
        // That a problem is over is reported once: where it was reported already, once more if it has ended once more.
        let is_told = match &entry.state {
            State::Told { due, .. } => *due > now,
            State::There => !entry.fresh,
            State::New => false,
        };
        if entry.notice.is_end && is_told {
            self.entries.remove(&key);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::notice::tests::{finding, notices};

    fn at(text: &str) -> Timestamp {
        format!("2026-11-27T{text}Z").parse().expect("a time")
    }

    fn broken() -> Notices {
        notices(&[finding("MV101", "blue", "no name matches")], "2026-11-27T12:00:00Z")
    }

    /// What the API server holds: Events by name, with how often each was written.
    #[derive(Default)]
    struct Server(BTreeMap<Key, (i32, Timestamp)>);

    impl Server {
        /// Does all that is due, and gives it in words.
        fn serve(&mut self, ledger: &mut Ledger, now: Timestamp) -> Vec<String> {
            let mut done = Vec::new();
            loop {
                let posts = ledger.due(now, 100);
                if posts.is_empty() {
                    return done;
                }
                for post in posts {
                    let key = post.notice.key();
                    let known = self.0.get(&key).copied();
                    let outcome = match (post.act, known) {
                        (Act::Create, Some(_)) => Outcome::Exists,
                        (Act::Create, None) => {
                            self.0.insert(key, (1, now));
                            done.push(format!("told {}", post.notice.reason));
                            Outcome::Done
                        }
                        (_, None) => Outcome::Gone,
                        (Act::Look, Some((count, last))) => Outcome::Seen { count, last },
                        (Act::Renew(count), Some(_)) => {
                            self.0.insert(key, (count, now));
                            done.push(format!("renewed {} {count}", post.notice.reason));
                            Outcome::Done
                        }
                    };
                    ledger.done(&post, &outcome, now);
                }
            }
        }
    }

    fn leader() -> Ledger {
        let mut ledger = Ledger::default();
        ledger.lead(true);
        ledger
    }

    const NOTHING: [&str; 0] = [];

    #[test]
    fn a_problem_is_told_once_kept_alive_and_told_to_be_over() {
        let (mut ledger, mut server) = (leader(), Server::default());
        ledger.update(&broken(), at("12:00:00"), |_| true);
        assert_eq!(server.serve(&mut ledger, at("12:00:00")), ["told HostnameMismatch"]);
        ledger.update(&broken(), at("12:10:00"), |_| true);
        assert_eq!(server.serve(&mut ledger, at("12:29:59")), NOTHING);
        assert_eq!(server.serve(&mut ledger, at("12:30:00")), ["renewed HostnameMismatch 2"]);
        assert_eq!(server.serve(&mut ledger, at("13:00:00")), ["renewed HostnameMismatch 3"]);
        ledger.update(&Notices::default(), at("13:01:00"), |_| true);
        assert_eq!(server.serve(&mut ledger, at("13:01:00")), ["told HostnameMismatchResolved"]);
        assert_eq!(server.serve(&mut ledger, at("23:00:00")), NOTHING, "an end isn't kept alive");
        assert!(ledger.entries.is_empty());
    }

    #[test]
    fn what_is_missing_is_told_once_it_had_time_to_follow() {
        let (mut ledger, mut server) = (leader(), Server::default());
        let missing = || notices(&[finding("MV202", "blue", "no such Secret")], "2026-11-27T12:00:00Z");
        ledger.update(&missing(), at("12:00:00"), |_| true);
        assert_eq!(server.serve(&mut ledger, at("12:00:04")), NOTHING);
        // It was only heard of late.
        ledger.update(&Notices::default(), at("12:00:04"), |_| true);
        assert_eq!(server.serve(&mut ledger, at("12:01:00")), NOTHING);
        ledger.update(&missing(), at("12:02:00"), |_| true);
        assert_eq!(server.serve(&mut ledger, at("12:02:05")), ["told FileMissing"]);
    }

    #[test]
    fn what_happens_again_is_told_again() {
        let (mut ledger, mut server) = (leader(), Server::default());
        let mut told = Vec::new();
        for minute in 0..4 {
            let now = at(&format!("12:0{minute}:00"));
            ledger.update(&if minute % 2 == 0 { broken() } else { Notices::default() }, now, |_| true);
            told.extend(server.serve(&mut ledger, now));
        }
        let expected = [
            "told HostnameMismatch",
            "told HostnameMismatchResolved",
            "renewed HostnameMismatch 2",
            "renewed HostnameMismatchResolved 2",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_new_leader_repeats_nothing() {
        let (mut old, mut new, mut server) = (leader(), Ledger::default(), Server::default());
        for ledger in [&mut old, &mut new] {
            ledger.update(&broken(), at("12:00:00"), |_| true);
        }
        assert_eq!(server.serve(&mut old, at("12:00:00")), ["told HostnameMismatch"]);
        assert_eq!(server.serve(&mut new, at("12:00:00")), NOTHING, "it doesn't lead");
        new.lead(true);
        assert_eq!(server.serve(&mut new, at("12:10:00")), NOTHING);
        assert_eq!(
            server.serve(&mut new, at("12:30:00")),
            ["renewed HostnameMismatch 2"],
            "as the first one would have"
        );
        // A replica that starts now.
        let mut late = leader();
        late.update(&broken(), at("12:40:00"), |_| true);
        assert_eq!(server.serve(&mut late, at("12:40:00")), NOTHING);
        late.update(&broken(), at("12:50:00"), |_| true);
        assert_eq!(server.serve(&mut late, at("13:00:00")), ["renewed HostnameMismatch 3"]);
    }

    #[test]
    fn an_end_between_two_leaders_is_told_once() {
        let (mut old, mut new, mut server) = (leader(), Ledger::default(), Server::default());
        for ledger in [&mut old, &mut new] {
            ledger.update(&broken(), at("12:00:00"), |_| true);
        }
        server.serve(&mut old, at("12:00:00"));
        // The old one is gone before it hears of it.
        new.update(&Notices::default(), at("12:00:10"), |_| true);
        new.lead(true);
        assert_eq!(server.serve(&mut new, at("12:00:30")), ["told HostnameMismatchResolved"]);
        // The other way round: the old one has reported it.
        let mut third = Ledger::default();
        third.update(&broken(), at("12:00:00"), |_| true);
        third.update(&Notices::default(), at("12:00:10"), |_| true);
        third.lead(true);
        assert_eq!(server.serve(&mut third, at("12:00:40")), NOTHING);
    }

    #[test]
    fn what_is_gone_or_left_by_its_owner_has_not_been_repaired() {
        let (mut ledger, mut server) = (leader(), Server::default());
        ledger.update(&broken(), at("12:00:00"), |_| true);
        server.serve(&mut ledger, at("12:00:00"));
        ledger.update(&Notices::default(), at("12:01:00"), |_| false);
        assert_eq!(server.serve(&mut ledger, at("12:01:00")), NOTHING);
        ledger.update(&broken(), at("12:02:00"), |_| true);
        server.serve(&mut ledger, at("12:02:00"));
        let mut left = finding("MV101", "blue", "no name matches");
        left.suppressed = Some("known".to_owned());
        ledger.update(&notices(&[left], "2026-11-27T12:03:00Z"), at("12:03:00"), |_| true);
        assert_eq!(server.serve(&mut ledger, at("12:03:00")), NOTHING);
    }

    #[test]
    fn a_namespace_that_refuses_is_left_alone_for_a_while_and_a_failure_stops_all() {
        let mut ledger = leader();
        ledger.update(&broken(), at("12:00:00"), |_| true);
        let post = ledger.due(at("12:00:00"), 10).remove(0);
        assert!(!ledger.done(&post, &Outcome::Going, at("11:59:00")), "in order");
        assert!(ledger.due(at("11:59:59"), 10).is_empty());
        assert_eq!(ledger.due(at("12:00:00"), 10).len(), 1);
        assert!(ledger.done(&post, &Outcome::Refused, at("12:00:00")), "news");
        assert!(ledger.due(at("12:09:59"), 10).is_empty());
        assert_eq!(ledger.due(at("12:10:00"), 10).len(), 1);
        ledger.done(&post, &Outcome::Failed, at("12:10:00"));
        assert!(ledger.due(at("12:10:14"), 10).is_empty());
        assert_eq!(ledger.due(at("12:10:15"), 10).len(), 1);
        // An Event that has ended meanwhile is written anew.
        ledger.done(&post, &Outcome::Done, at("12:10:15"));
        let renewal = ledger.due(at("12:40:15"), 10).remove(0);
        assert_eq!(renewal.act, Act::Renew(2));
        ledger.done(&renewal, &Outcome::Gone, at("12:40:15"));
        assert_eq!(ledger.due(at("12:40:15"), 10)[0].act, Act::Create);
    }
}
