//! The `meshvet` command. Everything is in the library: see [`meshvet::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    meshvet::cli::main()
}
