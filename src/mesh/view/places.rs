//! From what an end refers to, to the contents.

use std::sync::Arc;

use crate::mesh::end::{FileRef, KeyRef};
use crate::mesh::member::Member;
use crate::mesh::mounts::{Located, Mounts, Part, Volume};
use crate::mesh::promise::PromisedStore;
use crate::mesh::state::{StoreState, Unread};
use crate::mesh::store::StoreKey;
use crate::mesh::view::View;
use crate::mesh::workload::{Proxy, Workload};
use crate::pki::{Bundle, Certificate, Chain, FileFacts};

/// What is at a path of one workload's proxy.
#[derive(Clone, Debug)]
pub enum Place {
    /// A file, and what it holds.
    File {
        /// The store it comes from.
        store: StoreKey,
        /// The key in it.
        key: String,
        /// What it holds.
        facts: Arc<FileFacts>,
    },
    /// Unknown: there is no workload, and no folder was given for the path.
    Unknown,
    /// The object gives no path: rejecting that is up to its API.
    NotGiven,
    /// A file of the proxy's own image, such as its distribution's CAs: it exists, and isn't read.
    ProxyImage,
    /// Nothing is mounted at the path.
    NotMounted {
        /// The mounted path that was probably intended.
        nearest: Option<String>,
    },
    /// Mounted from something that meshvet can't read.
    Opaque {
        /// The volume source's field name.
        kind: String,
        /// The volume's name.
        name: String,
    },
    /// Mounted from a volume that the pod doesn't have.
    VolumeMissing {
        /// The name referred to.
        name: String,
    },
    /// The store doesn't exist yet, and a known object will create it.
    StorePromised {
        /// The store.
        store: StoreKey,
        /// The key that would be the file.
        key: String,
        /// What is known of it beforehand.
        promise: Arc<PromisedStore>,
    },
    /// The store doesn't exist, or has no key yet.
    StoreMissing {
        /// The store.
        store: StoreKey,
        /// Whether it exists, but is empty.
        empty: bool,
    },
    /// The store was not read.
    StoreUnread {
        /// The store.
        store: StoreKey,
        /// Why.
        why: Unread,
    },
    /// The store has keys, but none becomes this file.
    KeyMissing {
        /// The store, where it is one.
        store: Option<StoreKey>,
        /// The key that would be it; the file name where `items` makes none.
        key: String,
        /// What there is instead.
        offered: Vec<String>,
        /// What was probably intended.
        nearest: Option<String>,
        /// Whether the volume's `items` decide which files exist.
        by_items: bool,
        /// Whether `items` give the key with this name another path, which is then `nearest`.
        renamed: bool,
    },
    /// A certificate of AWS Certificate Manager.
    Acm {
        /// The certificate itself, where it is known.
        leaf: Option<Arc<Certificate>>,
        /// The chain with its issuing authorities, where these are known too.
        chain: Option<Arc<Chain>>,
    },
    /// Authorities of AWS Private CA, as a bundle where all of them are known.
    Authorities(Option<Arc<Bundle>>),
}

impl Place {
    /// The store that this answer was read from.
    pub fn store(&self) -> Option<&StoreKey> {
        match self {
            Place::File { store, .. }
            | Place::StorePromised { store, .. }
            | Place::StoreMissing { store, .. }
            | Place::StoreUnread { store, .. } => Some(store),
            Place::KeyMissing { store, .. } => store.as_ref(),
            Place::Unknown
            | Place::NotGiven
            | Place::ProxyImage
            | Place::NotMounted { .. }
            | Place::Opaque { .. }
            | Place::VolumeMissing { .. }
            | Place::Acm { .. }
            | Place::Authorities(_) => None,
        }
    }
}

impl View<'_> {
    /// What is at a file's path: in a local folder given for it, else in the workload's mounts, else in the proxy's image.
    pub fn place(&self, member: &Member, workload: Option<&Workload>, file: &FileRef) -> Place {
        if file.path.is_empty() {
            return Place::NotGiven;
        }
        for folder in self.world.folders_for(&member.object) {
            let located = folder.locate(&file.path);
            if located != Located::NotMounted {
                return self.read(located, folder, &file.path);
            }
        }
        let Some(Proxy { mounts, .. }) = workload.and_then(|workload| workload.proxy(member.api)) else {
            return if self.settings.is_in_image(&file.path) { Place::ProxyImage } else { Place::Unknown };
        };
        match mounts.locate(&file.path) {
            Located::NotMounted if self.settings.is_in_image(&file.path) => Place::ProxyImage,
            located => self.read(located, mounts, &file.path),
        }
    }

    /// What is in a key that an end refers to directly.
    pub(crate) fn key_place(&self, key: &KeyRef) -> Place {
        let part = Part { store: key.store.clone(), items: None, optional: false };
        self.read_keys(&[(&part, key.key.clone())])
    }

    fn read(&self, located: Located<'_>, mounts: &Mounts, path: &str) -> Place {
        match located {
            Located::Keys(keys) => self.read_keys(&keys),
            Located::Opaque { kind, name } => Place::Opaque { kind: kind.to_owned(), name: name.to_owned() },
            Located::VolumeMissing { name } => Place::VolumeMissing { name: name.to_owned() },
            Located::NotMounted => Place::NotMounted { nearest: nearest_path(mounts, path) },
            Located::NoSuchFile { mount, offered, renamed } => {
                let name = path.rsplit('/').find(|segment| !segment.is_empty()).unwrap_or(path).to_owned();
                let offered: Vec<String> = offered.into_iter().map(str::to_owned).collect();
                let store = match &mount.volume {
                    Volume::Files(parts) => parts.first().map(|part| part.store.clone()),
                    _ => None,
                };
                // The key's own file is what was intended, whatever its path.
                let near = renamed.map(str::to_owned).or_else(|| nearest(&name, &offered));
                let by_items = !offered.is_empty();
                Place::KeyMissing { store, nearest: near, key: name, offered, by_items, renamed: renamed.is_some() }
            }
        }
    }

    /// The last key that exists; if none does, why the last one doesn't.
    fn read_keys(&self, keys: &[(&Part, String)]) -> Place {
        let mut why = None;
        for (part, key) in keys.iter().rev() {
            let store = part.store.clone();
            match self.store(&part.store) {
                StoreState::Present(present) => match present.files.get(key) {
                    Some(facts) => return Place::File { store, key: key.clone(), facts: Arc::clone(facts) },
                    None if let Some(promise) = self.filled_in_later(&part.store, &present) => {
                        let may_hold = promise.may_hold(key);
                        let promised = Place::StorePromised { store, key: key.clone(), promise };
                        if may_hold {
                            return promised;
                        }
                        why.get_or_insert(promised);
                    }
                    None if present.files.is_empty() => {
                        why.get_or_insert(Place::StoreMissing { store, empty: true });
                    }
                    None => {
                        let offered: Vec<String> = present.files.keys().map(str::to_owned).collect();
                        let nearest = nearest(key, &offered);
                        let (store, key) = (Some(store), key.clone());
                        let missing =
                            Place::KeyMissing { store, key, offered, nearest, by_items: false, renamed: false };
                        why.get_or_insert(missing);
                    }
                },
                StoreState::Absent => {
                    why.get_or_insert(Place::StoreMissing { store, empty: false });
                }
                StoreState::Promised(promise) => {
                    let may_hold = promise.may_hold(key);
                    let promised = Place::StorePromised { store, key: key.clone(), promise };
                    // The file may still be created: what is mounted beneath doesn't count then.
                    if may_hold {
                        return promised;
                    }
                    why.get_or_insert(promised);
                }
                // It may hold the file: what is mounted beneath doesn't count then.
                StoreState::Unread(reason) => return Place::StoreUnread { store, why: reason },
            }
        }
        why.unwrap_or(Place::NotMounted { nearest: None })
    }
}

fn nearest(name: &str, offered: &[String]) -> Option<String> {
    crate::pki::nearest_name(name, offered.iter().map(String::as_str)).map(str::to_owned)
}

/// The mounted path closest to the folder of `path`.
fn nearest_path(mounts: &Mounts, path: &str) -> Option<String> {
    let folder = path.rsplit_once('/').map_or(path, |(folder, _)| folder);
    mounts
        .iter()
        .map(|mount| mount.at.as_str())
        .max_by(|a, b| strsim::jaro_winkler(folder, a).total_cmp(&strsim::jaro_winkler(folder, b)))
        .map(str::to_owned)
}
