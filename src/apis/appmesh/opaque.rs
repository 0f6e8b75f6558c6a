//! A placeholder for groups of fields that meshvet knows of and doesn't read.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::{Deserialize, Serialize};

/// A group of fields that meshvet knows of and doesn't read.
///
/// Its content is discarded while decoding, never stored and never reported as unknown; in the generated CRDs it is an
/// object that keeps whatever it holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Opaque;

impl<'de> Deserialize<'de> for Opaque {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Discard { levels: MAX_LEVELS }.deserialize(deserializer)
    }
}

impl JsonSchema for Opaque {
    fn schema_name() -> Cow<'static, str> {
        "Opaque".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
    }
}

/// How deeply the content of an [`Opaque`] may nest. The API's own groups need six levels; the bound keeps a hostile
/// value from exhausting the stack.
const MAX_LEVELS: usize = 32;

/// Reads a value and forgets it.
#[derive(Clone, Copy)]
struct Discard {
    levels: usize,
}

impl Discard {
    fn inner<E: Error>(self) -> Result<Self, E> {
        match self.levels.checked_sub(1) {
            Some(levels) => Ok(Self { levels }),
            None => Err(E::custom("nested too deeply")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Discard {
    type Value = Opaque;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Opaque, D::Error> {
        // Not `deserialize_ignored_any`: that is what makes a field count as unknown.
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Discard {
    type Value = Opaque;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Opaque, E> {
        Ok(Opaque)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Opaque, E> {
        Ok(Opaque)
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<Opaque, E> {
        Ok(Opaque)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Opaque, E> {
        Ok(Opaque)
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<Opaque, E> {
        Ok(Opaque)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Opaque, E> {
        Ok(Opaque)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Opaque, E> {
        Ok(Opaque)
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<Opaque, E> {
        Ok(Opaque)
    }

    fn visit_unit<E: Error>(self) -> Result<Opaque, E> {
        Ok(Opaque)
    }

    fn visit_none<E: Error>(self) -> Result<Opaque, E> {
        Ok(Opaque)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Opaque, D::Error> {
        self.inner()?.deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Opaque, D::Error> {
        self.inner()?.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Opaque, A::Error> {
        let inner = self.inner()?;
        while items.next_element_seed(inner)?.is_some() {}
        Ok(Opaque)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Opaque, A::Error> {
        let inner = self.inner()?;
        while entries.next_entry_seed(inner, inner)?.is_some() {}
        Ok(Opaque)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Opaque, A::Error> {
        let inner = self.inner()?;
        let (_, content) = data.variant_seed(inner)?;
        content.newtype_variant_seed(inner)
    }
}
