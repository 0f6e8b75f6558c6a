//! The time, as those who ask for it get it.

use std::sync::Arc;

use jiff::Timestamp;

/// Tells the time. Tests stop it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
