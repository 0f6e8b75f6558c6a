//! What rules say of a file that nobody has made yet: the same as of one that is there, as a warning, with the object that
//! promises it and the field of it that decides.

use crate::finding::{Problem, Severity};
use crate::mesh::{Place, PromisedStore};
use crate::pki::FileForm;

/// What of a promised certificate or file a problem is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Aspect {
    /// The certificate's names.
    Names,
    /// What the certificate may be used for.
    Usages,
    /// The kind of its key.
    Key,
    /// How long it is to hold.
    Lifetime,
    /// What the file holds at all; another key of the store may hold what is wanted.
    Form(fn(FileForm) -> bool),
}

/// The problem as it is, where the file is there. Of one that is promised, it never denies: the object may still be changed,
/// and who fills the store has the last word.
pub(super) fn settle(place: &Place, about: Aspect, mut problem: Problem) -> Problem {
    let Place::StorePromised { store, promise, .. } = place else { return problem };
    problem.severity = problem.severity.min(Severity::Warn);
    let by = promise.by.to_string();
    if !problem.message.contains(&by) {
        problem.message.push_str(&format!(" (promised by {by})"));
    }
    problem.fix = match about {
        Aspect::Form(fits) => Some(match fitting_key(promise, fits) {
            Some(key) => format!("name the file {key}: {by} will make that key of {store} in PEM"),
            None => format!("name a PEM file, or have {by} make one ({})", promise.fields.keys),
        }),
        _ => problem.fix.map(|fix| match field(promise, about) {
            Some(field) => format!("{fix} (in {field} of {by})"),
            None => fix,
        }),
    };
    problem
}

fn field(promise: &PromisedStore, about: Aspect) -> Option<&'static str> {
    let fields = promise.certificate.as_ref()?.fields;
    match about {
        Aspect::Names => Some(fields.names),
        Aspect::Usages => Some(fields.usages),
        Aspect::Key => Some(fields.key),
        Aspect::Lifetime => Some(fields.lifetime),
        Aspect::Form(_) => None,
    }
}

fn fitting_key(promise: &PromisedStore, fits: fn(FileForm) -> bool) -> Option<&str> {
    let keys = promise.keys.as_ref()?;
    keys.iter().find(|(_, form)| fits(**form)).map(|(key, _)| key.as_str())
}
