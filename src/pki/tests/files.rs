//! ENVOY.md, "Files that make Envoy refuse the configuration": chain and trust files.

use super::*;
use crate::pki::file::MAX_FILE_BYTES;
use crate::pki::pem::MAX_BLOCKS;

/// Two certificates to put into files.
struct Pair {
    a: Minted,
    b: Minted,
}

impl Pair {
    fn new() -> Self {
        Self { a: mint("a", &["a.apps.local"]), b: mint("b", &["b.apps.local"]) }
    }

    fn both(&self) -> String {
        self.a.pem.clone() + &self.b.pem
    }
}

#[track_caller]
fn chain(file: &[u8], expected: &[&str]) {
    let chain = FileFacts::parse(file).chain.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(names_of(&chain.certificates), expected, "the chain");
    assert_eq!(chain.leaf(), chain.certificates[0].as_ref());
}

#[track_caller]
fn bundle(file: &[u8], expected: &[&str]) {
    let bundle = FileFacts::parse(file).bundle.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(names_of(&bundle.certificates), expected, "the bundle");
}

/// Asserts that a file is read in full, both as a chain and as a bundle.
#[track_caller]
fn reads(file: impl AsRef<[u8]>, expected: &[&str]) {
    chain(file.as_ref(), expected);
    bundle(file.as_ref(), expected);
    assert_eq!(FileFacts::parse(file.as_ref()).ignored, [], "nothing is dropped");
}

/// Asserts that a file is rejected both ways, with one explanation.
#[track_caller]
fn refused(file: impl AsRef<[u8]>, message: &str) {
    let facts = FileFacts::parse(file.as_ref());
    let chain = facts.chain.expect_err("Envoy refuses the chain");
    assert_eq!(chain.to_string(), message);
    assert_eq!(chain.envoy_log("/c/ca.pem"), "Failed to load certificate chain from /c/ca.pem");
    let bundle = facts.bundle.expect_err("Envoy refuses the bundle");
    assert_eq!(bundle.to_string(), message);
    assert_eq!(bundle.envoy_log("/c/ca.pem"), "Failed to load trusted CA certificates from /c/ca.pem");
    assert!(!chain.fix().is_empty() && !bundle.fix().is_empty());
}

#[test]
fn an_empty_file_has_logs_of_its_own() {
    let facts = FileFacts::parse(b"");
    let log = facts.chain.unwrap_err().envoy_log("/c/tls.crt");
    assert_eq!(log, "Failed to load incomplete certificate from /c/tls.crt: certificate chain not set");
    assert_eq!(facts.bundle.unwrap_err().envoy_log("/c/ca.pem"), "file /c/ca.pem is empty");
}

#[test]
fn files_that_are_no_pem_are_named() {
    let pair = Pair::new();
    let pem = pair.both();
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    refused(b" \n\t\n", "the file has only white space");
    refused(b"garbage\n", "the file is not PEM: it has no BEGIN line");
    refused(b"\0\x01\x02\xff", "the file is not PEM: it has no BEGIN line");
    refused(&pair.a.certificate.der, "the file is DER (binary), not PEM");
    refused(fixture("p256.p7b.der"), "the file is a PKCS#7 container (binary), not PEM");
    refused(fixture("p256.p12"), "the file is a PKCS#12 store, not PEM");
    refused([&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2][..], &[0; 20]].concat(), "the file is a Java key store, not PEM");
    refused(utf16(&pem), "the file is UTF-16 text, which Envoy can't read");
    refused(utf16(&format!("\u{feff}{pem}")), "the file is UTF-16 text, which Envoy can't read");
    refused(pem.replace('\n', "\r"), "the file has carriage returns without newlines");
    refused(pem.replace('\n', "\\n"), "the file has \"\\n\" as two characters in place of line breaks");
    refused(pair.a.pem.replace('\n', " "), "the file is a single line");
    refused(
        pem.lines().map(|line| format!("  {line}\n")).collect::<String>(),
        "the BEGIN on line 1 is indented, so Envoy doesn't see the block",
    );
    refused(
        format!("\u{feff}{}", pair.a.pem),
        "a byte-order mark precedes the BEGIN on line 1, so Envoy doesn't see the block",
    );
    refused(format!("x\n\0{}", pair.a.pem), "a NUL byte precedes the BEGIN on line 2, so Envoy doesn't see the block");
    refused(
        format!("tls.crt: {}", pair.a.pem),
        "the BEGIN on line 1 is not at the start of its line, so Envoy doesn't see the block",
    );
    refused(
        pair.a.pem.replace("CERTIFICATE-----", "CERTIFICATE----"),
        "the BEGIN on line 1 is malformed, so Envoy doesn't see the block",
    );
    use base64::Engine;
    let twice = base64::engine::general_purpose::STANDARD.encode(&pem);
    refused(twice, "the file is base64 of a PEM file: it was encoded twice");
    let bare: String = pair.a.pem.lines().filter(|line| !line.starts_with('-')).collect();
    refused(bare, "the file is base64 without BEGIN and END lines");
}

#[test]
fn files_of_other_blocks_are_named() {
    let pair = Pair::new();
    refused(&pair.a.key, "the file holds no certificate, only a private key (line 1)");
    refused(fixture("p256.public"), "the file holds no certificate, only a public key (line 1)");
    refused(fixture("p256.csr"), "the file holds no certificate, only a certificate request (line 1)");
    refused(fixture("p256.p7b"), "the file holds no certificate, only a PKCS#7 container (line 1)");
    refused(fixture("p256.crl"), "the file holds no certificate, only a revocation list (line 1)");
    refused(
        block("NEW CERTIFICATE", &pair.a.certificate.der),
        "the file holds no certificate, only a certificate (line 1)",
    );
    refused(
        format!("{}\n {}", pair.a.key, pair.a.pem),
        &format!("the BEGIN on line {} is indented, so Envoy doesn't see the block", pair.a.key.lines().count() + 2),
    );
}

#[test]
fn one_broken_block_refuses_the_whole_file() {
    let pair = Pair::new();
    let (a, b) = (&pair.a.pem, &pair.b.pem);
    let length = a.lines().count();
    let second = format!("block 2 (CERTIFICATE, line {})", length + 1);
    let end = 2 * length;
    refused(format!("{a}{}", &b[..b.len() / 2]), &format!("{second} has no END line: the file is cut off"));
    refused(
        format!("{}{b}", a.replace("-----END CERTIFICATE-----\n", "")),
        &format!("block 1 (CERTIFICATE, line 1) has no END line before the BEGIN on line {length}"),
    );
    refused(
        format!("{}{b}", a.trim_end()),
        &format!("block 1 (CERTIFICATE, line 1) has the next BEGIN on the line of its END (line {length})"),
    );
    refused(
        format!("{a}{}", b.replace("-----END", " -----END")),
        &format!("{second} has an indented END on line {end}, which does not end it"),
    );
    refused(
        format!("{a}{}", b.replace("END CERTIFICATE", "END X509 CERTIFICATE")),
        &format!("{second} is followed by an END line for another label (line {end})"),
    );
    refused(
        format!("{a}{} x\n", b.trim_end()),
        &format!("{second} is followed by an END line for another label (line {end})"),
    );
    refused(
        format!("{a}{}", b.replacen("\nMII", "\nM*I", 1)),
        &format!("{second} is not base64 on line {}", length + 2),
    );
    refused(format!("{a}-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n{b}"), &format!("{second} is empty"));
    refused(
        format!("{a}{}", b.replacen("\nMII", "\nX-Made-By: hand\n\nMII", 1)),
        &format!("{second} has a blank line or headers inside"),
    );
    refused(
        format!("{a}{}", b.replace("-----END", "\n-----END")),
        &format!("{second} has a blank line or headers inside"),
    );
    let der = &pair.b.certificate.der;
    refused(
        format!("{a}{}", block("CERTIFICATE", &der[..der.len() - 1])),
        &format!("{second} holds no certificate that can be read: it is not X.509, or damaged"),
    );
    refused(
        format!("{a}{}", block("CERTIFICATE", b"not one")),
        &format!("{second} holds no certificate that can be read: it is not X.509, or damaged"),
    );
    // Unrelated blocks have to be intact too.
    refused(
        format!("{a}-----BEGIN NOTE-----\n?\n-----END NOTE-----\n"),
        &format!("block 2 (NOTE, line {}) is not base64 on line {}", length + 1, length + 2),
    );
}

#[test]
fn a_bundle_must_have_sound_lists_and_old_keys_and_a_chain_need_not() {
    let pair = Pair::new();
    let a = &pair.a.pem;
    for (label, der) in [
        ("X509 CRL", &b"x"[..]),
        ("RSA PRIVATE KEY", &[0x30, 0x03, 0x02, 0x01, 0x00]),
        ("EC PRIVATE KEY", &[0x30, 0x03, 0x02, 0x01, 0x00]),
        ("DSA PRIVATE KEY", &[0x30, 0x03, 0x02, 0x01, 0x00]),
    ] {
        let file = format!("{a}{}", block(label, der));
        chain(file.as_bytes(), &["a"]);
        let error = FileFacts::parse(file.as_bytes()).bundle.expect_err(label);
        assert!(error.to_string().contains("block 2"), "{error}");
    }
    for file in ["rsa2048.pkcs1.key", "p256.sec1.key", "rsa2048.encrypted-pkcs1.key", "ed448.key", "p256.p7b"] {
        bundle(&[a.as_bytes(), &fixture(file)].concat(), &["a"]);
    }
    bundle(format!("{a}{}", block("PRIVATE KEY", b"x")).as_bytes(), &["a"]);
}

#[test]
fn a_revocation_list_in_a_bundle_is_known() {
    let pair = Pair::new();
    let with = [pair.a.pem.as_bytes(), &fixture("p256.crl")].concat();
    assert_eq!(FileFacts::parse(&with).bundle.unwrap().lists.len(), 1);
    assert!(FileFacts::parse(pair.a.pem.as_bytes()).bundle.unwrap().lists.is_empty());
}

#[test]
fn pem_that_looks_odd_reads_well() {
    let pair = Pair::new();
    let (a, b) = (&pair.a.pem, &pair.b.pem);
    let both = ["a", "b"];
    let unwrapped = |pem: &str| {
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    };
    reads(pair.both(), &both);
    reads(pair.both().replace('\n', "\r\n"), &both);
    reads(pair.both().trim_end(), &both);
    reads(format!("subject=/CN=a\n{a}\n\n# the intermediate\n{b}\nthat's all"), &both);
    reads(pair.both().replace('\n', "  \t\n"), &both);
    reads(format!("{}{}", unwrapped(a), unwrapped(b)), &both);
    reads(format!("{}{}{a}{}{b}{}", pair.a.key, pair.b.key, pair.a.key, pair.b.key), &both);
    reads(format!("{}{b}", a.replace("CERTIFICATE", "X509 CERTIFICATE")), &both);
    reads(format!("{}{b}", a.replace("CERTIFICATE", "TRUSTED CERTIFICATE")), &both);
    reads([fixture("p256.trusted.crt").as_slice(), b.as_bytes()].concat(), &["p256", "b"]);
    reads(a.replacen("-----\n", "-----\n\n", 1), &["a"]);
    reads(a.replacen("\nMII", "\n \tM I I", 1), &["a"]);
    reads(format!("{a}{a}{b}"), &["a", "a", "b"]);
    reads(format!("\u{feff}\n{a}"), &["a"]);
    reads(format!("{a}\0\n{b}"), &both);
}

#[test]
fn lines_are_read_in_pieces_of_253_bytes() {
    let pair = Pair::new();
    reads(format!("{}{}", "#".repeat(253), pair.a.pem), &["a"]);
    reads(format!("{}{}", "#".repeat(506), pair.a.pem), &["a"]);
    refused(format!("{}{}", "#".repeat(252), pair.a.pem), "the file is not PEM: it has no BEGIN line");
    refused(
        format!("{}{}", "#".repeat(254), pair.a.pem),
        "the BEGIN on line 1 is not at the start of its line, so Envoy doesn't see the block",
    );
    // A line of base64 that ends where a piece ends is followed by what looks like a blank line.
    let body: String = pair.a.pem.lines().filter(|line| !line.starts_with('-')).collect();
    let wrapped = format!("{}\n{}", &body[..253], &body[253..]);
    refused(
        format!("-----BEGIN CERTIFICATE-----\n{wrapped}\n-----END CERTIFICATE-----\n"),
        "block 1 (CERTIFICATE, line 1) has a blank line or headers inside",
    );
}

/// Asserts that the rest is read, and certificates are silently dropped.
#[track_caller]
fn drops(file: impl AsRef<[u8]>, expected: &[&str], dropped: &[(usize, usize, IgnoredReason)]) {
    chain(file.as_ref(), expected);
    let facts = FileFacts::parse(file.as_ref());
    let ignored: Vec<_> = facts.ignored.iter().map(|block| (block.number, block.line, block.reason)).collect();
    assert_eq!(ignored, dropped);
    if facts.ignored.iter().all(|block| block.reason.holds_in_a_bundle()) {
        bundle(file.as_ref(), expected);
    }
}

#[test]
fn blocks_that_envoy_drops_in_silence_are_told() {
    use IgnoredReason::*;
    let pair = Pair::new();
    let (a, b) = (&pair.a.pem, &pair.b.pem);
    let second = a.lines().count() + 1;
    drops(format!("{a} {b}"), &["a"], &[(2, second, Indented)]);
    drops(format!("{a}\t{b}"), &["a"], &[(2, second, Indented)]);
    drops(format!("{a}x{b}"), &["a"], &[(2, second, NotAtLineStart)]);
    drops(format!("{a}\0{b}"), &["a"], &[(2, second, AfterNul)]);
    drops(format!("{a}\u{feff}{b}"), &["a"], &[(2, second, ByteOrderMark)]);
    drops(format!("\u{feff}{a}{b}"), &["b"], &[(1, 1, ByteOrderMark)]);
    drops(format!("{a}{}", b.replace("CERTIFICATE-----", "CERTIFICATE----")), &["a"], &[(2, second, MalformedBegin)]);
    drops(
        format!("{a}{}", b.replacen("CERTIFICATE-----\n", "CERTIFICATE----- x\n", 1)),
        &["a"],
        &[(2, second, MalformedBegin)],
    );
    drops(format!("{a}{}", b.replace('\n', "\r")), &["a"], &[(2, second, CarriageReturns)]);
    drops([a.as_bytes(), &fixture("p256.p7b")].concat(), &["a"], &[(2, second, Pkcs7)]);
    // A TRUSTED CERTIFICATE after the first one is dropped from a chain, but read in a bundle.
    let trusted = format!("{a}{}", b.replace("CERTIFICATE", "TRUSTED CERTIFICATE"));
    drops(&trusted, &["a"], &[(2, second, TrustedLabel)]);
    bundle(trusted.as_bytes(), &["a", "b"]);
    // Text that only mentions BEGIN isn't a block.
    reads(format!("{a}see -----BEGIN\n-----BEGIN \n"), &["a"]);
}

#[test]
fn what_follows_a_certificate_in_its_block_matters_behind_the_leaf_alone() {
    let pair = Pair::new();
    let with = |minted: &Minted, more: &[u8]| block("CERTIFICATE", &[&minted.certificate.der, more].concat());
    for more in [&b"\0"[..], &pair.b.certificate.der] {
        let file = with(&pair.a, more);
        let error = FileFacts::parse(file.as_bytes()).chain.unwrap_err();
        assert_eq!(error.to_string(), "block 1 (CERTIFICATE, line 1) holds more than one certificate");
        bundle(file.as_bytes(), &["a"]);
        reads(format!("{}{}", pair.a.pem, with(&pair.b, more)), &["a", "b"]);
    }
    chain(with(&pair.a, &[0x30, 0x00]).as_bytes(), &["a"]);
}

#[test]
fn a_stray_private_key_is_noticed_wherever_a_line_begins_one() {
    let pair = Pair::new();
    for (file, expected) in [
        (pair.both(), false),
        (format!("{}{}", pair.both(), pair.a.key), true),
        (pair.a.key.replace('\n', "\r\n"), true),
        (format!("-----BEGIN X-----\n{}", pair.a.key), true),
        (format!("# {}", pair.a.key), false),
        (fixture_text("p256.public"), false),
        (fixture_text("p256.encrypted-pkcs8.key"), true),
        (fixture_text("rsa2048.encrypted-pkcs1.key"), true),
    ] {
        assert_eq!(FileFacts::parse(file.as_bytes()).carries_private_key, expected, "{file}");
    }
}

fn fixture_text(name: &str) -> String {
    String::from_utf8(fixture(name)).unwrap()
}

#[test]
fn a_combined_file_is_good_as_chain_and_as_key() {
    let pair = Pair::new();
    for file in [format!("{}{}{}", pair.a.pem, pair.b.pem, pair.a.key), format!("{}{}", pair.a.key, pair.a.pem)] {
        let facts = FileFacts::parse(file.as_bytes());
        let chain = facts.chain.unwrap();
        assert_eq!(facts.key.unwrap().fit(chain.leaf()), KeyFit::Fits);
        assert!(facts.carries_private_key);
    }
}

#[test]
fn with_the_root_first_the_key_is_compared_with_the_root() {
    let pair = Pair::new();
    let facts = FileFacts::parse(format!("{}{}{}", pair.b.pem, pair.a.pem, pair.a.key).as_bytes());
    let fit = facts.key.unwrap().fit(facts.chain.unwrap().leaf());
    assert!(fit.envoy_log("/c/tls.key").unwrap().ends_with("KEY_VALUES_MISMATCH"));
}

#[test]
fn fingerprints_tell_files_apart_by_their_certificates() {
    let pair = Pair::new();
    let of = |text: &str| FileFacts::parse(text.as_bytes()).chain.unwrap().fingerprint();
    let both = pair.both();
    assert_eq!(of(&both), of(&both.replace('\n', "\r\n")));
    assert_ne!(of(&both), of(&pair.a.pem));
    assert_ne!(of(&both), of(&(pair.b.pem.clone() + &pair.a.pem)));
    assert_eq!(FileFacts::parse(both.as_bytes()).bundle.unwrap().fingerprint(), of(&both));
}

#[test]
fn size_is_bounded() {
    let facts = FileFacts::parse(&vec![b'x'; MAX_FILE_BYTES + 1]);
    assert!(matches!(
        facts.chain.unwrap_err().problem,
        CertificateProblem::TooMuch(TooMuch::Bytes { limit: MAX_FILE_BYTES, .. })
    ));
    let many = "-----BEGIN X-----\nAAAA\n-----END X-----\n".repeat(MAX_BLOCKS);
    refused(&many, "the file holds no certificate, only X (line 1)");
    refused(many.repeat(2), &format!("the file has more than {MAX_BLOCKS} PEM blocks"));
    refused(" -----BEGIN X-----\n".repeat(MAX_BLOCKS + 1), &format!("the file has more than {MAX_BLOCKS} PEM blocks"));
}
