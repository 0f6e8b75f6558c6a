//! The outline of a certificate (RFC 5280, section 4.1), checked as strictly as BoringSSL does. The parser for
//! the contents is more lenient, and accepts what makes Envoy reject a whole file.

use super::certificate_error::CertificateError;
use super::der::{self, Reader};

/// Checks the outline of one certificate and returns its notBefore and notAfter, each with its tag.
pub(super) fn check(certificate: &[u8]) -> Result<[(u8, &[u8]); 2], CertificateError> {
    outline(certificate).ok_or_else(CertificateError::not_x509)
}

fn outline(certificate: &[u8]) -> Option<[(u8, &[u8]); 2]> {
    let mut outer = Reader::new(certificate).enter(der::SEQUENCE)?;
    let mut tbs = outer.enter(der::SEQUENCE)?;
    algorithm(&mut outer)?;
    bit_string(outer.expect(der::BIT_STRING)?)?;
    outer.is_empty().then_some(())?;

    if let Some(mut version) = tbs.enter(der::constructed(0)) {
        version.small()?;
        version.is_empty().then_some(())?;
    }
    integer(tbs.expect(der::INTEGER)?)?;
    algorithm(&mut tbs)?;
    name(tbs.enter(der::SEQUENCE)?)?;
    let mut validity = tbs.enter(der::SEQUENCE)?;
    let times = [validity.next()?, validity.next()?];
    validity.is_empty().then_some(())?;
    name(tbs.enter(der::SEQUENCE)?)?;
    let mut key = tbs.enter(der::SEQUENCE)?;
    algorithm(&mut key)?;
    bit_string(key.expect(der::BIT_STRING)?)?;
    key.is_empty().then_some(())?;
    for unique_id in [der::primitive(1), der::primitive(2)] {
        if let Some(bits) = tbs.expect(unique_id) {
            bit_string(bits)?;
        }
    }
    if let Some(mut extensions) = tbs.enter(der::constructed(3)) {
        let mut list = extensions.enter(der::SEQUENCE)?;
        // RFC 5280 doesn't allow an empty list.
        (extensions.is_empty() && !list.is_empty()).then_some(())?;
        while !list.is_empty() {
            let mut extension = list.enter(der::SEQUENCE)?;
            oid(extension.expect(der::OBJECT_IDENTIFIER)?)?;
            if let Some(critical) = extension.expect(der::BOOLEAN) {
                matches!(critical, [0xff] | [0x00]).then_some(())?;
            }
            extension.expect(der::OCTET_STRING)?;
            extension.is_empty().then_some(())?;
        }
    }
    tbs.is_empty().then_some(times)
}

/// An `AlgorithmIdentifier`.
fn algorithm(reader: &mut Reader<'_>) -> Option<()> {
    let mut algorithm = reader.enter(der::SEQUENCE)?;
    oid(algorithm.expect(der::OBJECT_IDENTIFIER)?)?;
    if !algorithm.is_empty() {
        let (tag, content) = algorithm.next()?;
        value(tag, content)?;
    }
    algorithm.is_empty().then_some(())
}

/// A `Name`, inside its SEQUENCE.
fn name(mut parts: Reader<'_>) -> Option<()> {
    while !parts.is_empty() {
        let mut part = parts.enter(der::SET)?;
        while !part.is_empty() {
            let mut attribute = part.enter(der::SEQUENCE)?;
            oid(attribute.expect(der::OBJECT_IDENTIFIER)?)?;
            let (tag, content) = attribute.next()?;
            value(tag, content)?;
            attribute.is_empty().then_some(())?;
        }
    }
    Some(())
}

/// Any value: its contents must match its tag.
fn value(tag: u8, content: &[u8]) -> Option<()> {
    match tag {
        der::BOOLEAN => (content.len() == 1).then_some(()),
        der::INTEGER => integer(content),
        der::BIT_STRING => bit_string(content),
        der::NULL => content.is_empty().then_some(()),
        der::OBJECT_IDENTIFIER => oid(content),
        der::UTF8_STRING => std::str::from_utf8(content).ok().map(drop),
        der::BMP_STRING => content.len().is_multiple_of(2).then_some(()),
        der::UNIVERSAL_STRING => content.len().is_multiple_of(4).then_some(()),
        _ => Some(()),
    }
}

fn integer(content: &[u8]) -> Option<()> {
    let redundant =
        matches!(content, [0, next, ..] if *next < 0x80) || matches!(content, [0xff, next, ..] if *next >= 0x80);
    (!content.is_empty() && !redundant).then_some(())
}

fn bit_string(content: &[u8]) -> Option<()> {
    let (&unused, bits) = content.split_first()?;
    let last = bits.last().copied().unwrap_or(0);
    // Unused bits must be zero in DER.
    (unused == 0 || unused < 8 && !bits.is_empty() && last.trailing_zeros() >= u32::from(unused)).then_some(())
}

fn oid(content: &[u8]) -> Option<()> {
    // Every arc ends in a byte without the high bit, and doesn't start with a bare continuation byte.
    let mut starts = true;
    for &byte in content {
        if starts && byte == 0x80 {
            return None;
        }
        starts = byte < 0x80;
    }
    (!content.is_empty() && starts).then_some(())
}
