//! Rules on the objects themselves: fields, annotations, alternatives, limits.

pub(super) mod ambiguous_membership;
pub(super) mod malformed_annotation;
pub(super) mod not_exactly_one_source;
pub(super) mod refused_by_app_mesh;
pub(super) mod undecodable_object;
pub(super) mod unknown_field;
pub(super) mod unused_suppression;
