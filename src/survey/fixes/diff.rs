//! A unified diff of edited lines, as `patch -p1` and `git apply` accept it.
//!
//! Its context is limited to lines that may be shown, without those of Secrets: so hunks are assembled here, line by line.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::RangeInclusive;
use std::path::Path;

use crate::sources::manifests::Source;
use crate::survey::fixes::{Edit, edited};

/// Lines before and after a change.
const CONTEXT: u32 = 3;

/// The diff of one file, and the number of edits in it. Edits without a possible hunk are left out.
pub(crate) fn unified(source: &Source, edits: &BTreeMap<u32, Vec<Edit>>) -> (String, usize) {
    let mut text = String::new();
    let mut made = 0;
    for range in hunks(source, edits) {
        let length = range.end() - range.start() + 1;
        let _ = writeln!(text, "@@ -{0},{length} +{0},{length} @@", range.start());
        for number in range {
            let Some(line) = source.patch_line(number) else { continue };
            let end =
                if number == source.count() && !source.is_terminated() { "\n\\ No newline at end of file" } else { "" };
            let _ = match edits.get(&number) {
                None => writeln!(text, " {line}{end}"),
                Some(changes) => {
                    made += changes.len();
                    writeln!(text, "-{line}{end}\n+{}{end}", edited(&line, changes))
                }
            };
        }
    }
    if made > 0 {
        text.insert_str(0, &head(&source.name));
    }
    (text, made)
}

/// The lines of each hunk: the edited ones with the visible lines around them.
fn hunks(source: &Source, edits: &BTreeMap<u32, Vec<Edit>>) -> Vec<RangeInclusive<u32>> {
    let shown = |number: &u32| source.patch_line(*number).is_some();
    let mut hunks: Vec<RangeInclusive<u32>> = Vec::new();
    for &line in edits.keys().filter(|line| shown(line)) {
        let first = (line.saturating_sub(CONTEXT)..line).rev().take_while(shown).last().unwrap_or(line);
        let last = (line + 1..=line.saturating_add(CONTEXT)).take_while(shown).last().unwrap_or(line);
        match hunks.last_mut() {
            Some(before) if *before.end() + 1 >= first => *before = *before.start()..=last,
            _ => hunks.push(first..=last),
        }
    }
    // git takes a hunk that ends in a change as one at the end of the file.
    hunks.retain(|hunk| !edits.contains_key(hunk.end()) || *hunk.end() == source.count());
    hunks.into_iter().map(|hunk| balanced(hunk, source, edits)).collect()
}

/// A hunk with as much context before as after. patch takes one with less before as one at the start of the file, and one
/// with less after as one at its end; there it may be uneven.
fn balanced(hunk: RangeInclusive<u32>, source: &Source, edits: &BTreeMap<u32, Vec<Edit>>) -> RangeInclusive<u32> {
    let (start, end) = (*hunk.start(), *hunk.end());
    let mut changed = edits.range(hunk).map(|(line, _)| *line);
    let Some(first) = changed.next() else { return start..=end };
    let last = changed.next_back().unwrap_or(first);
    let (before, behind) = (first - start, end - last);
    if end != source.count() && behind < before {
        first - behind..=end
    } else if start != 1 && before < behind {
        start..=last + before.max(1)
    } else {
        start..=end
    }
}

/// The two lines with the file's name: relative to the current folder, if the file is below it.
fn head(name: &str) -> String {
    let here = std::env::current_dir().ok();
    let path = here.as_deref().and_then(|here| Path::new(name).strip_prefix(here).ok()).unwrap_or(Path::new(name));
    let path = path.display().to_string();
    let path = path.strip_prefix("./").unwrap_or(&path);
    format!("--- {}\n+++ {}\n", quoted("a", path), quoted("b", path))
}

/// A name as git writes it: quoted if it contains special characters, followed by a tab if it contains a space.
fn quoted(side: &str, path: &str) -> String {
    let path = format!("{side}/{}", path.trim_start_matches('/'));
    if path.contains(|c: char| c.is_control() || matches!(c, '"' | '\\')) {
        let mut text = String::from("\"");
        for c in path.chars() {
            match c {
                '"' | '\\' => text.extend(['\\', c]),
                c if c.is_control() => {
                    let mut bytes = [0; 4];
                    for byte in c.encode_utf8(&mut bytes).bytes() {
                        let _ = write!(text, "\\{byte:03o}");
                    }
                }
                c => text.push(c),
            }
        }
        text + "\""
    } else if path.contains(' ') {
        path + "\t"
    } else {
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::manifests::{Input, load};
    use crate::survey::fixes::sorted;

    const NODE: &str = "apiVersion: appmesh.k8s.aws/v1beta2\nkind: VirtualNode\nmetadata: {name: a}\nspec:\n  tlss: {}\n  x: 1\n  y: 2\n  z: 3";

    fn diff(text: &str, edits: &[(u32, u32, u32, &str)]) -> (String, usize) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.yaml");
        std::fs::write(&path, text).expect("a file");
        let manifests = load(&[Input::from(path)], "default");
        let edits =
            edits.iter().map(|&(line, column, width, text)| Edit { line, column, width, text: text.to_owned() });
        let (text, made) = unified(&manifests.sources[0], &sorted(edits));
        (text.lines().skip(2).collect::<Vec<_>>().join("\n"), made)
    }

    #[test]
    fn a_change_stands_between_three_lines_of_context() {
        let (text, made) = diff(NODE, &[(5, 3, 4, "tls")]);
        assert_eq!(made, 1);
        assert_eq!(
            text,
            "@@ -2,7 +2,7 @@\n kind: VirtualNode\n metadata: {name: a}\n spec:\n-  tlss: {}\n+  tls: {}\n   x: 1\n   y: 2\n   z: 3\n\\ No newline at end of file"
        );
    }

    #[test]
    fn changes_near_one_another_are_one_hunk_and_far_ones_are_not() {
        assert_eq!(diff(NODE, &[(1, 1, 3, "API"), (8, 3, 1, "w")]).0.matches("@@ -").count(), 1);
        let long = NODE.replace("  x: 1\n", &"  x: 1\n".repeat(9).replace("x", "x0"));
        let long: String =
            long.lines().enumerate().map(|(n, line)| format!("{}\n", line.replace("x0", &format!("x{n}")))).collect();
        assert_eq!(diff(&long, &[(2, 1, 4, "Kind"), (16, 3, 1, "w")]).0.matches("@@ -").count(), 2);
    }

    #[test]
    fn a_secret_is_no_context() {
        let text = format!(
            "{NODE}\n---\napiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{tls.key: very-private}}\n"
        );
        let (text, made) = diff(&text, &[(8, 3, 1, "w")]);
        assert_eq!(made, 1);
        assert!(text.ends_with("+  w: 3\n ---"), "{text}");
        // The rest of the list can't be shown.
        let item = |text: &str| {
            text.lines()
                .enumerate()
                .map(|(n, l)| format!("{}{l}\n", if n == 0 { "- " } else { "  " }))
                .collect::<String>()
        };
        let list = format!(
            "apiVersion: v1\nkind: List\nitems:\n{}{}",
            item(NODE),
            item("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {tls.key: very-private}")
        );
        assert_eq!(diff(&list, &[(11, 5, 1, "w")]).1, 0);
        let (text, made) = diff(&list, &[(8, 5, 4, "tls")]);
        assert_eq!(made, 1);
        assert!(!text.contains("Secret") && !text.contains("private"), "{text}");
    }

    #[test]
    fn names_are_written_as_git_reads_them() {
        assert_eq!(quoted("a", "x/y.yaml"), "a/x/y.yaml");
        assert_eq!(quoted("a", "/x y.yaml"), "a/x y.yaml\t");
        assert_eq!(quoted("b", "x\"\\\n.yaml"), "\"b/x\\\"\\\\\\012.yaml\"");
    }
}
