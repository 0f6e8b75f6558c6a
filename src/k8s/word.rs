//! Texts that facts keep many times over: the names of kinds, namespaces, keys and labels.

use std::borrow::Borrow;
use std::cell::RefCell;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use hashbrown::HashSet;
use serde::{Serialize, Serializer};

/// A text that is cheap to clone. Equal ones may share their memory.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(Arc<str>);

/// The most words that a thread keeps for others to share, and the longest of them. Beyond that it begins anew.
const MOST_KNOWN: usize = 1024;
const LONGEST_KNOWN: usize = 64;

thread_local! {
    static KNOWN: RefCell<HashSet<Arc<str>>> = RefCell::default();
}

impl Word {
    /// A word that others are likely to be equal to: they share it.
    pub fn shared(text: &str) -> Self {
        if text.len() > LONGEST_KNOWN {
            return text.into();
        }
        let known = KNOWN.try_with(|known| {
            let mut known = known.try_borrow_mut().ok()?;
            if let Some(word) = known.get(text) {
                return Some(Self(Arc::clone(word)));
            }
            if known.len() >= MOST_KNOWN {
                known.clear();
            }
            let word: Arc<str> = text.into();
            known.insert(Arc::clone(&word));
            Some(Self(word))
        });
        // Of a thread that ends.
        known.ok().flatten().unwrap_or_else(|| text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Word {
    /// A word of its own.
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Word {
    /// A word of its own.
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Word> for String {
    fn from(word: Word) -> Self {
        word.as_str().to_owned()
    }
}

impl Deref for Word {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Word {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Word {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Word {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for Word {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl PartialEq<String> for Word {
    fn eq(&self, other: &String) -> bool {
        **self == **other
    }
}

impl PartialEq<Word> for str {
    fn eq(&self, other: &Word) -> bool {
        *self == **other
    }
}

impl PartialEq<Word> for &str {
    fn eq(&self, other: &Word) -> bool {
        **self == **other
    }
}

impl PartialEq<Word> for String {
    fn eq(&self, other: &Word) -> bool {
        **self == **other
    }
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_words_share_their_text() {
        let is_one = |one: &Word, other: &Word| Arc::ptr_eq(&one.0, &other.0);
        assert!(is_one(&Word::shared("Secret"), &Word::shared("Secret")));
        let own = Word::from("Secret");
        assert!(own == Word::shared("Secret") && !is_one(&own, &Word::shared("Secret")));
        // However many others there are. Long ones don't.
        for number in 0..2 * MOST_KNOWN {
            assert_eq!(Word::shared(&number.to_string()), number.to_string());
        }
        assert!(is_one(&Word::shared("Secret"), &Word::shared("Secret")));
        let long = "x".repeat(LONGEST_KNOWN + 1);
        assert!(!is_one(&Word::shared(&long), &Word::shared(&long)));
    }
}
