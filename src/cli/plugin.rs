//! meshvet as a plugin of kubectl: a program named `kubectl-meshvet` on the PATH is run by `kubectl meshvet`.

use std::path::Path;

use clap::Command;

/// The file name that kubectl looks for.
const PLUGIN: &str = "kubectl-meshvet";

/// The command line under the name that it was called by: as a plugin, usage and examples say `kubectl meshvet`.
pub(super) fn named(command: Command) -> Command {
    let called = std::env::args_os().next();
    let stem = called.as_deref().and_then(|called| Path::new(called).file_stem()).map(|stem| stem.to_string_lossy());
    if stem.as_deref() == Some(PLUGIN) { as_plugin(command) } else { command }
}

fn as_plugin(command: Command) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let command = renamed(command, &names).bin_name("kubectl meshvet");
    command.mut_subcommands(|sub| renamed(sub, &names))
}

/// The command with `kubectl meshvet` for `meshvet` in its examples.
fn renamed(command: Command, names: &[String]) -> Command {
    let Some(text) = command.get_after_help().map(ToString::to_string) else { return command };
    let renamed = names
        .iter()
        .fold(text, |text, name| text.replace(&format!("meshvet {name}"), &format!("kubectl meshvet {name}")));
    command.after_help(renamed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn a_plugins_help_speaks_of_kubectl() {
        let mut command = as_plugin(crate::cli::Cli::command());
        command.build();
        let check = command.find_subcommand_mut("check").expect("check").render_long_help().to_string();
        assert!(check.contains("Usage: kubectl meshvet check [OPTIONS] [PATH]..."), "{check}");
        assert!(check.contains("| kubectl meshvet check -") && !check.contains("kubectl kubectl"), "{check}");
    }
}
