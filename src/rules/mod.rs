//! The rules: one file each, whose doc comment is its manual, and one table of them all.
//!
//! A rule is a pure function of a [`Context`]: the object under review, the mesh, the policy and the time. It reports
//! [`Problem`](crate::finding::Problem)s; the [engine](judge) gives them the severity that the policy sets and sorts them.
//!
//! Codes are never used again for something else. A new rule is a new file and a new row of [`RULES`].

mod acm;
mod context;
mod engine;
mod envoy;
mod files;
mod issuers;
mod names;
mod objects;
mod pairs;
mod questions;
mod stores;
mod uses;

pub use context::{CertificateUse, Context, End, FileUse, Files, Role, Surface, TrustUse};
pub use engine::{Examined, Judgement, examine, judge};
pub use objects::undecodable_object::undecodable;
pub use objects::unused_suppression::{broken_comment, unused_comment};
pub use pairs::{Pair, Refused, Side, Standpoint};

use crate::finding::{Manual, Severity};
use crate::text::suggest;

/// One rule: its names, what it thinks by default, its manual and its check.
#[derive(Debug)]
pub struct Rule {
    /// `MV101`: stable, and never used for another rule.
    pub code: &'static str,
    /// `hostname-mismatch`: reads as "allow hostname-mismatch".
    pub name: &'static str,
    /// The severity of its usual case; single cases may be softer.
    pub default: Severity,
    /// Wrong when: one line.
    pub summary: &'static str,
    /// The source file, whose leading doc comment is the manual.
    source: &'static str,
    check: fn(&Context<'_>, &mut engine::Reporter<'_>),
}

macro_rules! rule {
    ($code:literal $name:literal $severity:ident $folder:ident $file:ident $summary:literal) => {
        Rule {
            code: $code,
            name: $name,
            default: Severity::$severity,
            summary: $summary,
            source: include_str!(concat!(stringify!($folder), "/", stringify!($file), ".rs")),
            check: $folder::$file::check,
        }
    };
}

/// Every rule, by code.
#[rustfmt::skip]
pub static RULES: &[Rule] = &[
    rule!("MV001" "unknown-field" Warn objects unknown_field "a field that no version of the API has, and that will be dropped"),
    rule!("MV002" "malformed-annotation" Warn objects malformed_annotation "an annotation that the injector can't use as it stands"),
    rule!("MV003" "ambiguous-membership" Warn objects ambiguous_membership "a workload selected by more than one virtual node or gateway"),
    rule!("MV004" "not-exactly-one-source" Deny objects not_exactly_one_source "none, or more than one, of alternatives that exclude each other"),
    rule!("MV005" "refused-by-app-mesh" Deny objects refused_by_app_mesh "what the CRD accepts and the App Mesh API refuses"),
    rule!("MV006" "undecodable-object" Deny objects undecodable_object "an object that meshvet can't read"),
    rule!("MV007" "unused-suppression" Warn objects unused_suppression "an entry that asks to ignore a rule's findings, and leaves none"),
    rule!("MV101" "hostname-mismatch" Deny names hostname_mismatch "no name of the certificate matches the DNS hostname of the virtual node"),
    rule!("MV102" "common-name-only" Warn names common_name_only "only the common name matches the hostname, which today's Envoy ignores"),
    rule!("MV103" "cloud-map-name" Warn names cloud_map_name "with Cloud Map, none of the certificate's names is significant to the node"),
    rule!("MV104" "client-name-mismatch" Deny names client_name_mismatch "the names that a client policy lists fit no name of the backend's certificate"),
    rule!("MV105" "peer-name-mismatch" Deny names peer_name_mismatch "the names that a listener lists fit no name of a calling node's certificate"),
    rule!("MV106" "wildcard-in-san-list" Warn names wildcard_in_san_list "an entry of a subject alternative name list is a pattern, where only exact names count"),
    rule!("MV201" "file-not-mounted" Warn files file_not_mounted "nothing is mounted at the path that the proxy will read"),
    rule!("MV202" "file-missing" Deny files file_missing "a volume is mounted there, and the file is not in it"),
    rule!("MV203" "workload-unknown" Warn files workload_unknown "no workload is selected, so that paths lead nowhere yet"),
    rule!("MV204" "certificate-unreadable" Deny files certificate_unreadable "what is there is not a PEM certificate that Envoy loads"),
    rule!("MV205" "key-unreadable" Deny files key_unreadable "what is there is not a private key that Envoy loads"),
    rule!("MV206" "key-mismatch" Deny files key_mismatch "the private key is not the certificate's"),
    rule!("MV207" "certificate-expired" Deny files certificate_expired "the certificate is past its notAfter"),
    rule!("MV208" "certificate-not-yet-valid" Deny files certificate_not_yet_valid "the certificate is before its notBefore"),
    rule!("MV209" "certificate-expiring" Warn files certificate_expiring "the certificate ends soon"),
    rule!("MV210" "chain-incomplete" Deny files chain_incomplete "the chain file lacks a link on the way to what a known client trusts"),
    rule!("MV211" "chain-disordered" Deny files chain_disordered "the first certificate of the chain file is not the leaf"),
    rule!("MV212" "wrong-key-usage" Deny files wrong_key_usage "an extended key usage that doesn't allow what the certificate is used for"),
    rule!("MV213" "weak-key" Warn files weak_key "key, signature or lifetime outside the policy's profile"),
    rule!("MV214" "stray-private-key" Warn files stray_private_key "a trust bundle or chain file carries a private key"),
    rule!("MV215" "unsupported-key" Deny files unsupported_key "a key that Envoy refuses or can't shake hands with"),
    rule!("MV216" "certificate-ignored" Warn files certificate_ignored "Envoy silently drops a certificate of the file"),
    rule!("MV217" "nameless-certificate" Deny files nameless_certificate "a certificate with neither common name nor subject alternative name"),
    rule!("MV218" "proxy-not-injected" Warn files proxy_not_injected "no proxy is injected into the selected pods, so that nothing would load the file"),
    rule!("MV219" "sds-disabled" Warn files sds_disabled "a secret of the Secret Discovery Service where that is switched off"),
    rule!("MV301" "issuer-untrusted" Deny issuers issuer_untrusted "a client that reaches the listener doesn't trust its issuer, or the reverse"),
    rule!("MV302" "issuer-not-allowed" Deny issuers issuer_not_allowed "the policy lists allowed issuers, and the certificate's is none of them"),
    rule!("MV303" "trust-unreadable" Deny issuers trust_unreadable "a trust bundle that holds no certificate Envoy loads"),
    rule!("MV304" "client-certificate-missing" Deny issuers client_certificate_missing "a listener validates clients, and a calling node shows no certificate"),
    rule!("MV305" "plaintext-server" Deny issuers plaintext_server "a client enforces TLS on a backend whose listener speaks none"),
    rule!("MV306" "plaintext-probe" Warn issuers plaintext_probe "a kubelet probe in plaintext to the port of a STRICT listener"),
    rule!("MV307" "tls-not-required" Off issuers tls_not_required "a listener that isn't STRICT where the policy says it must be"),
    rule!("MV401" "acm-arn-malformed" Deny acm acm_arn_malformed "what stands there is not the ARN of a certificate, or of an authority"),
    rule!("MV402" "acm-other-region" Deny acm acm_other_region "a certificate or authority in another Region than the node's"),
    rule!("MV403" "acm-other-account" Deny acm acm_other_account "a certificate of another account than the node's"),
    rule!("MV404" "acm-not-found" Deny acm acm_not_found "AWS has no such certificate or authority"),
    rule!("MV405" "acm-not-private" Deny acm acm_not_private "an ACM certificate that AWS Private CA did not issue"),
    rule!("MV406" "acm-not-issued" Deny acm acm_not_issued "an ACM certificate that is pending, expired, revoked or failed"),
    rule!("MV407" "acm-authority-unusable" Deny acm acm_authority_unusable "an authority that is not active"),
    rule!("MV408" "acm-unverified" Warn acm acm_unverified "AWS did not answer what the verdict needed to know"),
    rule!("MV409" "envoy-cannot-export" Warn acm envoy_cannot_export "the proxy's role may not fetch its certificate, or an authority's"),
    rule!("MV410" "proxy-not-authorized" Warn acm proxy_not_authorized "the proxy's role may not fetch its configuration, or everybody's"),
    rule!("MV411" "acm-authority-not-root" Warn acm acm_authority_not_root "a client policy trusts a subordinate authority by its ARN"),
    rule!("MV412" "controller-not-authorized" Warn acm controller_not_authorized "the role that creates nodes may not look at what they name"),
    rule!("MV413" "acm-key-algorithm" Warn acm acm_key_algorithm "an ACM certificate with another key than RSA"),
];

impl Rule {
    /// The rule of this code or name, whatever the case of its letters.
    pub fn find(name: &str) -> Option<&'static Rule> {
        RULES.iter().find(|rule| rule.code.eq_ignore_ascii_case(name) || rule.name.eq_ignore_ascii_case(name))
    }

    /// The code or name that comes nearest to one that isn't there.
    pub fn nearest(name: &str) -> Option<&'static str> {
        suggest::nearest(name, RULES.iter().flat_map(|rule| [rule.code, rule.name]))
    }

    /// The rule's row in [`RULES`].
    pub fn index(&self) -> usize {
        RULES.partition_point(|rule| rule.code < self.code)
    }

    /// The rule's manual, read from its source file's doc comment.
    pub fn manual(&self) -> Manual<'static> {
        Manual::parse(self.source)
    }

    /// The manual as a page of Markdown.
    pub fn markdown(&self) -> String {
        let manual = self.manual();
        let mut letters = self.summary.chars();
        let summary: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
        let mut page =
            format!("# {}: `{}`\n\n{summary}.\nSeverity by default: **{}**.\n", self.code, self.name, self.default);
        let parts = [
            ("What it checks", &manual.what),
            ("Why it matters", &manual.why),
            ("Example", &manual.example),
            ("How to fix", &manual.fix),
        ];
        for (heading, part) in parts {
            page.push_str(&format!("\n## {heading}\n\n{}\n", part.trim()));
        }
        page
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl Eq for Rule {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_unique_and_in_order() {
        for pair in RULES.windows(2) {
            assert!(pair[0].code < pair[1].code, "{} before {}", pair[0].code, pair[1].code);
        }
        for (index, rule) in RULES.iter().enumerate() {
            assert_eq!(rule.index(), index);
            assert_eq!(RULES.iter().filter(|other| other.name == rule.name).count(), 1, "{}", rule.name);
            assert!(rule.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", rule.name);
        }
    }

    #[test]
    fn every_rule_has_a_full_manual() {
        for rule in RULES {
            let manual = rule.manual();
            assert!(
                manual.title.contains(rule.code) && manual.title.contains(rule.name),
                "{}: {}",
                rule.code,
                manual.title
            );
            for (heading, text) in [
                ("What it checks", &manual.what),
                ("Why it matters", &manual.why),
                ("Example", &manual.example),
                ("How to fix", &manual.fix),
            ] {
                assert!(text.trim().len() > 30, "{}: {heading} is missing or too short: {text:?}", rule.code);
            }
        }
    }

    #[test]
    fn a_misspelt_rule_leads_to_the_nearest() {
        assert_eq!(Rule::find("mv101").map(|rule| rule.name), Some("hostname-mismatch"));
        assert_eq!(Rule::find("key-mismatch").map(|rule| rule.code), Some("MV206"));
        assert_eq!(Rule::nearest("hostname-missmatch"), Some("hostname-mismatch"));
        assert_eq!(Rule::nearest("xyz"), None);
    }
}
