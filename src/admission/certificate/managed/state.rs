//! What the Secret holds: the authority in use, the one that follows it, and the one before it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::ByteString;

use super::authority::{Authority, AuthorityError, Trusted};

const CURRENT: [&str; 2] = ["ca.crt", "ca.key"];
const NEXT: [&str; 2] = ["next.crt", "next.key"];
const PREVIOUS: &str = "previous.crt";

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
        Ok(Self { current: Arc::new(Authority::new(now, life)?), next: None, previous: None })
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
        Ok(Some(Self { current: pair(CURRENT)?, next, previous }))
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
        data
    }

    /// What callers have to trust.
    pub(super) fn bundle(&self) -> Vec<Trusted> {
        let next = self.next.as_ref().map(|next| next.certificate.clone());
        [Some(self.current.certificate.clone()), next, self.previous.clone()].into_iter().flatten().collect()
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
            return Ok(Some((Self { current: Arc::clone(next), next: None, previous }, Step::Replaced)));
        }
        if now >= self.current.ends {
            // It ended while no replica ran: nothing verifies by it any more.
            return Ok(Some((Self::new(now, life)?, Step::Ended)));
        }
        if asked || within_last_third(now, self.current.ends, life) {
            let next = Some(Arc::new(Authority::new(now, life)?));
            return Ok(Some((Self { next, ..self.clone() }, Step::Announced)));
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
        assert_eq!(keys(&state), ["ca.crt", "ca.key"]);
        let (state, _) = step(&state, now, true, true).expect("a step");
        assert_eq!(keys(&state), ["ca.crt", "ca.key", "next.crt", "next.key"]);
        assert_eq!(State::read(&state.write()).expect("readable").expect("a state").bundle(), state.bundle());
        let (state, _) = step(&state, now, false, true).expect("a step");
        assert_eq!(keys(&state), ["ca.crt", "ca.key", "previous.crt"]);
        assert_eq!(State::read(&state.write()).expect("readable").expect("a state").bundle(), state.bundle());
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
    }
}
