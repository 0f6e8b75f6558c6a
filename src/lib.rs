//! meshvet

pub mod appmesh;
