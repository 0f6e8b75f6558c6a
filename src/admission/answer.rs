//! What goes back to the API server: a review's answer, or a `metav1.Status` for everything that is none.

use bytes::Bytes;
use serde::Serialize;

use crate::admission::review::{REVIEW_API_VERSION, REVIEW_KIND, Request};
use crate::admission::verdict::Verdict;
use crate::admission::wording::{self, Cause};

/// The longest message of an answer that is no review, in characters.
const MAX_MESSAGE: usize = 2_000;
/// A longer warning is cut by the API server, where there are many.
const LONGEST_WARNING: usize = 256;
/// What is said of a review that is refused because there was no room for it.
const OVERLOADED: &str =
    "meshvet is overloaded, and refused this review unjudged (--overload refuse): apply again later";
/// What is said of one that passes.
const PASSED_UNJUDGED: &str = "meshvet is overloaded: this object was not judged. Run meshvet check on it";

/// An HTTP answer, whose body is always JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status code.
    pub code: u16,
    /// The body.
    pub body: Bytes,
}

/// `reason` of a `metav1.Status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Reason {
    BadRequest,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    RequestEntityTooLarge,
    Timeout,
    InternalError,
    ServiceUnavailable,
}

impl Reason {
    /// The HTTP status code that goes with it.
    pub const fn code(self) -> u16 {
        match self {
            Reason::BadRequest => 400,
            Reason::Forbidden => 403,
            Reason::NotFound => 404,
            Reason::MethodNotAllowed => 405,
            Reason::RequestEntityTooLarge => 413,
            Reason::Timeout => 504,
            Reason::InternalError => 500,
            Reason::ServiceUnavailable => 503,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_version: Option<&'static str>,
    metadata: Empty,
    status: &'static str,
    message: &'a str,
    reason: Reason,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details<'a>>,
    code: u16,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct Details<'a> {
    name: &'a str,
    group: &'a str,
    kind: &'a str,
    causes: Vec<Cause>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReviewAnswer<'a> {
    kind: &'static str,
    api_version: &'static str,
    response: Response<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_annotations: Option<Audit>,
}

impl<'a> Response<'a> {
    fn allowed(uid: &'a str) -> Self {
        Self { uid, allowed: true, status: None, warnings: Vec::new(), audit_annotations: None }
    }
}

/// Bare keys: the API server puts the webhook's name before them, and takes at most 63 characters each.
#[derive(Serialize, Default)]
#[serde(rename_all = "kebab-case")]
struct Audit {
    verdict: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    rules: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    warned_rules: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    suppressed: String,
}

impl Answer {
    /// The answer to a question that meshvet has no opinion on.
    pub fn allow(request: &Request) -> Self {
        Self::review(Response::allowed(&request.uid))
    }

    /// The answer that a verdict makes.
    pub fn of(request: &Request, verdict: &Verdict) -> Self {
        let is_all = verdict.unjudged == 0 && verdict.known_as_of.is_none();
        if is_all && verdict.allows() && verdict.warnings.is_empty() && verdict.suppressed.is_empty() {
            let audit = Audit { verdict: verdict_word(verdict), ..Audit::default() };
            return Self::review(Response { audit_annotations: Some(audit), ..Response::allowed(&request.uid) });
        }
        let object = request.object();
        let message = if verdict.allows() { String::new() } else { wording::denial(&object, verdict) };
        // 403: with 422 kubectl hides the message, and `apply --force` deletes the live object.
        let status = (!verdict.allows()).then(|| Status {
            kind: None,
            api_version: None,
            metadata: Empty {},
            status: "Failure",
            message: &message,
            reason: Reason::Forbidden,
            details: Some(Details {
                name: &request.name,
                group: &request.group,
                kind: &request.kind,
                causes: wording::causes(&object, &verdict.denials, verdict.detail),
            }),
            code: Reason::Forbidden.code(),
        });
        Self::review(Response {
            uid: &request.uid,
            allowed: verdict.allows(),
            status,
            warnings: wording::warnings(&object, verdict),
            audit_annotations: Some(Audit::of(verdict)),
        })
    }

    /// The answer to a review that was rejected by overload: it passes with a warning, or is refused for no fault of its own.
    pub fn unjudged(uid: &str, allowed: bool) -> Self {
        let status = (!allowed).then(|| Status {
            kind: None,
            api_version: None,
            metadata: Empty {},
            status: "Failure",
            message: OVERLOADED,
            reason: Reason::ServiceUnavailable,
            details: None,
            code: Reason::ServiceUnavailable.code(),
        });
        let warnings = if allowed { vec![PASSED_UNJUDGED.to_owned()] } else { Vec::new() };
        let audit = Audit { verdict: "overloaded", ..Audit::of(&Verdict::default()) };
        Self::review(Response { uid, allowed, status, warnings, audit_annotations: Some(audit) })
    }

    /// The answer to a review that passes because the caches aren't filled, by the kinds that are missing.
    pub fn not_ready(request: &Request, missing: &[String]) -> Self {
        let warning = format!(
            "{} was not judged: meshvet isn't ready, because it hasn't read every {} yet. Run meshvet check on it",
            wording::named(&request.object()),
            missing.join(", ")
        );
        Self::review(Response {
            uid: &request.uid,
            allowed: true,
            status: None,
            warnings: vec![wording::clean(&warning, LONGEST_WARNING)],
            audit_annotations: Some(Audit { verdict: "not-ready", ..Audit::of(&Verdict::default()) }),
        })
    }

    /// An answer that is no review: the one kind of body whose text reaches the user.
    pub fn failure(reason: Reason, message: &str) -> Self {
        // It may quote what an unauthenticated client sent.
        let end = message.char_indices().nth(MAX_MESSAGE).map_or(message.len(), |(end, _)| end);
        let message = message.get(..end).unwrap_or_default();
        let status = Status {
            kind: Some("Status"),
            api_version: Some("v1"),
            metadata: Empty {},
            status: "Failure",
            message,
            reason,
            details: None,
            code: reason.code(),
        };
        Self { code: reason.code(), body: json(&status) }
    }

    fn review(response: Response<'_>) -> Self {
        let answer = ReviewAnswer { kind: REVIEW_KIND, api_version: REVIEW_API_VERSION, response };
        Self { code: 200, body: json(&answer) }
    }
}

impl Audit {
    fn of(verdict: &Verdict) -> Self {
        let suppressed = match wording::codes(&verdict.suppressed) {
            codes if codes.is_empty() => String::new(),
            codes => format!("{}: {}", verdict.suppressed.len(), codes.join(",")),
        };
        Self {
            verdict: verdict_word(verdict),
            rules: wording::codes(&verdict.denials).join(","),
            warned_rules: wording::codes(verdict.warnings.iter().map(|warned| &warned.finding)).join(","),
            suppressed,
        }
    }
}

/// `denied`, `warned` or `allowed`: for audit annotations, logs and metrics.
pub(crate) fn verdict_word(verdict: &Verdict) -> &'static str {
    match (verdict.allows(), verdict.warnings.is_empty()) {
        (false, _) => "denied",
        (true, false) => "warned",
        (true, true) => "allowed",
    }
}

fn json(value: &impl Serialize) -> Bytes {
    let mut body = Vec::with_capacity(512);
    // Writing strings and numbers to memory doesn't fail; if it ever did, the API server would tell of a body it can't read.
    let _ = serde_json::to_writer(&mut body, value);
    body.into()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::admission::fixtures::{finding, judgement};
    use crate::admission::review::Matter;
    use crate::admission::verdict::Old;

    fn request() -> Request {
        Request {
            uid: "u-1".to_owned(),
            group: "appmesh.k8s.aws".to_owned(),
            version: "v1beta2".to_owned(),
            kind: "VirtualNode".to_owned(),
            namespace: "shop".to_owned(),
            name: "blue".to_owned(),
            operation: "CREATE".to_owned(),
            dry_run: false,
            by_service_account: false,
            subject: Matter::Unjudged,
            moved: None,
        }
    }

    fn parsed(answer: &Answer) -> Value {
        serde_json::from_slice(&answer.body).expect("JSON")
    }

    #[test]
    fn a_denial_is_forbidden_with_details_and_causes() {
        let new = judgement([
            finding("MV101", "listener 1", "a"),
            finding("MV209", "listener 1", "b").mild(),
            finding("MV206", "listener 1", "c").suppressed("known"),
        ]);
        let answer = Answer::of(&request(), &Verdict::weigh(new, Old::Absent));
        assert_eq!(answer.code, 200);
        let body = parsed(&answer);
        assert_eq!(body["apiVersion"], "admission.k8s.io/v1");
        assert_eq!(body["kind"], "AdmissionReview");
        let response = &body["response"];
        assert_eq!(response["uid"], "u-1");
        assert_eq!(response["allowed"], false);
        assert_eq!(response["status"]["code"], 403);
        assert_eq!(response["status"]["reason"], "Forbidden");
        assert_eq!(response["status"]["details"]["kind"], "VirtualNode");
        assert_eq!(response["status"]["details"]["name"], "blue");
        assert_eq!(
            response["status"]["details"]["causes"],
            json!([{"reason": "MV101 hostname-mismatch", "message": "a", "field": "spec.listeners[0].tls"}])
        );
        assert_eq!(
            response["auditAnnotations"],
            json!({"verdict": "denied", "rules": "MV101", "warned-rules": "MV209", "suppressed": "1: MV206"})
        );
        assert_eq!(response["warnings"].as_array().map(Vec::len), Some(1));
    }

    #[test]
    fn what_is_not_judged_is_allowed_without_a_word() {
        let response = parsed(&Answer::allow(&request()))["response"].clone();
        assert_eq!(response, json!({"uid": "u-1", "allowed": true}));
    }

    #[test]
    fn a_failure_is_a_status() {
        let answer = Answer::failure(Reason::RequestEntityTooLarge, "too \"large\"");
        assert_eq!(answer.code, 413);
        let body = parsed(&answer);
        assert_eq!((&body["kind"], &body["apiVersion"]), (&json!("Status"), &json!("v1")));
        assert_eq!(body["code"], 413);
        assert_eq!(body["reason"], "RequestEntityTooLarge");
        assert_eq!(body["message"], "too \"large\"");
        let long = parsed(&Answer::failure(Reason::BadRequest, &"é".repeat(5_000)));
        assert_eq!(long["message"].as_str().map(|text| text.chars().count()), Some(MAX_MESSAGE));
    }
}
