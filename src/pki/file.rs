//! The contents of one file, for each use that a proxy could make of it.

use std::convert::Infallible;
use std::sync::{Arc, LazyLock};

use super::broken_block::{BlockFault, BrokenBlock};
use super::certificate::Certificate;
use super::certificate_error::CertificateError;
use super::chain::{Bundle, Chain};
use super::der::{self, Reader};
use super::ignored::{IgnoredBlock, IgnoredReason};
use super::instead::{NotPem, OtherBlock};
use super::pem::{self, Block, Headers, MAX_BLOCKS, PassedOver, PassedOverBecause, Scan, ScanEnd};
use super::pool::{Pool, Shared, Ticket};
use super::private_key::{self, PrivateKeyFacts};
use super::problem::{BAD_PASSWORD_READ, CertificateFileError, CertificateProblem, PrivateKeyError, Purpose, TooMuch};
use super::revocation::RevocationList;
use super::shape;

/// The largest file that is read. A Secret or ConfigMap holds at most one mebibyte.
pub(crate) const MAX_FILE_BYTES: usize = 8 << 20;

/// The contents of one file, parsed once when the bytes arrive; without any part of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFacts {
    /// Length in bytes.
    pub size: usize,
    /// Read as `certificateChain` of a certificate.
    pub chain: Result<Chain, CertificateFileError>,
    /// Read as `certificateChain` of `trust.file`.
    pub bundle: Result<Bundle, CertificateFileError>,
    /// Read as `privateKey`.
    pub key: Result<PrivateKeyFacts, PrivateKeyError>,
    /// Whether a private key begins at the start of any line.
    pub carries_private_key: bool,
    /// Certificates that Envoy silently drops, in file order. Of little use if the file can't be read anyway.
    pub ignored: Vec<IgnoredBlock>,
    pub(super) ticket: Ticket<Self>,
}

impl Shared for FileFacts {
    fn ticket(&mut self) -> &mut Ticket<Self> {
        &mut self.ticket
    }
}

impl FileFacts {
    /// Reads a file. Never panics; cheap if the bytes aren't PEM.
    pub fn parse(bytes: &[u8]) -> Self {
        Self::parse_in(None, bytes)
    }

    /// The same, shared: bytes that anybody holds the facts of already aren't parsed again, nor is any certificate among them.
    pub(crate) fn shared(bytes: &[u8]) -> Arc<Self> {
        Self::shared_in(&OF_PROCESS, bytes)
    }

    pub(super) fn shared_in(pools: &'static Pools, bytes: &[u8]) -> Arc<Self> {
        let Ok(facts) = pools.files.get(bytes, || Ok::<_, Infallible>(Self::parse_in(Some(pools), bytes)));
        facts
    }

    fn parse_in(pools: Option<&'static Pools>, bytes: &[u8]) -> Self {
        let size = bytes.len();
        if size > MAX_FILE_BYTES {
            return Self::too_much(size, TooMuch::Bytes { size, limit: MAX_FILE_BYTES });
        }
        let scan = pem::scan(bytes);
        let file =
            File { bytes, certificates: scan.blocks.iter().map(|block| Parsed::of(block, pools)).collect(), scan };
        let error = |purpose| move |problem| CertificateFileError { purpose, problem };
        Self {
            size,
            chain: file.chain().map_err(error(Purpose::Chain)),
            bundle: file.bundle().map_err(error(Purpose::Bundle)),
            key: file.key(),
            carries_private_key: pem::begins_private_key(bytes),
            ignored: file.ignored(),
            ticket: Ticket::default(),
        }
    }

    fn too_much(size: usize, limit: TooMuch) -> Self {
        let error = |purpose| CertificateFileError { purpose, problem: limit.into() };
        Self {
            size,
            chain: Err(error(Purpose::Chain)),
            bundle: Err(error(Purpose::Bundle)),
            key: Err(limit.into()),
            carries_private_key: false,
            ignored: Vec::new(),
            ticket: Ticket::default(),
        }
    }
}

/// The files and certificates that are in use.
#[derive(Default)]
pub(super) struct Pools {
    pub(super) files: Pool<FileFacts>,
    pub(super) certificates: Pool<Certificate>,
}

/// Those of this process.
static OF_PROCESS: LazyLock<Pools> = LazyLock::new(Pools::default);

/// A block's certificate, parsed once for all uses.
enum Parsed {
    /// The certificate, and whether the rest of the block is valid as OpenSSL's trust settings.
    Certificate(Arc<Certificate>, Trailing),
    Damaged(CertificateError),
    /// Not labelled a certificate.
    Other,
}

/// What follows a certificate within its block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trailing {
    Nothing,
    TrustSettings,
    Garbage,
}

const TRUSTED: &str = "TRUSTED CERTIFICATE";

fn is_certificate_label(label: &str) -> bool {
    matches!(label, "CERTIFICATE" | "X509 CERTIFICATE" | TRUSTED)
}

impl Parsed {
    fn of(block: &Block, pools: Option<&'static Pools>) -> Self {
        if !is_certificate_label(&block.label) {
            return Self::Other;
        }
        if let Some(pools) = pools
            && let Ok(certificate) = pools.certificates.get(&block.der, || Certificate::parse_der(&block.der))
        {
            return Self::Certificate(certificate, Trailing::Nothing);
        }
        match Certificate::parse_first(&block.der) {
            Err(error) => Self::Damaged(error),
            Ok((certificate, rest)) => {
                let trailing = match rest {
                    [] => Trailing::Nothing,
                    rest if is_trust_settings(rest) => Trailing::TrustSettings,
                    _ => Trailing::Garbage,
                };
                Self::Certificate(Arc::new(certificate), trailing)
            }
        }
    }
}

/// Whether these bytes start like OpenSSL's `CertAux`: trusted purposes, rejected purposes, alias, key identifier, other.
fn is_trust_settings(bytes: &[u8]) -> bool {
    let Some(mut settings) = Reader::new(bytes).enter(der::SEQUENCE) else {
        return false;
    };
    let mut are_purposes = true;
    for list in [der::SEQUENCE, der::constructed(0)] {
        let mut purposes = settings.enter(list).unwrap_or(Reader::new(&[]));
        while are_purposes && !purposes.is_empty() {
            are_purposes = purposes.expect(der::OBJECT_IDENTIFIER).is_some();
        }
    }
    for rest in [der::UTF8_STRING, der::OCTET_STRING, der::constructed(1)] {
        settings.expect(rest);
    }
    are_purposes && settings.is_empty()
}

/// A file split into blocks.
struct File<'a> {
    bytes: &'a [u8],
    scan: Scan,
    /// One for each block.
    certificates: Vec<Parsed>,
}

impl File<'_> {
    fn blocks(&self) -> impl Iterator<Item = (&Block, &Parsed)> {
        self.scan.blocks.iter().zip(&self.certificates)
    }

    /// Like `PEM_read_bio_X509_AUX` for the leaf, then `PEM_read_bio_X509` for the rest.
    fn chain(&self) -> Result<Chain, CertificateProblem> {
        let mut certificates: Vec<Arc<Certificate>> = Vec::new();
        for (block, parsed) in self.blocks() {
            let first = certificates.is_empty();
            if block.label == TRUSTED && !first {
                continue;
            }
            // After the leaf only trust settings are allowed; after the others anything is ignored.
            certificates.extend(certificate(block, parsed, first)?);
        }
        self.check_end::<CertificateProblem>()?;
        Chain::new(certificates).ok_or_else(|| self.without_certificate())
    }

    /// Like `PEM_X509_INFO_read_bio`, which also requires that revocation lists and old-style keys can be read.
    fn bundle(&self) -> Result<Bundle, CertificateProblem> {
        let (mut certificates, mut lists) = (Vec::new(), Vec::new());
        for (block, parsed) in self.blocks() {
            certificates.extend(certificate(block, parsed, block.label == TRUSTED)?);
            if block.label == "X509 CRL" {
                plain(block)?;
                let list = RevocationList::parse(&block.der);
                lists.push(Arc::new(list.ok_or_else(|| broken(block, BlockFault::RevocationList))?));
            } else if private_key::is_traditional_label(&block.label) && block.headers != Headers::Encrypted {
                private_key::check_in_bundle(block)?;
            }
        }
        self.check_end::<CertificateProblem>()?;
        Bundle::new(certificates, lists).ok_or_else(|| self.without_certificate())
    }

    /// Like `PEM_read_bio_PrivateKey`: the first block labelled as a key decides.
    fn key(&self) -> Result<PrivateKeyFacts, PrivateKeyError> {
        if let Some(block) = self.scan.blocks.iter().find(|block| private_key::is_key_label(&block.label)) {
            return private_key::read(block);
        }
        self.check_end::<PrivateKeyError>()?;
        let Some(first) = self.scan.blocks.first() else {
            return Err(if self.bytes.is_empty() {
                PrivateKeyError::Empty
            } else {
                shape::name(self.bytes, &self.scan.passed_over).into()
            });
        };
        // A key whose BEGIN isn't recognized explains more than the other blocks.
        if let Some(key) = self.scan.passed_over.iter().find(|begin| private_key::is_key_label(&begin.label)) {
            return Err(NotPem::from(key).into());
        }
        let line = first.line;
        Err(match OtherBlock::of(&first.label) {
            OtherBlock::PublicKey => PrivateKeyError::PublicKey { line },
            OtherBlock::Certificate => PrivateKeyError::CertificateOnly { line },
            found => PrivateKeyError::OtherBlock { found, line },
        })
    }

    /// The problem of a file whose blocks are all intact, but none a certificate.
    fn without_certificate(&self) -> CertificateProblem {
        if self.bytes.is_empty() {
            return CertificateProblem::Empty;
        }
        let passed_over = &self.scan.passed_over;
        match (self.scan.blocks.first(), passed_over.iter().find(|begin| is_certificate_label(&begin.label))) {
            (None, _) => shape::name(self.bytes, passed_over).into(),
            (Some(_), Some(begin)) => NotPem::from(begin).into(),
            (Some(block), None) => {
                CertificateProblem::NoCertificate { found: OtherBlock::of(&block.label), line: block.line }
            }
        }
    }

    fn check_end<E: From<BrokenBlock> + From<TooMuch>>(&self) -> Result<(), E> {
        match &self.scan.end {
            ScanEnd::EndOfFile => Ok(()),
            ScanEnd::Broken(block) => Err(block.clone().into()),
            ScanEnd::TooManyBlocks => Err(TooMuch::Blocks { limit: MAX_BLOCKS }.into()),
        }
    }

    fn ignored(&self) -> Vec<IgnoredBlock> {
        let passed_over = self.scan.passed_over.iter().filter_map(|begin| {
            let PassedOver { number, line, ref label, reason } = *begin;
            let worth_a_word = is_certificate_label(label) || OtherBlock::of(label) == OtherBlock::Pkcs7;
            worth_a_word.then(|| IgnoredBlock { number, line, label: label.clone(), reason: reason.into() })
        });
        let first = self.scan.blocks.iter().position(|block| is_certificate_label(&block.label));
        let dropped = self.scan.blocks.iter().enumerate().filter_map(|(at, block)| {
            let reason = match OtherBlock::of(&block.label) {
                OtherBlock::Pkcs7 => IgnoredReason::Pkcs7,
                _ if block.label == TRUSTED && first != Some(at) => IgnoredReason::TrustedLabel,
                _ => return None,
            };
            Some(IgnoredBlock { number: block.number, line: block.line, label: block.label.clone(), reason })
        });
        let mut ignored: Vec<_> = passed_over.chain(dropped).collect();
        ignored.sort_by_key(|block| block.number);
        ignored
    }
}

/// The certificate of a block, if it is labelled as one. `with_settings`: OpenSSL's trust settings may follow it,
/// but nothing else.
fn certificate(
    block: &Block,
    parsed: &Parsed,
    with_settings: bool,
) -> Result<Option<Arc<Certificate>>, CertificateProblem> {
    if matches!(parsed, Parsed::Other) {
        return Ok(None);
    }
    plain(block)?;
    match parsed {
        Parsed::Certificate(_, Trailing::Garbage) if with_settings => {
            Err(broken(block, BlockFault::TrailingBytes).into())
        }
        Parsed::Certificate(certificate, _) => Ok(Some(Arc::clone(certificate))),
        Parsed::Damaged(error) => Err(broken(block, BlockFault::Certificate(error.clone())).into()),
        Parsed::Other => Ok(None),
    }
}

/// Rejects a block with headers: certificates have none.
fn plain(block: &Block) -> Result<(), BrokenBlock> {
    match block.headers {
        Headers::None => Ok(()),
        Headers::Bad(cause) => Err(broken(block, BlockFault::Headers { cause })),
        Headers::Encrypted => Err(broken(block, BlockFault::Headers { cause: BAD_PASSWORD_READ })),
    }
}

fn broken(block: &Block, fault: BlockFault) -> BrokenBlock {
    BrokenBlock { number: block.number, line: block.line, label: block.label.clone(), fault }
}

impl From<&PassedOver> for NotPem {
    fn from(begin: &PassedOver) -> Self {
        let line = begin.line;
        match begin.reason {
            PassedOverBecause::ByteOrderMark => Self::ByteOrderMark { line },
            PassedOverBecause::Indented => Self::Indented { line },
            PassedOverBecause::AfterText => Self::AfterText { line },
            PassedOverBecause::AfterNul => Self::AfterNul { line },
            PassedOverBecause::CarriageReturns => Self::CarriageReturns,
            PassedOverBecause::Malformed => Self::MalformedBegin { line },
        }
    }
}
