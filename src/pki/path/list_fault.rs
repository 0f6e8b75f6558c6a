//! Faults of a certificate according to a bundle's revocation lists, in plain words and in Envoy's.

use std::fmt;

use jiff::Timestamp;

/// A certificate's fault according to a bundle's revocation lists, or a fault of the list that applies to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are whose list it is, and when it holds")]
pub enum ListFault {
    /// The list contains its serial number.
    Revoked { issuer: String },
    /// The bundle has revocation lists, but none from its issuer.
    Missing { issuer: String },
    /// The list has expired.
    Expired { next_update: Timestamp },
    /// The list isn't valid yet.
    NotYetValid { this_update: Timestamp },
    /// The list isn't signed with the key of the certificate above.
    Signature { issuer: String },
    /// The key usage of the certificate above lacks cRLSign.
    NotAllowed { issuer: String },
    /// The list is for certificates of another kind or another distribution point.
    OtherScope { issuer: String },
    /// The list has a critical extension that BoringSSL doesn't handle, as a delta list does.
    UnhandledCritical { issuer: String },
}

impl ListFault {
    pub(super) fn log(&self) -> &'static str {
        match self {
            Self::Revoked { .. } => "certificate revocation check against provided CRLs failed: certificate revoked",
            Self::Missing { .. } => {
                "certificate revocation check against provided CRLs failed: unable to get certificate CRL"
            }
            Self::Expired { .. } => "certificate revocation check against provided CRLs failed: CRL has expired",
            Self::NotYetValid { .. } => {
                "certificate revocation check against provided CRLs failed: CRL is not yet valid"
            }
            Self::Signature { .. } => "CRL signature failure",
            Self::NotAllowed { .. } => "key usage does not include CRL signing",
            Self::OtherScope { .. } => "Different CRL scope",
            Self::UnhandledCritical { .. } => "unhandled critical CRL extension",
        }
    }

    pub(super) fn alert(&self) -> &'static str {
        match self {
            Self::Revoked { .. } => "SSLV3_ALERT_CERTIFICATE_REVOKED",
            Self::Missing { .. } => "TLSV1_ALERT_UNKNOWN_CA",
            Self::Expired { .. } | Self::NotYetValid { .. } => "SSLV3_ALERT_CERTIFICATE_EXPIRED",
            Self::Signature { .. } => "TLSV1_ALERT_DECRYPT_ERROR",
            Self::NotAllowed { .. } | Self::OtherScope { .. } | Self::UnhandledCritical { .. } => {
                "SSLV3_ALERT_CERTIFICATE_UNKNOWN"
            }
        }
    }
}

impl fmt::Display for ListFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Revoked { issuer } => write!(f, "is revoked by the CRL of {issuer} in the trust bundle"),
            Self::Missing { issuer } => {
                write!(f, "needs a CRL of {issuer}: the trust bundle has CRLs, and none of that issuer")
            }
            Self::Expired { next_update } => write!(f, "falls under a CRL that expired on {next_update}"),
            Self::NotYetValid { this_update } => {
                write!(f, "falls under a CRL that is not valid before {this_update}")
            }
            Self::Signature { issuer } => {
                write!(f, "falls under a CRL of {issuer} that is not signed with that issuer's key")
            }
            Self::NotAllowed { issuer } => {
                write!(f, "falls under a CRL of {issuer}, whose key usage lacks cRLSign")
            }
            Self::OtherScope { issuer } => {
                write!(f, "falls under a CRL of {issuer} that covers other certificates only")
            }
            Self::UnhandledCritical { issuer } => {
                write!(f, "falls under a CRL of {issuer} with a critical extension unknown to Envoy")
            }
        }
    }
}
