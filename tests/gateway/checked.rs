//! What `meshvet check` reports for a case, and whether that agrees with Envoy Gateway.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::case::{Case, Differs};
use crate::verdicts::{Is, Verdict, written};

/// What is reported for a subject: codes, each with whether it denies.
pub(crate) type Said = BTreeMap<String, Vec<(String, bool)>>;

/// What meshvet reports, by `Kind namespace/name`, for a listener followed by its name.
pub(crate) fn checked(case: &Case) -> Said {
    let (folder, _) = written(case);
    let ran = Command::new(env!("CARGO_BIN_EXE_meshvet"))
        .args(["check", ".", "-o", "json"])
        .current_dir(folder.path())
        .output()
        .expect("meshvet starts");
    let answer: Value = serde_json::from_slice(&ran.stdout)
        .unwrap_or_else(|error| panic!("{}: {error}: {}", case.name, String::from_utf8_lossy(&ran.stderr)));
    let mut said = Said::new();
    for finding in answer["findings"].as_array().expect("findings") {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let object = &finding["object"];
        let mut subject = format!("{} {}/{}", text(&object["kind"]), text(&object["namespace"]), text(&object["name"]));
        let field = text(&finding["field"]);
        let place =
            field.strip_prefix("/spec/listeners/").and_then(|rest| rest.split('/').next()?.parse::<usize>().ok());
        if let Some(listener) = place.and_then(|place| listeners(case, &subject).into_iter().nth(place)) {
            subject = format!("{subject} {listener}");
        }
        let one = (text(&finding["code"]), finding["severity"] == "deny");
        if field.starts_with("/spec/tls/frontend") {
            // What all clients must present concerns each listener.
            for listener in listeners(case, &subject) {
                said.entry(format!("{subject} {listener}")).or_default().push(one.clone());
            }
        }
        said.entry(subject).or_default().push(one);
    }
    said
}

/// The names of an object's listeners.
fn listeners(case: &Case, subject: &str) -> Vec<String> {
    let is_it = |object: &&Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let metadata = &object["metadata"];
        format!("{} {}/{}", text(&object["kind"]), text(&metadata["namespace"]), text(&metadata["name"])) == subject
    };
    let listeners = case.objects().iter().find(is_it).and_then(|object| object["spec"]["listeners"].as_array());
    let names = listeners.into_iter().flatten().filter_map(|listener| listener["name"].as_str());
    names.map(str::to_owned).collect()
}

pub(crate) fn denies(said: &Said, subject: &str) -> bool {
    said.get(subject).is_some_and(|all| all.iter().any(|(_, denies)| *denies))
}

pub(crate) fn warns(said: &Said, subject: &str) -> bool {
    said.get(subject).is_some_and(|all| !all.is_empty()) && !denies(said, subject)
}

/// Not a route, nor a set, whose listeners have verdicts of their own.
fn is_judged(subject: &str, verdict: &Verdict) -> bool {
    let by_listeners = verdict.why.as_ref().is_some_and(|why| why.starts_with("ListenersNotValid: No listeners"));
    !subject.contains('→') && !by_listeners
}

/// Where meshvet and Envoy Gateway disagree without a reason, or agree despite one.
pub(crate) fn disagreements(case: &Case, recorded: &BTreeMap<String, Verdict>) -> Vec<String> {
    let said = checked(case);
    let mut wrong = Vec::new();
    for (subject, verdict) in recorded.iter().filter(|(subject, verdict)| is_judged(subject, verdict)) {
        let (denies, warns) = (denies(&said, subject), warns(&said, subject));
        let meant = case.differences.iter().find(|difference| difference.subject == *subject);
        let right = match (meant.map(|meant| meant.how), verdict.is) {
            (None, Is::Taken) => !denies,
            (None, Is::Partial) => warns,
            (None, Is::Refused) => denies,
            (Some(Differs::Stricter), is) => is == Is::Taken && denies,
            (Some(Differs::Softer), is) => is == Is::Refused && warns,
            (Some(Differs::Silent), is) => is != Is::Taken && !denies && !warns,
        };
        if !right {
            wrong.push(format!(
                "{}: {subject}: {verdict:?}, meshvet: {:?}, meant: {meant:?}",
                case.name,
                said.get(subject)
            ));
        }
        let asks = said.get(subject).is_some_and(|all| all.iter().any(|(code, _)| code == "MV504"));
        // A listener without TLS needs no certificate.
        let certified = case.uncovered && !subject.ends_with(" plain");
        if certified && verdict.routes.is_some_and(|routes| (routes > 0) != asks) {
            wrong.push(format!("{}: {subject}: {:?} routes, and MV504: {asks}", case.name, verdict.routes));
        }
    }
    for subject in said.keys().filter(|subject| denies(&said, subject) && !recorded.contains_key(*subject)) {
        // A set that isn't allowed: what is in it doesn't matter. A policy whose target no route leads to has no verdict either.
        if subject.starts_with("ListenerSet ") {
            wrong.push(format!("{}: {subject} is denied, and has no verdict: {:?}", case.name, said[subject]));
        }
    }
    for meant in case.differences.iter().filter(|meant| !recorded.contains_key(&meant.subject)) {
        wrong.push(format!("{}: {} has no verdict, and a difference is meant", case.name, meant.subject));
    }
    wrong
}
