//! meshvet
fn main() {}
