//! Rules on what is to make Secrets: that it will, and that it is alone with it.

pub(super) mod never_issued;
pub(super) mod secret_contested;

use crate::rules::about::About;

/// What they are about.
pub(super) const ABOUT: About = About::Anything;
