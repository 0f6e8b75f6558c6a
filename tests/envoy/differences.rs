//! Where meshvet is known to say something else than Envoy does, and why. A difference that isn't here fails the suite,
//! and so does one that has gone away.

/// The pairing's name, and the reason.
pub(crate) const KNOWN: &[(&str, &str)] = &[];

/// The reason why a pairing is judged otherwise, if it is known to be.
pub(crate) fn reason(name: &str) -> Option<&'static str> {
    KNOWN.iter().find(|(known, _)| *known == name).map(|(_, reason)| *reason)
}
