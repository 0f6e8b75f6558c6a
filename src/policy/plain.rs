//! What decoders say of a policy, in words of YAML: no options of a parser, no types of Rust.

use crate::policy::error::PolicyError;
use crate::text::suggest;

/// The longest text that is quoted.
const MOST: usize = 60;

/// Of a text that is no YAML: the parser's first line, and where it is.
pub(super) fn syntax(message: &str) -> PolicyError {
    let line = message.lines().next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    let (at, problem) = match placed(line) {
        Some((at, problem)) => (Some(at), problem),
        None => (None, line),
    };
    let problem = problem.split(", set ").next().unwrap_or(problem);
    let problem = match problem.strip_prefix("duplicate mapping key: ") {
        Some(key) => format!("the key `{key}` is a duplicate"),
        None if problem.starts_with("recursive references") => {
            "an alias is inside the value that it refers to".to_owned()
        }
        None => problem.to_owned(),
    };
    PolicyError::Syntax { at, problem }
}

/// `line 1 column 21: unclosed bracket`
fn placed(line: &str) -> Option<((u32, u32), &str)> {
    let (line_number, rest) = line.strip_prefix("line ")?.split_once(" column ")?;
    let (column, problem) = rest.split_once(": ")?;
    Some(((line_number.parse().ok()?, column.parse().ok()?), problem))
}

/// Of a value that isn't what it is to be.
pub(super) fn value(message: &str) -> String {
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        let mut words = rest.split('`').skip(1).step_by(2);
        let found = words.next().unwrap_or_default();
        let known: Vec<&str> = words.collect();
        let near = suggest::nearest(found, known.iter().copied());
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return format!("`{}` is not one of {}{hint}", short(found), known.join(", "));
    }
    if let Some(field) = message.strip_prefix("missing field ") {
        return format!("{field} is missing");
    }
    let wrong = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    match wrong.and_then(|wrong| wrong.rsplit_once(", expected ")) {
        Some((found, expected)) => {
            let hint = if expected == "a boolean" { " (true or false)" } else { "" };
            format!("expected {}, found {}{hint}", type_of(expected), found_of(found))
        }
        None => message.to_owned(),
    }
}

fn type_of(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number of 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" => "a list",
        "a map" => "a mapping",
        _ if expected.starts_with("struct ") => "a mapping",
        _ if expected.starts_with("enum ") || expected.starts_with("variant ") => "a word",
        _ => expected,
    }
}

fn found_of(found: &str) -> String {
    match found {
        "map" => "a mapping".to_owned(),
        "sequence" => "a list".to_owned(),
        "unit value" | "null" => "nothing".to_owned(),
        _ => {
            let found = found.replace("floating point", "number").replace("integer", "number");
            format!("the {}", short(&found))
        }
    }
}

fn short(text: &str) -> String {
    crate::text::cut(text, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parsers_words_become_those_of_yaml() {
        let said = "error: line 1 column 27: duplicate mapping key: MV101, set DuplicateKeyPolicy in Options if acceptable\n --> <input>";
        let error = syntax(said);
        assert_eq!(error.to_string(), "the key `MV101` is a duplicate");
        assert_eq!(error.place(""), Some((1, 27)));
        assert_eq!(syntax("odd").to_string(), "odd");
    }

    #[test]
    fn a_decoders_words_become_those_of_yaml() {
        for (said, told) in [
            (
                "unknown variant `wran`, expected one of `off`, `warn`, `deny`",
                "`wran` is not one of off, warn, deny; did you mean `warn`?",
            ),
            (
                "invalid type: string \"many\", expected u32",
                "expected a whole number of 0 or more, found the string \"many\"",
            ),
            ("invalid type: integer `5`, expected struct Thresholds", "expected a mapping, found the number `5`"),
            ("invalid type: map, expected a sequence", "expected a list, found a mapping"),
            (
                "invalid type: string \"yes\", expected a boolean",
                "expected a boolean, found the string \"yes\" (true or false)",
            ),
            ("missing field `kind`", "`kind` is missing"),
        ] {
            assert_eq!(value(said), told);
        }
    }
}
