//! Mints certificates: authorities and leaves with any names, dates, usages and kinds of key.

use std::io::Write;
use std::net::IpAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SubjectPublicKeyInfo,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The time `days` from now; before now if negative.
fn in_days(days: i64) -> SystemTime {
    let span = DAY * u32::try_from(days.unsigned_abs()).expect("a span of days");
    if days < 0 { SystemTime::now() - span } else { SystemTime::now() + span }
}

/// A certificate authority: a self-signed root with a P-256 key, valid for ten years.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new(common_name: &str) -> Self {
        let key = KeyPair::generate().expect("a P-256 key");
        let params = authority_params(common_name, -30, 3650);
        Self { issuer: CertifiedIssuer::self_signed(params, key).expect("a root") }
    }

    /// An authority below this one, valid between two points in time, in days from now.
    pub(crate) fn intermediate(&self, common_name: &str, from: i64, to: i64) -> Self {
        let key = KeyPair::generate().expect("a P-256 key");
        let mut params = authority_params(common_name, from, to);
        params.use_authority_key_identifier_extension = true;
        Self { issuer: CertifiedIssuer::signed_by(params, key, &self.issuer).expect("an intermediate") }
    }

    /// The root, as PEM: what a trust bundle holds.
    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Its private key, PKCS#8: for what openssl has to issue.
    pub(crate) fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// A leaf for `names`, to be altered and then [issued](Leaf::issue): P-256, valid from yesterday for 90 days, for servers
    /// and clients, the first name as its CN too. A name with `://` is a URI.
    pub(crate) fn leaf(&self, names: &[&str]) -> Leaf<'_> {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names.iter().map(|name| san(name)).collect();
        params.distinguished_name = DistinguishedName::new();
        if let Some(name) = names.first().filter(|name| name.len() <= 64) {
            params.distinguished_name.push(DnType::CommonName, *name);
        }
        params.not_before = in_days(-1).into();
        params.not_after = in_days(90).into();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        Leaf { authority: self, params, key: Key::P256 }
    }
}

fn authority_params(common_name: &str, from: i64, to: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = in_days(from).into();
    params.not_after = in_days(to).into();
    params
}

fn san(name: &str) -> SanType {
    let text = name.try_into().expect("an ASCII name");
    if name.contains("://") { SanType::URI(text) } else { SanType::DnsName(text) }
}

/// Kinds of key. Those that ring can't make are made by openssl.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    P256,
    P384,
    Ed25519,
    P521,
    Rsa(u32),
}

/// A leaf to be issued.
pub(crate) struct Leaf<'a> {
    authority: &'a Authority,
    params: CertificateParams,
    key: Key,
}

impl Leaf<'_> {
    /// With this CN; none at all if empty.
    pub(crate) fn common_name(mut self, name: &str) -> Self {
        self.params.distinguished_name = DistinguishedName::new();
        if !name.is_empty() {
            self.params.distinguished_name.push(DnType::CommonName, name);
        }
        self
    }

    /// With this address among its names.
    pub(crate) fn address(mut self, address: IpAddr) -> Self {
        self.params.subject_alt_names.push(SanType::IpAddress(address));
        self
    }

    /// Valid between two points in time, in days from now.
    pub(crate) fn valid(mut self, from: i64, to: i64) -> Self {
        self.params.not_before = in_days(from).into();
        self.params.not_after = in_days(to).into();
        self
    }

    /// With these extended key usages; without the extension if empty.
    pub(crate) fn extended_usages(mut self, usages: &[ExtendedKeyUsagePurpose]) -> Self {
        self.params.extended_key_usages = usages.to_vec();
        self
    }

    /// With the demand for an OCSP response: the TLS feature status_request (RFC 7633).
    pub(crate) fn must_staple(mut self) -> Self {
        let feature = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 24], vec![0x30, 3, 2, 1, 5]);
        self.params.custom_extensions.push(feature);
        self
    }

    /// With these key usages.
    pub(crate) fn key_usages(mut self, usages: &[KeyUsagePurpose]) -> Self {
        self.params.key_usages = usages.to_vec();
        self
    }

    /// With the proof that it stands in public logs, as those of public authorities have it; its content is read by nobody here.
    pub(crate) fn logged(mut self) -> Self {
        let oid = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];
        self.params.custom_extensions.push(CustomExtension::from_oid_content(&oid, vec![4, 2, 0, 0]));
        self
    }

    pub(crate) fn key(mut self, key: Key) -> Self {
        self.key = key;
        self
    }

    pub(crate) fn issue(self) -> Issued {
        let key = match self.key {
            Key::P256 => KeyPair::generate().expect("a key").serialize_pem(),
            Key::P384 => ring_key(&rcgen::PKCS_ECDSA_P384_SHA384),
            Key::Ed25519 => openssl_key(&["-algorithm", "ED25519"]),
            Key::P521 => openssl_key(&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"]),
            Key::Rsa(bits) => {
                let bits = format!("rsa_keygen_bits:{bits}");
                openssl_key(&["-algorithm", "RSA", "-pkeyopt", &bits])
            }
        };
        let public = openssl(&["pkey", "-pubout"], &key);
        let public = SubjectPublicKeyInfo::from_pem(&public).expect("a public key");
        let leaf = self.sign(&public);
        Issued { chain: format!("{leaf}{}", self.authority.pem()), certificate: leaf, key }
    }

    fn sign(&self, public: &impl PublicKeyData) -> String {
        let certificate = self.params.signed_by(public, &self.authority.issuer);
        certificate.expect("a leaf").pem()
    }
}

fn ring_key(algorithm: &'static rcgen::SignatureAlgorithm) -> String {
    let key = KeyPair::generate_for(algorithm);
    key.expect("a key").serialize_pem()
}

fn openssl_key(arguments: &[&str]) -> String {
    openssl(&[&["genpkey"], arguments].concat(), "")
}

/// Runs openssl and returns what it prints.
pub(crate) fn openssl(arguments: &[&str], input: &str) -> String {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("openssl runs: install it (Debian: apt-get install openssl)");
    let mut stdin = child.stdin.take().expect("its standard input");
    stdin.write_all(input.as_bytes()).expect("openssl reads");
    drop(stdin);
    let output = child.wait_with_output().expect("openssl ends");
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("PEM")
}

/// A certificate that was issued, each part in PEM.
#[derive(Clone)]
pub(crate) struct Issued {
    /// The leaf alone.
    pub(crate) certificate: String,
    /// The leaf, then the root that issued it.
    pub(crate) chain: String,
    /// The private key, PKCS#8.
    pub(crate) key: String,
}
