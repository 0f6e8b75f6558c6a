//! Name constraints (RFC 5280, section 4.2.1.10) as BoringSSL applies them: the constraints of every certificate, also of
//! the trust anchor, to the names of every certificate below it.

use super::super::der::{self, Reader};
use super::canonical::{CanonicalName, attributes};

/// The kind of a GeneralName: its tag without the class.
type Kind = u8;
const EMAIL: Kind = 1;
const DNS: Kind = 2;
const DIRECTORY: Kind = 4;
const URI: Kind = 6;

const IA5_STRING: u8 = 0x16;
const EMAIL_ADDRESS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01];

/// The most comparisons for one certificate.
const MAX_COMPARISONS: usize = 1 << 20;

/// The constraints of one certificate.
pub(super) struct NameConstraints {
    permitted: Vec<Subtree>,
    excluded: Vec<Subtree>,
}

struct Subtree {
    kind: Kind,
    base: Vec<u8>,
    /// Whether it has a minimum or maximum, which no implementation supports.
    bounded: bool,
}

/// How a name violates constraints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameFault {
    /// It is in no permitted subtree of its kind.
    NotPermitted {
        /// The name: `DNS:blue.apps.local`.
        name: String,
    },
    /// It is in an excluded subtree.
    Excluded {
        /// The name.
        name: String,
    },
    /// BoringSSL doesn't support constraints of this kind, such as IP addresses, and the certificate has a name of that
    /// kind.
    UnsupportedKind {
        /// The name.
        name: String,
    },
    /// The constraint has a minimum or a maximum.
    Bounded,
    /// The name or the constraint is malformed for its kind, such as a URI without `//`.
    Syntax {
        /// The name.
        name: String,
    },
    /// There are so many names and constraints that BoringSSL gives up.
    TooMany,
    /// There are constraints, and the leaf has a common name that looks like a DNS name, but no subject alternative
    /// names.
    CommonNameOnly,
}

impl NameFault {
    /// BoringSSL's text for it.
    pub(super) fn log(&self) -> &'static str {
        match self {
            Self::NotPermitted { .. } => "permitted subtree violation",
            Self::Excluded { .. } => "excluded subtree violation",
            Self::UnsupportedKind { .. } => "unsupported name constraint type",
            Self::Bounded => "name constraints minimum and maximum not supported",
            Self::Syntax { .. } => "unsupported or invalid name syntax",
            Self::TooMany => "unspecified certificate verification error",
            Self::CommonNameOnly => "Issuer has name constraints but leaf has no SANs",
        }
    }
}

impl NameConstraints {
    /// Reads the extension's value; `None` if it is damaged.
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        let mut outer = Reader::new(value);
        let mut reader = outer.enter(der::SEQUENCE)?;
        let permitted = subtrees(reader.enter(der::constructed(0)))?;
        let excluded = subtrees(reader.enter(der::constructed(1)))?;
        (reader.is_empty() && outer.is_empty()).then_some(Self { permitted, excluded })
    }

    /// Checks the names of one certificate: its subject and the value of its subject alternative name, both in DER.
    ///
    /// # Errors
    /// The first name that isn't allowed.
    pub(super) fn check(&self, subject_der: &[u8], sans: Option<&[u8]>) -> Result<(), NameFault> {
        let subject = attributes(subject_der);
        let sans = sans.map(general_names).unwrap_or_default();
        let names = subject.len() + sans.len();
        if names.saturating_mul(self.permitted.len() + self.excluded.len()) > MAX_COMPARISONS {
            return Err(NameFault::TooMany);
        }
        if !subject.is_empty() {
            self.check_name(DIRECTORY, subject_der, false)?;
            for (_, tag, address) in subject.iter().filter(|(kind, ..)| *kind == EMAIL_ADDRESS) {
                if *tag != IA5_STRING {
                    return Err(NameFault::Syntax { name: shown(EMAIL, address) });
                }
                self.check_name(EMAIL, address, true)?;
            }
        }
        sans.iter().try_for_each(|(kind, name)| self.check_name(*kind, name, false))
    }

    fn check_name(&self, kind: Kind, name: &[u8], in_subject: bool) -> Result<(), NameFault> {
        let mut permitted = None;
        for subtree in self.permitted.iter().filter(|subtree| subtree.kind == kind) {
            if subtree.bounded {
                return Err(NameFault::Bounded);
            }
            if permitted != Some(true) {
                permitted = Some(subtree.holds(name, Use::Permits)?);
            }
        }
        if permitted == Some(false) {
            return Err(NameFault::NotPermitted { name: shown(kind, name) });
        }
        let excludes = Use::Excludes { in_subject };
        for subtree in self.excluded.iter().filter(|subtree| subtree.kind == kind) {
            if subtree.bounded {
                return Err(NameFault::Bounded);
            }
            if subtree.holds(name, excludes)? {
                return Err(NameFault::Excluded { name: shown(kind, name) });
            }
        }
        Ok(())
    }
}

/// How a subtree is used; exclusions match more broadly.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Permits,
    Excludes { in_subject: bool },
}

impl Subtree {
    fn holds(&self, name: &[u8], purpose: Use) -> Result<bool, NameFault> {
        let syntax = || NameFault::Syntax { name: shown(self.kind, name) };
        match self.kind {
            DIRECTORY => Ok(CanonicalName::of(name).is_within(&CanonicalName::of(&self.base))),
            DNS => Ok(dns_holds(&self.base, name, purpose != Use::Permits)),
            EMAIL => {
                let any_case = purpose == Use::Excludes { in_subject: true };
                email_holds(&self.base, name, any_case).ok_or_else(syntax)
            }
            URI => uri_holds(&self.base, name).ok_or_else(syntax),
            _ => Err(NameFault::UnsupportedKind { name: shown(self.kind, name) }),
        }
    }
}

fn subtrees(list: Option<Reader<'_>>) -> Option<Vec<Subtree>> {
    let mut out = Vec::new();
    let Some(mut list) = list else { return Some(out) };
    while !list.is_empty() {
        let mut subtree = list.enter(der::SEQUENCE)?;
        let (tag, base) = subtree.next()?;
        let kind = kind(tag)?;
        let bounded = !subtree.is_empty();
        while !subtree.is_empty() {
            let (tag, _) = subtree.next()?;
            (tag == der::primitive(0) || tag == der::primitive(1)).then_some(())?;
        }
        out.push(Subtree { kind, base: base.to_vec(), bounded });
    }
    Some(out)
}

fn kind(tag: u8) -> Option<Kind> {
    let kind = tag & 0x1f;
    (tag & 0xc0 == 0x80 && kind <= 8).then_some(kind)
}

/// Kind and contents of each name of a subject alternative name.
fn general_names(value: &[u8]) -> Vec<(Kind, &[u8])> {
    let mut out = Vec::new();
    let Some(mut names) = Reader::new(value).enter(der::SEQUENCE) else { return out };
    while let Some((tag, content)) = names.next() {
        out.extend(kind(tag).map(|kind| (kind, content)));
    }
    out
}

fn shown(kind: Kind, name: &[u8]) -> String {
    let text = || String::from_utf8_lossy(name).chars().take(256).flat_map(char::escape_debug).collect::<String>();
    match (kind, name) {
        (EMAIL, _) => format!("email:{}", text()),
        (DNS, _) => format!("DNS:{}", text()),
        (URI, _) => format!("URI:{}", text()),
        (DIRECTORY, _) => "the subject".to_owned(),
        (7, name) => match (<[u8; 4]>::try_from(name), <[u8; 16]>::try_from(name)) {
            (Ok(four), _) => format!("IP:{}", std::net::Ipv4Addr::from(four)),
            (_, Ok(sixteen)) => format!("IP:{}", std::net::Ipv6Addr::from(sixteen)),
            _ => "an IP address".to_owned(),
        },
        _ => "a name of another kind".to_owned(),
    }
}

/// Whether a dNSName is in a subtree: the name itself, or with more labels. An empty subtree contains every name; one
/// with a leading dot contains only longer ones. An exclusion also matches a wildcard that might stand for it.
fn dns_holds(base: &[u8], name: &[u8], excluding: bool) -> bool {
    if base.is_empty() {
        return true;
    }
    let base = base.strip_suffix(b".").unwrap_or(base);
    let name = name.strip_suffix(b".").unwrap_or(name);
    if excluding
        && let Some(wild) = name.strip_prefix(b"*.")
        && let Some(dot) = base.iter().position(|&byte| byte == b'.')
        && base.get(dot + 1..).is_some_and(|parent| parent.eq_ignore_ascii_case(wild))
    {
        return true;
    }
    if base.first() == Some(&b'.') {
        return ends_with(name, base);
    }
    let Some(more) = name.len().checked_sub(base.len()) else { return false };
    ends_with(name, base) && (more == 0 || name.get(more - 1) == Some(&b'.'))
}

fn ends_with(text: &[u8], end: &[u8]) -> bool {
    let tail = text.len().checked_sub(end.len()).and_then(|at| text.get(at..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// Whether a mailbox is in a subtree: a mailbox, a host, or with a leading dot the hosts below a domain. `None` for
/// what isn't a plain address.
fn email_holds(base: &[u8], address: &[u8], local_part_in_any_case: bool) -> Option<bool> {
    let (local, domain) = mailbox(address)?;
    // A leading at sign is ignored.
    let (base, is_mailbox) = match base.strip_prefix(b"@") {
        Some(domain) => (domain, false),
        None => (base, base.contains(&b'@')),
    };
    if is_mailbox {
        let (base_local, base_domain) = mailbox(base)?;
        let same_local =
            if local_part_in_any_case { base_local.eq_ignore_ascii_case(local) } else { base_local == local };
        return Some(same_local && base_domain.eq_ignore_ascii_case(domain));
    }
    is_domain(base).then_some(())?;
    Some(if base.first() == Some(&b'.') { ends_with(domain, base) } else { base.eq_ignore_ascii_case(domain) })
}

fn mailbox(address: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = address.iter().position(|&byte| byte == b'@')?;
    let (local, domain) = (address.get(..at)?, address.get(at + 1..)?);
    let is_local = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(byte);
    (!local.is_empty() && local.iter().all(is_local) && is_domain(domain)).then_some((local, domain))
}

fn is_domain(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(byte))
}

/// Whether a URI's host equals the subtree, or is below it if that has a leading dot. `None` for a URI without a host.
fn uri_holds(base: &[u8], uri: &[u8]) -> Option<bool> {
    let colon = uri.iter().position(|&byte| byte == b':')?;
    let rest = uri.get(colon + 1..)?.strip_prefix(b"//")?;
    let until = |stop: u8| rest.iter().position(|&byte| byte == stop).and_then(|at| rest.get(..at));
    // The colon before a port is searched first, anywhere in the URI.
    let host = until(b':').or_else(|| until(b'/')).unwrap_or(rest);
    if host.is_empty() {
        return None;
    }
    Some(if base.first() == Some(&b'.') { ends_with(host, base) } else { base.eq_ignore_ascii_case(host) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_subtrees() {
        for (base, name, holds) in [
            ("", "anything", true),
            ("apps.local", "apps.local", true),
            ("apps.local", "Blue.APPS.local", true),
            ("apps.local", "a.b.apps.local", true),
            ("apps.local", "xapps.local", false),
            ("apps.local", "local", false),
            (".apps.local", "blue.apps.local", true),
            (".apps.local", "apps.local", false),
            ("apps.local.", "blue.apps.local", true),
            ("apps.local", "blue.apps.local.", true),
            ("blue.apps.local", "*.apps.local", false),
            ("apps.local", "*.apps.local", true),
        ] {
            assert_eq!(dns_holds(base.as_bytes(), name.as_bytes(), false), holds, "{name} in {base:?}");
        }
        assert!(dns_holds(b"blue.apps.local", b"*.apps.local", true), "a wildcard may stand for an excluded name");
        assert!(!dns_holds(b"a.blue.apps.local", b"*.apps.local", true), "but only for one label");
    }

    #[test]
    fn mailboxes() {
        for (base, address, holds) in [
            ("apps.local", "ops@apps.local", Some(true)),
            ("apps.local", "ops@blue.apps.local", Some(false)),
            (".apps.local", "ops@blue.apps.local", Some(true)),
            ("@apps.local", "ops@APPS.local", Some(true)),
            ("ops@apps.local", "ops@apps.local", Some(true)),
            ("ops@apps.local", "Ops@apps.local", Some(false)),
            ("apps.local", "apps.local", None),
            ("apps.local", "a@b@apps.local", None),
            ("apps.local", "\"a\"@apps.local", None),
            ("", "ops@apps.local", None),
        ] {
            assert_eq!(email_holds(base.as_bytes(), address.as_bytes(), false), holds, "{address} in {base:?}");
        }
        assert_eq!(email_holds(b"ops@apps.local", b"OPS@apps.local", true), Some(true));
    }

    #[test]
    fn uris() {
        for (base, uri, holds) in [
            ("mesh.local", "spiffe://mesh.local/ns/shop", Some(true)),
            ("mesh.local", "spiffe://Mesh.local", Some(true)),
            ("mesh.local", "https://mesh.local:8443/x", Some(true)),
            ("mesh.local", "spiffe://a.mesh.local/x", Some(false)),
            (".mesh.local", "spiffe://a.mesh.local/x", Some(true)),
            (".mesh.local", "spiffe://mesh.local/x", Some(false)),
            ("mesh.local", "urn:mesh.local", None),
            ("mesh.local", "spiffe:///x", None),
            ("mesh.local", "mesh.local", None),
        ] {
            assert_eq!(uri_holds(base.as_bytes(), uri.as_bytes()), holds, "{uri} in {base:?}");
        }
    }
}
