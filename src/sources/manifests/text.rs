//! From a file's bytes to its documents.

use zeroize::Zeroizing;

use super::json;
use super::node::{Budget, Fault};
use super::placeholders;
use super::positions::Mark;
use super::yaml::{self, Parsed};

/// What to do about template markers.
pub(super) const RENDER_FIRST: &str = "template markers `{{ }}` are not YAML: render the templates first, for instance \
                                       `helm template . | meshvet check -`";

/// What to do about placeholders.
pub(super) const FILL_IN: &str = "fill it in first, for instance `envsubst < FILE | meshvet check -`";

/// The most faults of one file that are reported.
pub(super) const MAX_FAULTS: usize = 100;

/// A file's bytes as text, without a byte-order mark.
pub(super) fn decode(bytes: Vec<u8>) -> Result<Zeroizing<String>, Fault> {
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let start = Mark { line: 1, column: 1, width: 0 };
    if utf16 {
        return Err(Fault::new(start, "the file is UTF-16; save it as UTF-8"));
    }
    match String::from_utf8(bytes) {
        Ok(text) => match text.strip_prefix('\u{feff}') {
            None => Ok(Zeroizing::new(text)),
            Some(rest) => {
                let rest = Zeroizing::new(rest.to_owned());
                drop(Zeroizing::new(text));
                Ok(rest)
            }
        },
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let bytes = Zeroizing::new(error.into_bytes());
            let before = bytes.get(..valid).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
            let line = lines(before).count().max(1);
            let column = lines(before).last().map_or(0, |line| line.chars().count()) + 1;
            let at = Mark { line: small(line), column: small(column), width: 1 };
            Err(Fault::new(at, "a byte here is not UTF-8; save the file as UTF-8"))
        }
    }
}

/// Reads a text as kubectl does: as JSON where it starts like JSON, and as YAML where that fails.
pub(super) fn read(text: &str, budget: &mut Budget) -> Parsed {
    let mut parsed = parse(text, 0, budget);
    if parsed.broken {
        explain(text, &mut parsed.faults);
    }
    parsed
}

/// As [`read`], of a text that has so many lines `above` it in its file, with each fault as the parser explains it.
pub(super) fn parse(text: &str, above: u32, budget: &mut Budget) -> Parsed {
    if above > 0 || !is_like_json(text) {
        return yaml::read(text, above, budget);
    }
    let json = json::read(text, budget);
    if !json.broken {
        return json;
    }
    let yaml = yaml::read(text, 0, budget);
    // Both fail: the parser that got further is the intended one.
    let reached = |parsed: &Parsed| parsed.faults.last().map(|fault| (fault.line, fault.column));
    if !yaml.broken || reached(&yaml) > reached(&json) { yaml } else { json }
}

/// Whether a text starts like JSON.
pub(super) fn is_like_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

/// Explains the faults of a whole text by what is often behind them.
pub(super) fn explain(text: &str, faults: &mut Vec<Fault>) {
    if text.contains("{{") {
        name_templates(text, faults);
    }
    if text.contains('\t') {
        name_tabs(text, faults);
    }
    if text.contains("${") {
        name_placeholders(text, faults);
    }
}

/// Explains faults on lines that are indented with tabs.
fn name_tabs(text: &str, faults: &mut [Fault]) {
    let lines: Vec<&str> = lines(text).collect();
    for fault in faults.iter_mut().filter(|fault| fault.fatal).take(MAX_FAULTS) {
        let index = usize::try_from(fault.line).unwrap_or(usize::MAX).saturating_sub(1);
        // After spaces a tab may only cause a fault on the next line.
        let near = [Some(index), index.checked_sub(1)].into_iter().flatten();
        let tab = near.filter_map(|index| Some((index, lines.get(index)?))).find_map(|(index, line)| {
            let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
            Some((index, line.get(..indent)?.find('\t')?))
        });
        if let Some((index, tab)) = tab {
            let mark = Mark { line: small(index + 1), column: small(tab + 1), width: 1 };
            *fault = Fault::new(mark, "a tab can't indent YAML; indent this line with spaces");
        }
    }
}

/// Explains faults on lines with placeholders.
fn name_placeholders(text: &str, faults: &mut [Fault]) {
    let lines: Vec<&str> = lines(text).collect();
    for fault in faults.iter_mut().filter(|fault| fault.fatal && fault.message != RENDER_FIRST).take(MAX_FAULTS) {
        let index = usize::try_from(fault.line).unwrap_or(usize::MAX).saturating_sub(1);
        // A brace closed too early may only cause a fault on the next line.
        let near = [Some(index), index.checked_sub(1)].into_iter().flatten();
        let placed = near.filter_map(|index| Some((index, lines.get(index)?))).find_map(|(index, line)| {
            let name = placeholders::first(line)?;
            let column = line.get(..line.find(name)?)?.chars().count() + 1;
            Some((Mark { line: small(index + 1), column: small(column), width: small(name.chars().count()) }, name))
        });
        if let Some((mark, name)) = placed {
            let message = format!("the placeholder {name} is not filled in, and needs quotes here: {FILL_IN}");
            *fault = Fault::new(mark, message);
        }
    }
}

/// Explains faults caused by template markers.
fn name_templates(text: &str, faults: &mut Vec<Fault>) {
    let lines: Vec<&str> = lines(text).collect();
    for fault in faults.iter_mut().filter(|fault| fault.fatal).take(MAX_FAULTS) {
        let index = usize::try_from(fault.line).unwrap_or(usize::MAX).saturating_sub(1);
        let here = |line: &&str| line.contains("{{") || line.contains("}}");
        let above = lines.get(..=index.min(lines.len().saturating_sub(1))).unwrap_or_default();
        // Within the document: a marker on the line of the fault, or an earlier line that starts with one.
        let marker = above
            .iter()
            .enumerate()
            .rev()
            .take_while(|(number, line)| *number == index || !line.starts_with("---"))
            .find(|(number, line)| if *number == index { here(line) } else { line.trim_start().starts_with("{{") });
        if let Some((number, line)) = marker {
            let byte = line.find("{{").unwrap_or(0);
            let column = line.get(..byte).map_or(0, |before| before.chars().count()) + 1;
            *fault = Fault::new(Mark { line: small(number + 1), column: small(column), width: 2 }, RENDER_FIRST);
        }
    }
    faults.dedup();
}

/// The lines of a text, which end in LF, CRLF or CR.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).flat_map(|line| line.split('\r'))
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::manifests::node::EXPANSION;

    #[track_caller]
    fn faults(text: &str, expected: &[(u32, u32, &str)]) {
        let parsed = read(text, &mut Budget::new(EXPANSION));
        let found: Vec<_> = parsed.faults.iter().map(|f| (f.line, f.column, f.message.as_str())).collect();
        assert_eq!(found.len(), expected.len(), "{text:?}: {found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!((found.0, found.1), (expected.0, expected.1), "{text:?}: {found:?}");
            assert!(found.2.contains(expected.2), "{text:?}: {found:?}");
        }
    }

    #[test]
    fn a_template_says_to_render_it_first() {
        faults("a: 1\n---\nname: {{ .Values.name }}\n", &[(3, 7, "helm template")]);
        faults("{{- if .Values.tls }}\na: 1\n{{- end }}\n", &[(1, 1, "helm template")]);
        faults("a:\n{{ toYaml .Values.x | indent 2 }}\nb: 1\n", &[(2, 1, "helm template")]);
        faults("a: \"{{ kept }}\"\n", &[]);
        faults("a: \"{{ kept }}\"\n---\nb: [\n", &[(3, 4, "unclosed bracket")]);
    }

    #[test]
    fn a_fault_keeps_the_documents_around_it() {
        let text = "a: 1\n---\nb: [1\nc: 2\n---\nd: 3\n";
        let parsed = read(text, &mut Budget::new(EXPANSION));
        assert_eq!(parsed.documents.len(), 2);
        assert_eq!(parsed.faults.len(), 1);
        assert_eq!(parsed.documents.iter().map(|it| it.at.line).collect::<Vec<_>>(), [1, 6]);
    }

    #[test]
    fn json_that_is_cut_off_is_told_as_json() {
        faults("{\"a\": {\"b\": 1,", &[(1, 15, "ends too early")]);
        faults("{\"a\": 1}\n{\"b\" 2}", &[(2, 6, "expected `:`")]);
        faults("{\"a\": 1}\n{\"b\": 2}", &[]);
        faults("{a: 1}", &[]);
    }

    #[test]
    fn bytes_that_are_no_text_are_named_by_line() {
        let fault = decode(b"a: 1\nbc: \xff\n".to_vec()).expect_err("a fault");
        assert_eq!((fault.line, fault.column), (2, 5));
        assert!(decode(b"\xff\xfea\0".to_vec()).expect_err("a fault").message.contains("UTF-16"));
        assert_eq!(decode("\u{feff}a: 1".into()).expect("text").as_str(), "a: 1");
    }
}
