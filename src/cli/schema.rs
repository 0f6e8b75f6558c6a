//! `meshvet schema`

use std::process::ExitCode;

use anyhow::Context;

use crate::policy;

const EXAMPLES: &str = "\
Examples:
  meshvet schema > meshvet.schema.json

In an editor with a YAML language server, the first line of the policy file then says:
  # yaml-language-server: $schema=meshvet.schema.json";

/// Print the policy file's JSON Schema, for editors and linters.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct SchemaArgs {}

impl SchemaArgs {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let mut text =
            serde_json::to_string_pretty(&policy::json_schema()).context("the schema could not be written")?;
        text.push('\n');
        super::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}
