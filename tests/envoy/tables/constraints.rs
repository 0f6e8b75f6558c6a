//! Name constraints of an authority.

use crate::pairing::Pairing;
use crate::support::forge::{Forge, common_name, name};

/// Permitted, excluded, the leaf's names.
const LISTS: [(&[&str], &[&str], &[&str]); 24] = [
    (&["DNS:apps.local"], &[], &["blue.apps.local"]),
    (&["DNS:apps.local"], &[], &["BLUE.APPS.LOCAL"]),
    (&["DNS:.apps.local"], &[], &["blue.apps.local"]),
    (&["DNS:blue.apps.local"], &[], &["*.apps.local"]),
    (&["DNS:apps.local"], &[], &["*.apps.local"]),
    (&["DNS:other.local"], &[], &["blue.apps.local"]),
    (&["DNS:other.local", "DNS:apps.local"], &[], &["blue.apps.local"]),
    (&["DNS:apps.local"], &[], &["blue.apps.local", "blue.other.local"]),
    (&["DNS:"], &[], &["blue.apps.local"]),
    (&[], &["DNS:apps.local"], &["blue.apps.local"]),
    (&[], &["DNS:red.apps.local"], &["blue.apps.local"]),
    (&[], &["DNS:red.apps.local"], &["*.apps.local"]),
    (&["DNS:apps.local"], &["DNS:blue.apps.local"], &["blue.apps.local"]),
    (&["URI:mesh.local"], &[], &["blue.apps.local", "URI:spiffe://mesh.local/blue"]),
    (&["URI:mesh.local"], &[], &["blue.apps.local", "URI:spiffe://other.local/blue"]),
    (&["URI:.mesh.local"], &[], &["blue.apps.local", "URI:spiffe://a.mesh.local/blue"]),
    (&["URI:mesh.local"], &[], &["blue.apps.local", "URI:urn:blue"]),
    (&[], &["URI:mesh.local"], &["blue.apps.local", "URI:https://mesh.local:8443/blue"]),
    (&["email:apps.local"], &[], &["blue.apps.local", "email:ops@apps.local"]),
    (&["email:apps.local"], &[], &["blue.apps.local", "email:ops@other.local"]),
    (&["email:ops@apps.local"], &[], &["blue.apps.local", "email:OPS@apps.local"]),
    (&["IP:10.0.0.0/255.0.0.0"], &[], &["blue.apps.local", "IP:10.1.2.3"]),
    (&["IP:10.0.0.0/255.0.0.0"], &[], &["blue.apps.local"]),
    (&["dir:blue"], &[], &["blue.apps.local"]),
];

pub(super) fn pairings() -> Vec<Pairing> {
    let mut out = Vec::new();
    for (permitted, excluded, names) in LISTS {
        let root = Forge::authority("Constrained").constraints(permitted, excluded).self_signed();
        let leaf = Forge::leaf(names).subject(common_name("Blue Shop")).issued_by(&root);
        let expected = names.first().map_or("", |name| name).trim_start_matches("*.");
        let expected = if expected == "apps.local" { "blue.apps.local" } else { expected };
        let what = format!("constraints: +{permitted:?} -{excluded:?} for {names:?}");
        out.push(Pairing::sound(what).chain(&[&leaf]).bundle(&[&root]).names(&[expected]));
    }
    let constrained = |forge: Forge| forge.constraints(&["DNS:apps.local"], &[]);
    let root = constrained(Forge::authority("Constrained")).self_signed();
    let plain = Forge::authority("Plain").self_signed();
    let middle = constrained(Forge::authority("Middle")).issued_by(&plain);
    let below = Forge::authority("blue.other.local").issued_by(&root);
    let other = || Forge::leaf(&["blue.other.local"]);
    let nameless = |subject| Forge::leaf(&[]).subject(subject).issued_by(&root);
    let pairing = |name: &str| Pairing::sound(format!("constraints: {name}"));
    let email = name(&[("1.2.840.113549.1.9.1", crate::support::forge::IA5_STRING, "ops@other.local")]);
    let strict = Forge::authority("Strict").constraints(&["email:apps.local"], &[]).self_signed();
    out.extend([
        pairing("of an intermediate").chain(&[&other().issued_by(&middle), &middle]).bundle(&[&plain]),
        pairing("of an intermediate, trusted").chain(&[&other().issued_by(&middle)]).bundle(&[&middle]),
        pairing("of the root above what is trusted")
            .chain(&[&other().issued_by(&below), &below, &root])
            .bundle(&[&below])
            .names(&["blue.other.local"]),
        pairing("of a root, and a common name like a host's").chain(&[&nameless(common_name("blue"))]).bundle(&[&root]),
        pairing("of a root, and a common name of two words")
            .chain(&[&nameless(common_name("Blue Shop"))])
            .bundle(&[&root]),
        pairing("of a root, and an address in the subject")
            .chain(&[&Forge::leaf(&["blue.apps.local"]).subject(email).issued_by(&strict)])
            .bundle(&[&strict]),
        pairing("of a root that has expired").chain(&[&other().days(-9, -2).issued_by(&root)]).bundle(&[&root]),
    ]);
    out
}
