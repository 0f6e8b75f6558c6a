//! Rules on App Mesh's own text, its injector and its controller.

pub(super) mod ambiguous_membership;
pub(super) mod cloud_map_name;
pub(super) mod controller_not_authorized;
pub(super) mod not_exactly_one_source;
pub(super) mod proxy_not_authorized;
pub(super) mod proxy_not_injected;
pub(super) mod refused_by_app_mesh;
pub(super) mod sds_disabled;
pub(super) mod service_bypasses_proxy;
mod streams;
mod text_kept;

use crate::rules::about::About;
use crate::rules::own::Own;

/// What they are about.
pub(super) const ABOUT: About = About::Anything;

/// What they bring besides themselves.
pub(super) static OWN: Own = Own { questions: streams::questions, forget_sound_text: text_kept::forget_sound_text };
