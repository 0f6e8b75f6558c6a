//! # MV202: `file-missing`
//!
//! ## What it checks
//! Whether the mounted Secret or ConfigMap is there and holds the key that would be the file. A store that has keys, and
//! not this one, is denied; one that is absent or still empty only warns, since it may be on its way (cert-manager
//! fills a Secret minutes after it is asked); so does a volume that can't be looked into (csi, hostPath, …), or a
//! Secret that could not be read.
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
//! Name a key that the Secret has, or add the key.

use crate::finding::{Problem, Severity};
use crate::mesh::{Place, StoreKey, StoreKind, Unread};
use crate::rules::context::Context;
use crate::rules::files::{THEN_RESTART, keys_text, noun};
use crate::rules::reporter::Reporter;
use crate::rules::uses::FileUse;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for using in cx.files() {
        if let Some(problem) = missing(&using) {
            out.add(problem);
        }
    }
}

fn missing(using: &FileUse<'_>) -> Option<Problem> {
    let path = &using.file.path;
    let problem = |severity, message| {
        Problem::new(severity, using.site(), message)
            .expected(format!("a file at {path} in the proxy of {}", using.owner()))
    };
    Some(match using.place {
        Place::StoreMissing { store, empty } => store_missing(using, store, *empty, problem),
        Place::KeyMissing { store, key, offered, nearest } => {
            let place = store.as_ref().map_or_else(|| "the volume".to_owned(), ToString::to_string);
            let hint = match nearest {
                Some(near) => format!("name the file {near} if that is meant, or add {key} to {place}"),
                None => format!("add {key} to {place}, or name a file that it holds"),
            };
            problem(Severity::Deny, format!("{place} holds no {key}, and {path} comes from it"))
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
            format!("{path} lies in the {kind} volume {name:?}, which meshvet can't look into"),
        )
        .found(format!("a {kind} volume"))
        .consequence("nothing can be said of the certificate there")
        .fix("leave it, if that is how the files get there; meshvet reads Secrets, ConfigMaps and projections of them"),
        // Said so by whoever started meshvet: no news to the reader of each review.
        Place::StoreUnread { why: Unread::NotAllowed, .. } => return None,
        Place::StoreUnread { store, why } => {
            let reason = match why {
                Unread::Failed(reason) => reason.clone(),
                _ => "it was not asked for in time".to_owned(),
            };
            problem(Severity::Warn, format!("{store} could not be read, and {path} comes from it"))
                .found(reason)
                .consequence("nothing can be said of the certificate there")
                .fix("see to it that meshvet may read the Secret, and apply again")
        }
        Place::File { .. }
        | Place::StorePromised { .. }
        | Place::Unknown
        | Place::NotGiven
        | Place::ProxyImage
        | Place::NotMounted { .. }
        | Place::VolumeMissing { .. }
        | Place::Acm { .. }
        | Place::Authorities(_) => return None,
    })
}

fn store_missing(
    using: &FileUse<'_>,
    store: &StoreKey,
    empty: bool,
    problem: impl Fn(Severity, String) -> Problem,
) -> Problem {
    let path = &using.file.path;
    let (message, found) = if empty {
        (format!("{store} is empty, and {path} comes from it"), "no key yet")
    } else {
        (format!("{store} doesn't exist, and {path} comes from it"), "nothing of that name")
    };
    let consequence = match (store.kind, empty) {
        (StoreKind::Folder, _) => "nothing can be said of the file".to_owned(),
        (_, false) => "the pods wait in ContainerCreating (FailedMount) until it is there".to_owned(),
        (_, true) => {
            format!("the proxy of a pod that starts before it is filled logs {}", using.role.absent_log(path))
        }
    };
    problem(Severity::Warn, message)
        .found(found)
        .consequence(consequence)
        .fix(format!("create the {}, or wait until it is filled", noun(store.kind)))
}
