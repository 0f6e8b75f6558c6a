//! Text for people: findings by object, each with its line of the file and what to do.

use std::collections::HashMap;
use std::fmt::Write;

use crate::finding::{Finding, Severity};
use crate::report::{Place, Report, Reported, Unread};

/// The most of a source line that is shown, in characters: a minified manifest is one long line.
const MAX_LINE: usize = 120;

/// Whether the text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// No escape sequence.
    Plain,
    /// With ANSI colours.
    Coloured,
}

pub(crate) const BOLD: &str = "1";
pub(crate) const RED: &str = "1;31";
pub(crate) const YELLOW: &str = "1;33";
pub(crate) const GREEN: &str = "1;32";
const BLUE: &str = "34";
pub(crate) const FAINT: &str = "2";

impl Style {
    /// The text in a colour, with nothing in it that moves a terminal's cursor.
    pub(crate) fn paint(self, colour: &str, text: &str) -> String {
        match self {
            Style::Plain => clean(text),
            Style::Coloured => format!("\x1b[{colour}m{}\x1b[0m", clean(text)),
        }
    }

    pub(crate) fn severity(self, severity: Severity) -> String {
        self.paint(if severity == Severity::Deny { RED } else { YELLOW }, &severity.to_string())
    }
}

/// The report as text: what couldn't be read, then each object with its findings, then a line of figures.
pub fn text(report: &Report, style: Style) -> String {
    let mut out = String::new();
    for error in &report.errors {
        unread(&mut out, error, style);
    }
    if !report.errors.is_empty() {
        out.push('\n');
    }
    for group in by_object(&report.findings) {
        let object = group.first().map(|reported| reported.finding.object.to_string()).unwrap_or_default();
        line(&mut out, &style.paint(BOLD, &object));
        for reported in group {
            match &reported.finding.suppressed {
                None => finding(&mut out, reported, style),
                Some(reason) => suppressed(&mut out, reported, reason, style),
            }
            out.push('\n');
        }
    }
    line(&mut out, &summary(report, style));
    out
}

/// The findings of each object, objects in the order in which they come first.
fn by_object(findings: &[Reported]) -> Vec<Vec<&Reported>> {
    let mut index = HashMap::new();
    let mut groups: Vec<Vec<&Reported>> = Vec::new();
    for reported in findings {
        let at = *index.entry(&reported.finding.object).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(at) {
            group.push(reported);
        }
    }
    groups
}

fn unread(out: &mut String, error: &Unread, style: Style) {
    let place = match (error.line, error.column) {
        (Some(line), Some(column)) => format!("{}:{line}:{column}", error.file),
        _ => error.file.clone(),
    };
    line(out, &format!("{} {}: {}", style.paint(RED, "error"), clean(&place), clean(&error.message)));
}

fn finding(out: &mut String, reported: &Reported, style: Style) {
    let finding = &reported.finding;
    let problem = &finding.problem;
    head(out, finding, &problem.message, style);
    if let Some(place) = &reported.place {
        excerpt(out, place, style);
    }
    let field = finding.field().kubernetes();
    let field = if field.is_empty() { None } else { Some(field) };
    detail(out, "field", field.as_deref(), style);
    detail(out, "expected", problem.expected.as_deref(), style);
    detail(out, "found", problem.found.as_deref(), style);
    detail(out, "otherwise", problem.consequence.as_deref(), style);
    detail(out, "fix", problem.fix.as_deref(), style);
}

fn suppressed(out: &mut String, reported: &Reported, reason: &str, style: Style) {
    head(out, &reported.finding, &reported.finding.problem.message, style);
    if let Some(place) = &reported.place {
        excerpt(out, &Place { text: None, ..place.clone() }, style);
    }
    detail(out, "ignored", Some(reason), style);
}

fn head(out: &mut String, finding: &Finding, message: &str, style: Style) {
    let severity = match finding.suppressed {
        None => style.severity(finding.severity),
        Some(_) => style.paint(FAINT, &format!("ignored {}", finding.severity)),
    };
    let rule = style.paint(BOLD, &format!("{} {}", finding.rule.code, finding.rule.name));
    line(out, &format!("  {severity} {rule}: {}", clean(message)));
}

/// `    expected  DNS:blue.apps.local`; further lines stand below the first.
fn detail(out: &mut String, label: &str, text: Option<&str>, style: Style) {
    let Some(text) = text else { return };
    for (index, part) in text.lines().enumerate() {
        let label = if index == 0 { label } else { "" };
        let colour = if label == "fix" { GREEN } else { BLUE };
        line(out, &format!("    {} {}", style.paint(colour, &format!("{label:<9}")), clean(part)));
    }
}

/// The source line, with the characters that are meant marked.
fn excerpt(out: &mut String, place: &Place, style: Style) {
    let number = place.line.to_string();
    let gutter = " ".repeat(number.len());
    let arrow = style.paint(BLUE, &format!("{gutter}-->"));
    line(out, &format!("    {arrow} {}:{}:{}", clean(&place.file), place.line, place.column));
    let Some(text) = &place.text else { return };
    let (shown, before, marked) = window(text, place);
    let bar = style.paint(BLUE, &format!("{gutter} |"));
    line(out, &format!("    {bar}"));
    line(out, &format!("    {} {shown}", style.paint(BLUE, &format!("{number} |"))));
    line(out, &format!("    {bar} {}{}", " ".repeat(before), style.paint(RED, &"^".repeat(marked))));
}

/// The part of a line around a place; how many columns stand before the mark; how long the mark is.
fn window(text: &str, place: &Place) -> (String, usize, usize) {
    let at = usize::try_from(place.column).unwrap_or(1).saturating_sub(1);
    let length = text.trim_end().chars().count();
    let width = match usize::try_from(place.width).unwrap_or(0) {
        0 => length.saturating_sub(at),
        width => width,
    };
    let start = if length <= MAX_LINE { 0 } else { at.saturating_sub(MAX_LINE / 2) };
    let mut shown = String::new();
    let mut before = 0;
    if start > 0 {
        shown.push('…');
        before += 1;
    }
    for (index, c) in text.trim_end().chars().enumerate().skip(start).take(MAX_LINE) {
        // A tab or a control character takes one column, so that the mark stands right.
        shown.push(if is_unsafe(c) { ' ' } else { c });
        before += usize::from(index < at);
    }
    if length > start + MAX_LINE {
        shown.push('…');
    }
    let room = (start + MAX_LINE).min(length.max(at + 1)).saturating_sub(at);
    (shown, before, width.min(room).max(1))
}

fn summary(report: &Report, style: Style) -> String {
    let (deny, warn) = (report.count(Severity::Deny), report.count(Severity::Warn));
    let mut text = format!("{} judged: ", plural(report.objects, "object"));
    match (deny, warn) {
        _ if report.objects == 0 => {
            text.truncate(0);
            text.push_str("nothing judged");
        }
        (0, 0) => text.push_str(&style.paint(GREEN, "nothing wrong")),
        (0, warn) => text.push_str(&style.paint(YELLOW, &plural(warn, "warning"))),
        (deny, 0) => text.push_str(&style.paint(RED, &plural(deny, "denial"))),
        (deny, warn) => {
            let _ = write!(text, "{}, {}", style.paint(RED, &plural(deny, "denial")), plural(warn, "warning"));
        }
    }
    if report.suppressed() > 0 {
        let _ = write!(text, ", {} ignored", report.suppressed());
    }
    if report.not_asked > 0 {
        let _ = write!(text, "; AWS not asked about {} (--aws asks)", plural(report.not_asked, "ARN"));
    }
    if !report.errors.is_empty() {
        let _ = write!(text, "; {}", style.paint(RED, &format!("{} not read", plural(report.errors.len(), "place"))));
    }
    text
}

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
fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, column: u32, width: u32) -> Place {
        Place { file: "a.yaml".to_owned(), line: 3, column, width, text: Some(text.to_owned()) }
    }

    #[track_caller]
    fn marks(text: &str, column: u32, width: u32, expected: &str) {
        let place = place(text, column, width);
        let (shown, before, marked) = window(text, &place);
        let under: String = shown.chars().skip(before).take(marked).collect();
        assert_eq!(under, expected, "{shown:?}");
    }

    #[test]
    fn the_mark_stands_under_what_is_meant() {
        marks("  a: blue", 6, 4, "blue");
        marks("\ta: blue", 5, 4, "blue");
        marks("  a: 'one", 6, 0, "'one");
        marks("é: blue", 4, 4, "blue");
        let long = format!("{}blue{}", "x".repeat(5000), "y".repeat(5000));
        marks(&long, 5001, 4, "blue");
        marks(&long, 5001, 9000, &format!("blue{}", "y".repeat(56)));
        let (shown, ..) = window(&long, &place(&long, 5001, 4));
        assert!(shown.chars().count() <= MAX_LINE + 2);
        assert_eq!(window("", &place("", 1, 0)), (String::new(), 0, 1));
        assert_eq!(window("a:", &place("a:", 9, 1)).2, 1);
    }

    #[test]
    fn nothing_in_a_manifest_drives_the_terminal() {
        assert_eq!(clean("a\x1b[2J\u{202e}b\nc"), "a\\u{1b}[2J\\u{202e}b\\nc");
        assert_eq!(Style::Coloured.paint(RED, "a\x07"), "\x1b[1;31ma\\u{7}\x1b[0m");
    }
}
