//! What the Secret holds: the authority in use, the one that follows it, and the one before it; and the same of what the paths of
//! reviews are made with.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::ByteString;

use super::authority::{Authority, AuthorityError, Trusted};
use crate::admission::paths::{Door, PathSecret};

const CURRENT: [&str; 2] = ["ca.crt", "ca.key"];
const NEXT: [&str; 2] = ["next.crt", "next.key"];
const PREVIOUS: &str = "previous.crt";
const PATH: &str = "path";
const NEXT_PATH: &str = "next.path";
const PREVIOUS_PATH: &str = "previous.path";

/// The authorities, as all replicas share them.
///
/// An authority is replaced in two steps, so that callers trust both throughout: first it gets a successor, which only joins the
/// bundle; once every caller has heard of the bundle, the successor issues and the old certificate stays trusted until its end.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// Issues the leaves.
    pub(super) current: Arc<Authority>,
    /// Will issue them, once it is trusted everywhere.
    pub(super) next: Option<Arc<Authority>>,
    /// Issued them before. Its key is gone.
    pub(super) previous: Option<Trusted>,
    /// Where reviews come.
    pub(super) doors: Doors,
}

/// Where reviews come. Replaced as an authority is: the next is open before anybody is sent there, and the one before it stays open
/// until nobody is any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Doors {
    pub(super) current: Door,
    pub(super) next: Option<Door>,
    pub(super) previous: Option<Door>,
}

impl Doors {
    fn new(now: Timestamp) -> Result<Self, AuthorityError> {
        Ok(Self { current: Self::another(now)?, next: None, previous: None })
    }

    fn another(now: Timestamp) -> Result<Door, AuthorityError> {
        PathSecret::new(now).map(Door::Secret).ok_or(AuthorityError::NoRandomness)
    }

    /// Those that are open.
    pub(super) fn open(&self) -> Vec<Door> {
        [Some(&self.current), self.next.as_ref(), self.previous.as_ref()].into_iter().flatten().cloned().collect()
    }

    /// Whether the current one is to be replaced: an installation from before there were any has the plain paths.
    fn is_due(&self, now: Timestamp, life: Duration) -> bool {
        match &self.current {
            Door::Secret(secret) => Duration::try_from(now.duration_since(secret.made())).unwrap_or_default() >= life,
            Door::Plain | Door::Fixed(_) => true,
        }
    }

    /// The doors that follow at `now`, where a door is used for `life`; None when these stay. `known`: whether every replica has
    /// heard of one; `unused`: whether nobody is sent to one any more.
    fn advance(
        &self,
        now: Timestamp,
        life: Duration,
        known: impl Fn(&Self, &Door) -> bool,
        unused: impl Fn(&Door) -> bool,
    ) -> Result<Option<(Self, Step)>, AuthorityError> {
        if let Some(next) = &self.next {
            let replaced = || Self { current: next.clone(), next: None, previous: Some(self.current.clone()) };
            return Ok(known(self, next).then(|| (replaced(), Step::PathsReplaced)));
        }
        if let Some(previous) = &self.previous {
            return Ok(unused(previous).then(|| (Self { previous: None, ..self.clone() }, Step::PathsForgot)));
        }
        if self.is_due(now, life) {
            return Ok(Some((Self { next: Some(Self::another(now)?), ..self.clone() }, Step::PathsAnnounced)));
        }
        Ok(None)
    }
}

/// A key of the Secret that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("key {key} {error}")]
pub(super) struct Unreadable {
    key: &'static str,
    error: AuthorityError,
}

impl State {
    /// A first authority.
    pub(super) fn new(now: Timestamp, life: Duration) -> Result<Self, AuthorityError> {
        let doors = Doors::new(now)?;
        Ok(Self { current: Arc::new(Authority::new(now, life)?), next: None, previous: None, doors })
    }

    /// Reads the data of a Secret; None when it holds nothing.
    pub(super) fn read(data: &BTreeMap<String, ByteString>) -> Result<Option<Self>, Unreadable> {
        if data.is_empty() {
            return Ok(None);
        }
        let bytes = |key: &str| data.get(key).map_or(&[][..], |value| &value.0);
        let pair = |[certificate, key]: [&'static str; 2]| {
            Authority::from_pem(bytes(certificate), bytes(key)).map(Arc::new).map_err(|error| Unreadable {
                key: if matches!(error, AuthorityError::NoKey) { key } else { certificate },
                error,
            })
        };
        let next = if data.contains_key(NEXT[0]) { Some(pair(NEXT)?) } else { None };
        let previous = match data.get(PREVIOUS) {
            None => None,
            Some(pem) => {
                let unreadable = || Unreadable { key: PREVIOUS, error: AuthorityError::NoCertificate };
                Some(Trusted::from_pem(&pem.0).ok_or_else(unreadable)?)
            }
        };
        let door = |key: &'static str| match data.get(key) {
            None => Ok(None),
            Some(text) => {
                let unreadable = || Unreadable { key, error: AuthorityError::NoPath };
                Door::read(&text.0).map(Some).ok_or_else(unreadable)
            }
        };
        let current = door(PATH)?.unwrap_or(Door::Plain);
        let doors = Doors { current, next: door(NEXT_PATH)?, previous: door(PREVIOUS_PATH)? };
        Ok(Some(Self { current: pair(CURRENT)?, next, previous, doors }))
    }

    /// The data of the Secret.
    pub(super) fn write(&self) -> BTreeMap<String, ByteString> {
        let mut data = BTreeMap::new();
        let mut put = |key: &str, text: &str| data.insert(key.to_owned(), ByteString(text.as_bytes().to_vec()));
        put(CURRENT[0], &self.current.certificate.pem);
        put(CURRENT[1], self.current.key_pem());
        if let Some(next) = &self.next {
            put(NEXT[0], &next.certificate.pem);
            put(NEXT[1], next.key_pem());
        }
        if let Some(previous) = &self.previous {
            put(PREVIOUS, &previous.pem);
        }
        put(PATH, &self.doors.current.write());
        for (key, door) in [(NEXT_PATH, &self.doors.next), (PREVIOUS_PATH, &self.doors.previous)] {
            if let Some(door) = door {
                put(key, &door.write());
            }
        }
        data
    }

    /// What callers have to trust.
    pub(super) fn bundle(&self) -> Vec<Trusted> {
        let next = self.next.as_ref().map(|next| next.certificate.clone());
        [Some(self.current.certificate.clone()), next, self.previous.clone()].into_iter().flatten().collect()
    }

    /// The state with the doors that follow: see [`Doors`].
    pub(super) fn advance_doors(
        &self,
        now: Timestamp,
        life: Duration,
        known: impl Fn(&Doors, &Door) -> bool,
        unused: impl Fn(&Door) -> bool,
    ) -> Result<Option<(Self, Step)>, AuthorityError> {
        let next = self.doors.advance(now, life, known, unused)?;
        Ok(next.map(|(doors, step)| (Self { doors, ..self.clone() }, step)))
    }

    /// The state that follows at `now` where authorities live for `life`; None when this one stays. `asked`: somebody wants
    /// another authority. `trusted`: whether every caller trusts a certificate.
    pub(super) fn advance(
        &self,
        now: Timestamp,
        life: Duration,
        asked: bool,
        trusted: impl Fn(&Trusted) -> bool,
    ) -> Result<Option<(Self, Step)>, AuthorityError> {
        if let Some(next) = &self.next {
            if !trusted(&next.certificate) {
                return Ok(None);
            }
            let previous = Some(self.current.certificate.clone());
            let replaced = Self { current: Arc::clone(next), next: None, previous, ..self.clone() };
            return Ok(Some((replaced, Step::Replaced)));
        }
        if now >= self.current.ends {
            // It ended while no replica ran: nothing verifies by it any more.
            return Ok(Some((Self { doors: self.doors.clone(), ..Self::new(now, life)? }, Step::Ended)));
        }
        if asked || within_last_third(now, self.current.ends, life) {
            let next = Some(Arc::new(Authority::new(now, life)?));
            let mut doors = self.doors.clone();
            if asked && doors.next.is_none() && doors.previous.is_none() {
                doors.next = Some(Doors::another(now)?);
            }
            return Ok(Some((Self { next, doors, ..self.clone() }, Step::Announced)));
        }
        if self.previous.as_ref().is_some_and(|previous| now >= previous.ends()) {
            return Ok(Some((Self { previous: None, ..self.clone() }, Step::Forgot)));
        }
        Ok(None)
    }
}

/// What a new state brings, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A successor is to be trusted.
    Announced,
    /// The successor issues from now on.
    Replaced,
    /// The authority had ended, and another was made.
    Ended,
    /// The one before it has ended.
    Forgot,
    /// Other paths are open.
    PathsAnnounced,
    /// Reviews are sent there from now on.
    PathsReplaced,
    /// The paths before them are closed.
    PathsForgot,
}

/// Whether two thirds of a life have gone by.
pub(super) fn within_last_third(now: Timestamp, ends: Timestamp, life: Duration) -> bool {
    let left = Duration::try_from(ends.duration_since(now)).unwrap_or_default();
    left < life / 3
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    const LIFE: Duration = Duration::from_secs(300);

    #[track_caller]
    fn step(state: &State, now: Timestamp, asked: bool, trusted: bool) -> Option<(State, Step)> {
        state.advance(now, LIFE, asked, |_| trusted).expect("a step")
    }

    #[track_caller]
    fn doors_step(state: &State, now: Timestamp, known: bool, unused: bool) -> Option<(State, Step)> {
        state.advance_doors(now, LIFE, |_, _| known, |_| unused).expect("a step")
    }

    #[test]
    fn paths_are_replaced_with_an_overlap() {
        let now = Timestamp::now();
        let first = State::new(now, LIFE).expect("an authority");
        assert!(doors_step(&first, now + 290.seconds(), true, true).is_none(), "before the end of its life");
        let (second, what) = doors_step(&first, now + 301.seconds(), true, true).expect("a step");
        assert_eq!((what, &second.doors.current), (Step::PathsAnnounced, &first.doors.current));
        assert_eq!(second.doors.open().len(), 2);
        assert!(
            doors_step(&second, now + 301.seconds(), false, true).is_none(),
            "not before every replica has heard of them"
        );
        let (third, what) = doors_step(&second, now + 302.seconds(), true, false).expect("a step");
        assert_eq!((what, Some(&third.doors.current)), (Step::PathsReplaced, second.doors.next.as_ref()));
        assert_eq!(third.doors.previous.as_ref(), Some(&first.doors.current), "still open");
        assert!(doors_step(&third, now + 900.seconds(), true, false).is_none(), "somebody is sent there");
        let (fourth, what) = doors_step(&third, now + 303.seconds(), true, true).expect("a step");
        assert_eq!((what, fourth.doors.open()), (Step::PathsForgot, vec![third.doors.current.clone()]));
    }

    #[test]
    fn plain_paths_of_an_older_installation_are_replaced() {
        let now = Timestamp::now();
        let mut state = State::new(now, LIFE).expect("an authority");
        state.doors = Doors { current: Door::Plain, next: None, previous: None };
        let (state, what) = doors_step(&state, now, false, false).expect("a step");
        assert_eq!((what, &state.doors.current), (Step::PathsAnnounced, &Door::Plain));
        let (state, _) = doors_step(&state, now, true, false).expect("a step");
        assert_eq!(state.doors.previous, Some(Door::Plain));
    }

    #[test]
    fn an_authority_is_replaced_with_an_overlap() {
        let now = Timestamp::now();
        let first = State::new(now, LIFE).expect("an authority");
        assert!(step(&first, now + 199.seconds(), false, true).is_none(), "before two thirds of its life");

        let due = now + 201.seconds();
        let (second, what) = step(&first, due, false, true).expect("a step");
        assert_eq!(what, Step::Announced);
        assert_eq!(second.current.certificate, first.current.certificate, "the old one issues");
        assert_eq!(second.bundle().len(), 2, "both are trusted");
        assert!(step(&second, due, true, false).is_none(), "not before the new one is trusted");

        let (third, what) = step(&second, due, false, true).expect("a step");
        assert_eq!(what, Step::Replaced);
        let next = second.next.expect("a successor");
        assert_eq!(third.current.certificate, next.certificate);
        assert_eq!(third.bundle(), [next.certificate.clone(), first.current.certificate.clone()]);
        assert!(step(&third, due, false, true).is_none(), "the old one stays trusted");

        let (fourth, what) = step(&third, first.current.ends, false, true).expect("a step");
        assert_eq!((what, fourth.bundle()), (Step::Forgot, vec![next.certificate.clone()]));
    }

    #[test]
    fn an_authority_is_replaced_when_asked_or_ended() {
        let now = Timestamp::now();
        let state = State::new(now, LIFE).expect("an authority");
        assert_eq!(step(&state, now, true, true).expect("a step").1, Step::Announced);
        let (other, what) = step(&state, now + 400.seconds(), false, false).expect("a step");
        assert_eq!((what, other.bundle().len()), (Step::Ended, 1));
        assert_ne!(other.current.certificate, state.current.certificate);
    }

    #[test]
    fn the_secret_holds_all_of_it_and_is_read_back() {
        let now = Timestamp::now();
        let state = State::new(now, LIFE).expect("an authority");
        let keys = |state: &State| state.write().into_keys().collect::<Vec<_>>();
        assert_eq!(keys(&state), ["ca.crt", "ca.key", "path"]);
        let (state, _) = step(&state, now, true, true).expect("a step");
        assert_eq!(keys(&state), ["ca.crt", "ca.key", "next.crt", "next.key", "next.path", "path"]);
        assert_eq!(State::read(&state.write()).expect("readable").expect("a state").bundle(), state.bundle());
        let (state, _) = step(&state, now, false, true).expect("a step");
        let (state, _) = doors_step(&state, now, true, true).expect("a step");
        assert_eq!(keys(&state), ["ca.crt", "ca.key", "path", "previous.crt", "previous.path"]);
        let read = State::read(&state.write()).expect("readable").expect("a state");
        assert_eq!((read.bundle(), &read.doors), (state.bundle(), &state.doors));
        // From before there were any.
        let mut older = state.write();
        older.retain(|key, _| !key.contains("path"));
        assert_eq!(State::read(&older).expect("readable").expect("a state").doors.open(), [Door::Plain]);
        assert!(State::read(&BTreeMap::new()).expect("empty").is_none());
    }

    #[test]
    fn a_secret_that_cant_be_read_names_the_key() {
        let state = State::new(Timestamp::now(), LIFE).expect("an authority");
        for (key, words) in [("ca.crt", "key ca.crt has no certificate"), ("ca.key", "key ca.key has no private key")] {
            let mut data = state.write();
            data.insert(key.to_owned(), ByteString(b"hush".to_vec()));
            let error = State::read(&data).expect_err("unreadable").to_string();
            assert!(error.contains(words) && !error.contains("hush"), "{error}");
        }
        let mut data = state.write();
        data.insert("previous.crt".to_owned(), ByteString(b"hush".to_vec()));
        assert!(State::read(&data).expect_err("unreadable").to_string().contains("previous.crt"));
        let mut data = state.write();
        data.insert("path".to_owned(), ByteString(b"hush".to_vec()));
        let error = State::read(&data).expect_err("unreadable").to_string();
        assert!(error.contains("key path") && !error.contains("hush"), "{error}");
    }
}
