//! The admin interface's `/certs`: the certificates that a proxy has loaded. It holds no key.

use jiff::Timestamp;
use serde_json::Value;
use thiserror::Error;

/// The most names of one certificate that are kept.
const MAX_NAMES: usize = 100;

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The proxy presents it: the leaf of a certificate chain.
    Chain,
    /// The proxy trusts it. Of a bundle Envoy tells one certificate alone.
    Trust,
}

/// A certificate that a proxy has loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProxyCertificate {
    /// What it is for.
    pub role: Role,
    /// Its file in the proxy's container; `<inline>` when it came otherwise.
    pub path: String,
    /// In hexadecimal.
    pub serial_number: String,
    /// DNS names, URIs and IP addresses, a hundred at most.
    pub names: Vec<String>,
    /// Since when it is valid.
    pub valid_from: Option<Timestamp>,
    /// Until when.
    pub expires: Option<Timestamp>,
}

/// An answer that is no list of certificates.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum CertsError {
    /// No `certificates` in it.
    #[error("the answer to /certs is not Envoy's: is this the port of the proxy's admin interface?")]
    NotEnvoy,
}

impl ProxyCertificate {
    /// Reads an answer to `/certs`: `{"certificates": [{"ca_cert": […], "cert_chain": […]}]}`. One that several listeners and
    /// clusters load is reported once; what is missing of one is left empty.
    ///
    /// # Errors
    /// [`CertsError`] when there is no `certificates` in it.
    pub(crate) fn parse(body: &[u8]) -> Result<Vec<Self>, CertsError> {
        let document: Value = serde_json::from_slice(body).map_err(|_| CertsError::NotEnvoy)?;
        let entries = document.get("certificates").and_then(Value::as_array).ok_or(CertsError::NotEnvoy)?;
        let mut seen = std::collections::HashSet::new();
        let mut certificates = Vec::new();
        for (entry, (key, role)) in entries
            .iter()
            .flat_map(|entry| [("cert_chain", Role::Chain), ("ca_cert", Role::Trust)].map(|it| (entry, it)))
        {
            for value in entry.get(key).and_then(Value::as_array).into_iter().flatten() {
                let certificate = Self::of(value, role);
                if seen.insert((key, certificate.path.clone(), certificate.serial_number.clone())) {
                    certificates.push(certificate);
                }
            }
        }
        Ok(certificates)
    }

    fn of(value: &Value, role: Role) -> Self {
        let text = |key| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let names = value.get("subject_alt_names").and_then(Value::as_array).into_iter().flatten().take(MAX_NAMES);
        Self {
            role,
            path: text("path"),
            serial_number: text("serial_number"),
            // Each is {"dns": …}, {"uri": …} or {"ip_address": …}.
            names: names.filter_map(|name| name.as_object()?.values().next()?.as_str()).map(str::to_owned).collect(),
            valid_from: text("valid_from").parse().ok(),
            expires: text("expiration_time").parse().ok(),
        }
    }

    /// Whole days until it expires, below zero when it has. None when Envoy doesn't report its date.
    pub(crate) fn days_left(&self, now: Timestamp) -> Option<i64> {
        Some((self.expires?.as_second() - now.as_second()).div_euclid(24 * 60 * 60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_of_several_listeners_is_told_once() {
        let body = br#"{"certificates": [
            {"ca_cert": [{"path": "ca.pem", "serial_number": "01"}],
             "cert_chain": [{"path": "a.pem", "serial_number": "3b", "subject_alt_names": [{"dns": "a"}, {"uri": "spiffe://b"}],
                "days_until_expiration": "19", "valid_from": "2026-11-23T16:29:14Z", "expiration_time": "2026-12-13T16:29:14Z"}]},
            {"ca_cert": [], "cert_chain": [{"path": "a.pem", "serial_number": "3b"}, {"path": "a.pem", "serial_number": "3c"}]}]}"#;
        let certificates = ProxyCertificate::parse(body).unwrap();
        let told: Vec<_> =
            certificates.iter().map(|it| (it.role, it.path.as_str(), it.serial_number.as_str())).collect();
        let chain = Role::Chain;
        assert_eq!(told, [(chain, "a.pem", "3b"), (Role::Trust, "ca.pem", "01"), (chain, "a.pem", "3c")]);
        let first = &certificates[0];
        assert_eq!(first.names, ["a", "spiffe://b"]);
        assert_eq!(first.days_left("2026-11-23T16:29:15Z".parse().unwrap()), Some(19));
        assert_eq!(first.days_left("2026-12-13T16:29:15Z".parse().unwrap()), Some(-1));
        assert_eq!(certificates[1].days_left(Timestamp::UNIX_EPOCH), None);
    }

    #[test]
    fn odd_values_are_left_empty() {
        let body = br#"{"certificates": [1, null, {"cert_chain": 3, "ca_cert": [7, {"path": 1, "subject_alt_names": [1, {}, {"dns": 2}],
            "expiration_time": "soon"}]}]}"#;
        let certificates = ProxyCertificate::parse(body).unwrap();
        assert_eq!(certificates.len(), 1, "two that say nothing are the same");
        assert_eq!((certificates[0].names.len(), certificates[0].expires), (0, None));
    }

    #[test]
    fn another_answer_is_no_list() {
        for body in ["", "{}", "[]", "certificates", r#"{"certificates": {}}"#] {
            assert_eq!(ProxyCertificate::parse(body.as_bytes()), Err(CertsError::NotEnvoy), "{body}");
        }
    }
}
