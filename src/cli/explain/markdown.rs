//! Rules as Markdown: what docs/rules is made of.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::Context as _;

use crate::finding::{RULES, Rule};

/// What the hundreds of the codes are about.
const GROUPS: [(&str, &str); 7] = [
    ("MV0", "Objects and their fields"),
    ("MV1", "Names"),
    ("MV2", "Files, certificates and keys"),
    ("MV3", "Trust between the two ends"),
    ("MV4", "AWS Certificate Manager"),
    ("MV5", "Gateways"),
    ("MV7", "What makes Secrets"),
];

/// Rules as a table; `label` makes the first column.
pub(super) fn table(rules: &[&Rule], label: impl Fn(&Rule) -> String) -> String {
    let mut text = String::from("| code | name | default | wrong when |\n|---|---|---|---|\n");
    for rule in rules {
        let summary = rule.summary.replace('|', "\\|");
        let _ = writeln!(text, "| {} | {} | {} | {summary} |", label(rule), rule.name, rule.default);
    }
    text
}

fn index() -> String {
    let mut text = String::from(
        "# The rules\n\n\
         Made from the rules' own documentation: `just rules` writes these pages anew. `meshvet explain MV101` prints one of\n\
         them. A code is never used again for another rule; the policy file sets the severity of each.\n",
    );
    for (prefix, title) in GROUPS {
        let rules: Vec<&Rule> = RULES.iter().filter(|rule| rule.code.starts_with(prefix)).collect();
        if !rules.is_empty() {
            let link = |rule: &Rule| format!("[{0}]({0}.md)", rule.code);
            let _ = write!(text, "\n## {title}\n\n{}", table(&rules, link));
        }
    }
    text
}

/// Writes every page and the index into a folder, and takes away pages of rules that are no more.
pub(super) fn write(folder: &Path) -> anyhow::Result<()> {
    let shown = folder.display();
    fs::create_dir_all(folder).with_context(|| format!("the folder {shown} can't be created"))?;
    let mut pages: Vec<(String, String)> =
        RULES.iter().map(|rule| (format!("{}.md", rule.code), rule.markdown())).collect();
    pages.push(("README.md".to_owned(), index()));
    let names: BTreeSet<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
    for entry in fs::read_dir(folder).with_context(|| format!("the folder {shown} can't be read"))?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("MV") && name.ends_with(".md") && !names.contains(name.as_str()) {
            fs::remove_file(entry.path()).with_context(|| format!("{shown}/{name} can't be removed"))?;
        }
    }
    for (name, text) in &pages {
        fs::write(folder.join(name), text).with_context(|| format!("{shown}/{name} can't be written"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_in_one_group() {
        for rule in RULES {
            assert_eq!(GROUPS.iter().filter(|(prefix, _)| rule.code.starts_with(prefix)).count(), 1, "{}", rule.code);
        }
    }
}
