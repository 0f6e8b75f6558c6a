//! Which problems have been reported, and what to report next. Pure: no I/O, no clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::watch::notice::{Identity, Notice, Notices};

/// The renewal interval. An Event lives for an hour by default, from its last write.
const RENEWED: SignedDuration = SignedDuration::from_mins(30);
/// How long to wait if a namespace refuses Events: a right is missing.
const REFUSED: SignedDuration = SignedDuration::from_mins(10);
/// How long to wait if it is being deleted: another one with its name may follow.
const GOING: SignedDuration = SignedDuration::from_mins(1);
/// How long to wait after any other failure.
const FAILED: SignedDuration = SignedDuration::from_secs(15);
/// How long to wait for a missing object to appear: watches lag by seconds if the API server is busy.
const FOLLOWS: SignedDuration = SignedDuration::from_secs(5);
/// How long a replica without the Lease remembers ended problems: until the holder has certainly reported them, or it becomes the holder.
const REMEMBERED: SignedDuration = SignedDuration::from_secs(60);

type Key = (String, String);

/// What has been reported.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: BTreeMap<Key, Entry>,
    /// Namespaces that refuse Events now, with the time until which they aren't tried again.
    refused: BTreeMap<String, Timestamp>,
    /// Nothing is tried before this time: the API server doesn't answer.
    paused: Option<Timestamp>,
    leads: bool,
    /// Whether there has been an update since this replica took the Lease.
    has_heard: bool,
}

#[derive(Debug)]
struct Entry {
    notice: Arc<Notice>,
    /// Whether it appeared while this replica held the Lease: if its Event exists already, it has happened again.
    fresh: bool,
    state: State,
    /// When it was added to the ledger.
    since: Timestamp,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Not reported yet, as far as is known.
    New,
    /// Its Event exists, written by another replica.
    There,
    /// Its Event has been written `count` times, and is due again at this time.
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
    /// Create it.
    Create,
    /// Get its count and the time of its last write.
    Look,
    /// Write that the problem persists, with this count.
    Renew(i32),
}

/// The result of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Done.
    Done,
    /// It exists already.
    Exists,
    /// Its count and last write.
    Seen { count: i32, last: Timestamp },
    /// It no longer exists.
    Gone,
    /// Its namespace refuses Events.
    Refused,
    /// Its namespace is being deleted, or is gone: not an error.
    Going,
    /// The API server rejects the Event itself.
    Invalid,
    /// Unknown.
    Failed,
}

impl Ledger {
    /// Notes whether this replica holds the Lease. A new holder doesn't know what others have reported.
    pub(super) fn lead(&mut self, leads: bool) {
        if self.leads != leads {
            self.leads = leads;
            self.has_heard = false;
            for entry in self.entries.values_mut() {
                (entry.fresh, entry.state) = (false, State::New);
            }
        }
    }

    /// Takes over the current problems. `is_there`: whether an object still exists.
    pub(super) fn update(&mut self, notices: &Notices, now: Timestamp, is_there: impl Fn(&Notice) -> bool) {
        let current: BTreeSet<&Identity> = notices.all.values().map(|notice| &notice.identity).collect();
        let mut ends = Vec::new();
        self.entries.retain(|key, entry| {
            let notice = &entry.notice;
            if notice.is_end {
                // It has returned before its end was reported.
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

    /// What to do next, at most `most` requests.
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
        // New problems first.
        posts.sort_by_key(|post| !matches!(post.act, Act::Create));
        posts.truncate(most);
        posts
    }

    /// Notes the result of a request; true if a namespace refuses Events and didn't before.
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
        // The end of a problem is reported once, and again only if the problem has ended again.
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

    /// The API server's Events by name, with their counts.
    #[derive(Default)]
    struct Server(BTreeMap<Key, (i32, Timestamp)>);

    impl Server {
        /// Serves all due requests, and returns them in words.
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
        // Only the watch was late.
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
        // The old holder is gone before it notices.
        new.update(&Notices::default(), at("12:00:10"), |_| true);
        new.lead(true);
        assert_eq!(server.serve(&mut new, at("12:00:30")), ["told HostnameMismatchResolved"]);
        // The other way round: the old holder has reported it.
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
        // An expired Event is created again.
        ledger.done(&post, &Outcome::Done, at("12:10:15"));
        let renewal = ledger.due(at("12:40:15"), 10).remove(0);
        assert_eq!(renewal.act, Act::Renew(2));
        ledger.done(&renewal, &Outcome::Gone, at("12:40:15"));
        assert_eq!(ledger.due(at("12:40:15"), 10)[0].act, Act::Create);
    }
}
