//! The house rules that a program can check. Each finding names the place and says what to do.

mod files;
mod layers;

use std::path::Path;

/// Findings, empty when all is well.
pub fn run(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut findings = layers::check(root)?;
    findings.extend(files::check(root)?);
    Ok(findings)
}
