//! For MV202: Secrets that listeners name directly, without a mount.

use crate::finding::{Problem, Severity};
use crate::mesh::{Named, Place, PromisedStore, Sort, StoreKey, Unread};
use crate::pki::nearest_name;
use crate::rules::context::Context;
use crate::rules::files::keys_text;
use crate::rules::handed::Caught;
use crate::rules::uses::CertificateUse;

/// What is missing of a certificate that a control plane reads from a Secret. A problem of the chain stands for the key's too.
pub(super) fn missing_in_store(cx: &Context<'_>, using: &CertificateUse<'_>) -> Option<Problem> {
    let (Named::Key(chain), Named::Key(key)) = (using.chain_ref, using.key_ref) else { return None };
    let places = [(&using.chain_place, chain.key.as_str()), (&using.key_place, key.key.as_str())];
    places.into_iter().find_map(|(place, key)| missing(cx, using, place, key))
}

fn missing(cx: &Context<'_>, using: &CertificateUse<'_>, place: &Place, key: &str) -> Option<Problem> {
    let noun = using.end.noun();
    let problem = |severity, message: String| {
        Problem::new(severity, using.chain_site(), message)
            .expected(format!("a Secret with tls.crt and tls.key for {noun}"))
    };
    Some(match place {
        Place::StoreMissing { store, empty: false } => absent(cx, using, store, problem),
        Place::StoreMissing { store, empty: true } => {
            problem(Severity::Warn, format!("{store} is empty, and {}", serves(using)))
                .found("no keys yet")
                .consequence(using.is_refused("certificate chain not set", Caught::Seen))
                .fix("fill the Secret, or wait until it is filled")
        }
        Place::StorePromised { store, promise, .. } => not_promised(using, store, key, promise, problem)?,
        Place::KeyMissing { store: Some(store), offered, nearest, .. } => {
            let severity = if using.plane.is_envoy() { using.unusable() } else { Severity::Warn };
            let hint = nearest.as_ref().map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
            problem(severity, format!("{store} has no key {key}, and {}", serves(using)))
                .found(format!("{}{hint}", keys_text(offered)))
                .consequence(using.is_refused("certificate chain not set", Caught::Seen))
                .fix(format!("add {key} to {store}: `kubectl create secret tls` makes a Secret with both"))
        }
        Place::StoreUnread { store, why: Unread::Failed(reason) } => {
            problem(Severity::Warn, format!("{store} could not be read, and {}", serves(using)))
                .found(reason.clone())
                .consequence("the certificate isn't checked")
                .fix("make sure that meshvet may read the Secret, and apply again")
        }
        _ => return None,
    })
}

fn absent(
    cx: &Context<'_>,
    using: &CertificateUse<'_>,
    store: &StoreKey,
    problem: impl Fn(Severity, String) -> Problem,
) -> Problem {
    let instead = cx.view.promised_instead(store);
    let unlisted = if instead.is_some() { Vec::new() } else { cx.view.unlisted(Sort::Promises, &store.namespace) };
    let unlisted = unlisted.iter().map(|(resource, _)| *resource).collect::<Vec<_>>().join(", ");
    let found = match instead {
        Some(made) => format!("nothing with that name; {} makes {}", made.by, made.name),
        None if !unlisted.is_empty() => {
            format!("nothing with that name; one of {unlisted} may make it, and meshvet may not list those")
        }
        None => "nothing with that name".to_owned(),
    };
    problem(Severity::Warn, format!("{store} doesn't exist, and {}", serves(using)))
        .found(found)
        .consequence(match using.plane.is_envoy() && using.end.is_server() {
            true => "connections to the listener fail until it is there".to_owned(),
            false => using.is_refused("", Caught::Seen),
        })
        .fix("create the Secret, or name one that exists")
}

/// What the certificate is for.
fn serves(using: &CertificateUse<'_>) -> String {
    match using.end.is_server() {
        true => format!("{} serves with it", using.end.noun()),
        false => "the gateway presents it to backends".to_owned(),
    }
}

/// A key that the Secret's creator won't put into it.
fn not_promised(
    using: &CertificateUse<'_>,
    store: &StoreKey,
    key: &str,
    promise: &PromisedStore,
    problem: impl Fn(Severity, String) -> Problem,
) -> Option<Problem> {
    let keys: Vec<String> = promise.keys.as_ref().filter(|keys| !keys.contains_key(key))?.keys().cloned().collect();
    let near = nearest_name(key, keys.iter().map(String::as_str));
    let hint = near.map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
    let by = &promise.by;
    let message = format!("{by} will make {store} without the key {key}, and {}", serves(using));
    Some(
        problem(Severity::Warn, message)
            .found(if keys.is_empty() { "no keys".to_owned() } else { format!("{}{hint}", keys_text(&keys)) })
            .consequence(using.is_refused("certificate chain not set", Caught::Seen))
            .fix(format!("have {by} make {key} ({})", promise.fields.keys)),
    )
}
