//! Pairings by chance: names, shapes of chains, usages, dates and trust, listeners and policies, mixed from a seed. Keys
//! and serial numbers are new each time; all that is chosen follows from the seed.

use crate::application::can_load;
use crate::calls::{Named, Second};
use crate::pairing::{Identity, Pairing, Place, Program, SOUND, ServerTls, Validation, file};
use crate::predict::has_good_key;
use crate::support::forge::{
    ANY_USAGE, CLIENT_AUTH, CRL_SIGN, DIGITAL_SIGNATURE, Forge, Forged, ForgedList, KEY_ENCIPHERMENT, Kind,
    SERVER_AUTH, Signature, common_name,
};

/// Numbers by chance (Steele, Lea and Flood's SplitMix64).
pub(crate) struct Chance {
    state: u64,
    /// Whether nothing odd is to be chosen for the time being: else hardly a pair would work.
    calm: bool,
    /// How often that is.
    calmness: usize,
}

/// How often nothing is odd about a certificate that somebody looks at.
const CALM: usize = 70;
/// How often nothing is odd about one that nobody looks at.
const UNSEEN: usize = 20;

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed, calm: false, calmness: CALM }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.state;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// True so many times in a hundred.
    fn is(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// A number below the limit; one over all that are looked for when nothing odd is to be chosen.
    fn oddity(&mut self, limit: usize) -> usize {
        let number = self.below(limit);
        if self.calm { limit } else { number }
    }

    /// One of these, each as often as its weight says.
    fn weighed<T: Clone>(&mut self, choices: &[(usize, T)]) -> T {
        let mut at = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for (weight, choice) in choices {
            match at.checked_sub(*weight) {
                Some(rest) => at = rest,
                None => return choice.clone(),
            }
        }
        unreachable!("the number is below the sum of the weights")
    }

    fn one<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

const HOSTS: [&str; 6] = ["blue.apps.local", "red.apps.local", "a.blue.apps.local", "apps.local", "blue", "blue.shop"];
/// Hosts that are none of the cluster's; the last is of a private zone, where a node that selects pods would have them.
const EXTERNAL: [&str; 4] = ["pay.example.com", "mail.example.com", "example.com", "db.corp.internal"];

/// So many pairings.
pub(crate) fn pairings(chance: &mut Chance, count: usize) -> Vec<Pairing> {
    (0..count).map(|number| pairing(chance, number)).collect()
}

fn pairing(chance: &mut Chance, number: usize) -> Pairing {
    let mut out = Pairing::sound(format!("random: number {number}"));
    out.place = chance.weighed(&[
        (72, Place::Listener),
        (4, Place::Bare),
        (12, Place::Behind),
        (6, Place::Outside { selects: false }),
        (6, Place::Outside { selects: true }),
    ]);
    let hosts = match out.place {
        Place::Outside { selects: false } => &EXTERNAL[..],
        Place::Outside { selects: true } => &EXTERNAL[..3],
        Place::Listener | Place::Behind | Place::Bare => &HOSTS[..],
    };
    let host = chance.one(hosts);
    let listed: Vec<String> = if chance.is(40) {
        Vec::new()
    } else {
        (0..1 + chance.below(3)).map(|_| chance.one(hosts).to_owned()).collect()
    };
    let wanted = listed.first().map_or(host, String::as_str).to_owned();
    out.host = host.to_owned();
    out.own_policy = chance.is(50);
    let validates = out.place != Place::Listener || !chance.is(12);
    chance.calmness = if validates { CALM } else { UNSEEN };
    if out.own_policy && chance.is(20) {
        out.idle_policy = Some(chance.one(&[b"garbage".to_vec(), file(&[&SOUND.other])]));
    }
    let (server, bundle) = server(chance, &wanted);
    *out.server_tls() = server;
    out.client_tls().validation = Some(Validation { bundle: Some(bundle.clone()), names: listed });
    let asks = out.place == Place::Listener && chance.is(30);
    if asks || chance.is(25) {
        let names = names(chance, "front.apps.local");
        // With two listeners it may be that one asks for it alone.
        chance.calmness = if asks && chance.is(70) { CALM } else { UNSEEN };
        let (identity, bundle) = presented(chance, &names);
        let listed = if chance.is(50) { vec!["front.apps.local".to_owned()] } else { Vec::new() };
        let validation = Validation { bundle: Some(bundle), names: listed };
        out.server_tls().validation = Some(validation).filter(|_| asks);
        out.client_tls().identity = Some(identity).filter(|_| !asks || !chance.is(10));
    }
    if out.place != Place::Listener {
        return unseen(chance, out);
    }
    chance.calmness = if validates { CALM } else { UNSEEN };
    if chance.is(35) {
        out = several(chance, out, &wanted, &bundle);
    } else {
        match chance.below(40) {
            0 => return out.plaintext_client(),
            1 => out = out.plaintext_server(),
            _ => {}
        }
    }
    if validates { out } else { out.no_policy() }
}

/// The TLS of a server, with a bundle that is meant to trust it, more or less.
fn server(chance: &mut Chance, wanted: &str) -> (ServerTls, Vec<u8>) {
    let names = names(chance, wanted);
    let (identity, bundle) = presented(chance, &names);
    (ServerTls { permissive: chance.is(15), identity, validation: None }, bundle)
}

/// A server that ends TLS itself, which no object of the mesh speaks of.
fn unseen(chance: &mut Chance, mut out: Pairing) -> Pairing {
    out.server_tls().permissive = false;
    out.protocol = match out.place {
        Place::Behind => "tcp",
        _ => chance.one(&["http", "http2", "grpc", "tcp"]),
    };
    let identity = &out.server_tls().identity;
    if chance.is(50) && has_good_key(identity) && can_load(identity) {
        out.program = Program::Rustls;
    }
    match chance.below(20) {
        0 => out.plaintext_server(),
        1 => out.plaintext_server().no_policy(),
        _ => out,
    }
}

/// A server with another listener beside, which presents the same certificate, another that the client's bundle is meant to
/// trust as well, or one by which it has been replaced.
fn several(chance: &mut Chance, mut out: Pairing, wanted: &str, bundle: &[u8]) -> Pairing {
    let mut server = match chance.below(3) {
        0 => out.server.clone().expect("a server with TLS"),
        1 => {
            let (server, also) = server(chance, wanted);
            if let Some(validation) = &mut out.client_tls().validation {
                validation.bundle = Some([bundle, &also].concat());
            }
            server
        }
        _ => server(chance, wanted).0,
    };
    if chance.is(50) {
        server.validation = out.server_tls().validation.clone();
    }
    let called = chance.one(&[Named::Neither, Named::Both, Named::First, Named::Second]);
    let policy = chance.weighed(&[(70, Named::Neither), (15, Named::First), (15, Named::Second)]);
    let server = Some(server).filter(|_| !chance.is(10));
    out.second = Some(Second { server, called, policy });
    if chance.is(10) { out.plaintext_server() } else { out }
}

/// Names of a certificate: mostly the one that is wanted, in one of the forms that fit or just don't.
fn names(chance: &mut Chance, wanted: &str) -> Vec<String> {
    let mut out: Vec<String> = (0..chance.below(3)).map(|_| chance.one(&HOSTS).to_owned()).collect();
    if chance.is(95) {
        let rest = wanted.split_once('.').map_or("local", |(_, rest)| rest);
        out.push(chance.weighed(&[
            (85, wanted.to_owned()),
            (5, wanted.to_ascii_uppercase()),
            (10, format!("*.{rest}")),
            (3, format!("b*.{rest}")),
            (3, format!("*e.{rest}")),
            (2, format!("*.*.{rest}")),
            (2, format!("{wanted}.")),
            (2, format!("URI:spiffe://{wanted}")),
            (2, format!("x.{wanted}")),
        ]));
    }
    chance.shuffle(&mut out);
    out
}

/// A chain with its key, and a bundle that is meant to trust it, more or less.
fn presented(chance: &mut Chance, names: &[String]) -> (Identity, Vec<u8>) {
    chance.calm = chance.is(chance.calmness);
    let depth = chance.weighed(&[(2, 0), (4, 1), (3, 2), (1, 3)]);
    let mut authorities = line(chance, depth);
    let depth_of_strangers = chance.below(2);
    let strangers = line(chance, depth_of_strangers);
    let bottom = authorities.last().expect("a root").clone();
    let leaf = leaf(chance, names, &bottom, strangers.last().expect("a root"));
    // The same authority once more, certified by another.
    if chance.is(15) {
        let at = chance.below(authorities.len());
        let twin = authority(chance, "").subject(authorities[at].subject.clone()).key_of(&authorities[at]);
        let twin = twin.issued_by(strangers.last().expect("a root"));
        authorities.insert(at + chance.below(2), twin);
    }
    let mut chain: Vec<&Forged> = Vec::new();
    for (at, authority) in authorities.iter().enumerate().rev() {
        if if at == 0 { chance.is(25) } else { chance.oddity(12) > 0 } {
            chain.push(authority);
        }
        if chance.is(3) {
            chain.push(authority);
        }
    }
    if chance.is(15) {
        chain.extend(&strangers);
    }
    if chance.is(15) {
        chance.shuffle(&mut chain);
    }
    chain.insert(0, &leaf);
    let mut bundle: Vec<&Forged> = Vec::new();
    for (at, authority) in authorities.iter().enumerate() {
        if if at == 0 { chance.oddity(9) > 0 } else { chance.is(12) } {
            bundle.push(authority);
        }
    }
    if chance.is(25) || bundle.is_empty() {
        bundle.extend(&strangers);
    }
    if chance.is(4) {
        bundle.push(&leaf);
    }
    if chance.is(50) {
        chance.shuffle(&mut bundle);
    }
    let mut bundle = file(&bundle);
    if chance.is(15) {
        let lists = lists(chance, &leaf, &authorities, &strangers);
        bundle = if chance.is(20) { [lists, bundle].concat() } else { [bundle, lists].concat() };
    }
    (Identity::of(&chain), bundle)
}

/// Revocation lists of these authorities, more or less.
fn lists(chance: &mut Chance, leaf: &Forged, authorities: &[Forged], strangers: &[Forged]) -> Vec<u8> {
    let mut out = Vec::new();
    for authority in authorities {
        if chance.oddity(8) == 0 {
            continue;
        }
        for _ in 0..1 + usize::from(chance.is(20)) {
            let mut list = ForgedList::of(authority).days(-chance.weighed(&[(1, 9), (1, 5)]), Some(20));
            list = match chance.oddity(24) {
                0 => list.days(-9, Some(-1)),
                1 => list.days(2, Some(9)),
                2 | 3 => list.revokes(&[leaf.serial()]),
                4 => list.revokes(&authorities.iter().map(Forged::serial).collect::<Vec<_>>()),
                5 => list.signed_by(&strangers[0]),
                6 => list.extension("1.2.3.4", true, vec![5, 0]),
                7 => list.days(-9, None),
                _ => list,
            };
            if chance.is(20) {
                list = list.unidentified();
            }
            out.push(list.pem());
        }
    }
    if chance.is(20) || out.is_empty() {
        out.push(ForgedList::of(&strangers[0]).pem());
    }
    chance.shuffle(&mut out);
    out.concat().into_bytes()
}

/// A root, and so many authorities each below the one before.
fn line(chance: &mut Chance, depth: usize) -> Vec<Forged> {
    // Few names, so that some meet their like.
    const NAMES: [&str; 5] = ["A", "B", "Root", "Shop CA", "shop  ca"];
    let name = chance.one(&NAMES);
    let mut out = vec![authority(chance, name).self_signed()];
    for _ in 0..depth {
        let name = chance.one(&NAMES);
        let issuer = out.last().expect("a root").clone();
        out.push(authority(chance, name).issued_by(&issuer));
    }
    out
}

fn authority(chance: &mut Chance, name: &str) -> Forge {
    let mut out = Forge::authority(name);
    out = out.key(chance.weighed(&[
        (80, Kind::P256),
        (6, Kind::P384),
        (6, Kind::Rsa(2048)),
        (2, Kind::Rsa(1024)),
        (3, Kind::Ed25519),
        (3, Kind::Curve("P-521")),
    ]));
    if chance.is(30) {
        out = out.unidentified();
    }
    out = match chance.oddity(50) {
        0 => out.ca(false, None),
        1 => out.without_basic_constraints(),
        2..=4 => out.ca(true, Some(0)),
        5..=7 => out.ca(true, Some(1)),
        8 => out.version_1(),
        _ => out,
    };
    out = match chance.oddity(50) {
        0 => out.key_usage(CRL_SIGN),
        1..=3 => out.key_usage(0),
        _ => out,
    };
    out = match chance.oddity(40) {
        0 => out.usages(&[CLIENT_AUTH]),
        1 => out.usages(&[SERVER_AUTH]),
        2 | 3 => out.usages(&[SERVER_AUTH, CLIENT_AUTH]),
        4 => out.usages(&[ANY_USAGE]),
        _ => out,
    };
    out = match chance.oddity(40) {
        0 => out.constraints(&["DNS:apps.local"], &[]),
        1 => out.constraints(&["DNS:apps.local", "DNS:blue", "URI:mesh.local"], &[]),
        2 => out.constraints(&[], &["DNS:red.apps.local"]),
        3 => out.extension("1.2.3.4", true, vec![5, 0]),
        _ => out,
    };
    match chance.oddity(40) {
        0 => out.days(-90, -1),
        1 => out.days(2, 90),
        _ => out,
    }
}

fn leaf(chance: &mut Chance, names: &[String], issuer: &Forged, stranger: &Forged) -> Forged {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut out = Forge::leaf(&names);
    if names.is_empty() {
        out = out.subject(common_name("blue.apps.local"));
    }
    out = out.key(chance.weighed(&[(88, Kind::P256), (12, Kind::Rsa(2048))]));
    out = match chance.oddity(40) {
        0 => out.key(Kind::P384),
        1 => out.key(Kind::Ed25519),
        2 => out.key(Kind::Curve("P-521")),
        3 => out.key(Kind::Rsa(1024)),
        _ => out,
    };
    out = match chance.oddity(30) {
        0 => out.key_usage(KEY_ENCIPHERMENT),
        1 => out.key_usage(DIGITAL_SIGNATURE | KEY_ENCIPHERMENT),
        2 => out.key_usage(0),
        _ => out,
    };
    out = match chance.oddity(20) {
        0 => out.usages(&[]),
        1 => out.usages(&[SERVER_AUTH]),
        2 => out.usages(&[CLIENT_AUTH]),
        3 => out.usages(&[ANY_USAGE]),
        _ => out,
    };
    out = match chance.oddity(50) {
        0 => out.ca(true, None),
        1 => out.without_basic_constraints(),
        2 => out.ca(false, Some(0)),
        3 => out.version_1(),
        4 => out.unidentified(),
        5 => out.extension("1.2.3.4", true, vec![5, 0]),
        _ => out,
    };
    out = match chance.oddity(30) {
        0 => out.days(-9, -1),
        1 => out.days(2, 9),
        _ => out,
    };
    match chance.oddity(25) {
        0 => out.self_signed(),
        // In another's name.
        1 => out.unidentified().issuer_name(issuer.subject.clone()).issued_by(stranger),
        2 => out.issued_by(stranger),
        3 if matches!(issuer.key.kind(), Kind::Rsa(_) | Kind::P256) => {
            let signature = chance.one(&[Signature::Sha1, Signature::Sha256, Signature::Sha512]);
            out.signed_with(signature).issued_by(issuer)
        }
        _ => out.issued_by(issuer),
    }
}
