//! Where in an object a finding points: one path, written two ways.

use std::fmt;

/// A place inside a Kubernetes object, kept as a JSON pointer (RFC 6901): `/spec/listeners/0/tls`.
///
/// [`FieldPath::kubernetes`] writes the same place as the API server's own errors do (`spec.listeners[0].tls`).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(String);

impl FieldPath {
    /// The object itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// Takes over a JSON pointer that is already escaped, as decoders report it.
    pub fn from_pointer(pointer: impl Into<String>) -> Self {
        Self(pointer.into())
    }

    /// The member `key` below this place.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.keys([key])
    }

    /// Several members, one below the other: `keys(["tls", "certificate"])`.
    #[must_use]
    pub fn keys<const N: usize>(&self, keys: [&str; N]) -> Self {
        let length = keys.iter().map(|key| key.len() + 1).sum::<usize>();
        let mut pointer = String::with_capacity(self.0.len() + length);
        pointer.push_str(&self.0);
        for key in keys {
            pointer.push('/');
            if key.contains(['~', '/']) {
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            } else {
                pointer.push_str(key);
            }
        }
        Self(pointer)
    }

    /// The element `index` of the list at this place.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}/{index}", self.0))
    }

    /// The JSON pointer: empty for the object itself.
    pub fn pointer(&self) -> &str {
        &self.0
    }

    /// The pointer's segments, unescaped.
    pub fn segments(&self) -> impl Iterator<Item = String> + '_ {
        self.0.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~"))
    }

    /// What the last segment stands in, and that segment; None for the object itself.
    pub fn split_last(&self) -> Option<(FieldPath, String)> {
        let (parent, _) = self.0.rsplit_once('/')?;
        Some((Self(parent.to_owned()), self.segments().last()?))
    }

    /// The notation of Kubernetes' own field errors: `spec.listeners[0].tls`, `metadata.annotations[example.com/x]`.
    pub fn kubernetes(&self) -> String {
        let mut text = String::with_capacity(self.0.len());
        for segment in self.segments() {
            let index = segment.bytes().all(|b| b.is_ascii_digit());
            let plain = segment.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
            if index || !plain {
                text.push('[');
                text.push_str(&segment);
                text.push(']');
            } else {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(&segment);
            }
        }
        text
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_a_pointer_and_as_kubernetes_writes_it() {
        let path = FieldPath::root().keys(["spec", "listeners"]).index(0).key("tls");
        assert_eq!(path.pointer(), "/spec/listeners/0/tls");
        assert_eq!(path.kubernetes(), "spec.listeners[0].tls");

        let annotation = FieldPath::root().keys(["metadata", "annotations", "appmesh.k8s.aws/secretMounts"]);
        assert_eq!(annotation.pointer(), "/metadata/annotations/appmesh.k8s.aws~1secretMounts");
        assert_eq!(annotation.kubernetes(), "metadata.annotations[appmesh.k8s.aws/secretMounts]");
        let (parent, name) = annotation.split_last().expect("a member");
        assert_eq!((parent.pointer(), name.as_str()), ("/metadata/annotations", "appmesh.k8s.aws/secretMounts"));
        assert_eq!(FieldPath::root().split_last(), None);
    }
}
