//! The broken block that makes a whole file unreadable.

use thiserror::Error;

use super::certificate_error::CertificateError;
use super::instead::NotPem;
use super::key_fault::KeyFault;

/// One broken block, at which reading its file stops.
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
    pub(super) fn fix(&self) -> String {
        let line = self.line;
        match &self.fault {
            BlockFault::NoEnd => {
                format!("copy the whole block on line {line} again, with its END line")
            }
            BlockFault::BeginInside { line } => {
                format!("put the missing END line before line {line}")
            }
            BlockFault::CarriageReturns => NotPem::CarriageReturns.fix("", ""),
            BlockFault::SingleLine => NotPem::SingleLine.fix("", ""),
            BlockFault::EndIndented { line } => {
                format!("remove the space before END on line {line}")
            }
            BlockFault::EndAndBeginOnOneLine { line } => {
                format!("break line {line} between END and BEGIN (a file ended without a newline)")
            }
            BlockFault::EndDiffers { line } => {
                format!("give the END on line {line} the same label as the BEGIN")
            }
            BlockFault::Headers { .. } => {
                format!("remove blank lines and headers from the block on line {line}")
            }
            BlockFault::TrailingBytes => {
                format!("give each certificate of the block on line {line} its own block")
            }
            _ => format!("replace the block on line {line} with an undamaged copy"),
        }
    }
}

/// What is wrong with a block.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BlockFault {
    /// The file ends first.
    #[error("has no END line: the file is cut off")]
    NoEnd,
    /// The next block begins before its END.
    #[error("has no END line before the BEGIN on line {line}")]
    BeginInside {
        /// Where the next BEGIN is.
        line: usize,
    },
    /// Its lines end in carriage returns alone.
    #[error("has carriage returns without newlines")]
    CarriageReturns,
    /// BEGIN, END and everything between them are on one line.
    #[error("is all on one line")]
    SingleLine,
    /// Its END is indented, so it isn't one.
    #[error("has an indented END on line {line}, which does not end it")]
    EndIndented {
        /// Where that END is.
        line: usize,
    },
    /// Its END has another label, or is followed by something.
    #[error("is followed by an END line for another label (line {line})")]
    EndDiffers {
        /// Where that END is.
        line: usize,
    },
    /// Files were joined without a newline: END and BEGIN are on one line.
    #[error("has the next BEGIN on the line of its END (line {line})")]
    EndAndBeginOnOneLine {
        /// The line of both.
        line: usize,
    },
    /// Something that looks like headers, caused by a blank line inside.
    #[error("has a blank line or headers inside")]
    Headers {
        /// BoringSSL's error.
        cause: &'static str,
    },
    /// Characters or padding that aren't base64.
    #[error("is not base64 on line {line}")]
    Base64 {
        /// The first such line, or the first of the block.
        line: usize,
    },
    /// There is nothing between BEGIN and END.
    #[error("is empty")]
    NoData,
    /// Valid base64, but not a certificate.
    #[error("holds no certificate that can be read: {0}")]
    Certificate(CertificateError),
    /// More data after the one certificate that is read.
    #[error("holds more than one certificate")]
    TrailingBytes,
    /// Valid base64, but not a revocation list.
    #[error("holds no revocation list that can be read")]
    RevocationList,
    /// Valid base64, but not a private key, or a damaged one.
    #[error("holds no private key that can be read: {0}")]
    PrivateKey(KeyFault),
}

impl BlockFault {
    /// BoringSSL's error, as Envoy logs it for private keys.
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
