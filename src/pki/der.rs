//! Just enough DER (ITU-T X.690) to walk through keys and extension values: one-byte tags, definite lengths in their
//! shortest form. Every reader returns `None` where the bytes don't fit; reading doesn't panic or allocate.

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const UTF8_STRING: u8 = 0x0c;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const UNIVERSAL_STRING: u8 = 0x1c;
pub(super) const BMP_STRING: u8 = 0x1e;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// The tag of a context-specific primitive, `[number]`.
pub(super) const fn primitive(number: u8) -> u8 {
    0x80 | number
}

/// The tag of a context-specific constructed value, `[number]`.
pub(super) const fn constructed(number: u8) -> u8 {
    0xa0 | number
}

/// Reads consecutive values.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next value's tag and contents.
    pub(super) fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.rest.split_first()?;
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            if digits.is_empty() || digits.len() > 4 || digits.first() == Some(&0) {
                return None;
            }
            let length = digits.iter().fold(0usize, |sum, &digit| sum << 8 | usize::from(digit));
            if length < 0x80 {
                return None;
            }
            (length, rest)
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some((tag, content))
    }

    /// The next value's contents, if it has this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let (found, content) = ahead.next()?;
        if found != tag {
            return None;
        }
        *self = ahead;
        Some(content)
    }

    /// A nested value with this tag, as a reader of its contents.
    pub(super) fn enter(&mut self, tag: u8) -> Option<Reader<'a>> {
        self.expect(tag).map(Reader::new)
    }

    /// A non-negative INTEGER, without the leading zero.
    pub(super) fn unsigned(&mut self) -> Option<&'a [u8]> {
        match self.expect(INTEGER)? {
            [] => None,
            [0, high, ..] if *high < 0x80 => None,
            [first, ..] if *first >= 0x80 => None,
            [0, rest @ ..] if !rest.is_empty() => Some(rest),
            digits => Some(digits),
        }
    }

    /// An INTEGER that fits a byte.
    pub(super) fn small(&mut self) -> Option<u8> {
        match self.unsigned()? {
            [value] => Some(*value),
            _ => None,
        }
    }

    /// A BIT STRING of whole bytes.
    pub(super) fn bytes_of_bit_string(&mut self) -> Option<&'a [u8]> {
        match self.expect(BIT_STRING)? {
            [0, bytes @ ..] => Some(bytes),
            _ => None,
        }
    }
}

/// Appends a value to `out`.
pub(super) fn write(out: &mut Vec<u8>, tag: u8, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    out.push(tag);
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let digits = length.to_be_bytes();
        let digits = &digits[digits.iter().take_while(|&&digit| digit == 0).count()..];
        out.push(0x80 | digits.len() as u8);
        out.extend_from_slice(digits);
    }
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// One value as bytes.
pub(super) fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, tag, parts);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_value_reads_back() {
        for length in [0usize, 1, 0x7f, 0x80, 0xff, 0x100, 0x1_0000] {
            let content = vec![7; length];
            let der = value(OCTET_STRING, &[&content]);
            let mut reader = Reader::new(&der);
            assert_eq!(reader.expect(OCTET_STRING), Some(content.as_slice()), "{length}");
            assert!(reader.is_empty());
        }
    }

    #[test]
    fn lengths_in_any_but_the_shortest_form_are_refused() {
        for der in [
            &[0x04, 0x81, 0x01, 0x00][..],
            &[0x04, 0x80, 0x00, 0x00],
            &[0x04, 0x82, 0x00, 0x80],
            &[0x04, 0x85, 1, 0, 0, 0, 0],
            &[0x04, 0x02, 0x00],
            &[0x1f, 0x20, 0x00],
        ] {
            assert!(Reader::new(der).next().is_none(), "{der:x?}");
        }
    }

    #[test]
    fn integers_are_read_without_sign() {
        let read = |content: &[u8]| Reader::new(&value(INTEGER, &[content])).unsigned().map(<[u8]>::to_vec);
        assert_eq!(read(&[0]), Some(vec![0]));
        assert_eq!(read(&[0, 0x80]), Some(vec![0x80]));
        assert_eq!(read(&[0x7f, 1]), Some(vec![0x7f, 1]));
        assert_eq!(read(&[0x80]), None);
        assert_eq!(read(&[0, 1]), None);
        assert_eq!(read(&[]), None);
    }
}
