//! What stands between the leaf and what the client trusts.

use crate::pairing::{Pairing, SOUND, file};
use crate::support::forge::{CERT_SIGN, CRL_SIGN, DIGITAL_SIGNATURE, Forge, Forged, pem};

fn blue() -> Forge {
    Forge::leaf(&["blue.apps.local"])
}

pub(super) fn pairings() -> Vec<Pairing> {
    [shapes(), dates(), long()].concat()
}

fn shapes() -> Vec<Pairing> {
    let sound = &*SOUND;
    let (root, intermediate, leaf, other) = (&sound.root, &sound.intermediate, &sound.leaf, &sound.other);
    let lower = Forge::authority("Lower").issued_by(intermediate);
    let deep = blue().issued_by(&lower);
    let alone = blue().self_signed();
    let alone_as_authority = blue().ca(true, None).key_usage(CERT_SIGN | DIGITAL_SIGNATURE).self_signed();
    let alone_plain = blue().key_usage(0).usages(&[]).without_basic_constraints().self_signed();
    let namesake = blue().key_usage(0).self_signed();
    // Another certificate for the intermediate's key, by another root.
    let crossed = Forge::authority("Sound Intermediate").key_of(intermediate).issued_by(other);
    let pairing = |name: &str, chain: &[&Forged], bundle: &[&Forged]| {
        Pairing::sound(format!("chains: {name}")).chain(chain).bundle(bundle)
    };
    vec![
        pairing("leaf and intermediate to the root", &[leaf, intermediate], &[root]),
        pairing("leaf, intermediate and root to the root", &[leaf, intermediate, root], &[root]),
        pairing("leaf without its intermediate", &[leaf], &[root]),
        pairing("leaf and root without the intermediate", &[leaf, root], &[root]),
        pairing("leaf to the intermediate", &[leaf], &[intermediate]),
        pairing("leaf and intermediate to the intermediate", &[leaf, intermediate], &[intermediate]),
        pairing("leaf and both to the intermediate", &[leaf, intermediate, root], &[intermediate]),
        pairing("leaf to root and intermediate", &[leaf], &[root, intermediate]),
        pairing("leaf to intermediate and root", &[leaf], &[intermediate, root]),
        pairing("leaf to itself", &[leaf], &[leaf]),
        pairing("leaf and intermediate to the leaf", &[leaf, intermediate], &[leaf]),
        pairing("leaf and both to the leaf", &[leaf, intermediate, root], &[leaf]),
        pairing("leaf to another leaf", &[leaf, intermediate], &[&sound.client]),
        pairing("two intermediates in order", &[&deep, &lower, intermediate], &[root]),
        pairing("two intermediates swapped", &[&deep, intermediate, &lower], &[root]),
        pairing("two intermediates, the lower missing", &[&deep, intermediate], &[root]),
        pairing("two intermediates, the upper missing", &[&deep, &lower], &[root]),
        pairing("two intermediates, the upper trusted", &[&deep, &lower], &[intermediate]),
        pairing("two intermediates, the lower trusted", &[&deep], &[&lower]),
        pairing("a stranger between", &[leaf, other, intermediate], &[root]),
        pairing("an intermediate twice", &[leaf, intermediate, intermediate], &[root]),
        pairing("the leaf twice", &[leaf, leaf, intermediate], &[root]),
        pairing("the root before the leaf's intermediate", &[leaf, root, intermediate], &[root]),
        pairing("another root trusted", &[leaf, intermediate], &[other]),
        pairing("another root trusted, the own sent along", &[leaf, intermediate, root], &[other]),
        pairing("another root sent along", &[leaf, intermediate, other], &[root]),
        pairing("another root sent along and another trusted", &[leaf, intermediate, other], &[&alone_as_authority]),
        pairing("both roots trusted", &[leaf, intermediate], &[other, root]),
        pairing("the root trusted twice", &[leaf, intermediate], &[root, root]),
        pairing("a cross certificate to the other root", &[leaf, &crossed], &[other]),
        pairing("both certificates of the intermediate, own first", &[leaf, intermediate, &crossed], &[other]),
        pairing("both certificates of the intermediate, crossed first", &[leaf, &crossed, intermediate], &[root]),
        pairing("a self-signed leaf trusted", &[&alone], &[&alone]),
        pairing("a self-signed leaf not trusted", &[&alone], &[root]),
        pairing("a self-signed leaf trusted among others", &[&alone], &[other, &alone, root]),
        pairing("a self-signed leaf that may sign, trusted", &[&alone_as_authority], &[&alone_as_authority]),
        pairing("a self-signed leaf that may sign, not trusted", &[&alone_as_authority], &[root]),
        pairing("a self-signed leaf without usages, trusted", &[&alone_plain], &[&alone_plain]),
        pairing("a self-signed leaf without usages, not trusted", &[&alone_plain], &[root]),
        pairing("a self-signed leaf behind its namesake", &[&alone_plain], &[&namesake, &alone_plain]),
        pairing("a self-signed leaf before its namesake", &[&alone_plain], &[&alone_plain, &namesake]),
        pairing("a self-signed leaf sent with another root", &[&alone_plain, root], &[&alone_plain]),
        pairing("an authority as the leaf", &[intermediate], &[root]).host("blue.apps.local"),
    ]
}

fn dates() -> Vec<Pairing> {
    let sound = &*SOUND;
    let old_root = Forge::authority("Old Root").days(-900, -1).self_signed();
    let below_old = Forge::authority("Below Old").issued_by(&old_root);
    let leaf_below_old = blue().issued_by(&below_old);
    let old = Forge::authority("Old").days(-90, -1).issued_by(&sound.root);
    let young = Forge::authority("Young").days(2, 90).issued_by(&sound.root);
    let renewed = Forge::authority("Old Root").key_of(&old_root).self_signed();
    let dated = |from, to| blue().days(from, to).issued_by(&sound.intermediate);
    let pairing = |name: &str, chain: &[&Forged], bundle: &[&Forged]| {
        Pairing::sound(format!("dates: {name}")).chain(chain).bundle(bundle)
    };
    let expired_at_a_distance = blue().days(-9, -2).issued_by(&below_old);
    vec![
        pairing("the leaf has expired", &[&dated(-9, -2), &sound.intermediate], &[&sound.root]),
        pairing("the leaf isn't valid yet", &[&dated(2, 9), &sound.intermediate], &[&sound.root]),
        pairing("the leaf has expired and is what is trusted", &[&dated(-9, -2)], &[&dated(-9, -2)]),
        pairing("the leaf ends before it begins", &[&dated(9, -9), &sound.intermediate], &[&sound.root]),
        pairing("the intermediate has expired", &[&blue().issued_by(&old), &old], &[&sound.root]),
        pairing("the intermediate isn't valid yet", &[&blue().issued_by(&young), &young], &[&sound.root]),
        pairing("the trusted intermediate has expired", &[&blue().issued_by(&old)], &[&old]),
        pairing("the root has expired", &[&leaf_below_old, &below_old], &[&old_root]),
        pairing("the root has expired above what is trusted", &[&leaf_below_old, &below_old, &old_root], &[&below_old]),
        pairing("the root has expired and is trusted beside", &[&leaf_below_old], &[&below_old, &old_root]),
        pairing("the renewed root before the old", &[&leaf_below_old, &below_old], &[&renewed, &old_root]),
        pairing("the old root before the renewed", &[&leaf_below_old, &below_old], &[&old_root, &renewed]),
        pairing("all have expired", &[&expired_at_a_distance, &below_old], &[&old_root]),
        pairing(
            "an expired stranger in chain and bundle",
            &[&sound.leaf, &sound.intermediate, &old],
            &[&old_root, &sound.root],
        ),
        pairing("a leaf into the far future", &[&dated(-1, 40_000), &sound.intermediate], &[&sound.root]),
        pairing("an expired leaf of another authority", &[&expired_at_a_distance], &[&sound.root]),
        pairing("an expired leaf of another name", &[&dated(-9, -2), &sound.intermediate], &[&sound.root])
            .host("red.apps.local"),
    ]
}

/// Many certificates, and lists of revoked ones.
fn long() -> Vec<Pairing> {
    let sound = &*SOUND;
    let mut levels = vec![sound.root.clone()];
    for at in 0..101 {
        let issuer = levels.last().unwrap_or(&sound.root).clone();
        levels.push(Forge::authority(&format!("Level {at}")).issued_by(&issuer));
    }
    let tower = |height: usize| {
        let leaf = blue().issued_by(&levels[height]);
        let chain: Vec<&Forged> = std::iter::once(&leaf).chain(levels[1..=height].iter().rev()).collect();
        Pairing::sound(format!("chains: {height} intermediates")).chain(&chain)
    };
    let crowd: Vec<Forged> =
        (0..60).map(|at| Forge::authority(&format!("Crowd {at}")).key_of(&sound.other).self_signed()).collect();
    let crowd_before: Vec<&Forged> = crowd.iter().chain([&sound.root]).collect();
    let padded = |bytes: usize| {
        let root_only = blue().extension("1.2.3.4", false, vec![0; bytes]).issued_by(&sound.intermediate);
        Pairing::sound(format!("chains: a leaf with {bytes} bytes to spare")).chain(&[&root_only, &sound.intermediate])
    };
    // A signature of P-256 has 70 to 72 bytes, so that the length has to be tried for.
    let filled = |length: usize| {
        let one = |padding| blue().extension("1.2.3.4", false, vec![0; padding]).issued_by(&sound.root);
        let short = length - one(length - 2000).der.len() - 6 + length - 2000;
        let leaf = (0..).map(|_| one(short)).find(|leaf| leaf.der.len() + 6 == length).expect("such a length");
        Pairing::sound(format!("chains: a message of {length} bytes")).chain(&[&leaf])
    };
    let no_cert_sign = Forge::authority("Crl Only").key_usage(CRL_SIGN).issued_by(&sound.root);
    let mut trusted = file(&[&sound.root]);
    trusted.extend(pem("TRUSTED CERTIFICATE", &sound.root.der).into_bytes());
    vec![
        tower(10),
        tower(100),
        tower(101),
        padded(30_000),
        padded(120_000),
        filled(100 * 1024),
        filled(100 * 1024 + 1),
        Pairing::sound("chains: the root behind sixty others").bundle(&crowd_before),
        Pairing::sound("chains: an issuer that may only sign lists")
            .chain(&[&blue().issued_by(&no_cert_sign), &no_cert_sign]),
        Pairing::sound("chains: the root once more as TRUSTED").bundle_file(trusted),
    ]
}
