//! What is kept of an object where a whole cluster is.

use crate::apis::Subject;
use crate::rules::OWN;

/// Forgets an object's own text where no rule has anything to say of it, in whatever mesh and under whatever policy: for those who keep
/// every object of a cluster.
pub fn forget_sound_text(subject: &mut Subject) {
    OWN.into_iter().for_each(|own| (own.forget_sound_text)(subject));
}
