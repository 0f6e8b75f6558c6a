//! Why an object can't be decoded, and where in it: in words of JSON, not of the decoder's types.

use thiserror::Error;

use crate::k8s::FieldPath;
use crate::text;

/// Why an object can't be decoded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{field}{}{message}", if .field.is_root() { "" } else { ": " })]
pub struct DecodeError {
    /// Where the decoder gave up; the root for the document as a whole.
    pub field: FieldPath,
    /// What is wrong there, without the place.
    pub message: String,
}

impl DecodeError {
    /// With the decoder's message in plain words.
    pub(in crate::apis) fn new(field: FieldPath, message: &str) -> Self {
        Self { field, message: in_plain_words(message) }
    }
}

/// Longer messages are cut: they quote the value that is wrong.
pub(in crate::apis) const MAX_MESSAGE: usize = 300;

/// Turns the decoder's words for what it found and expected into those of JSON.
fn in_plain_words(message: &str) -> String {
    let message = match message.rsplit_once(", expected ") {
        Some((found, expected)) => {
            let found = found
                .replace("invalid type: map", "invalid type: object")
                .replace("invalid type: sequence", "invalid type: list");
            let expected = match expected {
                "i64" => "an integer",
                "a sequence" => "a list",
                "a map" => "an object",
                _ if expected.starts_with("struct ") => "an object",
                _ => expected,
            };
            format!("{found}, expected {expected}")
        }
        None => message.to_owned(),
    };
    text::cut(&message, MAX_MESSAGE)
}
