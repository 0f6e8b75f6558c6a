//! What stands in a file instead of what is looked for: other blocks, or nothing that is PEM.

use thiserror::Error;

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
    pub(super) fn fix(&self, tool: &str, wanted: &str) -> String {
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
