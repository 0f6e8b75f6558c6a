//! From a tape to an object of a type: the one decoder that all types of objects are compiled for.
//!
//! It reads objects as the API server does, where a derived `Deserialize` alone would not. A field that is `null` is absent: templates
//! leave `backends: null` behind, and the API server drops it before it looks (apiextensions-apiserver,
//! `PruneNonNullableNullsWithoutDefaults`). And a list is no object, whose fields would else be taken from it in the order of their
//! declaration.

use std::cell::{Cell, RefCell};

use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde_json::Error;

use crate::apis::DecodeError;
use crate::apis::tape::{Tape, Token};

/// An object of a type, and the places of the fields that the type doesn't know, in the order of the text.
pub(super) struct Typed<T> {
    pub(super) object: T,
    pub(super) unknown: Vec<usize>,
}

/// Decodes what a tape holds.
///
/// # Errors
/// The place of a value of the wrong type.
pub(super) fn typed<T: DeserializeOwned>(tape: &Tape<'_>) -> Result<Typed<T>, DecodeError> {
    let reading = Reading { tape, unknown: RefCell::default(), failed: Cell::new(None) };
    match T::deserialize(reading.value(0, false)) {
        Ok(object) => Ok(Typed { object, unknown: reading.unknown.into_inner() }),
        Err(error) => {
            let place = reading.failed.get().unwrap_or_default();
            Err(DecodeError::new(tape.way_to(place).iter().collect(), &error.to_string()))
        }
    }
}

/// A tape that is being read.
struct Reading<'t> {
    tape: &'t Tape<'t>,
    /// The fields that nobody asked for.
    unknown: RefCell<Vec<usize>>,
    /// The innermost value that couldn't be read.
    failed: Cell<Option<usize>>,
}

impl<'t> Reading<'t> {
    fn value<'r>(&'r self, at: usize, is_field: bool) -> Place<'r, 't> {
        Place { reading: self, at, is_field }
    }

    /// Reads a value, and notes where that fails first.
    fn read<'r, S: DeserializeSeed<'t>>(&'r self, seed: S, at: usize, is_field: bool) -> Result<S::Value, Error> {
        let read = seed.deserialize(self.value(at, is_field));
        if read.is_err() && self.failed.get().is_none() {
            self.failed.set(Some(at));
        }
        read
    }
}

/// A value on a tape.
#[derive(Clone, Copy)]
struct Place<'r, 't> {
    reading: &'r Reading<'t>,
    at: usize,
    /// Whether it is the field of an object of a type. In a list `null` is an error.
    is_field: bool,
}

impl<'r, 't> Place<'r, 't> {
    fn token(self) -> &'t Token<'t> {
        self.reading.tape.token(self.at)
    }

    /// Whether the value is to be taken for an empty one.
    fn is_absent(self) -> bool {
        self.is_field && *self.token() == Token::Null
    }

    fn inside(self, end: usize, of_type: bool) -> Inside<'r, 't> {
        Inside { reading: self.reading, at: self.at + 1, end, of_type }
    }

    fn empty(self) -> Inside<'r, 't> {
        self.inside(self.at + 1, false)
    }

    fn wrong(self, visitor: &dyn serde::de::Expected) -> Error {
        let found = match self.token() {
            Token::Null => Unexpected::Unit,
            Token::Bool(value) => Unexpected::Bool(*value),
            Token::Unsigned(value) => Unexpected::Unsigned(*value),
            Token::Signed(value) => Unexpected::Signed(*value),
            Token::Float(value) => Unexpected::Float(*value),
            Token::Text(text) => Unexpected::Str(text),
            Token::List(_) => Unexpected::Seq,
            Token::Object(_) => Unexpected::Map,
            Token::TooDeep => return too_deep(),
        };
        Error::invalid_type(found, visitor)
    }
}

fn too_deep() -> Error {
    Error::custom("nested too deeply")
}

macro_rules! integers {
    ($($method:ident)+) => {$(
        fn $method<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.token() {
                Token::Unsigned(value) => visitor.visit_u64(*value),
                Token::Signed(value) => visitor.visit_i64(*value),
                Token::Null if self.is_field => visitor.visit_i64(0),
                _ => Err(self.wrong(&visitor)),
            }
        }
    )+};
}

impl<'t> Deserializer<'t> for Place<'_, 't> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.token() {
            Token::Null => visitor.visit_unit(),
            Token::Bool(value) => visitor.visit_bool(*value),
            Token::Unsigned(value) => visitor.visit_u64(*value),
            Token::Signed(value) => visitor.visit_i64(*value),
            Token::Float(value) => visitor.visit_f64(*value),
            Token::Text(text) => visitor.visit_borrowed_str(text),
            Token::List(end) => visitor.visit_seq(self.inside(*end, false)),
            Token::Object(end) => visitor.visit_map(self.inside(*end, false)),
            Token::TooDeep => Err(too_deep()),
        }
    }

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    fn deserialize_str<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.token() {
            Token::Text(text) => visitor.visit_borrowed_str(text),
            Token::Null if self.is_field => visitor.visit_borrowed_str(""),
            _ => Err(self.wrong(&visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.token() {
            Token::Null => visitor.visit_none(),
            _ => visitor.visit_some(Self { is_field: false, ..self }),
        }
    }

    fn deserialize_seq<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.token() {
            Token::List(end) => visitor.visit_seq(self.inside(*end, false)),
            _ if self.is_absent() => visitor.visit_seq(self.empty()),
            _ => Err(self.wrong(&visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.token() {
            Token::Object(end) => visitor.visit_map(self.inside(*end, false)),
            _ if self.is_absent() => visitor.visit_map(self.empty()),
            _ => Err(self.wrong(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.token() {
            Token::Object(end) => visitor.visit_map(self.inside(*end, true)),
            _ if self.is_absent() => visitor.visit_map(self.empty()),
            _ => Err(self.wrong(&visitor)),
        }
    }

    fn deserialize_enum<V: Visitor<'t>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.token() {
            Token::Text(text) => visitor.visit_enum(BorrowedStrDeserializer::new(text)),
            Token::Object(end) => visitor.visit_enum(MapAccessDeserializer::new(self.inside(*end, false))),
            _ => Err(self.wrong(&visitor)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        self.reading.unknown.borrow_mut().push(self.at);
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        <V: Visitor<'t>>
        bool i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

/// The values of a list, or the keys and values of an object.
struct Inside<'r, 't> {
    reading: &'r Reading<'t>,
    at: usize,
    end: usize,
    /// Whether they are the fields of an object of a type.
    of_type: bool,
}

impl<'t> Inside<'_, 't> {
    fn next<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let at = self.at;
        self.at = self.reading.tape.after(at);
        self.reading.read(seed, at, self.of_type)
    }
}

impl<'t> SeqAccess<'t> for Inside<'_, 't> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        if self.at < self.end { self.next(seed).map(Some) } else { Ok(None) }
    }
}

impl<'t> MapAccess<'t> for Inside<'_, 't> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        match self.reading.tape.token(self.at) {
            Token::Text(key) if self.at < self.end => {
                self.at += 1;
                seed.deserialize(BorrowedStrDeserializer::new(key)).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<S::Value, Error> {
        self.next(seed)
    }
}
