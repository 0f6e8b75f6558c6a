//! ENVOY.md, "Keys", and the private keys of "Files that make Envoy refuse the configuration".

use super::*;

const PATH: &str = "/certs/tls.key";

#[track_caller]
fn leaf(file: &str) -> Certificate {
    FileFacts::parse(&fixture(file)).chain.unwrap_or_else(|error| panic!("{file}: {error}")).leaf().clone()
}

#[track_caller]
fn key(bytes: &[u8]) -> PrivateKeyFacts {
    FileFacts::parse(bytes).key.unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn each_kind_of_leaf_key_has_its_verdict() {
    let chain = "Failed to load certificate chain from /certs/tls.crt";
    let short = "Failed to load certificate chain from /certs/tls.crt, \
                 only RSA certificates with 2048-bit or larger keys are supported";
    for (file, algorithm, refused_with) in [
        ("rsa2048.crt", "RSA 2048", None),
        ("p256.crt", "EC P-256", None),
        ("p256-compressed.crt", "EC P-256", None),
        ("rsa1024.crt", "RSA 1024", Some(short)),
        ("p224.crt", "EC P-224", Some(chain)),
        ("secp256k1.crt", "EC secp256k1", Some(chain)),
        ("rsa-pss.crt", "RSA-PSS", Some(chain)),
        ("dsa.crt", "DSA", Some(chain)),
        ("ed448.crt", "Ed448", Some(chain)),
    ] {
        let certificate = leaf(file);
        assert_eq!(certificate.key_algorithm.to_string(), algorithm, "{file}");
        let support = certificate.key_support();
        assert_eq!(support.envoy_log("/certs/tls.crt").as_deref(), refused_with, "{file}");
        assert_eq!(matches!(support, KeySupport::Refused { .. }), refused_with.is_some(), "{file}");
    }
}

#[test]
fn keys_that_load_and_then_fail_to_shake_hands_are_known() {
    let log = |support: KeySupport| support.envoy_log("").unwrap();
    let p384 = leaf("p384.crt").key_support();
    assert!(matches!(p384, KeySupport::OnlyTls13 { .. }));
    assert!(log(p384).contains("SSLV3_ALERT_HANDSHAKE_FAILURE"));
    for file in ["p521.crt", "ed25519.crt"] {
        let support = leaf(file).key_support();
        let expected = matches!(support, KeySupport::HandshakeFails { reason: HandshakeFailure::NotOffered, .. });
        assert!(expected, "{file}: {support:?}");
    }
    for file in ["usage-rsa-encipherment.crt", "usage-rsa-agreement.crt"] {
        let support = leaf(file).key_support();
        let expected = matches!(support, KeySupport::HandshakeFails { reason: HandshakeFailure::KeyUsage, .. });
        assert!(expected, "{file}: {support:?}");
        assert!(log(support).contains("KEY_USAGE_BIT_INCORRECT"));
    }
}

#[test]
fn an_ec_key_must_be_allowed_to_sign() {
    use rcgen::KeyUsagePurpose::{DigitalSignature, KeyAgreement, KeyCertSign};
    for (usages, expected) in [
        (vec![], KeySupport::Good),
        (vec![DigitalSignature], KeySupport::Good),
        (vec![DigitalSignature, KeyAgreement], KeySupport::Good),
    ] {
        let minted = mint_with("x", |params| params.key_usages = usages.clone());
        assert_eq!(minted.certificate.key_support(), expected, "{usages:?}");
    }
    for usages in [vec![KeyAgreement], vec![KeyCertSign]] {
        let minted = mint_with("x", |params| params.key_usages = usages.clone());
        let support = minted.certificate.key_support();
        assert!(matches!(support, KeySupport::Refused { reason: Refusal::KeyUsage, .. }), "{usages:?}: {support:?}");
        let log = support.envoy_log("/certs/tls.crt").unwrap();
        assert_eq!(log, "Failed to load certificate chain from /certs/tls.crt");
    }
}

#[test]
fn a_damaged_public_key_is_refused_though_the_certificate_loads() {
    let der = unblock(&fixture("p256.crt"));
    let point = der.windows(4).position(|bytes| bytes == [0x03, 0x42, 0x00, 0x04]).unwrap() + 4;
    let mut damaged = der.clone();
    damaged[point] ^= 1;
    let certificate = Certificate::parse_der(&damaged).unwrap();
    assert_eq!(certificate.key_algorithm.to_string(), "a damaged EC P-256 key");
    assert!(matches!(certificate.key_support(), KeySupport::Refused { .. }));

    let der = unblock(&fixture("rsa2048.crt"));
    let exponent = der.windows(5).position(|bytes| bytes == [0x02, 0x03, 0x01, 0x00, 0x01]).unwrap();
    for (at, what) in [(exponent - 1, "an even modulus"), (exponent + 4, "an even exponent")] {
        let mut damaged = der.clone();
        damaged[at] ^= 1;
        let certificate = Certificate::parse_der(&damaged).unwrap();
        assert_eq!(certificate.key_algorithm.to_string(), "a damaged RSA key", "{what}");
    }
}

#[test]
fn every_form_of_a_key_is_the_same_key() {
    for (certificate, files) in [
        ("rsa2048.crt", &["rsa2048.key", "rsa2048.pkcs1.key"][..]),
        (
            "p256.crt",
            &[
                "p256.key",
                "p256.sec1.key",
                "p256.parameters-sec1.key",
                "p256.no-public.key",
                "p256.compressed.key",
                "p256.explicit.key",
            ],
        ),
        ("p256-compressed.crt", &["p256.key", "p256.compressed.key"]),
        ("p384.crt", &["p384.key", "p384.no-public.key"]),
        ("p521.crt", &["p521.key"]),
        ("p224.crt", &["p224.key"]),
        ("ed25519.crt", &["ed25519.key"]),
        ("rsa1024.crt", &["rsa1024.key"]),
    ] {
        let certificate = leaf(certificate);
        for file in files {
            let facts = key(&fixture(file));
            assert_eq!(facts.algorithm, certificate.key_algorithm, "{file}");
            assert_eq!(facts.spki_sha256, Some(certificate.spki_sha256), "{file}");
            assert_eq!(facts.fit(&certificate), KeyFit::Fits, "{file}");
        }
    }
}

#[test]
fn a_key_without_its_public_half_is_compared_as_far_as_can_be() {
    for (file, own) in [("p521.no-public.key", "p521.crt"), ("p224.no-public.key", "p224.crt")] {
        let facts = key(&fixture(file));
        assert_eq!(facts.spki_sha256, None, "{file}");
        assert_eq!(facts.fit(&leaf(own)), KeyFit::Unknown, "{file}");
        assert!(facts.fit(&leaf("p256.crt")).envoy_log(PATH).unwrap().ends_with("KEY_VALUES_MISMATCH"), "{file}");
    }
}

#[test]
fn another_key_is_told_in_the_words_of_the_proxy() {
    for (file, certificate, expected) in [
        ("rsa1024.key", "rsa2048.crt", "KEY_VALUES_MISMATCH"),
        ("p384.key", "p256.crt", "KEY_VALUES_MISMATCH"),
        ("p256.key", "rsa2048.crt", "KEY_TYPE_MISMATCH"),
        ("rsa2048.key", "p256.crt", "KEY_TYPE_MISMATCH"),
        ("ed25519.key", "p256.crt", "KEY_TYPE_MISMATCH"),
        ("dsa.key", "p256.crt", "KEY_TYPE_MISMATCH"),
        ("ed448.key", "p256.crt", "UNSUPPORTED_ALGORITHM"),
        ("rsa-pss.key", "rsa2048.crt", "UNSUPPORTED_ALGORITHM"),
        ("secp256k1.key", "p256.crt", "UNSUPPORTED_ALGORITHM"),
    ] {
        let log = match FileFacts::parse(&fixture(file)).key {
            Ok(facts) => facts.fit(&leaf(certificate)).envoy_log(PATH).unwrap(),
            Err(error) => error.envoy_log(PATH),
        };
        assert!(log.starts_with("Failed to load private key from /certs/tls.key, Cause: error:"), "{file}: {log}");
        assert!(log.ends_with(expected), "{file}: {log}");
    }
    let (one, other) = (mint("one", &[]), mint("other", &[]));
    assert_eq!(key(one.key.as_bytes()).fit(&one.certificate), KeyFit::Fits);
    assert!(matches!(key(one.key.as_bytes()).fit(&other.certificate), KeyFit::Other { .. }));
}

#[test]
fn the_first_key_of_a_file_decides() {
    let (one, other) = (mint("one", &[]), mint("other", &[]));
    for file in [
        format!("{}{}", one.key, other.key),
        format!("{}{}", one.pem, one.key),
        format!("{}{}", one.key, one.pem),
        format!("{}-----BEGIN CUT OFF-----\n", one.key),
        format!("some words\n{}", one.key.replace('\n', "\r\n")),
        one.key.replacen("KEY-----\n", "KEY-----\n\n", 1),
        one.key.trim_end().to_owned(),
    ] {
        assert_eq!(key(file.as_bytes()).fit(&one.certificate), KeyFit::Fits, "{file}");
    }
}

/// Checks the messages for a file without a key that Envoy loads.
#[track_caller]
fn refused(file: &[u8], message: &str, log: &str) {
    let error = FileFacts::parse(file).key.expect_err("Envoy refuses it");
    assert_eq!(error.to_string(), message);
    assert!(error.envoy_log(PATH).ends_with(log), "{}", error.envoy_log(PATH));
    assert!(!error.fix().is_empty());
}

#[test]
fn an_empty_key_file_has_a_log_of_its_own() {
    let error = FileFacts::parse(b"").key.unwrap_err();
    assert_eq!(error, PrivateKeyError::Empty);
    assert_eq!(error.envoy_log(PATH), "Failed to load incomplete private key from path: /certs/tls.key");
}

#[test]
fn encrypted_keys_are_named_as_such() {
    refused(
        &fixture("p256.encrypted-pkcs8.key"),
        "the private key is encrypted (ENCRYPTED PRIVATE KEY, line 1)",
        "BAD_PASSWORD_READ",
    );
    refused(
        &fixture("rsa2048.encrypted-pkcs1.key"),
        "the private key is encrypted (RSA PRIVATE KEY, line 1)",
        "BAD_PASSWORD_READ",
    );
}

#[test]
fn what_stands_instead_of_a_key_is_named() {
    let minted = mint("x", &[]);
    let start = "NO_START_LINE";
    refused(&unblock(minted.key.as_bytes()), "the file is DER (binary), not PEM", start);
    refused(&fixture("p256.p12"), "the file is a PKCS#12 store, not PEM", start);
    refused(&fixture("p256.public"), "the file holds a public key (line 1), not a private one", start);
    refused(&fixture("rsa2048.public"), "the file holds a public key (line 1), not a private one", start);
    refused(b" \n\n", "the file has only white space", start);
    refused(b"hello", "the file is not PEM: it has no BEGIN line", start);
    refused(minted.pem.as_bytes(), "the file holds a certificate (line 1) and no private key", start);
    refused(
        format!("\u{feff}{}", minted.key).as_bytes(),
        "a byte-order mark precedes the BEGIN on line 1, so Envoy doesn't see the block",
        start,
    );
    refused(
        format!("x\n {}", minted.key).as_bytes(),
        "the BEGIN on line 2 is indented, so Envoy doesn't see the block",
        start,
    );
    refused(
        format!("{} {}", minted.pem, minted.key).as_bytes(),
        &format!("the BEGIN on line {} is indented, so Envoy doesn't see the block", minted.pem.lines().count() + 1),
        start,
    );
    for (end, message) in [
        ("\r", "block 1 (PRIVATE KEY, line 1) has carriage returns without newlines"),
        (" ", "block 1 (PRIVATE KEY, line 1) is all on one line"),
    ] {
        // A short key is one piece, which Envoy takes as a BEGIN with a long label; a long key isn't.
        refused(minted.key.replace('\n', end).as_bytes(), message, "BAD_END_LINE");
    }
    let long = String::from_utf8(fixture("rsa2048.key")).unwrap();
    refused(long.replace('\n', "\r").as_bytes(), "the file has carriage returns without newlines", start);
    refused(long.replace('\n', " ").as_bytes(), "the file is a single line", start);
    refused(
        minted.key.replace('\n', "\\n").as_bytes(),
        "the file has \"\\n\" as two characters in place of line breaks",
        start,
    );
    refused(
        block("OPENSSH PRIVATE KEY", b"openssh-key-v1").as_bytes(),
        "the file holds a private key in OpenSSH's format (line 1), which Envoy does not take for a private key",
        start,
    );
}

#[test]
fn a_damaged_key_is_refused() {
    let pem = mint("x", &[]).key;
    let lines = pem.lines().count();
    refused(
        &pem.as_bytes()[..pem.len() - 30],
        "block 1 (PRIVATE KEY, line 1) has no END line: the file is cut off",
        "BAD_END_LINE",
    );
    refused(
        pem.replacen("\nM", "\n*", 1).as_bytes(),
        "block 1 (PRIVATE KEY, line 1) is not base64 on line 2",
        "BAD_BASE64_DECODE",
    );
    refused(
        pem.replace("-----END", " -----END").as_bytes(),
        &format!("block 1 (PRIVATE KEY, line 1) has an indented END on line {lines}, which does not end it"),
        "BAD_END_LINE",
    );
    refused(
        b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        "block 1 (PRIVATE KEY, line 1) is empty",
        "NO_DATA",
    );
    let der = unblock(pem.as_bytes());
    refused(
        block("PRIVATE KEY", &der[..der.len() - 5]).as_bytes(),
        "block 1 (PRIVATE KEY, line 1) holds no private key that can be read: it is not PKCS#8",
        "ASN.1 encoding routines:OPENSSL_internal:DECODE_ERROR",
    );
    // The key is searched after other blocks, which must be intact.
    refused(
        format!("-----BEGIN X-----\n!\n-----END X-----\n{pem}").as_bytes(),
        "block 1 (X, line 1) is not base64 on line 2",
        "BAD_BASE64_DECODE",
    );
}

#[test]
fn bytes_left_over_inside_a_key_are_refused_and_those_behind_it_are_not() {
    let der = unblock(&fixture("p256.sec1.key"));
    assert_eq!(key(block("EC PRIVATE KEY", &[&der[..], &[0]].concat()).as_bytes()), key(&fixture("p256.key")));
    // The public half's tag, changed to one that EC keys don't have.
    let tag = der.windows(5).position(|bytes| bytes == [0xa1, 0x44, 0x03, 0x42, 0x00]).unwrap();
    let mut damaged = der.clone();
    damaged[tag] = 0xa2;
    refused(
        block("EC PRIVATE KEY", &damaged).as_bytes(),
        "block 1 (EC PRIVATE KEY, line 1) holds no private key that can be read: it is not an EC key",
        "public key routines:OPENSSL_internal:DECODE_ERROR",
    );
}

#[test]
fn a_key_whose_numbers_disagree_is_refused() {
    let (one, other) = (mint("one", &[]), mint("other", &[]));
    let (mut der, foreign) = (unblock(one.key.as_bytes()), unblock(other.key.as_bytes()));
    let point = der.len() - 64;
    der[point..].copy_from_slice(&foreign[point..]);
    refused(
        block("PRIVATE KEY", &der).as_bytes(),
        "block 1 (PRIVATE KEY, line 1) holds no private key that can be read: its public half belongs to another key",
        "INVALID_PRIVATE_KEY",
    );
    let sound = unblock(&fixture("rsa2048.key"));
    for (at, expected) in
        [(100, "N_NOT_EQUAL_P_Q"), (400, "D_E_NOT_CONGRUENT_TO_1"), (sound.len() - 5, "CRT_VALUES_INCORRECT")]
    {
        let mut der = sound.clone();
        der[at] ^= 1;
        refused(
            block("PRIVATE KEY", &der).as_bytes(),
            "block 1 (PRIVATE KEY, line 1) holds no private key that can be read: its numbers don't match",
            expected,
        );
    }
}

#[test]
fn pkcs8_of_version_2_is_refused() {
    // What ring and rcgen write for Ed25519.
    let pem = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_pem();
    refused(
        pem.as_bytes(),
        "the private key (line 1) is in PKCS#8 version 2, which Envoy does not read",
        "SEQUENCE_LENGTH_MISMATCH",
    );
}

#[test]
fn nothing_that_is_said_of_a_key_shows_it() {
    // A short key too: all on one line, it is where a label is expected.
    for name in ["rsa2048.key", "p256.sec1.key", "ed25519.key"] {
        let text = String::from_utf8(fixture(name)).unwrap();
        let secret: Vec<&str> = text.lines().filter(|line| !line.starts_with('-')).collect();
        let one_line = text.replace('\n', " ");
        for file in [
            text.clone(),
            text.replace("-----END", "----END") + &text,
            text.replace('\n', "\\n"),
            text.replace('\n', "\r"),
            text.replace("KEY-----\n", "KEY "),
            format!("x {one_line}"),
            one_line,
            format!(" {text}"),
            text.replace("-----", ""),
        ] {
            let facts = FileFacts::parse(file.as_bytes());
            let mut said = format!("{facts:?}");
            if let Err(error) = &facts.key {
                said += &format!("{error} {} {}", error.envoy_log(PATH), error.fix());
            }
            if let Err(error) = &facts.chain {
                said += &format!("{error} {} {}", error.envoy_log(PATH), error.fix());
            }
            for line in &secret {
                assert!(!said.contains(&line[..line.len().min(16)]), "{said}");
            }
        }
    }
}
