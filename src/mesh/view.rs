//! The world as one review sees it: the shared snapshot, with what was read afresh laid over it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::aws::{Answer, Arn, ArnKind, Asked, AuthorityFacts, AwsFacts, CertificateFacts, Home, Question};
use crate::mesh::end::FileRef;
use crate::mesh::member::Member;
use crate::mesh::mounts::{Located, Mounts};
use crate::mesh::store::{StoreKey, StoreState, Unread};
use crate::mesh::workload::Workload;
use crate::mesh::world::World;
use crate::pki::{Bundle, Certificate, Chain, FileFacts};

/// Stores read for one review, newer than the world's.
pub type FreshStores = HashMap<StoreKey, StoreState>;

/// What the rules look things up in.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The shared snapshot.
    pub world: &'a World,
    fresh: Option<&'a FreshStores>,
    aws: Option<&'a AwsFacts>,
}

/// What stands at a path of one workload's proxy.
#[derive(Clone, Debug)]
pub enum Place {
    /// A file, and what it holds.
    File {
        /// The store it comes from.
        store: Arc<StoreKey>,
        /// The key in it.
        key: String,
        /// What it holds.
        facts: Arc<FileFacts>,
    },
    /// Nobody knows: no workload is there, and no folder was given for the path.
    Unknown,
    /// Nothing is mounted at the path.
    NotMounted {
        /// The mounted path that the writer may have meant.
        nearest: Option<String>,
    },
    /// Mounted from something that meshvet can't look into.
    Opaque {
        /// The volume source's field name.
        kind: String,
        /// The volume's name.
        name: String,
    },
    /// Mounted from a volume that the pod doesn't have.
    VolumeMissing {
        /// The name asked for.
        name: String,
    },
    /// The store isn't there, or holds no key yet.
    StoreMissing {
        /// The store.
        store: Arc<StoreKey>,
        /// Whether it is there, but empty.
        empty: bool,
    },
    /// The store was not read.
    StoreUnread {
        /// The store.
        store: Arc<StoreKey>,
        /// Why.
        why: Unread,
    },
    /// The store has keys, and none becomes this file.
    KeyMissing {
        /// The store, where it is one.
        store: Option<Arc<StoreKey>>,
        /// The key that would be it; the file name where `items` makes none.
        key: String,
        /// What there is instead.
        offered: Vec<String>,
        /// What the writer may have meant.
        nearest: Option<String>,
    },
    /// A certificate of AWS Certificate Manager.
    Acm {
        /// The certificate itself, as far as it is known.
        leaf: Option<Arc<Certificate>>,
        /// With its authority and those above, where these are known too.
        chain: Option<Arc<Chain>>,
    },
    /// Authorities of AWS Private CA: what they come to, where all of them are known.
    Authorities(Option<Arc<Bundle>>),
}

impl Place {
    /// The store that this answer was read from.
    pub fn store(&self) -> Option<&StoreKey> {
        match self {
            Place::File { store, .. } | Place::StoreMissing { store, .. } | Place::StoreUnread { store, .. } => {
                Some(store)
            }
            Place::KeyMissing { store, .. } => store.as_deref(),
            Place::Unknown
            | Place::NotMounted { .. }
            | Place::Opaque { .. }
            | Place::VolumeMissing { .. }
            | Place::Acm { .. }
            | Place::Authorities(_) => None,
        }
    }
}

impl<'a> View<'a> {
    /// The world as it stands.
    pub fn new(world: &'a World) -> Self {
        Self { world, fresh: None, aws: None }
    }

    /// The world with newer stores laid over it.
    pub fn with_fresh(world: &'a World, fresh: &'a FreshStores) -> Self {
        Self { world, fresh: Some(fresh), aws: None }
    }

    /// The same, with what AWS has answered.
    #[must_use]
    pub fn answered(self, facts: &'a AwsFacts) -> Self {
        Self { aws: Some(facts), ..self }
    }

    /// Whether AWS is asked at all.
    pub fn asks(&self) -> bool {
        self.aws.is_some()
    }

    /// What came of a question to AWS; None where it was not asked.
    pub fn answer(&self, question: &Question) -> Option<&'a Answer> {
        self.aws?.get(question)
    }

    /// What ACM says of a certificate.
    pub fn certificate(&self, arn: &Arn) -> Asked<'a, CertificateFacts> {
        Asked::of(self.answer(&Question::Certificate(arn.clone())), |answer| match answer {
            Answer::Certificate(facts) => Some(&**facts),
            _ => None,
        })
    }

    /// What AWS Private CA says of an authority.
    pub fn authority(&self, arn: &Arn) -> Asked<'a, AuthorityFacts> {
        Asked::of(self.answer(&Question::Authority(arn.clone())), |answer| match answer {
            Answer::Authority(facts) => Some(&**facts),
            _ => None,
        })
    }

    /// Where meshvet itself is.
    pub fn home(&self) -> Asked<'a, Home> {
        Asked::of(self.answer(&Question::Home), |answer| match answer {
            Answer::Home(home) => Some(home),
            _ => None,
        })
    }

    /// What a certificate's ARN stands for.
    pub(crate) fn acm_place(&self, reference: &FileRef) -> Place {
        let facts =
            Arn::parse(&reference.path, ArnKind::Certificate).ok().and_then(|arn| self.certificate(&arn).known());
        let Some(facts) = facts else { return Place::Acm { leaf: None, chain: None } };
        let authority = facts.authority.as_deref().and_then(|arn| Arn::parse(arn, ArnKind::Authority).ok());
        let authority = authority.and_then(|arn| self.authority(&arn).known());
        let chain = authority.and_then(|authority| facts.chain(authority)).map(Arc::new);
        Place::Acm { leaf: facts.leaf.clone(), chain }
    }

    /// What authorities come to together. One that isn't known may be the one that counts: then nothing is.
    pub(crate) fn authorities_place(&self, references: &[FileRef]) -> Place {
        let mut certificates = Vec::new();
        for reference in references {
            let facts =
                Arn::parse(&reference.path, ArnKind::Authority).ok().and_then(|arn| self.authority(&arn).known());
            let Some(bundle) = facts.and_then(|facts| facts.bundle.as_ref()) else { return Place::Authorities(None) };
            certificates.extend(bundle.certificates.iter().cloned());
        }
        Place::Authorities(Bundle::new(certificates, false).map(Arc::new))
    }

    /// What is known of a store.
    pub fn store(&self, key: &StoreKey) -> StoreState {
        match self.fresh.and_then(|fresh| fresh.get(key)) {
            Some(state) => state.clone(),
            None => self.world.store(key),
        }
    }

    /// What stands at a file's path: in a folder given for it, else in the mounts of the workload.
    pub fn place(&self, member: &Member, workload: Option<&Workload>, file: &FileRef) -> Place {
        for folder in self.world.folders_for(&member.object) {
            let located = folder.locate(&file.path);
            if located != Located::NotMounted {
                return self.read(located, folder, &file.path);
            }
        }
        let Some(Workload { mounts, .. }) = workload else { return Place::Unknown };
        self.read(mounts.locate(&file.path), mounts, &file.path)
    }

    fn read(&self, located: Located<'_>, mounts: &Mounts, path: &str) -> Place {
        match located {
            Located::Keys(keys) => self.read_keys(&keys),
            Located::Opaque { kind, name } => Place::Opaque { kind: kind.to_owned(), name: name.to_owned() },
            Located::VolumeMissing { name } => Place::VolumeMissing { name: name.to_owned() },
            Located::NotMounted => Place::NotMounted { nearest: nearest_path(mounts, path) },
            Located::NoSuchFile { mount, offered } => {
                let name = path.rsplit('/').find(|segment| !segment.is_empty()).unwrap_or(path).to_owned();
                let offered: Vec<String> = offered.into_iter().map(str::to_owned).collect();
                let store = match &mount.volume {
                    crate::mesh::Volume::Files(parts) => parts.first().map(|part| Arc::clone(&part.store)),
                    _ => None,
                };
                Place::KeyMissing { store, nearest: nearest(&name, &offered), key: name, offered }
            }
        }
    }

    /// The last of the keys that exists; if none does, why the last one doesn't.
    fn read_keys(&self, keys: &[(&crate::mesh::Part, String)]) -> Place {
        let mut why = None;
        for (part, key) in keys.iter().rev() {
            let store = Arc::clone(&part.store);
            match self.store(&part.store) {
                StoreState::Present(present) => match present.files.get(key) {
                    Some(facts) => return Place::File { store, key: key.clone(), facts: Arc::clone(facts) },
                    None if present.files.is_empty() => {
                        why.get_or_insert(Place::StoreMissing { store, empty: true });
                    }
                    None => {
                        let offered: Vec<String> = present.files.keys().cloned().collect();
                        let nearest = nearest(key, &offered);
                        let missing = Place::KeyMissing { store: Some(store), key: key.clone(), offered, nearest };
                        why.get_or_insert(missing);
                    }
                },
                StoreState::Absent => {
                    why.get_or_insert(Place::StoreMissing { store, empty: false });
                }
                // It may hold the file: nothing before it can be told either.
                StoreState::Unread(reason) => return Place::StoreUnread { store, why: reason },
            }
        }
        why.unwrap_or(Place::NotMounted { nearest: None })
    }
}

fn nearest(name: &str, offered: &[String]) -> Option<String> {
    crate::pki::nearest_name(name, offered.iter().map(String::as_str)).map(str::to_owned)
}

/// The mounted path that comes nearest to the folder of `path`.
fn nearest_path(mounts: &Mounts, path: &str) -> Option<String> {
    let folder = path.rsplit_once('/').map_or(path, |(folder, _)| folder);
    mounts
        .iter()
        .map(|mount| mount.at.as_str())
        .max_by(|a, b| strsim::jaro_winkler(folder, a).total_cmp(&strsim::jaro_winkler(folder, b)))
        .map(str::to_owned)
}
