//! Properties of reading certificate and key files: no bytes make it panic, and what stands around the blocks of a file
//! does not change what is read of them.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::sync::LazyLock;

use meshvet::pki::{Certificate, FileFacts, KeyFit, dns_name_matches, nearest_name};
use proptest::collection::vec;
use proptest::prelude::*;
use rcgen::{CertificateParams, KeyPair};

struct Minted {
    pem: String,
    key: String,
    der: Vec<u8>,
}

/// A few certificates with their keys, minted once.
static MINTED: LazyLock<Vec<Minted>> = LazyLock::new(|| {
    (0..4)
        .map(|number| {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec![format!("n{number}.apps.local")]).unwrap();
            let certificate = params.self_signed(&key).unwrap();
            Minted { pem: certificate.pem(), key: key.serialize_pem(), der: certificate.der().to_vec() }
        })
        .collect()
});

/// Touches everything that can be asked of a file.
fn ask_everything(bytes: &[u8]) {
    let facts = FileFacts::parse(bytes);
    assert_eq!(facts.size, bytes.len());
    for error in [facts.chain.as_ref().err(), facts.bundle.as_ref().err()].into_iter().flatten() {
        assert!(!error.to_string().contains('\n') && !error.envoy_log("/p").is_empty() && !error.fix().is_empty());
    }
    if let Err(error) = &facts.key {
        assert!(!error.to_string().contains('\n') && !error.envoy_log("/p").is_empty() && !error.fix().is_empty());
    }
    for block in &facts.ignored {
        assert!(block.number > 0 && block.line > 0 && !block.reason.to_string().is_empty());
    }
    if let Ok(chain) = &facts.chain {
        assert_eq!(chain.leaf(), chain.certificates[0].as_ref());
        for certificate in &chain.certificates {
            assert!(!certificate.names_text().contains('\n'));
            let _ = (certificate.key_support(), certificate.nameless_log(), certificate.lifetime());
            // What was read once reads again, from its own DER.
            assert_eq!(Certificate::parse_der(&certificate.der).as_ref(), Ok(certificate.as_ref()));
        }
        if let Ok(key) = &facts.key {
            let _ = key.fit(chain.leaf());
        }
    }
}

/// A piece of a file: blocks, what is like them, and noise.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let minted = 0..MINTED.len();
    prop_oneof![
        minted.clone().prop_map(|at| MINTED[at].pem.clone().into_bytes()),
        minted.clone().prop_map(|at| MINTED[at].key.clone().into_bytes()),
        minted.prop_map(|at| MINTED[at].der.clone()),
        "-----(BEGIN|END) (CERTIFICATE|EC PRIVATE KEY|PRIVATE KEY|X509 CRL|TRUSTED CERTIFICATE)-----\r?\n?"
            .prop_map(String::into_bytes),
        "(Proc-Type: 4,ENCRYPTED|DEK-Info: AES-128-CBC,00|[A-Za-z0-9+/=]{0,90})\n{1,2}".prop_map(String::into_bytes),
        Just(b"\xef\xbb\xbf".to_vec()),
        (245usize..260).prop_map(|length| vec![b'#'; length]),
        vec(any::<u8>(), 0..80),
    ]
}

/// Bytes with a few of them changed, missing or repeated.
fn damage(bytes: &[u8], changes: &[(prop::sample::Index, u8, u8)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (index, kind, value) in changes.iter().filter(|_| !bytes.is_empty()).cloned().collect::<Vec<_>>() {
        if bytes.is_empty() {
            break;
        }
        let at = index.index(bytes.len());
        match kind % 4 {
            0 => bytes[at] = value,
            1 => bytes.insert(at, value),
            2 => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
    }
    bytes
}

/// Text that may stand between blocks: no line of it looks like a BEGIN or an END, and no piece of a line does.
fn comment() -> impl Strategy<Value = String> {
    vec("[ -,.-~\t]{0,120}", 0..4).prop_map(|lines| lines.iter().map(|line| format!("{line}\n")).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..2000)) {
        ask_everything(&bytes);
        let _ = Certificate::parse_der(&bytes);
    }

    #[test]
    fn no_mix_of_pieces_makes_it_panic(pieces in vec(piece(), 0..8)) {
        ask_everything(&pieces.concat());
    }

    #[test]
    fn no_damage_makes_it_panic(
        at in 0..4usize,
        changes in vec((any::<prop::sample::Index>(), any::<u8>(), any::<u8>()), 0..4),
    ) {
        let Minted { pem, key, der } = &MINTED[at];
        ask_everything(&damage(pem.as_bytes(), &changes));
        ask_everything(&damage(key.as_bytes(), &changes));
        let _ = Certificate::parse_der(&damage(der, &changes));
    }

    #[test]
    fn text_between_blocks_and_line_ends_keep_the_certificates(
        order in vec(0..4usize, 1..5),
        comments in vec(comment(), 5),
        with_keys in any::<bool>(),
        line_end in prop_oneof![Just("\n"), Just("\r\n"), Just(" \n"), Just("\t \r\n")],
        final_newline in any::<bool>(),
    ) {
        let mut file = comments[0].clone();
        for (at, comment) in order.iter().zip(&comments[1..]) {
            file += &MINTED[*at].pem;
            if with_keys {
                file += &MINTED[order[0]].key;
            }
            file += comment;
        }
        // rcgen ends its lines in CRLF on some systems.
        let mut file = file.replace('\r', "").replace('\n', line_end);
        if !final_newline {
            file.truncate(file.trim_end().len());
        }
        let facts = FileFacts::parse(file.as_bytes());
        let expected: Vec<&[u8]> = order.iter().map(|at| MINTED[*at].der.as_slice()).collect();
        let chain = facts.chain.unwrap();
        prop_assert_eq!(chain.certificates.iter().map(|c| &*c.der).collect::<Vec<_>>(), expected.clone());
        let bundle = facts.bundle.unwrap();
        prop_assert_eq!(bundle.certificates.iter().map(|c| &*c.der).collect::<Vec<_>>(), expected);
        prop_assert_eq!(facts.carries_private_key, with_keys);
        prop_assert_eq!(facts.ignored.len(), 0);
        prop_assert_eq!(facts.key.map(|key| key.fit(chain.leaf())).ok(), with_keys.then_some(KeyFit::Fits));
    }

    #[test]
    fn a_name_matches_itself_and_its_wildcard_and_case_never_matters(
        label in "[a-z0-9][a-z0-9-]{0,20}", domain in "[a-z]{1,9}(\\.[a-z]{1,9}){0,3}", cut in any::<prop::sample::Index>(),
    ) {
        let host = format!("{label}.{domain}");
        prop_assert!(dns_name_matches(&host, &host.to_uppercase()));
        let wildcard = format!("*.{domain}");
        prop_assert!(dns_name_matches(&wildcard, &host));
        prop_assert!(!dns_name_matches(&wildcard, &domain), "the wildcard stands for a label");
        prop_assert!(!dns_name_matches(&wildcard, &format!("a.{host}")), "and for no more than one");
        let at = cut.index(label.len() + 1);
        let partial = format!("{}*{}.{domain}", &label[..at], &label[at..]);
        prop_assert_eq!(dns_name_matches(&partial, &host), !partial.starts_with("xn--"));
    }

    #[test]
    fn no_names_make_the_matching_panic(pattern in any::<String>(), host in any::<String>()) {
        let _ = dns_name_matches(&pattern, &host);
        let _ = nearest_name(&host, std::iter::once(pattern.as_str()));
    }
}
