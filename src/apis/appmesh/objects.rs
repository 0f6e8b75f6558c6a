//! Reads objects as the API server does: `null` is absent, and a list is no object.
//!
//! A derived `Deserialize` knows neither. It refuses `backends: null`, which templates leave behind and the API server
//! drops before it looks (apiextensions-apiserver, `PruneNonNullableNullsWithoutDefaults`); and it reads a struct from a
//! list too, field by field in the order of declaration, so that `clientPolicy: [{tls: …}]` would decode to a policy
//! without what is in it.

use std::cell::Cell;
use std::fmt;
use std::iter::empty;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Unexpected, Visitor};

/// A deserializer that refuses lists where structs are asked for, and takes `null` for an empty value in their fields.
pub(super) struct Objects<'w, D> {
    deserializer: D,
    /// Whether the value is a struct's field. In a list `null` is an error.
    is_field: bool,
    watch: Watch<'w>,
}

impl<'w, D> Objects<'w, D> {
    pub(super) fn new(deserializer: D) -> Self {
        Self { deserializer, is_field: false, watch: Watch::Off }
    }

    /// The same, which sets `unknown` at a field that the object's type doesn't know: that there is one costs less to learn than
    /// which. What others define (`metadata`, `status`) is left out.
    pub(super) fn watching(deserializer: D, unknown: &'w Cell<bool>) -> Self {
        Self { deserializer, is_field: false, watch: Watch::Root(unknown) }
    }
}

/// Where unknown fields are noted.
#[derive(Clone, Copy)]
enum Watch<'w> {
    /// Nowhere.
    Off,
    /// In all fields of this value but those that others define.
    Root(&'w Cell<bool>),
    /// In this value and all of its own.
    On(&'w Cell<bool>),
}

/// Whether the types of others define a field at an object's root.
pub(super) fn is_others(field: &str) -> bool {
    matches!(field, "apiVersion" | "kind" | "metadata" | "status")
}

/// Reads a value that may be `null`.
struct Nullable<'w, V> {
    visitor: V,
    value: Value,
    watch: Watch<'w>,
}

/// What a field asks for.
enum Value {
    Struct(&'static str, &'static [&'static str]),
    List,
    Map,
    Text,
    Integer,
}

impl<V> Nullable<'_, V> {
    fn absent<'de, E: Error>(self) -> Result<V::Value, E>
    where
        V: Visitor<'de>,
    {
        match self.value {
            Value::Struct(..) | Value::Map => self.visitor.visit_map(MapDeserializer::new(empty::<((), ())>())),
            Value::List => self.visitor.visit_seq(SeqDeserializer::new(empty::<()>())),
            Value::Text => self.visitor.visit_str(""),
            Value::Integer => self.visitor.visit_i64(0),
        }
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Nullable<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.absent()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.absent()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = Objects { deserializer, is_field: false, watch: self.watch };
        match self.value {
            Value::Struct(name, fields) => deserializer.deserialize_struct(name, fields, self.visitor),
            Value::List => deserializer.deserialize_seq(self.visitor),
            Value::Map => deserializer.deserialize_map(self.visitor),
            Value::Text => deserializer.deserialize_string(self.visitor),
            Value::Integer => deserializer.deserialize_i64(self.visitor),
        }
    }
}

struct Wrap<'w, V> {
    visitor: V,
    is_struct: bool,
    watch: Watch<'w>,
}

struct Items<'w, A> {
    items: A,
    watch: Watch<'w>,
}

struct Entries<'w, A> {
    entries: A,
    of_struct: bool,
    watch: Watch<'w>,
    /// Of a root's entries: whether others define the one whose key was read last.
    others: bool,
}

struct Seed<'w, S> {
    seed: S,
    is_field: bool,
    watch: Watch<'w>,
}

/// A root's key, looked at as it passes.
struct Key<'k, T> {
    inner: T,
    others: &'k mut bool,
}

macro_rules! forward {
    ($($method:ident)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.deserializer.$method(Wrap { visitor, is_struct: false, watch: self.watch })
        }
    )+};
}

macro_rules! nullable {
    ($($method:ident $value:ident),+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            if self.is_field {
                return self.deserializer.deserialize_option(Nullable { visitor, value: Value::$value, watch: self.watch });
            }
            self.deserializer.$method(Wrap { visitor, is_struct: false, watch: self.watch })
        }
    )+};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Objects<'_, D> {
    type Error = D::Error;

    forward! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32
        deserialize_f64 deserialize_char deserialize_str deserialize_bytes deserialize_byte_buf
        deserialize_option deserialize_unit deserialize_identifier
    }

    nullable! {
        deserialize_i64 Integer, deserialize_string Text, deserialize_seq List, deserialize_map Map
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        if let Watch::On(unknown) = self.watch {
            unknown.set(true);
        }
        self.deserializer.deserialize_ignored_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        if self.is_field {
            let value = Value::Struct(name, fields);
            return self.deserializer.deserialize_option(Nullable { visitor, value, watch: self.watch });
        }
        self.deserializer.deserialize_struct(name, fields, Wrap { visitor, is_struct: true, watch: self.watch })
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.deserializer.deserialize_unit_struct(name, Wrap { visitor, is_struct: false, watch: self.watch })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.deserializer.deserialize_newtype_struct(name, Wrap { visitor, is_struct: false, watch: self.watch })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.deserializer.deserialize_tuple(len, Wrap { visitor, is_struct: false, watch: self.watch })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.deserializer.deserialize_tuple_struct(name, len, Wrap { visitor, is_struct: false, watch: self.watch })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.deserializer.deserialize_enum(name, variants, Wrap { visitor, is_struct: false, watch: self.watch })
    }

    fn is_human_readable(&self) -> bool {
        self.deserializer.is_human_readable()
    }
}

macro_rules! visit {
    ($($method:ident($type:ty))+) => {$(
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.visitor.$method(value)
        }
    )+};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Wrap<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    visit! {
        visit_bool(bool) visit_i64(i64) visit_i128(i128) visit_u64(u64) visit_u128(u128) visit_f64(f64)
        visit_char(char) visit_str(&str) visit_borrowed_str(&'de str) visit_string(String)
        visit_bytes(&[u8]) visit_borrowed_bytes(&'de [u8]) visit_byte_buf(Vec<u8>)
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Objects { deserializer, is_field: false, watch: self.watch })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_newtype_struct(Objects { deserializer, is_field: false, watch: self.watch })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        if self.is_struct {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self));
        }
        self.visitor.visit_seq(Items { items, watch: self.watch })
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Entries { entries, of_struct: self.is_struct, watch: self.watch, others: false })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(data)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Items<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.items.next_element_seed(Seed { seed, is_field: false, watch: self.watch })
    }

    fn size_hint(&self) -> Option<usize> {
        self.items.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Entries<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        match self.watch {
            Watch::Root(_) => self.entries.next_key_seed(Key { inner: seed, others: &mut self.others }),
            Watch::Off | Watch::On(_) => self.entries.next_key_seed(seed),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let watch = match self.watch {
            Watch::Root(_) if self.others => Watch::Off,
            Watch::Root(unknown) => Watch::On(unknown),
            watch => watch,
        };
        self.entries.next_value_seed(Seed { seed, is_field: self.of_struct, watch })
    }

    fn size_hint(&self) -> Option<usize> {
        self.entries.size_hint()
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Seed<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.seed.deserialize(Objects { deserializer, is_field: self.is_field, watch: self.watch })
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Key<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Key { inner: deserializer, others: self.others })
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Key<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_str(Key { inner: visitor, others: self.others })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Key<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<V::Value, E> {
        *self.others = is_others(key);
        self.inner.visit_str(key)
    }

    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<V::Value, E> {
        *self.others = is_others(key);
        self.inner.visit_borrowed_str(key)
    }
}
