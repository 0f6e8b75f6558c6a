//! Distinguished names as BoringSSL compares them: the string type, case and repeated spaces don't matter.

use super::super::der::{self, Reader};

const SET: u8 = 0x31;
const PRINTABLE_STRING: u8 = 0x13;
const T61_STRING: u8 = 0x14;
const IA5_STRING: u8 = 0x16;
const VISIBLE_STRING: u8 = 0x1a;
const UNIVERSAL_STRING: u8 = 0x1c;
const BMP_STRING: u8 = 0x1e;

/// A Name in a form in which equivalent names are equal, and a subtree is a prefix of the names
/// in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CanonicalName(Vec<u8>);

impl CanonicalName {
    /// From a Name in DER. What can't be read is kept unchanged, so that it only equals itself.
    pub(super) fn of(name: &[u8]) -> Self {
        Self(relative_names(name).unwrap_or_else(|| name.to_vec()))
    }

    /// Whether this name is in the subtree, for directoryName constraints.
    pub(super) fn is_within(&self, subtree: &Self) -> bool {
        self.0.starts_with(&subtree.0)
    }
}

fn relative_names(name: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(name.len());
    let mut names = Reader::new(name).enter(der::SEQUENCE)?;
    while !names.is_empty() {
        let mut attributes = names.enter(SET)?;
        let mut parts = Vec::with_capacity(1);
        while !attributes.is_empty() {
            parts.push(attribute(attributes.enter(der::SEQUENCE)?)?);
        }
        // DER sorts a SET OF by its members' bytes, which canonicalization may have changed.
        parts.sort_unstable();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        der::write(&mut out, SET, &parts);
    }
    Some(out)
}

fn attribute(mut reader: Reader<'_>) -> Option<Vec<u8>> {
    let kind = der::value(der::OBJECT_IDENTIFIER, &[reader.expect(der::OBJECT_IDENTIFIER)?]);
    let (tag, content) = reader.next()?;
    let value = match text(tag, content) {
        Some(text) => der::value(der::UTF8_STRING, &[folded(&text).as_bytes()]),
        None => der::value(tag, &[content]),
    };
    Some(der::value(der::SEQUENCE, &[&kind, &value]))
}

/// The text of a string type that is compared as text.
pub(super) fn text(tag: u8, content: &[u8]) -> Option<String> {
    match tag {
        der::UTF8_STRING => String::from_utf8(content.to_vec()).ok(),
        PRINTABLE_STRING | T61_STRING | IA5_STRING | VISIBLE_STRING => {
            Some(content.iter().map(|&byte| char::from(byte)).collect())
        }
        BMP_STRING => {
            content.chunks(2).map(|pair| char::from_u32(u32::from(u16::from_be_bytes(pair.try_into().ok()?)))).collect()
        }
        UNIVERSAL_STRING => {
            content.chunks(4).map(|four| char::from_u32(u32::from_be_bytes(four.try_into().ok()?))).collect()
        }
        _ => None,
    }
}

/// Trimmed, with single spaces and ASCII in lower case.
fn folded(text: &str) -> String {
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r');
    let words: Vec<&str> = text.split(is_space).filter(|word| !word.is_empty()).collect();
    words.join(" ").to_ascii_lowercase()
}

/// Each attribute of a Name: object identifier, tag and contents of the value.
pub(super) fn attributes(name: &[u8]) -> Vec<(&[u8], u8, &[u8])> {
    let mut out = Vec::new();
    let Some(mut names) = Reader::new(name).enter(der::SEQUENCE) else { return out };
    while let Some(mut set) = names.enter(SET) {
        while let Some(mut attribute) = set.enter(der::SEQUENCE) {
            if let (Some(kind), Some((tag, value))) = (attribute.expect(der::OBJECT_IDENTIFIER), attribute.next()) {
                out.push((kind, tag, value));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Name with one common name.
    fn name(tag: u8, value: &[u8]) -> Vec<u8> {
        let attribute = der::value(
            der::SEQUENCE,
            &[&der::value(der::OBJECT_IDENTIFIER, &[&[0x55, 4, 3]]), &der::value(tag, &[value])],
        );
        der::value(der::SEQUENCE, &[&der::value(SET, &[&attribute])])
    }

    #[track_caller]
    fn assert_same(one: (u8, &[u8]), other: (u8, &[u8]), same: bool) {
        let [one, other] = [one, other].map(|(tag, value)| CanonicalName::of(&name(tag, value)));
        assert_eq!(one == other, same);
    }

    #[test]
    fn names_are_the_same_whatever_their_case_space_and_kind_of_string() {
        assert_same((der::UTF8_STRING, b"Shop Root"), (PRINTABLE_STRING, b"  shop \t ROOT "), true);
        assert_same((BMP_STRING, b"\0s\0h"), (IA5_STRING, b"SH"), true);
        assert_same((UNIVERSAL_STRING, b"\0\0\0s"), (T61_STRING, b"s"), true);
        assert_same((T61_STRING, b"\xe4"), (der::UTF8_STRING, "ä".as_bytes()), true);
        assert_same((der::UTF8_STRING, "Ä".as_bytes()), (der::UTF8_STRING, "ä".as_bytes()), false);
        assert_same((der::UTF8_STRING, b"ShopRoot"), (der::UTF8_STRING, b"Shop Root"), false);
        assert_same((der::OCTET_STRING, b"a"), (der::OCTET_STRING, b"A"), false);
        assert_same((der::OCTET_STRING, b"a"), (der::UTF8_STRING, b"a"), false);
    }
}
