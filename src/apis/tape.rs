//! An object as it stands in its text, before anything of it has a type: one list of tokens.
//!
//! Every object is decoded by way of a tape, wherever it comes from. The types are then compiled for one decoder, not for each format
//! and each way to read it: a review runs through a third of the code, which is what it costs (caches hold it), and the program is
//! smaller by millions of bytes. Texts are borrowed from what was read; a value that nobody asks for is one step over its tokens.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::k8s::Step;

/// Deeper than any type goes. What is below is not looked at.
const DEEPEST: usize = 100;
/// As many tokens as most objects have.
const OF_AN_OBJECT: usize = 128;

/// In an object's metadata, and in its annotations: what nothing here reads.
const UNREAD: [Option<&str>; 3] =
    [None, Some("managedFields"), Some("kubectl.kubernetes.io/last-applied-configuration")];

/// One value, or the beginning of one that holds others.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'t> {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(Cow<'t, str>),
    /// A list, and where its values end.
    List(usize),
    /// An object, each value behind its key, and where they end.
    Object(usize),
    /// A value below the [`DEEPEST`].
    TooDeep,
}

/// The tokens of one value, in the order of its text.
#[derive(Debug, Default)]
pub(super) struct Tape<'t>(Vec<Token<'t>>);

impl<'t> Tape<'t> {
    /// Reads JSON text.
    ///
    /// # Errors
    /// It is no JSON: with line and column.
    pub(super) fn read(json: &'t [u8]) -> serde_json::Result<Self> {
        match std::str::from_utf8(json) {
            Ok(text) => {
                let mut text = serde_json::Deserializer::from_str(text);
                let tape = Self::deserialize(&mut text)?;
                text.end().map(|()| tape)
            }
            // Whoever reads bytes says where they are no text.
            Err(_) => serde_json::from_slice::<Value>(json).and(Err(Error::custom("no UTF-8"))),
        }
    }

    /// The same of a value.
    pub(super) fn of(value: &'t Value) -> Self {
        Self::deserialize(value).unwrap_or_default()
    }

    fn seed<'a>(&'a mut self) -> Push<'a, 't> {
        Push { tokens: &mut self.0, level: 0 }
    }

    /// A token; behind the last one, nothing.
    pub(super) fn token(&self, at: usize) -> &Token<'t> {
        self.0.get(at).unwrap_or(&Token::Null)
    }

    /// Where what follows a value is.
    pub(super) fn after(&self, at: usize) -> usize {
        match self.token(at) {
            Token::List(end) | Token::Object(end) => *end,
            _ => at + 1,
        }
    }

    /// The text of some field of some field.
    pub(super) fn text_at(&self, keys: &[&str]) -> Option<&str> {
        let place = keys.iter().try_fold(0, |object, wanted| {
            self.entries(object).find(|(key, _)| key == wanted).map(|(_, value)| value)
        })?;
        match self.token(place) {
            Token::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The fields of an object, each with its value's place; of anything else none.
    pub(super) fn entries(&self, object: usize) -> impl Iterator<Item = (&str, usize)> {
        let end = match self.token(object) {
            Token::Object(end) => *end,
            _ => object,
        };
        let mut at = object + 1;
        std::iter::from_fn(move || {
            let value = at + 1;
            let key = (value < end).then(|| self.token(at))?;
            at = self.after(value);
            match key {
                Token::Text(key) => Some((&**key, value)),
                _ => None,
            }
        })
    }

    /// The way from the root to a value.
    pub(super) fn way_to(&self, wanted: usize) -> Vec<Step> {
        let (mut steps, mut at) = (Vec::new(), 0);
        while at < wanted {
            let next = match self.token(at) {
                Token::List(end) => {
                    let items = std::iter::successors(Some(at + 1), |item| Some(self.after(*item)));
                    let mut items = items.take_while(|item| item < end).enumerate();
                    items.find(|(_, item)| wanted < self.after(*item)).map(|(index, item)| (Step::Index(index), item))
                }
                _ => {
                    let mut entries = self.entries(at);
                    let found = entries.find(|(_, value)| wanted < self.after(*value));
                    found.map(|(key, value)| (Step::Key(key.to_owned()), value))
                }
            };
            let Some((step, inside)) = next else { break };
            steps.push(step);
            at = inside;
        }
        steps
    }
}

impl<'de> Deserialize<'de> for Tape<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut tape = Self(Vec::with_capacity(OF_AN_OBJECT));
        tape.seed().deserialize(deserializer)?;
        Ok(tape)
    }
}

/// Reads one value onto a tape.
struct Push<'a, 't> {
    tokens: &'a mut Vec<Token<'t>>,
    level: usize,
}

impl<'t> Push<'_, 't> {
    fn one<E>(self, token: Token<'t>) -> Result<(), E> {
        self.tokens.push(token);
        Ok(())
    }

    fn inside(&mut self) -> Push<'_, 't> {
        Push { tokens: self.tokens, level: self.level + 1 }
    }

    /// Whether the key that was read last is of what the API server and kubectl keep for themselves: each as long as the whole object.
    fn is_unread(&self) -> bool {
        let unread = UNREAD.get(self.level).copied().flatten();
        matches!((self.tokens.last(), unread), (Some(Token::Text(key)), Some(unread)) if key == unread)
    }

    /// Says where what began at a place ends: here.
    fn close(self, began: usize, closed: fn(usize) -> Token<'t>) {
        let end = self.tokens.len();
        if let Some(token) = self.tokens.get_mut(began) {
            *token = closed(end);
        }
    }
}

impl<'de> DeserializeSeed<'de> for Push<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.level > DEEPEST {
            IgnoredAny::deserialize(deserializer)?;
            return self.one(Token::TooDeep);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Push<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.one(Token::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.one(Token::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.one(Token::Unsigned(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.one(Token::Signed(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.one(Token::Float(value))
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<(), E> {
        self.one(Token::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.one(Token::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let began = self.tokens.len();
        self.tokens.push(Token::Null);
        while items.next_element_seed(self.inside())?.is_some() {}
        self.close(began, Token::List);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        let began = self.tokens.len();
        self.tokens.push(Token::Null);
        while entries.next_key_seed(self.inside())?.is_some() {
            if self.is_unread() {
                self.tokens.pop();
                entries.next_value::<IgnoredAny>()?;
            } else {
                entries.next_value_seed(self.inside())?;
            }
        }
        self.close(began, Token::Object);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::k8s::FieldPath;

    #[test]
    fn text_and_value_make_the_same_tape() {
        let value = json!({"a": [1, -2, 0.5, null, true], "b": {"c": "d\n", "e": {}}, "f": []});
        let text = value.to_string();
        assert_eq!(Tape::read(text.as_bytes()).expect("JSON").0, Tape::of(&value).0);
    }

    #[test]
    fn each_value_knows_the_way_to_it() {
        let text = br#"{"a": [1, {"b": [[], 2]}], "c/d": {"e": "f"}}"#;
        let (tape, value) = (Tape::read(text).expect("JSON"), serde_json::from_slice::<Value>(text).expect("JSON"));
        let mut found = 0;
        for at in 0..tape.0.len() {
            let place: FieldPath = tape.way_to(at).iter().collect();
            let there = value.pointer(place.pointer());
            if let Token::Unsigned(number) = tape.token(at) {
                assert_eq!(there, Some(&json!(number)), "{place}");
                found += 1;
            }
        }
        assert_eq!(found, 2);
        assert_eq!(tape.text_at(&["c/d", "e"]), Some("f"));
        assert_eq!(
            (tape.text_at(&["a"]), tape.text_at(&["c/d", "x"]), tape.text_at(&["c/d", "e", "f"])),
            (None, None, None)
        );
    }

    #[test]
    fn what_is_too_deep_is_one_token() {
        for levels in [DEEPEST, DEEPEST + 1, 100_000] {
            let text = format!("[{}{}, 7]", "[".repeat(levels), "]".repeat(levels));
            let tape = Tape::read(text.as_bytes()).expect("JSON");
            assert!(tape.0.len() <= DEEPEST + 4);
            assert_eq!(tape.0.contains(&Token::TooDeep), levels > DEEPEST, "{levels}");
            assert_eq!(tape.0.last(), Some(&Token::Unsigned(7)));
        }
    }
}
