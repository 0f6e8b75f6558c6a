//! Secrets and ConfigMaps whose values are filled in on the way to a cluster: SOPS decrypts them, a plugin fetches them, or they
//! contain variables. Only in manifests: a cluster holds the final values.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

use crate::apis;
use crate::k8s::ObjectRef;
use crate::mesh::{Fact, FactId, Namespaces, Promise, PromisedStore, StoreFields, StoreKey, StoreKind};
use crate::pki::FileForm;

use super::{Loader, Seen, placeholders};

const FIELDS: StoreFields = StoreFields { name: "metadata.name", keys: "data" };

const SOPS: &str = "SOPS";
const ARGO: &str = "the Argo CD Vault plugin";
const BANK: &str = "Bank-Vaults";
const VALS: &str = "vals";
const ANSIBLE: &str = "Ansible Vault";
const VARIABLES: &str = "variables";
const TEMPLATE: &str = "a template";

/// The fields that hold values, the one that takes precedence last, and whether they are base64.
const SECRET: [(&str, bool); 2] = [("data", true), ("stringData", false)];
const CONFIG_MAP: [(&str, bool); 2] = [("data", false), ("binaryData", true)];

/// What a Secret or ConfigMap promises by the values that are filled in later.
#[derive(Debug)]
pub(super) struct Later {
    by: ObjectRef,
    key: StoreKey,
    /// None if every value is known: then an earlier object with this name promises nothing any more.
    promise: Option<Fact>,
    /// Whether no value is known.
    pub(super) whole: bool,
}

/// Removes the values that are filled in later from a Secret or ConfigMap; the other values count as they are. None for other objects.
pub(super) fn of(object: &mut Value, namespace: &str) -> Option<Later> {
    let (by, key) = store_of(object, namespace)?;
    let taken = take(object, key.kind);
    let whole = taken.as_ref().is_some_and(|taken| taken.whole);
    let promise = taken
        .map(|taken| Fact::Promise(Promise { object: by.clone(), stores: vec![taken.promised(&by, &key)] }.into()));
    Some(Later { by, key, promise, whole })
}

impl Loader {
    /// Learns which values are filled in later.
    pub(super) fn promise_later(&mut self, later: Later, seen: Seen) {
        let Later { by, key, promise, whole } = later;
        self.keep_promised(promise.as_ref());
        self.out.world.replace(&FactId::Object(by), promise);
        if whole {
            let id = FactId::Store(key);
            self.out.world.forget(&id);
            self.see(id, seen);
        }
    }
}

/// The Secret or ConfigMap that an object is, if any.
fn store_of(object: &Value, namespace: &str) -> Option<(ObjectRef, StoreKey)> {
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let kind = match (text("/apiVersion")?, text("/kind")?) {
        ("v1", "Secret") => StoreKind::Secret,
        ("v1", "ConfigMap") => StoreKind::ConfigMap,
        _ => return None,
    };
    let (namespace, name) = (text("/metadata/namespace").unwrap_or(namespace), text("/metadata/name")?);
    let by = apis::row("v1", text("/kind")?)?.object(namespace, name);
    Some((by, StoreKey::new(kind, namespace, name)))
}

/// What is filled in later.
#[derive(Debug, PartialEq, Eq)]
struct Taken {
    filler: &'static str,
    /// All of its keys, also those with known values; None where the keys are filled in as well.
    keys: Option<Vec<String>>,
    /// Whether no value is known.
    whole: bool,
}

impl Taken {
    fn promised(self, by: &ObjectRef, key: &StoreKey) -> std::sync::Arc<PromisedStore> {
        let form = |key| (key, FileForm::Unknown);
        let store = PromisedStore {
            by: by.clone(),
            kind: key.kind,
            namespaces: Namespaces::One(key.namespace.to_string()),
            name: key.name.to_string(),
            keys: self.keys.map(|keys| keys.into_iter().map(form).collect()),
            certificate: None,
            fields: &FIELDS,
            filled_in_by: Some(self.filler),
        };
        store.into()
    }
}

/// Removes the values that are filled in later; None if there are none.
fn take(object: &mut Value, kind: StoreKind) -> Option<Taken> {
    let fillers = Fillers::of(object);
    let mut filler = None;
    let mut keys_known = true;
    // For each key whether its value is known; where two fields have it, the one that takes precedence decides.
    let mut there: BTreeMap<String, bool> = BTreeMap::new();
    let fields = if kind == StoreKind::Secret { SECRET } else { CONFIG_MAP };
    for (field, base64) in fields {
        match object.get_mut(field) {
            Some(Value::Object(members)) => members.retain(|key, value| {
                let found = value.as_str().and_then(|text| fillers.fill(text, base64));
                filler = filler.or(found);
                keys_known &= placeholders::first(key).is_none();
                there.insert(key.clone(), found.is_none());
                if let (Some(_), Value::String(text)) = (found, value) {
                    text.zeroize();
                }
                found.is_none()
            }),
            Some(Value::String(text)) => {
                let Some(found) = fillers.fill(text, false) else { continue };
                text.zeroize();
                filler = filler.or(Some(found));
                keys_known = false;
                object[field] = Value::Null;
            }
            _ => {}
        }
    }
    let filler = filler?;
    // A value that the later field fills in hides the earlier field's.
    for (field, _) in fields {
        if let Some(Value::Object(members)) = object.get_mut(field) {
            members.retain(|key, value| {
                let stays = there.get(key).copied().unwrap_or(true);
                if let (false, Value::String(text)) = (stays, value) {
                    text.zeroize();
                }
                stays
            });
        }
    }
    let whole = !there.values().any(|there| *there);
    Some(Taken { filler, keys: keys_known.then(|| there.into_keys().collect()), whole })
}

/// Whether a file for kustomize is filled in before it becomes a Secret.
pub(super) fn is_filled_in(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    text.contains(ENCRYPTED) || Fillers::default().fill(text, false).is_some()
}

/// The start of a value encrypted by SOPS.
const ENCRYPTED: &str = "ENC[AES256_GCM,data:";

/// What fills in an object's values, as far as the object shows it.
#[derive(Clone, Copy, Debug, Default)]
struct Fillers {
    /// It has the `sops` block, without which SOPS can't decrypt it.
    sops: bool,
    /// It has annotations of the Argo CD Vault plugin.
    argo: bool,
}

impl Fillers {
    fn of(object: &Value) -> Self {
        let annotations = object.pointer("/metadata/annotations").and_then(Value::as_object);
        let is_argo = |key: &String| key.starts_with("avp.kubernetes.io/");
        Self {
            sops: object.get("sops").is_some_and(Value::is_object),
            argo: annotations.is_some_and(|annotations| annotations.keys().any(is_argo)),
        }
    }

    /// What fills in a value; None if the value is final.
    fn fill(self, text: &str, base64: bool) -> Option<&'static str> {
        let as_written = || {
            if text.trim_start().starts_with(ENCRYPTED) {
                return self.sops.then_some(SOPS);
            }
            let variables =
                || placeholders::first(text).map(|name| if name.starts_with("${vault:") { BANK } else { VARIABLES });
            let template = || text.split_once("{{").filter(|(_, rest)| rest.contains("}}")).map(|_| TEMPLATE);
            self.fetched(text).or_else(variables).or_else(template)
        };
        let decoded = || {
            let compact = Zeroizing::new(text.split_ascii_whitespace().collect::<String>());
            let bytes = Zeroizing::new(STANDARD.decode(compact.as_bytes()).ok()?);
            self.fetched(std::str::from_utf8(&bytes).ok()?)
        };
        // Tools that look up a Secret's values also decode base64; tools that replace text in files don't.
        as_written().or_else(|| base64.then(decoded).flatten())
    }

    /// What fetches a value from elsewhere, if anything does.
    fn fetched(self, text: &str) -> Option<&'static str> {
        let trimmed = text.trim();
        if trimmed.starts_with("vault:") || trimmed.starts_with(">>vault:") {
            return Some(BANK);
        }
        if trimmed.starts_with("!vault") || trimmed.starts_with("$ANSIBLE_VAULT;") {
            return Some(ANSIBLE);
        }
        if text.match_indices("ref+").any(|(at, _)| is_url(text.get(at + 4..).unwrap_or_default())) {
            return Some(VALS);
        }
        let mut marked = text.match_indices('<').filter_map(|(at, _)| {
            let rest = text.get(at + 1..)?;
            rest.get(..rest.find(['<', '>', '\n']).filter(|end| rest[*end..].starts_with('>'))?)
        });
        let is_whole = |inner: &str| inner.len() + 2 == trimmed.len();
        let is_argo = |inner: &str| {
            inner.strip_prefix("path:").is_some_and(|path| path.contains('#'))
                || (is_name(inner) && (self.argo || is_whole(inner)))
        };
        marked.any(is_argo).then_some(ARGO)
    }
}

/// A vals reference, which begins with a backend's name: `vault://…`.
fn is_url(text: &str) -> bool {
    let name = text.split("://").next().unwrap_or_default();
    name.len() < text.len()
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// `key`, or `key | base64encode`.
fn is_name(inner: &str) -> bool {
    let name = inner.split('|').next().unwrap_or_default().trim();
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte))
}

#[cfg(test)]
#[path = "later_tests.rs"]
mod tests;
