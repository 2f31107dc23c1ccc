//! Source files: each opens by saying what it is for, none grows too long, features stay apart, and only `server`
//! reads the environment.

use std::{path::Path, process::Command};

use anyhow::{Context, bail};

/// Lines that a source file may have.
const TOO_LONG: usize = 800;

pub fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut findings = Vec::new();
    for path in tracked(root)? {
        let Some(kind) = Kind::of(&path) else { continue };
        let Ok(text) = std::fs::read_to_string(root.join(&path)) else { continue };
        let lines = text.lines().count();
        if lines > TOO_LONG {
            findings.push(format!("{path}: {lines} lines, more than {TOO_LONG}: split it by meaning"));
        }
        if !kind.has_header(&text) {
            findings
                .push(format!("{path}: the file must open with {}, saying what it is for", kind.header()));
        }
        if kind == Kind::Rust {
            findings.extend(rust_rules(&path, &text));
        }
    }
    Ok(findings)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rust,
    Slashes,
    Hash,
    Sql,
    Css,
}

impl Kind {
    fn of(path: &str) -> Option<Self> {
        if path.starts_with("web/src/api/") || path.ends_with(".d.ts") {
            return None; // generated
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        Some(match name.rsplit_once('.').map(|(_, ext)| ext) {
            Some("rs") => Self::Rust,
            Some("ts" | "tsx" | "js" | "mjs") => Self::Slashes,
            Some("py" | "sh") => Self::Hash,
            Some("sql") => Self::Sql,
            Some("css") => Self::Css,
            None if matches!(name, "run" | "test") || path.starts_with("bench/") => Self::Hash,
            _ => return None,
        })
    }

    fn header(self) -> &'static str {
        match self {
            Self::Rust => "a `//!` line",
            Self::Slashes => "a `//` or `/**` comment",
            Self::Hash => "a `#` comment (after the `#!` line)",
            Self::Sql => "a `--` comment",
            Self::Css => "a `/*` comment",
        }
    }

    fn has_header(self, text: &str) -> bool {
        let mut lines = text.lines().filter(|line| !line.starts_with("#!") || line.starts_with("#!["));
        let first = lines.next().unwrap_or_default();
        match self {
            Self::Rust => first.starts_with("//!"),
            Self::Slashes => first.starts_with("//") || first.starts_with("/*"),
            Self::Hash => first.starts_with('#') || first.starts_with("\"\"\""),
            Self::Sql => first.starts_with("--"),
            Self::Css => first.starts_with("/*"),
        }
    }
}

fn rust_rules(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let in_tests = path.contains("/tests/");
    let reads_environment =
        ["std::env::var", "env::var(", "env::vars("].iter().any(|call| text.contains(call));
    let may_read =
        ["crates/server/", "crates/testkit/", "xtask/", "fuzz/"].iter().any(|room| path.starts_with(room));
    if reads_environment && !may_read && !in_tests && !text.contains("cfg(debug_assertions)") {
        findings.push(format!("{path}: only server reads the environment; take a Config instead"));
    }
    // Features never import one another.
    if let Some(feature) =
        path.strip_prefix("crates/app/src/").and_then(|p| p.split_once('/')).map(|(f, _)| f)
    {
        for other in ["accounts", "catalog", "playback", "history", "discovery"] {
            if other != feature
                && (text.contains(&format!("crate::{other}::")) || text.contains(&format!("crate::{other};")))
            {
                findings.push(format!(
                    "{path}: feature {feature} imports feature {other}; meet in domain, store or events"
                ));
            }
        }
    }
    findings
}

/// Files that git tracks, relative to the root.
fn tracked(root: &Path) -> anyhow::Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root)
        .output()
        .context("running git ls-files")?;
    if !output.status.success() {
        bail!("git ls-files failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout)
        .split('\0')
        .filter(|p| !p.is_empty())
        .map(str::to_owned)
        .collect())
}
