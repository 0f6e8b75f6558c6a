//! Where meshvet is known to say something else than Envoy does, and why. A difference that isn't here fails the suite,
//! and so does one that has gone away.

/// Who says something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// What is read from the files alone.
    Certificates,
    /// The rules, of manifests.
    Rules,
}

const COMMON_NAME: &str = "App Mesh's rule counts the common name, so that MV102 warns; Envoy doesn't";
const UNSEEN: &str = "what a server presents that has no proxy of the mesh, no object says";
const ADDRESS: &str = "a matcher without a kind, as older proxies have it, takes the address";

/// The pairing's name, and the reason.
const KNOWN: &[(&str, Level, &str)] = &[
    (
        "issuers: signed by RSA 1024 with Sha384",
        Level::Certificates,
        "ring verifies no such signature, so that nothing is claimed",
    ),
    ("names: the common name alone fits", Level::Rules, COMMON_NAME),
    ("issuers: a leaf with no name in its list of names", Level::Rules, COMMON_NAME),
    ("issuers: a trusted leaf with no name in its list of names", Level::Rules, COMMON_NAME),
    (
        "mutual: a client without a certificate of a PERMISSIVE server",
        Level::Rules,
        "MV304 warns, because the listener takes plaintext as well",
    ),
    ("names: IP:10.1.2.3 at the address 10.1.2.3", Level::Rules, ADDRESS),
    ("names: IP:2001:db8::1 at the address 2001:db8::1", Level::Rules, ADDRESS),
    ("origination: a server outside, without a policy", Level::Rules, UNSEEN),
    ("origination: a server outside that another authority issued", Level::Rules, UNSEEN),
    ("origination: a server outside of another name", Level::Rules, UNSEEN),
    ("origination: a server outside that has expired", Level::Rules, UNSEEN),
    ("origination: a server outside for clients only", Level::Rules, UNSEEN),
    ("origination: a server outside with a P-384 key", Level::Rules, UNSEEN),
    ("origination: a server outside with an Ed25519 key", Level::Rules, UNSEEN),
    ("origination: a server outside that asks for a certificate in vain", Level::Rules, UNSEEN),
    ("origination: a server outside that distrusts the client", Level::Rules, UNSEEN),
    ("origination: an application behind a tcp listener, without a policy", Level::Rules, UNSEEN),
    ("origination: an application behind a tcp listener that another authority issued", Level::Rules, UNSEEN),
    ("origination: an application behind a tcp listener, of another name", Level::Rules, UNSEEN),
    ("origination: a plaintext application behind a tcp listener", Level::Rules, UNSEEN),
    ("origination: a plaintext Envoy behind a tcp listener", Level::Rules, UNSEEN),
    ("origination: an application that hangs up behind a tcp listener", Level::Rules, UNSEEN),
    ("origination: a plaintext server outside", Level::Rules, UNSEEN),
    ("origination: a server outside that hangs up", Level::Rules, UNSEEN),
];

/// The reason why a pairing is judged otherwise, if it is known to be.
pub(crate) fn reason(name: &str, level: Level) -> Option<&'static str> {
    KNOWN.iter().find(|known| known.0 == name && known.1 == level).map(|known| known.2)
}

/// Whether each known difference is of one of these pairings, and no two of them have one name.
pub(crate) fn check(names: &[String]) -> Result<(), String> {
    let mut sorted = names.to_vec();
    sorted.sort();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("two pairings are called {}", twice[0]));
    }
    match KNOWN.iter().find(|known| !names.iter().any(|name| name == known.0)) {
        Some(known) => Err(format!("there is no pairing {}", known.0)),
        None => Ok(()),
    }
}
