//! The command line: one file a command. Only this module knows clap.
//!
//! Exit codes: 0 clean, 1 findings at or above `--fail-on`, 2 could not run (a wrong argument, a file that can't be read) or nothing to judge.

mod audit;
mod aws;
mod baseline;
mod ca_bundle;
mod check;
mod cluster;
mod complete;
mod completions;
mod connection;
mod doctor;
mod duration;
mod explain;
mod files;
mod logging;
mod managed;
mod output;
mod overload;
mod plugin;
mod progress;
mod schema;
mod secrets;
mod self_check;
mod serve;
mod traces;
mod tree;
mod try_it;
mod verify;
mod watching;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::text::Style;

/// What meshvet exits with when it could not do what it was asked.
const COULD_NOT_RUN: u8 = 2;

const EXIT_CODES: &str = "\
Exit codes: 0 clean, 1 findings at or above --fail-on, 2 could not run.

Start here:
  meshvet try                      the webhook on an example mesh, without a cluster
  meshvet check manifests/         what is wrong with the manifests of a folder
  meshvet explain MV101            what a rule checks, why, and how to fix what it finds";

/// Vets the TLS of service-mesh workloads before they reach the cluster.
///
/// meshvet reads AWS App Mesh objects, the workloads they select and the certificates that their proxies will load, and
/// reports what would break: a name that doesn't match, a key of another certificate, a chain without its intermediate. The
/// same rules judge manifests here and changes on their way into a cluster.
#[derive(Debug, Parser)]
#[command(name = "meshvet", version, after_help = EXIT_CODES, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Try(try_it::TryArgs),
    Check(check::CheckArgs),
    Audit(Box<audit::AuditArgs>),
    Tree(Box<tree::TreeArgs>),
    Serve(Box<serve::ServeArgs>),
    Doctor(doctor::DoctorArgs),
    Explain(explain::ExplainArgs),
    Schema(schema::SchemaArgs),
    CaBundle(ca_bundle::CaBundleArgs),
    Verify(Box<verify::VerifyArgs>),
    Completions(completions::CompletionsArgs),
    Man(completions::ManArgs),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    if let Some(words) = complete::asked(std::env::args_os()) {
        return complete::run(Cli::command(), &words).unwrap_or_else(|_| ExitCode::from(COULD_NOT_RUN));
    }
    let mut command = plugin::named(Cli::command());
    let parsed = command.try_get_matches_from_mut(std::env::args_os());
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => error.format(&mut command).exit(),
    };
    let outcome = match cli.command {
        Command::Try(args) => args.run(),
        Command::Check(args) => args.run(),
        Command::Audit(args) => args.run(),
        Command::Tree(args) => args.run(),
        Command::Serve(args) => args.run(),
        Command::Doctor(args) => args.run(),
        Command::Explain(args) => args.run(),
        Command::Schema(args) => args.run(),
        Command::CaBundle(args) => args.run(),
        Command::Verify(args) => args.run(),
        Command::Completions(args) => args.run(Cli::command()),
        Command::Man(args) => args.run(Cli::command()),
    };
    outcome.unwrap_or_else(|error| {
        tell(&format!("error: {}", described(&error)));
        ExitCode::from(COULD_NOT_RUN)
    })
}

/// An error with its causes, each on a line of its own.
fn described(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for (depth, cause) in error.chain().enumerate() {
        if depth > 0 {
            text.push_str("\n  because: ");
        }
        text.push_str(cause.to_string().trim_end());
    }
    let kind = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    if let Some(step) = kind.and_then(next_step) {
        text.push_str("\n  what to do: ");
        text.push_str(step);
    }
    text
}

/// What to do about a file that can't be read or written.
fn next_step(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::NotFound => Some("check the path; a relative path starts in the current folder"),
        io::ErrorKind::PermissionDenied => Some("check its owner and permissions, and the user that meshvet runs as"),
        io::ErrorKind::IsADirectory => Some("it is a folder: name a file in it"),
        _ => None,
    }
}

/// Writes to the standard output. A reader that has gone (`| head`) is no error.
fn print(text: &str) -> anyhow::Result<()> {
    print_to_reader(text).map(|_| ())
}

/// The same; whether there still is a reader.
fn print_to_reader(text: &str) -> anyhow::Result<bool> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(anyhow::Error::new(error).context("the output could not be written")),
    }
}

/// Writes a line to the standard error; when that fails there is nobody left to tell.
fn tell(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether the standard output is to be coloured: `auto` follows the terminal, `NO_COLOR` and `TERM`.
fn style(choice: ColorChoice) -> Style {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let coloured = match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb") && io::stdout().is_terminal()
        }
    };
    if coloured { Style::Coloured } else { Style::Plain }
}

/// The columns of the terminal that the standard output goes to; None where it goes elsewhere.
fn width() -> Option<usize> {
    let term = console::Term::stdout();
    term.size_checked().filter(|_| term.is_term()).map(|(_, columns)| usize::from(columns))
}

#[cfg(test)]
mod tests;
