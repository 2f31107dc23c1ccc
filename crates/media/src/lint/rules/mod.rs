//! The rules: each with a stable id, a severity, the standard and section it comes from, and what to do.

#[macro_use]
mod table;

pub mod cenc;
pub mod cmaf;
pub mod dash;
pub mod hls;
pub mod hls_live;
pub mod hls_media;
pub mod http;

pub use table::{Rule, Standard};

/// All rules, by subject.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    [hls::ALL, hls_media::ALL, hls_live::ALL, http::ALL, cmaf::ALL, cenc::ALL, dash::ALL]
        .into_iter()
        .flat_map(|subject| subject.iter().copied())
}

/// The table of `docs/lint.md`, in Markdown.
pub fn markdown() -> String {
    use std::fmt::Write;
    let subjects: [(&str, &[&Rule]); 7] = [
        ("HLS: playlists as text, multivariant playlists", hls::ALL),
        ("HLS: media playlists and their media", hls_media::ALL),
        ("HLS: live and low latency", hls_live::ALL),
        ("HTTP", http::ALL),
        ("CMAF and ISO base media files", cmaf::ALL),
        ("Common encryption", cenc::ALL),
        ("DASH", dash::ALL),
    ];
    let mut out = String::new();
    for (title, rules) in subjects {
        let _ = write!(
            out,
            "\n### {title}\n\n| rule | severity | what must hold | source |\n|---|---|---|---|\n"
        );
        for rule in rules {
            let (id, severity) = (rule.id, rule.severity.name());
            let _ = writeln!(out, "| `{id}` | {severity} | {} | {} |", rule.about, rule.source());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_kebab_case_and_unique() {
        let mut seen = BTreeSet::new();
        for rule in all() {
            assert!(seen.insert(rule.id), "{} twice", rule.id);
            let plain = rule.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            assert!(plain && !rule.id.contains("--"), "{}", rule.id);
            assert!(
                !rule.about.is_empty() && !rule.advice.is_empty() && !rule.about.contains('|'),
                "{}",
                rule.id
            );
        }
    }
}
