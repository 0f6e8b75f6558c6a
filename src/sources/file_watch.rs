//! Notices changes of mounted files.
//!
//! The kubelet updates a volume by swapping its `..data` link, which a watch on the file itself misses. So the folder is
//! watched, and polled as well, because not every file system reports changes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// The polling interval.
const POLL: Duration = Duration::from_secs(10);
/// The events of one change arrive within this time.
const SETTLE: Duration = Duration::from_millis(50);

/// Watches files until it is dropped.
#[derive(Debug)]
pub struct FileWatch {
    task: JoinHandle<()>,
    _watcher: Option<RecommendedWatcher>,
}

impl FileWatch {
    /// Calls `look` soon after something changes in the folder of one of the files, and every ten seconds. `look` may be called
    /// without a change, so it has to compare.
    ///
    /// Must be called within a tokio runtime.
    pub fn new(files: &[&Path], look: impl FnMut() + Send + 'static) -> Self {
        Self::with_poll(files, POLL, look)
    }

    fn with_poll(files: &[&Path], poll: Duration, mut look: impl FnMut() + Send + 'static) -> Self {
        let changed = Arc::new(Notify::new());
        let watcher = watch_folders(files, Arc::clone(&changed))
            .inspect_err(|error| tracing::warn!(%error, "files can't be watched; checking them every {poll:?} instead"))
            .ok();
        let task = tokio::spawn(async move {
            loop {
                if tokio::time::timeout(poll, changed.notified()).await.is_ok() {
                    tokio::time::sleep(SETTLE).await;
                }
                look();
            }
        });
        Self { task, _watcher: watcher }
    }
}

impl Drop for FileWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn watch_folders(files: &[&Path], changed: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading the files is an event too, but not a change.
        if event.is_ok_and(|event| event.kind.is_access()) {
            return;
        }
        changed.notify_one();
    })?;
    let folders: BTreeSet<PathBuf> = files.iter().map(|file| folder(file)).collect();
    for folder in folders {
        watcher.watch(&folder, RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

fn folder(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tokio::sync::mpsc;

    use super::*;

    /// Never elapses in a test.
    const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

    fn watched(file: &Path, poll: Duration) -> (FileWatch, mpsc::UnboundedReceiver<String>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let path = file.to_owned();
        let look = move || drop(sender.send(std::fs::read_to_string(&path).unwrap_or_default()));
        (FileWatch::with_poll(&[file], poll, look), receiver)
    }

    async fn sees(receiver: &mut mpsc::UnboundedReceiver<String>, wanted: &str) {
        let seen = async { while receiver.recv().await.expect("the watch lives") != wanted {} };
        tokio::time::timeout(Duration::from_secs(60), seen).await.expect("the change is seen");
    }

    #[tokio::test]
    async fn a_swapped_link_is_seen_again_and_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let swap = |content: &str| {
            std::fs::create_dir(at(content)).expect("a folder");
            std::fs::write(at(content).join("file"), content).expect("a file");
            symlink(content, at("..data_tmp")).expect("a link");
            std::fs::rename(at("..data_tmp"), at("..data")).expect("a swap");
        };
        swap("one");
        symlink("..data/file", at("file")).expect("a link");
        let (_watch, mut receiver) = watched(&at("file"), NEVER);
        for content in ["two", "three"] {
            swap(content);
            sees(&mut receiver, content).await;
        }
    }

    #[tokio::test]
    async fn a_folder_that_cant_be_watched_is_looked_at() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("later/file");
        let (_watch, mut receiver) = watched(&file, Duration::from_millis(20));
        std::fs::create_dir(folder.path().join("later")).expect("a folder");
        std::fs::write(&file, "there").expect("a file");
        sees(&mut receiver, "there").await;
    }
}
