//! What the policy says of the model itself.

/// What counts in a mesh besides what its objects say. The policy fills it, and it travels in the [`View`](super::View).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Whether [groups](crate::mesh::Hop::group) of services count: App Mesh's controller has them switched off unless told otherwise.
    pub groups: bool,
}
