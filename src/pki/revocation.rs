//! A revocation list in a trust bundle, parsed once into what path building needs (RFC 5280, section 5).

use std::sync::Arc;

use jiff::Timestamp;
use x509_parser::parse_x509_crl;

use super::der::{self, Reader};
use super::distinguished_name;
use super::public_key::sha256;

const AUTHORITY_KEY_ID: &[u8] = &[0x55, 0x1d, 0x23];
const ISSUING_POINT: &[u8] = &[0x55, 0x1d, 0x1c];

/// A certificate revocation list, as far as Envoy uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationList {
    /// The issuer in RFC 4514 notation.
    pub issuer: String,
    /// The start of its validity.
    pub this_update: Timestamp,
    /// The end of its validity, exclusive; `None`: it doesn't expire.
    pub next_update: Option<Timestamp>,
    /// SHA-256 of the whole list.
    pub fingerprint: [u8; 32],
    pub(super) issuer_der: Vec<u8>,
    /// The value of the authority key identifier extension.
    pub(super) authority: Option<Vec<u8>>,
    /// The contents of the revoked serial numbers' INTEGERs, sorted.
    serials: Vec<Vec<u8>>,
    /// Whether it has a critical extension that BoringSSL doesn't handle.
    pub(super) unhandled_critical: bool,
    /// What it covers.
    pub(super) scope: Scope,
    /// Whether an entry has extensions, which may change its meaning.
    pub(super) has_odd_entries: bool,
    pub(super) der: Arc<[u8]>,
}

/// The issuing distribution point of a list (RFC 5280, section 5.2.5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scope {
    /// The contents of `distributionPoint`.
    pub(super) point: Option<Vec<u8>>,
    pub(super) only_users: bool,
    pub(super) only_authorities: bool,
    /// Limited to some reasons, or indirect: BoringSSL ignores such a list.
    pub(super) unsupported: bool,
}

impl RevocationList {
    /// Parses the list at the beginning of these bytes; the rest is ignored. `None` if it can't be read.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (rest, list) = parse_x509_crl(bytes).ok()?;
        let der = bytes.get(..bytes.len().saturating_sub(rest.len()))?;
        let time = |seconds| Timestamp::from_second(seconds).ok();
        let mut out = Self {
            issuer: distinguished_name::text(list.issuer()),
            this_update: time(list.last_update().timestamp())?,
            next_update: list.next_update().map(|update| time(update.timestamp()).unwrap_or(Timestamp::MAX)),
            fingerprint: sha256(der),
            issuer_der: list.issuer().as_raw().to_vec(),
            authority: None,
            serials: Vec::new(),
            unhandled_critical: false,
            scope: Scope::default(),
            has_odd_entries: false,
            der: der.into(),
        };
        for extension in list.extensions() {
            match extension.oid.as_bytes() {
                AUTHORITY_KEY_ID if out.authority.is_some() => return None,
                AUTHORITY_KEY_ID => {
                    let mut reader = Reader::new(extension.value);
                    reader.enter(der::SEQUENCE).filter(|_| reader.is_empty())?;
                    out.authority = Some(extension.value.to_vec());
                }
                ISSUING_POINT => out.scope = scope(extension.value)?,
                _ => out.unhandled_critical |= extension.critical,
            }
        }
        for entry in list.iter_revoked_certificates() {
            out.serials.push(entry.raw_serial().to_vec());
            out.has_odd_entries |= entry.extensions().iter().any(|extension| extension.critical)
                || entry.reason_code().is_some_and(|(_, reason)| reason.0 == REMOVED);
        }
        out.serials.sort_unstable();
        Some(out)
    }

    /// Whether it contains this serial number, given as the contents of its INTEGER.
    pub(super) fn has(&self, serial: &[u8]) -> bool {
        self.serials.binary_search_by(|known| known.as_slice().cmp(serial)).is_ok()
    }
}

/// `removeFromCRL` (RFC 5280, section 5.3.1).
const REMOVED: u8 = 8;

fn scope(value: &[u8]) -> Option<Scope> {
    let mut outer = Reader::new(value);
    let mut reader = outer.enter(der::SEQUENCE).filter(|_| outer.is_empty())?;
    let point = reader.expect(der::constructed(0)).map(<[u8]>::to_vec);
    let mut out = Scope { point, ..Scope::default() };
    let mut flag = |number: u8| reader.expect(der::primitive(number)).is_some_and(|content| content != [0]);
    out.only_users = flag(1);
    out.only_authorities = flag(2);
    let of_reasons = flag(3);
    let indirect = flag(4);
    // Limited to attribute certificates: on its own that changes nothing.
    let only = [out.only_users, out.only_authorities, flag(5)];
    out.unsupported = of_reasons || indirect || only.into_iter().filter(|only| *only).count() > 1;
    reader.is_empty().then_some(out)
}
