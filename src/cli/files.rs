//! `--files`: local folders that stand in for mounts.

use std::fs;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context, bail};
use walkdir::WalkDir;

use crate::apis::{self, core::store_of_files};
use crate::mesh::{Fact, LocalMount, Store, StoreKey, StoreKind};
use crate::sources::manifests::Manifests;

/// More than this is no folder of certificates.
const MAX_FILES: usize = 1000;
const MAX_BYTES: u64 = 8 << 20;

/// `[NAMESPACE/NODE:]/PATH=FOLDER`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FilesArg {
    member: Option<(String, String)>,
    at: String,
    folder: PathBuf,
}

impl FromStr for FilesArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shape = |why: &str| {
            format!("{why}; write /certs=./folder for all proxies, or shop/blue:/certs=./folder for those of one node")
        };
        let (left, folder) = text.split_once('=').ok_or_else(|| shape("there is no `=FOLDER`"))?;
        if folder.is_empty() {
            return Err(shape("the folder is missing"));
        }
        let (member, at) = if left.starts_with('/') {
            (None, left)
        } else {
            let (member, at) = left.split_once(':').ok_or_else(|| shape("the mount path must start with `/`"))?;
            match member.split_once('/') {
                Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
                    (Some((namespace.to_owned(), name.to_owned())), at)
                }
                _ => return Err(shape("expected NAMESPACE/NODE before the `:`")),
            }
        };
        if !at.starts_with('/') {
            return Err(shape("the mount path must start with `/`"));
        }
        Ok(Self { member, at: at.to_owned(), folder: PathBuf::from(folder) })
    }
}

impl FilesArg {
    /// Reads the folder's files, with those of its folders. Hidden folders are left out: a mounted Secret's own links
    /// lead into one.
    fn read(&self) -> anyhow::Result<(LocalMount, StoreKey, Arc<Store>)> {
        let folder = self.folder.display();
        let known =
            fs::metadata(&self.folder).with_context(|| format!("--files: the folder {folder} can't be read"))?;
        if !known.is_dir() {
            bail!("--files: {folder} is a file; give the folder that it is in");
        }
        let mut files = Vec::new();
        let entries = WalkDir::new(&self.folder).follow_links(true).sort_by_file_name().into_iter();
        let hidden = |entry: &walkdir::DirEntry| {
            entry.depth() > 0 && entry.file_type().is_dir() && entry.file_name().to_string_lossy().starts_with('.')
        };
        for entry in entries.filter_entry(|entry| !hidden(entry)) {
            let entry = match entry {
                Err(error) if error.loop_ancestor().is_some() => continue,
                entry => entry.with_context(|| format!("--files: the folder {folder} can't be read"))?,
            };
            if !entry.file_type().is_file() {
                continue;
            }
            let path = entry.path();
            if files.len() >= MAX_FILES {
                bail!("--files: {folder} has more than {MAX_FILES} files; give a folder with the certificates only");
            }
            if fs::metadata(path).is_ok_and(|known| known.len() > MAX_BYTES) {
                bail!(
                    "--files: {} is larger than {} MiB, too large for a certificate",
                    path.display(),
                    MAX_BYTES >> 20
                );
            }
            let bytes = fs::read(path).with_context(|| format!("--files: {} can't be read", path.display()))?;
            let name = path.strip_prefix(&self.folder).unwrap_or(path).to_string_lossy().into_owned();
            files.push((name, bytes));
        }
        let key = StoreKey::new(StoreKind::Folder, "", &folder.to_string());
        let mount = LocalMount { member: self.member.clone(), at: self.at.clone(), store: key.clone() };
        Ok((mount, key, Arc::new(store_of_files(files))))
    }
}

/// Lets the folders stand in for mounts.
pub(super) fn mount(all: &[FilesArg], manifests: &mut Manifests) -> anyhow::Result<()> {
    for (mount, key, store) in all.iter().map(FilesArg::read).collect::<anyhow::Result<Vec<_>>>()? {
        if let Some(note) = unused(manifests, &mount.member) {
            manifests.notes.push(note);
        }
        manifests.world.learn(Fact::Store(key, store));
        manifests.world.mount_folder(mount);
    }
    Ok(())
}

/// What to say of `--files` for a member that isn't there.
fn unused(manifests: &Manifests, member: &Option<(String, String)>) -> Option<String> {
    let (namespace, name) = member.as_ref()?;
    let known = manifests.world.members().any(|it| it.object.namespace() == namespace && it.object.name == *name);
    (!known).then(|| {
        format!("--files {namespace}/{name}: the manifests have no {} of that name", apis::words(|names| names.member))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, member: Option<(&str, &str)>, at: &str, folder: &str) {
        let read: FilesArg = text.parse().expect("a mount");
        let member = member.map(|(namespace, name)| (namespace.to_owned(), name.to_owned()));
        assert_eq!(read, FilesArg { member, at: at.to_owned(), folder: PathBuf::from(folder) });
    }

    #[track_caller]
    fn refuses(text: &str, words: &str) {
        let error = text.parse::<FilesArg>().expect_err("an error");
        assert!(error.contains(words) && error.contains("/certs=./folder"), "{text}: {error}");
    }

    #[test]
    fn a_mount_is_for_all_or_for_one_node() {
        reads("/certs=./dir", None, "/certs", "./dir");
        reads("shop/blue:/certs=a=b", Some(("shop", "blue")), "/certs", "a=b");
        refuses("/certs", "no `=FOLDER`");
        refuses("/certs=", "folder is missing");
        refuses("certs=./dir", "start with `/`");
        refuses("blue:/certs=./dir", "NAMESPACE/NODE");
        refuses("shop/blue:certs=./dir", "start with `/`");
        refuses("a/b/c:/certs=./dir", "NAMESPACE/NODE");
    }
}
