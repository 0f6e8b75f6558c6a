//! Why Envoy does not load a file, with what stands there instead, what the proxy logs and how to mend it.
//!
//! Nothing here carries content of a file: a label and a line number are all the evidence, since what is in the wrong
//! place may be a key.

use thiserror::Error;

use super::certificate::CertificateError;
use super::private_key::KeyFault;

/// What a certificate file is read as, which decides how it is read and what Envoy logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// `certificateChain` of a certificate that the proxy presents.
    Chain,
    /// `certificateChain` of `trust.file`: the authorities that the proxy trusts.
    Bundle,
}

/// A file that Envoy does not load as certificates.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{problem}")]
pub struct CertificateFileError {
    /// What the file was read as.
    pub purpose: Purpose,
    /// What is wrong with it.
    pub problem: CertificateProblem,
}

/// What is wrong with a certificate file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CertificateProblem {
    /// No byte at all.
    #[error("the file is empty")]
    Empty,
    /// Nothing that begins a PEM block.
    #[error(transparent)]
    NotPem(#[from] NotPem),
    /// Whole blocks, but none of them a certificate.
    #[error("the file holds no certificate, only {found} (line {line})")]
    NoCertificate {
        /// What the first block is.
        found: OtherBlock,
        /// Line of its BEGIN.
        line: usize,
    },
    /// One block that can't be read, which makes Envoy refuse the whole file.
    #[error(transparent)]
    Corrupt(#[from] BrokenBlock),
    /// More than meshvet reads.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
}

impl CertificateFileError {
    /// What Envoy logs when it refuses the configuration because of this file.
    pub fn envoy_log(&self, path: &str) -> String {
        match (&self.problem, self.purpose) {
            (CertificateProblem::Empty, Purpose::Chain) => {
                format!("Failed to load incomplete certificate from {path}: certificate chain not set")
            }
            (CertificateProblem::Empty, Purpose::Bundle) => format!("file {path} is empty"),
            (_, Purpose::Chain) => format!("Failed to load certificate chain from {path}"),
            (_, Purpose::Bundle) => format!("Failed to load trusted CA certificates from {path}"),
        }
    }

    /// The next step for whoever made the file.
    pub fn fix(&self) -> String {
        let wanted = match self.purpose {
            Purpose::Chain => "the leaf certificate in PEM, then its intermediates",
            Purpose::Bundle => "the certificates of the trusted authorities in PEM",
        };
        match &self.problem {
            CertificateProblem::Empty => format!("put {wanted} into the file"),
            CertificateProblem::NotPem(shape) => shape.fix("openssl x509", wanted),
            CertificateProblem::NoCertificate { found, .. } => match found {
                OtherBlock::PrivateKey => {
                    format!("put {wanted} here; the private key belongs into its own file")
                }
                OtherBlock::Pkcs7 => "unpack it: openssl pkcs7 -print_certs -in FILE -out certificates.pem".to_owned(),
                OtherBlock::CertificateRequest => {
                    format!("have the request signed by its authority, and put {wanted} here")
                }
                _ => format!("put {wanted} here"),
            },
            CertificateProblem::Corrupt(block) => block.fix(),
            CertificateProblem::TooMuch(_) => format!("keep only {wanted}"),
        }
    }
}

/// A private key file that Envoy does not load.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PrivateKeyError {
    /// No byte at all.
    #[error("the file is empty")]
    Empty,
    /// The key is encrypted; App Mesh has no place for a password.
    #[error("the private key is encrypted ({label}, line {line})")]
    Encrypted {
        /// The block's label, which tells PKCS#8 from the older form.
        label: String,
        /// Line of its BEGIN.
        line: usize,
    },
    /// Nothing that begins a PEM block.
    #[error(transparent)]
    NotPem(#[from] NotPem),
    /// A public key, where a private one is wanted.
    #[error("the file holds a public key (line {line}), not a private one")]
    PublicKey {
        /// Line of its BEGIN.
        line: usize,
    },
    /// Certificates and no key.
    #[error("the file holds a certificate (line {line}) and no private key")]
    CertificateOnly {
        /// Line of the first certificate's BEGIN.
        line: usize,
    },
    /// Whole blocks, but none that Envoy takes for a private key.
    #[error("the file holds {found} (line {line}), which Envoy does not take for a private key")]
    OtherBlock {
        /// What the first block is.
        found: OtherBlock,
        /// Line of its BEGIN.
        line: usize,
    },
    /// The key, or a block before it, can't be read.
    #[error(transparent)]
    Corrupt(#[from] BrokenBlock),
    /// PKCS#8 version 2, which carries the public key too (RFC 5958); BoringSSL reads version 1 only.
    #[error("the private key (line {line}) is in PKCS#8 version 2, which Envoy does not read")]
    Pkcs8Version2 {
        /// Line of its BEGIN.
        line: usize,
    },
    /// A key of a kind that no certificate can have that Envoy serves with.
    #[error("Envoy can not use a private key of this kind: {algorithm} (line {line})")]
    UnsupportedAlgorithm {
        /// Its name, or object identifier.
        algorithm: String,
        /// Line of its BEGIN.
        line: usize,
        /// BoringSSL's error.
        cause: &'static str,
    },
    /// More than meshvet reads.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
}

pub(super) const NO_START_LINE: &str = "error:0900006e:PEM routines:OPENSSL_internal:NO_START_LINE";
pub(super) const BAD_PASSWORD_READ: &str = "error:09000068:PEM routines:OPENSSL_internal:BAD_PASSWORD_READ";
pub(super) const SEQUENCE_LENGTH_MISMATCH: &str =
    "error:0c0000a8:ASN.1 encoding routines:OPENSSL_internal:SEQUENCE_LENGTH_MISMATCH";

impl PrivateKeyError {
    /// What Envoy logs when it refuses the configuration because of this file.
    pub fn envoy_log(&self, path: &str) -> String {
        let cause = match self {
            Self::Empty => {
                return format!("Failed to load incomplete private key from path: {path}");
            }
            Self::Encrypted { .. } => BAD_PASSWORD_READ,
            Self::Corrupt(block) => block.fault.cause(),
            Self::Pkcs8Version2 { .. } => SEQUENCE_LENGTH_MISMATCH,
            Self::UnsupportedAlgorithm { cause, .. } => cause,
            _ => NO_START_LINE,
        };
        key_refused(path, cause)
    }

    /// The next step for whoever made the file.
    pub fn fix(&self) -> String {
        let wanted = "the unencrypted private key of the leaf certificate in PEM";
        match self {
            Self::Empty => format!("put {wanted} into the file"),
            Self::Encrypted { .. } => "decrypt it: openssl pkey -in FILE -out tls.key".to_owned(),
            Self::NotPem(shape) => shape.fix("openssl pkey", wanted),
            Self::Corrupt(block) => block.fix(),
            Self::Pkcs8Version2 { .. } => {
                "issue the key as PKCS#8 version 1, and of a kind that Envoy serves with: EC P-256 or RSA 2048"
                    .to_owned()
            }
            Self::UnsupportedAlgorithm { .. } => {
                "issue the certificate for another key: EC P-256, or RSA of 2048 bits or more".to_owned()
            }
            Self::OtherBlock { found: OtherBlock::OpenSshKey, .. } => {
                "convert it: ssh-keygen -p -N '' -m PEM -f FILE".to_owned()
            }
            _ => format!("put {wanted} here"),
        }
    }
}

/// Envoy's sentence for a private key that BoringSSL refuses.
pub(super) fn key_refused(path: &str, cause: &str) -> String {
    format!("Failed to load private key from {path}, Cause: {cause}")
}

/// One broken block, which ends the reading of its file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("block {number} ({label}, line {line}) {fault}")]
pub struct BrokenBlock {
    /// 1-based, counting every BEGIN of the file.
    pub number: usize,
    /// 1-based line of its BEGIN.
    pub line: usize,
    /// The label of its BEGIN.
    pub label: String,
    /// What is wrong with it.
    pub fault: BlockFault,
}

impl BrokenBlock {
    fn fix(&self) -> String {
        let line = self.line;
        match &self.fault {
            BlockFault::NoEnd => {
                format!("copy the whole of the block in line {line} again, with its END line")
            }
            BlockFault::BeginInside { line } => {
                format!("put the missing END line before line {line}")
            }
            BlockFault::CarriageReturns => NotPem::CarriageReturns.fix("", ""),
            BlockFault::SingleLine => NotPem::SingleLine.fix("", ""),
            BlockFault::EndIndented { line } => {
                format!("remove the space before END in line {line}")
            }
            BlockFault::EndAndBeginOnOneLine { line } => {
                format!("break line {line} between END and BEGIN (a file ended without a newline)")
            }
            BlockFault::EndDiffers { line } => {
                format!("make the END in line {line} name what the BEGIN names")
            }
            BlockFault::Headers { .. } => {
                format!("remove blank lines and headers from the block in line {line}")
            }
            BlockFault::TrailingBytes => {
                format!("give each certificate of the block in line {line} its own block")
            }
            _ => format!("replace the block in line {line} with an undamaged copy"),
        }
    }
}

/// What is wrong with a block.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BlockFault {
    /// The file ends first.
    #[error("has no END line: the file is cut off")]
    NoEnd,
    /// The next block begins first.
    #[error("has no END line before the BEGIN in line {line}")]
    BeginInside {
        /// Where the next BEGIN stands.
        line: usize,
    },
    /// Its lines end in carriage returns alone.
    #[error("has lines that end in carriage returns alone")]
    CarriageReturns,
    /// BEGIN, END and all between them stand on one line.
    #[error("is all on one line")]
    SingleLine,
    /// Its END has space before it, so it isn't one.
    #[error("has an indented END in line {line}, which does not end it")]
    EndIndented {
        /// Where that END stands.
        line: usize,
    },
    /// Its END names something else, or has something behind it.
    #[error("is not ended by the END line that follows it (line {line})")]
    EndDiffers {
        /// Where that END stands.
        line: usize,
    },
    /// Files were joined without a newline.
    #[error("has the next BEGIN on the line of its END (line {line})")]
    EndAndBeginOnOneLine {
        /// Where both stand.
        line: usize,
    },
    /// Something like headers, made by a blank line inside.
    #[error("has a blank line or headers inside")]
    Headers {
        /// BoringSSL's error.
        cause: &'static str,
    },
    /// Characters or padding that aren't base64.
    #[error("is not base64 in line {line}")]
    Base64 {
        /// The first such line, or the first of the block.
        line: usize,
    },
    /// Nothing between BEGIN and END.
    #[error("is empty")]
    NoData,
    /// Good base64 of something else.
    #[error("holds no certificate that can be read: {0}")]
    Certificate(CertificateError),
    /// More than the one certificate that is read.
    #[error("holds more than one certificate")]
    TrailingBytes,
    /// Good base64 of something that isn't a revocation list.
    #[error("holds no revocation list that can be read")]
    RevocationList,
    /// Good base64 of something that isn't a private key, or of a damaged one.
    #[error("holds no private key that can be read: {0}")]
    PrivateKey(KeyFault),
}

impl BlockFault {
    /// BoringSSL's error, as it shows where Envoy tells it (for private keys).
    pub(super) fn cause(&self) -> &'static str {
        match self {
            Self::NoEnd
            | Self::CarriageReturns
            | Self::SingleLine
            | Self::EndIndented { .. }
            | Self::EndDiffers { .. }
            | Self::EndAndBeginOnOneLine { .. } => "error:09000066:PEM routines:OPENSSL_internal:BAD_END_LINE",
            Self::BeginInside { .. } | Self::Base64 { .. } => {
                "error:09000064:PEM routines:OPENSSL_internal:BAD_BASE64_DECODE"
            }
            Self::NoData => "error:09000074:PEM routines:OPENSSL_internal:NO_DATA",
            Self::Headers { cause } => cause,
            Self::PrivateKey(fault) => fault.cause(),
            Self::Certificate(_) | Self::TrailingBytes | Self::RevocationList => {
                "error:0c00006d:ASN.1 encoding routines:OPENSSL_internal:DECODE_ERROR"
            }
        }
    }
}

/// What a whole block is, that was not looked for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OtherBlock {
    /// A private key.
    #[error("a private key")]
    PrivateKey,
    /// A private key in OpenSSH's own format.
    #[error("a private key in OpenSSH's format")]
    OpenSshKey,
    /// A public key.
    #[error("a public key")]
    PublicKey,
    /// A request that no authority has signed yet.
    #[error("a certificate request")]
    CertificateRequest,
    /// PKCS#7 or CMS, which may carry certificates.
    #[error("a PKCS#7 container")]
    Pkcs7,
    /// A certificate revocation list.
    #[error("a revocation list")]
    RevocationList,
    /// A certificate, where a key was looked for.
    #[error("a certificate")]
    Certificate,
    /// Anything else, by its label.
    #[error("{0}")]
    Labelled(String),
}

impl OtherBlock {
    pub(super) fn of(label: &str) -> Self {
        match label {
            "OPENSSH PRIVATE KEY" => Self::OpenSshKey,
            "PKCS7" | "PKCS #7 SIGNED DATA" | "CMS" => Self::Pkcs7,
            "X509 CRL" => Self::RevocationList,
            _ if label.ends_with("PRIVATE KEY") => Self::PrivateKey,
            _ if label.ends_with("PUBLIC KEY") => Self::PublicKey,
            _ if label.ends_with("CERTIFICATE REQUEST") => Self::CertificateRequest,
            _ if label.ends_with("CERTIFICATE") => Self::Certificate,
            _ => Self::Labelled(label.to_owned()),
        }
    }
}

/// More than meshvet reads of one file: its own limit, far over what a Secret can carry, not Envoy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TooMuch {
    /// The whole file.
    #[error("the file has {size} bytes, more than the {limit} that are read")]
    Bytes {
        /// Its length.
        size: usize,
        /// What is read at most.
        limit: usize,
    },
    /// The number of its blocks.
    #[error("the file has more than {limit} PEM blocks")]
    Blocks {
        /// What is read at most.
        limit: usize,
    },
}

/// What a file is in which no PEM block begins.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotPem {
    /// White space only.
    #[error("the file is blank")]
    Blank,
    /// A certificate or key in DER.
    #[error("the file is DER (binary), not PEM")]
    Der,
    /// A PKCS#7 container in DER.
    #[error("the file is a PKCS#7 container (binary), not PEM")]
    Pkcs7,
    /// A PKCS#12 store.
    #[error("the file is a PKCS#12 store, not PEM")]
    Pkcs12,
    /// A Java key store.
    #[error("the file is a Java key store, not PEM")]
    JavaKeyStore,
    /// PEM in UTF-16.
    #[error("the file is UTF-16 text, which Envoy can not read")]
    Utf16,
    /// Base64 of a PEM file.
    #[error("the file is base64 of a PEM file: it was encoded twice")]
    DoubleBase64,
    /// The base64 of a block, without its BEGIN and END.
    #[error("the file is base64 without BEGIN and END lines")]
    BareBase64,
    /// `\n` as two characters where lines should end.
    #[error("the file has \"\\n\" as two characters where its lines should end")]
    LiteralBackslashN,
    /// All in one line.
    #[error("the file is a single line")]
    SingleLine,
    /// Lines ended by carriage returns alone.
    #[error("the lines of the file end in carriage returns alone")]
    CarriageReturns,
    /// A byte-order mark before the only BEGIN.
    #[error("a byte-order mark stands before the BEGIN in line {line}, so no block begins")]
    ByteOrderMark {
        /// Where it stands.
        line: usize,
    },
    /// Space before BEGIN.
    #[error("the BEGIN in line {line} is indented, so no block begins")]
    Indented {
        /// Where the first such BEGIN stands.
        line: usize,
    },
    /// Something else before BEGIN.
    #[error("the BEGIN in line {line} is not at the start of its line, so no block begins")]
    AfterText {
        /// Where the first such BEGIN stands.
        line: usize,
    },
    /// A NUL before BEGIN.
    #[error("a NUL byte stands before the BEGIN in line {line}, so no block begins")]
    AfterNul {
        /// Where the first such BEGIN stands.
        line: usize,
    },
    /// A BEGIN without its five dashes, or with something behind them.
    #[error("the BEGIN in line {line} is malformed, so no block begins")]
    MalformedBegin {
        /// Where the first such BEGIN stands.
        line: usize,
    },
    /// Anything else.
    #[error("the file is not PEM: no line begins a block")]
    Other,
}

impl NotPem {
    fn fix(&self, tool: &str, wanted: &str) -> String {
        match self {
            Self::Der => format!("convert it: {tool} -inform der -in FILE -out file.pem"),
            Self::Pkcs7 => "unpack it: openssl pkcs7 -inform der -print_certs -in FILE -out file.pem".to_owned(),
            Self::Pkcs12 => "unpack it: openssl pkcs12 -in FILE -nodes".to_owned(),
            Self::JavaKeyStore => {
                "export it: keytool -importkeystore to PKCS#12, then openssl pkcs12 -nodes".to_owned()
            }
            Self::Utf16 => "save it as ASCII: iconv -f UTF-16 -t ASCII".to_owned(),
            Self::DoubleBase64 => {
                "decode it once: put the PEM text under stringData, or its base64 under data".to_owned()
            }
            Self::BareBase64 => "put the BEGIN and END lines around it".to_owned(),
            Self::LiteralBackslashN => "write real line breaks: a YAML block (|) keeps them".to_owned(),
            Self::SingleLine => "restore the line breaks: a YAML block (|) keeps them".to_owned(),
            Self::CarriageReturns => "end the lines in newlines: tr '\\r' '\\n'".to_owned(),
            Self::ByteOrderMark { line } => {
                format!("remove the byte-order mark (EF BB BF) before BEGIN in line {line}")
            }
            Self::Indented { line } => format!("remove the space before BEGIN in line {line}"),
            Self::AfterText { line } => {
                format!("put the BEGIN of line {line} at the start of a line")
            }
            Self::AfterNul { line } => format!("remove the NUL byte before BEGIN in line {line}"),
            Self::MalformedBegin { line } => {
                format!("give the BEGIN in line {line} its five dashes and nothing behind them")
            }
            Self::Blank | Self::Other => format!("put {wanted} here"),
        }
    }
}
