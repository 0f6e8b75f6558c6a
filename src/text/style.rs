//! Text for a terminal: coloured or plain, and never able to drive it.

/// Whether the text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// No escape sequence.
    Plain,
    /// With ANSI colours.
    Coloured,
}

pub(crate) const BOLD: &str = "1";
pub(crate) const RED: &str = "1;31";
pub(crate) const YELLOW: &str = "1;33";
pub(crate) const GREEN: &str = "1;32";
pub(crate) const BLUE: &str = "34";
pub(crate) const FAINT: &str = "2";

impl Style {
    /// The text in a colour, with nothing in it that moves a terminal's cursor.
    pub(crate) fn paint(self, colour: &str, text: &str) -> String {
        match self {
            Style::Plain => clean(text),
            Style::Coloured => format!("\x1b[{colour}m{}\x1b[0m", clean(text)),
        }
    }
}

/// `1 object`, `2 objects`.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Manifests are anyone's: nothing in them may drive the terminal.
pub(crate) fn clean(text: &str) -> String {
    if !text.contains(is_unsafe) {
        return text.to_owned();
    }
    text.chars().fold(String::with_capacity(text.len()), |mut clean, c| {
        if is_unsafe(c) {
            clean.extend(c.escape_default());
        } else {
            clean.push(c);
        }
        clean
    })
}

/// Control characters, and those that turn the direction of writing.
pub(crate) fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_manifest_drives_the_terminal() {
        assert_eq!(clean("a\x1b[2J\u{202e}b\nc"), "a\\u{1b}[2J\\u{202e}b\\nc");
        assert_eq!(Style::Coloured.paint(RED, "a\x07"), "\x1b[1;31ma\\u{7}\x1b[0m");
    }
}
