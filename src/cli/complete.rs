//! What may come next on a command line, as kubectl asks it of a plugin's `kubectl_complete-meshvet`.
//!
//! kubectl gives the words so far, the last one begun; it reads one candidate a line, a tab before its description, and last a
//! directive: `:0` where files may follow, `:4` where they may not.

use std::ffi::OsString;
use std::fmt::Write;
use std::process::ExitCode;

use clap::{Arg, Command};

use crate::finding::RULES;

/// No command of people's, so that no help, page or script of a shell speaks of it.
const ASK: &str = "__complete";

/// The words to complete, where that is what the process was started for: `meshvet __complete -- check --fa`.
pub(super) fn asked(arguments: impl Iterator<Item = OsString>) -> Option<Vec<String>> {
    let mut arguments = arguments.skip(1).map(|word| word.to_string_lossy().into_owned());
    let asks = arguments.next().as_deref() == Some(ASK) && arguments.next().as_deref() == Some("--");
    asks.then(|| arguments.collect())
}

/// Prints what may come next.
pub(super) fn run(mut command: Command, words: &[String]) -> anyhow::Result<ExitCode> {
    command.build();
    super::print(&candidates(&command, words))?;
    Ok(ExitCode::SUCCESS)
}

fn candidates(root: &Command, words: &[String]) -> String {
    let (begun, before) = words.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
    let mut command = root;
    let mut awaiting: Option<&Arg> = None;
    for word in before {
        if awaiting.take().is_some() {
            continue;
        }
        if let Some(sub) = command.find_subcommand(word) {
            command = sub;
        } else {
            awaiting = option(command, word).filter(|arg| arg.get_action().takes_values());
        }
    }
    let mut found: Vec<(String, String)> = Vec::new();
    let mut files = false;
    if let Some(arg) = awaiting {
        found = values(arg);
        files = found.is_empty();
    } else if begun.starts_with('-') {
        let options = command.get_arguments().filter(|arg| !arg.is_hide_set());
        found.extend(options.filter_map(|arg| Some((format!("--{}", arg.get_long()?), first_line(arg.get_help())))));
    } else if command.has_subcommands() {
        let subs = command.get_subcommands().filter(|sub| !sub.is_hide_set());
        found.extend(subs.map(|sub| (sub.get_name().to_owned(), first_line(sub.get_about()))));
    } else if command.get_name() == "explain" {
        found.extend(RULES.iter().map(|rule| (rule.code.to_owned(), format!("{}: {}", rule.name, rule.summary))));
    } else {
        found.extend(command.get_positionals().flat_map(values));
        files = found.is_empty();
    }
    let mut text = String::new();
    for (word, about) in found.into_iter().filter(|(word, _)| word.starts_with(begun)) {
        let _ = if about.is_empty() { writeln!(text, "{word}") } else { writeln!(text, "{word}\t{about}") };
    }
    let _ = writeln!(text, ":{}", if files { 0 } else { 4 });
    text
}

/// The option that a word is, its value not in the same word.
fn option<'c>(command: &'c Command, word: &str) -> Option<&'c Arg> {
    let mut all = command.get_arguments();
    match (word.strip_prefix("--"), word.strip_prefix('-')) {
        (Some(long), _) => all.find(|arg| arg.get_long() == Some(long)),
        (None, Some(short)) => {
            let mut letters = short.chars();
            let letter = letters.next().filter(|_| letters.next().is_none());
            all.find(|arg| arg.get_short().is_some() && arg.get_short() == letter)
        }
        (None, None) => None,
    }
}

fn values(arg: &Arg) -> Vec<(String, String)> {
    let shown = arg.get_possible_values().into_iter().filter(|value| !value.is_hide_set());
    shown.map(|value| (value.get_name().to_owned(), first_line(value.get_help()))).collect()
}

fn first_line(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(|text| text.to_string().lines().next().unwrap_or_default().to_owned()).unwrap_or_default()
}
