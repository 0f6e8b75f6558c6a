//! How far meshvet is, for people who wait: on the standard error, and only where that is a terminal.

use std::io::{self, IsTerminal};
use std::time::Duration;

use clap::ColorChoice;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Fewer files are read before anyone could look.
const FEW_FILES: usize = 20;

/// A line that shows how far reading is. Whatever else is printed waits until it is cleared.
pub(super) struct Progress {
    bar: ProgressBar,
    /// Fewer than these are not worth a line.
    fewest: usize,
}

impl Progress {
    /// Files, of which there may be few: the line comes with the first [`Progress::at`].
    pub(super) fn of_files(color: ColorChoice) -> Self {
        let template = "reading {bar:30} {pos}/{len} files, {eta} left";
        Self::new(template, FEW_FILES, color != ColorChoice::Never)
    }

    /// A cluster's objects: nobody knows how many there are, so the line begins at once.
    pub(super) fn of_cluster() -> Self {
        let progress = Self::new("{spinner} reading the cluster: {msg}", 0, true);
        progress.bar.enable_steady_tick(Duration::from_millis(120));
        progress
    }

    /// The proxies that are read, when there are several.
    pub(super) fn of_proxies(all: usize) -> Self {
        let progress = Self::new("{pos} of {len} proxies read", 2, true);
        progress.at(0, all);
        progress
    }

    /// Nothing is shown yet, and nothing ever where nobody looks or the terminal takes no escape sequences.
    fn new(template: &str, fewest: usize, wanted: bool) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let shown = wanted && !dumb && io::stderr().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, fewest }
    }

    /// So many of so many are done.
    pub(super) fn at(&self, done: usize, all: usize) {
        if all < self.fewest || self.bar.is_hidden() {
            return;
        }
        let first = self.bar.length().is_none();
        self.bar.set_length(u64::try_from(all).unwrap_or(u64::MAX));
        self.bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
        if first {
            self.bar.enable_steady_tick(Duration::from_millis(200));
            self.bar.tick();
        }
    }

    /// What is being done.
    pub(super) fn say(&self, text: String) {
        self.bar.set_message(text);
    }

    /// Wipes the line: what was found takes its place.
    pub(super) fn clear(&self) {
        // Draws are limited in number: the last state is drawn at all events. A line that was never begun stays so.
        if self.bar.length().is_some() {
            self.bar.abandon();
        }
        self.bar.finish_and_clear();
    }
}
