//! `-o` and `--fail-on`: the formats that a report is told in.

use anyhow::Context as _;
use clap::{ColorChoice, ValueEnum};

use crate::finding::Severity;
use crate::report::{self, Report};

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
