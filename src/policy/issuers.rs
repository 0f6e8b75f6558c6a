//! Allowed issuers (MV302), as a policy lists them and as the rule reads them.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::aws::{Arn, ArnKind};
use crate::pki::{Certificate, FileFacts};
use crate::policy::error::PolicyError;
use crate::text::hex_start;

/// Who may have issued a certificate (MV302). Default: anyone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct IssuersFile {
    /// The allowed issuers; a certificate needs one of them above it. A scope's list replaces this one.
    #[schemars(length(min = 1))]
    pub allowed: Vec<AllowedIssuerFile>,
}

/// One allowed issuer, given in exactly one of these ways. The first three prove whose key signed; a subject alone doesn't.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct AllowedIssuerFile {
    /// The authority's own certificate, in PEM; several blocks allow each of them.
    pub certificate: Option<String>,
    /// A file that holds it; a relative path starts at the policy file's folder.
    pub certificate_file: Option<String>,
    /// The SHA-256 digest of the authority's SubjectPublicKeyInfo, in base64 or hexadecimal.
    pub spki_sha256: Option<String>,
    /// The authority's subject: `CN=mesh root,O=Shop`. Counts only for an authority that some proxy in the mesh trusts, not for
    /// one that is only in the chain file: anyone can give that name to an authority.
    pub subject: Option<String>,
    /// The ARN of an AWS Private CA authority.
    pub authority_arn: Option<String>,
}

/// Allowed issuers, resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedIssuers {
    /// Authorities by their own certificates.
    pub certificates: Vec<Arc<Certificate>>,
    /// Digests of authorities' public keys.
    pub pins: Vec<[u8; 32]>,
    /// Authorities by name alone.
    pub subjects: Vec<DistinguishedName>,
    /// Authorities of AWS Private CA.
    pub authorities: Vec<Arn>,
}

/// A distinguished name, to be compared with others however they are written: spaces around commas, the case of attribute types, and
/// which end comes first (RFC 4514 or OpenSSL's order) don't matter.
#[derive(Clone, Debug)]
pub struct DistinguishedName {
    text: String,
    /// Most specific first, as RFC 4514 writes it, or the reverse.
    parts: Vec<String>,
}

impl DistinguishedName {
    /// Reads `CN=mesh root,O=Shop`.
    pub fn parse(text: &str) -> Self {
        let mut parts = vec![String::new()];
        let mut escaped = false;
        for c in text.chars() {
            match parts.last_mut() {
                Some(part) if c != ',' || escaped => part.push(c),
                _ => parts.push(String::new()),
            }
            escaped = c == '\\' && !escaped;
        }
        let parts = parts.iter().map(|part| match part.split_once('=') {
            Some((kind, value)) => format!("{}={}", kind.trim().to_ascii_uppercase(), value.trim().to_lowercase()),
            None => part.trim().to_lowercase(),
        });
        Self { text: text.trim().to_owned(), parts: parts.collect() }
    }

    /// Whether every part is `TYPE=value`.
    fn is_sound(&self) -> bool {
        self.parts
            .iter()
            .all(|part| part.split_once('=').is_some_and(|(kind, value)| !kind.is_empty() && !value.is_empty()))
    }
}

impl PartialEq for DistinguishedName {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts || self.parts.iter().eq(other.parts.iter().rev())
    }
}

impl Eq for DistinguishedName {}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl IssuersFile {
    /// Puts the files that are named in place of their names.
    ///
    /// # Errors
    /// What `read` says of a file, with its place in the policy.
    pub(super) fn read_files(
        &mut self,
        path: &str,
        read: &mut dyn FnMut(&str) -> Result<String, String>,
    ) -> Result<(), PolicyError> {
        for (index, entry) in self.allowed.iter_mut().enumerate() {
            if let (Some(file), None) = (&entry.certificate_file, &entry.certificate) {
                let text = read(file).map_err(|problem| wrong(path, index, "certificateFile", &problem))?;
                (entry.certificate, entry.certificate_file) = (Some(text), None);
            }
        }
        Ok(())
    }

    pub(super) fn resolve(&self, path: &str) -> Result<AllowedIssuers, PolicyError> {
        let mut all = AllowedIssuers::default();
        if self.allowed.is_empty() {
            let problem = "the list is empty, which would allow no issuer; to allow any, leave `issuers` out, or set `MV302: off` in severities";
            return Err(PolicyError::Value { path: format!("{path}.allowed"), problem: problem.to_owned() });
        }
        for (index, entry) in self.allowed.iter().enumerate() {
            let AllowedIssuerFile { certificate, certificate_file, spki_sha256, subject, authority_arn } = entry;
            match (certificate, certificate_file, spki_sha256, subject, authority_arn) {
                (Some(pem), None, None, None, None) => {
                    let bundle = FileFacts::parse(pem.as_bytes()).bundle;
                    let bundle = bundle.map_err(|error| wrong(path, index, "certificate", &error.to_string()))?;
                    all.certificates.extend(bundle.certificates);
                }
                (None, Some(_), None, None, None) => {
                    let problem = "files can't be read here: use `certificate` with the PEM itself";
                    return Err(wrong(path, index, "certificateFile", problem));
                }
                (None, None, Some(pin), None, None) => {
                    let problem = "not a SHA-256 digest in base64 or hexadecimal";
                    all.pins.push(digest(pin).ok_or_else(|| wrong(path, index, "spkiSha256", problem))?);
                }
                (None, None, None, Some(subject), None) => {
                    let name = DistinguishedName::parse(subject);
                    if !name.is_sound() {
                        let problem = "not a distinguished name such as CN=mesh root,O=Shop";
                        return Err(wrong(path, index, "subject", problem));
                    }
                    all.subjects.push(name);
                }
                (None, None, None, None, Some(arn)) => {
                    let arn = Arn::parse(arn, ArnKind::Authority);
                    all.authorities.push(arn.map_err(|error| wrong(path, index, "authorityArn", &error.to_string()))?);
                }
                _ => {
                    return Err(PolicyError::Value {
                        path: format!("{path}.allowed[{index}]"),
                        problem: "exactly one of certificate, certificateFile, spkiSha256, subject and authorityArn is needed".to_owned(),
                    });
                }
            }
        }
        Ok(all)
    }
}

fn wrong(path: &str, index: usize, key: &str, problem: &str) -> PolicyError {
    PolicyError::Value { path: format!("{path}.allowed[{index}].{key}"), problem: problem.to_owned() }
}

/// 32 bytes from `ab:cd:…`, `abcd…`, base64, or `sha256/` and base64 as curl has it.
fn digest(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    let hexadecimal: String = text.chars().filter(|c| *c != ':').collect();
    if hexadecimal.len() == 64 && hexadecimal.bytes().all(|b| b.is_ascii_hexdigit()) {
        let byte = |index: usize| u8::from_str_radix(hexadecimal.get(index * 2..index * 2 + 2)?, 16).ok();
        return (0..32).map(byte).collect::<Option<Vec<u8>>>()?.try_into().ok();
    }
    let base64 = text.strip_prefix("sha256/").unwrap_or(text);
    STANDARD.decode(base64).or_else(|_| STANDARD_NO_PAD.decode(base64)).ok()?.try_into().ok()
}

impl fmt::Display for AllowedIssuers {
    /// `CN=mesh root, the key sha256/… or CN=other`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 4;
        let certificates =
            self.certificates.iter().map(|one| format!("{} (key {})", one.subject, hex_start(&one.spki_sha256)));
        let pins = self.pins.iter().map(|pin| format!("the authority with key {}", hex_start(pin)));
        let subjects = self.subjects.iter().map(|subject| format!("a trusted {subject}"));
        let all: Vec<String> =
            certificates.chain(pins).chain(subjects).chain(self.authorities.iter().map(Arn::resource)).collect();
        f.write_str(&all.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(" or "))?;
        if all.len() > SHOWN { write!(f, " or {} more", all.len() - SHOWN) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_however_it_is_written() {
        let name = DistinguishedName::parse("CN=mesh root,O=Shop\\, Inc,C=DE");
        for same in ["cn = Mesh Root , O=Shop\\, Inc, C=DE", "C=DE, O=Shop\\, Inc, CN=mesh root"] {
            assert_eq!(name, DistinguishedName::parse(same), "{same}");
        }
        for other in ["CN=mesh root", "CN=mesh root,O=Shop,C=DE", "O=Shop\\, Inc,CN=mesh root,C=DE"] {
            assert_ne!(name, DistinguishedName::parse(other), "{other}");
        }
    }

    #[test]
    fn a_pin_is_read_in_the_forms_that_tools_print() {
        let pin = [0xab; 32];
        let hexadecimal = "ab".repeat(32);
        let colons = vec!["AB"; 32].join(":");
        for text in [hexadecimal, colons, STANDARD.encode(pin), format!("sha256/{}", STANDARD.encode(pin))] {
            assert_eq!(digest(&text), Some(pin), "{text}");
        }
        for text in ["", "abcd", &"ab".repeat(31), &STANDARD.encode([1; 31])] {
            assert_eq!(digest(text), None, "{text}");
        }
    }
}
