//! What becomes of a certificate that is wrong, by who hands it to the proxy.

use crate::finding::Severity;
use crate::mesh::Loads;
use crate::pki::{CertificateFileError, CertificateProblem, PrivateKeyError};
use crate::rules::envoy;
use crate::rules::uses::CertificateUse;

/// Whether the control plane keeps a certificate from its proxies that they would refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caught {
    /// It sees what is wrong, where it looks at all.
    Seen,
    /// It doesn't look for that.
    Missed,
}

impl CertificateUse<'_> {
    /// Who reads the files, for messages.
    pub(super) fn reader(&self) -> &'static str {
        if self.plane.is_envoy() { "Envoy" } else { "a TLS server" }
    }

    /// What happens with a certificate or key that can't be used. `log`: what an Envoy says of it.
    pub(super) fn is_refused(&self, log: &str, caught: Caught) -> String {
        let name = self.plane.name;
        if !self.end.is_server() && !self.plane.is_direct() {
            return "the gateway can't present it: requests that a BackendTLSPolicy sends by TLS fail where it is asked for"
                .to_owned();
        }
        match (self.plane.loads, caught) {
            (Loads::Directly, _) => format!("the proxy refuses its configuration: {log}"),
            (Loads::Parsed | Loads::Checked, Caught::Seen) => {
                format!(
                    "{name} refuses the reference: the listener serves without this certificate, and if it has no other, it closes every connection"
                )
            }
            (Loads::Parsed | Loads::Checked, Caught::Missed) => format!(
                "no condition shows it, and proxies that run keep what they have; one that starts refuses the certificate ({log}), and \
                 this listener and others of the same proxy close their connections"
            ),
            (Loads::Unseen, _) => format!("connections to this host are closed: Envoy refuses the certificate ({log})"),
            (Loads::Unknown, _) => "the listener can't serve TLS with it".to_owned(),
            (Loads::StoodIn, _) => {
                "the controller serves a certificate of its own instead, or none: clients refuse the connection"
                    .to_owned()
            }
        }
    }

    /// How severe it is that the pair can't be used: where a listener has others, they go on serving.
    pub(super) fn unusable(&self) -> Severity {
        let others = self.end.certificates().len() > 1 && !self.plane.is_direct();
        if others { Severity::Warn } else { Severity::Deny }
    }

    /// The same, of a chain that can't be read: only what nobody reads is certain where files don't get to an Envoy as they are.
    pub(super) fn unreadable_chain(&self, error: &CertificateFileError) -> Severity {
        let by_nobody = match error.problem {
            CertificateProblem::Empty | CertificateProblem::NotPem(_) | CertificateProblem::NoCertificate { .. } => {
                true
            }
            CertificateProblem::Corrupt(_) | CertificateProblem::TooMuch(_) => false,
        };
        if by_nobody || self.plane.hands_on() { self.unusable() } else { Severity::Warn }
    }

    /// The same, of a key.
    pub(super) fn unreadable_key(&self, error: &PrivateKeyError) -> Severity {
        let by_nobody = match error {
            PrivateKeyError::Empty
            | PrivateKeyError::NotPem(_)
            | PrivateKeyError::PublicKey { .. }
            | PrivateKeyError::CertificateOnly { .. } => true,
            PrivateKeyError::Encrypted { .. } => self.plane.is_envoy(),
            _ => false,
        };
        if by_nobody || self.plane.hands_on() { self.unusable() } else { Severity::Warn }
    }

    /// What clients do who look at the certificate and find this wrong, in BoringSSL's words.
    pub(super) fn clients_see(&self, reason: &str) -> String {
        match self.plane.is_direct() {
            true => format!("{} {}", envoy::CLIENT_SEES, envoy::verify_error(reason)),
            false => format!("clients refuse the connection: {reason}"),
        }
    }
}
