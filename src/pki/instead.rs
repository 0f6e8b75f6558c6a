//! What a file contains instead of the expected: other blocks, or no PEM at all.

use thiserror::Error;

/// What an intact but unexpected block is.
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
    /// A request that no CA has signed yet.
    #[error("a certificate request")]
    CertificateRequest,
    /// PKCS#7 or CMS, which may contain certificates.
    #[error("a PKCS#7 container")]
    Pkcs7,
    /// A certificate revocation list.
    #[error("a revocation list")]
    RevocationList,
    /// A certificate, where a key was expected.
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

/// What a file without any PEM block is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotPem {
    /// White space only.
    #[error("the file has only white space")]
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
    #[error("the file is UTF-16 text, which Envoy can't read")]
    Utf16,
    /// Base64 of a PEM file.
    #[error("the file is base64 of a PEM file: it was encoded twice")]
    DoubleBase64,
    /// A block's base64 without BEGIN and END.
    #[error("the file is base64 without BEGIN and END lines")]
    BareBase64,
    /// `
    /// ` as two characters instead of line ends.
    #[error("the file has \"\\n\" as two characters in place of line breaks")]
    LiteralBackslashN,
    /// Everything on one line.
    #[error("the file is a single line")]
    SingleLine,
    /// Lines ended by carriage returns alone.
    #[error("the file has carriage returns without newlines")]
    CarriageReturns,
    /// A byte-order mark before the only BEGIN.
    #[error("a byte-order mark precedes the BEGIN on line {line}, so Envoy doesn't see the block")]
    ByteOrderMark {
        /// Its line.
        line: usize,
    },
    /// Space before BEGIN.
    #[error("the BEGIN on line {line} is indented, so Envoy doesn't see the block")]
    Indented {
        /// The line of the first such BEGIN.
        line: usize,
    },
    /// Something else before BEGIN.
    #[error("the BEGIN on line {line} is not at the start of its line, so Envoy doesn't see the block")]
    AfterText {
        /// The line of the first such BEGIN.
        line: usize,
    },
    /// A NUL before BEGIN.
    #[error("a NUL byte precedes the BEGIN on line {line}, so Envoy doesn't see the block")]
    AfterNul {
        /// The line of the first such BEGIN.
        line: usize,
    },
    /// A BEGIN without its five dashes, or followed by something.
    #[error("the BEGIN on line {line} is malformed, so Envoy doesn't see the block")]
    MalformedBegin {
        /// The line of the first such BEGIN.
        line: usize,
    },
    /// Anything else.
    #[error("the file is not PEM: it has no BEGIN line")]
    Other,
}

impl NotPem {
    pub(super) fn fix(&self, tool: &str, wanted: &str) -> String {
        match self {
            Self::Der => format!("convert it: {tool} -inform der -in FILE -out file.pem"),
            Self::Pkcs7 => "unpack it: openssl pkcs7 -inform der -print_certs -in FILE -out file.pem".to_owned(),
            Self::Pkcs12 => "unpack it: openssl pkcs12 -in FILE -nodes".to_owned(),
            Self::JavaKeyStore => {
                "convert it: keytool -importkeystore to PKCS#12, then openssl pkcs12 -nodes".to_owned()
            }
            Self::Utf16 => "save it as ASCII: iconv -f UTF-16 -t ASCII".to_owned(),
            Self::DoubleBase64 => {
                "decode it once: put the PEM text under stringData, or its base64 under data".to_owned()
            }
            Self::BareBase64 => "add the BEGIN and END lines".to_owned(),
            Self::LiteralBackslashN => "write real line breaks: a YAML block (|) keeps them".to_owned(),
            Self::SingleLine => "restore the line breaks: a YAML block (|) keeps them".to_owned(),
            Self::CarriageReturns => "convert them to newlines: tr '\\r' '\\n'".to_owned(),
            Self::ByteOrderMark { line } => {
                format!("remove the byte-order mark (EF BB BF) before BEGIN on line {line}")
            }
            Self::Indented { line } => format!("remove the space before BEGIN on line {line}"),
            Self::AfterText { line } => {
                format!("put the BEGIN on line {line} at the start of a line")
            }
            Self::AfterNul { line } => format!("remove the NUL byte before BEGIN on line {line}"),
            Self::MalformedBegin { line } => {
                format!("end the BEGIN on line {line} with five dashes and nothing after them")
            }
            Self::Blank | Self::Other => format!("replace it with {wanted}"),
        }
    }
}
