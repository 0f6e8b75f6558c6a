//! Log lines on their way out: gathered in memory, and written by a thread of their own.
//!
//! Whoever logs appends to a buffer and goes on: a review never waits for whoever reads the log. The thread writes what has gathered in a
//! moment with one call. One call for each line would cost more than all else that a line takes, as would waking the thread for each.
//! Where the reader hangs, the buffer fills up, and further lines are dropped and counted.

use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// How long lines gather before they are written.
const GATHERED: Duration = Duration::from_millis(20);
/// So many bytes are written at once.
const FULL: usize = 64 * 1024;
/// The most bytes that wait, while as many may be on their way.
const MOST: usize = 1024 * 1024;
/// How long the end waits for a reader that doesn't read.
const FAREWELL: Duration = Duration::from_secs(2);
/// The pause before a pipe that is full, and set not to block, is tried again.
const AGAIN: Duration = Duration::from_millis(10);

/// Where lines go. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Lines(Arc<Shared>);

/// How many lines were dropped. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Dropped(Arc<AtomicU64>);

/// Writes what is left when it is dropped.
#[derive(Debug)]
#[must_use = "lines that wait are lost without it"]
pub struct Flush(Lines);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// There is something to write.
    news: Condvar,
    /// The thread has ended.
    ended: Condvar,
    dropped: Dropped,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    /// Whether the thread sleeps until there is a line.
    idle: bool,
    ends: bool,
    has_ended: bool,
}

impl Dropped {
    /// Since the start.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self, lines: u64) {
        self.0.fetch_add(lines, Ordering::Relaxed);
    }
}

impl Lines {
    /// Starts the thread that writes to `out`.
    ///
    /// # Errors
    /// When there can be no further thread.
    pub(super) fn to(out: impl Write + Send + 'static) -> io::Result<(Self, Flush)> {
        let lines = Self(Arc::default());
        let shared = Arc::clone(&lines.0);
        thread::Builder::new().name("log".to_owned()).spawn(move || shared.write_to(out))?;
        let flush = Flush(lines.clone());
        Ok((lines, flush))
    }

    /// What counts the lines that were dropped.
    pub(super) fn dropped(&self) -> Dropped {
        self.0.dropped.clone()
    }

    /// Adds one line, or drops it where too many wait.
    fn add(&self, line: &[u8]) {
        let mut state = self.0.state();
        let (before, after) = (state.waiting.len(), state.waiting.len() + line.len());
        if after > MOST || state.has_ended {
            drop(state);
            self.0.dropped.add(1);
            return;
        }
        state.waiting.extend_from_slice(line);
        let is_news = std::mem::take(&mut state.idle) || (before < FULL && after >= FULL);
        drop(state);
        if is_news {
            self.0.news.notify_one();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_to(&self, mut out: impl Write) {
        let mut batch = Vec::new();
        while self.gather(&mut batch) {
            let unwritten = write(&mut out, &batch);
            if unwritten > 0 {
                self.dropped.add(unwritten);
            }
            batch.clear();
            batch.shrink_to(FULL);
        }
        self.state().has_ended = true;
        self.ended.notify_all();
    }

    /// Waits for lines, and a moment for more of them. False: it is over.
    fn gather(&self, batch: &mut Vec<u8>) -> bool {
        let mut state = self.state();
        while state.waiting.is_empty() {
            if state.ends {
                return false;
            }
            state.idle = true;
            state = self.news.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let is_little = |state: &mut State| !state.ends && state.waiting.len() < FULL;
        let waited = self.news.wait_timeout_while(state, GATHERED, is_little);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut state.waiting, batch);
        true
    }
}

/// Writes all of it; how many lines could not be written.
fn write(out: &mut impl Write, batch: &[u8]) -> u64 {
    let mut rest = batch;
    while !rest.is_empty() {
        match out.write(rest) {
            Ok(written) if written > 0 => rest = rest.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(AGAIN),
            // Nobody reads any more.
            Ok(_) | Err(_) => break,
        }
    }
    rest.iter().filter(|byte| **byte == b'\n').count() as u64
}

impl Drop for Flush {
    fn drop(&mut self) {
        let shared = &self.0.0;
        let mut state = shared.state();
        state.ends = true;
        shared.news.notify_one();
        drop(shared.ended.wait_timeout_while(state, FAREWELL, |state| !state.has_ended));
    }
}

/// Takes one line.
#[derive(Debug)]
pub(super) struct Line<'a>(&'a Lines);

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.add(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A reader that takes what is written when it is let.
    struct Slow {
        let_go: Receiver<()>,
        read: Sender<Vec<u8>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let gone = |_| io::Error::from(ErrorKind::BrokenPipe);
            self.let_go.recv().map_err(gone)?;
            self.read.send(bytes.to_vec()).map_err(|_| io::Error::from(ErrorKind::BrokenPipe))?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow() -> (Slow, Sender<()>, Receiver<Vec<u8>>) {
        let ((go, let_go), (read, reader)) = (channel(), channel());
        (Slow { let_go, read }, go, reader)
    }

    #[test]
    fn the_end_writes_what_waits() {
        let (out, go, reader) = slow();
        let (lines, flush) = Lines::to(out).expect("a thread");
        (0..9).for_each(|_| go.send(()).expect("it waits"));
        for number in 0..1_000 {
            lines.add(format!("{number}\n").as_bytes());
        }
        drop(flush);
        let read: Vec<u8> = reader.try_iter().flatten().collect();
        let expected: String = (0..1_000).map(|number| format!("{number}\n")).collect();
        assert_eq!(String::from_utf8(read).expect("text"), expected);
        assert_eq!(lines.dropped().count(), 0);
        lines.add(b"late\n");
        assert_eq!(lines.dropped().count(), 1, "nobody writes it");
    }

    #[test]
    fn a_reader_that_hangs_blocks_nobody_and_what_it_misses_is_counted() {
        let (out, go, reader) = slow();
        let (lines, flush) = Lines::to(out).expect("a thread");
        let line = [&[b'x'; 1023][..], b"\n"].concat();
        let sent = 4 * MOST / line.len();
        (0..sent).for_each(|_| lines.add(&line));
        let dropped = usize::try_from(lines.dropped().count()).expect("few");
        let most = 2 * MOST / line.len();
        assert!(dropped >= sent - most && dropped < sent, "{dropped} of {sent}");
        (0..99).for_each(|_| go.send(()).expect("it waits"));
        drop(flush);
        let read: usize = reader.try_iter().map(|bytes| bytes.len()).sum();
        assert_eq!(read, (sent - dropped) * line.len(), "all others are there");
    }

    #[test]
    fn lines_for_a_reader_that_has_gone_are_counted() {
        let (out, go, _) = slow();
        drop(go);
        let (lines, flush) = Lines::to(out).expect("a thread");
        (0..3).for_each(|_| lines.add(b"x\n"));
        drop(flush);
        assert_eq!(lines.dropped().count(), 3);
    }
}
