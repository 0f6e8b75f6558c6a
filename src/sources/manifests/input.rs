//! What to read: files, folders, standard input.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::source::Origin;

/// The largest input, in bytes. A whole cluster's manifests are far below it.
const MAX_BYTES: u64 = 256 << 20;

/// One thing to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// A file, or a folder of `.yaml`, `.yml` and `.json` files, with subfolders except hidden ones.
    Path(PathBuf),
}

impl From<PathBuf> for Input {
    /// `-` is standard input.
    fn from(path: PathBuf) -> Self {
        if path.as_os_str() == "-" { Self::Stdin } else { Self::Path(path) }
    }
}

/// One file to read.
#[derive(Debug)]
pub(super) struct Found {
    /// None: standard input.
    pub(super) path: Option<PathBuf>,
    /// Whether it was found in a folder, where other files than manifests may be too.
    pub(super) in_folder: bool,
}

impl Found {
    pub(super) fn name(&self) -> String {
        self.path.as_ref().map_or_else(|| "stdin".to_owned(), |path| shown(path))
    }

    pub(super) fn origin(&self) -> Origin {
        Origin { name: self.name(), path: self.path.clone(), piped: self.path.is_none() }
    }

    pub(super) fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match &self.path {
            None => read_stream(io::stdin().lock().take(MAX_BYTES + 1), &mut bytes)?,
            Some(path) => drop(File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?),
        }
        if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_BYTES) {
            return Err(io::Error::other(format!("larger than {} MiB", MAX_BYTES >> 20)));
        }
        Ok(bytes)
    }
}

/// Reads a stream of unknown length. It is held until it is learnt, and wiped as a whole then: little room is left behind it.
fn read_stream(mut stream: impl Read, bytes: &mut Vec<u8>) -> io::Result<()> {
    const LEAST: usize = 1 << 20;
    loop {
        let room = LEAST.max(bytes.len() / 8);
        bytes.reserve_exact(room);
        let limit = u64::try_from(room).unwrap_or(u64::MAX);
        if stream.by_ref().take(limit).read_to_end(bytes)? < room {
            return Ok(());
        }
    }
}

/// The files of the inputs, each once, and what couldn't be read: its name, and why.
pub(super) fn find(inputs: &[Input]) -> (Vec<Found>, Vec<(String, String)>) {
    let mut files = Vec::new();
    let mut problems = Vec::new();
    let mut seen = HashSet::new();
    let mut stdin = false;
    for input in inputs {
        match input {
            Input::Stdin if stdin => {}
            Input::Stdin => {
                stdin = true;
                files.push(Found { path: None, in_folder: false });
            }
            Input::Path(path) if path.is_dir() => walk(path, &mut seen, &mut files, &mut problems),
            Input::Path(path) => match path.canonicalize() {
                Ok(real) => {
                    if seen.insert(real) {
                        files.push(Found { path: Some(path.clone()), in_folder: false });
                    }
                }
                Err(error) => problems.push((shown(path), why(&error))),
            },
        }
    }
    (files, problems)
}

fn walk(folder: &Path, seen: &mut HashSet<PathBuf>, files: &mut Vec<Found>, problems: &mut Vec<(String, String)>) {
    let entries = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
    for entry in entries.filter_entry(|entry| entry.depth() == 0 || !is_hidden_folder(entry)) {
        match entry {
            Ok(entry) if entry.file_type().is_file() && is_manifest(entry.path()) => {
                // A file that two links point to is one file.
                let real = entry.path().canonicalize().unwrap_or_else(|_| entry.path().to_owned());
                if seen.insert(real) {
                    files.push(Found { path: Some(entry.into_path()), in_folder: true });
                }
            }
            Ok(_) => {}
            // A link to a folder that contains it: its files are read anyway.
            Err(error) if error.loop_ancestor().is_some() => {}
            Err(error) => {
                let path = error.path().unwrap_or(folder);
                let dangling = path.is_symlink() && !is_manifest(path);
                if !dangling {
                    let why = error.io_error().map_or_else(|| error.to_string(), why);
                    problems.push((shown(path), why));
                }
            }
        }
    }
}

/// The path as given; without a leading `./`.
pub(super) fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

fn is_hidden_folder(entry: &DirEntry) -> bool {
    entry.file_type().is_dir() && entry.file_name().to_string_lossy().starts_with('.')
}

fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    matches!(extension.as_deref(), Some("yaml" | "yml" | "json"))
}

pub(super) fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => {
            "there is no such file or folder; a relative path starts in the current folder".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "it may not be read (permission denied); check its owner and permissions".to_owned()
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(root: &Path, inputs: &[Input]) -> (Vec<String>, usize) {
        let (files, problems) = find(inputs);
        let name =
            |file: &Found| file.path.as_ref().map(|path| path.strip_prefix(root).unwrap_or(path).display().to_string());
        (files.iter().filter_map(name).collect(), problems.len())
    }

    #[test]
    fn a_folder_is_read_with_its_folders_each_file_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        for path in ["b.yaml", "a.YML", "c.json", "d.txt", "sub/e.yaml", ".git/f.yaml", ".hidden.yaml"] {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            std::fs::write(path, "a: 1\n").expect("a file");
        }
        std::os::unix::fs::symlink(root, root.join("sub/loop")).expect("a link");
        std::os::unix::fs::symlink(root.join("b.yaml"), root.join("z.yaml")).expect("a link");
        std::os::unix::fs::symlink("/nowhere", root.join("dangling.yaml")).expect("a link");
        std::os::unix::fs::symlink("/nowhere", root.join(".#lock")).expect("a link");
        let input = Input::Path(root.to_owned());
        let again = Input::Path(root.join("c.json"));
        let (files, problems) = names(root, &[input, again, Input::Path(root.join("none.yaml"))]);
        assert_eq!(files, [".hidden.yaml", "a.YML", "b.yaml", "c.json", "sub/e.yaml"]);
        assert_eq!(problems, 2);
    }
}
