//! Guesses what a file without a PEM block is, for the message.

use super::certificate::Certificate;
use super::der::{self, Reader};
use super::instead::NotPem;
use super::pem::{PassedOver, PassedOverBecause, find};

/// How much of a file is inspected: its kind shows at the beginning.
const LOOKED_AT: usize = 1 << 16;

/// The part of `-----BEGIN ` in base64 that doesn't depend on what follows.
const BASE64_OF_BEGIN: &[u8] = b"LS0tLS1CRUdJTi";

const PKCS7_SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];

/// Names a file without a block, from its bytes and the BEGINs that don't begin one.
pub(super) fn name(bytes: &[u8], passed_over: &[PassedOver]) -> NotPem {
    let bytes = bytes.get(..LOOKED_AT).unwrap_or(bytes);
    let text = bytes.trim_ascii();
    if text.is_empty() {
        return NotPem::Blank;
    }
    if let Some(first) = passed_over.first() {
        return passed_over_shape(text, first);
    }
    if bytes.starts_with(&[0xff, 0xfe])
        || bytes.starts_with(&[0xfe, 0xff])
        || bytes.starts_with(b"-\0-\0")
        || bytes.starts_with(b"\0-\0-")
    {
        return NotPem::Utf16;
    }
    if bytes.starts_with(&[0xfe, 0xed, 0xfe, 0xed]) || bytes.starts_with(&[0xce, 0xce, 0xce, 0xce]) {
        return NotPem::JavaKeyStore;
    }
    if let Some(shape) = binary(bytes) {
        return shape;
    }
    if text.starts_with(BASE64_OF_BEGIN) {
        return NotPem::DoubleBase64;
    }
    if text.starts_with(b"MI")
        && text.len() > 64
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/= \r\n\t".contains(byte))
    {
        return NotPem::BareBase64;
    }
    NotPem::Other
}

fn passed_over_shape(text: &[u8], first: &PassedOver) -> NotPem {
    let line = first.line;
    if find(text, b"-----\\n").or_else(|| find(text, b"-----\\r\\n")).is_some() {
        return NotPem::LiteralBackslashN;
    }
    match first.reason {
        PassedOverBecause::CarriageReturns => NotPem::CarriageReturns,
        _ if find(text, b"-----END ").is_some() && !text.contains(&b'\n') => {
            if text.contains(&b'\r') {
                NotPem::CarriageReturns
            } else {
                NotPem::SingleLine
            }
        }
        PassedOverBecause::ByteOrderMark => NotPem::ByteOrderMark { line },
        PassedOverBecause::Indented => NotPem::Indented { line },
        PassedOverBecause::AfterText => NotPem::AfterText { line },
        PassedOverBecause::AfterNul => NotPem::AfterNul { line },
        PassedOverBecause::Malformed => NotPem::MalformedBegin { line },
    }
}

/// What a file that begins with a DER SEQUENCE is.
fn binary(bytes: &[u8]) -> Option<NotPem> {
    let mut outer = Reader::new(bytes);
    let Some(mut inside) = outer.enter(der::SEQUENCE) else {
        // A store longer than what is inspected, or one of indefinite length, still begins like this.
        return (bytes.starts_with(&[0x30, 0x82]) || bytes.starts_with(&[0x30, 0x80])).then_some(NotPem::Der);
    };
    if inside.expect(der::OBJECT_IDENTIFIER) == Some(PKCS7_SIGNED_DATA) {
        return Some(NotPem::Pkcs7);
    }
    if inside.clone().small() == Some(3) && inside.next().is_some() && inside.expect(der::SEQUENCE).is_some() {
        return Some(NotPem::Pkcs12);
    }
    (outer.is_empty() || Certificate::parse_der(bytes).is_ok()).then_some(NotPem::Der)
}
