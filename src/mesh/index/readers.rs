//! Which objects read a Secret or ConfigMap.

use crate::k8s::{ObjectRef, Word};
use crate::mesh::attached::Attached;
use crate::mesh::end::{CertificateSource, ClientEnd, KeyRef, TrustSource};
use crate::mesh::index::Links;
use crate::mesh::member::Member;
use crate::mesh::mounts::Volume;
use crate::mesh::store::StoreKey;
use crate::mesh::workload::Workload;

/// For each store: the workloads whose proxies mount it, and the members whose ends refer to it.
#[derive(Debug, Default)]
pub(crate) struct ReaderIndex {
    readers: Links<StoreKey, ObjectRef>,
    /// The stores that are read, by name alone.
    names: Links<Word, StoreKey>,
}

impl ReaderIndex {
    pub(crate) fn add_workload(&mut self, workload: &Workload) {
        mounted(workload).for_each(|store| self.add(store, &workload.object));
    }

    pub(crate) fn remove_workload(&mut self, workload: &Workload) {
        mounted(workload).for_each(|store| self.remove(store, &workload.object));
    }

    pub(crate) fn add_member(&mut self, member: &Member) {
        named(member).for_each(|key| self.add(&key.store, &member.object));
    }

    pub(crate) fn remove_member(&mut self, member: &Member) {
        named(member).for_each(|key| self.remove(&key.store, &member.object));
    }

    pub(crate) fn add_attached(&mut self, attached: &Attached) {
        of_client(&attached.client).for_each(|key| self.add(&key.store, &attached.object));
    }

    pub(crate) fn remove_attached(&mut self, attached: &Attached) {
        of_client(&attached.client).for_each(|key| self.remove(&key.store, &attached.object));
    }

    /// The workloads, members and attached policies that read a store.
    pub(crate) fn of<'s>(&'s self, store: &StoreKey) -> impl Iterator<Item = &'s ObjectRef> + use<'s> {
        self.readers.of(store)
    }

    /// The stores with this name that anything reads.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = &StoreKey> {
        self.names.of(&Word::from(name))
    }

    fn add(&mut self, store: &StoreKey, reader: &ObjectRef) {
        self.readers.insert(store.clone(), reader.clone());
        self.names.insert(store.name.clone(), store.clone());
    }

    fn remove(&mut self, store: &StoreKey, reader: &ObjectRef) {
        self.readers.remove(store, reader);
        if self.readers.of(store).next().is_none() {
            self.names.remove(&store.name, store);
        }
    }
}

fn mounted(workload: &Workload) -> impl Iterator<Item = &StoreKey> {
    let mounts = workload.proxies.iter().flat_map(|proxy| proxy.mounts.iter());
    mounts
        .flat_map(|mount| match &mount.volume {
            Volume::Files(parts) => parts.as_slice(),
            Volume::Opaque { .. } | Volume::Missing { .. } => &[],
        })
        .map(|part| &part.store)
}

fn named(member: &Member) -> impl Iterator<Item = &KeyRef> {
    let servers = member.servers.iter().filter_map(|server| server.tls.as_ref());
    let of_servers =
        servers.flat_map(|tls| keys(&tls.certificates, tls.validation.as_ref().and_then(|it| it.trust.as_ref())));
    of_servers.chain(member.clients.iter().flat_map(of_client))
}

fn of_client(client: &ClientEnd) -> impl Iterator<Item = &KeyRef> {
    keys(&client.certificates, client.validation.as_ref().and_then(|it| it.trust.as_ref()))
}

/// Whether an end of a member refers to a store.
pub(crate) fn reads(member: &Member, store: &StoreKey) -> bool {
    named(member).any(|key| key.store == *store)
}

fn keys<'m>(certificates: &'m [CertificateSource], trust: Option<&'m TrustSource>) -> impl Iterator<Item = &'m KeyRef> {
    let pairs = certificates.iter().filter_map(|source| match source {
        CertificateSource::Keys { chain, key } => Some([chain, key]),
        CertificateSource::File { .. }
        | CertificateSource::Acm(_)
        | CertificateSource::Sds { .. }
        | CertificateSource::Elsewhere { .. } => None,
    });
    let trusted = trust.and_then(|trust| match trust {
        TrustSource::Key(key) => Some(key),
        _ => None,
    });
    pairs.flatten().chain(trusted)
}
