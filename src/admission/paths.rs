//! The paths that reviews come by: those of the [entries](super::entries), as they are or each with a component that only the webhook
//! configuration tells.
//!
//! The API server presents no certificate unless somebody configures that, so that the path is what it has and others in the cluster
//! don't: whoever reads the configuration may change it too.

use std::collections::HashMap;
use std::fmt;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use ring::rand::SecureRandom as _;
use ring::{digest, hmac};
use zeroize::Zeroizing;

use crate::admission::entries::{ENTRIES, VALIDATE, VALIDATE_IGNORE};
use crate::text::hex;

/// How many bytes of a component are secret: 128 bits.
const COMPONENT: usize = 16;
/// How many random bytes the components are derived from.
const SEED: usize = 32;
/// How [`Door::Plain`] is written.
const PLAIN: &str = "plain";

/// How a path is made of an entry's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// It stays as it is: whoever reaches the port can ask.
    Plain,
    /// Another component is added, which each entry derives from the same secret.
    Secret(PathSecret),
    /// This component is added to each.
    Fixed(PathComponent),
}

/// What the components of all paths are derived from.
#[derive(Clone, PartialEq, Eq)]
pub struct PathSecret {
    seed: Zeroizing<[u8; SEED]>,
    made: Timestamp,
}

/// A component that somebody has chosen.
#[derive(Clone, PartialEq, Eq)]
pub struct PathComponent(Zeroizing<String>);

/// Never shows it.
impl fmt::Debug for PathSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PathSecret").field("made", &self.made).finish_non_exhaustive()
    }
}

/// Never shows it.
impl fmt::Debug for PathComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PathComponent").finish_non_exhaustive()
    }
}

impl PathSecret {
    /// Another one. None where the system has no randomness.
    pub(crate) fn new(now: Timestamp) -> Option<Self> {
        let mut seed = Zeroizing::new([0; SEED]);
        ring::rand::SystemRandom::new().fill(&mut *seed).ok()?;
        // As it is written: whole seconds.
        Some(Self { seed, made: Timestamp::from_second(now.as_second()).ok()? })
    }

    /// When it was made.
    pub(crate) fn made(&self) -> Timestamp {
        self.made
    }

    fn component(&self, path: &str) -> String {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &*self.seed), path.as_bytes());
        hex(&tag.as_ref()[..COMPONENT])
    }
}

impl PathComponent {
    /// From a text of 22 to 128 letters, digits, `-` and `_`: 22 of them, if random, are 128 bits.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_one = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        ((22..=128).contains(&text.len()) && text.chars().all(is_one)).then(|| Self(Zeroizing::new(text.to_owned())))
    }
}

impl Door {
    /// The path in place of an entry's own.
    pub(crate) fn path(&self, own: &str) -> String {
        match self {
            Self::Plain => own.to_owned(),
            Self::Secret(secret) => format!("{own}/{}", secret.component(own)),
            Self::Fixed(component) => format!("{own}/{}", *component.0),
        }
    }

    /// As text, for [`Door::read`]; a chosen component isn't kept this way.
    pub(crate) fn write(&self) -> Zeroizing<String> {
        Zeroizing::new(match self {
            Self::Secret(secret) => format!("{} {}", hex(&*secret.seed), secret.made),
            Self::Plain | Self::Fixed(_) => PLAIN.to_owned(),
        })
    }

    /// Reads what was written.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?.trim();
        if text == PLAIN {
            return Some(Self::Plain);
        }
        let (digits, made) = text.split_once(' ')?;
        let mut seed = Zeroizing::new([0; SEED]);
        if digits.len() != 2 * SEED || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        for (place, byte) in seed.iter_mut().enumerate() {
            *byte = u8::from_str_radix(digits.get(2 * place..2 * place + 2)?, 16).ok()?;
        }
        Some(Self::Secret(PathSecret { seed, made: made.parse().ok()? }))
    }
}

/// The paths of all entries.
fn own_paths() -> impl Iterator<Item = &'static str> {
    [VALIDATE, VALIDATE_IGNORE].into_iter().chain(ENTRIES.iter().map(|entry| entry.path))
}

/// The entry's own path, where this one is made of it in any way: what comes after it isn't looked at.
pub(crate) fn own_path(path: &str) -> Option<&'static str> {
    let is_of = |own: &&str| path == *own || path.strip_prefix(*own).is_some_and(|rest| rest.starts_with('/'));
    own_paths().filter(is_of).max_by_key(|own| own.len())
}

/// Whether what comes after an entry's own path is a component: one that meshvet made, or one that somebody chose.
pub(crate) fn has_component(path: &str) -> bool {
    let own = own_path(path).unwrap_or_default();
    path.strip_prefix(own).and_then(|rest| rest.strip_prefix('/')).is_some_and(|it| PathComponent::of(it).is_some())
}

/// Where reviews are taken: swapped whole while requests come.
///
/// A path is looked up by its digest, so that the time that takes says nothing about how much of it was right.
#[derive(Debug)]
pub struct Paths(ArcSwap<HashMap<[u8; 32], &'static str>>);

impl Paths {
    /// Takes reviews by these doors.
    pub fn of(doors: &[Door]) -> Self {
        let paths = Self(ArcSwap::default());
        paths.serve(doors);
        paths
    }

    /// Takes reviews by these doors from now on.
    pub(crate) fn serve(&self, doors: &[Door]) {
        let of_door = |door: &Door| own_paths().map(|own| (digest(&door.path(own)), own)).collect::<Vec<_>>();
        self.0.store(doors.iter().flat_map(of_door).collect::<HashMap<_, _>>().into());
    }

    /// The entry's own path, where reviews are taken at this one.
    pub(crate) fn at(&self, path: &str) -> Option<&'static str> {
        self.0.load().get(&digest(path)).copied()
    }
}

fn digest(path: &str) -> [u8; 32] {
    digest::digest(&digest::SHA256, path.as_bytes()).as_ref().try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Door {
        Door::Secret(PathSecret::new(Timestamp::now()).expect("randomness"))
    }

    #[test]
    fn each_entry_has_a_component_of_its_own() {
        let door = secret();
        let all: std::collections::BTreeSet<String> = own_paths().map(|own| door.path(own)).collect();
        let own: std::collections::BTreeSet<&str> = own_paths().collect();
        assert_eq!(all.len(), own.len());
        let component = |path: &String| path.rsplit('/').next().unwrap_or_default().to_owned();
        let components: std::collections::BTreeSet<String> = all.iter().map(component).collect();
        assert_eq!(components.len(), own.len());
        assert!(components.iter().all(|it| it.len() == 32), "{components:?}");
        for path in &all {
            assert!(has_component(path), "{path}");
            assert!(own_path(path).is_some_and(|own| path.starts_with(own)), "{path}");
        }
        assert_eq!(own_path("/validate/ignore/abc"), Some(VALIDATE_IGNORE));
        assert_eq!((own_path("/validates"), own_path("/elsewhere")), (None, None));
        assert!(!has_component("/validate") && !has_component("/validate/ignore"));
    }

    #[test]
    fn only_the_doors_that_are_open_are_taken() {
        let [old, new] = [secret(), secret()];
        let paths = Paths::of(&[old.clone(), new.clone()]);
        for own in own_paths() {
            assert_eq!(paths.at(&old.path(own)), Some(own));
            assert_eq!(paths.at(&new.path(own)), Some(own));
            assert_eq!(paths.at(own), None);
        }
        // One entry's component is no other's.
        let other = old.path("/secrets").replace("/secrets", VALIDATE);
        assert_eq!(paths.at(&other), None);
        paths.serve(std::slice::from_ref(&new));
        assert_eq!((paths.at(&old.path(VALIDATE)), paths.at(&new.path(VALIDATE))), (None, Some(VALIDATE)));
        assert_eq!(Paths::of(&[Door::Plain]).at(VALIDATE_IGNORE), Some(VALIDATE_IGNORE));
    }

    #[test]
    fn a_door_is_read_back_and_never_shown() {
        for door in [secret(), Door::Plain] {
            assert_eq!(Door::read(door.write().as_bytes()), Some(door));
        }
        let door = secret();
        let shown = format!("{door:?}");
        assert!(!shown.contains(&door.write()[..8]), "{shown}");
        for broken in
            ["", "plainer", "00 2026-11-28T00:00:00Z", &"0".repeat(64), &("g".repeat(64) + " 2026-11-28T00:00:00Z")]
        {
            assert_eq!(Door::read(broken.as_bytes()), None, "{broken}");
        }
        for (text, good) in
            [("short", false), (&"a".repeat(22), true), (&"a/".repeat(11), false), (&"a".repeat(129), false)]
        {
            assert_eq!(PathComponent::of(text).is_some(), good, "{text}");
        }
    }
}
