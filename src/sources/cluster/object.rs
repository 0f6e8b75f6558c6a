//! One object as the API server sends it, and its decoding.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::core::DynamicResourceScope;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::apis::core::{Owned, secret_store};
use crate::apis::{Entry, Undecodable, decode_object, decode_subject, reviewed_row};
use crate::k8s::{FieldPath, ObjectRef, Word};
use crate::mesh::{Fact, FactId, Store, StoreKey, Version};
use crate::sources::cluster::kinds::{SECRETS, WatchedKind};

/// The largest object, in bytes of JSON. No API server stores larger ones: requests are limited to 3 MiB, and etcd accepts
/// half of that.
const MAX_BYTES: usize = 4 << 20;

/// An object of any kind, not yet decoded.
///
/// It is kept as text, so that an object that can't be read fails alone and not with its whole page:
/// its contents aren't parsed before [`decode`]. The text is wiped when dropped.
#[derive(Clone)]
pub(super) struct RawObject {
    meta: ObjectMeta,
    text: Zeroizing<Box<str>>,
}

impl RawObject {
    pub(super) fn namespace(&self) -> &str {
        self.meta.namespace.as_deref().unwrap_or_default()
    }

    pub(super) fn name(&self) -> &str {
        self.meta.name.as_deref().unwrap_or_default()
    }

    /// Distinguishes objects that had this name at different times.
    pub(super) fn uid(&self) -> Option<&str> {
        self.meta.uid.as_deref()
    }

    /// Which of its states this is.
    pub(super) fn version(&self) -> Version {
        Version::of(self.meta.resource_version.as_deref())
    }

    /// The length of its text.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether its metadata shows that nothing else in it matters.
    pub(super) fn is_idle(&self) -> bool {
        #[derive(Deserialize)]
        struct Head {
            metadata: Owned,
        }
        serde_json::from_str::<Head>(&self.text).is_ok_and(|head| head.metadata.is_idle())
    }

    /// What the world knows it by.
    pub(super) fn id(&self, kind: &WatchedKind) -> FactId {
        kind.id(self.namespace(), self.name())
    }
}

impl fmt::Debug for RawObject {
    /// Its name, never its contents.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawObject({}/{})", self.namespace(), self.name())
    }
}

/// What has to be known of an object before decoding: reads no further than its metadata, which comes before the rest.
fn head(text: &str) -> Name {
    struct Head<'n>(&'n mut Name);
    impl<'de> Visitor<'de> for Head<'_> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
            while let Some(key) = members.next_key::<Cow<'_, str>>()? {
                if key == "metadata" {
                    *self.0 = members.next_value()?;
                    // The rest isn't read: it counts as an error, which nobody looks at.
                    return Err(A::Error::custom("enough"));
                }
                members.next_value::<IgnoredAny>()?;
            }
            Ok(())
        }
    }
    let mut name = Name::default();
    let _ = serde_json::Deserializer::from_str(text).deserialize_map(Head(&mut name));
    name
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Name {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
}

impl<'de> Deserialize<'de> for RawObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(Box::<str>::from(Box::<RawValue>::deserialize(deserializer)?));
        let Name { name, namespace, uid, resource_version } = head(&text);
        let meta = ObjectMeta { name, namespace, uid, resource_version, ..ObjectMeta::default() };
        Ok(Self { meta, text })
    }
}

impl Resource for RawObject {
    type DynamicType = &'static WatchedKind;
    type Scope = DynamicResourceScope;

    fn kind(kind: &Self::DynamicType) -> Cow<'_, str> {
        kind.kind.into()
    }

    fn group(kind: &Self::DynamicType) -> Cow<'_, str> {
        kind.group.into()
    }

    fn version(kind: &Self::DynamicType) -> Cow<'_, str> {
        kind.version.into()
    }

    fn plural(kind: &Self::DynamicType) -> Cow<'_, str> {
        kind.plural.into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}

/// Decodes the object.
///
/// # Errors
/// [`Undecodable`], whose message never contains any part of a Secret.
pub(super) fn decode(kind: &WatchedKind, object: &RawObject) -> Result<Entry, Box<Undecodable>> {
    let itself = match object.namespace() {
        "" => ObjectRef::cluster_scoped(kind.known_as, kind.kind, object.name()),
        namespace => ObjectRef::new(kind.known_as, kind.kind, namespace, object.name()),
    };
    let undecodable = |message: String| Box::new(Undecodable::at(itself.clone(), FieldPath::root(), message));
    if object.text.len() > MAX_BYTES {
        return Err(undecodable(format!(
            "{} bytes, which is more than the {MAX_BYTES} that are read",
            object.text.len()
        )));
    }
    if *kind == SECRETS {
        let key = StoreKey::secret(object.namespace(), object.name());
        let secret: SecretText = serde_json::from_str(&object.text)
            .map_err(|error| undecodable(format!("no Secret (line {}, column {})", error.line(), error.column())))?;
        let data = secret.data.unwrap_or_default().into_iter().map(|(key, SecretBytes(mut bytes))| {
            // Moved, not copied: `secret_store` wipes it.
            (key, std::mem::take(&mut *bytes))
        });
        let of_type = secret.of_type.as_deref().map(Word::shared);
        let store = Store { of_type, version: object.version(), ..secret_store(data) };
        return Ok(Entry::Fact(Fact::Store(key, Arc::new(store))));
    }
    if let Some(row) = reviewed_row(kind.group, kind.version, kind.kind) {
        // The same decoder as at admission, so that both accept the same objects.
        return match decode_subject(row, object.text.as_bytes(), object.namespace()) {
            Ok(reviewed) => Ok(Entry::Subject(Box::new(reviewed))),
            Err(error) => Err(Box::new(Undecodable { object: itself, ..error })),
        };
    }
    let mut value = read(&object.text).map_err(|error| undecodable(error.to_string()))?;
    if let Some(fields) = value.as_object_mut() {
        // A list's items carry no apiVersion and kind: the list has them.
        fields.insert("apiVersion".to_owned(), kind.api_version.into());
        fields.insert("kind".to_owned(), kind.kind.into());
    }
    let mut entry = decode_object(value, object.namespace()).map_err(Box::new)?;
    if let Entry::Fact(Fact::Store(_, store)) = &mut entry {
        Arc::make_mut(store).version = object.version();
    }
    Ok(entry)
}

/// An object's value without its managed fields, which are as long as the rest of it.
fn read(text: &str) -> serde_json::Result<Value> {
    struct Members<'p> {
        passed_over: Option<&'p str>,
        inside: Option<&'p str>,
    }
    impl<'de> DeserializeSeed<'de> for Members<'_> {
        type Value = Value;

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
            deserializer.deserialize_map(self)
        }
    }
    impl<'de> Visitor<'de> for Members<'_> {
        type Value = Value;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
            let mut kept = serde_json::Map::new();
            while let Some(key) = members.next_key::<String>()? {
                if self.passed_over == Some(key.as_str()) {
                    members.next_value::<IgnoredAny>()?;
                } else if self.inside == Some(key.as_str()) {
                    let inside = Members { passed_over: Some("managedFields"), inside: None };
                    kept.insert(key, members.next_value_seed(inside)?);
                } else {
                    kept.insert(key, members.next_value()?);
                }
            }
            Ok(Value::Object(kept))
        }
    }
    let mut json = serde_json::Deserializer::from_str(text);
    match json.deserialize_map(Members { passed_over: None, inside: Some("metadata") }) {
        Ok(value) => json.end().map(|()| value),
        // Of another form than the API server's: whoever decodes it says what is wrong.
        Err(_) => serde_json::from_str(text),
    }
}

/// The parts of a Secret that are read.
#[derive(Deserialize)]
struct SecretText {
    #[serde(default)]
    data: Option<BTreeMap<String, SecretBytes>>,
    #[serde(default, rename = "type")]
    of_type: Option<Arc<str>>,
}

/// One value of a Secret: base64 in JSON, wiped when dropped.
struct SecretBytes(Zeroizing<Vec<u8>>);

impl<'de> Deserialize<'de> for SecretBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Base64;
        impl Visitor<'_> for Base64 {
            type Value = SecretBytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("base64")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SecretBytes, E> {
                // Decoded in place: a growing buffer would leave copies behind.
                let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
                let length =
                    STANDARD.decode_slice(text, &mut bytes).map_err(|_| E::custom("a value that is no base64"))?;
                bytes.truncate(length);
                Ok(SecretBytes(bytes))
            }

            fn visit_unit<E>(self) -> Result<SecretBytes, E> {
                Ok(SecretBytes(Zeroizing::default()))
            }
        }
        deserializer.deserialize_any(Base64).map_err(|_| D::Error::custom("a value that is no base64"))
    }
}
