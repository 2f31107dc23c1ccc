//! Repository tasks: `cargo xtask tidy` checks what review should not have to.

mod tidy;

use std::{path::PathBuf, process::ExitCode};

const USAGE: &str = "cargo xtask <task>

tasks:
  tidy    check layers, file headers and sizes";

fn main() -> ExitCode {
    // As it runs, not as it was built: checkouts may share a build directory.
    let home = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let root = PathBuf::from(home).join("..");
    match std::env::args().nth(1).as_deref() {
        Some("tidy") => report(tidy::run(&root)),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn report(outcome: anyhow::Result<Vec<String>>) -> ExitCode {
    match outcome {
        Ok(findings) if findings.is_empty() => {
            println!("tidy: nothing to mend");
            ExitCode::SUCCESS
        }
        Ok(findings) => {
            for finding in &findings {
                eprintln!("tidy: {finding}");
            }
            eprintln!("tidy: {} to mend", findings.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("tidy: {error:#}");
            ExitCode::FAILURE
        }
    }
}
