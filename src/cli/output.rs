//! What every command that reports has in common: the policy and the time to judge by, and the format.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{ColorChoice, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::finding::Severity;
use crate::policy::Policy;
use crate::report;
use crate::serve;
use crate::survey::Report;

// No doc comment: clap would make it the command's own.
#[allow(missing_docs, reason = "clap shows the fields' comments, and would show this one instead of the command's")]
#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    /// The format of the report.
    #[arg(short, long, value_enum, ignore_case = true, value_name = "FORMAT", default_value = "text")]
    pub(super) output: Output,

    /// Print how many findings each rule has, in place of the findings: as text, or as JSON with -o json.
    #[arg(long)]
    statistics: bool,

    /// The lowest severity that makes the exit code 1.
    #[arg(long, value_enum, ignore_case = true, value_name = "SEVERITY", default_value = "deny")]
    pub(super) fail_on: FailOn,

    /// Exit with 0 where no mesh object is found. Without it the exit code is 2: nothing was judged.
    #[arg(long)]
    pub(super) allow_empty: bool,

    /// Judge as of this time instead of now: a date, or a time of RFC 3339.
    #[arg(long, visible_alias = "at", value_name = "TIME", value_parser = time)]
    now: Option<Timestamp>,

    /// The policy file: the severity of each rule, and where it holds (`meshvet schema`).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// When to colour the output and to show progress.
    #[arg(long, value_enum, ignore_case = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: ColorChoice,
}

pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    // Without a time of day the day begins, in UTC.
    let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let date_alone = text.len() == "2027-01-01".len();
    text.parse().ok().or_else(|| date_alone.then(day).flatten()).ok_or_else(|| {
        "expected a date, such as 2027-01-01, or a time of RFC 3339, such as 2027-01-01T12:00:00Z".to_owned()
    })
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
        if !self.statistics {
            return super::print(&self.output.render(report, self.fail_on, self.color, page)?);
        }
        super::print(&match self.output {
            Output::Text => report::statistics(report),
            Output::Json => report::statistics_json(report).context("the statistics could not be written as JSON")?,
            _ => bail!("--statistics prints text, or JSON with -o json"),
        })
    }

    /// 2 where something could not be read or there is no mesh object, 1 for findings that count, else 0.
    pub(super) fn exit_code(&self, report: &Report) -> ExitCode {
        if !report.errors.is_empty() || (!self.allow_empty && report.mesh_objects() == 0) {
            ExitCode::from(super::COULD_NOT_RUN)
        } else if report.fails(self.fail_on.into()) {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }
}

/// The format of a report.
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
    /// For a browser: one page with a map of the mesh.
    Html,
}

/// From which severity on a report fails. Each command takes the words of the others too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// What breaks traffic for certain.
    #[value(aliases = ["denial", "error", "failed"])]
    Deny,
    /// Anything found.
    #[value(alias = "warning")]
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
