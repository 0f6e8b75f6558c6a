//! Decoding that forgives what the API server forgives.

use serde::Deserialize;
use serde::de::Deserializer;

/// Decodes what may be `null`.
pub(super) fn or_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
