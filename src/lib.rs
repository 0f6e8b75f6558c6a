//! meshvet

pub mod pki;
