//! The files with what was recorded, and the versions of the parts that it was recorded with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What was recorded, and with which versions.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record<T> {
    /// Of each part.
    pub(crate) versions: BTreeMap<String, String>,
    pub(crate) cases: T,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The versions that `scripts/parts` fetches and builds now.
pub(crate) fn versions() -> BTreeMap<String, String> {
    let parts = root().join("scripts/parts.d");
    let read = |name: &str| std::fs::read_to_string(parts.join(name)).expect("the version of a part");
    let module = read("envoy-gateway/go.mod");
    let gateway = module.lines().find_map(|line| line.trim().strip_prefix("github.com/envoyproxy/gateway "));
    let gateway = gateway.and_then(|rest| rest.split_whitespace().next()).expect("the version of Envoy Gateway");
    [("envoy-gateway", gateway), ("envoy", read("envoy").trim())]
        .into_iter()
        .map(|(part, version)| (part.to_owned(), version.to_owned()))
        .collect()
}

/// A record. Fails if a part has another version by now: the record may not be true of it.
pub(crate) fn read<T: DeserializeOwned>(name: &str) -> Record<T> {
    let text =
        std::fs::read_to_string(root().join("tests/gateway").join(name)).expect("a record: scripts/test gateway");
    let record: Record<T> = serde_json::from_str(&text).expect("a record");
    assert_eq!(record.versions, versions(), "{name} is of other versions; record anew: scripts/test gateway");
    record
}

/// Whether a case is recorded now: if `MESHVET_CASES` is set, only cases whose names contain one of its parts.
pub(crate) fn is_wanted(case: &str) -> bool {
    std::env::var("MESHVET_CASES").ok().is_none_or(|part| part.split(',').any(|part| case.contains(part)))
}

/// Writes a record. Cases that aren't recorded now stay unchanged.
pub(crate) fn write<T: Serialize + DeserializeOwned>(name: &str, mut cases: BTreeMap<String, T>) {
    if std::env::var_os("MESHVET_CASES").is_some() {
        let known: Record<BTreeMap<String, T>> = read(name);
        cases.extend(known.cases.into_iter().filter(|(case, _)| !is_wanted(case)));
    }
    let text = serde_json::to_string_pretty(&Record { versions: versions(), cases }).expect("JSON");
    std::fs::write(root().join("tests/gateway").join(name), text + "\n").expect("a file");
}

/// The path of a part, which is fetched or built if it doesn't exist.
pub(crate) fn part(name: &str) -> PathBuf {
    let script = root().join("scripts/parts");
    let output = Command::new(script).arg(name).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.expect("scripts/parts runs");
    assert!(output.status.success(), "scripts/parts {name} failed; what it said stands above");
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

/// The result of `act` for each, in order, computed on all cores.
pub(crate) fn in_parallel<T: Sync, R: Send>(all: &[T], act: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let done = std::sync::Mutex::new(Vec::with_capacity(all.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((place, one)) = at(all, &next) {
                    let result = act(one);
                    done.lock().expect("no thread panicked").push((place, result));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no thread panicked");
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

fn at<'a, T>(all: &'a [T], next: &std::sync::atomic::AtomicUsize) -> Option<(usize, &'a T)> {
    let place = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    Some((place, all.get(place)?))
}
