//! The counters that tell of something wrong, each with the rules that explain it.
//!
//! What each counts is Envoy's documentation ("TLS statistics", the same for listeners and clusters); which failure moves
//! which was observed on Envoy 1.40.0 with pairs of real proxies.

use crate::apis;
use crate::finding::catalogue::{
    CERTIFICATE_EXPIRED, CHAIN_INCOMPLETE, CLIENT_CERTIFICATE_MISSING, CLIENT_NAME_MISMATCH, HOSTNAME_MISMATCH,
    ISSUER_UNTRUSTED, LOAD_BALANCER_MISMATCH, PEER_NAME_MISMATCH, PLAINTEXT_PROBE, PLAINTEXT_SERVER,
    PROBE_CANNOT_AUTHENTICATE, SDS_DISABLED, SERVICE_BYPASSES_PROXY, UNSUPPORTED_KEY, WRONG_KEY_USAGE,
};
use crate::finding::{Rule, Severity};
use crate::verify::Side;

/// What a counter that isn't zero means.
#[derive(Debug)]
pub(crate) struct Explanation {
    /// On which end.
    pub side: Side,
    /// The last part of its name.
    pub counter: &'static str,
    /// How it weighs while nothing says otherwise.
    pub severity: Severity,
    /// The rules that find the cause, the likeliest first (`meshvet explain`).
    pub rules: &'static [&'static Rule],
    /// What it counts.
    pub meaning: &'static str,
    /// Where to look. `{api}` stands for what configures the proxy: see [`Explanation::fix`].
    fix: &'static str,
}

impl Explanation {
    /// Where to look.
    pub(crate) fn fix(&self) -> String {
        self.fix.replace("{api}", &apis::words_of_proxied(|names| names.api))
    }
}

const fn deny(
    side: Side,
    counter: &'static str,
    rules: &'static [&'static Rule],
    meaning: &'static str,
    fix: &'static str,
) -> Explanation {
    Explanation { side, counter, severity: Severity::Deny, rules, meaning, fix }
}

const fn warn(
    side: Side,
    counter: &'static str,
    rules: &'static [&'static Rule],
    meaning: &'static str,
    fix: &'static str,
) -> Explanation {
    Explanation { side, counter, severity: Severity::Warn, rules, meaning, fix }
}

use Side::{Cluster, Listener};

/// The table. Severity of `connection_error` depends on whether handshakes succeed beside it: see `judge`.
pub(super) static EXPLANATIONS: &[Explanation] = &[
    // Envoy: "Total TLS connections that failed SAN verification".
    deny(
        Cluster,
        "fail_verify_san",
        &[CLIENT_NAME_MISMATCH, HOSTNAME_MISMATCH],
        "the server's certificate bears none of the names that this client accepts",
        "compare the client policy's subjectAlternativeNames (without them: the server's hostname) with the certificate's",
    ),
    deny(
        Listener,
        "fail_verify_san",
        &[PEER_NAME_MISMATCH],
        "a client's certificate bears none of the names that this listener accepts",
        "compare the listener's validation.subjectAlternativeNames with the names of the clients' certificates",
    ),
    // Envoy: "Total TLS connections that failed CA verification". An expired certificate and a wrong usage count here too.
    deny(
        Cluster,
        "fail_verify_error",
        &[ISSUER_UNTRUSTED, CHAIN_INCOMPLETE, CERTIFICATE_EXPIRED, WRONG_KEY_USAGE],
        "the server's certificate does not lead to a CA that this client trusts, or is out of its dates",
        "compare the client's trust bundle with the server's issuer, and see that the server sends its intermediates",
    ),
    deny(
        Listener,
        "fail_verify_error",
        &[ISSUER_UNTRUSTED, CHAIN_INCOMPLETE, CERTIFICATE_EXPIRED, WRONG_KEY_USAGE],
        "a client's certificate does not lead to a CA that this listener trusts, or is out of its dates",
        "compare the listener's trust bundle with the issuer of the clients' certificates",
    ),
    // Envoy: "Total TLS connections that failed because of missing client certificate".
    deny(
        Listener,
        "fail_verify_no_cert",
        &[CLIENT_CERTIFICATE_MISSING, PROBE_CANNOT_AUTHENTICATE, LOAD_BALANCER_MISMATCH],
        "a client presented no certificate, and this listener demands one",
        "give the client a certificate in its client policy (tls.certificate)",
    ),
    deny(
        Cluster,
        "fail_verify_no_cert",
        &[],
        "the server presented no certificate",
        "see which certificate the server's listener has",
    ),
    // Envoy: "Total TLS connections that failed certificate pinning verification". App Mesh sets no pin.
    deny(
        Cluster,
        "fail_verify_cert_hash",
        &[],
        "the server's certificate is not the pinned one",
        "{api} sets no pin: see what else configures this proxy",
    ),
    deny(
        Listener,
        "fail_verify_cert_hash",
        &[],
        "a client's certificate is not the pinned one",
        "{api} sets no pin: see what else configures this proxy",
    ),
    // Envoy: "Total TLS connection errors not including failed certificate verifications". The proxy's log has the text:
    // WRONG_VERSION_NUMBER of a plaintext server, an alert of a server that refuses the client's certificate.
    deny(
        Cluster,
        "connection_error",
        &[PLAINTEXT_SERVER, SERVICE_BYPASSES_PROXY, CLIENT_CERTIFICATE_MISSING, ISSUER_UNTRUSTED, PEER_NAME_MISMATCH],
        "the server speaks no TLS (WRONG_VERSION_NUMBER), or refused this client's certificate or its lack (an alert)",
        "see whether the server's listener has TLS, and whether it demands a client certificate; its own counters tell which",
    ),
    deny(
        Listener,
        "connection_error",
        &[
            ISSUER_UNTRUSTED,
            HOSTNAME_MISMATCH,
            CLIENT_NAME_MISMATCH,
            PLAINTEXT_SERVER,
            PLAINTEXT_PROBE,
            LOAD_BALANCER_MISMATCH,
        ],
        "a client refused this listener's certificate (an alert), or spoke no TLS to it",
        "read the counters of the clients' proxies; a client or a probe without TLS fails a STRICT listener",
    ),
    // Envoy: "Total TLS connections that failed compliance with the OCSP policy".
    deny(
        Listener,
        "ocsp_staple_failed",
        &[],
        "the OCSP policy refused a connection",
        "{api} sets no OCSP policy: see what else configures this proxy",
    ),
    // Envoy: "Total successful TLS connections that used an invalid keyUsage extension".
    warn(
        Cluster,
        "was_key_usage_invalid",
        &[UNSUPPORTED_KEY],
        "the server's certificate has a key usage that does not fit, which later editions of Envoy refuse",
        "issue it with digitalSignature among its key usages",
    ),
    // Envoy: "Total number of upstream connections reset due to empty ssl certificate". Only SDS can be late: it happens
    // while a proxy starts, too.
    warn(
        Cluster,
        "upstream_context_secrets_not_ready",
        &[SDS_DISABLED],
        "connections were dropped while the certificate was not there yet",
        "see that the SDS provider runs and knows the secret",
    ),
    warn(
        Listener,
        "downstream_context_secrets_not_ready",
        &[SDS_DISABLED],
        "connections were dropped while the certificate was not there yet",
        "see that the SDS provider runs and knows the secret",
    ),
];

/// What a counter of that end means when it isn't zero; None for one that tells of nothing wrong, or isn't known.
pub(crate) fn explain(side: Side, counter: &str) -> Option<&'static Explanation> {
    EXPLANATIONS.iter().find(|row| row.side == side && row.counter == counter)
}

/// Whether a counter that isn't in the table tells of something wrong by its name: Envoy gains some with its releases.
pub(super) fn sounds_wrong(counter: &str) -> bool {
    counter.contains("fail") || counter.contains("error")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_counter_of_an_end_has_one_row() {
        for row in EXPLANATIONS {
            let rows = EXPLANATIONS.iter().filter(|it| (it.side, it.counter) == (row.side, row.counter)).count();
            assert_eq!(rows, 1, "{} {}", row.side.name(), row.counter);
        }
    }

    #[test]
    fn a_rule_explains_a_counter_once() {
        for row in EXPLANATIONS {
            let codes: BTreeSet<&str> = row.rules.iter().map(|rule| rule.code).collect();
            assert_eq!(codes.len(), row.rules.len(), "{} {}", row.side.name(), row.counter);
        }
    }

    #[track_caller]
    fn explains(side: Side, counter: &str, first: &str) {
        let rules = explain(side, counter).map(|row| row.rules);
        assert_eq!(rules.and_then(|rules| rules.first()).map(|rule| rule.code), Some(first));
    }

    #[test]
    fn the_likeliest_rule_comes_first() {
        explains(Cluster, "fail_verify_san", "MV104");
        explains(Listener, "fail_verify_san", "MV105");
        explains(Cluster, "fail_verify_error", "MV301");
        explains(Listener, "fail_verify_no_cert", "MV304");
        explains(Cluster, "connection_error", "MV305");
    }

    #[test]
    fn what_succeeds_is_not_wrong() {
        for counter in ["handshake", "session_reused", "no_certificate", "ocsp_staple_omitted"] {
            for side in [Cluster, Listener] {
                assert!(explain(side, counter).is_none() && !sounds_wrong(counter), "{counter}");
            }
        }
    }
}
