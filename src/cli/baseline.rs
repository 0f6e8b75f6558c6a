//! `--baseline` and `--update-baseline`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::survey::Report;
use crate::survey::baseline::Baseline;
use crate::text::plural;

/// Which findings are old.
#[derive(Debug, clap::Args)]
pub(super) struct BaselineArgs {
    /// Report only findings that aren't in this file; those that are in it are counted separately.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Write the current findings to the baseline. The exit code is then 0.
    #[arg(long, requires = "baseline")]
    update_baseline: bool,
}

impl BaselineArgs {
    /// Whether the baseline is to be written anew.
    pub(super) fn is_updated(&self) -> bool {
        self.update_baseline
    }

    /// Sets apart what the baseline knows; whether the baseline was written anew.
    ///
    /// # Errors
    /// When the file can't be read, is no baseline or can't be written; and for an update where not everything could be read.
    pub(super) fn apply(&self, report: &mut Report) -> anyhow::Result<bool> {
        let Some(file) = &self.baseline else { return Ok(false) };
        if self.update_baseline {
            if let Some(error) = report.errors.first() {
                bail!(
                    "the baseline {} was not written: {} can't be read ({})\n\
                     fix that first, or its findings would be missing from the baseline",
                    file.display(),
                    error.file,
                    error.message
                );
            }
            let now = Baseline::of(report);
            write(file, &now)?;
            now.apply(report);
            let findings = plural(now.len(), "finding");
            super::tell(&format!("note: the baseline {} now has {findings}", file.display()));
            return Ok(true);
        }
        read(file)?.apply(report);
        Ok(false)
    }
}

fn read(file: &Path) -> anyhow::Result<Baseline> {
    let shown = file.display();
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("the baseline {shown} can't be read (--update-baseline writes it)"))?;
    Baseline::parse(&text).with_context(|| {
        format!("the baseline {shown} can't be used: restore it from version control, or write a new one with --update-baseline")
    })
}

/// Puts the whole file in place at once: a baseline that ends halfway would be worse than none.
fn write(file: &Path, baseline: &Baseline) -> anyhow::Result<()> {
    let shown = file.display();
    let text = baseline.text().with_context(|| format!("the baseline {shown} could not be written as JSON"))?;
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    let put = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, file));
    put.with_context(|| format!("the baseline {shown} can't be written; check that its folder exists and is writable"))
}
