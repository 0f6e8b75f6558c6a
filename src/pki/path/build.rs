//! Builds a path step by step as BoringSSL's `X509_verify_cert` does, and checks it in the same order.

use std::cell::Cell;
use std::sync::Arc;

use super::super::certificate::Certificate;
use super::super::chain::Bundle;
use super::canonical::CanonicalName;
use super::details::Details;
use super::refusal::{Reason, Refusal};
use super::revocation::Revocation;
use super::signature::{self, Signature};
use super::{Origin, Path, PathVerdict, Purpose, Step, names};

/// The longest path: a hundred certificates between leaf and anchor.
const MAX_PATH: usize = 102;

/// Up to this many certificates, file order decides between two with the same subject. BoringSSL sorts a bundle by
/// subject, and for larger bundles the order of equals is up to the sort.
const MAX_ORDERED: usize = 24;

/// The longest TLS message with a chain.
const MAX_MESSAGE: usize = 100 * 1024;

pub(super) fn find_path(chain: &[Arc<Certificate>], bundle: &Bundle, purpose: Purpose) -> PathVerdict {
    // Each certificate and their list are preceded by a three-byte length (RFC 5246, section 7.4.2).
    let bytes = chain.iter().map(|certificate| certificate.der.len() + 3).sum::<usize>() + 3;
    if let Some(leaf) = chain.first().filter(|_| bytes > MAX_MESSAGE) {
        let step = Step { certificate: Arc::clone(leaf), origin: Origin::Chain(0) };
        return PathVerdict::Refused(Refusal::new(&step, 0, Reason::TooLong { bytes }));
    }
    let builder = Builder::new(chain, bundle);
    match builder.path(purpose) {
        Ok(path) => PathVerdict::Trusted(path),
        Err(End::Refused(refusal)) => {
            let after_damage = builder.met_damage.get() || builder.presented.iter().any(Details::is_damaged);
            PathVerdict::Refused(Refusal { after_damage, ..refusal })
        }
        Err(End::Unknown(why)) => PathVerdict::Unknown(why),
    }
}

/// Why building a path stops early.
enum End {
    Refused(Refusal),
    Unknown(String),
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

struct Builder<'a> {
    presented: Vec<Details>,
    /// The bundle in file order, without duplicates, each with its subject.
    store: Vec<(CanonicalName, Origin, &'a Arc<Certificate>)>,
    bundle: &'a Bundle,
    /// Whether a damaged certificate of the bundle was tried.
    met_damage: Cell<bool>,
}

impl<'a> Builder<'a> {
    fn new(chain: &[Arc<Certificate>], bundle: &'a Bundle) -> Self {
        let mut seen = std::collections::HashSet::new();
        let store = bundle
            .certificates
            .iter()
            .enumerate()
            .filter(|(_, certificate)| seen.insert(certificate.fingerprint))
            .map(|(at, certificate)| (CanonicalName::of(&certificate.subject_der), Origin::Bundle(at), certificate))
            .collect();
        let presented = chain.iter().enumerate().map(|(at, certificate)| Details::of(certificate, Origin::Chain(at)));
        Self { presented: presented.collect(), store, bundle, met_damage: Cell::new(false) }
    }

    fn path(&self, purpose: Purpose) -> Result<Path, End> {
        let mut presented = self.presented.iter();
        let Some(leaf) = presented.next() else { return Err(End::Unknown("there is no certificate".to_owned())) };
        // The leaf is itself a candidate for an issuer, as the peer sent it too.
        let mut unused: Vec<&Details> = self.presented.iter().collect();
        let mut path = vec![leaf];
        let mut top = leaf;
        while path.len() < MAX_PATH {
            refuse_damaged(top)?;
            if top.is_self_signed() || self.trusted_issuer(top)?.is_some() {
                break;
            }
            let Some(at) = unused.iter().position(|other| other.is_issuer_of(top)) else { break };
            top = unused.remove(at);
            path.push(top);
        }
        refuse_damaged(top)?;
        let path_of_presented = path.len();
        let mut own_root = None;
        let mut from_store: Vec<Details> = Vec::new();
        let mut trusted_from = path_of_presented;
        if top.is_self_signed() {
            if path_of_presented == 1 {
                let found = self.trusted_issuer(top)?;
                if found.is_none_or(|found| found.certificate.fingerprint != top.certificate.fingerprint) {
                    return Err(Refusal::new(&top.step(), 0, Reason::SelfSignedLeaf).into());
                }
                trusted_from = 0;
            } else {
                own_root = path.pop();
                trusted_from -= 1;
            }
        }
        let below = path.len();
        loop {
            let top = match from_store.last() {
                Some(top) => top,
                None => path.last().copied().unwrap_or(leaf),
            };
            if below + from_store.len() >= MAX_PATH {
                break;
            }
            refuse_damaged(top)?;
            if top.is_self_signed() {
                break;
            }
            match self.trusted_issuer(top)? {
                Some(issuer) => from_store.push(issuer),
                None => break,
            }
        }
        if from_store.is_empty() && trusted_from > 0 {
            // Nothing above is trusted, but the bundle may contain the leaf itself.
            if self.store.iter().any(|(.., known)| known.fingerprint == leaf.certificate.fingerprint) {
                trusted_from = 0;
            } else {
                return Err(untrusted(&path, own_root));
            }
        }
        let all: Vec<&Details> = path.into_iter().chain(&from_store).collect();
        self.check(&all, trusted_from, purpose)
    }

    /// The bundle's certificate that is taken as the issuer: the first match.
    fn trusted_issuer(&self, of: &Details) -> Result<Option<Details>, End> {
        let mut candidates = self
            .store
            .iter()
            .filter(|(subject, ..)| *subject == of.issuer)
            .map(|(_, origin, certificate)| Details::of(certificate, *origin))
            .inspect(|candidate| self.met_damage.set(self.met_damage.get() || candidate.is_damaged()))
            .filter(|candidate| candidate.is_issuer_of(of));
        let first = candidates.next();
        if self.store.len() > MAX_ORDERED
            && let (Some(first), Some(_)) = (&first, candidates.next())
        {
            let name = &first.certificate.subject;
            return Err(End::Unknown(format!("which of the bundle's certificates called {name} counts is chance")));
        }
        Ok(first)
    }

    /// Checks a complete path; `trusted_from` is the start of the part that comes from the bundle.
    fn check(&self, path: &[&Details], trusted_from: usize, purpose: Purpose) -> Result<Path, End> {
        check_extensions(path.get(..trusted_from).unwrap_or_default(), purpose)?;
        // Revocation lists come before dates and signatures, and can change over time.
        let revocation = Revocation::of(path, self.bundle, MAX_ORDERED).map_err(End::Unknown)?.map(Arc::new);
        let refused = |refusal: Refusal, dated_first| {
            End::from(Refusal { dated_first, revocation: revocation.clone(), ..refusal })
        };
        let steps: Vec<Step> = path.iter().map(|details| details.step()).collect();
        let dated = |from: usize| (steps.get(from..).unwrap_or_default().to_vec(), from);
        for (depth, pair) in path.windows(2).enumerate().rev() {
            let &[below, above] = pair else { continue };
            let reason = match signature::verify(&below.certificate, &above.certificate) {
                Signature::Good => continue,
                Signature::Bad => Reason::Signature,
                Signature::Refused => Reason::SignatureAlgorithm,
                Signature::Unknown => {
                    let Certificate { signature_algorithm, .. } = &*below.certificate;
                    let key = &above.certificate.key_algorithm;
                    return Err(End::Unknown(format!("signatures by {signature_algorithm} of {key} aren't verified")));
                }
            };
            return Err(refused(Refusal::new(&below.step(), depth, reason), dated(depth + 1)));
        }
        if let Err((depth, fault)) = names::check(path)
            && let Some(step) = steps.get(depth)
        {
            return Err(refused(Refusal::new(step, depth, Reason::Names(fault)), dated(0)));
        }
        if path.iter().any(|details| details.has_policy_constraints) {
            return Err(End::Unknown("the path has policy constraints".to_owned()));
        }
        match steps.get(trusted_from).map(|step| Arc::clone(&step.certificate)) {
            Some(anchor) => Ok(Path { steps, anchor, revocation }),
            None => Err(End::Unknown("the path has no anchor".to_owned())),
        }
    }
}

fn refuse_damaged(details: &Details) -> Result<(), Refusal> {
    if details.is_damaged() {
        let reason = Reason::DamagedExtensions(details.damaged.clone());
        return Err(Refusal::new(&details.step(), 0, reason));
    }
    Ok(())
}

/// Why a path that ends at nothing trusted is refused.
fn untrusted(path: &[&Details], own_root: Option<&Details>) -> End {
    let depth = path.len().saturating_sub(1);
    let Some(top) = path.last() else { return End::Unknown("there is no certificate".to_owned()) };
    match own_root {
        Some(root) if root.is_issuer_of(top) => Refusal::new(&root.step(), depth + 1, Reason::SelfSignedInChain).into(),
        _ => {
            let issuer = top.certificate.issuer.clone();
            Refusal::new(&top.step(), depth, Reason::NoIssuer { issuer: issuer.into() }).into()
        }
    }
}

/// The certificates that don't come from the bundle must be fit for their place.
fn check_extensions(untrusted: &[&Details], purpose: Purpose) -> Result<(), Refusal> {
    let mut below = 0;
    for (depth, details) in untrusted.iter().enumerate() {
        let certificate = &details.certificate;
        let refuse = |reason| Err(Refusal::new(&details.step(), depth, reason));
        if !certificate.unhandled_critical.is_empty() {
            return refuse(Reason::UnhandledCritical(certificate.unhandled_critical.clone()));
        }
        if depth > 0 && !details.is_authority() {
            return refuse(Reason::InvalidCa);
        }
        if !serves(certificate, purpose, depth == 0) {
            return refuse(Reason::Purpose);
        }
        let allowed = certificate.basic_constraints.and_then(|constraints| constraints.path_len);
        if let Some(allowed) = allowed
            && depth > 1
            && below > u64::from(allowed) + 1
        {
            return refuse(Reason::PathLength { allowed });
        }
        // A self-issued CA doesn't count.
        if depth == 0 || !details.is_self_issued() {
            below += 1;
        }
    }
    Ok(())
}

fn serves(certificate: &Certificate, purpose: Purpose, is_leaf: bool) -> bool {
    let by_extended = certificate.extended_key_usage.as_ref().is_none_or(|usage| match purpose {
        Purpose::Server => usage.server_auth,
        Purpose::Client => usage.client_auth,
    });
    let by_key = certificate.key_usage.is_none_or(|usage| {
        let encipherment = purpose == Purpose::Server && usage.key_encipherment;
        usage.digital_signature || usage.key_agreement || encipherment
    });
    by_extended && (!is_leaf || by_key)
}
