//! Certificates in a file that Envoy silently drops, and why.

use std::fmt;

use super::pem::PassedOverBecause;

/// A certificate that Envoy silently drops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoredBlock {
    /// 1-based, counting every BEGIN of the file.
    pub number: usize,
    /// 1-based line of its BEGIN.
    pub line: usize,
    /// Its label.
    pub label: String,
    /// Why it is dropped.
    pub reason: IgnoredReason,
}

/// Why Envoy drops a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IgnoredReason {
    /// There is a byte-order mark before BEGIN.
    ByteOrderMark,
    /// There is white space before BEGIN.
    Indented,
    /// There is something else before BEGIN.
    NotAtLineStart,
    /// There is a NUL before BEGIN.
    AfterNul,
    /// The lines around it end in carriage returns alone.
    CarriageReturns,
    /// BEGIN lacks its dashes, or is followed by something.
    MalformedBegin,
    /// `TRUSTED CERTIFICATE` after the first certificate; dropped from a chain only.
    TrustedLabel,
    /// Certificates inside a PKCS#7 container aren't read.
    Pkcs7,
}

impl IgnoredReason {
    /// Whether the block is dropped from a trust bundle as well as from a chain.
    pub(crate) fn holds_in_a_bundle(self) -> bool {
        self != Self::TrustedLabel
    }
}

impl fmt::Display for IgnoredReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ByteOrderMark => "a byte-order mark precedes BEGIN",
            Self::Indented => "BEGIN is indented",
            Self::NotAtLineStart => "BEGIN is not at the start of its line",
            Self::AfterNul => "a NUL byte precedes BEGIN",
            Self::CarriageReturns => "the lines around it have carriage returns without newlines",
            Self::MalformedBegin => "BEGIN is malformed",
            Self::TrustedLabel => "TRUSTED CERTIFICATE counts only as the first of a chain",
            Self::Pkcs7 => "a PKCS#7 container is not unpacked",
        })
    }
}

impl From<PassedOverBecause> for IgnoredReason {
    fn from(because: PassedOverBecause) -> Self {
        match because {
            PassedOverBecause::ByteOrderMark => Self::ByteOrderMark,
            PassedOverBecause::Indented => Self::Indented,
            PassedOverBecause::AfterText => Self::NotAtLineStart,
            PassedOverBecause::AfterNul => Self::AfterNul,
            PassedOverBecause::CarriageReturns => Self::CarriageReturns,
            PassedOverBecause::Malformed => Self::MalformedBegin,
        }
    }
}
