//! `AdmissionReview` of `admission.k8s.io/v1`, as the API server sends it.
//!
//! The envelope is parsed once; the two objects stay raw until they are decoded, typed, by [`decode_subject`]. What
//! meshvet has no opinion on (other kinds, deletions, subresources) is distinguished before anything of it is decoded.
//! What looks as API servers write it is read [in one pass](crate::admission::quick) instead.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::admission::moved::Moved;
use crate::apis::{Row, Subject, Undecodable, decode_subject, reviewed_row};
use crate::k8s::ObjectRef;
use crate::operate::trace::Reviewed;

/// The one version of the review that meshvet speaks (its `admissionReviewVersions`).
pub(crate) const REVIEW_API_VERSION: &str = "admission.k8s.io/v1";
/// The longest uid that is repeated in answers and logs, in bytes. An API server's has 36.
pub(crate) const MAX_UID: usize = 128;
/// The review's kind.
pub(crate) const REVIEW_KIND: &str = "AdmissionReview";

/// One question of the API server.
#[derive(Debug)]
pub struct Request {
    /// What the answer repeats.
    pub uid: String,
    /// The object's API group.
    pub group: String,
    /// The object's API version within the group.
    pub version: String,
    /// The object's kind.
    pub kind: String,
    /// Where the object is; empty for cluster-scoped objects.
    pub namespace: String,
    /// The object's name. The API server has filled in a `generateName` by now.
    pub name: String,
    /// `CREATE`, `UPDATE`, `DELETE` or `CONNECT`.
    pub operation: String,
    /// Whether nothing will be stored, whatever the answer.
    pub dry_run: bool,
    /// Whether a ServiceAccount asks, as controllers do.
    pub by_service_account: bool,
    /// What is asked about.
    pub subject: Matter,
    /// What changes of things that members rest on, where it is such a thing.
    pub moved: Option<Box<Moved>>,
}

/// What a question is about, as far as meshvet is concerned.
#[derive(Debug)]
pub enum Matter {
    /// Nothing that meshvet judges: allowed without a word.
    Unjudged,
    /// An object on its way out: allowed, so that its finalizers can be taken off.
    Leaving,
    /// An object as it would become.
    Object(Box<Change>),
}

/// An object as it would become, and as it is.
#[derive(Debug)]
pub struct Change {
    /// As it would become, or why that can't be read.
    pub new: Result<Subject, Box<Undecodable>>,
    /// As it is; None for a CREATE.
    pub old: Option<Result<Subject, Box<Undecodable>>>,
}

/// Why a body is no question that can be answered. The HTTP answer is 400.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum BadReview {
    /// Nothing was sent.
    #[error("the body is empty: expected an {REVIEW_KIND} of {REVIEW_API_VERSION}")]
    Empty,
    /// Not JSON, or not of the shape of a review.
    #[error("the body is not an {REVIEW_KIND}: {0}")]
    Malformed(String),
    /// Another kind of object, or another version of it.
    #[error("expected an {REVIEW_KIND} of {REVIEW_API_VERSION}, found {found}")]
    OtherType {
        /// What it says it is.
        found: String,
    },
    /// A part that every request has.
    #[error("the {REVIEW_KIND} has no {0}")]
    Missing(&'static str),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an AdmissionReview")]
struct Envelope<'a> {
    #[serde(default, borrow)]
    api_version: Cow<'a, str>,
    #[serde(default, borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    request: Option<RawRequest<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a request with a uid, a kind and an operation")]
struct RawRequest<'a> {
    #[serde(default)]
    uid: String,
    #[serde(default)]
    kind: GroupVersionKind,
    #[serde(default, borrow)]
    sub_resource: Option<Cow<'a, str>>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default)]
    operation: String,
    #[serde(borrow)]
    object: Option<&'a RawValue>,
    #[serde(borrow)]
    old_object: Option<&'a RawValue>,
    #[serde(default)]
    dry_run: Option<bool>,
    #[serde(default, borrow)]
    user_info: UserInfo<'a>,
}

/// Who asks.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "a user's name")]
pub(super) struct UserInfo<'a> {
    #[serde(borrow)]
    pub(super) username: Option<Cow<'a, str>>,
}

impl UserInfo<'_> {
    /// What the name of a ServiceAccount begins with.
    pub(super) const SERVICE_ACCOUNT: &'static str = "system:serviceaccount:";
}

/// What an object is.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "group, version and kind")]
pub(super) struct GroupVersionKind {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
}

/// Just enough of an object to see whether it is being deleted.
#[derive(Deserialize)]
struct Head {
    metadata: HeadMetadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeadMetadata {
    deletion_timestamp: Option<IgnoredAny>,
}

impl Request {
    /// Reads a review. An object that can't be read is no error here but part of the question.
    ///
    /// # Errors
    /// [`BadReview`] when the body is no review that can be answered.
    pub fn parse(body: &[u8]) -> Result<Self, BadReview> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(BadReview::Empty);
        }
        let envelope: Envelope<'_> =
            serde_json::from_slice(body).map_err(|error| BadReview::Malformed(error.to_string()))?;
        if envelope.kind != REVIEW_KIND || envelope.api_version != REVIEW_API_VERSION {
            return Err(BadReview::OtherType { found: describe_type(&envelope) });
        }
        let raw = envelope.request.ok_or(BadReview::Missing("request"))?;
        if raw.uid.is_empty() || raw.uid.len() > MAX_UID {
            return Err(BadReview::Missing("request.uid (of at most 128 bytes)"));
        }
        let namespace = raw.namespace.unwrap_or_default();
        let name = raw.name.unwrap_or_default();
        let subresource = raw.sub_resource.is_some_and(|subresource| !subresource.is_empty());
        let GroupVersionKind { group, version, kind } = &raw.kind;
        let judged = reviewed_row(group, version, kind).filter(|_| !subresource);
        let moved = match subresource {
            true => None,
            false => {
                let (new, old) = (raw.object.map(RawValue::get), raw.old_object.map(RawValue::get));
                Moved::of(group, version, kind, &namespace, new, old)
            }
        };
        let by_service_account = raw.user_info.username.is_some_and(|name| name.starts_with(UserInfo::SERVICE_ACCOUNT));
        let subject = match (judged, raw.operation.as_str()) {
            (Some(kind), "CREATE") => subject(kind, &namespace, &name, raw.object, None)?,
            (Some(kind), "UPDATE") => {
                let old = raw.old_object.ok_or(BadReview::Missing("request.oldObject"))?;
                subject(kind, &namespace, &name, raw.object, Some(old))?
            }
            _ => Matter::Unjudged,
        };
        Ok(Self {
            uid: raw.uid,
            group: raw.kind.group,
            version: raw.kind.version,
            kind: raw.kind.kind,
            namespace,
            name,
            operation: raw.operation,
            dry_run: raw.dry_run.unwrap_or_default(),
            by_service_account,
            subject,
            moved: moved.map(Box::new),
        })
    }

    /// The object's name, for those who read a denial or a log.
    pub fn object(&self) -> ObjectRef {
        let api_version =
            if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) };
        if self.namespace.is_empty() {
            ObjectRef::cluster_scoped(&api_version, &self.kind, &self.name)
        } else {
            ObjectRef::new(&api_version, &self.kind, &self.namespace, &self.name)
        }
    }

    /// What a trace tells of it, with what came of it.
    pub(crate) fn reviewed<'a>(&'a self, verdict: &'a str, rules: &'a str) -> Reviewed<'a> {
        Reviewed {
            uid: &self.uid,
            kind: &self.kind,
            namespace: &self.namespace,
            name: &self.name,
            operation: &self.operation,
            dry_run: self.dry_run,
            verdict,
            rules,
        }
    }
}

fn subject(
    kind: &'static Row,
    namespace: &str,
    name: &str,
    new: Option<&RawValue>,
    old: Option<&RawValue>,
) -> Result<Matter, BadReview> {
    let new = new.ok_or(BadReview::Missing("request.object"))?.get();
    if old.is_some() && is_being_deleted(new) {
        return Ok(Matter::Leaving);
    }
    let decode = |json| decoded(kind, json, namespace, name);
    Ok(Matter::Object(Box::new(Change { new: decode(new), old: old.map(|old| decode(old.get())) })))
}

/// An object of a row, asked about by this name.
pub(super) fn decoded(
    kind: &'static Row,
    json: &str,
    namespace: &str,
    name: &str,
) -> Result<Subject, Box<Undecodable>> {
    decode_subject(kind, json.as_bytes(), namespace).map_err(|mut error| {
        if error.object.name.is_empty() {
            error.object.name = name.into();
        }
        Box::new(error)
    })
}

/// Whether an object is on its way out.
pub(super) fn is_being_deleted(object: &str) -> bool {
    // A key may be written with escapes; nobody does.
    let may_be = object.contains("deletionTimestamp") || object.contains("\\u");
    may_be && serde_json::from_str::<Head>(object).is_ok_and(|head| head.metadata.deletion_timestamp.is_some())
}

fn describe_type(envelope: &Envelope<'_>) -> String {
    match (envelope.kind.as_ref(), envelope.api_version.as_ref()) {
        ("", "") => "an object without kind and apiVersion".to_owned(),
        (kind, "") => format!("{kind:?} without an apiVersion"),
        ("", version) => format!("an object of {version:?} without a kind"),
        (kind, version) => format!("{kind:?} of {version:?}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn review(edit: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut review = json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {
                "uid": "u-1",
                "kind": {"group": "appmesh.k8s.aws", "version": "v1beta2", "kind": "VirtualNode"},
                "resource": {"group": "appmesh.k8s.aws", "version": "v1beta2", "resource": "virtualnodes"},
                "name": "blue",
                "namespace": "shop",
                "operation": "CREATE",
                "userInfo": {"username": "someone"},
                "object": {"metadata": {"name": "blue"}, "spec": {}},
                "oldObject": null,
                "dryRun": true,
                "options": null
            }
        });
        edit(&mut review);
        review.to_string().into_bytes()
    }

    #[track_caller]
    fn rejects(body: &[u8], words: &[&str]) {
        let error = Request::parse(body).expect_err("no review").to_string();
        for word in words {
            assert!(error.contains(word), "{error:?} lacks {word:?}");
        }
    }

    #[track_caller]
    fn parses(body: &[u8]) -> Request {
        Request::parse(body).expect("a review")
    }

    #[test]
    fn a_review_is_read_whole() {
        let request = parses(&review(|_| ()));
        assert_eq!(request.uid, "u-1");
        assert_eq!(request.object().to_string(), "VirtualNode shop/blue");
        assert!(request.dry_run);
        let Matter::Object(change) = request.subject else { panic!("judged") };
        assert_eq!(change.new.expect("a virtual node").object.name, "blue");
        assert!(change.old.is_none());
    }

    #[test]
    fn what_is_no_review_says_so() {
        rejects(b"", &["empty", "AdmissionReview of admission.k8s.io/v1"]);
        rejects(b" \r\n", &["empty"]);
        rejects(b"{", &["EOF"]);
        let whole = review(|_| ());
        rejects(&whole[..whole.len() - 20], &["EOF"]);
        rejects(b"\xff\xfe{}", &["expected value"]);
        rejects(b"{}", &["without kind and apiVersion"]);
        rejects(b"[]", &["expected an AdmissionReview"]);
        rejects(b"null", &["invalid type"]);
        rejects(&review(|it| it["apiVersion"] = "admission.k8s.io/v1beta1".into()), &["v1beta1", "expected"]);
        rejects(&review(|it| it["kind"] = "ConversionReview".into()), &["ConversionReview"]);
        rejects(&review(|it| it["request"] = Value::Null), &["no request"]);
        rejects(&review(|it| it["request"]["uid"] = "".into()), &["request.uid"]);
        rejects(&review(|it| it["request"]["object"] = Value::Null), &["request.object"]);
        rejects(&review(|it| it["request"]["operation"] = "UPDATE".into()), &["request.oldObject"]);
        rejects(&review(|it| it["request"]["uid"] = json!({"a": 1})), &["invalid type: map"]);
    }

    #[test]
    fn text_that_is_not_utf8_is_an_error_not_a_panic() {
        let mut body = review(|_| ());
        let at = body.windows(4).position(|window| window == b"blue").expect("the name");
        body[at] = 0xff;
        rejects(&body, &["invalid unicode"]);
    }

    #[test]
    fn what_is_not_judged_is_told_apart() {
        let unjudged = |edit: fn(&mut Value)| matches!(parses(&review(edit)).subject, Matter::Unjudged);
        assert!(unjudged(|it| it["request"]["operation"] = "DELETE".into()));
        assert!(unjudged(|it| it["request"]["operation"] = "CONNECT".into()));
        assert!(unjudged(|it| it["request"]["subResource"] = "status".into()));
        assert!(unjudged(|it| it["request"]["kind"]["kind"] = "Gadget".into()));
        assert!(unjudged(|it| it["request"]["kind"]["group"] = "apps".into()));
        assert!(unjudged(|it| it["request"]["kind"]["version"] = "v1beta1".into()));
        assert!(!unjudged(|it| it["request"]["subResource"] = "".into()));
    }

    #[test]
    fn an_object_on_its_way_out_is_told_apart_even_when_it_cant_be_read() {
        let update = |metadata: Value| {
            parses(&review(|it| {
                it["request"]["operation"] = "UPDATE".into();
                it["request"]["oldObject"] = json!({"metadata": {"name": "blue"}});
                it["request"]["object"] = json!({"metadata": metadata, "spec": {"listeners": 5}});
            }))
            .subject
        };
        assert!(matches!(update(json!({"deletionTimestamp": "2026-01-01T00:00:00Z"})), Matter::Leaving));
        assert!(matches!(update(json!({"deletionTimestamp": null})), Matter::Object(_)));
        let Matter::Object(change) = update(json!({"name": "blue"})) else { panic!("judged") };
        assert_eq!(change.new.expect_err("listeners is no list").object.name, "blue");
    }

    #[test]
    fn nesting_without_end_is_an_error_not_a_panic() {
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        let nested = |place: &str, value: &str| {
            let body = String::from_utf8(review(|it| it["request"][place] = "NESTED".into())).expect("text");
            body.replace("\"NESTED\"", value).into_bytes()
        };
        for place in ["object", "userInfo", "uid"] {
            let _ = Request::parse(&nested(place, &deep));
            let _ = Request::parse(&nested(place, &deep[..150_000]));
        }
        let spec = format!("{{\"spec\":{{\"listeners\":{deep}}}}}");
        let Matter::Object(change) = parses(&nested("object", &spec)).subject else { panic!("judged") };
        assert!(change.new.is_err());
    }
}
