//! Automatic fixes: from findings to edits of source lines, and to a unified diff of them.

mod diff;

use std::collections::BTreeMap;

use crate::finding::Mend;
use crate::k8s::FieldPath;
use crate::sources::manifests::{Mark, Positions, Source};

pub(crate) use diff::unified;

/// One replacement in a line of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Edit {
    /// 1-based.
    pub line: u32,
    /// 1-based, in characters: the first one removed.
    pub column: u32,
    /// How many characters are removed.
    pub width: u32,
    /// The replacement.
    pub text: String,
}

/// The edit that fixes a field, if it can be edited automatically: None for a value on several
/// lines, behind an alias or on a line that may not be shown, and for a name that is taken.
pub(crate) fn edit(mend: &Mend, field: &FieldPath, positions: &Positions, source: &Source) -> Option<Edit> {
    let (mark, old, new) = match mend {
        Mend::Rename { to } => {
            let (parent, name) = field.split_last()?;
            // If the correctly named field exists as well, a person has to decide between the two.
            if positions.key(&parent.key(to)).is_some() {
                return None;
            }
            (positions.key(field)?, name, to)
        }
        Mend::Replace { old, new } => (positions.value(field)?, old.clone(), new),
    };
    source.patch_line(mark.line)?;
    let written = slice(source.line(mark.line)?, mark)?;
    let text = replaced(written, &old, new)?;
    Some(Edit { line: mark.line, column: mark.column, width: mark.width, text })
}

/// The characters of a line that a mark covers.
fn slice(line: &str, mark: Mark) -> Option<&str> {
    let byte = |character: u32| {
        let at = usize::try_from(character).ok()?;
        line.char_indices().map(|(byte, _)| byte).chain([line.len()]).nth(at)
    };
    let start = mark.column.checked_sub(1)?;
    line.get(byte(start)?..byte(start.checked_add(mark.width)?)?).filter(|text| !text.is_empty())
}

/// The new text in the quotes of the old one; None if the file doesn't contain the old one literally.
fn replaced(written: &str, old: &str, new: &str) -> Option<String> {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '~' | '+' | '@');
    let plain = new.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') && new.chars().all(safe);
    let quotable = !new.contains(['"', '\'', '\\']) && !new.chars().any(char::is_control);
    for quote in ["\"", "'"] {
        let inner = written.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        if inner.is_some() {
            return (inner == Some(old) && quotable).then(|| format!("{quote}{new}{quote}"));
        }
    }
    match (written == old, plain, quotable) {
        (true, true, _) => Some(new.to_owned()),
        (true, false, true) => Some(format!("\"{new}\"")),
        _ => None,
    }
}

/// The edits of one file, by line, ordered by column. Overlapping edits are all dropped: which one is intended is
/// unknown.
pub(crate) fn sorted(edits: impl IntoIterator<Item = Edit>) -> BTreeMap<u32, Vec<Edit>> {
    let mut all: Vec<Edit> = edits.into_iter().collect();
    all.sort();
    all.dedup();
    let mut lines: BTreeMap<u32, Vec<Edit>> = BTreeMap::new();
    for edit in all {
        lines.entry(edit.line).or_default().push(edit);
    }
    for edits in lines.values_mut() {
        let starts: Vec<u32> = edits.iter().map(|edit| edit.column).collect();
        let mut taken = 0;
        let mut next = starts.into_iter().skip(1);
        edits.retain(|edit| {
            let end = edit.column.saturating_add(edit.width);
            let clear = taken <= edit.column && next.next().is_none_or(|next| end <= next);
            taken = taken.max(end);
            clear
        });
    }
    lines.retain(|_, edits| !edits.is_empty());
    lines
}

/// A line with its edits applied. `line` may begin with a byte-order mark, which columns don't count.
fn edited(line: &str, edits: &[Edit]) -> String {
    let (mark, line) = match line.strip_prefix('\u{feff}') {
        Some(rest) => ("\u{feff}", rest),
        None => ("", line),
    };
    let mut text = mark.to_owned();
    let mut edits = edits.iter().peekable();
    let mut skip = 0;
    for (c, column) in line.chars().zip(1_u32..) {
        if let Some(edit) = edits.next_if(|edit| edit.column == column) {
            text.push_str(&edit.text);
            skip = edit.width;
        }
        match skip {
            0 => text.push(c),
            _ => skip -= 1,
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::manifests::{Input, load};

    fn edit_at(column: u32, width: u32, text: &str) -> Edit {
        Edit { line: 1, column, width, text: text.to_owned() }
    }

    #[test]
    fn a_line_takes_several_edits() {
        assert_eq!(edited("é: {a: b, c: d}", &[edit_at(5, 1, "long"), edit_at(14, 1, "x")]), "é: {long: b, c: x}");
        assert_eq!(edited("\u{feff}ab: c\r", &[edit_at(1, 2, "b")]), "\u{feff}b: c\r");
    }

    #[test]
    fn of_edits_that_overlap_none_is_made() {
        assert!(sorted([edit_at(1, 4, "a"), edit_at(3, 2, "b")]).is_empty());
        assert_eq!(sorted([edit_at(1, 2, "a"), edit_at(3, 2, "b"), edit_at(1, 2, "a")]).get(&1).map(Vec::len), Some(2));
    }

    #[test]
    fn quotes_stay_and_what_is_written_otherwise_is_left() {
        assert_eq!(replaced("/a/b", "/a/b", "/c/b").as_deref(), Some("/c/b"));
        assert_eq!(replaced("\"/a/b\"", "/a/b", "/c/b").as_deref(), Some("\"/c/b\""));
        assert_eq!(replaced("'s:a'", "s:a", "s:/a").as_deref(), Some("'s:/a'"));
        assert_eq!(replaced("s:a", "s:a", "s:/a").as_deref(), Some("\"s:/a\""));
        assert_eq!(replaced("\"\\x2fa\"", "/a", "/b"), None);
        assert_eq!(replaced("*path", "/a", "/b"), None);
        assert_eq!(replaced("'a'", "a", "it's"), None);
    }

    #[test]
    fn a_field_beside_one_of_the_right_name_is_not_renamed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.yaml");
        let rename = Mend::Rename { to: "tls".to_owned() };
        for (more, expected) in [("", Some((5, 3, 4))), ("  tls: {}\n", None)] {
            let head = "apiVersion: appmesh.k8s.aws/v1beta2\nkind: VirtualNode\nmetadata: {name: a}\nspec:\n";
            std::fs::write(&path, format!("{head}  tlss: {{}}\n{more}")).expect("a file");
            let manifests = load(&[Input::Path(path.clone())], "default");
            let site = &manifests.objects[0].site;
            let source = manifests.source(site.source).expect("the source");
            let made = edit(&rename, &FieldPath::from_pointer("/spec/tlss"), &site.positions, source);
            assert_eq!(made.map(|edit| (edit.line, edit.column, edit.width)), expected, "{more:?}");
        }
    }
}
