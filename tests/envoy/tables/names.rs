//! Subject alternative names against the names that a client expects.

use crate::pairing::{ANY_KIND, Pairing, SOUND};
use crate::support::forge::{Forge, common_name};

/// Names of the certificate, and the one name that the client expects.
const ONE: [(&[&str], &str); 39] = [
    (&["blue.apps.local"], "blue.apps.local"),
    (&["blue.apps.local"], "red.apps.local"),
    (&["BLUE.Apps.local"], "blue.apps.LOCAL"),
    (&["red.apps.local", "blue.apps.local"], "blue.apps.local"),
    (&["*.apps.local"], "blue.apps.local"),
    (&["*.apps.local"], "a.blue.apps.local"),
    (&["*.apps.local"], "apps.local"),
    (&["*.local"], "apps.local"),
    (&["*.local"], "blue.apps.local"),
    (&["b*.apps.local"], "blue.apps.local"),
    (&["*e.apps.local"], "blue.apps.local"),
    (&["b*e.apps.local"], "blue.apps.local"),
    (&["blue*.apps.local"], "blue.apps.local"),
    (&["bl*lue.apps.local"], "blue.apps.local"),
    (&["r*.apps.local"], "blue.apps.local"),
    (&["*.*.local"], "blue.apps.local"),
    (&["b**.apps.local"], "blue.apps.local"),
    (&["blue.*.local"], "blue.apps.local"),
    (&["*"], "blue"),
    (&["*"], "blue.apps.local"),
    (&["*blue"], "blue"),
    (&["xn--*.apps.local"], "xn--blue.apps.local"),
    (&["*.apps.local"], "xn--blue.apps.local"),
    (&["x*.apps.local"], "xn--blue.apps.local"),
    (&["blue.apps.local."], "blue.apps.local"),
    (&["blue.apps.local"], "blue.apps.local."),
    (&["blue.apps.local."], "blue.apps.local."),
    (&["*.apps.local."], "blue.apps.local"),
    (&["blue"], "blue"),
    (&["blue.shop.svc.cluster.local", "blue.shop"], "blue.shop"),
    (&["IP:10.1.2.3"], "10.1.2.3"),
    (&["DNS:10.1.2.3"], "10.1.2.3"),
    (&["URI:spiffe://mesh.local/blue"], "spiffe://mesh.local/blue"),
    (&["URI:spiffe://mesh.local/blue"], "spiffe://mesh.local/Blue"),
    (&["URI:spiffe://mesh.local/*"], "spiffe://mesh.local/blue"),
    (&["DNS:spiffe://mesh.local/blue"], "spiffe://mesh.local/blue"),
    (&["URI:blue.apps.local"], "blue.apps.local"),
    (&["blue.apps.local", "email:blue@apps.local"], "blue@apps.local"),
    (&["_blue.apps.local"], "_blue.apps.local"),
];

/// Names of the certificate, the name that the client expects, the kinds of its matchers, and whether they fit. App
/// Mesh takes names that are host names or URIs, so that the others of this suite are matched as both.
const KINDS: [(&str, &str, &[&str], bool); 29] = [
    ("IP:10.1.2.3", "10.1.2.3", &["IP_ADDRESS"], true),
    ("IP:10.1.2.3", "10.1.2.3", &["DNS"], false),
    ("IP:10.1.2.3", "10.1.2.3", &["URI"], false),
    ("IP:10.1.2.3", "10.1.2.4", &["IP_ADDRESS"], false),
    ("DNS:10.1.2.3", "10.1.2.3", &["IP_ADDRESS"], false),
    ("DNS:10.1.2.3", "10.1.2.3", &["DNS"], true),
    ("URI:10.1.2.3", "10.1.2.3", &["IP_ADDRESS"], false),
    ("URI:10.1.2.3", "10.1.2.3", &["URI"], true),
    ("DNS:*.2.3", "1.2.3", &["DNS"], true),
    ("IP:2001:db8::1", "2001:db8::1", &["IP_ADDRESS"], true),
    ("IP:2001:db8::1", "2001:DB8::1", &["IP_ADDRESS"], false),
    ("IP:2001:db8::1", "2001:db8:0:0:0:0:0:1", &["IP_ADDRESS"], false),
    ("URI:spiffe://mesh.local/blue", "spiffe://mesh.local/blue", &["URI"], true),
    ("URI:spiffe://mesh.local/blue", "spiffe://mesh.local/Blue", &["URI"], false),
    ("URI:spiffe://mesh.local/blue", "spiffe://mesh.local/blue/", &["URI"], false),
    ("URI:spiffe://mesh.local/blue", "spiffe://mesh.local/blue", &["DNS"], false),
    ("URI:spiffe://mesh.local/*", "spiffe://mesh.local/blue", &["URI"], false),
    ("DNS:spiffe://mesh.local/blue", "spiffe://mesh.local/blue", &["URI"], false),
    ("DNS:spiffe://mesh.local/blue", "spiffe://mesh.local/blue", &["DNS"], true),
    ("DNS:blue.apps.local", "blue.apps.local", &["URI"], false),
    ("URI:blue.apps.local", "BLUE.apps.local", &["URI"], false),
    ("email:blue@apps.local", "blue@apps.local", &["EMAIL"], true),
    ("email:blue@apps.local", "blue@apps.local", &["DNS"], false),
    ("IP:10.1.2.3", "10.1.2.3", &["DNS", "URI", "IP_ADDRESS"], true),
    ("IP:10.1.2.3", "10.1.2.3", ANY_KIND, true),
    ("DNS:10.1.2.3", "10.1.2.3", ANY_KIND, true),
    ("URI:10.1.2.3", "10.1.2.3", ANY_KIND, true),
    ("URI:spiffe://mesh.local/blue", "spiffe://mesh.local/blue", ANY_KIND, true),
    ("DNS:*.apps.local", "blue.apps.local", ANY_KIND, true),
];

/// Names of the certificate, a host that is an address, and whether they fit.
const ADDRESSES: [(&str, &str, bool); 5] = [
    ("IP:10.1.2.3", "10.1.2.3", false),
    ("DNS:10.1.2.3", "10.1.2.3", true),
    ("URI:10.1.2.3", "10.1.2.3", true),
    ("IP:2001:db8::1", "2001:db8::1", false),
    ("DNS:*.1.2.3", "10.1.2.3", true),
];

/// The same by matchers of each kind, and of hosts that are addresses.
fn kinds() -> Vec<Pairing> {
    let shown = |name: String, san: &str, fits: bool| {
        let leaf = Forge::leaf(&[san]).subject(common_name("blue")).issued_by(&SOUND.intermediate);
        let pairing = Pairing::sound(name).chain(&[&leaf, &SOUND.intermediate]);
        if fits { pairing.works() } else { pairing.fails("verify cert failed: SAN matcher, certificate SANs are [") }
    };
    let by_kind = KINDS.map(|(san, expected, kinds, fits)| {
        let name = format!("names: {san} by a matcher of {expected} as {}", kinds.join(", "));
        shown(name, san, fits).names(&[expected]).matchers(kinds)
    });
    let by_address =
        ADDRESSES.map(|(san, host, fits)| shown(format!("names: {san} at the address {host}"), san, fits).host(host));
    by_kind.into_iter().chain(by_address).collect()
}

pub(super) fn pairings() -> Vec<Pairing> {
    let blue = |names: &[&str]| Forge::leaf(names).issued_by(&SOUND.intermediate);
    let mut out = kinds();
    out.extend([
        Pairing::sound("names: the host is one of the certificate's"),
        Pairing::sound("names: the host is none of the certificate's").host("red.apps.local"),
        Pairing::sound("names: one of the list fits").names(&["red.apps.local", "blue.apps.local"]),
        Pairing::sound("names: none of the list fits, though the host does").names(&["red.apps.local", "green.local"]),
    ]);
    for (sans, expected) in ONE {
        let pairing = Pairing::sound(format!("names: {expected} of {}", sans.join(" ")));
        out.push(pairing.names(&[expected]).chain(&[&blue(sans), &SOUND.intermediate]));
    }
    let only_common_name = Forge::leaf(&["blue.apps.local"]).names(&[]).issued_by(&SOUND.intermediate);
    let other_common_name =
        Forge::leaf(&["blue.apps.local"]).subject(common_name("red.apps.local")).issued_by(&SOUND.intermediate);
    let hundred: Vec<String> = (0..100).map(|at| format!("blue-{at}.apps.local")).collect();
    let hundred: Vec<&str> = hundred.iter().map(String::as_str).collect();
    out.extend([
        Pairing::sound("names: the common name alone fits").chain(&[&only_common_name, &SOUND.intermediate]),
        Pairing::sound("names: the common name is another").chain(&[&other_common_name, &SOUND.intermediate]),
        Pairing::sound("names: the last of a hundred")
            .names(&["blue-99.apps.local"])
            .chain(&[&blue(&hundred), &SOUND.intermediate]),
    ]);
    out
}
