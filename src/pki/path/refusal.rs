//! Why a path is refused, and what Envoy logs.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::certificate::Certificate;
use super::constraints::NameFault;
use super::list_fault::ListFault;
use super::revocation::Revocation;
use super::{Origin, Step, verify_link};

/// Why a path is refused. Displays as one sentence without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The certificate at fault.
    pub certificate: Arc<Certificate>,
    /// Where the certificate comes from.
    pub origin: Origin,
    /// Its depth in the path; the leaf's is 0.
    pub depth: usize,
    /// What is wrong.
    pub reason: Reason,
    /// The certificates whose dates BoringSSL checks before this, lowest first, and the lowest's depth.
    pub(super) dated_first: (Vec<Step>, usize),
    /// The revocation lists that BoringSSL checks before those.
    pub(super) revocation: Option<Arc<Revocation>>,
    /// Whether BoringSSL has met a damaged certificate before, which it also logs.
    pub(super) after_damage: bool,
}

const MD5_BEFORE: &str = "TLS_error:|201326703:ASN.1 encoding routines:OPENSSL_internal:\
                          DIGEST_AND_KEY_TYPE_NOT_SUPPORTED|268435581:";

/// What is wrong with a certificate of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its issuer is neither in the bundle nor in the rest of the chain.
    NoIssuer {
        /// The issuer's name.
        issuer: String,
    },
    /// The leaf is self-signed, and the bundle doesn't contain it, or has another certificate with its name before it.
    SelfSignedLeaf,
    /// The chain ends at a root of its own, which the bundle doesn't contain. The certificate is that root.
    SelfSignedInChain,
    /// It has expired.
    Expired {
        /// When it expired.
        not_after: Timestamp,
    },
    /// It isn't valid yet.
    NotYetValid {
        /// When it becomes valid.
        not_before: Timestamp,
    },
    /// It issued the certificate below, but its basic constraints don't make it a CA (nor do a missing extension, or
    /// version 1).
    InvalidCa,
    /// There are more CAs below it than its basic constraints allow.
    PathLength {
        /// How many are allowed.
        allowed: u32,
    },
    /// Its extended key usage lacks the path's purpose, or the leaf's key usage allows nothing that TLS needs.
    /// anyExtendedKeyUsage doesn't count, and the check applies to intermediates too.
    Purpose,
    /// It has critical extensions that BoringSSL doesn't know: their object identifiers.
    UnhandledCritical(Vec<String>),
    /// Its extensions are damaged or contradict each other: their object identifiers.
    DamagedExtensions(Vec<String>),
    /// Its signature isn't made with the key of the next certificate, which has its issuer's name.
    Signature,
    /// Its signature algorithm is one that BoringSSL rejects, such as MD5.
    SignatureAlgorithm,
    /// One of its names violates the name constraints of the CAs above.
    Names(NameFault),
    /// The chain is longer than Envoy accepts in a message. The certificate is the leaf.
    TooLong {
        /// The message's length.
        bytes: usize,
    },
    /// It is revoked, or no valid revocation list from its issuer is in the bundle.
    List(ListFault),
}

impl Refusal {
    pub(super) fn new(step: &Step, depth: usize, reason: Reason) -> Self {
        let Step { certificate, origin } = step.clone();
        Self { certificate, origin, depth, reason, dated_first: (Vec::new(), 0), revocation: None, after_damage: false }
    }

    /// What a bundle's revocation lists refuse a path for at this time, if anything.
    pub(super) fn by_list(revocation: &Revocation, now: Timestamp) -> Option<Self> {
        let (step, depth, fault) = revocation.fault_at(now)?;
        Some(Self::new(step, depth, Reason::List(fault)))
    }

    /// What Envoy refuses the path for at this time: this, or a revocation list or a date that it checks earlier.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        let (steps, lowest) = &self.dated_first;
        let by_list = self.revocation.as_ref().and_then(|revocation| Self::by_list(revocation, now));
        by_list.or_else(|| out_of_date(steps, *lowest, now)).unwrap_or_else(|| self.clone())
    }

    /// What the verifying side logs: a client, if the server presents the chain. A server's client only
    /// sees [`Self::alert`].
    pub fn envoy_log(&self) -> String {
        const BEFORE: &str = "SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify cert failed: \
                              X509_verify_cert: certificate verification error at depth";
        let (before, depth) = match self.reason {
            Reason::TooLong { .. } => {
                return "TLS_error:|268435606:SSL routines:OPENSSL_internal:EXCESSIVE_MESSAGE_SIZE".to_owned();
            }
            // The preceding text depends on the algorithm or on the damage.
            Reason::Signature | Reason::List(ListFault::Signature { .. }) => ("", self.depth),
            // BoringSSL stops before it knows a depth.
            Reason::DamagedExtensions(_) => ("", 0),
            Reason::SignatureAlgorithm => (MD5_BEFORE, self.depth),
            _ if self.after_damage => ("", self.depth),
            _ => ("TLS_error:|268435581:", self.depth),
        };
        format!("{before}{BEFORE} {depth}: {}", self.reason.log())
    }

    /// The TLS alert that the presenting side gets over TLS 1.2, as BoringSSL names it. Over TLS 1.3 it
    /// sees a closed connection.
    pub fn alert(&self) -> &'static str {
        match &self.reason {
            Reason::NoIssuer { .. }
            | Reason::SelfSignedLeaf
            | Reason::SelfSignedInChain
            | Reason::InvalidCa
            | Reason::PathLength { .. } => "TLSV1_ALERT_UNKNOWN_CA",
            Reason::Expired { .. } | Reason::NotYetValid { .. } => "SSLV3_ALERT_CERTIFICATE_EXPIRED",
            Reason::Purpose => "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
            Reason::Signature | Reason::SignatureAlgorithm => "TLSV1_ALERT_DECRYPT_ERROR",
            Reason::TooLong { .. } => "SSLV3_ALERT_ILLEGAL_PARAMETER",
            Reason::List(fault) => fault.alert(),
            Reason::UnhandledCritical(_) | Reason::DamagedExtensions(_) | Reason::Names(_) => {
                "SSLV3_ALERT_CERTIFICATE_UNKNOWN"
            }
        }
    }

    /// Whether the path is refused for lack of an issuer, and this certificate is that issuer: in the chain file
    /// it would close the gap; in the bundle it would end the path.
    pub(crate) fn closes_gap(&self, known: &Arc<Certificate>) -> bool {
        matches!(self.reason, Reason::NoIssuer { .. }) && verify_link(&self.certificate, known)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, position) = match self.origin {
            Origin::Chain(position) => ("certificate chain", position),
            Origin::Bundle(position) => ("trust bundle", position),
        };
        let subject = &self.certificate.subject;
        let subject = if subject.is_empty() { "without subject" } else { subject };
        write!(f, "certificate {} of the {file} ({subject}) {}", position.saturating_add(1), self.reason)
    }
}

impl Reason {
    /// BoringSSL's text for it.
    fn log(&self) -> &'static str {
        match self {
            Self::NoIssuer { .. } => "unable to get local issuer certificate",
            Self::SelfSignedLeaf => "self signed certificate",
            Self::SelfSignedInChain => "self signed certificate in certificate chain",
            Self::Expired { .. } => "certificate has expired",
            Self::NotYetValid { .. } => "certificate is not yet valid",
            Self::InvalidCa => "invalid CA certificate",
            Self::PathLength { .. } => "path length constraint exceeded",
            Self::Purpose => "unsupported certificate purpose",
            Self::UnhandledCritical(_) => "unhandled critical extension",
            Self::DamagedExtensions(_) => "invalid or inconsistent certificate extension",
            Self::Signature | Self::SignatureAlgorithm => "certificate signature failure",
            Self::Names(fault) => fault.log(),
            Self::TooLong { .. } => "",
            Self::List(fault) => fault.log(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoIssuer { issuer } => write!(f, "is issued by {issuer}, which is in neither file"),
            Self::SelfSignedLeaf => f.write_str("is self-signed, and not in the trust bundle"),
            Self::SelfSignedInChain => f.write_str("is a root that the trust bundle lacks"),
            Self::Expired { not_after } => write!(f, "expired on {not_after}"),
            Self::NotYetValid { not_before } => write!(f, "is not valid before {not_before}"),
            Self::InvalidCa => f.write_str("is not a CA by its basic constraints"),
            Self::PathLength { allowed } => write!(f, "allows {allowed} CAs below it (pathlen), and there are more"),
            Self::Purpose => f.write_str("has a key usage that does not allow this use"),
            Self::UnhandledCritical(oids) => write!(f, "has critical extensions unknown to Envoy: {}", oids.join(", ")),
            Self::DamagedExtensions(oids) => write!(f, "has damaged extensions: {}", oids.join(", ")),
            Self::Signature => f.write_str("is not signed with its issuer's key"),
            Self::SignatureAlgorithm => f.write_str("is signed with an algorithm that Envoy refuses"),
            Self::Names(fault) => write!(f, "{fault}"),
            Self::TooLong { bytes } => write!(f, "begins a chain of {bytes} bytes, more than Envoy reads"),
            Self::List(fault) => write!(f, "{fault}"),
        }
    }
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPermitted { name } => {
                write!(f, "has a name that its issuers' name constraints don't permit: {name}")
            }
            Self::Excluded { name } => write!(f, "has a name that its issuers' name constraints exclude: {name}"),
            Self::UnsupportedKind { name } => {
                write!(f, "has a name of a kind that its issuers constrain and Envoy can't check: {name}")
            }
            Self::Bounded => f.write_str("is under name constraints with a minimum or maximum"),
            Self::Syntax { name } => write!(f, "has a name, or is under a constraint, that can't be read: {name}"),
            Self::TooMany => f.write_str("has too many names for its issuers' name constraints"),
            Self::CommonNameOnly => {
                f.write_str("has no subject alternative names, and its issuers have name constraints")
            }
        }
    }
}

/// The highest of these steps that isn't valid now. `lowest` is the depth of the first step.
pub(super) fn out_of_date(steps: &[Step], lowest: usize, now: Timestamp) -> Option<Refusal> {
    steps.iter().enumerate().rev().find_map(|(above, step)| {
        let Certificate { not_before, not_after, .. } = *step.certificate;
        let reason = if now < not_before {
            Reason::NotYetValid { not_before }
        } else if now >= not_after {
            Reason::Expired { not_after }
        } else {
            return None;
        };
        Some(Refusal::new(step, lowest.saturating_add(above), reason))
    })
}
