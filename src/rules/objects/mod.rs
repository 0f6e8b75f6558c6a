//! Rules on the objects themselves: fields, annotations, alternatives, limits.

pub(super) mod malformed_annotation;
pub(super) mod refused_by_crd;
pub(super) mod undecodable_object;
pub(super) mod unknown_field;
pub(super) mod unused_suppression;

use crate::rules::about::About;

/// What they are about.
pub(super) const ABOUT: About = About::Anything;
