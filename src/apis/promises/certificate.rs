//! cert-manager's Certificate: the Secret that it fills, and what the certificate in it is asked to be.
//!
//! What is left out here is what cert-manager fills in: an RSA key of 2048 bits, 90 days, digital signature and key encipherment
//! without any extended usage. An issuer may still sign something else (a public one adds `server auth`, and keeps its own time).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::k8s::ObjectRef;
use crate::mesh::{CertificateFields, Namespaces, PromisedCertificate, PromisedStore, StoreFields, StoreKind};
use crate::pki::{BasicConstraints, Certificate, Description, ExtendedKeyUsage, FileForm, KeyAlgorithm, KeyUsage, San};

const FIELDS: StoreFields = StoreFields { name: "spec.secretName", keys: "spec.additionalOutputFormats" };
const CERTIFICATE_FIELDS: CertificateFields = CertificateFields {
    names: "spec.dnsNames",
    usages: "spec.usages",
    key: "spec.privateKey",
    lifetime: "spec.duration",
};
/// How long a certificate holds whose `duration` is left out.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 90);

/// What is read of the spec.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    secret_name: String,
    issuer_ref: Option<IssuerRef>,
    common_name: Option<String>,
    literal_subject: Option<String>,
    dns_names: Option<Vec<String>>,
    ip_addresses: Option<Vec<String>>,
    uris: Option<Vec<String>>,
    email_addresses: Option<Vec<String>>,
    other_names: Option<Vec<serde::de::IgnoredAny>>,
    usages: Option<Vec<String>>,
    #[serde(rename = "isCA")]
    is_ca: Option<bool>,
    duration: Option<String>,
    private_key: Option<PrivateKey>,
    additional_output_formats: Option<Vec<OutputFormat>>,
    keystores: Option<KeyStores>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct IssuerRef {
    name: String,
    kind: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PrivateKey {
    algorithm: Option<String>,
    size: Option<i64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct OutputFormat {
    r#type: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct KeyStores {
    jks: Option<KeyStore>,
    pkcs12: Option<KeyStore>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct KeyStore {
    create: bool,
}

pub(super) fn stores(object: &ObjectRef, spec: Spec) -> Vec<PromisedStore> {
    vec![store(object, spec)]
}

fn store(object: &ObjectRef, spec: Spec) -> PromisedStore {
    PromisedStore {
        by: object.clone(),
        kind: StoreKind::Secret,
        namespaces: Namespaces::One(object.namespace().to_owned()),
        name: spec.secret_name.clone(),
        keys: Some(spec.keys()),
        certificate: Some(PromisedCertificate { leaf: Arc::new(spec.leaf(object)), fields: &CERTIFICATE_FIELDS }),
        fields: &FIELDS,
        filled_in_by: None,
    }
}

/// The Secret of a Certificate that cert-manager makes for the hosts of another object.
pub(super) fn for_hosts(
    object: &ObjectRef,
    secret: &str,
    hosts: &[&str],
    annotations: &BTreeMap<String, String>,
    fields: &'static CertificateFields,
) -> PromisedStore {
    let annotation = |key: &str| annotations.get(&format!("cert-manager.io/{key}")).filter(|value| !value.is_empty());
    let algorithm = annotation("private-key-algorithm").cloned();
    let size = annotation("private-key-size").and_then(|size| size.parse().ok());
    let (addresses, names): (Vec<&str>, Vec<&str>) = hosts.iter().partition(|host| host.parse::<IpAddr>().is_ok());
    let owned = |names: Vec<&str>| Some(names.into_iter().map(str::to_owned).collect());
    let spec = Spec {
        secret_name: secret.to_owned(),
        dns_names: owned(names),
        ip_addresses: owned(addresses),
        common_name: annotation("common-name").cloned(),
        duration: annotation("duration").cloned(),
        // What cert-manager asks for, where nothing else is said of a server's certificate.
        usages: Some(match annotation("usages") {
            Some(usages) => usages.split(',').map(|usage| usage.trim().to_owned()).collect(),
            None => ["digital signature", "key encipherment"].map(str::to_owned).to_vec(),
        }),
        private_key: Some(PrivateKey { algorithm, size }),
        ..Spec::default()
    };
    let store = store(object, spec);
    let certificate = store.certificate.map(|certificate| PromisedCertificate { fields, ..certificate });
    PromisedStore { certificate, ..store }
}

impl Spec {
    /// `ca.crt` counts: most issuers put it in.
    fn keys(&self) -> BTreeMap<String, FileForm> {
        let mut keys =
            vec![("tls.crt", FileForm::Chain), ("tls.key", FileForm::Key), ("ca.crt", FileForm::Authorities)];
        for format in self.additional_output_formats.iter().flatten() {
            match format.r#type.as_str() {
                "CombinedPEM" => keys.push(("tls-combined.pem", FileForm::KeyAndChain)),
                "DER" => keys.push(("key.der", FileForm::Der)),
                _ => {}
            }
        }
        let created = |store: &Option<KeyStore>| store.as_ref().is_some_and(|store| store.create);
        if let Some(stores) = &self.keystores {
            if created(&stores.jks) {
                keys.extend(["keystore.jks", "truststore.jks"].map(|key| (key, FileForm::JavaKeyStore)));
            }
            if created(&stores.pkcs12) {
                keys.extend(["keystore.p12", "truststore.p12"].map(|key| (key, FileForm::Pkcs12)));
            }
        }
        keys.into_iter().map(|(key, form)| (key.to_owned(), form)).collect()
    }

    fn leaf(&self, object: &ObjectRef) -> Certificate {
        let (key_usage, extended_key_usage) = self.usages();
        let lifetime = self.duration.as_deref().and_then(duration).unwrap_or(LIFETIME);
        let mut leaf = Certificate::described(Description {
            identity: object.to_string(),
            serial: String::new(),
            common_name: self.common_name(),
            dns_names: Vec::new(),
            not_before: Timestamp::UNIX_EPOCH,
            not_after: Timestamp::UNIX_EPOCH.checked_add(lifetime).unwrap_or(Timestamp::MAX),
            key_algorithm: self.key_algorithm(),
            signature_algorithm: String::new(),
            signature_hash: None,
            key_usage,
            extended_key_usage,
            issuer: self.issuer_ref.as_ref().map(ToString::to_string).unwrap_or_default(),
        });
        leaf.sans = self.sans();
        leaf.basic_constraints = Some(BasicConstraints { ca: self.is_ca == Some(true), path_len: None });
        leaf
    }

    fn common_name(&self) -> Option<String> {
        let of_subject = |subject: &String| {
            let attributes = subject.split(',').filter_map(|part| part.split_once('='));
            let mut names = attributes.filter(|(kind, _)| kind.trim().eq_ignore_ascii_case("CN"));
            names.next().map(|(_, name)| name.trim().to_owned())
        };
        let literal = self.literal_subject.as_ref().filter(|subject| !subject.is_empty());
        let name = literal.map_or_else(|| self.common_name.clone(), of_subject);
        name.filter(|name| !name.is_empty())
    }

    fn sans(&self) -> Vec<San> {
        let of = |names: &Option<Vec<String>>, make: fn(String) -> San| -> Vec<San> {
            names.iter().flatten().cloned().map(make).collect()
        };
        let addresses = self.ip_addresses.iter().flatten();
        let addresses = addresses.filter_map(|address| address.parse::<IpAddr>().ok()).map(San::Ip);
        let mut sans = of(&self.dns_names, San::Dns);
        sans.extend(addresses);
        sans.extend(of(&self.uris, San::Uri));
        sans.extend(of(&self.email_addresses, San::Email));
        sans.extend(self.other_names.iter().flatten().map(|_| San::Other("otherName".to_owned())));
        sans
    }

    fn key_algorithm(&self) -> KeyAlgorithm {
        let (algorithm, size) = match &self.private_key {
            Some(key) => (key.algorithm.as_deref().unwrap_or_default(), key.size.unwrap_or_default()),
            None => ("", 0),
        };
        match (algorithm, size) {
            ("" | "RSA", 0) => KeyAlgorithm::Rsa { bits: 2048 },
            ("" | "RSA", bits) => KeyAlgorithm::Rsa { bits: usize::try_from(bits).unwrap_or_default() },
            ("ECDSA", 384) => KeyAlgorithm::EcP384,
            ("ECDSA", 521) => KeyAlgorithm::EcP521,
            ("ECDSA", _) => KeyAlgorithm::EcP256,
            ("Ed25519", _) => KeyAlgorithm::Ed25519,
            (other, _) => KeyAlgorithm::Other(other.to_owned()),
        }
    }

    /// Each of both is only there where a usage of its kind is asked for.
    fn usages(&self) -> (Option<KeyUsage>, Option<ExtendedKeyUsage>) {
        let listed = self.usages.as_deref().unwrap_or_default();
        let default = ["digital signature".to_owned(), "key encipherment".to_owned()];
        let listed = if listed.is_empty() { &default } else { listed };
        let is_ca = self.is_ca == Some(true);
        let mut key = KeyUsage { key_cert_sign: is_ca, ..KeyUsage::default() };
        let mut extended = ExtendedKeyUsage::default();
        for usage in listed {
            match usage.as_str() {
                "signing" | "digital signature" => key.digital_signature = true,
                "content commitment" => key.content_commitment = true,
                "key encipherment" => key.key_encipherment = true,
                "data encipherment" => key.data_encipherment = true,
                "key agreement" => key.key_agreement = true,
                "cert sign" => key.key_cert_sign = true,
                "crl sign" => key.crl_sign = true,
                "encipher only" => key.encipher_only = true,
                "decipher only" => key.decipher_only = true,
                "any" => extended.any = true,
                "server auth" => extended.server_auth = true,
                "client auth" => extended.client_auth = true,
                other => extended.others.push(other.to_owned()),
            }
        }
        ((key != KeyUsage::default()).then_some(key), (extended != ExtendedKeyUsage::default()).then_some(extended))
    }
}

impl std::fmt::Display for IssuerRef {
    /// `Issuer depot-ca`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind.as_deref().unwrap_or("Issuer"), self.name)
    }
}

/// `2160h`, `90m30s`: a duration as Go writes it, to the second.
fn duration(text: &str) -> Option<SignedDuration> {
    let mut all = SignedDuration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(end);
        let unit = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(unit);
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            _ => return None,
        };
        let part = SignedDuration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
        all = all.checked_add(part)?;
        rest = behind;
    }
    (all > SignedDuration::ZERO).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn made(spec: Value) -> PromisedStore {
        let object = ObjectRef::new("cert-manager.io/v1", "Certificate", "depot", "ledger");
        let spec = Spec::deserialize(spec).expect("a spec");
        stores(&object, spec).pop().expect("a store")
    }

    fn leaf(spec: Value) -> Arc<Certificate> {
        made(spec).certificate.expect("a certificate").leaf
    }

    #[test]
    fn what_is_left_out_is_what_cert_manager_fills_in() {
        let leaf = leaf(json!({"secretName": "ledger-tls", "dnsNames": ["ledger.depot"], "issuerRef": {"name": "ca"}}));
        assert_eq!(leaf.key_algorithm, KeyAlgorithm::Rsa { bits: 2048 });
        assert_eq!(leaf.lifetime().as_secs(), 90 * 24 * 3600);
        assert_eq!((leaf.names_text().as_str(), leaf.issuer.as_str()), ("DNS:ledger.depot", "Issuer ca"));
        let usage = leaf.key_usage.expect("key usages");
        assert!(usage.digital_signature && usage.key_encipherment && !usage.key_cert_sign);
        assert!(leaf.extended_key_usage.is_none() && !leaf.is_ca());
    }

    #[test]
    fn names_of_every_kind_are_read() {
        let leaf = leaf(json!({
            "literalSubject": "O=Shop, CN=ledger", "commonName": "ignored", "dnsNames": ["a.b"], "ipAddresses": ["::1", "no"],
            "uris": ["spiffe://a/b"], "emailAddresses": ["a@b"], "otherNames": [{"oid": "1.2", "utf8Value": "x"}], "isCA": true,
        }));
        assert_eq!(leaf.names_text(), "DNS:a.b, IP:::1, URI:spiffe://a/b, email:a@b, otherName; CN=ledger");
        assert!(leaf.is_ca() && leaf.key_usage.is_some_and(|usage| usage.key_cert_sign));
    }

    #[test]
    fn each_format_is_a_key_of_its_own() {
        let keys = |spec| made(spec).keys.expect("keys").into_keys().collect::<Vec<_>>();
        assert_eq!(keys(json!({})), ["ca.crt", "tls.crt", "tls.key"]);
        let formats = json!([{"type": "CombinedPEM"}, {"type": "DER"}]);
        let all = json!({"additionalOutputFormats": formats, "keystores": {"jks": {"create": true}, "pkcs12": {"create": false}}});
        let more = ["ca.crt", "key.der", "keystore.jks", "tls-combined.pem", "tls.crt", "tls.key", "truststore.jks"];
        assert_eq!(keys(all), more);
    }

    #[test]
    fn a_duration_is_read_as_go_writes_it() {
        for (text, seconds) in [("2160h", 7_776_000), ("1h30m", 5_400), ("2160h0m0s", 7_776_000), ("1.5h", 5_400)] {
            assert_eq!(duration(text), Some(SignedDuration::from_secs(seconds)), "{text}");
        }
        for text in ["", "90d", "h", "90", "0h", "99999999999999999999h"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
