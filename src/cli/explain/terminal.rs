//! Rules as a terminal shows them.

use std::fmt::Write;

use crate::finding::Rule;
use crate::text::Style;

/// How wide paragraphs are set.
const WIDTH: usize = 100;

/// Rules, one a line.
pub(super) fn table(rules: &[&Rule], style: Style) -> String {
    let width = rules.iter().map(|rule| rule.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for rule in rules {
        let _ = writeln!(
            text,
            "{}  {:<width$}  {:<4}  {}",
            bold(rule.code, style),
            rule.name,
            rule.default.to_string(),
            rule.summary
        );
    }
    text.push_str(
        "\n`meshvet explain CODE` prints a rule's manual; the policy file (--config) sets the severity of each.\n",
    );
    text
}

/// One rule's manual.
pub(super) fn manual(text: &mut String, rule: &Rule, style: Style) {
    let manual = rule.manual();
    let _ = writeln!(text, "{}", bold(&manual.title, style));
    let _ = writeln!(text, "{}; default: {}", capitalised(rule.summary), rule.default);
    let _ = writeln!(text, "It breaks {}.", rule.breaks);
    for (heading, part) in [
        ("What it checks", &manual.what),
        ("Why it matters", &manual.why),
        ("Example", &manual.example),
        ("How to fix", &manual.fix),
    ] {
        let _ = writeln!(text, "\n{}", bold(heading, style));
        set(text, part);
    }
}

/// Sets Markdown for a terminal: paragraphs and list items filled anew, code blocks indented as they are.
fn set(text: &mut String, markdown: &str) {
    let mut paragraph = String::new();
    let mut code = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            fill(text, &mut paragraph);
            code = !code;
        } else if code {
            let _ = writeln!(text, "{}", format!("      {line}").trim_end());
        } else if line.trim().is_empty() {
            fill(text, &mut paragraph);
            text.push('\n');
        } else {
            if line.starts_with("- ") || line.starts_with("* ") || line.starts_with('|') {
                fill(text, &mut paragraph);
            }
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(line.trim());
        }
    }
    fill(text, &mut paragraph);
}

/// Writes a paragraph in lines of at most [`WIDTH`], later lines of a list item set in.
fn fill(text: &mut String, paragraph: &mut String) {
    let inner = if paragraph.starts_with("- ") || paragraph.starts_with("* ") { "    " } else { "  " };
    let mut line = String::from(" ");
    for word in paragraph.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH && !line.trim().is_empty() {
            let _ = writeln!(text, "{}", line.trim_end());
            line = inner[1..].to_owned();
        }
        line.push(' ');
        line.push_str(word);
    }
    if !line.trim().is_empty() {
        let _ = writeln!(text, "{line}");
    }
    paragraph.clear();
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

fn bold(text: &str, style: Style) -> String {
    match style {
        Style::Plain => text.to_owned(),
        Style::Coloured => format!("\x1b[1m{text}\x1b[0m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::RULES;

    #[test]
    fn paragraphs_are_filled_and_code_is_kept() {
        let mut text = String::new();
        set(&mut text, "one\ntwo\n\n- three\n  four\n```yaml\na:\n  - b\n\nc: d\n```\nfive");
        assert_eq!(text, "  one two\n\n  - three four\n      a:\n        - b\n\n      c: d\n  five\n");
    }

    #[test]
    fn no_line_is_too_wide() {
        for rule in RULES {
            let mut text = String::new();
            manual(&mut text, rule, Style::Plain);
            let prose = text.lines().filter(|line| !line.starts_with("      "));
            for line in prose.filter(|line| line.split_whitespace().count() > 1).skip(3) {
                assert!(line.chars().count() <= WIDTH, "{}: {line}", rule.code);
            }
            assert!(!text.contains("```"), "{}", rule.code);
        }
    }
}
