//! Which certificate is taken for an issuer, and what it must be.

use crate::pairing::{Pairing, SOUND};
use crate::support::forge::{
    ANY_USAGE, CERT_SIGN, CLIENT_AUTH, CODE_SIGNING, CRL_SIGN, DIGITAL_SIGNATURE, Forge, Forged, KEY_ENCIPHERMENT,
    Kind, PRINTABLE_STRING, SERVER_AUTH, Signature, common_name, name, tlv,
};

fn blue() -> Forge {
    Forge::leaf(&["blue.apps.local"])
}

fn pairing(name: &str, chain: &[&Forged], bundle: &[&Forged]) -> Pairing {
    Pairing::sound(format!("issuers: {name}")).chain(chain).bundle(bundle)
}

pub(super) fn pairings() -> Vec<Pairing> {
    [identifiers(), namesakes(), authorities(), usages(), extensions(), algorithms()].concat()
}

fn identifiers() -> Vec<Pairing> {
    const AUTHORITY_KEY_ID: &str = "2.5.29.35";
    let root = Forge::authority("Root").self_signed();
    let leaf = |value: Vec<u8>| blue().extension(AUTHORITY_KEY_ID, false, value).issued_by(&root);
    let other_key = leaf(tlv(0x30, &[&tlv(0x80, &[&[7; 20]])]));
    let empty = leaf(tlv(0x30, &[]));
    let lower_case = name(&[("2.5.4.3", PRINTABLE_STRING, "  rOOT ")]);
    let other_kind = blue().issuer_name(lower_case).issued_by(&root);
    let multi = |first, second| name(&[("2.5.4.10", PRINTABLE_STRING, first), ("2.5.4.3", PRINTABLE_STRING, second)]);
    let spaced = Forge::authority("").subject(multi("Shop  Inc", "Root")).self_signed();
    let folded = blue().issuer_name(multi("shop inc", "ROOT")).issued_by(&spaced);
    let turned = blue()
        .issuer_name(name(&[("2.5.4.3", PRINTABLE_STRING, "Root"), ("2.5.4.10", PRINTABLE_STRING, "Shop Inc")]))
        .issued_by(&spaced);
    let nameless = Forge::authority("").self_signed();
    vec![
        pairing("the key identifier is another", &[&other_key], &[&root]),
        pairing("the key identifier is empty", &[&empty], &[&root]),
        pairing("issuer and serial number fit", &[&leaf(root.by_serial(root.serial()))], &[&root]),
        pairing("the serial number is another", &[&leaf(root.by_serial(root.serial() + 1))], &[&root]),
        pairing("without identifiers", &[&blue().unidentified().issued_by(&root)], &[&root]),
        pairing("the name in another kind, case and space", &[&other_kind], &[&root]),
        pairing("a name of two parts, folded", &[&folded], &[&spaced]),
        pairing("a name of two parts, turned round", &[&turned], &[&spaced]),
        pairing("an authority without a name", &[&blue().issued_by(&nameless)], &[&nameless]),
        pairing(
            "the issuer's name is another",
            &[&blue().issuer_name(common_name("Nobody")).issued_by(&root)],
            &[&root],
        ),
    ]
}

fn namesakes() -> Vec<Pairing> {
    let plain = || Forge::authority("Root").unidentified();
    let (right, wrong, third) = (plain().self_signed(), plain().self_signed(), plain().self_signed());
    let old = plain().key_of(&right).days(-90, -1).self_signed();
    let leaf = blue().issued_by(&right);
    let identified = || Forge::authority("Zulu Root").self_signed();
    let (own, namesake, another) = (identified(), identified(), identified());
    let below = blue().issued_by(&own);
    let early = Forge::authority("A").self_signed();
    let late = Forge::authority("Much later in any order of names").self_signed();
    let forged = Forge::authority("Sound Intermediate").unidentified().self_signed();
    let upper = Forge::authority("Upper").unidentified().self_signed();
    let (middle, twin) = (
        Forge::authority("Middle").unidentified().issued_by(&upper),
        Forge::authority("Middle").unidentified().issued_by(&upper),
    );
    let deep = blue().issued_by(&middle);
    vec![
        pairing("of two roots without identifiers, the right one first", &[&leaf], &[&right, &wrong]),
        pairing("of two roots without identifiers, the wrong one first", &[&leaf], &[&wrong, &right]),
        pairing("of three roots without identifiers, the right one in the middle", &[&leaf], &[&wrong, &right, &third]),
        pairing("of three roots without identifiers, the right one first", &[&leaf], &[&right, &wrong, &third]),
        pairing("the current root before the expired", &[&leaf], &[&right, &old]),
        pairing("the expired root before the current", &[&leaf], &[&old, &right]),
        pairing("of two roots with identifiers, the wrong one first", &[&below], &[&namesake, &own]),
        pairing("of three roots with identifiers, the right one last", &[&below], &[&namesake, &another, &own]),
        pairing(
            "of three roots with identifiers and others around",
            &[&below],
            &[&late, &namesake, &early, &own, &another],
        ),
        pairing("of two roots with identifiers, behind a shorter name", &[&below], &[&early, &namesake, &own]),
        pairing("a namesake of the intermediate trusted", &[&SOUND.leaf, &SOUND.intermediate], &[&forged]),
        pairing("a namesake of the intermediate sent before it", &[&deep, &twin, &middle], &[&upper]),
        pairing("a namesake of the intermediate sent after it", &[&deep, &middle, &twin], &[&upper]),
    ]
}

fn authorities() -> Vec<Pairing> {
    let sound = &*SOUND;
    let root = &sound.root;
    let odd = [
        ("is CA:FALSE", Forge::authority("Odd").ca(false, None)),
        ("lacks basic constraints", Forge::authority("Odd").without_basic_constraints()),
        ("is of version 1", Forge::authority("Odd").version_1()),
        ("may not sign certificates", Forge::authority("Odd").key_usage(CRL_SIGN)),
        ("has no key usage", Forge::authority("Odd").key_usage(0)),
        ("has a path length of 0", Forge::authority("Odd").ca(true, Some(0))),
        ("is CA:FALSE with a path length", Forge::authority("Odd").ca(false, Some(0))),
    ];
    let mut out = Vec::new();
    for (what, odd) in odd {
        let middle = odd.clone().issued_by(root);
        out.push(pairing(&format!("the intermediate {what}"), &[&blue().issued_by(&middle), &middle], &[root]));
        out.push(pairing(&format!("the trusted intermediate {what}"), &[&blue().issued_by(&middle)], &[&middle]));
        let top = odd.self_signed();
        out.push(pairing(&format!("the root {what}"), &[&blue().issued_by(&top)], &[&top]));
    }
    let limited = Forge::authority("Limited").ca(true, Some(0)).issued_by(root);
    let below = Forge::authority("Below").issued_by(&limited);
    let again = Forge::authority("Limited").issued_by(&limited);
    let limited_root = Forge::authority("Limited Root").ca(true, Some(0)).self_signed();
    let under_root = Forge::authority("Under").issued_by(&limited_root);
    let wide = Forge::authority("Wide").ca(true, Some(1)).issued_by(root);
    let under_wide = Forge::authority("Under Wide").issued_by(&wide);
    out.extend([
        pairing("one more than the path length", &[&blue().issued_by(&below), &below, &limited], &[root]),
        pairing("one more than the trusted path length", &[&blue().issued_by(&below), &below], &[&limited]),
        pairing(
            "one more than the root's path length",
            &[&blue().issued_by(&under_root), &under_root],
            &[&limited_root],
        ),
        pairing("as many as the path length", &[&blue().issued_by(&under_wide), &under_wide, &wide], &[root]),
        pairing("an authority that renewed itself", &[&blue().issued_by(&again), &again, &limited], &[root]),
        pairing("a leaf of version 1", &[&blue().version_1().issued_by(root)], &[root]).names(&["blue.apps.local"]),
        pairing("a leaf that is CA:TRUE", &[&blue().ca(true, None).issued_by(root)], &[root]),
        pairing("a leaf that is CA:FALSE with a path length", &[&blue().ca(false, Some(0)).issued_by(root)], &[root]),
    ]);
    let wrong_leaf = blue().ca(false, Some(0)).issued_by(root);
    out.push(pairing("a trusted leaf that is CA:FALSE with a path length", &[&wrong_leaf], &[&wrong_leaf]));
    out
}

fn usages() -> Vec<Pairing> {
    let root = Forge::authority("Root").self_signed();
    let mut out = Vec::new();
    let lists: [(&str, &[&str]); 6] = [
        ("no usage", &[]),
        ("server", &[SERVER_AUTH]),
        ("client", &[CLIENT_AUTH]),
        ("any", &[ANY_USAGE]),
        ("code signing", &[CODE_SIGNING]),
        ("server and code signing", &[CODE_SIGNING, SERVER_AUTH]),
    ];
    for (what, usages) in lists {
        let leaf = blue().usages(usages).issued_by(&root);
        out.push(pairing(&format!("a leaf for {what}"), &[&leaf], &[&root]));
        out.push(pairing(&format!("a trusted leaf for {what}"), &[&leaf], &[&leaf]));
        let middle = Forge::authority("Middle").usages(usages).issued_by(&root);
        out.push(pairing(&format!("an intermediate for {what}"), &[&blue().issued_by(&middle), &middle], &[&root]));
        let top = Forge::authority("Top").usages(usages).self_signed();
        out.push(pairing(&format!("a root for {what}"), &[&blue().issued_by(&top)], &[&top]));
    }
    let bits = [("sign lists", CRL_SIGN), ("sign certificates", CERT_SIGN), ("encipher keys", KEY_ENCIPHERMENT)];
    for (what, bits) in bits {
        let rsa = || blue().key(Kind::Rsa(2048));
        out.push(pairing(
            &format!("an RSA leaf that may {what}"),
            &[&rsa().key_usage(bits).issued_by(&root)],
            &[&root],
        ));
        let both = rsa().key_usage(bits | DIGITAL_SIGNATURE).issued_by(&root);
        out.push(pairing(&format!("an RSA leaf that may {what} and sign"), &[&both], &[&root]));
    }
    out
}

fn extensions() -> Vec<Pairing> {
    let sound = &*SOUND;
    let root = &sound.root;
    let unknown = |forge: Forge, critical| forge.extension("1.2.3.4", critical, vec![5, 0]);
    let leaf = unknown(blue(), true).issued_by(root);
    let middle = unknown(Forge::authority("Middle"), true).issued_by(root);
    let top = unknown(Forge::authority("Top"), true).self_signed();
    let mut out = vec![
        pairing("an unknown critical extension of the leaf", &[&leaf], &[root]),
        pairing("an unknown critical extension of the trusted leaf", &[&leaf], &[&leaf]),
        pairing("an unknown critical extension of the intermediate", &[&blue().issued_by(&middle), &middle], &[root]),
        pairing("an unknown critical extension of the root", &[&blue().issued_by(&top)], &[&top]),
        pairing("an unknown extension of the leaf", &[&unknown(blue(), false).issued_by(root)], &[root]),
    ];
    let null = || vec![5, 0];
    let policy = tlv(0x30, &[&tlv(0x30, &[&tlv(0x06, &[&[0x2a, 3]])])]);
    let odd: [(&str, Forge); 12] = [
        ("names that aren't names", blue().extension("2.5.29.17", false, null())),
        ("no name in its list of names", blue().extension("2.5.29.17", false, tlv(0x30, &[]))),
        ("a key usage that isn't one", blue().extension("2.5.29.15", true, null())),
        ("usages that aren't usages", blue().extension("2.5.29.37", false, null())),
        ("basic constraints that aren't any", blue().extension("2.5.29.19", true, null())),
        ("an authority identifier that isn't one", blue().extension("2.5.29.35", false, null())),
        ("distribution points that aren't any", blue().extension("2.5.29.31", false, null())),
        ("name constraints that aren't any", blue().extension("2.5.29.30", true, null())),
        ("its key usage twice", blue().also("2.5.29.15", true, tlv(0x03, &[&[7, 0x80]]))),
        ("its names twice", blue().also("2.5.29.17", false, tlv(0x30, &[&tlv(0x82, &[b"blue.apps.local"])]))),
        ("a policy", blue().extension("2.5.29.32", false, policy)),
        ("critical names", blue().extension("2.5.29.17", true, tlv(0x30, &[&tlv(0x82, &[b"blue.apps.local"])]))),
    ];
    for (what, forge) in odd {
        let leaf = forge.issued_by(root);
        out.push(pairing(&format!("a leaf with {what}"), &[&leaf], &[root]));
        out.push(pairing(&format!("a trusted leaf with {what}"), &[&leaf], &[&leaf]));
    }
    let damaged_root = Forge::authority("Damaged").extension("2.5.29.31", false, null()).self_signed();
    out.push(pairing(
        "a root with distribution points that aren't any",
        &[&blue().issued_by(&damaged_root)],
        &[&damaged_root],
    ));
    out
}

fn algorithms() -> Vec<Pairing> {
    let mut out = Vec::new();
    let rsa = Forge::authority("Rsa").key(Kind::Rsa(2048)).self_signed();
    for signature in [
        Signature::Md5,
        Signature::Sha1,
        Signature::Sha256,
        Signature::Sha384,
        Signature::Sha512,
        Signature::Pss(256),
        Signature::Pss(384),
        Signature::Pss(512),
    ] {
        let leaf = blue().signed_with(signature).issued_by(&rsa);
        out.push(pairing(&format!("signed by RSA with {signature:?}"), &[&leaf], &[&rsa]));
    }
    let small = Forge::authority("Small").key(Kind::Rsa(1024)).self_signed();
    for signature in [Signature::Sha1, Signature::Sha256, Signature::Sha384] {
        let leaf = blue().signed_with(signature).issued_by(&small);
        out.push(pairing(&format!("signed by RSA 1024 with {signature:?}"), &[&leaf], &[&small]));
    }
    for kind in [Kind::P384, Kind::Ed25519, Kind::Curve("P-521"), Kind::Rsa(4096)] {
        let root = Forge::authority("Kind").key(kind).self_signed();
        out.push(pairing(&format!("signed by {kind:?}"), &[&blue().issued_by(&root)], &[&root]));
    }
    let p256 = Forge::authority("P256").self_signed();
    for signature in [Signature::Sha1, Signature::Sha384, Signature::Sha512] {
        let leaf = blue().signed_with(signature).issued_by(&p256);
        out.push(pairing(&format!("signed by P-256 with {signature:?}"), &[&leaf], &[&p256]));
    }
    let md5 = Forge::authority("Md5 Root").key(Kind::Rsa(2048)).signed_with(Signature::Md5).self_signed();
    out.push(pairing("a root signed with MD5", &[&blue().issued_by(&md5)], &[&md5]));
    out
}
