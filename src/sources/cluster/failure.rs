//! Failures between meshvet and the API server, with what to do about them.

use std::error::Error;

use kube::core::Status;
use kube::runtime::watcher;

use crate::sources::cluster::kinds::WatchedKind;
use crate::sources::cluster::place::Place;
use crate::text;

/// The longest message, in characters.
const MAX_MESSAGE: usize = 800;

/// A list or a watch that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) why: Why,
    /// Whether the list failed, or a part of it: watching starts only after a list.
    pub(super) listing: bool,
    /// Whether events are lost, so that a new list is needed.
    pub(super) lost: bool,
    /// Whether no answer came, but the end of a connection, or none.
    pub(super) unanswered: bool,
    pub(super) message: String,
}

/// Why it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The API server has no such resource: its CRD is not installed.
    Absent,
    /// The history has been compacted, and the kind is listed again. Normal in a healthy cluster.
    Expired,
    /// Not allowed.
    Forbidden,
    /// Anything else.
    Other,
}

impl Failure {
    /// From a watcher's error.
    pub(super) fn of(kind: &WatchedKind, place: &Place, error: &watcher::Error) -> Self {
        let (verb, cause) = match error {
            watcher::Error::InitialListFailed(cause) => ("list", Some(cause)),
            watcher::Error::WatchStartFailed(cause) | watcher::Error::WatchFailed(cause) => ("watch", Some(cause)),
            watcher::Error::WatchError(_) | watcher::Error::NoResourceVersion => ("watch", None),
        };
        let status = match error {
            watcher::Error::WatchError(status) => Some(status.as_ref()),
            _ => cause.and_then(status_of),
        };
        let why = match status {
            // A missing resource is answered in plain text, without a reason.
            Some(status) if status.code == 404 => Why::Absent,
            Some(status) if status.code == 410 => Why::Expired,
            Some(status) if status.is_forbidden() => Why::Forbidden,
            _ => Why::Other,
        };
        let message = match (why, status) {
            (Why::Absent, _) => {
                format!("the cluster has no {}: its CRD isn't installed; checking again regularly", kind.resource())
            }
            (Why::Forbidden, Some(status)) => forbidden(kind, place, verb, status),
            _ => {
                let detail = cause.map_or_else(|| error.to_string(), told);
                one_line(&format!("could not {verb} {}: {detail}", kind.resource()))
            }
        };
        let unanswered = cause.is_some_and(is_unanswered);
        Self { why, listing: verb == "list", lost: false, unanswered, message }
    }

    /// From reading an object by name. Its event is lost.
    pub(super) fn of_get(kind: &WatchedKind, place: &Place, error: &kube::Error) -> Self {
        let (why, message) = match status_of(error).filter(|status| status.is_forbidden()) {
            Some(status) => (Why::Forbidden, forbidden(kind, place, "get", status)),
            None => (Why::Other, one_line(&format!("could not get {}: {}", kind.resource(), told(error)))),
        };
        Self { why, listing: true, lost: true, unanswered: is_unanswered(error), message }
    }
}

/// Whether a request has had no answer.
fn is_unanswered(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Service(_) | kube::Error::HyperError(_) | kube::Error::ReadEvents(_))
}

/// The API server's status, if it returned one.
pub(super) fn status_of(error: &kube::Error) -> Option<&Status> {
    match error {
        kube::Error::Api(status) => Some(status),
        _ => None,
    }
}

/// A 403 in the API server's words (they name the user, the verb and the resource), and what fixes it.
pub(super) fn forbidden(kind: &WatchedKind, place: &Place, verb: &str, status: &Status) -> String {
    let resource = kind.resource();
    let (verbs, instead) = if verb == "get" { ("get", "none") } else { ("list and watch", "get") };
    let mut text = format!(
        "may not {verb} {resource}: {}; {} must allow {verbs} on {resource} to the ServiceAccount of meshvet",
        status.message.trim(),
        place.role()
    );
    match place {
        Place::Namespace(namespace) => {
            text.push_str(", or --secret-namespaces must leave out ");
            text.push_str(namespace);
        }
        Place::Everywhere if kind.plural == "secrets" => {
            text.push_str(", or --secrets must be ");
            text.push_str(instead);
        }
        Place::Everywhere => {}
    }
    one_line(&text)
}

/// A failed request's error, with its causes.
pub(crate) fn told(error: &kube::Error) -> String {
    match error {
        // The client's text says it twice, the second time in Rust's debug format.
        kube::Error::Api(status) if status.code == 401 => Trouble::of(error).what,
        kube::Error::Api(status) if status.message.trim().is_empty() => {
            format!("the API server answered {} {}", status.code, status.reason)
        }
        kube::Error::Api(status) => {
            format!("the API server answered {}: {}", status.code, status.message.trim())
        }
        kube::Error::Service(_) | kube::Error::HyperError(_) | kube::Error::Auth(_) => Trouble::of(error).what,
        // What couldn't be parsed may be a Secret: only the position is reported.
        kube::Error::SerdeError(error) => {
            format!("the answer can't be read (line {}, column {})", error.line(), error.column())
        }
        error => chain(error),
    }
}

/// Why the API server can't be used, worded for the user, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// `the API server refused your credentials (401)`
    pub what: String,
    /// What to do.
    pub fix: &'static str,
}

impl Trouble {
    /// From a failed request.
    pub(crate) fn of(error: &kube::Error) -> Self {
        let new = |what: String, fix| Self { what, fix };
        if let Some(status) = status_of(error) {
            let message = one_line(status.message.trim());
            return match status.code {
                401 => new("the API server refused your credentials (401)".to_owned(), LOG_IN),
                403 => new(format!("the API server doesn't allow you to do that (403): {message}"), ASK_FOR_RIGHTS),
                404 => new("the server is not a Kubernetes API server (404)".to_owned(), SERVER),
                429 | 503 => new(format!("the API server is busy ({}): {message}", status.code), "try again later"),
                code => new(format!("the API server answered {code}: {message}"), SAME_KUBECTL),
            };
        }
        let causes = chain(error);
        let has = |words: &[&str]| words.iter().any(|word| causes.contains(word));
        let last = last_cause(error);
        if matches!(error, kube::Error::Auth(_)) || has(&["auth exec", "unable to run auth"]) {
            return new(format!("there are no credentials for the API server: {last}"), CREDENTIALS);
        }
        if has(&["invalid peer certificate", "UnknownIssuer", "NotValidForName", "BadSignature"]) {
            let why = untrusted(&causes);
            return new(format!("the API server's certificate isn't trusted: {why}"), AUTHORITY);
        }
        if has(&["InvalidContentType", "invalid HTTP version", "corrupt message"]) {
            return new("the kubeconfig names the wrong protocol for the server (https or http)".to_owned(), SERVER);
        }
        new(format!("the API server can't be reached: {last}"), REACH)
    }
}

const LOG_IN: &str =
    "log in again, as you do for kubectl; `kubectl auth whoami` with the same kubeconfig and context shows who you are";
const ASK_FOR_RIGHTS: &str = "ask the cluster's administrator for the right, or choose another --context";
const SERVER: &str = "check the server's address in the kubeconfig (`kubectl config view --minify`)";
const SAME_KUBECTL: &str = "try `kubectl version` with the same kubeconfig and context";
const CREDENTIALS: &str =
    "check the user's entry in the kubeconfig (`kubectl config view --minify`), and that its command is installed";
const AUTHORITY: &str = "certificate-authority-data of the kubeconfig's cluster must have the CA that issued it";
const REACH: &str =
    "check that the cluster runs, that a VPN or proxy leads to it, and that this is the right --context";

/// What is wrong with the API server's certificate.
fn untrusted(causes: &str) -> &'static str {
    if causes.contains("UnknownIssuer") {
        "none of the kubeconfig's CAs issued it"
    } else if causes.contains("NotValidForName") {
        "it isn't valid for the name or address in the kubeconfig"
    } else if causes.contains("Expired") {
        "it has expired"
    } else if causes.contains("NotValidYet") {
        "it isn't valid yet (or the clock here is wrong)"
    } else {
        "it doesn't verify"
    }
}

/// The innermost cause, without the OS error number.
fn last_cause(error: &kube::Error) -> String {
    let mut last: &(dyn Error + 'static) = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    let text = one_line(&last.to_string());
    if text.contains("lookup address") {
        return "its host's name can't be resolved".to_owned();
    }
    let text = text.rsplit_once(" (os error ").map_or(text.as_str(), |(text, _)| text);
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}

/// An error and its causes. A cause that the text already contains is left out.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    one_line(&text::with_causes(error))
}

/// The text on one line of bounded length.
fn one_line(text: &str) -> String {
    text::one_line(text).chars().take(MAX_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::cluster::kinds::{self, CONFIG_MAPS, SECRETS};

    fn api(code: u16, reason: &str, message: &str) -> kube::Error {
        kube::Error::Api(Status::failure(message, reason).with_code(code).boxed())
    }

    #[track_caller]
    fn is(error: watcher::Error, why: Why, texts: &[&str]) {
        let failure = Failure::of(&SECRETS, &Place::Everywhere, &error);
        assert_eq!(failure.why, why, "{failure:?}");
        for text in texts {
            assert!(failure.message.contains(text), "{failure:?} lacks {text:?}");
        }
    }

    #[test]
    fn a_refusal_names_what_to_grant() {
        let refusal =
            "secrets is forbidden: User \"system:serviceaccount:meshvet-system:meshvet\" cannot list resource";
        is(
            watcher::Error::InitialListFailed(api(403, "Forbidden", refusal)),
            Why::Forbidden,
            &["may not list secrets", refusal, "must allow list and watch on secrets", "--secrets must be get"],
        );
        let status = Status::failure("no", "Forbidden").with_code(403);
        let text = forbidden(&CONFIG_MAPS, &Place::Everywhere, "get", &status);
        assert!(text.ends_with("must allow get on configmaps to the ServiceAccount of meshvet"), "{text}");
        let text = forbidden(&SECRETS, &Place::Namespace("shop".to_owned()), "watch", &status);
        assert!(text.contains("a Role in namespace shop must allow list and watch on secrets"), "{text}");
        assert!(text.ends_with("or --secret-namespaces must leave out shop"), "{text}");
    }

    #[test]
    fn failures_are_told_apart() {
        // As the client turns the plain text "404 page not found" into an error.
        let missing = || api(404, "Failed to parse error data", "404 page not found");
        is(watcher::Error::InitialListFailed(missing()), Why::Absent, &["no secrets", "CRD"]);
        is(watcher::Error::WatchStartFailed(missing()), Why::Absent, &[]);
        let expired = Status::failure("too old resource version", "Expired").with_code(410);
        is(watcher::Error::WatchError(expired.boxed()), Why::Expired, &[]);
        is(
            watcher::Error::WatchStartFailed(api(429, "TooManyRequests", "slow\ndown")),
            Why::Other,
            &["could not watch secrets: the API server answered 429: slow down"],
        );
        is(watcher::Error::NoResourceVersion, Why::Other, &["resourceVersion"]);
        let refused = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "Connection refused");
        is(
            watcher::Error::InitialListFailed(kube::Error::Service(Box::new(refused))),
            Why::Other,
            &["could not list secrets: the API server can't be reached: connection refused"],
        );
    }

    #[test]
    fn a_read_that_failed_has_lost_what_happened() {
        let pods = kinds::all().find(|kind| kind.kind == "Pod").expect("a kind");
        for (error, why, text) in [
            (api(403, "Forbidden", "no"), Why::Forbidden, "may not get pods: no; a ClusterRole must allow get on pods"),
            (api(500, "InternalError", "no"), Why::Other, "could not get pods: the API server answered 500: no"),
            (api(410, "Expired", "no"), Why::Other, "could not get pods"),
        ] {
            let failure = Failure::of_get(pods, &Place::Everywhere, &error);
            assert_eq!((failure.why, failure.lost), (why, true), "{failure:?}");
            assert!(failure.message.starts_with(text), "{failure:?}");
        }
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_not_quoted() {
        let error = serde_json::from_str::<u8>("\"hush\"").unwrap_err();
        let failure = watcher::Error::InitialListFailed(kube::Error::SerdeError(error));
        let failure = Failure::of(&SECRETS, &Place::Everywhere, &failure);
        assert!(failure.message.contains("line 1, column 6"), "{failure:?}");
        assert!(!failure.message.contains("hush"), "{failure:?}");
    }
}
