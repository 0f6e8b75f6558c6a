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

/// The pairing's name, and the reason.
const KNOWN: &[(&str, Level, &str)] = &[(
    "issuers: signed by RSA 1024 with Sha384",
    Level::Certificates,
    "ring verifies no such signature, so that nothing is claimed",
)];

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
