//! The `meshvet` command. Everything is in the library: see [`meshvet::cli`].

use std::process::ExitCode;

/// A review allocates many small things and frees them at once, which this allocator does for about half of what the
/// C library's takes (`cargo bench --bench load`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    meshvet::cli::main()
}
