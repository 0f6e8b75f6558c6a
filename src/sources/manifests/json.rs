//! JSON: one value, or several in sequence as `kubectl` and `jq` write them.

use serde_json::{Number, Value};

use super::node::{Budget, Builder, Fault};
use super::positions::Mark;
use super::yaml::Parsed;

/// Reads a stream of values. The first fault ends it; the values before it are kept.
pub(super) fn read(text: &str, budget: &mut Budget) -> Parsed {
    let mut reader = Reader { text, at: 0, line: 1, column: 1 };
    let mut parsed = Parsed::default();
    loop {
        reader.skip_space();
        if reader.peek().is_none() {
            return parsed;
        }
        let mut builder = Builder::new(budget);
        let read = reader.value(&mut builder);
        parsed.faults.append(&mut builder.faults);
        match read {
            Ok(()) => parsed.documents.extend(builder.finish().filter(|node| !node.is_null())),
            Err(fault) => {
                parsed.faults.push(fault);
                parsed.broken = true;
                return parsed;
            }
        }
    }
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    CommaOrEnd,
}

struct Reader<'t> {
    text: &'t str,
    /// The offset of the next byte.
    at: usize,
    line: u32,
    column: u32,
}

impl<'t> Reader<'t> {
    fn value(&mut self, builder: &mut Builder<'_>) -> Result<(), Fault> {
        // For each open list or mapping, the byte that closes it.
        let mut open: Vec<u8> = Vec::new();
        let mut want = Want::Value;
        loop {
            self.skip_space();
            let at = self.mark(1);
            let end = open.last().copied();
            let Some(byte) = self.peek() else {
                return Err(Fault::new(at, "the JSON ends too early"));
            };
            want = match (want, byte) {
                (Want::Value | Want::ValueOrEnd, b'{') => {
                    builder.open_map(at, 0)?;
                    open.push(b'}');
                    self.skip(1);
                    Want::KeyOrEnd
                }
                (Want::Value | Want::ValueOrEnd, b'[') => {
                    builder.open_list(at, 0)?;
                    open.push(b']');
                    self.skip(1);
                    Want::ValueOrEnd
                }
                (Want::CommaOrEnd, b',') => {
                    self.skip(1);
                    if end == Some(b'}') { Want::Key } else { Want::Value }
                }
                (Want::CommaOrEnd | Want::KeyOrEnd | Want::ValueOrEnd, byte) if Some(byte) == end => {
                    self.skip(1);
                    builder.close(at.line)?;
                    open.pop();
                    Want::CommaOrEnd
                }
                (Want::Key | Want::KeyOrEnd, b'"') => {
                    let (key, at) = self.string()?;
                    builder.scalar(at, at.line, Value::String(key), 0, false)?;
                    self.skip_space();
                    if self.peek() != Some(b':') {
                        return Err(Fault::new(self.mark(1), "expected `:` after the key"));
                    }
                    self.skip(1);
                    Want::Value
                }
                (Want::Value | Want::ValueOrEnd, _) => {
                    let (value, at) = self.scalar()?;
                    builder.scalar(at, at.line, value, 0, false)?;
                    Want::CommaOrEnd
                }
                (Want::Key | Want::KeyOrEnd, _) => return Err(Fault::new(at, "expected a key in quotes")),
                (Want::CommaOrEnd, _) => {
                    let end = end.map_or(' ', char::from);
                    return Err(Fault::new(at, format!("expected `,` or `{end}`")));
                }
            };
            if open.is_empty() {
                return Ok(());
            }
        }
    }

    fn scalar(&mut self) -> Result<(Value, Mark), Fault> {
        if self.peek() == Some(b'"') {
            return self.string().map(|(text, at)| (Value::String(text), at));
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.');
        let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
        let text = rest.get(..length).unwrap_or_default();
        let at = self.mark(length);
        let value = match text {
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => match serde_json::from_str::<Number>(text) {
                Ok(number) => Value::Number(number),
                Err(_) => return Err(Fault::new(at, "expected a value")),
            },
        };
        self.skip(length);
        Ok((value, at))
    }

    /// A quoted string at this position.
    fn string(&mut self) -> Result<(String, Mark), Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut escaped = false;
        let mut characters = 0;
        for (index, c) in rest.char_indices() {
            characters += 1;
            match c {
                '\n' | '\r' => return Err(Fault::new(self.mark(1), "the string has no closing quote on its line")),
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' if index > 0 => {
                    let raw = rest.get(..=index).unwrap_or_default();
                    let at = self.mark(characters);
                    let text = serde_json::from_str(raw).map_err(|_| {
                        Fault::new(at, "the string has an escape or control character that JSON doesn't allow")
                    })?;
                    self.skip(raw.len());
                    return Ok((text, at));
                }
                _ => {}
            }
        }
        Err(Fault::new(self.mark(1), "the string has no closing quote"))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.skip(1);
        }
    }

    /// Skips some bytes, counting lines that end in LF, CRLF or CR.
    fn skip(&mut self, bytes: usize) {
        let end = self.at.saturating_add(bytes);
        for c in self.text.get(self.at..end).unwrap_or_default().chars() {
            self.at += c.len_utf8();
            if c == '\n' || (c == '\r' && self.peek() != Some(b'\n')) {
                self.line = self.line.saturating_add(1);
                self.column = 1;
            } else {
                self.column = self.column.saturating_add(1);
            }
        }
    }

    fn mark(&self, width: usize) -> Mark {
        Mark { line: self.line, column: self.column, width: u32::try_from(width).unwrap_or(u32::MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::k8s::FieldPath;
    use crate::sources::manifests::node::EXPANSION;

    #[track_caller]
    fn stands(text: &str, pointer: &str, expected: (u32, u32, u32)) {
        let mut budget = Budget::new(EXPANSION);
        let mut parsed = read(text, &mut budget);
        assert_eq!(parsed.faults, [], "{text:?}");
        let (value, positions) = parsed.documents.remove(0).split(&mut budget).expect("small enough");
        assert_eq!(value, serde_json::from_str::<Value>(text).expect("JSON"));
        let mark = positions.value(&FieldPath::from_pointer(pointer)).expect("a field");
        assert_eq!((mark.line, mark.column, mark.width), expected, "{pointer} of {text:?}");
    }

    #[track_caller]
    fn refuses(text: &str, line: u32, column: u32, words: &str) {
        let parsed = read(text, &mut Budget::new(EXPANSION));
        let fault = parsed.faults.last().unwrap_or_else(|| panic!("{text:?} is read"));
        assert_eq!((fault.line, fault.column), (line, column), "{text:?}: {fault:?}");
        assert!(fault.message.contains(words) && parsed.broken, "{text:?}: {fault:?}");
    }

    #[test]
    fn each_value_keeps_its_place() {
        let text =
            "{\n\t\"a\": [1, -2.5e3,\r\n  {\"ü\\\"x\": \"\\ud83d\\ude00\", \"b\": null}],\n \"c\": {}, \"d\": []}";
        stands(text, "/a/0", (2, 8, 1));
        stands(text, "/a/1", (2, 11, 6));
        stands(text, "/a/2/ü\"x", (3, 12, 14));
        stands(text, "/a/2/b", (3, 33, 4));
        stands(text, "/c", (4, 7, 1));
        stands(text, "/d", (4, 16, 1));
        stands("[]", "", (1, 1, 1));
    }

    #[test]
    fn what_is_no_json_is_refused_at_its_place() {
        refuses("{\"a\": 1,}", 1, 9, "a key in quotes");
        refuses("[1,]", 1, 4, "a value");
        refuses("{\"a\" 1}", 1, 6, "`:`");
        refuses("{\n\"a\": 1\n\"b\": 2}", 3, 1, "`,` or `}`");
        refuses("[1 2]", 1, 4, "`,` or `]`");
        refuses("[1}", 1, 3, "`,` or `]`");
        refuses("{\"a\": \"x", 1, 7, "closing quote");
        refuses("{\"a\": \"x\ny\"}", 1, 7, "closing quote");
        refuses("{\"a\": \"\\q\"}", 1, 7, "escape");
        refuses("{\"a\": tru}", 1, 7, "a value");
        refuses("{\"a\": 01}", 1, 7, "a value");
        refuses("{\"a\": 1} x", 1, 10, "a value");
        refuses("[", 1, 2, "ends too early");
        refuses(&"[".repeat(1_000_000), 1, 101, "deeper");
    }

    #[test]
    fn a_key_that_is_there_twice_is_told_and_the_last_counts() {
        let mut budget = Budget::new(EXPANSION);
        let mut parsed = read("{\"a\": 1,\n\"a\": 2}", &mut budget);
        assert_eq!(parsed.faults.first().map(|fault| (fault.line, fault.column)), Some((2, 1)));
        assert!(!parsed.broken);
        let (value, _) = parsed.documents.remove(0).split(&mut budget).expect("small enough");
        assert_eq!(value, serde_json::json!({"a": 2}));
    }
}
