//! One case for each known behaviour of Envoy with paths. The suite in tests/envoy checks Envoy itself.

use jiff::{SignedDuration, Timestamp};

use super::super::file::FileFacts;
use super::*;

#[path = "../../../tests/support/forge.rs"]
#[allow(dead_code, reason = "the other suites use the rest")]
mod forge;

use forge::{ANY_USAGE, CERT_SIGN, CLIENT_AUTH, CODE_SIGNING, DIGITAL_SIGNATURE, Forge, Forged, Kind, SERVER_AUTH};
use forge::{CRL_SIGN, KEY_ENCIPHERMENT, Signature, common_name, name, sequence, tlv};

fn file(certificates: &[&Forged]) -> FileFacts {
    FileFacts::parse(certificates.iter().map(|forged| forged.pem()).collect::<String>().as_bytes())
}

fn verdict(purpose: Purpose, chain: &[&Forged], bundle: &[&Forged]) -> PathVerdict {
    let (chain, bundle) = (file(chain).chain.expect("a chain"), file(bundle).bundle.expect("a bundle"));
    find_path(&chain, &bundle, purpose)
}

#[track_caller]
fn trusted(chain: &[&Forged], bundle: &[&Forged]) -> Path {
    let verdict = verdict(Purpose::Server, chain, bundle);
    match (&verdict, verdict.refusal_at(Timestamp::now())) {
        (PathVerdict::Trusted(path), None) => path.clone(),
        (_, refusal) => panic!("{refusal:?}, {verdict:?}"),
    }
}

/// Asserts a refusal with this text at the end of the log, for the certificate of this origin.
#[track_caller]
fn refused(chain: &[&Forged], bundle: &[&Forged], log: &str, origin: Origin) -> Refusal {
    let verdict = verdict(Purpose::Server, chain, bundle);
    let Some(refusal) = verdict.refusal_at(Timestamp::now()) else { panic!("{verdict:?}") };
    assert!(refusal.envoy_log().ends_with(log), "{}", refusal.envoy_log());
    assert_eq!(refusal.origin, origin, "{refusal}");
    refusal
}

#[track_caller]
fn unknown(chain: &[&Forged], bundle: &[&Forged]) {
    let verdict = verdict(Purpose::Server, chain, bundle);
    assert!(matches!(verdict, PathVerdict::Unknown(_)), "{verdict:?}");
}

fn blue() -> Forge {
    Forge::leaf(&["blue.apps.local"])
}

fn root(name: &str) -> Forged {
    Forge::authority(name).self_signed()
}

/// Root, intermediate and leaf.
fn three() -> [Forged; 3] {
    let root = root("Root");
    let intermediate = Forge::authority("Intermediate").issued_by(&root);
    let leaf = blue().issued_by(&intermediate);
    [root, intermediate, leaf]
}

#[test]
fn any_certificate_of_the_bundle_ends_a_path() {
    let [root, intermediate, leaf] = three();
    let path = trusted(&[&leaf, &intermediate], &[&root]);
    assert_eq!(path.steps().len(), 3);
    assert_eq!(path.anchor().subject, "CN=Root");
    let path = trusted(&[&leaf], &[&intermediate]);
    assert_eq!(path.anchor().subject, "CN=Intermediate");
    assert_eq!(path.steps()[1].origin, Origin::Bundle(0));
    assert_eq!(trusted(&[&leaf], &[&leaf]).anchor().subject, "CN=blue.apps.local");
    trusted(&[&leaf], &[&root, &intermediate]);
    let alone = blue().self_signed();
    trusted(&[&alone], &[&alone]);
    let alone = blue().key_usage(CERT_SIGN | DIGITAL_SIGNATURE).self_signed();
    trusted(&[&alone], &[&alone]);
}

#[test]
fn order_and_repetition_in_the_chain_do_not_matter() {
    let root = root("Root");
    let upper = Forge::authority("Upper").issued_by(&root);
    let lower = Forge::authority("Lower").issued_by(&upper);
    let leaf = blue().issued_by(&lower);
    let stranger = self::root("Stranger");
    trusted(&[&leaf, &upper, &lower], &[&root]);
    trusted(&[&leaf, &lower, &lower, &stranger, &upper, &root], &[&root]);
    trusted(&[&leaf, &leaf, &lower, &upper], &[&root]);
}

#[test]
fn a_missing_link_is_told_from_a_root_that_is_not_trusted() {
    let [root, intermediate, leaf] = three();
    let other = self::root("Other");
    let local = "at depth 0: unable to get local issuer certificate";
    let refusal = refused(&[&leaf], &[&root], local, Origin::Chain(0));
    assert_eq!(refusal.reason, Reason::NoIssuer { issuer: "CN=Intermediate".to_owned() });
    refused(&[&leaf, &intermediate], &[&other], "depth 1: unable to get local issuer certificate", Origin::Chain(1));
    let in_chain = "depth 2: self signed certificate in certificate chain";
    refused(&[&leaf, &intermediate, &root], &[&other], in_chain, Origin::Chain(2));
    let alone = blue().ca(true, None).key_usage(CERT_SIGN | DIGITAL_SIGNATURE).self_signed();
    refused(&[&alone], &[&root], "depth 0: self signed certificate", Origin::Chain(0));
    // A certificate that may not sign isn't even its own issuer.
    refused(&[&blue().self_signed()], &[&root], local, Origin::Chain(0));
}

#[test]
fn a_known_certificate_closes_the_gap_or_does_not() {
    let [root, intermediate, leaf] = three();
    let [chain, known] = [file(&[&leaf]), file(&[&intermediate, &root])].map(|file| file.chain.expect("a chain"));
    let bundle = file(&[&root]).bundle.expect("a bundle");
    let links = missing_links(&chain, &bundle, Purpose::Server, &known.certificates).expect("the link");
    assert_eq!(links.iter().map(|link| link.subject.as_str()).collect::<Vec<_>>(), ["CN=Intermediate"]);
    let other = file(&[&self::root("Other")]).bundle.expect("a bundle");
    assert_eq!(missing_links(&chain, &other, Purpose::Server, &known.certificates), None);
    let whole = file(&[&leaf, &intermediate]).chain.expect("a chain");
    assert_eq!(missing_links(&whole, &bundle, Purpose::Server, &known.certificates), None, "nothing is missing");
}

#[test]
fn an_issuer_needs_the_name_the_key_identifier_and_the_right_to_sign() {
    const LOCAL: &str = "unable to get local issuer certificate";
    let root = root("Root");
    let namesake = self::root("Root");
    let leaf = blue().issued_by(&root);
    refused(&[&leaf], &[&namesake], LOCAL, Origin::Chain(0));
    trusted(&[&leaf], &[&namesake, &root]);
    let keeper = Forge::authority("Root").key_of(&root).key_usage(CRL_SIGN).self_signed();
    refused(&[&leaf], &[&keeper], LOCAL, Origin::Chain(0));
    let serial = |serial| blue().extension("2.5.29.35", false, root.by_serial(serial)).issued_by(&root);
    trusted(&[&serial(root.serial())], &[&root]);
    refused(&[&serial(root.serial() + 1)], &[&root], LOCAL, Origin::Chain(0));
    let printable = name(&[("2.5.4.3", forge::PRINTABLE_STRING, " ROOT  one")]);
    let folded = Forge::authority("").subject(common_name("Root One")).self_signed();
    trusted(&[&blue().issuer_name(printable).issued_by(&folded)], &[&folded]);
}

#[test]
fn of_two_of_a_name_the_first_decides() {
    let signature = "depth 0: certificate signature failure";
    let right = Forge::authority("Root").unidentified().self_signed();
    let wrong = Forge::authority("Root").unidentified().self_signed();
    let old = Forge::authority("Root").unidentified().key_of(&right).days(-90, -1).self_signed();
    let leaf = blue().issued_by(&right);
    trusted(&[&leaf], &[&right, &wrong]);
    refused(&[&leaf], &[&wrong, &right], signature, Origin::Chain(0));
    trusted(&[&leaf], &[&right, &old]);
    refused(&[&leaf], &[&old, &right], "depth 1: certificate has expired", Origin::Bundle(0));
    let strangers: Vec<Forged> = (0..24).map(|at| root(&format!("Stranger {at}"))).collect();
    let many = |first: &[&Forged]| [first, &strangers.iter().collect::<Vec<_>>()].concat().len();
    assert_eq!(many(&[&right]), 25);
    trusted(&[&leaf], &[&[&right], &*strangers.iter().collect::<Vec<_>>()].concat());
    unknown(&[&leaf], &[&[&right, &wrong], &*strangers.iter().collect::<Vec<_>>()].concat());
}

#[test]
fn every_certificate_of_the_path_is_dated_the_anchor_too() {
    let root = Forge::authority("Root").days(-90, -1).self_signed();
    let intermediate = Forge::authority("Intermediate").days(-80, 50).issued_by(&root);
    let leaf = blue().days(-10, 20).issued_by(&intermediate);
    refused(&[&leaf, &intermediate], &[&root], "depth 2: certificate has expired", Origin::Bundle(0));
    refused(&[&leaf], &[&root, &intermediate], "depth 2: certificate has expired", Origin::Bundle(0));
    // Nothing above the anchor counts.
    let path = trusted(&[&leaf, &intermediate, &root], &[&intermediate]);
    let now = Timestamp::now();
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    assert!(path.judge_at(now).is_ok());
    let early = path.judge_at(now - days(11)).expect_err("the leaf isn't valid yet");
    assert!(early.envoy_log().ends_with("depth 0: certificate is not yet valid"), "{early}");
    let late = path.judge_at(now + days(60)).expect_err("both have expired");
    assert!(late.envoy_log().ends_with("depth 1: certificate has expired"), "{late}");
    assert!(path.judge_at(path.holds_from()).is_ok());
    assert!(path.judge_at(path.holds_until()).is_err());
    let second = SignedDuration::from_secs(1);
    assert!(path.judge_at(path.holds_until() - second).is_ok());
    assert!(path.judge_at(path.holds_from() - second).is_err());
    refused(&[&blue().days(-9, -2).issued_by(&intermediate)], &[&intermediate], "expired", Origin::Chain(0));
    refused(&[&blue().days(2, 9).issued_by(&intermediate)], &[&intermediate], "not yet valid", Origin::Chain(0));
}

#[test]
fn usages_hold_along_the_chain_but_not_for_the_anchor() {
    let purpose = "unsupported certificate purpose";
    let root = Forge::authority("Root").usages(&[CODE_SIGNING]).self_signed();
    for usages in [&[CLIENT_AUTH][..], &[ANY_USAGE], &[CODE_SIGNING]] {
        refused(&[&blue().usages(usages).issued_by(&root)], &[&root], purpose, Origin::Chain(0));
        let intermediate = Forge::authority("Intermediate").usages(usages).issued_by(&root);
        let leaf = blue().issued_by(&intermediate);
        refused(&[&leaf, &intermediate], &[&root], &format!("depth 1: {purpose}"), Origin::Chain(1));
        trusted(&[&leaf], &[&intermediate]);
        let alone = blue().usages(usages).issued_by(&root);
        trusted(&[&alone], &[&alone]);
    }
    trusted(&[&blue().usages(&[]).issued_by(&root)], &[&root]);
    let keeper = blue().key_usage(CRL_SIGN).issued_by(&root);
    refused(&[&keeper], &[&root], purpose, Origin::Chain(0));
    let client = blue().usages(&[CLIENT_AUTH]).issued_by(&root);
    assert!(matches!(verdict(Purpose::Client, &[&client], &[&root]), PathVerdict::Trusted(_)));
    let server = blue().usages(&[SERVER_AUTH]).issued_by(&root);
    assert!(matches!(verdict(Purpose::Client, &[&server], &[&root]), PathVerdict::Refused(_)));
    let enciphers = blue().key_usage(KEY_ENCIPHERMENT).issued_by(&root);
    trusted(&[&enciphers], &[&root]);
    assert!(matches!(verdict(Purpose::Client, &[&enciphers], &[&root]), PathVerdict::Refused(_)));
}

#[test]
fn an_intermediate_is_an_authority_and_an_anchor_needn_t_be() {
    let root = Forge::authority("Root").ca(false, None).self_signed();
    let invalid = "depth 1: invalid CA certificate";
    for odd in [
        Forge::authority("Intermediate").ca(false, None),
        Forge::authority("Intermediate").without_basic_constraints(),
        Forge::authority("Intermediate").version_1(),
    ] {
        let intermediate = odd.issued_by(&root);
        let leaf = blue().issued_by(&intermediate);
        refused(&[&leaf, &intermediate], &[&root], invalid, Origin::Chain(1));
        trusted(&[&leaf], &[&intermediate]);
    }
    let old = Forge::authority("Old Root").version_1().self_signed();
    trusted(&[&blue().version_1().issued_by(&old)], &[&old]);
}

#[test]
fn path_lengths_hold_below_the_anchor() {
    let root = Forge::authority("Root").ca(true, Some(0)).self_signed();
    let upper = Forge::authority("Upper").ca(true, Some(0)).issued_by(&root);
    let lower = Forge::authority("Lower").issued_by(&upper);
    let leaf = blue().issued_by(&lower);
    let exceeded = "depth 2: path length constraint exceeded";
    refused(&[&leaf, &lower, &upper], &[&root], exceeded, Origin::Chain(2));
    trusted(&[&leaf, &lower], &[&upper]);
    // A self-issued CA isn't counted.
    let again = Forge::authority("Upper").issued_by(&upper);
    trusted(&[&blue().issued_by(&again), &again, &upper], &[&root]);
}

#[test]
fn more_than_a_hundred_intermediates_are_too_many() {
    let root = root("Root");
    let mut chain = vec![root.clone()];
    for at in 0..101 {
        let issuer = chain.last().expect("the root").clone();
        chain.push(Forge::authority(&format!("Level {at}")).issued_by(&issuer));
    }
    let upto = |levels: usize| {
        let mut out = vec![blue().issued_by(&chain[levels])];
        out.extend(chain[1..=levels].iter().rev().cloned());
        out
    };
    let (fits, exceeds) = (upto(100), upto(101));
    trusted(&fits.iter().collect::<Vec<_>>(), &[&root]);
    refused(
        &exceeds.iter().collect::<Vec<_>>(),
        &[&root],
        "unable to get local issuer certificate",
        Origin::Chain(101),
    );
}

#[test]
fn a_chain_fits_into_a_message() {
    let root = root("Root");
    let padded = |bytes: usize| blue().extension("1.2.3.4", false, vec![0; bytes]).issued_by(&root);
    let most = 100 * 1024 - 6;
    trusted(&[&padded(most - 2000)], &[&root]);
    let long = padded(most);
    let refusal = refused(&[&long], &[&root], "EXCESSIVE_MESSAGE_SIZE", Origin::Chain(0));
    assert_eq!(refusal.reason, Reason::TooLong { bytes: long.der.len() + 6 });
}

#[test]
fn names_obey_the_constraints_above_the_anchor_s_too() {
    /// Permitted, excluded, leaf, and the end of the log.
    type Case<'a> = (&'a [&'a str], &'a [&'a str], Forge, Option<&'a str>);
    let cases: [Case<'_>; 12] = [
        (&["DNS:apps.local"], &[], blue(), None),
        (&["DNS:other.local"], &[], blue(), Some("permitted subtree violation")),
        (&[], &["DNS:apps.local"], blue(), Some("excluded subtree violation")),
        (&["URI:mesh.local"], &[], Forge::leaf(&["URI:spiffe://mesh.local/x"]), None),
        (&["URI:mesh.local"], &[], Forge::leaf(&["URI:spiffe://x.local/x"]), Some("permitted subtree violation")),
        (&["URI:mesh.local"], &[], Forge::leaf(&["URI:urn:x"]), Some("unsupported or invalid name syntax")),
        (
            &["email:apps.local"],
            &[],
            Forge::leaf(&["blue.local", "email:a@b.local"]),
            Some("permitted subtree violation"),
        ),
        (&["IP:10.0.0.0/255.0.0.0"], &[], Forge::leaf(&["IP:10.1.2.3"]), Some("unsupported name constraint type")),
        (&["IP:10.0.0.0/255.0.0.0"], &[], blue(), None),
        (&["DNS:apps.local"], &[], blue().names(&[]), Some("Issuer has name constraints but leaf has no SANs")),
        (&["DNS:apps.local"], &[], blue().names(&[]).subject(common_name("Blue Shop")), None),
        (&["dir:Blue"], &[], blue(), Some("permitted subtree violation")),
    ];
    for (permitted, excluded, leaf, log) in cases {
        let root = Forge::authority("Root").constraints(permitted, excluded).self_signed();
        let leaf = leaf.issued_by(&root);
        match log {
            None => drop(trusted(&[&leaf], &[&root])),
            Some(log) => drop(refused(&[&leaf], &[&root], &format!("depth 0: {log}"), Origin::Chain(0))),
        }
        trusted(&[&leaf], &[&leaf]);
    }
}

#[test]
fn critical_extensions_must_be_known_and_all_be_sound() {
    let root = Forge::authority("Root").extension("1.2.3.4", true, vec![5, 0]).self_signed();
    let odd = blue().extension("1.2.3.4", true, vec![5, 0]).issued_by(&root);
    refused(&[&odd], &[&root], "depth 0: unhandled critical extension", Origin::Chain(0));
    trusted(&[&odd], &[&odd]);
    trusted(&[&blue().extension("1.2.3.4", false, vec![5, 0]).issued_by(&root)], &[&root]);
    let damaged = "depth 0: invalid or inconsistent certificate extension";
    for leaf in [
        blue().ca(false, Some(0)),
        blue().extension("2.5.29.17", false, vec![5, 0]),
        blue().extension("2.5.29.35", false, vec![5, 0]),
        blue().also("2.5.29.15", true, tlv(0x03, &[&[7, 0x80]])),
        blue().extension("2.5.29.30", true, sequence(&[&tlv(0xa0, &[&[5, 0]])])),
    ] {
        refused(&[&leaf.issued_by(&root)], &[&root], damaged, Origin::Chain(0));
    }
}

#[test]
fn old_algorithms_pass_but_md5() {
    let root = Forge::authority("Root").key(Kind::Rsa(1024)).signed_with(Signature::Md5).self_signed();
    for signature in [Signature::Sha1, Signature::Sha256, Signature::Sha512] {
        trusted(&[&blue().signed_with(signature).issued_by(&root)], &[&root]);
    }
    let md5 = blue().signed_with(Signature::Md5).issued_by(&root);
    refused(
        &[&md5],
        &[&root],
        "DIGEST_AND_KEY_TYPE_NOT_SUPPORTED|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify cert failed: X509_verify_cert: certificate verification error at depth 0: certificate signature failure",
        Origin::Chain(0),
    );
    let root = Forge::authority("Root").key(Kind::Rsa(2048)).self_signed();
    for signature in [Signature::Sha384, Signature::Pss(256), Signature::Pss(384), Signature::Pss(512)] {
        trusted(&[&blue().signed_with(signature).issued_by(&root)], &[&root]);
    }
    for kind in [Kind::P256, Kind::P384, Kind::Curve("P-521")] {
        let root = Forge::authority("Root").key(kind).self_signed();
        let other = Forge::authority("Root").key(kind).self_signed();
        for signature in [Signature::Sha1, Signature::Sha256, Signature::Sha384, Signature::Sha512] {
            let leaf = blue().unidentified().signed_with(signature).issued_by(&root);
            trusted(&[&leaf], &[&root]);
            refused(&[&leaf], &[&other], "certificate signature failure", Origin::Chain(0));
        }
    }
    let root = Forge::authority("Root").key(Kind::Ed25519).self_signed();
    trusted(&[&blue().issued_by(&root)], &[&root]);
    // What isn't supported here is unknown.
    let root = Forge::authority("Root").key(Kind::Rsa(1024)).self_signed();
    unknown(&[&blue().signed_with(Signature::Sha384).issued_by(&root)], &[&root]);
}

#[test]
fn a_date_is_told_before_what_is_looked_at_after_it() {
    let root = Forge::authority("Root").constraints(&["DNS:other.local"], &[]).self_signed();
    let leaf = blue().days(-9, -2).issued_by(&root);
    let refusal = refused(&[&leaf], &[&root], "certificate has expired", Origin::Chain(0));
    let before = refusal.certificate.not_before;
    let verdict = verdict(Purpose::Server, &[&leaf], &[&root]);
    let then = verdict.refusal_at(before).expect("the name is wrong at any time");
    assert!(then.envoy_log().ends_with("permitted subtree violation"), "{then}");
}

#[test]
fn a_link_needs_name_and_signature() {
    let [root, intermediate, leaf] =
        three().map(|forged| file(&[&forged]).chain.expect("a chain").certificates.remove(0));
    assert!(verify_link(&leaf, &intermediate));
    assert!(verify_link(&intermediate, &root));
    assert!(verify_link(&root, &root));
    assert!(!verify_link(&leaf, &root));
    assert!(!verify_link(&intermediate, &leaf));
}
