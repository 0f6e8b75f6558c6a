//! How much an object lists, seen before it is decoded.
//!
//! `{}` takes three bytes of a list and a thousand times that once it is a listener with all that is wrong with it. No API object
//! is so long that it could matter, but whoever may create one could send such a text.

/// The most values that the lists of one object may hold together. App Mesh takes some hundreds.
pub(super) const MOST_LISTED: usize = 12_000;
/// Deeper than any decoder follows.
const DEEPEST: usize = 128;

/// Whether the lists of this JSON text hold more than [`MOST_LISTED`] values, an empty list counted as one. Of text that is no JSON it says nothing of use:
/// decoding fails by itself.
pub(super) fn lists_too_much(json: &[u8]) -> bool {
    // Each that is counted takes a byte at least.
    if json.len() < MOST_LISTED {
        return false;
    }
    let (mut open, mut listed) = (Vec::with_capacity(DEEPEST), 0_usize);
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {
                while let Some(inside) = bytes.next() {
                    match inside {
                        b'"' => break,
                        b'\\' => drop(bytes.next()),
                        _ => {}
                    }
                }
            }
            b'[' | b'{' if open.len() == DEEPEST => return false,
            b'[' => {
                open.push(true);
                listed += 1;
            }
            b'{' => open.push(false),
            b']' | b'}' => drop(open.pop()),
            b',' if open.last() == Some(&true) => listed += 1,
            _ => {}
        }
        if listed > MOST_LISTED {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(piece: &str, count: usize) -> String {
        format!("[{}]", vec![piece; count].join(","))
    }

    #[test]
    fn what_stands_in_lists_is_counted_whatever_it_is() {
        for piece in ["{}", "0", "\"a\"", "{\"a\": {\"b\": 1, \"c\": 2}}", " null "] {
            assert!(!lists_too_much(list(piece, MOST_LISTED).as_bytes()), "{piece}");
            assert!(lists_too_much(list(piece, MOST_LISTED + 1).as_bytes()), "{piece}");
        }
        let nested = format!("{{\"a\":{0},\"b\":{{\"c\":{0}}}}}", list("{}", MOST_LISTED / 2 + 1));
        assert!(lists_too_much(nested.as_bytes()));
        assert!(lists_too_much(list("[]", MOST_LISTED / 2 + 1).as_bytes()));
    }

    #[test]
    fn text_and_keys_count_for_nothing() {
        let text = serde_json::to_string(&list("{\"a\"}", 50_000)).expect("JSON");
        assert!(!lists_too_much(format!("{{\"metadata\":{{\"annotations\":{{\"a\":{text}}}}}}}").as_bytes()));
        let keys: Vec<String> = (0..50_000).map(|key| format!("\"{key}\":0")).collect();
        assert!(!lists_too_much(format!("[{{{}}}]", keys.join(",")).as_bytes()));
        assert!(!lists_too_much("\"[,,".repeat(50_000).as_bytes()));
        assert!(!lists_too_much("[".repeat(50_000).as_bytes()));
    }
}
