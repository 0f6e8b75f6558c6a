//! How far meshvet is, for people who wait: on the standard error, and only where that is a terminal.

use std::io::{self, IsTerminal};
use std::time::Duration;

use clap::ColorChoice;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Fewer are read before anyone could look.
const FEW: usize = 20;

/// A line that says how far reading is.
pub(super) struct Progress {
    what: &'static str,
    wanted: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Nothing is shown yet, and nothing ever where nobody looks or the terminal takes no escape sequences.
    pub(super) fn new(what: &'static str, color: ColorChoice) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let wanted = io::stderr().is_terminal() && !dumb && color != ColorChoice::Never;
        Self { what, wanted, bar: None }
    }

    /// So many of so many are done.
    pub(super) fn tell(&mut self, done: usize, all: usize) {
        if !self.wanted || all < FEW {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} files, {eta} left") {
                bar.set_style(style);
            }
            bar.set_prefix(self.what);
            bar.enable_steady_tick(Duration::from_millis(200));
            bar.tick();
            bar
        });
        bar.set_length(u64::try_from(all).unwrap_or(u64::MAX));
        bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
    }

    /// Wipes the line: what was found takes its place.
    pub(super) fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
