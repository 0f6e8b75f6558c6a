//! What happens with a certificate that can't be used, depending on the control plane that gives it to the proxy.

use crate::finding::Severity;
use crate::mesh::Loads;
use crate::pki::{CertificateFileError, CertificateProblem, FileFacts, PrivateKeyError};
use crate::rules::envoy;
use crate::rules::uses::CertificateUse;

/// Whether the control plane itself refuses a certificate that its proxies would refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caught {
    /// It sees what is wrong, if it checks anything.
    Seen,
    /// It doesn't check that.
    Missed,
}

impl CertificateUse<'_> {
    /// Who reads the files, for messages.
    pub(super) fn reader(&self) -> &'static str {
        if self.plane.is_envoy() { "Envoy" } else { "a TLS server" }
    }

    /// What happens with a certificate or key that can't be used. `log`: what an Envoy logs.
    pub(super) fn is_refused(&self, log: &str, caught: Caught) -> String {
        let name = self.plane.name;
        if !self.end.is_server() && !self.plane.is_direct() {
            return "the gateway can't present it: TLS connections to backends that require a client certificate fail"
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
                "no condition shows it, and running proxies keep what they have; the next one that starts refuses the certificate ({log}), and \
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

    /// How severe it is that the pair can't be used: if a listener has others, those are still served.
    pub(super) fn unusable(&self) -> Severity {
        let others = self.end.certificates().len() > 1 && !self.plane.is_direct();
        if others { Severity::Warn } else { Severity::Deny }
    }

    /// The same for a chain that can't be read: unless an Envoy gets the files as they are, only what no parser reads is certain.
    pub(super) fn unreadable_chain(&self, error: &CertificateFileError) -> Severity {
        let by_nobody = match error.problem {
            CertificateProblem::Empty | CertificateProblem::NotPem(_) | CertificateProblem::NoCertificate { .. } => {
                true
            }
            CertificateProblem::Corrupt(_) | CertificateProblem::TooMuch(_) => false,
        };
        self.unless_placeholder(by_nobody || self.plane.hands_on())
    }

    fn unless_placeholder(&self, certain: bool) -> Severity {
        let empty = |facts: Option<&FileFacts>| facts.is_some_and(|facts| facts.size == 0);
        // Whoever copies or fills a Secret later has both files empty at first. A proxy that reads files itself doesn't wait for that.
        let later = !self.plane.is_direct() && empty(self.chain_facts()) && empty(self.key_facts());
        if certain && !later { self.unusable() } else { Severity::Warn }
    }

    /// The same for a key.
    pub(super) fn unreadable_key(&self, error: &PrivateKeyError) -> Severity {
        let by_nobody = match error {
            PrivateKeyError::Empty
            | PrivateKeyError::NotPem(_)
            | PrivateKeyError::PublicKey { .. }
            | PrivateKeyError::CertificateOnly { .. } => true,
            PrivateKeyError::Encrypted { .. } => self.plane.is_envoy(),
            _ => false,
        };
        self.unless_placeholder(by_nobody || self.plane.hands_on())
    }

    /// What clients do that check the certificate. `reason`: what they find wrong, in BoringSSL's words.
    pub(super) fn clients_see(&self, reason: &str) -> String {
        match self.plane.is_direct() {
            true => format!("{} {}", envoy::CLIENT_SEES, envoy::verify_error(reason)),
            false => format!("clients refuse the connection: {reason}"),
        }
    }
}
