//! Every rule has a stream that breaks it and no other.

use std::collections::BTreeSet;

use media::lint::{
    Report, Rule, Severity,
    hls::{self, Variables},
    rules,
};

use crate::world::{World, good, growing};

/// A way to break a rule.
pub struct Case {
    pub rule: &'static Rule,
    pub report: Report,
}

/// Breaks a rule in the text of a playlist.
pub fn text(rule: &'static Rule, playlist: &str, from: &str, to: &str) -> Case {
    assert!(playlist.contains(from), "{}: no `{from}` in\n{playlist}", rule.id);
    Case { rule, report: read(&playlist.replacen(from, to, 1)) }
}

pub fn read(playlist: &str) -> Report {
    let mut report = Report::default();
    hls::read(playlist.as_bytes(), "https://example.org/main.m3u8?a=1", &Variables::new(), &mut report);
    report
}

/// Breaks a rule in the good presentation, seen through HLS.
pub fn broken(rule: &'static Rule, change: impl FnOnce(&mut World)) -> Case {
    case(rule, good(), "main.m3u8", change)
}

pub fn case(rule: &'static Rule, mut world: World, root: &str, change: impl FnOnce(&mut World)) -> Case {
    change(&mut world);
    Case { rule, report: world.check(root) }
}

/// Ids of broken rules that matter.
pub fn bad(report: &Report) -> Vec<&'static str> {
    let matters = |f: &&media::lint::Finding| f.rule.severity != Severity::Note;
    let ids: BTreeSet<&str> = report.findings().iter().filter(matters).map(|f| f.rule.id).collect();
    ids.into_iter().collect()
}

/// Asserts that each case breaks its rule and no other; gives the ids.
pub fn run(cases: Vec<Case>) {
    let mut wrong = Vec::new();
    for case in &cases {
        let found = bad(&case.report);
        let noted =
            case.rule.severity == Severity::Note && case.report.count(case.rule) > 0 && found.is_empty();
        if found != [case.rule.id] && !noted {
            let whats: Vec<String> = case
                .report
                .findings()
                .iter()
                .map(|f| format!("    {} {}: {}", f.rule.id, f.place, f.what))
                .collect();
            wrong.push(format!("{}: found {found:?}\n{}", case.rule.id, whats.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn good_presentations_are_clean() {
    for (name, world) in [("complete", good()), ("growing", growing())] {
        for root in ["main.m3u8", "main.mpd"] {
            let mut world = world.clone();
            world.http = true;
            if name == "growing" {
                // So that it does not look stalled.
                world.then("v96p/playlist.m3u8", ended);
                world.then("a0/playlist.m3u8", ended);
            }
            let report = world.check(root);
            let found: Vec<String> =
                report.findings().iter().map(|f| format!("{} {} {}", f.rule.id, f.place, f.what)).collect();
            let only = |id: &str| ["http-gzip", "hls-reload-stalled"].contains(&id);
            assert!(report.broken().into_iter().all(only), "{name} {root}: {found:#?}");
            assert!(report.looked_at["segments"] > 8, "{:?}", report.looked_at);
        }
    }
}

pub fn ended(text: &str) -> String {
    format!("{text}#EXT-X-ENDLIST\n")
}

#[test]
fn every_rule_has_a_case() {
    let covered: BTreeSet<&str> = crate::all_cases().iter().map(|case| case.rule.id).collect();
    let missing: Vec<&str> = rules::all()
        .filter(|rule| rule.severity != Severity::Note && !covered.contains(rule.id))
        .map(|rule| rule.id)
        .collect();
    assert!(missing.is_empty(), "no case breaks {missing:?}");
}
