//! Labels, as facts keep them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::k8s::word::Word;

/// Labels by key. A map of the standard library has room for eleven, half a kilobyte, and most objects have a few.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Box<[(Word, Box<str>)]>);

/// What has labels.
pub trait Labelled {
    /// A label's value.
    fn label(&self, key: &str) -> Option<&str>;
}

impl Labelled for Labels {
    fn label(&self, key: &str) -> Option<&str> {
        self.get(key)
    }
}

impl Labelled for BTreeMap<String, String> {
    fn label(&self, key: &str) -> Option<&str> {
        self.get(key).map(String::as_str)
    }
}

impl Labels {
    /// A label's value.
    pub fn get(&self, key: &str) -> Option<&str> {
        let at = self.0.binary_search_by(|(known, _)| (**known).cmp(key)).ok()?;
        self.0.get(at).map(|(_, value)| &**value)
    }

    /// Keys and values, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<BTreeMap<String, String>> for Labels {
    fn from(labels: BTreeMap<String, String>) -> Self {
        Self(labels.into_iter().map(|(key, value)| (Word::shared(&key), value.into())).collect())
    }
}

impl FromIterator<(String, String)> for Labels {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(labels: T) -> Self {
        labels.into_iter().collect::<BTreeMap<_, _>>().into()
    }
}

impl<const N: usize> From<[(String, String); N]> for Labels {
    fn from(labels: [(String, String); N]) -> Self {
        labels.into_iter().collect()
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::<String, String>::deserialize(deserializer).map(Self::from)
    }
}

impl JsonSchema for Labels {
    fn inline_schema() -> bool {
        BTreeMap::<String, String>::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        BTreeMap::<String, String>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, String>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_found_by_key() {
        let labels: Labels =
            [("b", "2"), ("a", "1"), ("c", "3"), ("b", "4")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        let found: Vec<_> = ["a", "b", "c", "d", ""].iter().map(|key| labels.get(key)).collect();
        assert_eq!(found, [Some("1"), Some("4"), Some("3"), None, None]);
        assert_eq!(labels.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "4"), ("c", "3")]);
        assert!(!labels.is_empty() && Labels::default().is_empty());
        assert_eq!(serde_json::to_string(&labels).expect("JSON"), r#"{"a":"1","b":"4","c":"3"}"#);
        let again: Labels = serde_json::from_str(r#"{"c":"3","b":"4","a":"1"}"#).expect("labels");
        assert_eq!(again, labels);
    }
}
