//! The content and the name of an Event for a problem. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use ring::digest::{SHA256, digest};

use crate::finding::catalogue::{FILE_MISSING, WORKLOAD_UNKNOWN};
use crate::finding::{Finding, Trait};
use crate::k8s::ObjectRef;
use crate::operate::events::short;
use crate::text::{hex, is_unsafe};

/// The most problems of one object that are reported by Events, the most severe first: metrics and `audit` have all.
const MOST_OF_ONE: usize = 20;
/// The most bytes of the object's name in an Event's name, which may have 253.
const LONGEST_NAME: usize = 200;
/// The namespace of Events about cluster-scoped objects: the API server accepts no other.
const NOWHERE: &str = "default";

/// Identifies a problem regardless of the wording: a digest.
pub(crate) type Identity = String;

/// One Event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// Its name, derived from its content, so that no replica has to remember it.
    pub(crate) name: String,
    /// Its namespace.
    pub(crate) namespace: String,
    /// The object that it is about.
    pub(crate) object: ObjectRef,
    /// The object's UID.
    pub(crate) uid: Box<str>,
    /// The problem's identity.
    pub(crate) identity: Identity,
    /// Whether it reports that the problem is over.
    pub(crate) is_end: bool,
    /// Whether a missing object may exist already, with its watch lagging behind.
    pub(crate) may_follow: bool,
    /// `CertificateExpired`.
    pub(crate) reason: String,
    /// What is wrong.
    pub(crate) note: String,
    /// `MV207 certificate-expired (listener 8443)`.
    headline: String,
}

/// A problem, and how to report it.
pub(crate) struct Told<'a> {
    pub(crate) finding: &'a Finding,
    /// The object that the Event is about.
    pub(crate) object: &'a ObjectRef,
    pub(crate) uid: &'a str,
    /// Whether to report only what the object itself contains.
    pub(crate) brief: bool,
    pub(crate) now: Timestamp,
}

/// Everything to report at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notices {
    /// By namespace and name.
    pub(crate) all: BTreeMap<(String, String), Arc<Notice>>,
    /// Problems that persist but aren't reported: suppressed, or too many for one object.
    pub(crate) quiet: BTreeSet<Identity>,
    of_object: BTreeMap<ObjectRef, usize>,
}

impl Notices {
    /// Adds a problem. The problems of one object must be added most severe first.
    pub(crate) fn add(&mut self, told: &Told<'_>) {
        let identity = told.identity();
        let count = self.of_object.entry(told.object.clone()).or_default();
        if told.finding.suppressed.is_some() || *count >= MOST_OF_ONE {
            self.quiet.insert(identity);
            return;
        }
        *count += 1;
        let notice = told.notice(identity);
        self.all.insert((notice.namespace.clone(), notice.name.clone()), Arc::new(notice));
    }
}

impl Told<'_> {
    fn identity(&self) -> Identity {
        let (code, object, anchor) = self.finding.identity();
        let call = self.finding.problem.site.call.as_ref();
        let call = call.map(|call| format!("{}\0{}\0{}\0{:?}", call.client, call.server, call.listener, call.policy));
        digest_of(&[self.uid, code, &object.to_string(), anchor, &call.unwrap_or_default()])
    }

    fn notice(&self, identity: Identity) -> Notice {
        let rule = self.finding.rule;
        let note = self.note();
        // A different remaining time isn't a different problem: it is reported again once a day.
        let day = self.now.to_string().get(..10).unwrap_or_default().to_owned();
        let content = if rule.has(Trait::Time) { &day } else { &note };
        let severity = self.finding.severity.to_string();
        let content = digest_of(&[&identity, &severity, content]);
        Notice {
            name: event_name(&self.object.name, &content),
            namespace: self.object.namespace.as_deref().unwrap_or(NOWHERE).to_owned(),
            object: self.object.clone(),
            uid: self.uid.into(),
            identity,
            is_end: false,
            may_follow: [FILE_MISSING, WORKLOAD_UNKNOWN].contains(&rule),
            reason: camel_case(rule.name),
            note,
            headline: format!("{} {} ({})", rule.code, rule.name, self.finding.problem.site.anchor),
        }
    }

    /// The expected value is left out: it may contain the time.
    pub(super) fn note(&self) -> String {
        let Finding { rule, severity, problem, object, .. } = self.finding;
        let field = self.finding.field().kubernetes();
        let place = match (object == self.object, field.is_empty()) {
            (true, true) => String::new(),
            (true, false) => format!(" at {field}"),
            // In brief, nothing about other objects.
            (false, _) if self.brief => String::new(),
            (false, true) => format!(" at {object}"),
            (false, false) => format!(" at {object}: {field}"),
        };
        let mut note = format!("{} {} ({severity}){place}: ", rule.code, rule.name);
        if self.brief {
            note.push_str(rule.summary);
        } else {
            note.push_str(&problem.message);
            let parts = [("found", &problem.found), ("at run time", &problem.consequence), ("fix", &problem.fix)];
            for (label, part) in parts {
                if let Some(part) = part {
                    note.push_str(&format!("; {label}: {part}"));
                }
            }
        }
        short(
            note.chars().map(|c| if is_unsafe(c) || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect(),
        )
    }
}

impl Notice {
    /// The notice that the problem is over.
    pub(crate) fn end(&self) -> Self {
        Self {
            name: event_name(&self.object.name, &digest_of(&[&self.identity, "ended"])),
            is_end: true,
            may_follow: false,
            reason: format!("{}Resolved", self.reason),
            note: short(format!("TLS problem resolved: {}", self.headline)),
            ..self.clone()
        }
    }

    /// Its namespace and name.
    pub(crate) fn key(&self) -> (String, String) {
        (self.namespace.clone(), self.name.clone())
    }
}

pub(super) fn event_name(object: &str, digest: &str) -> String {
    let start = object.get(..object.floor_char_boundary(LONGEST_NAME)).unwrap_or_default();
    format!("{}.{digest}", start.trim_end_matches(['.', '-']))
}

pub(super) fn digest_of(parts: &[&str]) -> String {
    let digest = digest(&SHA256, parts.join("\0").as_bytes());
    hex(digest.as_ref().get(..16).unwrap_or_default())
}

/// `certificate-expired` as `CertificateExpired`.
fn camel_case(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    });
    words.collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::finding::{Problem, Rule, Severity, Site};
    use crate::k8s::FieldPath;

    /// A finding on the virtual node `shop/NAME`.
    pub(crate) fn finding(code: &str, name: &str, message: &str) -> Finding {
        let site = Site::new("listener 8443", FieldPath::root().keys(["spec", "tls"]));
        Finding {
            rule: Rule::find(code).expect("a rule"),
            severity: Severity::Deny,
            object: ObjectRef::new("appmesh.k8s.aws/v1beta2", "VirtualNode", "shop", name),
            problem: Problem::deny(site, message),
            suppressed: None,
        }
    }

    /// The notices for findings at a time.
    pub(crate) fn notices(findings: &[Finding], now: &str) -> Notices {
        let mut notices = Notices::default();
        for finding in findings {
            let now = now.parse().expect("a time");
            notices.add(&Told { finding, object: &finding.object, uid: "u-1", brief: false, now });
        }
        notices
    }

    const NOON: &str = "2026-11-27T12:00:00Z";

    #[test]
    fn a_name_comes_from_the_content() {
        let one = |code: &str, message: &str, now: &str| {
            let all = notices(&[finding(code, "blue", message)], now).all;
            all.into_values().next().expect("a notice")
        };
        let first = one("MV101", "no name matches", NOON);
        assert_eq!(first, one("MV101", "no name matches", "2026-11-28T12:00:00Z"), "whoever tells it, and when");
        let reworded = one("MV101", "other names", NOON);
        assert_ne!(first.name, reworded.name);
        assert_eq!(first.identity, reworded.identity);
        assert_eq!(first.end(), Notice { note: first.end().note, ..reworded.end() }, "one end, however it was worded");
        assert!(first.name.starts_with("blue.") && first.reason == "HostnameMismatch", "{first:?}");
        assert_eq!(first.note, "MV101 hostname-mismatch (deny) at spec.tls: no name matches");
        assert_eq!(first.end().note, "TLS problem resolved: MV101 hostname-mismatch (listener 8443)");
        // Changes by time alone are reported once a day.
        let soon = one("MV209", "ends in 3 hours", NOON);
        assert_eq!(soon.name, one("MV209", "ends in 2 hours", "2026-11-27T13:00:00Z").name);
        assert_ne!(soon.name, one("MV209", "ends in 2 hours", "2026-11-28T00:00:00Z").name);
    }

    #[test]
    fn an_event_takes_what_is_told() {
        let long = notices(&[finding("MV101", &"b".repeat(253), &"é\n\u{202e}".repeat(2_000))], NOON);
        let notice = long.all.values().next().expect("a notice");
        assert!(notice.name.len() <= 253 && notice.note.len() <= 1024, "{notice:?}");
        assert!(!notice.note.contains(|c: char| c.is_control() || c == '\u{202e}'), "{}", notice.note);
        let many: Vec<Finding> = (0..50).map(|n| finding("MV101", "blue", &n.to_string())).collect();
        assert_eq!(notices(&many, NOON).all.len(), MOST_OF_ONE);
    }

    #[test]
    fn in_brief_nothing_is_told_that_the_object_does_not_say() {
        let mut secret = finding("MV206", "blue", "hush");
        secret.problem = secret.problem.found("hush").consequence("hush").fix("hush");
        let object = ObjectRef::new("appmesh.k8s.aws/v1beta2", "VirtualNode", "shop", "green");
        let mut notices = Notices::default();
        let now = Timestamp::UNIX_EPOCH;
        notices.add(&Told { finding: &secret, object: &object, uid: "u", brief: true, now });
        let notice = notices.all.values().next().expect("a notice");
        assert!(!notice.note.contains("hush") && !notice.note.contains("blue"), "{}", notice.note);
        assert!(notice.note.contains(secret.rule.summary));
    }
}
