//! Kinds of key, of servers and of clients.

use crate::pairing::{Pairing, SOUND};
use crate::support::forge::{DIGITAL_SIGNATURE, Forge, KEY_AGREEMENT, KEY_ENCIPHERMENT, Key, Kind};

const KINDS: [Kind; 11] = [
    Kind::P256,
    Kind::P384,
    Kind::Ed25519,
    Kind::Rsa(1024),
    Kind::Rsa(2047),
    Kind::Rsa(2048),
    Kind::Rsa(3072),
    Kind::Rsa(4096),
    Kind::Curve("P-224"),
    Kind::Curve("P-521"),
    Kind::Curve("secp256k1"),
];

pub(super) fn pairings() -> Vec<Pairing> {
    let sound = &*SOUND;
    let blue = || Forge::leaf(&["blue.apps.local"]);
    let mut out = Vec::new();
    for kind in KINDS {
        let leaf = blue().key(kind).issued_by(&sound.intermediate);
        out.push(Pairing::sound(format!("keys: a server's {kind:?}")).chain(&[&leaf, &sound.intermediate]));
        let client = Forge::leaf(&["front.apps.local"]).key(kind).issued_by(&sound.intermediate);
        out.push(
            Pairing::sound(format!("keys: a client's {kind:?}"))
                .mutual(&[&sound.root], &[])
                .client_chain(&[&client, &sound.intermediate]),
        );
    }
    for (what, bits) in [
        ("no key usage", 0),
        ("encipherment", KEY_ENCIPHERMENT),
        ("agreement", KEY_AGREEMENT),
        ("signature and encipherment", DIGITAL_SIGNATURE | KEY_ENCIPHERMENT),
    ] {
        for kind in [Kind::P256, Kind::Rsa(2048)] {
            let leaf = blue().key(kind).key_usage(bits).issued_by(&sound.intermediate);
            let name = format!("keys: a server's {kind:?} for {what}");
            out.push(Pairing::sound(name).chain(&[&leaf, &sound.intermediate]));
            let client = Forge::leaf(&["front.apps.local"]).key(kind).key_usage(bits).issued_by(&sound.intermediate);
            let name = format!("keys: a client's {kind:?} for {what}");
            out.push(Pairing::sound(name).mutual(&[&sound.root], &[]).client_chain(&[&client, &sound.intermediate]));
        }
    }
    let rsa = Key::new(Kind::Rsa(2048)).pem.clone().into_bytes();
    let ec = Key::new(Kind::P256).pem.clone().into_bytes();
    out.extend([
        Pairing::sound("keys: a server's key is another of its kind").key_file(ec.clone()),
        Pairing::sound("keys: a server's key is of another kind").key_file(rsa),
        Pairing::sound("keys: the root stands before the leaf")
            .chain(&[&sound.root, &sound.intermediate, &sound.leaf])
            .key_file(sound.leaf.key.pem.clone().into_bytes()),
        Pairing::sound("keys: a nameless leaf")
            .chain(&[&Forge::leaf(&[]).subject(crate::support::forge::common_name("")).issued_by(&sound.root)]),
        Pairing::sound("keys: a leaf with an email address alone").chain(&[&Forge::leaf(&["email:a@b.local"])
            .subject(crate::support::forge::common_name(""))
            .issued_by(&sound.root)]),
    ]);
    let mut other = Pairing::sound("keys: a client's key is another").mutual(&[&sound.root], &[]);
    other = other.client_chain(&[&sound.client, &sound.intermediate]);
    if let Some(identity) = &mut other.client_tls().identity {
        identity.key = Some(ec);
    }
    out.push(other);
    let nameless = Forge::leaf(&[]).subject(crate::support::forge::common_name("")).issued_by(&sound.root);
    out.push(Pairing::sound("keys: a nameless client").mutual(&[&sound.root], &[]).client_chain(&[&nameless]));
    out
}
