//! The `meshvet` command. Everything is in the library: see [`meshvet::cli`].

use std::process::ExitCode;

/// A review allocates many small things and frees them at once, which costs less here than with the C library's allocator
/// (`cargo bench --bench load`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    meshvet::cli::main()
}
