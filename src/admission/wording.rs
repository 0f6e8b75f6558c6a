//! A verdict in words: the denial's message and causes, and the warnings.
//!
//! Everything is bounded and free of control characters: the API server drops a warning that has one, and a terminal obeys
//! it. Nothing here depends on when or where the question was asked, so that a dry run answers the same, word for word.
//!
//! In [brief](Detail::Brief), only what the applied object and the rules' manuals say is reported: whoever may apply an object doesn't
//! always have the right to look into Secrets, or into other namespaces.

use std::fmt::Write as _;

use serde::Serialize;

use crate::admission::verdict::{Because, Verdict, Warned};
use crate::apis::{Part, row};
use crate::finding::Finding;
use crate::k8s::ObjectRef;
use crate::policy::Detail;
use crate::text::plural;

/// Problems told in full in a message; the others are counted.
const MOST_PROBLEMS: usize = 10;
/// No problem is begun past this many bytes of a message.
const LONGEST_MESSAGE: usize = 8 * 1024;
/// Characters of one part of a problem.
const LONGEST_PART: usize = 600;
/// Causes in the details of a status.
const MOST_CAUSES: usize = 20;
/// Characters of all warnings of one answer: of more than 4,096, those of other webhooks included, the API server cuts each and drops
/// the rest.
const LONGEST_WARNINGS: usize = 3_000;
/// Characters that the line which counts the others may take.
const LONGEST_REST: usize = 200;
/// Characters of one warning: to these the API server cuts.
const LONGEST_WARNING: usize = 256;
/// Characters of a warning for the reason to doubt it.
const LONGEST_DOUBT: usize = 80;
/// Characters of the cause in a denial's first line, which is all that some clients print.
const LONGEST_CAUSE: usize = 200;

/// One entry of a status's `details.causes`.
#[derive(Debug, Serialize)]
pub(crate) struct Cause {
    /// The rule's code and name.
    pub reason: String,
    /// What is wrong.
    pub message: String,
    /// Where, in Kubernetes' notation.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub field: String,
}

/// The message of a denial: the first problem in a line, then each problem with where it is, what was expected and found, what would have happened and
/// how to fix it; last the command that explains it.
pub(crate) fn denial(object: &ObjectRef, verdict: &Verdict) -> String {
    let Verdict { denials, detail, .. } = verdict;
    let detail = *detail;
    let mut text = String::with_capacity(1024);
    let count = denials.len();
    push_clean(&mut text, &object.to_string(), LONGEST_PART);
    // What is to be fixed may stand in the changed object itself.
    let broken = denials.first().filter(|_| verdict.of_change).map(|first| &first.object);
    match broken.map(|broken| verdict.broken.first().filter(|_| broken == object).unwrap_or(broken)) {
        None => text.push_str(" would not work: "),
        // In brief, nothing of another namespace.
        Some(broken) if detail == Detail::Brief && broken.namespace() != object.namespace() => {
            text.push_str(" would break an object of another namespace: ");
        }
        Some(broken) => {
            text.push_str(" would break ");
            push_clean(&mut text, &broken.to_string(), LONGEST_PART);
            text.push_str(": ");
        }
    }
    if let Some(first) = denials.first() {
        let _ = write!(text, "{} ", first.rule.code);
        push_words(&mut text, message(first, detail), LONGEST_CAUSE);
    }
    match count.saturating_sub(1) {
        0 => text.push('\n'),
        others => {
            let _ = writeln!(text, " (+{others} more)");
        }
    }
    let mut told = 0;
    for (index, finding) in denials.iter().enumerate().take(MOST_PROBLEMS) {
        if text.len() > LONGEST_MESSAGE {
            break;
        }
        let number = if count == 1 { String::new() } else { format!("{}. ", index + 1) };
        text.push('\n');
        push_problem(&mut text, &number, object, finding, detail);
        told += 1;
    }
    if let Some(rest) = denials.get(told..).filter(|rest| !rest.is_empty()) {
        let _ = writeln!(text, "\nand {} more: {}", rest.len(), codes(rest).join(", "));
    }
    let _ = write!(text, "\nFor more: meshvet explain {}", codes(denials).join(" "));
    if detail == Detail::Brief {
        text.push_str(
            "\nThe policy keeps this message brief. With the rights to read these objects, see the rest by: meshvet audit -n ",
        );
        push_clean(&mut text, object.namespace(), LONGEST_PART);
    }
    text
}

fn push_problem(text: &mut String, number: &str, object: &ObjectRef, finding: &Finding, detail: Detail) {
    let problem = &finding.problem;
    let _ = write!(text, "{number}{} {}", finding.rule.code, finding.rule.name);
    let place = place(object, finding, detail);
    if !place.is_empty() {
        text.push_str(" at ");
        push_clean(text, &place, LONGEST_PART);
    }
    text.push_str("\n   ");
    push_clean(text, message(finding, detail), LONGEST_PART);
    text.push('\n');
    if detail == Detail::Brief {
        return;
    }
    let parts = [
        ("expected:    ", &problem.expected),
        ("found:       ", &problem.found),
        ("at run time: ", &problem.consequence),
        ("fix:         ", &problem.fix),
    ];
    for (label, part) in parts {
        if let Some(part) = part {
            text.push_str("   ");
            text.push_str(label);
            push_clean(text, part, LONGEST_PART);
            text.push('\n');
        }
    }
}

/// The causes of a denial, one a problem.
pub(crate) fn causes(object: &ObjectRef, denials: &[Finding], detail: Detail) -> Vec<Cause> {
    let room = if denials.len() > MOST_CAUSES { MOST_CAUSES - 1 } else { MOST_CAUSES };
    let mut causes: Vec<Cause> = denials
        .iter()
        .take(room)
        .map(|finding| Cause {
            reason: format!("{} {}", finding.rule.code, finding.rule.name),
            message: clean(message(finding, detail), LONGEST_PART),
            field: clean(&place(object, finding, detail), LONGEST_PART),
        })
        .collect();
    if let Some(rest) = denials.get(room..).filter(|rest| !rest.is_empty()) {
        causes.push(Cause {
            reason: "and more".to_owned(),
            message: format!("and {} more: {}", rest.len(), codes(rest).join(", ")),
            field: String::new(),
        });
    }
    causes
}

/// The warnings, one line each, as many as there is room for.
pub(crate) fn warnings(object: &ObjectRef, verdict: &Verdict) -> Vec<String> {
    let Verdict { warnings: warned, detail, .. } = verdict;
    let detail = *detail;
    let mut lines = Vec::new();
    let mut length = 0;
    for (index, one) in warned.iter().enumerate() {
        let member = one.member.as_ref().or(verdict.of_change.then_some(&one.finding.object));
        // In brief, nothing of another namespace.
        let shown = |member: &&ObjectRef| detail == Detail::Full || member.namespace() == object.namespace();
        let about = member.filter(shown).unwrap_or(object);
        let line = warning(about, one, detail);
        let room = if index + 1 < warned.len() { LONGEST_WARNINGS - LONGEST_REST } else { LONGEST_WARNINGS };
        length += line.chars().count();
        if length > room {
            let rest = warned.get(index..).unwrap_or_default();
            let codes = codes(rest.iter().map(|warned| &warned.finding)).join(", ");
            lines.push(clean(&format!("+{} more: {codes}", rest.len()), LONGEST_REST));
            break;
        }
        lines.push(line);
    }
    if verdict.unjudged > 0 {
        lines.push(format!("{} affected by this change were not judged here", plural(verdict.unjudged, "more object")));
    }
    lines.extend(verdict.known_as_of.clone());
    lines
}

/// What matters first, since the end may be cut: the object, the rule, whether it is news, what is wrong; then why it is doubtful, and
/// where there is room, the place. With the object, since kubectl prints equal warnings once.
fn warning(object: &ObjectRef, warned: &Warned, detail: Detail) -> String {
    let Warned { finding, because, .. } = warned;
    let (note, why) = match because {
        Because::Mild => ("", None),
        Because::SameAsBefore => (" (as before)", None),
        Because::UnreadableBefore => (" (unreadable before)", None),
        Because::BrokenBefore => (" (broken before too)", None),
        Because::NotEnforced => (" (would be refused)", None),
        Because::Change => ("", None),
        Because::LoadedAnew => (" (as before; new pods will start with it)", None),
        // It names what could not be read.
        Because::Unconfirmed(_) if detail == Detail::Brief => (" (not confirmed)", None),
        Because::Unconfirmed(why) => (" (not confirmed)", Some(clean(why, LONGEST_DOUBT))),
    };
    let mut line = clean(&named(object), LONGEST_WARNING / 2);
    let _ = write!(line, " {}{note}: ", finding.rule.code);
    let mut tail = why.map(|why| format!("; {why}")).unwrap_or_default();
    let room = |line: &str, tail: &str| LONGEST_WARNING.saturating_sub(line.chars().count() + tail.chars().count());
    let left = room(&line, &tail);
    push_words(&mut line, message(finding, detail), left);
    let place = clean(&place(object, finding, detail), LONGEST_PART);
    if !place.is_empty() && place.chars().count() + 3 <= room(&line, &tail) {
        let _ = write!(tail, " ({place})");
    }
    line.push_str(&tail);
    line
}

/// The object, as a warning begins with it: what has proxies goes by its name, others by their kind too, since a node and its service often
/// have one name.
pub(crate) fn named(object: &ObjectRef) -> String {
    let is_member = row(&object.api_version, &object.kind).is_some_and(|row| row.part == Part::Member);
    match &object.namespace {
        Some(namespace) if is_member => format!("{namespace}/{}", object.name),
        _ => object.to_string(),
    }
}

/// The codes of some findings, each once, in their order.
pub(crate) fn codes<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<&'static str> {
    let mut codes = Vec::new();
    for finding in findings {
        if !codes.contains(&finding.rule.code) {
            codes.push(finding.rule.code);
        }
    }
    codes
}

/// What is wrong; in brief, what the rule is about.
fn message(finding: &Finding, detail: Detail) -> &str {
    match detail {
        Detail::Full => &finding.problem.message,
        Detail::Brief => finding.rule.summary,
    }
}

/// The field, with the object before it where it is another than the one under review. In brief, nothing of another object.
fn place(object: &ObjectRef, finding: &Finding, detail: Detail) -> String {
    if detail == Detail::Brief && finding.object != *object {
        return String::new();
    }
    let field = finding.field().kubernetes();
    if finding.object == *object {
        field
    } else if field.is_empty() {
        finding.object.to_string()
    } else {
        format!("{}: {field}", finding.object)
    }
}

pub(crate) fn clean(text: &str, longest: usize) -> String {
    let mut cleaned = String::with_capacity(text.len().min(longest));
    push_clean(&mut cleaned, text, longest);
    cleaned
}

/// Appends whole words, at most `longest` characters with the ellipsis for the others.
fn push_words(into: &mut String, text: &str, longest: usize) {
    let cleaned = clean(text, text.len());
    if cleaned.chars().count() <= longest {
        into.push_str(&cleaned);
        return;
    }
    let end = cleaned.char_indices().nth(longest.saturating_sub(1)).map_or(cleaned.len(), |(end, _)| end);
    let kept = cleaned.get(..end).unwrap_or_default();
    // A word that is longer than all there is room for is cut.
    let kept = kept.rsplit_once(' ').map_or(kept, |(words, _)| words);
    into.push_str(kept.trim_end());
    into.push('…');
}

/// Appends at most `longest` characters, an ellipsis included; control characters and ends of line become spaces. Unlike
/// [`text::cut`](crate::text::cut) it counts the ellipsis, for `longest` is what an answer has room for, and it writes into the
/// answer's own buffer.
fn push_clean(into: &mut String, text: &str, longest: usize) {
    let fits = text.char_indices().nth(longest).is_none();
    let kept = if fits { longest } else { longest.saturating_sub(1) };
    into.extend(text.chars().take(kept).map(|c| {
        // Line and paragraph separators, and marks that turn the direction of writing, are no control characters to Unicode.
        let odd = matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || odd { ' ' } else { c }
    }));
    if !fits {
        into.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::fixtures::{finding, node};
    use crate::finding::Finding;

    fn warned(finding: Finding, because: Because) -> Warned {
        Warned::new(finding, because)
    }

    fn denied(denials: Vec<Finding>, detail: Detail) -> Verdict {
        Verdict { denials, detail, ..Verdict::default() }
    }

    fn said(warnings: Vec<Warned>, detail: Detail) -> Verdict {
        Verdict { warnings, detail, ..Verdict::default() }
    }

    #[test]
    fn a_denial_tells_field_expected_found_consequence_fix_and_rule() {
        let mut one = finding("MV101", "listener 1", "no name matches");
        one.problem = one.problem.expected("blue.shop").found("red.shop").consequence("503").fix("issue it anew");
        let text = denial(&node(), &denied(vec![one], Detail::Full));
        assert_eq!(
            text,
            "VirtualNode shop/blue would not work: MV101 no name matches\n\n\
             MV101 hostname-mismatch at spec.listeners[0].tls\n   no name matches\n   \
             expected:    blue.shop\n   found:       red.shop\n   at run time: 503\n   \
             fix:         issue it anew\n\nFor more: meshvet explain MV101"
        );
    }

    #[test]
    fn a_denial_is_capped_and_counts_the_rest() {
        let many: Vec<Finding> = (0..50).map(|n| finding("MV101", &format!("listener {n}"), "wrong")).collect();
        let text = denial(&node(), &denied(many.clone(), Detail::Full));
        assert!(
            text.starts_with("VirtualNode shop/blue would not work: MV101 wrong (+49 more)\n")
                && text.contains("\n10. MV101")
                && !text.contains("\n11. ")
        );
        assert!(text.contains("and 40 more: MV101"));
        assert_eq!(text.matches("meshvet explain").count(), 1);

        let long: Vec<Finding> = (0..50).map(|n| finding("MV101", &format!("{n}"), &"é".repeat(5_000))).collect();
        let text = denial(&node(), &denied(long.clone(), Detail::Full));
        assert!(text.len() < 2 * LONGEST_MESSAGE, "{}", text.len());
        assert!(text.contains("more: MV101"));

        let causes = causes(&node(), &many, Detail::Full);
        assert_eq!(causes.len(), MOST_CAUSES);
        assert_eq!(causes[0].field, "spec.listeners[0].tls");
        assert_eq!(causes[0].reason, "MV101 hostname-mismatch");
        assert_eq!(causes.last().map(|last| last.message.as_str()), Some("and 31 more: MV101"));
    }

    #[test]
    fn a_problem_of_another_object_names_it() {
        let mut other = finding("MV002", "annotation", "bad");
        other.object = ObjectRef::new("apps/v1", "Deployment", "shop", "blue");
        let text = denial(&node(), &denied(vec![other], Detail::Full));
        assert!(text.contains("at Deployment shop/blue: spec.listeners[0].tls"), "{text}");
    }

    #[test]
    fn a_warning_is_one_line_without_control_characters_that_begins_with_the_object() {
        let nasty = finding("MV209", "listener 1", &"ends\nsoon\u{1b}[31m\u{85}\u{2028}".repeat(100));
        let lines = warnings(&node(), &said(vec![warned(nasty, Because::Mild)], Detail::Full));
        assert_eq!(lines.len(), 1);
        assert!(lines[0].starts_with("shop/blue MV209: ends soon [31m"), "{}", lines[0]);
        assert!(!lines[0].chars().any(char::is_control));
        assert!(lines[0].chars().count() <= LONGEST_WARNING);

        let short = finding("MV209", "listener 1", "ends soon");
        let lines = warnings(&node(), &said(vec![warned(short, Because::SameAsBefore)], Detail::Full));
        assert_eq!(lines, ["shop/blue MV209 (as before): ends soon (spec.listeners[0].tls)"]);

        let doubtful = finding("MV101", "listener 1", &"word ".repeat(100));
        let lines =
            warnings(&node(), &said(vec![warned(doubtful, Because::Unconfirmed("y".repeat(500)))], Detail::Full));
        assert!(lines[0].chars().count() <= LONGEST_WARNING, "{}", lines[0]);
        assert!(lines[0].starts_with("shop/blue MV101 (not confirmed): word word"), "{}", lines[0]);
        assert!(lines[0].contains("word…; yyyy") && lines[0].ends_with("yyy…"), "{}", lines[0]);

        let doubtful = finding("MV101", "listener 1", "no name matches");
        let lines = warnings(
            &node(),
            &said(vec![warned(doubtful, Because::Unconfirmed("a timeout".to_owned()))], Detail::Full),
        );
        let expected = "shop/blue MV101 (not confirmed): no name matches; a timeout (spec.listeners[0].tls)";
        assert_eq!(lines, [expected]);
    }

    #[test]
    fn the_same_said_of_a_node_and_of_its_service_is_told_apart() {
        let of = |kind| {
            let object = ObjectRef::new("appmesh.k8s.aws/v1beta2", kind, "shop", "blue");
            warnings(
                &object,
                &said(vec![warned(finding("MV305", "call", "front → blue"), Because::Mild)], Detail::Full),
            )
        };
        assert_eq!(of("VirtualNode"), ["shop/blue MV305: front → blue (spec.listeners[0].tls)"]);
        assert!(of("VirtualService")[0].starts_with("VirtualService shop/blue MV305: front → blue"));
    }

    #[test]
    fn a_brief_answer_tells_only_what_the_object_and_the_rules_say() {
        let secret = "Secret shop/blue-cert holds payroll.key";
        let mut own = finding("MV202", "listener 1", secret);
        own.problem = own.problem.expected(secret).found(secret).consequence(secret).fix(secret);
        let mut other = finding("MV104", "listener 1", secret);
        other.object = ObjectRef::new("appmesh.k8s.aws/v1beta2", "VirtualNode", "payroll", "client");
        let text = denial(&node(), &denied(vec![own.clone(), other.clone()], Detail::Brief));
        assert!(!text.contains("payroll") && !text.contains("blue-cert"), "{text}");
        let summary = own.rule.summary;
        let problem = format!("1. MV202 file-missing at spec.listeners[0].tls\n   {summary}\n");
        assert!(text.contains(&problem), "{text}");
        assert!(text.ends_with("meshvet explain MV202 MV104\nThe policy keeps this message brief. With the rights to read these objects, see the rest by: meshvet audit -n shop"), "{text}");

        let causes = causes(&node(), &[own.clone(), other.clone()], Detail::Brief);
        assert_eq!((causes[0].message.as_str(), causes[0].field.as_str()), (summary, "spec.listeners[0].tls"));
        assert_eq!(causes[1].field, "");

        let doubt = Because::Unconfirmed(format!("could not read {secret}"));
        let lines = warnings(&node(), &said(vec![warned(own, doubt), warned(other, Because::Mild)], Detail::Brief));
        assert_eq!(lines[0], format!("shop/blue MV202 (not confirmed): {summary} (spec.listeners[0].tls)"));
        assert!(!lines[1].contains("payroll"), "{}", lines[1]);
    }

    #[test]
    fn warnings_take_no_more_room_than_the_api_server_gives() {
        let all: Vec<Warned> = (0..100)
            .map(|n| warned(finding("MV209", &format!("{n}"), &format!("{n} {}", "soon ".repeat(60))), Because::Mild))
            .collect();
        let lines = warnings(&node(), &said(all.clone(), Detail::Full));
        assert!(lines.iter().map(|line| line.chars().count()).sum::<usize>() <= LONGEST_WARNINGS);
        let told = lines.len() - 1;
        assert!(told >= 10, "{told}");
        assert_eq!(lines.last().map(String::as_str), Some(format!("+{} more: MV209", 100 - told).as_str()));
        let few = warnings(&node(), &said(all[..told].to_vec(), Detail::Full));
        assert!(few.len() == told && few.iter().all(|line| line.starts_with("shop/blue MV209: ")), "{few:?}");
    }
}
