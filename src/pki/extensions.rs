//! The extensions that decide what a certificate may be used for (RFC 5280, section 4.2).
//!
//! BoringSSL loads a certificate with damaged extensions and fails only when it verifies it; so damage is
//! recorded here, not rejected.

use std::fmt;
use std::net::IpAddr;

use x509_parser::extensions::X509Extension;

use super::der::{self, Reader};
use super::public_key::dotted;

/// One subject alternative name. Displays as `DNS:blue.apps.local`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum San {
    /// A dNSName, perhaps a wildcard.
    Dns(String),
    /// A uniformResourceIdentifier, such as a SPIFFE id.
    Uri(String),
    /// An iPAddress.
    Ip(IpAddr),
    /// An rfc822Name.
    Email(String),
    /// Any other kind, by its name; Envoy ignores these.
    Other(String),
}

impl fmt::Display for San {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match self {
            Self::Dns(name) => ("DNS", name),
            Self::Uri(name) => ("URI", name),
            Self::Email(name) => ("email", name),
            Self::Ip(address) => return write!(f, "IP:{address}"),
            Self::Other(kind) => return f.write_str(kind),
        };
        write!(f, "{kind}:{}", Shown(name))
    }
}

/// Text from a certificate for messages: control characters escaped, and of limited length.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, c) in self.0.chars().enumerate() {
            match c {
                _ if at == 256 => return f.write_str("…"),
                c if c.is_control() => write!(f, "{}", c.escape_default())?,
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

/// What the key may be used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are RFC 5280's, section 4.2.1.3")]
pub struct KeyUsage {
    pub digital_signature: bool,
    pub content_commitment: bool,
    pub key_encipherment: bool,
    pub data_encipherment: bool,
    pub key_agreement: bool,
    pub key_cert_sign: bool,
    pub crl_sign: bool,
    pub encipher_only: bool,
    pub decipher_only: bool,
}

/// The purposes that the certificate is limited to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtendedKeyUsage {
    /// TLS server: required by Envoy in a server's certificate.
    pub server_auth: bool,
    /// TLS client: required by Envoy in a client's certificate.
    pub client_auth: bool,
    /// anyExtendedKeyUsage, which BoringSSL accepts for neither.
    pub any: bool,
    /// The object identifiers of all other purposes.
    pub others: Vec<String>,
}

/// Whether the certificate is a CA's, and how many CAs may follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BasicConstraints {
    /// Whether it is a CA's.
    pub ca: bool,
    /// How many intermediates may follow below it.
    pub path_len: Option<u32>,
}

/// What is read from a certificate's extensions.
#[derive(Default)]
pub(super) struct Extensions {
    pub(super) sans: Vec<San>,
    pub(super) key_usage: Option<KeyUsage>,
    pub(super) extended_key_usage: Option<ExtendedKeyUsage>,
    pub(super) basic_constraints: Option<BasicConstraints>,
    pub(super) subject_key_id: Option<Vec<u8>>,
    pub(super) authority_key_id: Option<Vec<u8>>,
    pub(super) name_constraints: bool,
    /// Whether it has SCTs (RFC 6962, section 3.3).
    pub(super) logged: bool,
    pub(super) unhandled_critical: Vec<String>,
    pub(super) malformed: Vec<String>,
    pub(super) must_staple: bool,
}

/// id-pe-tlsfeature (RFC 7633): 1.3.6.1.5.5.7.1.24.
const TLS_FEATURE: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x18];
/// A list with the one feature status_request. Envoy compares bytes.
const STATUS_REQUEST: &[u8] = &[0x30, 0x03, 0x02, 0x01, 0x05];

/// The third arc of 2.5.29.x.
const SUBJECT_KEY_ID: u8 = 14;
const KEY_USAGE: u8 = 15;
const SUBJECT_ALT_NAME: u8 = 17;
const BASIC_CONSTRAINTS: u8 = 19;
const NAME_CONSTRAINTS: u8 = 30;
const AUTHORITY_KEY_ID: u8 = 35;
const EXTENDED_KEY_USAGE: u8 = 37;

/// The extensions of 2.5.29 that BoringSSL handles, so that they may be critical: key usage, subject alternative name,
/// basic constraints, name constraints, certificate policies, policy mappings, policy constraints, extended key usage
/// and inhibit anyPolicy (observed on Envoy 1.40; critical key identifiers and CRL distribution points fail).
const HANDLED: [u8; 9] = [15, 17, 19, 30, 32, 33, 36, 37, 54];

/// The SCT list: 1.3.6.1.4.1.11129.2.4.2.
const LOGGED: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02];

/// Reads what is needed from a certificate's extensions.
pub(super) fn read(extensions: &[X509Extension<'_>]) -> Extensions {
    let mut out = Extensions::default();
    let mut seen: Vec<&[u8]> = Vec::with_capacity(extensions.len().min(32));
    for extension in extensions {
        let oid = extension.oid.as_bytes();
        let arc = match oid {
            [0x55, 0x1d, arc] => Some(*arc),
            _ => None,
        };
        if extension.critical && !arc.is_some_and(|arc| HANDLED.contains(&arc)) {
            out.unhandled_critical.push(dotted(oid));
        }
        out.logged |= oid == LOGGED;
        out.must_staple |= oid == TLS_FEATURE && extension.value == STATUS_REQUEST;
        let Some(arc) = arc else { continue };
        let sound = !seen.contains(&oid) && read_one(&mut out, arc, extension.value).is_some();
        if !sound {
            if arc == SUBJECT_ALT_NAME {
                // BoringSSL reports none if it can't be read, or if there are two.
                out.sans.clear();
            }
            let oid = dotted(oid);
            if !out.malformed.contains(&oid) {
                out.malformed.push(oid);
            }
        }
        if !seen.contains(&oid) {
            seen.push(oid);
        }
    }
    out
}

/// Reads one extension; `None` if it is damaged.
fn read_one(out: &mut Extensions, arc: u8, value: &[u8]) -> Option<()> {
    let mut reader = Reader::new(value);
    match arc {
        // An unreadable key usage allows nothing.
        KEY_USAGE => out.key_usage = Some(KeyUsage::default()),
        EXTENDED_KEY_USAGE => out.extended_key_usage = Some(ExtendedKeyUsage::default()),
        _ => {}
    }
    match arc {
        SUBJECT_ALT_NAME => out.sans = general_names(reader.enter(der::SEQUENCE)?)?,
        KEY_USAGE => out.key_usage = Some(key_usage(reader.expect(der::BIT_STRING)?)?),
        EXTENDED_KEY_USAGE => out.extended_key_usage = Some(extended_key_usage(reader.enter(der::SEQUENCE)?)?),
        BASIC_CONSTRAINTS => out.basic_constraints = Some(basic_constraints(reader.enter(der::SEQUENCE)?)?),
        SUBJECT_KEY_ID => out.subject_key_id = Some(reader.expect(der::OCTET_STRING)?.to_vec()),
        AUTHORITY_KEY_ID => {
            out.authority_key_id = reader.enter(der::SEQUENCE)?.expect(der::primitive(0)).map(<[u8]>::to_vec);
        }
        NAME_CONSTRAINTS => {
            out.name_constraints = true;
            reader.enter(der::SEQUENCE)?;
        }
        _ => return Some(()),
    }
    reader.is_empty().then_some(())
}

fn general_names(mut names: Reader<'_>) -> Option<Vec<San>> {
    const EMAIL: u8 = der::primitive(1);
    const DNS: u8 = der::primitive(2);
    const URI: u8 = der::primitive(6);
    const IP: u8 = der::primitive(7);
    let mut out = Vec::new();
    while !names.is_empty() {
        let (tag, content) = names.next()?;
        let text = || String::from_utf8_lossy(content).into_owned();
        out.push(match tag {
            EMAIL => San::Email(text()),
            DNS => San::Dns(text()),
            URI => San::Uri(text()),
            IP => match (<[u8; 4]>::try_from(content), <[u8; 16]>::try_from(content)) {
                (Ok(four), _) => San::Ip(four.into()),
                (_, Ok(sixteen)) => San::Ip(sixteen.into()),
                _ => San::Other("an IP address of the wrong length".to_owned()),
            },
            tag => San::Other(
                match tag & 0x1f {
                    0 => "otherName",
                    3 => "x400Address",
                    4 => "directoryName",
                    5 => "ediPartyName",
                    8 => "registeredID",
                    _ => return None,
                }
                .to_owned(),
            ),
        });
    }
    out.shrink_to_fit();
    Some(out)
}

fn key_usage(bits: &[u8]) -> Option<KeyUsage> {
    let (&unused, bytes) = bits.split_first()?;
    if unused > 7 || (bytes.is_empty() && unused > 0) {
        return None;
    }
    let bit = |at: usize| bytes.get(at / 8).is_some_and(|byte| byte & (0x80 >> (at % 8)) != 0);
    Some(KeyUsage {
        digital_signature: bit(0),
        content_commitment: bit(1),
        key_encipherment: bit(2),
        data_encipherment: bit(3),
        key_agreement: bit(4),
        key_cert_sign: bit(5),
        crl_sign: bit(6),
        encipher_only: bit(7),
        decipher_only: bit(8),
    })
}

fn extended_key_usage(mut purposes: Reader<'_>) -> Option<ExtendedKeyUsage> {
    let mut out = ExtendedKeyUsage::default();
    while !purposes.is_empty() {
        match purposes.expect(der::OBJECT_IDENTIFIER)? {
            [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01] => out.server_auth = true,
            [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02] => out.client_auth = true,
            [0x55, 0x1d, 0x25, 0x00] => out.any = true,
            other => out.others.push(dotted(other)),
        }
    }
    Some(out)
}

fn basic_constraints(mut reader: Reader<'_>) -> Option<BasicConstraints> {
    let ca = reader.expect(der::BOOLEAN).is_some_and(|value| value == [0xff]);
    let path_len = if reader.is_empty() {
        None
    } else {
        let length = reader.unsigned()?;
        // A length that doesn't fit is a limit that no chain reaches.
        Some(
            length
                .iter()
                .try_fold(0u32, |sum, &byte| Some(sum.checked_mul(256)? + u32::from(byte)))
                .unwrap_or(u32::MAX),
        )
    };
    reader.is_empty().then_some(BasicConstraints { ca, path_len })
}
