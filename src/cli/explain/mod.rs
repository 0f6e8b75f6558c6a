//! `meshvet explain`

mod markdown;
mod terminal;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{ColorChoice, ValueEnum};
use serde::Serialize;

use crate::finding::Severity;
use crate::finding::{RULES, Rule};

const EXAMPLES: &str = "\
Examples:
  meshvet explain                            all rules, one a line
  meshvet explain MV101                      by code
  meshvet explain key-mismatch               by name
  meshvet explain MV206 MV209                several
  meshvet explain --severity deny            those that refuse by default
  meshvet explain --find expire              those that speak of a word
  meshvet explain MV101 -o markdown          for a wiki; also json
  meshvet explain MV101 --color always | less -R";

/// Print a rule's manual, or list the rules.
///
/// A manual says what the rule checks, why it matters, gives an example, and says how to fix what it finds.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ExplainArgs {
    /// A rule's code (`MV101`) or name (`hostname-mismatch`); case doesn't matter.
    #[arg(value_name = "RULE", conflicts_with_all = ["severity", "find"])]
    rules: Vec<String>,

    /// List the rules that have this severity by default.
    #[arg(long, value_enum, ignore_case = true, value_name = "SEVERITY")]
    severity: Option<Weight>,

    /// List the rules whose name, summary or manual contains this word.
    #[arg(long, value_name = "WORD")]
    find: Option<String>,

    /// How to print them.
    #[arg(short, long, value_enum, ignore_case = true, value_name = "FORMAT", default_value = "text")]
    output: Output,

    /// When to colour the output.
    #[arg(long, value_enum, ignore_case = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,

    /// Write each rule's manual and an index into this folder, as docs/rules has them.
    #[arg(long, value_name = "FOLDER", hide = true, conflicts_with_all = ["rules", "severity", "find"])]
    write: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Weight {
    /// Breaks traffic for certain.
    Deny,
    /// May break traffic, or will later.
    Warn,
    /// Not judged unless the policy says so.
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For terminals.
    Text,
    /// For programs: one JSON object with the manuals.
    Json,
    /// For pages.
    Markdown,
}

impl ExplainArgs {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        if let Some(folder) = &self.write {
            markdown::write(folder)?;
            return Ok(ExitCode::SUCCESS);
        }
        let rules = self.chosen()?;
        let named = !self.rules.is_empty();
        let style = super::style(self.color);
        super::print(&match self.output {
            Output::Json => json(&rules).context("the rules could not be written as JSON")?,
            Output::Markdown if named => joined(&rules, |text, rule| text.push_str(&rule.markdown())),
            Output::Markdown => markdown::table(&rules, |rule| rule.code.to_owned()),
            Output::Text if named => joined(&rules, |text, rule| terminal::manual(text, rule, style)),
            Output::Text => terminal::table(&rules, style),
        })?;
        Ok(ExitCode::SUCCESS)
    }

    fn chosen(&self) -> anyhow::Result<Vec<&'static Rule>> {
        if !self.rules.is_empty() {
            return self.rules.iter().map(|name| find(name)).collect();
        }
        let weighs = |rule: &&Rule| self.severity.is_none_or(|wanted| rule.default == wanted.into());
        let word = self.find.as_ref().map(|word| word.to_lowercase());
        let speaks = |rule: &&Rule| word.as_ref().is_none_or(|word| speaks_of(rule, word));
        let rules: Vec<&Rule> = RULES.iter().filter(weighs).filter(speaks).collect();
        if rules.is_empty() {
            bail!("no rule matches\n`meshvet explain` without an option lists them all");
        }
        Ok(rules)
    }
}

impl From<Weight> for Severity {
    fn from(weight: Weight) -> Self {
        match weight {
            Weight::Deny => Severity::Deny,
            Weight::Warn => Severity::Warn,
            Weight::Off => Severity::Off,
        }
    }
}

fn find(name: &str) -> anyhow::Result<&'static Rule> {
    let Some(rule) = Rule::find(name) else {
        let hint = Rule::nearest(name).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        bail!("meshvet has no rule {name:?}{hint}\n`meshvet explain` without a rule lists them all");
    };
    Ok(rule)
}

/// Whether a rule has a word, in small letters, anywhere.
fn speaks_of(rule: &Rule, word: &str) -> bool {
    let manual = rule.manual();
    let texts = [rule.code, rule.name, rule.summary, &manual.what, &manual.why, &manual.example, &manual.fix];
    texts.iter().any(|text| text.to_lowercase().contains(word))
}

fn joined(rules: &[&Rule], mut add: impl FnMut(&mut String, &Rule)) -> String {
    let mut text = String::new();
    for rule in rules {
        if !text.is_empty() {
            text.push('\n');
        }
        add(&mut text, rule);
    }
    text
}

#[derive(Serialize)]
struct Document {
    version: u32,
    rules: Vec<Item>,
}

/// A rule; the parts of its manual are Markdown.
#[derive(Serialize)]
struct Item {
    code: &'static str,
    name: &'static str,
    severity: Severity,
    summary: &'static str,
    checks: String,
    matters: String,
    example: String,
    fix: String,
}

fn json(rules: &[&'static Rule]) -> serde_json::Result<String> {
    let item = |rule: &&'static Rule| {
        let manual = rule.manual();
        let part = |text: String| text.trim().to_owned();
        Item {
            code: rule.code,
            name: rule.name,
            severity: rule.default,
            summary: rule.summary,
            checks: part(manual.what),
            matters: part(manual.why),
            example: part(manual.example),
            fix: part(manual.fix),
        }
    };
    Ok(serde_json::to_string_pretty(&Document { version: 1, rules: rules.iter().map(item).collect() })? + "\n")
}
