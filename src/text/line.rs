//! Text of others on one line of bounded length.

use std::error::Error;

/// The first `longest` characters; an ellipsis stands for the rest.
pub(crate) fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Control characters, ends of line among them, become spaces: for messages, which are no place for escapes. What goes to a
/// terminal is escaped instead, by [`clean`](super::clean), so that one sees what was there.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// An error and its causes. A cause that the text before it tells already is left out.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let told = cause.to_string();
        if !text.contains(&told) {
            text.push_str(": ");
            text.push_str(&told);
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use thiserror::Error;

    use super::*;

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(cut("éàü", 3), "éàü");
        assert_eq!(cut("éàü", 2), "éà…");
        assert_eq!(cut("", 0), "");
    }

    #[test]
    fn control_characters_become_spaces() {
        assert_eq!(one_line("a\r\nb\x1b[2J"), "a  b [2J");
    }

    #[derive(Debug, Error)]
    #[error("{text}")]
    struct Caused {
        text: &'static str,
        source: Option<Box<Caused>>,
    }

    #[test]
    fn a_cause_is_told_once() {
        let reset = Caused { text: "reset", source: None };
        let again = Caused { text: "no answer", source: Some(Box::new(reset)) };
        let error = Caused { text: "can't list: no answer", source: Some(Box::new(again)) };
        assert_eq!(with_causes(&error), "can't list: no answer: reset");
    }
}
