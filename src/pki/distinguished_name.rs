//! Distinguished names as text.

use std::fmt::Write;

use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use super::public_key::dotted;

/// The longest text of a name; a hostile certificate may contain one of any length.
const MAX_TEXT: usize = 1024;

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// Attribute types with a short name in RFC 4514, section 3, and other usual abbreviations.
const SHORT: [(&[u8], &str); 11] = [
    (COMMON_NAME, "CN"),
    (&[0x55, 0x04, 0x06], "C"),
    (&[0x55, 0x04, 0x07], "L"),
    (&[0x55, 0x04, 0x08], "ST"),
    (&[0x55, 0x04, 0x09], "STREET"),
    (&[0x55, 0x04, 0x0a], "O"),
    (&[0x55, 0x04, 0x0b], "OU"),
    (&[0x55, 0x04, 0x05], "serialNumber"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19], "DC"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01], "UID"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01], "emailAddress"),
];

/// The name in RFC 4514 notation, the most specific part first: `CN=blue,O=Shop,C=DE`.
pub(super) fn text(name: &X509Name<'_>) -> String {
    let parts: Vec<_> = name.iter_rdn().collect();
    let mut out = String::new();
    for part in parts.into_iter().rev() {
        for (at, attribute) in part.iter().enumerate() {
            if !out.is_empty() {
                out.push(if at == 0 { ',' } else { '+' });
            }
            if out.len() > MAX_TEXT {
                out.push('…');
                return out;
            }
            write_attribute(&mut out, attribute);
        }
    }
    out.shrink_to_fit();
    out
}

/// The first common name, which is the one that Envoy uses.
pub(super) fn common_name(name: &X509Name<'_>) -> Option<String> {
    name.iter_attributes().find(|attribute| attribute.attr_type().as_bytes() == COMMON_NAME).map(value)
}

const T61_STRING: u32 = 20;
const UNIVERSAL_STRING: u32 = 28;
const BMP_STRING: u32 = 30;

fn write_attribute(out: &mut String, attribute: &AttributeTypeAndValue<'_>) {
    let oid = attribute.attr_type();
    match SHORT.iter().find(|(known, _)| *known == oid.as_bytes()) {
        Some((_, short)) => out.push_str(short),
        None => out.push_str(&dotted(oid.as_bytes())),
    }
    out.push('=');
    let value = value(attribute);
    for (at, c) in value.chars().enumerate() {
        if at == MAX_TEXT {
            out.push('…');
            break;
        }
        match c {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => out.extend(['\\', c]),
            '#' | ' ' if at == 0 => out.extend(['\\', c]),
            c if c.is_control() => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    // Writing to a String can't fail.
                    let _ = write!(out, "\\{byte:02X}");
                }
            }
            c => out.push(c),
        }
    }
}

/// An attribute's value as text, for any string type.
fn value(attribute: &AttributeTypeAndValue<'_>) -> String {
    let content = attribute.attr_value().data;
    match attribute.attr_value().tag().0 {
        BMP_STRING => {
            let units =
                content.chunks_exact(2).map(|pair| pair.iter().fold(0, |unit, &byte| unit << 8 | u16::from(byte)));
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        UNIVERSAL_STRING => content
            .chunks_exact(4)
            .map(|four| four.iter().fold(0, |code, &byte| code << 8 | u32::from(byte)))
            .map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect(),
        T61_STRING => content.iter().map(|&byte| char::from(byte)).collect(),
        _ => String::from_utf8_lossy(content).into_owned(),
    }
}
