//! Where in an object a finding points: one path, written two ways.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use hashbrown::HashSet;

/// A place inside a Kubernetes object, kept as a JSON pointer (RFC 6901): `/spec/listeners/0/tls`.
///
/// [`FieldPath::kubernetes`] writes the same place as the API server's own errors do (`spec.listeners[0].tls`).
///
/// Facts hold a dozen paths for each object, which are the same for all objects of a kind: equal ones share their text.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Arc<str>);

/// The most paths that a thread keeps for others to share, and the longest of them. Beyond that it begins anew.
const MOST_KNOWN: usize = 1024;
const LONGEST_KNOWN: usize = 160;

thread_local! {
    /// The paths that this thread made, and a buffer to write the next one in.
    static KNOWN: RefCell<(HashSet<Arc<str>>, String)> = RefCell::default();
}

/// One step of the way from an object's root to a field.
pub(crate) enum Step {
    /// The member of this name.
    Key(String),
    /// The element of this index.
    Index(usize),
}

impl FieldPath {
    /// The object itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// Takes over a JSON pointer that is already escaped, as decoders report it.
    #[cfg(test)]
    pub(crate) fn from_pointer(pointer: impl Into<String>) -> Self {
        Self(Arc::from(pointer.into()))
    }

    /// Whether this is the object itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The member `key` below this place.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.keys([key])
    }

    /// Several members, one below the other: `keys(["tls", "certificate"])`.
    #[must_use]
    pub fn keys<const N: usize>(&self, keys: [&str; N]) -> Self {
        Self::written(|text| {
            text.push_str(&self.0);
            keys.into_iter().for_each(|key| push_key(text, key));
        })
    }

    /// The element `index` of the list at this place.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        Self::written(|text| {
            text.push_str(&self.0);
            push_index(text, index);
        })
    }

    /// The place that `below` names, seen from this one.
    #[must_use]
    pub(crate) fn join(&self, below: &FieldPath) -> Self {
        Self::written(|text| text.extend([&*self.0, &below.0]))
    }

    /// The path that `write` writes, as a pointer.
    fn written(write: impl FnOnce(&mut String)) -> Self {
        let mut write = Some(write);
        let known = KNOWN.try_with(|known| {
            // `write` makes no path itself.
            let (known, text) = &mut *known.try_borrow_mut().ok()?;
            text.clear();
            write.take()?(text);
            if let Some(path) = known.get(text.as_str()) {
                return Some(Self(Arc::clone(path)));
            }
            let path: Arc<str> = text.as_str().into();
            if path.len() <= LONGEST_KNOWN {
                if known.len() >= MOST_KNOWN {
                    known.clear();
                }
                known.insert(Arc::clone(&path));
            }
            Some(Self(path))
        });
        // Of a thread that ends.
        known.ok().flatten().unwrap_or_else(|| {
            let mut text = String::new();
            write.into_iter().for_each(|write| write(&mut text));
            Self(text.into())
        })
    }

    /// The JSON pointer: empty for the object itself.
    pub fn pointer(&self) -> &str {
        &self.0
    }

    /// The pointer's segments, unescaped.
    pub fn segments(&self) -> impl Iterator<Item = String> + '_ {
        self.0.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~"))
    }

    /// Whether `other` is this place, or one below it.
    pub(crate) fn holds(&self, other: &FieldPath) -> bool {
        other.0.strip_prefix(&*self.0).is_some_and(|below| below.is_empty() || below.starts_with('/'))
    }

    /// What the last segment stands in, and that segment; None for the object itself.
    pub(crate) fn split_last(&self) -> Option<(FieldPath, String)> {
        let (parent, _) = self.0.rsplit_once('/')?;
        Some((Self(parent.into()), self.segments().last()?))
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

impl<'a> FromIterator<&'a Step> for FieldPath {
    fn from_iter<T: IntoIterator<Item = &'a Step>>(steps: T) -> Self {
        Self::written(|text| {
            steps.into_iter().for_each(|step| match step {
                Step::Key(key) => push_key(text, key),
                Step::Index(index) => push_index(text, *index),
            });
        })
    }
}

fn push_key(text: &mut String, key: &str) {
    text.push('/');
    if key.bytes().any(|byte| matches!(byte, b'~' | b'/')) {
        text.push_str(&key.replace('~', "~0").replace('/', "~1"));
    } else {
        text.push_str(key);
    }
}

fn push_index(text: &mut String, index: usize) {
    text.push('/');
    match u32::try_from(index).ok().and_then(|index| char::from_digit(index, 10)) {
        Some(digit) => text.push(digit),
        None => text.push_str(&index.to_string()),
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

    #[test]
    fn equal_paths_share_their_text() {
        let path = || FieldPath::root().keys(["spec", "listeners"]).index(0);
        assert!(Arc::ptr_eq(&path().0, &path().0));
        // And go on to do so, however many others there are; long ones don't.
        for index in 0..2 * MOST_KNOWN {
            assert_eq!(path().index(index).pointer(), format!("/spec/listeners/0/{index}"));
        }
        assert!(Arc::ptr_eq(&path().0, &path().0));
        let long = || FieldPath::root().key(&"x".repeat(LONGEST_KNOWN));
        assert!(long() == long() && !Arc::ptr_eq(&long().0, &long().0));
    }

    #[test]
    fn steps_are_escaped_as_any_other() {
        let steps = [Step::Key("a/b~c".to_owned()), Step::Index(1), Step::Key("d".to_owned())];
        assert_eq!(steps.iter().collect::<FieldPath>().pointer(), "/a~1b~0c/1/d");
        let below = FieldPath::root().key("e/f");
        assert_eq!(FieldPath::root().key("spec").join(&below).pointer(), "/spec/e~1f");
        assert!(FieldPath::root().join(&FieldPath::root()).is_root());
    }

    #[test]
    fn a_place_holds_itself_and_what_is_below() {
        let tls = FieldPath::root().keys(["spec", "tls"]);
        assert!(tls.holds(&tls) && tls.holds(&tls.key("mode")) && FieldPath::root().holds(&tls));
        assert!(!tls.holds(&FieldPath::root().keys(["spec", "tlss"])) && !tls.key("mode").holds(&tls));
    }
}
