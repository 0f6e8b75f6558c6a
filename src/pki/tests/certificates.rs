//! What is read from a certificate.

use std::time::Duration;

use jiff::Timestamp;
use rcgen::{
    BasicConstraints as Constraints, CustomExtension, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyUsagePurpose,
    NameConstraints, date_time_ymd,
};

use super::*;

#[track_caller]
fn read(file: &str) -> Certificate {
    FileFacts::parse(&fixture(file)).chain.unwrap_or_else(|error| panic!("{file}: {error}")).leaf().clone()
}

fn oid(oid: &[u64], content: &[u8], critical: bool) -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(oid, content.to_vec());
    extension.set_criticality(critical);
    extension
}

#[test]
fn a_leaf_is_read_in_full() {
    let minted = mint_with("blue", |params| {
        params.distinguished_name.push(DnType::OrganizationName, "Shop");
        params.subject_alt_names = vec![dns_name("blue.apps.local"), SanType::URI("spiffe://a/b".try_into().unwrap())];
        params.not_before = date_time_ymd(2026, 1, 2);
        params.not_after = date_time_ymd(2026, 4, 2);
        params.serial_number = Some(0x00ab_cdefu64.into());
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::Other(vec![1, 2, 3])];
    });
    let certificate = &minted.certificate;
    assert_eq!(certificate.version, 3);
    assert_eq!(certificate.serial, "abcdef");
    assert_eq!(certificate.subject, "O=Shop,CN=blue");
    assert_eq!(certificate.issuer, certificate.subject);
    assert!(certificate.is_self_issued() && !certificate.is_ca());
    assert_eq!(certificate.common_name.as_deref(), Some("blue"));
    assert_eq!(certificate.sans, [San::Dns("blue.apps.local".into()), San::Uri("spiffe://a/b".into())]);
    assert_eq!(certificate.dns_sans().collect::<Vec<_>>(), ["blue.apps.local"]);
    assert_eq!(certificate.not_before, "2026-01-02T00:00:00Z".parse::<Timestamp>().unwrap());
    assert_eq!(certificate.not_after, "2026-04-02T00:00:00Z".parse::<Timestamp>().unwrap());
    assert_eq!(certificate.lifetime(), Duration::from_secs(90 * 86_400));
    assert_eq!(certificate.key_algorithm, KeyAlgorithm::EcP256);
    assert_eq!(certificate.signature_algorithm, "ECDSA with SHA-256");
    assert_eq!(certificate.signature_hash, Some(HashAlgorithm::Sha256));
    assert_eq!(certificate.key_usage, Some(KeyUsage { digital_signature: true, ..KeyUsage::default() }));
    let expected = ExtendedKeyUsage { server_auth: true, others: vec!["1.2.3".into()], ..ExtendedKeyUsage::default() };
    assert_eq!(certificate.extended_key_usage, Some(expected));
    assert_eq!(certificate.basic_constraints, None);
    assert_eq!(certificate.malformed_extensions, [""; 0]);
    let digest = ring::digest::digest(&ring::digest::SHA256, &certificate.der);
    assert_eq!(certificate.fingerprint.as_slice(), digest.as_ref());
}

#[test]
fn an_authority_is_read_in_full() {
    let minted = mint_with("root", |params| {
        params.is_ca = IsCa::Ca(Constraints::Constrained(2));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.use_authority_key_identifier_extension = true;
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("apps.local".into())],
            excluded_subtrees: vec![],
        });
    });
    let certificate = &minted.certificate;
    assert!(certificate.is_ca() && certificate.name_constraints);
    assert_eq!(certificate.basic_constraints, Some(BasicConstraints { ca: true, path_len: Some(2) }));
    assert_eq!(certificate.key_usage, Some(KeyUsage { key_cert_sign: true, crl_sign: true, ..KeyUsage::default() }));
    assert!(certificate.subject_key_id.as_ref().is_some_and(|id| !id.is_empty()));
    assert_eq!(certificate.authority_key_id, certificate.subject_key_id);
    assert_eq!(certificate.unhandled_critical, [""; 0]);
    let unconstrained = mint_with("root", |params| params.is_ca = IsCa::Ca(Constraints::Unconstrained)).certificate;
    assert_eq!(unconstrained.basic_constraints, Some(BasicConstraints { ca: true, path_len: None }));
    let explicit = mint_with("leaf", |params| params.is_ca = IsCa::ExplicitNoCa).certificate;
    assert_eq!(explicit.basic_constraints, Some(BasicConstraints { ca: false, path_len: None }));
}

#[test]
fn signatures_are_told_by_their_hash() {
    for (file, name, hash) in [
        ("signature-md5.crt", "RSA with MD5", Some(HashAlgorithm::Md5)),
        ("signature-sha1.crt", "ECDSA with SHA-1", Some(HashAlgorithm::Sha1)),
        ("signature-pss.crt", "RSASSA-PSS with SHA-384", Some(HashAlgorithm::Sha384)),
        ("rsa2048.crt", "RSA with SHA-256", Some(HashAlgorithm::Sha256)),
        ("ed25519.crt", "Ed25519", None),
    ] {
        let certificate = read(file);
        assert_eq!((certificate.signature_algorithm.as_str(), certificate.signature_hash), (name, hash), "{file}");
    }
}

#[test]
fn a_certificate_of_version_1_reads() {
    let certificate = read("version1.crt");
    assert_eq!((certificate.version, certificate.subject.as_str()), (1, "CN=version1"));
    assert!(!certificate.is_ca());
}

#[test]
fn names_are_written_as_rfc_4514_does() {
    let expected = r#"CN=\#1 \"blue\",emailAddress=a@b.c,OU=a\+b,O=Shop\, Inc.,C=DE"#;
    assert_eq!(read("subject-long.crt").subject, expected);
    let strange = mint("a\nb\u{1b}[31m", &["x\u{7f}y"]).certificate;
    assert_eq!(strange.subject, r"CN=a\0Ab\1B[31m");
    assert_eq!(strange.names_text(), r"DNS:x\u{7f}y; CN=a\nb\u{1b}[31m");
}

#[test]
fn names_for_a_message_stay_short() {
    assert_eq!(mint("c", &["a", "b"]).certificate.names_text(), "DNS:a, DNS:b; CN=c");
    assert_eq!(mint("c", &[]).certificate.names_text(), "CN=c");
    assert_eq!(mint("", &["a"]).certificate.names_text(), "DNS:a");
    assert_eq!(mint("", &[]).certificate.names_text(), "no name");
    let many: Vec<String> = (0..200).map(|number| format!("n{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let text = mint("c", &many).certificate.names_text();
    assert_eq!(text, "DNS:n0, DNS:n1, DNS:n2, DNS:n3, DNS:n4, DNS:n5, DNS:n6, DNS:n7 and 192 more; CN=c");
    let long = mint_with(&"x".repeat(5000), |_| ()).certificate;
    assert!(long.names_text().len() < 400 && long.subject.len() < 1200);
}

#[test]
fn critical_extensions_that_boringssl_does_not_handle_are_listed() {
    let minted = mint_with("x", |params| {
        params.custom_extensions = vec![
            oid(&[1, 2, 3, 4], &[5, 0], true),
            oid(&[1, 2, 3, 5], &[5, 0], false),
            oid(&[2, 5, 29, 31], &[0x30, 0], true),
            oid(&[2, 5, 29, 32], &[0x30, 0], true),
            oid(&[2, 5, 29, 36], &[0x30, 0], true),
        ];
    });
    assert_eq!(minted.certificate.unhandled_critical, ["1.2.3.4", "2.5.29.31"]);
}

#[test]
fn damaged_extensions_are_listed_and_grant_nothing() {
    let with = |oids: &[(&[u64], &[u8])]| {
        let extensions = oids.iter().map(|(numbers, content)| oid(numbers, content, false)).collect();
        mint_with("x", |params| params.custom_extensions = extensions).certificate
    };
    let usage = with(&[(&[2, 5, 29, 15], &[0xff])]);
    assert_eq!(usage.key_usage, Some(KeyUsage::default()));
    assert!(matches!(usage.key_support(), KeySupport::Refused { .. }), "an EC key that may sign nothing");
    assert_eq!(usage.malformed_extensions, ["2.5.29.15"]);
    assert_eq!(with(&[(&[2, 5, 29, 37], &[0xff])]).extended_key_usage, Some(ExtendedKeyUsage::default()));
    assert_eq!(with(&[(&[2, 5, 29, 19], &[0xff])]).basic_constraints, None);
    assert_eq!(with(&[(&[2, 5, 29, 17], &[0xff])]).sans, []);
    // Two extensions of one kind count as none.
    let san: &[u8] = &[0x30, 5, 0x82, 3, b'a', b'.', b'b'];
    assert_eq!(with(&[(&[2, 5, 29, 17], san)]).names_text(), "DNS:a.b; CN=x");
    let twice = with(&[(&[2, 5, 29, 17], san), (&[2, 5, 29, 17], san)]);
    assert_eq!((twice.sans.len(), twice.malformed_extensions.as_slice()), (0, &["2.5.29.17".to_owned()][..]));
}

#[test]
fn the_end_of_time_is_not_an_error() {
    let minted = mint_with("x", |params| {
        params.not_before = date_time_ymd(1950, 1, 1);
        params.not_after = date_time_ymd(9999, 12, 31);
    });
    assert_eq!(minted.certificate.not_before, "1950-01-01T00:00:00Z".parse::<Timestamp>().unwrap());
    assert_eq!(minted.certificate.not_after, Timestamp::MAX);
    let backwards = mint_with("x", |params| {
        params.not_before = date_time_ymd(2030, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    assert_eq!(backwards.certificate.lifetime(), Duration::ZERO);
}

/// Changes one place of an intact certificate, and checks the error.
#[track_caller]
fn damaged(from: &[u8], to: &[u8], expected: &CertificateError) {
    let minted = mint_with("xyz", |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2040, 1, 1);
        params.subject_alt_names = vec![dns_name("a.b")];
    });
    let mut der = minted.certificate.der.to_vec();
    let at = der.windows(from.len()).position(|window| window == from).expect("what is changed is there");
    der[at..at + to.len()].copy_from_slice(to);
    assert_eq!(&Certificate::parse_der(&der).unwrap_err(), expected);
}

#[test]
fn what_boringssl_refuses_is_no_certificate() {
    let structure = CertificateError::Structure("it is not X.509, or damaged".to_owned());
    for date in ["201301000000Z", "2001010000000", "2001010000+00", "AA0101000000Z", "200230000000Z", "200101000060Z"] {
        damaged(b"200101000000Z", date.as_bytes(), &CertificateError::Date);
    }
    damaged(b"\x17\x0d2001", b"\x18\x0d2001", &CertificateError::Date);
    for version in [0, 1] {
        let expected = CertificateError::Version { version: u32::from(version) + 1, extensions: true };
        damaged(&[0xa0, 3, 2, 1, 2], &[0xa0, 3, 2, 1, version], &expected);
    }
    damaged(b"\x0c\x03xyz", b"\x0c\x03\xff\xfez", &structure);
    damaged(b"\x0c\x03xyz", b"\x1e\x03xyz", &structure);
    damaged(b"\x0c\x03xyz", b"\x05\x03xyz", &structure);
    let whole = mint("x", &[]).certificate.der;
    assert_eq!(Certificate::parse_der(&[&whole, &[0u8][..]].concat()), Err(CertificateError::Trailing));
    for length in 0..whole.len() {
        assert!(Certificate::parse_der(&whole[..length]).is_err(), "cut at {length}");
    }
}
