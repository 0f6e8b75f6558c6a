//! Forges certificates byte by byte, so that any of their parts can be odd: versions, kinds of string, key identifiers,
//! damaged extensions, algorithms of long ago. [`mint`](super::mint) is for the ordinary ones.

use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};

/// One DER value.
pub(crate) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut out = vec![tag];
    if content.len() < 0x80 {
        out.push(content.len() as u8);
    } else {
        let digits: Vec<u8> = content.len().to_be_bytes().into_iter().skip_while(|&byte| byte == 0).collect();
        out.push(0x80 | digits.len() as u8);
        out.extend(digits);
    }
    out.extend(content);
    out
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, parts)
}

pub(crate) fn oid(dotted: &str) -> Vec<u8> {
    let mut arcs = dotted.split('.').map(|arc| arc.parse::<u64>().expect("an arc"));
    let first = arcs.next().expect("an arc") * 40 + arcs.next().expect("two arcs");
    let mut out = Vec::new();
    for arc in std::iter::once(first).chain(arcs) {
        let groups = (1..10).take_while(|group| arc >> (7 * group) > 0).count();
        for group in (0..=groups).rev() {
            let more = if group > 0 { 0x80 } else { 0 };
            out.push((arc >> (7 * group)) as u8 & 0x7f | more);
        }
    }
    tlv(0x06, &[&out])
}

const UTF8_STRING: u8 = 0x0c;
pub(crate) const PRINTABLE_STRING: u8 = 0x13;
pub(crate) const IA5_STRING: u8 = 0x16;

/// A Name of these attributes, each a type, a kind of string and a value, each in an RDN of its own.
pub(crate) fn name(attributes: &[(&str, u8, &str)]) -> Vec<u8> {
    let names: Vec<Vec<u8>> = attributes
        .iter()
        .map(|(kind, tag, value)| tlv(0x31, &[&sequence(&[&oid(kind), &tlv(*tag, &[value.as_bytes()])])]))
        .collect();
    sequence(&names.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// A Name of one common name; an empty Name for an empty text.
pub(crate) fn common_name(text: &str) -> Vec<u8> {
    if text.is_empty() { name(&[]) } else { name(&[("2.5.4.3", UTF8_STRING, text)]) }
}

/// Kinds of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    P256,
    P384,
    Ed25519,
    /// By its number of bits. Of one length there are few, which are used in turn: making one takes long.
    Rsa(u32),
    /// Any other curve, as openssl calls it.
    Curve(&'static str),
}

/// A private key.
pub(crate) struct Key {
    kind: Kind,
    /// PKCS#8.
    pub(crate) pem: String,
    spki: Vec<u8>,
}

fn decoded(pem: &str) -> Vec<u8> {
    let text: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(text).expect("base64")
}

/// A PEM block.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Runs openssl and returns what it prints.
fn openssl(arguments: &[&str], files: &[(&str, &[u8])]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    for (file, content) in files {
        std::fs::write(folder.path().join(file), content).expect("a file");
    }
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .expect("openssl runs: install it (Debian: apt-get install openssl)");
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

impl Key {
    /// A key of this kind; a new one, but for RSA.
    pub(crate) fn new(kind: Kind) -> Arc<Self> {
        static RSA: LazyLock<Mutex<(Vec<Arc<Key>>, usize)>> = LazyLock::new(Mutex::default);
        const OF_ONE_LENGTH: usize = 6;
        let Kind::Rsa(bits) = kind else { return Arc::new(Self::generate(kind)) };
        let (keys, turn) = &mut *RSA.lock().expect("no test panics here");
        let of_kind: Vec<_> = keys.iter().filter(|key| key.kind == kind).collect();
        *turn += 1;
        if of_kind.len() >= OF_ONE_LENGTH || (bits > 4096 && !of_kind.is_empty()) {
            return Arc::clone(of_kind[*turn % of_kind.len()]);
        }
        let key = Arc::new(Self::generate(kind));
        keys.push(Arc::clone(&key));
        key
    }

    fn generate(kind: Kind) -> Self {
        let random = SystemRandom::new();
        let ecdsa = |algorithm| EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        let pem = match kind {
            Kind::P256 => pem("PRIVATE KEY", ecdsa(&signature::ECDSA_P256_SHA256_ASN1_SIGNING).as_ref()),
            Kind::P384 => pem("PRIVATE KEY", ecdsa(&signature::ECDSA_P384_SHA384_ASN1_SIGNING).as_ref()),
            Kind::Ed25519 => made(&["-algorithm", "ED25519"]),
            Kind::Rsa(bits) => made(&["-algorithm", "RSA", "-pkeyopt", &format!("rsa_keygen_bits:{bits}")]),
            Kind::Curve(curve) => made(&[
                "-algorithm",
                "EC",
                "-pkeyopt",
                &format!("ec_paramgen_curve:{curve}"),
                "-pkeyopt",
                "ec_param_enc:named_curve",
            ]),
        };
        let spki = match kind {
            Kind::P256 | Kind::P384 => {
                // The public key is the last value of the PKCS#8 that ring writes.
                let (curve, length) = match kind {
                    Kind::P256 => ("1.2.840.10045.3.1.7", 65),
                    _ => ("1.3.132.0.34", 97),
                };
                let pkcs8 = decoded(&pem);
                let point = &pkcs8[pkcs8.len() - length..];
                sequence(&[&sequence(&[&oid("1.2.840.10045.2.1"), &oid(curve)]), &tlv(0x03, &[&[0], point])])
            }
            _ => openssl(&["pkey", "-in", "key", "-pubout", "-outform", "DER"], &[("key", pem.as_bytes())]),
        };
        return Self { kind, pem, spki };

        fn made(arguments: &[&str]) -> String {
            String::from_utf8(openssl(&[&["genpkey"], arguments].concat(), &[])).expect("PEM")
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    fn sign(&self, with: Signature, tbs: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let pkcs8 = || decoded(&self.pem);
        match (self.kind, with) {
            (Kind::P256, Signature::Sha256) => {
                let algorithm = &signature::ECDSA_P256_SHA256_ASN1_SIGNING;
                let key = EcdsaKeyPair::from_pkcs8(algorithm, &pkcs8(), &random).expect("a key");
                key.sign(&random, tbs).expect("a signature").as_ref().to_vec()
            }
            (Kind::P384, Signature::Sha384) => {
                let algorithm = &signature::ECDSA_P384_SHA384_ASN1_SIGNING;
                let key = EcdsaKeyPair::from_pkcs8(algorithm, &pkcs8(), &random).expect("a key");
                key.sign(&random, tbs).expect("a signature").as_ref().to_vec()
            }
            (Kind::Ed25519, _) => {
                let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8()).expect("a key");
                key.sign(tbs).as_ref().to_vec()
            }
            (Kind::Rsa(2048..), Signature::Sha256) => {
                let key = RsaKeyPair::from_pkcs8(&pkcs8()).expect("a key");
                let mut out = vec![0; key.public().modulus_len()];
                key.sign(&signature::RSA_PKCS1_SHA256, &random, tbs, &mut out).expect("a signature");
                out
            }
            (_, with) => {
                let hash = format!("-{}", with.hash());
                let mut arguments = vec!["dgst", &hash, "-sign", "key"];
                if matches!(with, Signature::Pss(_)) {
                    arguments.extend(["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]);
                }
                arguments.push("tbs");
                openssl(&arguments, &[("key", self.pem.as_bytes()), ("tbs", tbs)])
            }
        }
    }

    /// SHA-1 over the public key, as key identifiers are made (RFC 5280, section 4.2.1.2).
    fn identifier(&self) -> Vec<u8> {
        let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &self.spki);
        digest.as_ref().to_vec()
    }
}

/// What a signature is made over, and for RSA how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signature {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
    /// RSASSA-PSS with the hash of this many bits, and a salt as long.
    Pss(u32),
}

impl Signature {
    /// What a key of this kind signs with if nobody says otherwise.
    fn usual_of(kind: Kind) -> Self {
        match kind {
            Kind::P384 => Self::Sha384,
            Kind::Curve("P-521") => Self::Sha512,
            _ => Self::Sha256,
        }
    }

    fn hash(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 | Self::Pss(256) => "sha256",
            Self::Sha384 | Self::Pss(384) => "sha384",
            Self::Sha512 | Self::Pss(_) => "sha512",
        }
    }

    fn identifier(self, key: Kind) -> Vec<u8> {
        const NULL: &[u8] = &[5, 0];
        let rsa = |last: u8| sequence(&[&oid(&format!("1.2.840.113549.1.1.{last}")), NULL]);
        let ecdsa = |last: &str| sequence(&[&oid(&format!("1.2.840.10045.4.{last}"))]);
        match (key, self) {
            (Kind::Ed25519, _) => sequence(&[&oid("1.3.101.112")]),
            (Kind::Rsa(_), Self::Md5) => rsa(4),
            (Kind::Rsa(_), Self::Sha1) => rsa(5),
            (Kind::Rsa(_), Self::Sha256) => rsa(11),
            (Kind::Rsa(_), Self::Sha384) => rsa(12),
            (Kind::Rsa(_), Self::Sha512) => rsa(13),
            (_, Self::Pss(bits)) => {
                let last = match bits {
                    256 => 1,
                    384 => 2,
                    _ => 3,
                };
                let hash = sequence(&[&oid(&format!("2.16.840.1.101.3.4.2.{last}")), NULL]);
                let mask = sequence(&[&oid("1.2.840.113549.1.1.8"), &hash]);
                let salt = tlv(0x02, &[&[(bits / 8) as u8]]);
                let parameters = sequence(&[&tlv(0xa0, &[&hash]), &tlv(0xa1, &[&mask]), &tlv(0xa2, &[&salt])]);
                sequence(&[&oid("1.2.840.113549.1.1.10"), &parameters])
            }
            (_, Self::Md5 | Self::Sha1) => ecdsa("1"),
            (_, Self::Sha256) => ecdsa("3.2"),
            (_, Self::Sha384) => ecdsa("3.3"),
            (_, Self::Sha512) => ecdsa("3.4"),
        }
    }
}

/// Bits of a key usage.
pub(crate) const DIGITAL_SIGNATURE: u16 = 0x8000;
pub(crate) const KEY_ENCIPHERMENT: u16 = 0x2000;
pub(crate) const KEY_AGREEMENT: u16 = 0x0800;
pub(crate) const CERT_SIGN: u16 = 0x0400;
pub(crate) const CRL_SIGN: u16 = 0x0200;

pub(crate) const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
pub(crate) const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";
pub(crate) const CODE_SIGNING: &str = "1.3.6.1.5.5.7.3.3";
pub(crate) const ANY_USAGE: &str = "2.5.29.37.0";

const SUBJECT_KEY_ID: &str = "2.5.29.14";
const KEY_USAGE: &str = "2.5.29.15";
const ALT_NAME: &str = "2.5.29.17";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const NAME_CONSTRAINTS: &str = "2.5.29.30";
const AUTHORITY_KEY_ID: &str = "2.5.29.35";
const EXTENDED_KEY_USAGE: &str = "2.5.29.37";

/// One GeneralName: `DNS:`, `URI:`, `email:` or `IP:` (addresses, or address/mask for a constraint), by its prefix.
pub(crate) fn general_name(text: &str) -> Vec<u8> {
    let (kind, value) = text.split_once(':').expect("a kind of name");
    match kind {
        "email" => tlv(0x81, &[value.as_bytes()]),
        "DNS" => tlv(0x82, &[value.as_bytes()]),
        "dir" => tlv(0xa4, &[&common_name(value)]),
        "URI" => tlv(0x86, &[value.as_bytes()]),
        "IP" => {
            let parts = value.split('/').map(|part| match part.parse().expect("an address") {
                std::net::IpAddr::V4(four) => four.octets().to_vec(),
                std::net::IpAddr::V6(six) => six.octets().to_vec(),
            });
            tlv(0x87, &[&parts.collect::<Vec<_>>().concat()])
        }
        other => panic!("{other} is no kind of name"),
    }
}

/// A certificate to be forged.
#[derive(Clone)]
pub(crate) struct Forge {
    version: u8,
    serial: u64,
    subject: Vec<u8>,
    key: Arc<Key>,
    /// Days from now.
    days: (i64, i64),
    extensions: Vec<(String, bool, Vec<u8>)>,
    /// Whether it carries key identifiers.
    identified: bool,
    signature: Option<Signature>,
    issuer: Option<Vec<u8>>,
}

/// A forged certificate with its key.
#[derive(Clone)]
pub(crate) struct Forged {
    pub(crate) der: Vec<u8>,
    pub(crate) key: Arc<Key>,
    pub(crate) subject: Vec<u8>,
    issuer: Vec<u8>,
    serial: u64,
    identified: bool,
}

impl Forged {
    pub(crate) fn pem(&self) -> String {
        pem("CERTIFICATE", &self.der)
    }

    /// An authority key identifier that means this certificate by issuer and serial number.
    pub(crate) fn by_serial(&self, serial: u64) -> Vec<u8> {
        let names = tlv(0xa1, &[&tlv(0xa4, &[&self.issuer])]);
        sequence(&[&names, &tlv(0x82, &[&integer(serial)])])
    }

    pub(crate) fn serial(&self) -> u64 {
        self.serial
    }
}

fn integer(number: u64) -> Vec<u8> {
    let bytes: Vec<u8> = number.to_be_bytes().into_iter().skip_while(|&byte| byte == 0).collect();
    if bytes.first().is_none_or(|&first| first >= 0x80) { [&[0], bytes.as_slice()].concat() } else { bytes }
}

impl Forge {
    fn new(subject: Vec<u8>) -> Self {
        use std::sync::atomic::{AtomicU64, Ordering};
        static SERIAL: AtomicU64 = AtomicU64::new(0x1000);
        Self {
            version: 3,
            serial: SERIAL.fetch_add(1, Ordering::Relaxed),
            subject,
            key: Key::new(Kind::P256),
            days: (-2, 90),
            extensions: Vec::new(),
            identified: true,
            signature: None,
            issuer: None,
        }
    }

    /// An authority: CA, may sign certificates and revocation lists.
    pub(crate) fn authority(common_name: &str) -> Self {
        Self::new(self::common_name(common_name)).ca(true, None).key_usage(CERT_SIGN | CRL_SIGN).days(-30, 3650)
    }

    /// A leaf with these names (`DNS:…`, or a bare DNS name), the first as its CN: digitalSignature, for servers and
    /// clients.
    pub(crate) fn leaf(names: &[&str]) -> Self {
        let first = names.first().map_or("leaf", |name| name.trim_start_matches("DNS:"));
        Self::new(self::common_name(first))
            .names(names)
            .key_usage(DIGITAL_SIGNATURE)
            .usages(&[SERVER_AUTH, CLIENT_AUTH])
            .ca(false, None)
    }

    pub(crate) fn subject(mut self, name: Vec<u8>) -> Self {
        self.subject = name;
        self
    }

    pub(crate) fn key(mut self, kind: Kind) -> Self {
        self.key = Key::new(kind);
        self
    }

    /// With the key of another.
    pub(crate) fn key_of(mut self, other: &Forged) -> Self {
        self.key = Arc::clone(&other.key);
        self
    }

    pub(crate) fn days(mut self, from: i64, to: i64) -> Self {
        self.days = (from, to);
        self
    }

    pub(crate) fn signed_with(mut self, signature: Signature) -> Self {
        self.signature = Some(signature);
        self
    }

    /// Without key identifiers, its own and its issuer's.
    pub(crate) fn unidentified(mut self) -> Self {
        self.identified = false;
        self
    }

    /// With another name for its issuer than the issuer's.
    pub(crate) fn issuer_name(mut self, name: Vec<u8>) -> Self {
        self.issuer = Some(name);
        self
    }

    /// Of version 1: without extensions.
    pub(crate) fn version_1(mut self) -> Self {
        self.version = 1;
        self.extensions.clear();
        self.identified = false;
        self
    }

    /// With this extension, in the place of another of its kind.
    pub(crate) fn extension(self, kind: &str, critical: bool, value: Vec<u8>) -> Self {
        let mut out = self.without(kind);
        out.extensions.push((kind.to_owned(), critical, value));
        out
    }

    /// With this extension once more.
    pub(crate) fn also(mut self, kind: &str, critical: bool, value: Vec<u8>) -> Self {
        self.extensions.push((kind.to_owned(), critical, value));
        self
    }

    pub(crate) fn without(mut self, kind: &str) -> Self {
        self.extensions.retain(|(known, ..)| known != kind);
        self
    }

    pub(crate) fn ca(self, ca: bool, path_length: Option<u64>) -> Self {
        let ca: &[u8] = if ca { &[1, 1, 0xff] } else { &[] };
        let length = path_length.map(|length| tlv(0x02, &[&integer(length)])).unwrap_or_default();
        self.extension(BASIC_CONSTRAINTS, true, sequence(&[ca, &length]))
    }

    pub(crate) fn without_basic_constraints(self) -> Self {
        self.without(BASIC_CONSTRAINTS)
    }

    /// With exactly these bits; without the extension for none.
    pub(crate) fn key_usage(self, bits: u16) -> Self {
        if bits == 0 {
            return self.without(KEY_USAGE);
        }
        let [high, low] = bits.to_be_bytes();
        let bytes: &[u8] = if low == 0 { &[high] } else { &[high, low] };
        let unused = bytes.last().map_or(0, |byte| byte.trailing_zeros() as u8);
        self.extension(KEY_USAGE, true, tlv(0x03, &[&[unused], bytes]))
    }

    /// With exactly these extended key usages; without the extension for none.
    pub(crate) fn usages(self, oids: &[&str]) -> Self {
        if oids.is_empty() {
            return self.without(EXTENDED_KEY_USAGE);
        }
        let oids: Vec<u8> = oids.iter().flat_map(|usage| oid(usage)).collect();
        self.extension(EXTENDED_KEY_USAGE, false, sequence(&[&oids]))
    }

    /// With exactly these names; without the extension for none.
    pub(crate) fn names(self, names: &[&str]) -> Self {
        if names.is_empty() {
            return self.without(ALT_NAME);
        }
        let names: Vec<u8> = names
            .iter()
            .flat_map(|name| if name.contains(':') { general_name(name) } else { general_name(&format!("DNS:{name}")) })
            .collect();
        self.extension(ALT_NAME, false, sequence(&[&names]))
    }

    /// With name constraints, each a GeneralName.
    pub(crate) fn constraints(self, permitted: &[&str], excluded: &[&str]) -> Self {
        let list = |tag, names: &[&str]| match names {
            [] => Vec::new(),
            names => tlv(tag, &[&names.iter().flat_map(|name| sequence(&[&general_name(name)])).collect::<Vec<u8>>()]),
        };
        self.extension(NAME_CONSTRAINTS, true, sequence(&[&list(0xa0, permitted), &list(0xa1, excluded)]))
    }

    pub(crate) fn self_signed(self) -> Forged {
        self.forge(None)
    }

    pub(crate) fn issued_by(self, issuer: &Forged) -> Forged {
        self.forge(Some(issuer))
    }

    fn forge(self, issuer: Option<&Forged>) -> Forged {
        let key = Arc::clone(issuer.map_or(&self.key, |issuer| &issuer.key));
        let signature = self.signature.unwrap_or(Signature::usual_of(key.kind));
        let issuer_name = self.issuer.clone().unwrap_or_else(|| match issuer {
            Some(issuer) => issuer.subject.clone(),
            None => self.subject.clone(),
        });
        let mut extensions = self.extensions.clone();
        if self.identified {
            extensions.push((SUBJECT_KEY_ID.to_owned(), false, tlv(0x04, &[&self.key.identifier()])));
            if issuer.is_none_or(|issuer| issuer.identified) && !has(&extensions, AUTHORITY_KEY_ID) {
                let value = sequence(&[&tlv(0x80, &[&key.identifier()])]);
                extensions.push((AUTHORITY_KEY_ID.to_owned(), false, value));
            }
        }
        let list: Vec<u8> = extensions
            .iter()
            .flat_map(|(kind, critical, value)| {
                let critical: &[u8] = if *critical { &[1, 1, 0xff] } else { &[] };
                sequence(&[&oid(kind), critical, &tlv(0x04, &[value])])
            })
            .collect();
        let extensions = if list.is_empty() { Vec::new() } else { tlv(0xa3, &[&sequence(&[&list])]) };
        let version = if self.version == 1 { Vec::new() } else { tlv(0xa0, &[&tlv(0x02, &[&[self.version - 1]])]) };
        let algorithm = signature.identifier(key.kind);
        let tbs = sequence(&[
            &version,
            &tlv(0x02, &[&integer(self.serial)]),
            &algorithm,
            &issuer_name,
            &sequence(&[&time(self.days.0), &time(self.days.1)]),
            &self.subject,
            &self.key.spki,
            &extensions,
        ]);
        let made = key.sign(signature, &tbs);
        let der = sequence(&[&tbs, &algorithm, &tlv(0x03, &[&[0], &made])]);
        Forged {
            der,
            key: self.key,
            subject: self.subject,
            issuer: issuer_name,
            serial: self.serial,
            identified: self.identified,
        }
    }
}

fn has(extensions: &[(String, bool, Vec<u8>)], kind: &str) -> bool {
    extensions.iter().any(|(known, ..)| known == kind)
}

/// A GeneralizedTime, or a UTCTime before 2050, so many days from now.
fn time(days: i64) -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() as i64;
    let at = jiff::Timestamp::from_second(now + days * 24 * 60 * 60).expect("a time");
    let at = at.strftime("%Y%m%d%H%M%SZ").to_string();
    if at.as_str() < "2050" { tlv(0x17, &[&at.as_bytes()[2..]]) } else { tlv(0x18, &[at.as_bytes()]) }
}

/// A revocation list of this authority, valid between two points in time, in days from now, as PEM. It revokes these serial
/// numbers.
pub(crate) fn revocation_list(issuer: &Forged, revoked: &[u64], (from, to): (i64, i64)) -> String {
    ForgedList::of(issuer).revokes(revoked).days(from, Some(to)).pem()
}

/// A revocation list, odd ones included.
#[derive(Clone)]
pub(crate) struct ForgedList {
    subject: Vec<u8>,
    key: Arc<Key>,
    revoked: Vec<u64>,
    days: (i64, Option<i64>),
    extensions: Vec<(String, bool, Vec<u8>)>,
    entry_extensions: Vec<(String, bool, Vec<u8>)>,
}

impl ForgedList {
    /// Of this authority, of which nothing is revoked, from ten days ago for 30 days.
    pub(crate) fn of(issuer: &Forged) -> Self {
        let authority = sequence(&[&tlv(0x80, &[&issuer.key.identifier()])]);
        Self {
            subject: issuer.subject.clone(),
            key: Arc::clone(&issuer.key),
            revoked: Vec::new(),
            days: (-10, Some(20)),
            extensions: vec![
                (AUTHORITY_KEY_ID.to_owned(), false, authority),
                ("2.5.29.20".to_owned(), false, tlv(0x02, &[&integer(1)])),
            ],
            entry_extensions: Vec::new(),
        }
    }

    pub(crate) fn revokes(mut self, serials: &[u64]) -> Self {
        self.revoked.extend(serials);
        self
    }

    /// From when to when it holds, in days from now.
    pub(crate) fn days(mut self, from: i64, to: Option<i64>) -> Self {
        self.days = (from, to);
        self
    }

    /// Signed by this key instead of its issuer's.
    pub(crate) fn signed_by(mut self, other: &Forged) -> Self {
        self.key = Arc::clone(&other.key);
        self
    }

    /// Without an authority key identifier.
    pub(crate) fn unidentified(mut self) -> Self {
        self.extensions.retain(|(kind, ..)| kind != AUTHORITY_KEY_ID);
        self
    }

    /// With this extension, in the place of its like.
    pub(crate) fn extension(mut self, kind: &str, critical: bool, value: Vec<u8>) -> Self {
        self.extensions.retain(|(known, ..)| known != kind);
        self.extensions.push((kind.to_owned(), critical, value));
        self
    }

    /// Each entry has this extension.
    pub(crate) fn of_entries(mut self, kind: &str, critical: bool, value: Vec<u8>) -> Self {
        self.entry_extensions.push((kind.to_owned(), critical, value));
        self
    }

    pub(crate) fn pem(&self) -> String {
        let key = &self.key;
        let signature = Signature::usual_of(key.kind);
        let algorithm = signature.identifier(key.kind);
        let listed = |extensions: &[(String, bool, Vec<u8>)]| -> Vec<u8> {
            let one = |(kind, critical, value): &(String, bool, Vec<u8>)| {
                let critical = if *critical { vec![1, 1, 0xff] } else { Vec::new() };
                sequence(&[&oid(kind), &critical, &tlv(0x04, &[value])])
            };
            let all: Vec<u8> = extensions.iter().flat_map(one).collect();
            if all.is_empty() { all } else { sequence(&[&all]) }
        };
        let odd = listed(&self.entry_extensions);
        let entry = |serial: &u64| sequence(&[&tlv(0x02, &[&integer(*serial)]), &time(self.days.0), &odd]);
        let entries: Vec<u8> = self.revoked.iter().flat_map(entry).collect();
        let entries = if entries.is_empty() { Vec::new() } else { sequence(&[&entries]) };
        let extensions = listed(&self.extensions);
        let extensions = if extensions.is_empty() { extensions } else { tlv(0xa0, &[&extensions]) };
        let tbs = sequence(&[
            &tlv(0x02, &[&[1]]),
            &algorithm,
            &self.subject,
            &time(self.days.0),
            &self.days.1.map(time).unwrap_or_default(),
            &entries,
            &extensions,
        ]);
        let made = key.sign(signature, &tbs);
        pem("X509 CRL", &sequence(&[&tbs, &algorithm, &tlv(0x03, &[&[0], &made])]))
    }
}
