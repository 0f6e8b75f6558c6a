//! meshvet
