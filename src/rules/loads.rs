//! What the ends of a member load, and what is there.

use crate::k8s::ObjectRef;
use crate::mesh::{
    Belonging, CertificateSource, FileRef, KeyRef, Member, Named, Place, Plane, StoreKind, StoreState, TrustSource,
    View, Workload,
};
use crate::rules::end::End;
use crate::rules::uses::{CertificateUse, TrustUse};

/// The files that ends of one member load, with what is at their paths.
#[derive(Debug, Default)]
pub struct Files<'a> {
    /// Certificates and their keys: one for each end and different place.
    pub certificates: Vec<CertificateUse<'a>>,
    /// Trust bundles, likewise.
    pub trusts: Vec<TrustUse<'a>>,
}

impl<'a> Files<'a> {
    /// The files of one end of any member.
    pub fn of(view: View<'a>, member: &'a Member, end: End<'a>) -> Self {
        Self::of_ends(view, member, &view.workloads_of(member), [end])
    }

    /// What ends of one member load between them, where these are its workloads.
    pub(super) fn of_ends(
        view: View<'a>,
        member: &'a Member,
        workloads: &[&'a Workload],
        ends: impl IntoIterator<Item = End<'a>>,
    ) -> Self {
        let mut files = Self::default();
        let owners = owners(member, workloads.iter().copied());
        ends.into_iter().for_each(|end| files.find_for(view, member, &owners, end));
        files
    }

    fn find_for(&mut self, view: View<'a>, member: &'a Member, owners: &[Option<&'a Workload>], end: End<'a>) {
        // Only the uses of this very end can be the same: looking further would cost the square of a large object.
        let (certificates, trusts) = (self.certificates.len(), self.trusts.len());
        // What the control plane hands over is the same for all workloads.
        let handed = end.certificates().iter().filter_map(|source| handed_over(view, member, end, source));
        self.certificates.extend(handed);
        let trust = end.validation().and_then(|validation| validation.trust.as_ref());
        self.trusts.extend(trust.and_then(|trust| handed_over_trust(view, member, end, trust)));
        for workload in owners {
            for source in end.certificates() {
                if let CertificateSource::File { chain, key } = source {
                    self.find_certificate(view, member, end, *workload, (chain, key), certificates);
                }
            }
            if let Some(TrustSource::File(file)) = trust {
                let place = view.place(member, *workload, file);
                let known = self.trusts.iter().skip(trusts).any(|other| same_file(&other.place, &place));
                if !known {
                    self.trusts.push(TrustUse {
                        end,
                        workload: *workload,
                        trust_ref: Named::File(file),
                        place,
                        apart: apart(view, member),
                    });
                }
            }
        }
    }

    fn find_certificate(
        &mut self,
        view: View<'a>,
        member: &'a Member,
        end: End<'a>,
        workload: Option<&'a Workload>,
        (chain_file, key_file): (&'a FileRef, &'a FileRef),
        first: usize,
    ) {
        let chain_place = view.place(member, workload, chain_file);
        let key_place = view.place(member, workload, key_file);
        let known = self
            .certificates
            .iter()
            .skip(first)
            .any(|other| same_file(&other.chain_place, &chain_place) && same_file(&other.key_place, &key_place));
        if !known {
            let (chain_ref, key_ref) = (Named::File(chain_file), Named::File(key_file));
            let plane = view.plane_of(member);
            let using = CertificateUse {
                end,
                workload,
                chain_ref,
                key_ref,
                chain_place,
                key_place,
                plane,
                apart: apart(view, member),
                leaf_at: None,
            };
            self.certificates.push(using.with_leaf());
        }
    }
}

/// A certificate that the control plane hands to the proxy.
fn handed_over<'a>(
    view: View<'a>,
    member: &'a Member,
    end: End<'a>,
    source: &'a CertificateSource,
) -> Option<CertificateUse<'a>> {
    let plane = view.plane_of(member);
    let (chain_ref, key_ref, chain_place, key_place) = match source {
        CertificateSource::Acm(arn) => (Named::Arn(arn), Named::Arn(arn), view.acm_place(arn), Place::Unknown),
        CertificateSource::Keys { chain, key } => {
            let (chain_place, key_place) = pair_places(view, member, plane, chain, key);
            (Named::Key(chain), Named::Key(key), chain_place, key_place)
        }
        CertificateSource::File { .. } | CertificateSource::Sds { .. } | CertificateSource::Elsewhere { .. } => {
            return None;
        }
    };
    let apart = apart(view, member);
    let using =
        CertificateUse { end, workload: None, chain_ref, key_ref, chain_place, key_place, plane, apart, leaf_at: None };
    Some(using.with_leaf())
}

/// What the keys of a Secret hold that a listener names: by the names that its control plane knows.
fn pair_places(view: View<'_>, member: &Member, plane: &Plane, chain: &KeyRef, key: &KeyRef) -> (Place, Place) {
    // What the member may not read must not be revealed by a finding on it.
    if !may_read(view, member, chain) || !may_read(view, member, key) {
        return (Place::Unknown, Place::Unknown);
    }
    if let StoreState::Present(store) = view.store(&chain.store)
        && store.of_type.as_deref().is_some_and(|of_type| plane.other_types.contains(&of_type))
    {
        return (Place::Unknown, Place::Unknown);
    }
    let places = (view.key_place(chain), view.key_place(key));
    let Some((other_chain, other_key)) = plane.other_keys else { return places };
    if !matches!(places.0, Place::KeyMissing { .. }) {
        return places;
    }
    let by = |one: &KeyRef, name: &str| view.key_place(&KeyRef { key: name.to_owned(), ..one.clone() });
    match by(chain, other_chain) {
        found @ Place::File { .. } => (found, by(key, other_key)),
        _ => places,
    }
}

/// Whether a member may name a Secret or ConfigMap: its own namespace's, and those that it was granted.
fn may_read(view: View<'_>, member: &Member, key: &KeyRef) -> bool {
    let kind = match key.store.kind {
        StoreKind::Secret => "Secret",
        StoreKind::ConfigMap => "ConfigMap",
        StoreKind::Folder => return true,
    };
    let named = (key.store.namespace.as_str(), key.store.name.as_str());
    view.is_granted(&member.object, "", kind, named) == Belonging::Yes
}

/// A trust bundle, likewise.
fn handed_over_trust<'a>(
    view: View<'a>,
    member: &'a Member,
    end: End<'a>,
    trust: &'a TrustSource,
) -> Option<TrustUse<'a>> {
    let (trust_ref, place) = match trust {
        TrustSource::Acm(arns) => (Named::Arn(arns.first()?), view.authorities_place(arns)),
        // A policy that is attached names what is in its own namespace.
        TrustSource::Key(key) if !end.is_server() || may_read(view, member, key) => {
            (Named::Key(key), authorities_place(view, member, key))
        }
        // Of these nothing is known.
        TrustSource::Key(_)
        | TrustSource::File(_)
        | TrustSource::Sds { .. }
        | TrustSource::Proxy(_)
        | TrustSource::System(_) => return None,
    };
    Some(TrustUse { end, workload: None, trust_ref, place, apart: apart(view, member) })
}

/// What a key holds that authorities are taken from: by the names that the control plane knows, the first that is there.
fn authorities_place(view: View<'_>, member: &Member, key: &KeyRef) -> Place {
    let names = view.plane_of(member).authorities.keys.iter();
    let mut places = names.map(|name| view.key_place(&KeyRef { key: (*name).to_owned(), ..key.clone() }));
    places.find(|place| !matches!(place, Place::KeyMissing { .. })).unwrap_or_else(|| view.key_place(key))
}

/// The member, where it isn't told in which store its files are.
fn apart<'a>(view: View<'a>, member: &'a Member) -> Option<&'a ObjectRef> {
    (!view.tells_stores_of(member)).then_some(&member.object)
}

/// The workloads whose proxies load the member's files; one None where there are none, for folders that stand in.
fn owners<'a>(member: &Member, workloads: impl Iterator<Item = &'a Workload>) -> Vec<Option<&'a Workload>> {
    let proxied = workloads
        .filter(|workload| member.is_gateway() || !workload.proxy(member.api).is_some_and(|proxy| proxy.opted_out));
    let mut owners: Vec<_> = proxied.map(Some).collect();
    if owners.is_empty() {
        owners.push(None);
    }
    owners
}

/// Whether two workloads' proxies read the very same file: then one judgement stands for both.
fn same_file(one: &Place, other: &Place) -> bool {
    match (one, other) {
        (Place::File { store: a, key: x, .. }, Place::File { store: b, key: y, .. }) => a == b && x == y,
        _ => false,
    }
}
