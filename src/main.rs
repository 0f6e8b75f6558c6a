//! The `meshvet` command. Everything is in the library: see [`meshvet::cli`].

use std::process::ExitCode;

use mimalloc::MiMalloc;
use zeroizing_alloc::ZeroAlloc;

/// A review allocates many small things and frees them at once, which costs less here than with the C library's allocator
/// (`cargo bench --bench load`). What is freed is wiped: keys pass through the buffers of what reads HTTP, TLS and JSON, which nobody
/// else wipes.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<MiMalloc> = ZeroAlloc(MiMalloc);

fn main() -> ExitCode {
    #[cfg(unix)]
    give_back_memory();
    #[cfg(target_os = "linux")]
    keep_memory_private();
    meshvet::cli::main()
}

/// The server runs for months, and what it needed to read a cluster once is to go back to the system. The allocator takes its options
/// from the environment as the process starts, so that the server starts itself again with them. Where that can't be done it runs
/// without.
#[cfg(unix)]
fn give_back_memory() {
    use std::os::unix::process::CommandExt as _;

    // Give back what is free at once, and have no more than is asked for. docs/performance.md has the difference.
    const OPTIONS: [(&str, &str); 2] = [("MIMALLOC_PURGE_DELAY", "0"), ("MIMALLOC_ARENA_EAGER_COMMIT", "0")];
    let mut arguments = std::env::args_os();
    let name = arguments.next();
    let is_server = std::env::args_os().nth(1).is_some_and(|command| command == "serve");
    let missing = OPTIONS.into_iter().filter(|(name, _)| std::env::var_os(name).is_none());
    let mut missing = missing.peekable();
    if let (true, Some(name), Some(_), Ok(program)) = (is_server, name, missing.peek(), std::env::current_exe()) {
        // It returns only if it fails.
        let _ = std::process::Command::new(program).arg0(name).args(arguments).envs(missing).exec();
    }
}

/// Nobody of the same user reads the memory (`ptrace`, `/proc/PID/mem`), and no core dump has it: root alone can. Ends with an exec, so
/// that it comes after the one above, and programs that are started from here are as they always are.
#[cfg(target_os = "linux")]
fn keep_memory_private() {
    // It fails on no Linux that runs this.
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
