//! What a YAML scalar means to kubectl.
//!
//! kubectl reads manifests with sigs.k8s.io/yaml, whose scalars are YAML 1.1: `yes`, `on` and `n` are booleans,
//! `0644` is octal, `1_000` is a thousand. These are the rules of go-yaml v2 and of its conversion to JSON.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Number, Value};

/// A scalar's tag, as far as it changes the meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScalarTag {
    /// `!!str`, `!` or an unknown tag: the text as it is.
    Text,
    /// `!!binary`: base64.
    Binary,
    /// `!!int`, `!!float`, `!!bool`, `!!null`: the plain text's meaning, which must have that type.
    Other,
}

/// Reads a scalar. `plain`: whether it is unquoted.
pub(super) fn resolve(text: Cow<'_, str>, plain: bool, tag: Option<ScalarTag>) -> Result<Value, String> {
    match tag {
        None if !plain => Ok(Value::String(text.into_owned())),
        Some(ScalarTag::Text) => Ok(Value::String(text.into_owned())),
        Some(ScalarTag::Binary) => {
            let compact: String = text.split_ascii_whitespace().collect();
            STANDARD
                .decode(compact)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .map(Value::String)
                .ok_or_else(|| "the `!!binary` value is not base64 of UTF-8 text".to_owned())
        }
        None | Some(ScalarTag::Other) => resolve_plain(&text).map(|known| match known {
            Some(value) => value,
            None => Value::String(text.into_owned()),
        }),
    }
}

/// The meaning of a plain scalar; None if it is text.
fn resolve_plain(text: &str) -> Result<Option<Value>, String> {
    let value = match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Value::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf"
        | "-.INF" => return Err(format!("JSON has no number {text}; quote it if it is text")),
        _ => match text.as_bytes().first() {
            Some(b'0'..=b'9' | b'+' | b'-' | b'.') => return Ok(number(text)),
            _ => return Ok(None),
        },
    };
    Ok(Some(value))
}

fn number(text: &str) -> Option<Value> {
    if text.starts_with('.') {
        return if is_float(text) { float(text) } else { None };
    }
    let plain: Cow<'_, str> = if text.contains('_') { text.replace('_', "").into() } else { text.into() };
    integer(&plain).or_else(|| if is_float(&plain) { float(&plain) } else { None })
}

/// Go's `strconv.ParseInt` and `ParseUint` with base 0: `0x`, `0o`, `0b`, and octal after a bare zero.
fn integer(text: &str) -> Option<Value> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => (16, digits.get(2..)?),
        Some("0o") => (8, digits.get(2..)?),
        Some("0b") => (2, digits.get(2..)?),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        return i64::try_from(-i128::from(magnitude)).ok().map(Value::from);
    }
    // With a sign, Go reads a signed number only.
    if text.starts_with('+') && i64::try_from(magnitude).is_err() {
        return None;
    }
    Some(Value::from(magnitude))
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`
fn is_float(text: &str) -> bool {
    fn digits(text: &str) -> &str {
        text.trim_start_matches(|c: char| c.is_ascii_digit())
    }
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let rest = if let Some(fraction) = body.strip_prefix('.') {
        let rest = digits(fraction);
        if rest.len() == fraction.len() {
            return false;
        }
        rest
    } else {
        let rest = digits(body);
        if rest.len() == body.len() {
            return false;
        }
        rest.strip_prefix('.').map_or(rest, digits)
    };
    let Some(exponent) = rest.strip_prefix(['e', 'E']) else { return rest.is_empty() };
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    !exponent.is_empty() && digits(exponent).is_empty()
}

/// A float as Go's JSON writes it: without a fraction if it is integral.
fn float(text: &str) -> Option<Value> {
    let float: f64 = text.parse().ok().filter(|float: &f64| float.is_finite())?;
    if float.fract() == 0.0 && float.abs() < 9.0e15 {
        // Exact: below 2^53 every integral float is an integer.
        #[allow(clippy::cast_possible_truncation)]
        return Some(Value::from(float as i64));
    }
    Number::from_f64(float).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn means(text: &str, value: Value) {
        assert_eq!(resolve(text.into(), true, None), Ok(value), "{text}");
    }

    #[test]
    fn plain_scalars_mean_what_they_mean_to_kubectl() {
        for text in ["y", "Yes", "ON", "true"] {
            means(text, json!(true));
        }
        for text in ["n", "No", "off", "FALSE"] {
            means(text, json!(false));
        }
        for text in ["", "~", "null", "NULL"] {
            means(text, json!(null));
        }
        for text in
            ["yEs", "nil", "tls.crt", "2026-03-01", "12:30", "1.2.3", "-", "+", ".", "0x", "1e", "e1", "--1", "0b2"]
        {
            means(text, json!(text));
        }
    }

    #[test]
    fn numbers_mean_what_they_mean_to_kubectl() {
        means("8080", json!(8080));
        means("-5", json!(-5));
        means("+5", json!(5));
        means("0644", json!(420));
        means("0o644", json!(420));
        means("0x1F", json!(31));
        means("-0b11", json!(-3));
        means("1_000", json!(1000));
        means("089", json!(89));
        means("1e3", json!(1000));
        means("8080.0", json!(8080));
        means("1.5", json!(1.5));
        means(".5", json!(0.5));
        means("5.", json!(5));
        means("18446744073709551615", json!(u64::MAX));
        means("-9223372036854775808", json!(i64::MIN));
        means("18446744073709551616", json!(18446744073709551616.0));
    }

    #[test]
    fn quotes_and_tags_make_text() {
        assert_eq!(resolve("yes".into(), false, None), Ok(json!("yes")));
        assert_eq!(resolve("8080".into(), true, Some(ScalarTag::Text)), Ok(json!("8080")));
        assert_eq!(resolve("8080".into(), false, Some(ScalarTag::Other)), Ok(json!(8080)));
        assert_eq!(resolve("aGk=\n".into(), false, Some(ScalarTag::Binary)), Ok(json!("hi")));
        assert!(resolve("a".into(), false, Some(ScalarTag::Binary)).is_err());
        assert!(resolve(".inf".into(), true, None).is_err());
    }
}
