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
const TLS_13: &str = "MV215 warns of P-384, because clients that speak TLS 1.3 take it";

const NOT_VALIDATED: &str = "the rules on a certificate itself deny it whoever sees it; here nobody validates it yet";

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
    ("keys: a server's P384", Level::Rules, TLS_13),
    (
        "mutual: a client without a certificate of a PERMISSIVE server",
        Level::Rules,
        "MV304 warns, because the listener takes plaintext as well",
    ),
    ("no policy: a server whose certificate has expired", Level::Rules, NOT_VALIDATED),
    ("no policy: a server with a certificate for clients", Level::Rules, NOT_VALIDATED),
    ("unasked: a client's certificate for servers only", Level::Rules, NOT_VALIDATED),
    ("unasked: a client's certificate with an Ed25519 key", Level::Rules, NOT_VALIDATED),
    ("unasked: a client's certificate that has expired", Level::Rules, NOT_VALIDATED),
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
