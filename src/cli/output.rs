//! What every command that reports has in common: the policy and the time to judge by, and how to tell what was found.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{ColorChoice, ValueEnum};
use jiff::Timestamp;

use crate::finding::Severity;
use crate::policy::Policy;
use crate::report;
use crate::serve;
use crate::survey::Report;

// No doc comment: clap would make it the command's own.
#[allow(missing_docs, reason = "clap shows the fields' comments, and would show this one instead of the command's")]
#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    /// How to tell what was found.
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "text")]
    pub(super) output: Output,

    /// The least severity that makes the exit code 1.
    #[arg(long, value_enum, value_name = "SEVERITY", default_value = "deny")]
    pub(super) fail_on: FailOn,

    /// Judge as of this time instead of now (RFC 3339).
    #[arg(long, value_name = "TIME", value_parser = time)]
    now: Option<Timestamp>,

    /// The policy file: what each rule weighs, and where (`meshvet schema`).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// When to colour the output, and to tell progress.
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    pub(super) color: ColorChoice,
}

pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "not a time of RFC 3339, such as 2027-01-01T00:00:00Z".to_owned())
}

impl ReportArgs {
    /// The policy to judge by.
    pub(super) fn policy(&self) -> anyhow::Result<Policy> {
        Ok(serve::policy::adopt(self.config.as_deref())?)
    }

    /// The time to judge as of; None for now.
    pub(super) fn as_of(&self) -> Option<Timestamp> {
        self.now
    }

    /// Prints a report; `page` makes the page, where that is asked for.
    pub(super) fn print(&self, report: &Report, page: impl FnOnce() -> anyhow::Result<String>) -> anyhow::Result<()> {
        super::print(&self.output.render(report, self.fail_on, self.color, page)?)
    }

    /// 2 where something could not be read, 1 for findings that count, else 0.
    pub(super) fn exit_code(&self, report: &Report) -> ExitCode {
        if !report.errors.is_empty() {
            ExitCode::from(super::COULD_NOT_RUN)
        } else if report.fails(self.fail_on.into()) {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }
}

/// How a report is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people: each finding with its source line.
    Text,
    /// For programs: one JSON object.
    Json,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// For CI that shows tests: JUnit XML.
    Junit,
    /// For GitHub Actions: annotations of the change.
    Github,
    /// To look at: one page with a map of the mesh, for a browser.
    Html,
}

/// From which severity on a report fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// What breaks traffic for certain.
    Deny,
    /// Anything found.
    Warn,
}

impl From<FailOn> for Severity {
    fn from(at: FailOn) -> Self {
        match at {
            FailOn::Deny => Severity::Deny,
            FailOn::Warn => Severity::Warn,
        }
    }
}

impl Output {
    /// The report in this format; text for the terminal that the standard output is, where it is one. `page` makes the page.
    pub(super) fn render(
        self,
        report: &Report,
        fail_on: FailOn,
        color: ColorChoice,
        page: impl FnOnce() -> anyhow::Result<String>,
    ) -> anyhow::Result<String> {
        Ok(match self {
            Output::Html => page()?,
            Output::Text => report::text_within(report, super::style(color), super::width()),
            Output::Json => report::json(report).context("the report could not be written as JSON")?,
            Output::Sarif => report::sarif(report).context("the report could not be written as SARIF")?,
            Output::Junit => {
                report::junit(report, fail_on.into()).context("the report could not be written as JUnit XML")?
            }
            Output::Github => report::github(report),
        })
    }
}
