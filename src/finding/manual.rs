//! A rule's manual: the doc comment at the head of its file.

/// The four parts of a manual. Every one of them is there: a test of the registry sees to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manual<'a> {
    /// The first line: code and name.
    pub title: String,
    /// What it checks.
    pub what: String,
    /// Why it matters.
    pub why: String,
    /// An example, with its code blocks.
    pub example: String,
    /// How to fix it.
    pub fix: String,
    source: &'a str,
}

impl<'a> Manual<'a> {
    /// Reads the `//!` lines at the head of a rule's source.
    pub fn parse(source: &'a str) -> Self {
        let mut manual = Manual { source, ..Manual::default() };
        let mut part = 0;
        for line in doc_lines(source) {
            if let Some(title) = line.strip_prefix("# ")
                && manual.title.is_empty()
            {
                manual.title = title.replace('`', "");
                continue;
            }
            if let Some(heading) = line.strip_prefix("## ") {
                part = match heading {
                    "What it checks" => 1,
                    "Why it matters" => 2,
                    "Example" => 3,
                    "How to fix" => 4,
                    _ => 0,
                };
                continue;
            }
            let text = match part {
                1 => &mut manual.what,
                2 => &mut manual.why,
                3 => &mut manual.example,
                4 => &mut manual.fix,
                _ => continue,
            };
            text.push_str(line);
            text.push('\n');
        }
        for text in [&mut manual.what, &mut manual.why, &mut manual.example, &mut manual.fix] {
            *text = text.trim_matches('\n').to_owned();
        }
        manual
    }

    /// The whole manual as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = doc_lines(self.source).collect::<Vec<_>>().join("\n");
        text.push('\n');
        text
    }
}

fn doc_lines(source: &str) -> impl Iterator<Item = &str> {
    source.lines().map_while(|line| line.strip_prefix("//!")).map(|line| line.strip_prefix(' ').unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_is_read_from_the_head_of_a_file() {
        let manual = Manual::parse(
            "//! # MV999: `a-name`\n//!\n//! ## What it checks\n//! One.\n//!\n//! ## How to fix\n//! Two.\nuse x;\n//! not this\n",
        );
        assert_eq!(manual.title, "MV999: a-name");
        assert_eq!(manual.what, "One.");
        assert_eq!(manual.fix, "Two.");
        assert_eq!(manual.why, "");
        assert!(!manual.markdown().contains("not this"));
    }
}
