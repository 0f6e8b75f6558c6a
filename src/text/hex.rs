//! Bytes in hexadecimal.

/// Bytes in lower-case hexadecimal, two digits each.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS.get(usize::from(value)).copied().unwrap_or_default());
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The start of a digest: enough to tell two keys apart.
pub(crate) fn hex_start(digest: &[u8; 32]) -> String {
    let [a, b, c, d, e, f, ..] = *digest;
    format!("{}…", hex(&[a, b, c, d, e, f]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_two_digits() {
        assert_eq!(hex(&[0, 9, 0x10, 0xab, 0xff]), "000910abff");
        assert_eq!(hex(&[]), "");
        assert_eq!(hex_start(&[0xa0; 32]), "a0a0a0a0a0a0…");
    }
}
