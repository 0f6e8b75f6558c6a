//! `meshvet completions` and `meshvet man`: the command line for shells and for `man`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Command, ValueHint};
use clap_complete::Shell;
use clap_mangen::Man;

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  source <(meshvet completions bash)                                         in ~/.bashrc
  meshvet completions zsh > \"${fpath[1]}/_meshvet\"
  meshvet completions fish > ~/.config/fish/completions/meshvet.fish
  meshvet completions powershell | Out-String | Invoke-Expression            in $PROFILE

As a plugin (`kubectl meshvet`) it is completed by kubectl: put kubectl_complete-meshvet beside
kubectl-meshvet on the PATH.";

const MAN_EXAMPLES: &str = "\
Examples:
  meshvet man | man -l -                          read it
  meshvet man --dir /usr/local/share/man/man1     one page a command, for packages";

/// Print the completion script of a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(super) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum, ignore_case = true, value_name = "SHELL")]
    shell: Shell,
}

impl CompletionsArgs {
    pub(super) fn run(self, mut command: Command) -> anyhow::Result<ExitCode> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut command, "meshvet", &mut text);
        super::print(&String::from_utf8_lossy(&text))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Print the manual page, in roff.
#[derive(Debug, clap::Args)]
#[command(after_help = MAN_EXAMPLES)]
pub(super) struct ManArgs {
    /// Write a page for meshvet and one for each of its commands into this folder, instead of printing the first.
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

impl ManArgs {
    pub(super) fn run(self, mut command: Command) -> anyhow::Result<ExitCode> {
        command.build();
        match &self.dir {
            None => {
                let page = page(&command).context("the page could not be written")?;
                super::print(&String::from_utf8_lossy(&page))?;
            }
            Some(folder) => {
                let shown = folder.display();
                fs::create_dir_all(folder).with_context(|| format!("the folder {shown} can't be created"))?;
                write(&command, "meshvet", folder)?;
                for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
                    write(sub, &format!("meshvet-{}", sub.get_name()), folder)?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn page(command: &Command) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}

fn write(command: &Command, name: &str, folder: &Path) -> anyhow::Result<()> {
    let file = folder.join(format!("{name}.1"));
    let page = page(command).and_then(|page| fs::write(&file, page));
    page.with_context(|| format!("{} can't be written", file.display()))
}
