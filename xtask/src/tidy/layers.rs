//! Who may import whom, read from `cargo metadata`, direct and transitive.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use anyhow::{Context, bail};
use serde_json::Value;

/// Each crate with those of ours that it may name. Transitive reach follows, so `origin` can never reach `store`.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("media", &[]),
    ("backends", &["domain"]),
    ("store", &["domain"]),
    ("api", &["domain"]),
    ("app", &["api", "backends", "domain", "store"]),
    ("vod", &["api", "backends", "domain", "media", "store"]),
    ("live", &["api", "backends", "domain", "media"]),
    ("insights", &["api", "backends", "domain", "store"]),
    ("origin", &["api", "backends", "domain", "media"]),
    ("edge", &["api", "backends", "domain"]),
    ("testkit", &["backends", "domain", "media", "store"]),
    (
        "server",
        &["api", "app", "backends", "domain", "edge", "insights", "live", "media", "origin", "store", "vod"],
    ),
    ("xtask", &[]),
];

/// Outside crates that may be reached only from some of ours: a crate that is not in the list must not reach it.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("sqlx", &["store", "app", "insights", "vod", "server", "testkit"]),
    ("axum", &["api", "app", "insights", "live", "vod", "origin", "edge", "server"]),
    (
        "tokio",
        &[
            "backends", "store", "api", "app", "insights", "live", "vod", "origin", "edge", "server",
            "testkit",
        ],
    ),
    ("object_store", &["backends", "app", "insights", "live", "vod", "origin", "edge", "server", "testkit"]),
];

/// Outside crates that only one of ours may name in its manifest.
const NAMED_BY: &[(&str, &str)] =
    &[("sqlx", "store"), ("object_store", "backends"), ("figment", "server"), ("clap", "server")];

type Graph = BTreeMap<String, BTreeSet<String>>;

pub fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let (graph, ours) = graph(root)?;
    let mut findings = Vec::new();
    for name in &ours {
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(n, _)| n == name) else {
            findings.push(format!(
                "crate {name} has no place in xtask/src/tidy/layers.rs: say what it may import"
            ));
            continue;
        };
        let direct = graph.get(name).cloned().unwrap_or_default();
        for import in direct.iter().filter(|d| ours.contains(*d) && !allowed.contains(&d.as_str())) {
            findings
                .push(format!("{name} imports {import}, which its layer does not allow (ARCHITECTURE.md)"));
        }
        for (outside, owner) in NAMED_BY {
            if direct.contains(*outside) && name != owner {
                findings.push(format!("{name} names {outside}; only {owner} may"));
            }
        }
        let reached = reach(&graph, name);
        for (outside, within) in ONLY_IN {
            if reached.contains(*outside) && !within.contains(&name.as_str()) {
                findings.push(format!(
                    "{name} reaches {outside} through its dependencies; it must never know it"
                ));
            }
        }
        for hidden in hidden_from(name) {
            if reached.contains(*hidden) {
                findings
                    .push(format!("{name} reaches {hidden} through its dependencies; it must never know it"));
            }
        }
    }
    Ok(findings)
}

/// Delivery goes on while the database is down, and the shared HTTP room knows no feature.
fn hidden_from(name: &str) -> &'static [&'static str] {
    match name {
        "origin" | "edge" | "media" | "domain" | "api" => &["store", "app", "vod", "insights", "server"],
        "app" => &["vod", "origin", "insights", "live"],
        "vod" => &["app", "origin", "insights", "live"],
        "insights" => &["app", "vod", "origin", "live"],
        "live" => &["app", "vod", "origin", "edge", "insights"],
        _ => &[],
    }
}

fn reach(graph: &Graph, from: &str) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(name) = open.pop() {
        for next in graph.get(&name).into_iter().flatten() {
            if seen.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    seen
}

/// Normal (not development, not build) dependencies by crate name, and the names of the workspace's own crates.
fn graph(root: &Path) -> anyhow::Result<(Graph, BTreeSet<String>)> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .context("running cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();

    let names: BTreeMap<String, String> =
        list(&metadata["packages"]).iter().map(|p| (text(&p["id"]), text(&p["name"]))).collect();
    let ours =
        list(&metadata["workspace_members"]).iter().filter_map(|id| names.get(&text(id)).cloned()).collect();
    let mut graph = Graph::new();
    for node in list(&metadata["resolve"]["nodes"]) {
        let Some(name) = names.get(&text(&node["id"])) else { continue };
        let edges = graph.entry(name.clone()).or_default();
        for dep in list(&node["deps"]) {
            let normal = list(&dep["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
            if normal && let Some(target) = names.get(&text(&dep["pkg"])) {
                edges.insert(target.clone());
            }
        }
    }
    Ok((graph, ours))
}
