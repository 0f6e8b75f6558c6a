//! From a path in a proxy's container to the key of the Secret behind it.

use std::borrow::Cow;

use crate::mesh::store::{StoreKey, StoreKind};

/// One mounted volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where it is mounted, cleaned: absolute, no empty or `.` segment, no final slash.
    pub at: String,
    /// The one entry of the volume that is mounted there instead of the whole (`subPath`), cleaned and relative.
    pub sub_path: Option<String>,
    /// What the volume holds.
    pub volume: Volume,
    /// Other files of the volume that meshvet can't read, such as a bundle that the API server projects.
    pub hidden: Vec<Hidden>,
}

/// A file of a volume that meshvet can't read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// The kind of its source.
    pub kind: String,
    /// The volume's name.
    pub volume: String,
    /// Its relative path, cleaned.
    pub path: String,
}

/// What a volume holds, as far as is known without a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Volume {
    /// Files from the keys of stores: later parts win, as in a projected volume.
    Files(Vec<Part>),
    /// A volume that meshvet can't read, such as `csi`, `hostPath` or `emptyDir`.
    Opaque {
        /// The volume source's field name.
        kind: String,
        /// The volume's name.
        name: String,
    },
    /// The pod has no volume with this name: it could never start.
    Missing {
        /// The name referred to.
        name: String,
    },
}

/// One store inside a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The store; shared with every place found in it.
    pub store: StoreKey,
    /// Which keys become which relative paths; None: every key under its own name.
    pub items: Option<Vec<(String, String)>>,
    /// Whether the pod starts without it.
    pub optional: bool,
}

/// The file system of one proxy, as its mounts make it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mounts {
    /// Longest path first, so that the first match is the one the kernel would take.
    list: Vec<Mount>,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Located<'a> {
    /// The keys of stores that would become that file; the last one that exists wins.
    Keys(Vec<(&'a Part, String)>),
    /// A mount covers the path, and no key can become that file: `items` leaves it out, or the path is a folder.
    NoSuchFile {
        /// The mount that covers it.
        mount: &'a Mount,
        /// The relative paths that `items` would make.
        offered: Vec<&'a str>,
        /// The one of them that the key with the file's name becomes.
        renamed: Option<&'a str>,
    },
    /// Covered by a volume that meshvet can't read.
    Opaque {
        /// The volume source's field name.
        kind: &'a str,
        /// The volume's name.
        name: &'a str,
    },
    /// Covered by a mount of a volume that the pod doesn't have.
    VolumeMissing {
        /// The name referred to.
        name: &'a str,
    },
    /// Nothing is mounted there.
    NotMounted,
}

/// Cleans an absolute path as the kernel would walk it: `//certs/./tls.crt/` becomes `/certs/tls.crt`.
///
/// `..` is resolved too. A path without a leading slash is taken from the root, where Envoy's container starts.
pub fn clean_path(path: &str) -> String {
    cleaned(path).into_owned()
}

/// The same; most paths are clean already.
fn cleaned(path: &str) -> Cow<'_, str> {
    let is_clean = |segment: &str| !matches!(segment, "" | "." | "..");
    if path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_clean)) {
        return Cow::Borrowed(path);
    }
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    Cow::Owned(format!("/{}", segments.join("/")))
}

/// The rest of `path` below `prefix`, both cleaned: by whole segments, so that `/certs` doesn't cover `/certs2`.
fn below<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    if prefix == "/" {
        return path.strip_prefix('/');
    }
    let rest = path.strip_prefix(prefix)?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
}

impl Mounts {
    /// Sorts the mounts; of two at one path the later wins, as it hides the earlier one.
    pub fn new(mut list: Vec<Mount>) -> Self {
        list.reverse();
        list.sort_by_key(|mount| std::cmp::Reverse(mount.at.len()));
        Self { list }
    }

    /// All mounts, longest path first.
    pub fn iter(&self) -> impl Iterator<Item = &Mount> {
        self.list.iter()
    }

    /// What is at `path`, cleaned or not.
    pub(crate) fn locate(&self, path: &str) -> Located<'_> {
        let path = cleaned(path);
        let Some((mount, rest)) = self.list.iter().find_map(|mount| Some((mount, below(&path, &mount.at)?))) else {
            return Located::NotMounted;
        };
        match &mount.volume {
            Volume::Opaque { kind, name } => Located::Opaque { kind, name },
            Volume::Missing { name } => Located::VolumeMissing { name },
            Volume::Files(parts) => {
                let inside = match (&mount.sub_path, rest) {
                    (None, rest) => Cow::Borrowed(rest),
                    (Some(sub), "") => Cow::Borrowed(sub.as_str()),
                    (Some(sub), rest) => Cow::Owned(format!("{sub}/{rest}")),
                };
                if let Some(Hidden { kind, volume, .. }) = mount.hidden.iter().find(|hidden| hidden.path == inside) {
                    return Located::Opaque { kind, name: volume };
                }
                let keys: Vec<_> = parts.iter().filter_map(|part| Some((part, part.key_of(&inside)?))).collect();
                if keys.is_empty() {
                    let offered = parts
                        .iter()
                        .flat_map(|part| part.items.iter().flatten())
                        .map(|(_, path)| path.as_str())
                        .collect();
                    let items = || parts.iter().flat_map(|part| part.items.iter().flatten());
                    let renamed = items().find(|(key, _)| *key == inside).map(|(_, path)| path.as_str());
                    return Located::NoSuchFile { mount, offered, renamed };
                }
                Located::Keys(keys)
            }
        }
    }
}

impl Part {
    /// The key that would become the file `inside`, whether or not the store has it.
    fn key_of(&self, inside: &str) -> Option<String> {
        if inside.is_empty() {
            return None;
        }
        match &self.items {
            Some(items) => items.iter().rev().find(|(_, path)| path == inside).map(|(key, _)| key.clone()),
            // Keys of Secrets and ConfigMaps have no slash; those of a folder are relative paths.
            None if self.store.kind == StoreKind::Folder || !inside.contains('/') => Some(inside.to_owned()),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(at: &str, name: &str) -> Mount {
        Mount { at: clean_path(at), sub_path: None, volume: Volume::Files(vec![part(name, None)]), hidden: Vec::new() }
    }

    fn part(name: &str, items: Option<&[(&str, &str)]>) -> Part {
        let items = items.map(|list| list.iter().map(|(k, p)| ((*k).to_owned(), (*p).to_owned())).collect());
        Part { store: StoreKey::secret("shop", name), items, optional: false }
    }

    #[track_caller]
    fn finds(mounts: &Mounts, path: &str, store: &str, key: &str) {
        match mounts.locate(path) {
            Located::Keys(keys) => {
                let (part, found) = keys.last().expect("a key");
                assert_eq!((part.store.name.as_str(), found.as_str()), (store, key), "{path}");
            }
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn paths_are_cleaned_as_the_kernel_walks_them() {
        for (raw, clean) in [
            ("/certs/", "/certs"),
            ("//certs//tls.crt", "/certs/tls.crt"),
            ("/certs/./a/../tls.crt", "/certs/tls.crt"),
            ("/..", "/"),
            ("certs", "/certs"),
            ("", "/"),
        ] {
            assert_eq!(clean_path(raw), clean, "{raw}");
        }
    }

    #[test]
    fn the_longest_mount_path_wins_by_whole_segments() {
        let mounts = Mounts::new(vec![secret("/certs/", "outer"), secret("/certs/blue", "inner")]);
        finds(&mounts, "/certs/tls.crt", "outer", "tls.crt");
        finds(&mounts, "/certs//blue/tls.crt", "inner", "tls.crt");
        assert_eq!(mounts.locate("/certs2/tls.crt"), Located::NotMounted);
        assert!(matches!(mounts.locate("/certs/green/tls.crt"), Located::NoSuchFile { .. }));
        assert!(matches!(mounts.locate("/certs"), Located::NoSuchFile { .. }));
    }

    #[test]
    fn of_two_mounts_at_one_path_the_later_wins() {
        let mounts = Mounts::new(vec![secret("/certs", "first"), secret("/certs/", "second")]);
        finds(&mounts, "/certs/tls.crt", "second", "tls.crt");
    }

    #[test]
    fn items_rename_keys_and_leave_the_others_out() {
        let mounts = Mounts::new(vec![Mount {
            at: "/certs".to_owned(),
            sub_path: None,
            volume: Volume::Files(vec![part("blue", Some(&[("tls.crt", "pem/chain.pem")]))]),
            hidden: Vec::new(),
        }]);
        finds(&mounts, "/certs/pem/chain.pem", "blue", "tls.crt");
        match mounts.locate("/certs/tls.crt") {
            Located::NoSuchFile { offered, .. } => assert_eq!(offered, ["pem/chain.pem"]),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_sub_path_mounts_one_file() {
        let mounts = Mounts::new(vec![Mount {
            at: "/etc/tls.pem".to_owned(),
            sub_path: Some("tls.crt".to_owned()),
            volume: Volume::Files(vec![part("blue", None)]),
            hidden: Vec::new(),
        }]);
        finds(&mounts, "/etc/tls.pem", "blue", "tls.crt");
        assert!(matches!(mounts.locate("/etc/tls.pem/x"), Located::NoSuchFile { .. }));
    }

    #[test]
    fn later_parts_of_a_projected_volume_win() {
        let mounts = Mounts::new(vec![Mount {
            at: "/certs".to_owned(),
            sub_path: None,
            volume: Volume::Files(vec![part("one", None), part("two", None)]),
            hidden: Vec::new(),
        }]);
        finds(&mounts, "/certs/tls.crt", "two", "tls.crt");
    }

    #[test]
    fn a_mount_at_the_root_covers_everything() {
        let mounts = Mounts::new(vec![secret("/", "all")]);
        finds(&mounts, "/tls.crt", "all", "tls.crt");
    }
}
