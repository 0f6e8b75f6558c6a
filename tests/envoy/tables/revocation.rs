//! Revocation lists in a trust bundle: of the client, and of a server that validates its clients.

use crate::pairing::{Pairing, SOUND, file};
use crate::support::forge::{CERT_SIGN, Forge, Forged, ForgedList, Kind, general_name, sequence, tlv};

const ISSUING_POINT: &str = "2.5.29.28";
const POINTS: &str = "2.5.29.31";
const REASON: &str = "2.5.29.21";

/// Certificates and lists as one PEM file.
fn with(certificates: &[&Forged], lists: &[ForgedList]) -> Vec<u8> {
    let lists: String = lists.iter().map(ForgedList::pem).collect();
    [file(certificates), lists.into_bytes()].concat()
}

/// The server shows this chain to a client with this bundle.
fn pairing(name: &str, chain: &[&Forged], bundle: Vec<u8>) -> Pairing {
    Pairing::sound(format!("revocation: {name}")).chain(chain).bundle_file(bundle)
}

pub(super) fn pairings() -> Vec<Pairing> {
    [of_a_root(), of_a_chain(), chosen(), odd(), scopes(), of_clients()].concat()
}

fn blue() -> Forge {
    Forge::leaf(&["blue.apps.local"])
}

/// What one list of the only authority does.
fn of_a_root() -> Vec<Pairing> {
    let root = Forge::authority("Root").self_signed();
    let leaf = blue().issued_by(&root);
    let other = Forge::authority("Other").self_signed();
    let list = || ForgedList::of(&root);
    let one = |name: &str, list: ForgedList| pairing(name, &[&leaf], with(&[&root], &[list]));
    let no_crl_sign = Forge::authority("Root").key_usage(CERT_SIGN).self_signed();
    let no_usage = Forge::authority("Root").key_usage(0).self_signed();
    let unreadable = [file(&[&root]), pem_of("X509 CRL", &[0x30, 3, 2, 1, 1])].concat();
    let rsa = Forge::authority("Rsa").key(Kind::Rsa(2048)).self_signed();
    let p384 = Forge::authority("P384").key(Kind::P384).self_signed();
    vec![
        one("nothing is revoked", list()),
        one("the leaf is revoked", list().revokes(&[leaf.serial()])),
        one("the leaf is revoked among others", list().revokes(&[7, leaf.serial(), 900])),
        one("another certificate is revoked", list().revokes(&[leaf.serial() + 1])),
        one("the root is revoked by itself", list().revokes(&[root.serial()])),
        one("the list has ended", list().days(-30, Some(-1))),
        one("the list has ended, and revokes the leaf", list().days(-30, Some(-1)).revokes(&[leaf.serial()])),
        one("the list hasn't begun", list().days(2, Some(30))),
        one("the list has no end", list().days(-30, None)),
        one("the list has no key identifier", list().unidentified()),
        one("the list is another authority's", ForgedList::of(&other)),
        one("the list has another's signature", list().signed_by(&other)),
        one(
            "the list has another's signature, and revokes the leaf",
            list().signed_by(&other).revokes(&[leaf.serial()]),
        ),
        pairing("the list comes before the certificates", &[&leaf], {
            [list().revokes(&[leaf.serial()]).pem().into_bytes(), file(&[&root])].concat()
        }),
        pairing("the list can't be read", &[&leaf], unreadable),
        pairing("a list and no certificate", &[&leaf], list().pem().into_bytes()),
        pairing("the root may not sign lists", &[&blue().issued_by(&no_crl_sign)], {
            with(&[&no_crl_sign], &[ForgedList::of(&no_crl_sign)])
        }),
        pairing("the root has no key usage", &[&blue().issued_by(&no_usage)], {
            with(&[&no_usage], &[ForgedList::of(&no_usage)])
        }),
        pairing("of an RSA root", &[&blue().issued_by(&rsa)], with(&[&rsa], &[ForgedList::of(&rsa)])),
        pairing("of a P-384 root", &[&blue().issued_by(&p384)], with(&[&p384], &[ForgedList::of(&p384)])),
        pairing("the leaf has expired, and a list is sound", &[&blue().days(-9, -1).issued_by(&root)], {
            with(&[&root], &[list()])
        }),
        pairing("the leaf has expired, and is revoked", &[&blue().days(-9, -1).issued_by(&root)], {
            with(&[&root], &[list().days(-30, Some(-1))])
        }),
        pairing("an untrusted leaf, and a list", &[&blue().issued_by(&other)], with(&[&root], &[list()])),
    ]
}

fn pem_of(label: &str, der: &[u8]) -> Vec<u8> {
    crate::support::forge::pem(label, der).into_bytes()
}

/// Each certificate of the path needs a list of its issuer.
fn of_a_chain() -> Vec<Pairing> {
    let root = Forge::authority("Root").self_signed();
    let middle = Forge::authority("Middle").issued_by(&root);
    let leaf = blue().issued_by(&middle);
    let chain = [&leaf, &middle];
    let (of_root, of_middle) = (ForgedList::of(&root), ForgedList::of(&middle));
    let one = |name: &str, trusted: &[&Forged], lists: &[ForgedList]| pairing(name, &chain, with(trusted, lists));
    vec![
        one("of root and intermediate", &[&root], &[of_root.clone(), of_middle.clone()]),
        one("of the root, none of the intermediate", &[&root], std::slice::from_ref(&of_root)),
        one("of the intermediate, none of the root", &[&root], std::slice::from_ref(&of_middle)),
        one("the intermediate is revoked", &[&root], &[of_root.clone().revokes(&[middle.serial()]), of_middle.clone()]),
        one(
            "the leaf is revoked by the intermediate",
            &[&root],
            &[of_root.clone(), of_middle.clone().revokes(&[leaf.serial()])],
        ),
        one(
            "the leaf is revoked by the root alone",
            &[&root],
            &[of_root.clone().revokes(&[leaf.serial()]), of_middle.clone()],
        ),
        one("the root's has ended", &[&root], &[of_root.clone().days(-30, Some(-1)), of_middle.clone()]),
        one("the intermediate's hasn't begun", &[&root], &[of_root.clone(), of_middle.clone().days(2, Some(9))]),
        one("the intermediate alone is trusted, with its list", &[&middle], std::slice::from_ref(&of_middle)),
        one("the intermediate alone is trusted, with both lists", &[&middle], &[of_root.clone(), of_middle.clone()]),
        one(
            "the intermediate alone is trusted, with lists without key identifiers",
            &[&middle],
            &[of_root.clone().unidentified(), of_middle.clone().unidentified()],
        ),
        one("root and intermediate are trusted", &[&root, &middle], &[of_root.clone(), of_middle.clone()]),
        one("the leaf itself is trusted, with the list of its issuer", &[&leaf], std::slice::from_ref(&of_middle)),
        one("the leaf itself is trusted, with a list without key identifier", &[&leaf], &[of_middle.unidentified()]),
    ]
}

/// Which of several lists counts.
fn chosen() -> Vec<Pairing> {
    let root = Forge::authority("Root").self_signed();
    let leaf = blue().issued_by(&root);
    let namesake = Forge::authority("Root").self_signed();
    let sound = || ForgedList::of(&root);
    let revoking = || sound().revokes(&[leaf.serial()]);
    let one = |name: &str, lists: &[ForgedList]| pairing(name, &[&leaf], with(&[&root], lists));
    vec![
        one("the older of two revokes", &[revoking().days(-9, Some(9)), sound().days(-5, Some(9))]),
        one("the newer of two revokes", &[sound().days(-9, Some(9)), revoking().days(-5, Some(9))]),
        one("the newer of two revokes, and comes first", &[revoking().days(-5, Some(9)), sound().days(-9, Some(9))]),
        one("an ended one beside a current one", &[sound().days(-9, Some(-1)), sound().days(-20, Some(9))]),
        one("a current one before an ended, newer one", &[sound().days(-20, Some(9)), revoking().days(-9, Some(-1))]),
        one("an ended one that revokes beside a current one", &[revoking().days(-9, Some(-1)), sound()]),
        one("one of a namesake beside the right one", &[ForgedList::of(&namesake), sound()]),
        one("one of a namesake alone", &[ForgedList::of(&namesake)]),
        one("one of a namesake without key identifier", &[ForgedList::of(&namesake).unidentified()]),
        one(
            "one with a critical extension beside one that revokes",
            &[sound().extension("1.2.3.4", true, vec![5, 0]).days(-1, Some(9)), revoking()],
        ),
    ]
}

/// Lists with something odd about them.
fn odd() -> Vec<Pairing> {
    let root = Forge::authority("Root").self_signed();
    let leaf = blue().issued_by(&root);
    let list = || ForgedList::of(&root);
    let one = |name: &str, list: ForgedList| pairing(name, &[&leaf], with(&[&root], &[list]));
    let reason = |number: u8| tlv(0x0a, &[&[number]]);
    vec![
        one("an unknown critical extension", list().extension("1.2.3.4", true, vec![5, 0])),
        one("an unknown extension", list().extension("1.2.3.4", false, vec![5, 0])),
        one("a delta list", list().extension("2.5.29.27", true, tlv(0x02, &[&[1]]))),
        one("a key identifier that isn't one", list().extension("2.5.29.35", false, vec![5, 0])),
        one("an issuing point that isn't one", list().extension(ISSUING_POINT, true, vec![5, 0])),
        one("a revocation with a reason", list().revokes(&[leaf.serial()]).of_entries(REASON, false, reason(1))),
        one("another's revocation with a reason", list().revokes(&[7]).of_entries(REASON, false, reason(1))),
        one("another's removal", list().revokes(&[7]).of_entries(REASON, false, reason(8))),
        one("the issuer by its serial number", list().extension("2.5.29.35", false, root.by_serial(root.serial()))),
        one(
            "the issuer by another serial number",
            list().extension("2.5.29.35", false, root.by_serial(root.serial() + 1)),
        ),
    ]
}

/// Lists that are for some certificates only.
fn scopes() -> Vec<Pairing> {
    let root = Forge::authority("Root").self_signed();
    let point = |uri: &str| tlv(0xa0, &[&tlv(0xa0, &[&general_name(&format!("URI:{uri}"))])]);
    let points = |uri: &str| sequence(&[&sequence(&[&point(uri)])]);
    let leaf = blue().issued_by(&root);
    let pointing = blue().extension(POINTS, false, points("http://list.local/a")).issued_by(&root);
    let list = |value: Vec<u8>| ForgedList::of(&root).extension(ISSUING_POINT, true, sequence(&[&value]));
    let flag = |number: u8| tlv(0x80 | number, &[&[0xff]]);
    let one = |name: &str, leaf: &Forged, lists: &[ForgedList]| pairing(name, &[leaf], with(&[&root], lists));
    vec![
        one("an issuing point that says nothing", &leaf, &[list(Vec::new())]),
        one("for users only", &leaf, &[list(flag(1))]),
        one("for authorities only", &leaf, &[list(flag(2))]),
        one("one for users and one for authorities", &leaf, &[list(flag(1)), list(flag(2))]),
        one(
            "one for users that revokes, and one for authorities",
            &leaf,
            &[list(flag(1)).revokes(&[leaf.serial()]), list(flag(2))],
        ),
        one("for some reasons only", &leaf, &[list(tlv(0x83, &[&[1, 0x40]]))]),
        one("an indirect list", &leaf, &[list(flag(4))]),
        one("for attributes only", &leaf, &[list(flag(5))]),
        one("for users and attributes only", &leaf, &[list([flag(1), flag(5)].concat())]),
        one("for users and authorities only", &leaf, &[list([flag(1), flag(2)].concat())]),
        one(
            "for users and attributes only, beside one for all that revokes",
            &leaf,
            &[list([flag(1), flag(5)].concat()), ForgedList::of(&root).revokes(&[leaf.serial()]).days(-20, Some(9))],
        ),
        one("of the leaf's distribution point", &pointing, &[list(point("http://list.local/a"))]),
        one(
            "of the leaf's distribution point, and one of all",
            &pointing,
            &[list(point("http://list.local/a")), ForgedList::of(&root)],
        ),
        one("of another distribution point", &pointing, &[list(point("http://list.local/b")), ForgedList::of(&root)]),
        one("of a distribution point that the leaf lacks", &leaf, &[list(point("http://list.local/a"))]),
    ]
}

/// Lists of a server that validates its clients.
fn of_clients() -> Vec<Pairing> {
    let root = Forge::authority("Client Root").self_signed();
    let middle = Forge::authority("Client Middle").issued_by(&root);
    let client = Forge::leaf(&["front.apps.local"]).issued_by(&middle);
    let (of_root, of_middle) = (ForgedList::of(&root), ForgedList::of(&middle));
    let one = |name: &str, lists: &[ForgedList]| {
        let mut out = Pairing::sound(format!("revocation: of clients: {name}"))
            .mutual(&[&SOUND.root], &[])
            .client_chain(&[&client, &middle]);
        if let Some(validation) = &mut out.server_tls().validation {
            validation.bundle = Some(with(&[&root], lists));
        }
        out
    };
    vec![
        one("sound lists", &[of_root.clone(), of_middle.clone()]),
        one("the client is revoked", &[of_root.clone(), of_middle.clone().revokes(&[client.serial()])]),
        one("the intermediate is revoked", &[of_root.clone().revokes(&[middle.serial()]), of_middle.clone()]),
        one("none of the intermediate", std::slice::from_ref(&of_root)),
        one("a list has ended", &[of_root.clone(), of_middle.clone().days(-30, Some(-1))]),
        one("a list hasn't begun", &[of_root.clone(), of_middle.clone().days(2, Some(9))]),
        one("another's signature", &[of_root.clone(), of_middle.clone().signed_by(&root)]),
        one("an unknown critical extension", &[of_root, of_middle.extension("1.2.3.4", true, vec![5, 0])]),
    ]
}
