//! Text for people: findings by object, each with its line of the file and what to do.

use std::collections::HashMap;
use std::fmt::Write;

use crate::finding::{Finding, Severity};
use crate::survey::{Place, Report, Reported, Unread};
use crate::text::{self, BLUE, BOLD, FAINT, GREEN, RED, Style, YELLOW, clean, plural};

/// The most of a source line that is shown, in characters: a minified manifest is one long line.
const MAX_LINE: usize = 120;

/// Columns before a detail: its label and the space around it.
const LABEL: usize = 16;
/// A narrower column reads worse than a line that the terminal breaks.
const LEAST_ROOM: usize = 30;

/// The most rules that are named for reading more.
const MOST_CODES: usize = 5;

/// The report as text: what couldn't be read, then each object with its findings, then a summary line. What is
/// expected, found and to be done is set in lines of at most `width` columns, where there is room for them.
pub(crate) fn text_within(report: &Report, style: Style, width: Option<usize>) -> String {
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
                None => finding(&mut out, reported, style, width),
                Some(reason) => suppressed(&mut out, reported, reason, style, width),
            }
            out.push('\n');
        }
    }
    line(&mut out, &summary(report, style));
    for hint in hints(report) {
        line(&mut out, &style.paint(FAINT, &hint));
    }
    out
}

/// What to do next, at most one line each.
fn hints(report: &Report) -> Vec<String> {
    let told = || report.findings.iter().filter(|it| it.finding.suppressed.is_none());
    let mut codes: Vec<&str> = told().map(|it| it.finding.rule.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let mut hints = Vec::new();
    if !codes.is_empty() {
        let more = if codes.len() > MOST_CODES { " …" } else { "" };
        codes.truncate(MOST_CODES);
        hints.push(format!("For more: meshvet explain {}{more}", codes.join(" ")));
    }
    let mendable = told().filter(|it| it.place.as_ref().is_some_and(|place| place.edit.is_some())).count();
    if mendable > 0 {
        hints.push(format!("{mendable} can be fixed automatically: the same command with --diff prints the patch"));
    }
    if !report.gone.is_empty() {
        let gone: usize = report.gone.iter().map(|entry| entry.count).sum();
        let entries =
            if gone == 1 { "1 entry of the baseline is" } else { &format!("{gone} entries of the baseline are") };
        hints.push(format!("{entries} no longer found: --update-baseline removes what is gone"));
    }
    hints
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

fn finding(out: &mut String, reported: &Reported, style: Style, width: Option<usize>) {
    let finding = &reported.finding;
    let problem = &finding.problem;
    head(out, finding, &problem.message, style);
    if let Some(place) = &reported.place {
        excerpt(out, place, style);
    }
    let field = finding.field().kubernetes();
    let field = if field.is_empty() { None } else { Some(field) };
    for (label, text) in [
        ("field", field.as_deref()),
        ("expected", problem.expected.as_deref()),
        ("found", problem.found.as_deref()),
        ("at run time", problem.consequence.as_deref()),
        ("fix", problem.fix.as_deref()),
    ] {
        detail(out, label, text, style, width);
    }
}

fn suppressed(out: &mut String, reported: &Reported, reason: &str, style: Style, width: Option<usize>) {
    head(out, &reported.finding, &reported.finding.problem.message, style);
    if let Some(place) = &reported.place {
        excerpt(out, &Place { text: None, ..place.clone() }, style);
    }
    detail(out, "ignored", Some(reason), style, width);
}

fn head(out: &mut String, finding: &Finding, message: &str, style: Style) {
    let severity = match finding.suppressed {
        None => finding.severity.painted(style),
        Some(_) => style.paint(FAINT, &format!("ignored {}", finding.severity)),
    };
    let rule = style.paint(BOLD, &format!("{} {}", finding.rule.code, finding.rule.name));
    line(out, &format!("  {severity} {rule}: {}", clean(message)));
}

/// `    expected  DNS:blue.apps.local`; further lines stand below the first.
fn detail(out: &mut String, label: &str, text: Option<&str>, style: Style, width: Option<usize>) {
    let Some(text) = text else { return };
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(LABEL).max(LEAST_ROOM));
    let parts = text.lines().flat_map(|part| wrapped(&clean(part), room));
    for (index, part) in parts.enumerate() {
        let label = if index == 0 { label } else { "" };
        let colour = if label == "fix" { GREEN } else { BLUE };
        line(out, &format!("    {} {part}", style.paint(colour, &format!("{label:<11}"))));
    }
}

/// A text in lines of at most so many characters; a word that is longer has a line of its own.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        let letters = word.chars().count();
        if length > 0 && length + 1 + letters > room {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += letters;
    }
    lines.push(line);
    lines
}

/// The source line, with the characters that are meant marked.
fn excerpt(out: &mut String, place: &Place, style: Style) {
    let number = place.line.to_string();
    let gutter = " ".repeat(number.len());
    let arrow = style.paint(BLUE, &format!("{gutter}-->"));
    let file = clean(&place.file);
    let at = match &place.template {
        Some(template) => format!("{} (rendered: {file}:{}:{})", clean(template), place.line, place.column),
        None => format!("{file}:{}:{}", place.line, place.column),
    };
    line(out, &format!("    {arrow} {at}"));
    let Some(text) = &place.text else { return };
    let (shown, before, marked) = window(text, place);
    let bar = style.paint(BLUE, &format!("{gutter} |"));
    line(out, &format!("    {bar}"));
    line(out, &format!("    {} {shown}", style.paint(BLUE, &format!("{number} |"))));
    line(out, &format!("    {bar} {}{}", " ".repeat(before), style.paint(RED, &"^".repeat(marked))));
}

/// The part of a line around a place; how many columns stand before the mark; how long the mark is. Not by [`clean`]: an
/// escape is longer than what it stands for, and would move what the mark is under.
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
        shown.push(if text::is_unsafe(c) { ' ' } else { c });
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
        (0, 0) if report.mesh_objects() == 0 => text.push_str(&style.paint(YELLOW, "no mesh object among them")),
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
    if !report.known.is_empty() {
        let _ = write!(text, ", {} in the baseline", report.known.len());
    }
    if report.not_asked > 0 {
        let _ = write!(text, "; AWS was not asked about {} (use --aws)", plural(report.not_asked, "ARN"));
    }
    if !report.errors.is_empty() {
        let _ = write!(text, "; {}", style.paint(RED, &format!("{} not read", plural(report.errors.len(), "place"))));
    }
    text
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, column: u32, width: u32) -> Place {
        Place {
            file: "a.yaml".to_owned(),
            line: 3,
            column,
            width,
            text: Some(text.to_owned()),
            template: None,
            edit: None,
        }
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
    fn details_are_set_in_the_width_of_the_terminal() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("a-very-long-word x y", 3), ["a-very-long-word", "x y"]);
        assert_eq!(wrapped("", 3), [""]);
        assert_eq!(wrapped("one two", usize::MAX), ["one two"]);
    }
}
