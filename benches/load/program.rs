//! The benchmark as a program of the very crates that are shipped, without those that only tests have: what `scripts/profile` records how
//! reviews run by, and `scripts/profile load` measures it by.
#![allow(missing_docs, reason = "a program")]

#[path = "main.rs"]
mod load;

fn main() {
    load::main();
}
