//! Turns the SDK's errors into reasons that rules report.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::aws::{Call, CallOutcome, Unanswered};
use crate::text;

/// The longest reason that is reported, in characters: answers may be pages of HTML.
const LONGEST: usize = 200;

/// Why there is no usable answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It doesn't exist.
    NotFound,
    /// There was no answer.
    Unanswered(Unanswered),
}

impl From<&Trouble> for CallOutcome {
    fn from(trouble: &Trouble) -> Self {
        match trouble {
            Trouble::NotFound => CallOutcome::NotFound,
            Trouble::Unanswered(why) => why.into(),
        }
    }
}

/// Classifies an SDK error.
pub(super) fn trouble<E>(call: Call, error: &SdkError<E, HttpResponse>) -> Trouble
where
    E: ProvideErrorMetadata + Error + 'static,
{
    Trouble::Unanswered(match error {
        SdkError::ServiceError(answered) => {
            let meta = answered.err().meta();
            let status = answered.raw().status().as_u16();
            return of_code(call, status, meta.code(), meta.message());
        }
        SdkError::TimeoutError(_) => Unanswered::TimedOut { call },
        SdkError::DispatchFailure(failure) if failure.is_timeout() => Unanswered::TimedOut { call },
        SdkError::ResponseError(answered) => {
            let status = answered.raw().status().as_u16();
            Unanswered::Failed { call, why: format!("an answer that can't be read (HTTP {status})") }
        }
        other => match credentials_error(other) {
            Some(error) => Unanswered::NoCredentials { call, why: chain(error) },
            None => Unanswered::Failed { call, why: chain(other) },
        },
    })
}

/// Classifies an error response from AWS.
pub(super) fn of_code(call: Call, status: u16, code: Option<&str>, message: Option<&str>) -> Trouble {
    let code = code.unwrap_or_default();
    let message = message.unwrap_or_default();
    Trouble::Unanswered(match code {
        "ResourceNotFoundException" | "NoSuchEntity" => return Trouble::NotFound,
        "AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation" => {
            Unanswered::Denied { call, principal: principal(message) }
        }
        "ThrottlingException"
        | "Throttling"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "SlowDown" => Unanswered::Throttled { call },
        "ExpiredTokenException"
        | "ExpiredToken"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "MissingAuthenticationToken"
        | "IncompleteSignature" => Unanswered::NoCredentials { call, why: clean(&format!("{code}: {message}")) },
        _ if status == 429 => Unanswered::Throttled { call },
        // An answer without a code comes from something in front of AWS.
        "" => Unanswered::Failed { call, why: format!("HTTP {status}") },
        code => Unanswered::Failed { call, why: clean(&format!("{code}: {message}")) },
    })
}

/// The denied principal in `User: ARN is not authorized to perform: …`.
fn principal(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("User: ")?;
    let (principal, _) = rest.split_once(" is not authorized")?;
    Some(principal).filter(|arn| arn.starts_with("arn:") && !arn.contains(char::is_whitespace)).map(clean)
}

fn credentials_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<CredentialsError>() {
            return Some(error);
        }
        next = error.source();
    }
    None
}

/// An error with its causes, on one line. No SDK error quotes a credential.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    clean(&text::with_causes(error))
}

/// One line of bounded length.
pub(super) fn clean(text: &str) -> String {
    text::one_line(&text::cut(text, LONGEST)).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: &str, message: &str) -> String {
        match of_code(Call::DescribeCertificate, 400, Some(code).filter(|code| !code.is_empty()), Some(message)) {
            Trouble::NotFound => "not found".to_owned(),
            Trouble::Unanswered(why) => why.to_string(),
        }
    }

    #[test]
    fn an_answer_of_aws_is_told_by_its_code() {
        let denied = "User: arn:aws:sts::111122223333:assumed-role/meshvet/pod is not authorized to perform: \
                      acm:DescribeCertificate on resource: arn:… because no identity-based policy allows it";
        assert_eq!(
            told("AccessDeniedException", denied),
            "acm:DescribeCertificate is denied to arn:aws:sts::111122223333:assumed-role/meshvet/pod"
        );
        assert_eq!(told("AccessDeniedException", "no"), "acm:DescribeCertificate is denied");
        assert_eq!(told("ThrottlingException", "Rate exceeded"), "acm:DescribeCertificate was throttled");
        assert_eq!(told("ResourceNotFoundException", ""), "not found");
        assert_eq!(told("", "<html>…"), "acm:DescribeCertificate failed: HTTP 400");
        assert_eq!(
            told("ExpiredTokenException", "old"),
            "acm:DescribeCertificate: no credentials: ExpiredTokenException: old"
        );
        assert_eq!(told("Odd", "a\nb"), "acm:DescribeCertificate failed: Odd: a b");
        assert!(told("Odd", &"é".repeat(10_000)).chars().count() < 300);
    }
}
