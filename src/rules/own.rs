//! What the rules on one API's own text bring besides themselves.

use crate::apis::Subject;
use crate::aws::Question;
use crate::rules::context::Context;

/// What the folder of one API's rules brings.
pub(super) struct Own {
    /// What these rules ask AWS about an object.
    pub(super) questions: fn(&Context<'_>) -> Vec<Question>,
    /// Forgets the text of an object of which these rules have nothing to say.
    pub(super) forget_sound_text: fn(&mut Subject),
}
