//! The `kinora` program.

use std::process::ExitCode;

/// A request takes and gives back many small pieces of memory on several threads: a quarter less time than with glibc's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    server::cli::main()
}
