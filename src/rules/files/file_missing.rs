//! # MV202: `file-missing`
//!
//! ## What it checks
//! Whether the mounted Secret or ConfigMap is there and holds the key that would be the file. It denies where the Secret or
//! ConfigMap has keys, and not this one. It only warns where it is absent or still empty, since it may be on its way
//! (cert-manager fills a Secret some time after the Certificate is created), where the volume's content can't be seen (csi,
//! hostPath, …), and where a Secret could not be read. A Secret that an object is known to make (a cert-manager
//! Certificate, a SealedSecret, an ExternalSecret, …) isn't reported as missing; if it won't have the key, that is a
//! warning. Where such an object makes its Secret in another namespace, or under a similar name, the finding says so; where
//! objects that make Secrets may not be listed, it says that one of them may make it. A Secret in a manifest whose values
//! are filled in later (SOPS, the Argo CD Vault plugin, variables, …) counts as one that is made.
//!
//! ## Why it matters
//! Without the Secret no pod starts (`FailedMount`); without the key the pod starts and its proxy refuses the listener.
//!
//! ## Example
//! ```text
//! certificateChain: /certs/cert.pem, Secret blue-cert mounted at /certs with the keys ca.crt, tls.crt, tls.key
//! ```
//!
//! ## How to fix
//! Name a key that the Secret has, or add the key. If another object makes the Secret, correct that object.

use crate::finding::{Problem, Severity};
use crate::mesh::{Place, PromisedStore, Sort, StoreKey, StoreKind, Unread};
use crate::pki::nearest_name;
use crate::rules::context::Context;
use crate::rules::files::missing_store::missing_in_store;
use crate::rules::files::{THEN_RESTART, keys_text, noun};
use crate::rules::reporter::Reporter;
use crate::rules::uses::FileUse;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for using in cx.files() {
        if let Some(problem) = missing(cx, &using) {
            out.add(problem);
        }
    }
    for using in &cx.certificates {
        if let Some(problem) = missing_in_store(cx, using) {
            out.add(problem);
        }
    }
}

fn missing(cx: &Context<'_>, using: &FileUse<'_>) -> Option<Problem> {
    let path = &using.file.path;
    let problem = |severity, message| {
        Problem::new(severity, using.site(), message)
            .expected(format!("a file at {path} in the proxy of {}", using.owner()))
    };
    Some(match using.place {
        Place::StoreMissing { store, empty } => store_missing(cx, using, store, *empty, problem),
        Place::StorePromised { store, key, promise } => key_not_promised(using, store, key, promise, problem)?,
        Place::KeyMissing { key, offered, nearest, by_items: true, renamed, .. } => {
            let message = match nearest.as_ref().filter(|_| *renamed) {
                Some(name) => format!("the volume's items rename the key {key} to {name}, and nothing is at {path}"),
                None => format!("the volume's items leave {key} out, and nothing is at {path}"),
            };
            let named = nearest.as_ref().map_or_else(
                || "name a file that the items have as a path".to_owned(),
                |near| format!("name the file {near}"),
            );
            problem(Severity::Deny, message)
                .found(format!("items with the paths {}", offered.join(", ")))
                .consequence(format!("the proxy refuses its configuration: {}", using.role.absent_log(path)))
                .fix(format!("{named}, or remove items from the volume{THEN_RESTART}"))
        }
        Place::KeyMissing { store, key, offered, nearest, .. } => {
            let place = store.as_ref().map_or_else(|| "the volume".to_owned(), ToString::to_string);
            let hint = match nearest {
                Some(near) => format!("name the file {near}, or add {key} to {place}"),
                None => format!("add {key} to {place}, or name a key that it has"),
            };
            problem(Severity::Deny, format!("{place} has no key {key}, and {path} comes from it"))
                .found(if offered.is_empty() {
                    "no key that becomes a file there".to_owned()
                } else {
                    keys_text(offered)
                })
                .consequence(format!("the proxy refuses its configuration: {}", using.role.absent_log(path)))
                .fix(format!("{hint}{THEN_RESTART}"))
        }
        Place::Opaque { kind, name } => problem(
            Severity::Warn,
            format!("{path} is in the {kind} volume {name:?}, and meshvet can't see what is in it"),
        )
        .found(format!("a volume of kind {kind}"))
        .consequence("the certificate isn't checked")
        .fix("ignore this if that is how the files get there; meshvet reads Secrets, ConfigMaps and projected volumes of them"),
        // Said so by whoever started meshvet: no news to the reader of each review.
        Place::StoreUnread { why: Unread::NotAllowed, .. } => return None,
        Place::StoreUnread { store, why } => {
            let reason = match why {
                Unread::Failed(reason) => reason.clone(),
                _ => "there was no time to read it".to_owned(),
            };
            problem(Severity::Warn, format!("{store} could not be read, and {path} comes from it"))
                .found(reason)
                .consequence("the certificate isn't checked")
                .fix("make sure that meshvet may read the Secret, and apply again")
        }
        Place::File { .. }
        | Place::Unknown
        | Place::NotGiven
        | Place::ProxyImage
        | Place::NotMounted { .. }
        | Place::VolumeMissing { .. }
        | Place::Acm { .. }
        | Place::Authorities(_) => return None,
    })
}

/// A key that whoever makes the store won't put into it.
fn key_not_promised(
    using: &FileUse<'_>,
    store: &StoreKey,
    key: &str,
    promise: &PromisedStore,
    problem: impl Fn(Severity, String) -> Problem,
) -> Option<Problem> {
    let keys: Vec<String> = promise.keys.as_ref().filter(|keys| !keys.contains_key(key))?.keys().cloned().collect();
    let (path, by) = (&using.file.path, &promise.by);
    let near = nearest_name(key, keys.iter().map(String::as_str));
    let named = near.map_or_else(|| "a key that it will have".to_owned(), |near| format!("the file {near}"));
    let (message, add) = match promise.filled_in_by {
        Some(filler) => (
            format!("{store}, which is filled in later ({filler}), has no key {key}, and {path} comes from it"),
            format!("add {key} to {store}"),
        ),
        None => (
            format!("{by} will make {store} without the key {key}, and {path} comes from it"),
            format!("add {key} to {} of {by}", promise.fields.keys),
        ),
    };
    Some(
        problem(Severity::Warn, message)
            .found(if keys.is_empty() { "no keys".to_owned() } else { keys_text(&keys) })
            .consequence(format!("the proxy refuses its configuration: {}", using.role.absent_log(path)))
            .fix(format!("name {named}, or {add}")),
    )
}

fn store_missing(
    cx: &Context<'_>,
    using: &FileUse<'_>,
    store: &StoreKey,
    empty: bool,
    problem: impl Fn(Severity, String) -> Problem,
) -> Problem {
    let path = &using.file.path;
    let (message, found) = if empty {
        (format!("{store} is empty, and {path} comes from it"), "no keys yet")
    } else {
        (format!("{store} doesn't exist, and {path} comes from it"), "nothing with that name")
    };
    let instead = cx.view.promised_instead(store).filter(|_| !empty);
    let found = match instead {
        Some(made) => format!("{found}; {} makes {}", made.by, made_text(made)),
        None => found.to_owned(),
    };
    let unlisted = if empty || instead.is_some() || store.kind == StoreKind::Folder {
        Vec::new()
    } else {
        cx.view.unlisted(Sort::Promises, &store.namespace)
    };
    let unlisted = unlisted.iter().map(|(resource, _)| *resource).collect::<Vec<_>>().join(", ");
    let found = match unlisted.is_empty() {
        true => found,
        false => format!("{found}; one of {unlisted} may make it, and meshvet may not list those"),
    };
    let consequence = match (store.kind, empty) {
        (StoreKind::Folder, _) => "the file isn't checked".to_owned(),
        (_, false) => "the pods wait in ContainerCreating (FailedMount) until it is there".to_owned(),
        (_, true) => {
            format!("the proxy of a pod that starts before it is filled logs {}", using.role.absent_log(path))
        }
    };
    problem(Severity::Warn, message).found(found).consequence(consequence).fix(match instead {
        Some(made) if made.name == store.name => {
            let noun = noun(store.kind);
            format!("create the {noun} in namespace {}, as {} does in its own", store.namespace, made.by)
        }
        Some(made) => format!("mount {}, or name it {} in {} of {}", made.name, store.name, made.fields.name, made.by),
        None if !unlisted.is_empty() => {
            format!("grant list and watch on {unlisted}; or create the {}, if none of them makes it", noun(store.kind))
        }
        None => format!("create the {}, or wait until it is filled", noun(store.kind)),
    })
}

/// `Secret till/ledger-tls`.
fn made_text(made: &PromisedStore) -> String {
    made.key().map_or_else(|| format!("{} {} elsewhere", noun(made.kind), made.name), |store| store.to_string())
}
