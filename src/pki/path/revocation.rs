//! What a bundle's revocation lists say about a path: about every certificate on it, including the anchor.
//!
//! For each certificate BoringSSL takes the best match among its issuer's lists. Whether a list is current is
//! part of the score, so the choice can change over time; everything else is computed once.

use jiff::Timestamp;

use super::super::chain::Bundle;
use super::super::der::{self, Reader};
use super::super::revocation::{RevocationList, Scope};
use super::Step;
use super::canonical::CanonicalName;
use super::details::{Details, authority_key_id};
use super::list_fault::ListFault;
use super::signature::{self, Signature};

/// Parts of BoringSSL's score for a list.
const NO_CRITICAL: u16 = 0x100;
const SCOPE: u16 = 0x80;
const TIME: u16 = 0x40;
const ISSUER_NAME: u16 = 0x20;
const ISSUER_CERTIFICATE: u16 = 0x18;
const SAME_PATH: u16 = 0x08;
const KEY_ID: u16 = 0x04;

/// The lists relevant to a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Revocation {
    /// For each certificate of the path, the leaf first.
    steps: Vec<(Step, Vec<Candidate>)>,
}

/// A list that may apply to a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    /// Without [`TIME`].
    score: u16,
    this_update: Timestamp,
    next_update: Option<Timestamp>,
    /// A fault found before its dates are checked.
    before: Option<ListFault>,
    /// A fault, or a revocation, found after that.
    after: Option<ListFault>,
}

impl Revocation {
    /// What the bundle's lists say about this path; `None` if there are none. An error says why that is unknown.
    pub(super) fn of(path: &[&Details], bundle: &Bundle, most_ordered: usize) -> Result<Option<Self>, String> {
        if bundle.lists.is_empty() {
            return Ok(None);
        }
        if path.iter().any(|details| details.certificate.is_described()) {
            return Err("the bundle holds a revocation list, and a certificate isn't known yet".to_owned());
        }
        let lists: Vec<(CanonicalName, &RevocationList)> =
            bundle.lists.iter().map(|list| (CanonicalName::of(&list.issuer_der), &**list)).collect();
        let mut steps = Vec::with_capacity(path.len());
        for (depth, details) in path.iter().enumerate() {
            let mut candidates = Vec::new();
            for (_, list) in lists.iter().filter(|(issuer, _)| *issuer == details.issuer) {
                candidates.extend(Candidate::of(list, path, depth)?);
            }
            if candidates.len() > 1 && bundle.certificates.len() + lists.len() > most_ordered {
                return Err("which of the bundle's revocation lists counts is chance".to_owned());
            }
            steps.push((details.step(), candidates));
        }
        Ok(Some(Self { steps }))
    }

    /// The fault at this time of the lowest certificate with one, and the certificate's depth.
    pub(super) fn fault_at(&self, now: Timestamp) -> Option<(&Step, usize, ListFault)> {
        self.steps.iter().enumerate().find_map(|(depth, (step, candidates))| {
            let fault = match chosen(candidates, now) {
                None => ListFault::Missing { issuer: step.certificate.issuer.to_string() },
                Some(list) => {
                    list.before.clone().or_else(|| list.fault_of_dates(now)).or_else(|| list.after.clone())?
                }
            };
            Some((step, depth, fault))
        })
    }
}

/// The list that applies: the best match, of equal matches the newest, or the first.
fn chosen(candidates: &[Candidate], now: Timestamp) -> Option<&Candidate> {
    let mut best: Option<(u16, &Candidate)> = None;
    for one in candidates {
        let score = one.score | if one.fault_of_dates(now).is_none() { TIME } else { 0 };
        let better =
            best.is_none_or(|(known, best)| score > known || (score == known && one.this_update > best.this_update));
        if better {
            best = Some((score, one));
        }
    }
    best.map(|(_, one)| one)
}

impl Candidate {
    /// A list from the issuer's name, if it may apply to the certificate at this depth.
    fn of(list: &RevocationList, path: &[&Details], depth: usize) -> Result<Option<Self>, String> {
        let (Some(details), Some(last)) = (path.get(depth), path.len().checked_sub(1)) else { return Ok(None) };
        if list.scope.unsupported {
            return Ok(None);
        }
        let authority = match &list.authority {
            None => Default::default(),
            Some(value) => authority_key_id(value).ok_or("a revocation list doesn't say whose it is")?,
        };
        // The certificate above is tried first, then those above it with the list issuer's name.
        let from = if depth < last { depth + 1 } else { depth };
        let above = path.get(from..).unwrap_or_default();
        let found = above
            .iter()
            .enumerate()
            .find(|(at, issuer)| (*at == 0 || issuer.subject == details.issuer) && issuer.is_meant_by(&authority));
        let Some((at, issuer)) = found else { return Ok(None) };
        let in_scope = is_in_scope(&list.scope, details)
            .ok_or("whether a revocation list is for a certificate isn't known by its distribution point")?;
        let mut score = ISSUER_NAME | KEY_ID | if at == 0 { ISSUER_CERTIFICATE } else { SAME_PATH };
        score |= if list.unhandled_critical { 0 } else { NO_CRITICAL };
        score |= if in_scope { SCOPE } else { 0 };
        let whose = || list.issuer.clone();
        let before = if issuer.certificate.key_usage.is_some_and(|usage| !usage.crl_sign) {
            Some(ListFault::NotAllowed { issuer: whose() })
        } else {
            (!in_scope).then(|| ListFault::OtherScope { issuer: whose() })
        };
        let after = match signature::verify_list(list, &issuer.certificate) {
            Signature::Good if list.unhandled_critical => Some(ListFault::UnhandledCritical { issuer: whose() }),
            Signature::Good if list.has(&details.serial) => {
                // An entry may be for another certificate, or take a revocation back.
                if list.has_odd_entries {
                    return Err("an entry of a revocation list has extensions".to_owned());
                }
                Some(ListFault::Revoked { issuer: whose() })
            }
            Signature::Good => None,
            Signature::Bad | Signature::Refused => Some(ListFault::Signature { issuer: whose() }),
            Signature::Unknown => return Err("the signature of a revocation list isn't verified".to_owned()),
        };
        let RevocationList { this_update, next_update, .. } = *list;
        Ok(Some(Self { score, this_update, next_update, before, after }))
    }

    fn fault_of_dates(&self, now: Timestamp) -> Option<ListFault> {
        if self.this_update > now {
            return Some(ListFault::NotYetValid { this_update: self.this_update });
        }
        self.next_update.filter(|end| *end <= now).map(|next_update| ListFault::Expired { next_update })
    }
}

/// Whether a list covers this kind of certificate, and its distribution point if the list names one. `None`: unknown.
fn is_in_scope(scope: &Scope, details: &Details) -> Option<bool> {
    let other_kind = if details.certificate.is_ca() { scope.only_users } else { scope.only_authorities };
    if other_kind {
        return Some(false);
    }
    let Some(point) = &scope.point else { return Some(true) };
    let wanted = full_names(point)?;
    let mut points = match &details.points {
        Some(points) => Reader::new(points).enter(der::SEQUENCE)?,
        None => return Some(false),
    };
    while !points.is_empty() {
        let mut one = points.enter(der::SEQUENCE)?;
        let names = one.expect(der::constructed(0));
        // A point with reasons or a CRL issuer of its own is skipped.
        if let Some(names) = names.filter(|_| one.is_empty())
            && full_names(names)?.iter().any(|name| wanted.contains(name))
        {
            return Some(true);
        }
    }
    Some(false)
}

/// The names of a `DistributionPointName`, each as tag and contents; `None` if it is relative to its issuer.
fn full_names(point: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut outer = Reader::new(point);
    let mut names = outer.enter(der::constructed(0))?;
    let mut out = Vec::new();
    while !names.is_empty() {
        out.push(names.next()?);
    }
    Some(out)
}
