//! Reports for people and for programs.

use std::fmt::Write;

use media::lint::{Finding, Report, Rule, Severity};
use serde_json::{Value, json};

use super::Outcome;

/// Text of strangers without what would move a terminal's cursor.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Grouped by severity and rule.
pub fn text(outcomes: &[Outcome], coloured: bool) -> String {
    let mut out = String::new();
    for outcome in outcomes {
        let paint = Paint(coloured);
        let _ = writeln!(out, "{}", paint.bold(&plain(&outcome.target)));
        for severity in [Severity::Error, Severity::Warning, Severity::Note] {
            for rule in rules(&outcome.report, severity) {
                group(&mut out, &outcome.report, rule, paint);
            }
        }
        for what in outcome.report.not_checked() {
            let _ = writeln!(out, "\nnot checked: {}", plain(what));
        }
        let _ = writeln!(out, "\n{}", summary(&outcome.report));
    }
    out
}

/// Rules that were broken, in the order in which they were found.
fn rules(report: &Report, severity: Severity) -> Vec<&'static Rule> {
    let mut rules: Vec<&'static Rule> = Vec::new();
    for finding in report.findings().iter().filter(|f| f.rule.severity == severity) {
        if !rules.iter().any(|r| r.id == finding.rule.id) {
            rules.push(finding.rule);
        }
    }
    rules
}

fn of<'a>(report: &'a Report, rule: &'static Rule) -> impl Iterator<Item = &'a Finding> {
    report.findings().iter().filter(move |f| f.rule.id == rule.id)
}

fn group(out: &mut String, report: &Report, rule: &'static Rule, paint: Paint) {
    let head = paint.severity(rule.severity, &format!("{:7}", rule.severity.name()));
    let _ = writeln!(out, "\n{head} {}  ({})", paint.bold(rule.id), rule.source());
    let _ = writeln!(out, "        {}.", rule.about);
    for finding in of(report, rule) {
        let _ = writeln!(out, "      - {}", plain(&finding.place.to_string()));
        let _ = writeln!(out, "        {}", plain(&finding.what));
    }
    let more = report.count(rule) - of(report, rule).count();
    if more > 0 {
        let _ = writeln!(out, "      - and {more} more");
    }
    let _ = writeln!(out, "        To do: {}", rule.advice);
}

fn summary(report: &Report) -> String {
    let plural = |n: usize, what: &str| if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") };
    let counts = [Severity::Error, Severity::Warning, Severity::Note]
        .map(|severity| plural(report.total(severity), severity.name()));
    let looked: Vec<String> = report.looked_at.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    format!("{}; looked at {}", counts.join(", "), looked.join(", "))
}

#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    fn severity(self, severity: Severity, text: &str) -> String {
        self.with(
            match severity {
                Severity::Error => "1;31",
                Severity::Warning => "1;33",
                Severity::Note => "36",
            },
            text,
        )
    }
}

/// One document; fields are only ever added.
pub fn json(outcomes: &[Outcome]) -> String {
    let presentations: Vec<Value> = outcomes.iter().map(presentation).collect();
    let document = json!({ "version": 1, "presentations": presentations });
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

fn presentation(outcome: &Outcome) -> Value {
    let report = &outcome.report;
    let findings: Vec<Value> = report
        .findings()
        .iter()
        .map(|finding| {
            json!({
                "rule": finding.rule.id,
                "severity": finding.rule.severity.name(),
                "url": finding.place.url,
                "line": finding.place.line,
                "path": finding.place.path,
                "what": finding.what,
                "source": finding.rule.source(),
                "advice": finding.rule.advice,
            })
        })
        .collect();
    let counts: serde_json::Map<String, Value> = media::lint::rules::all()
        .filter(|rule| report.count(rule) > 0)
        .map(|rule| (rule.id.to_owned(), report.count(rule).into()))
        .collect();
    json!({
        "url": outcome.target,
        "errors": report.total(Severity::Error),
        "warnings": report.total(Severity::Warning),
        "notes": report.total(Severity::Note),
        "looked_at": report.looked_at,
        "findings": findings,
        "counts": counts,
        "not_checked": report.not_checked(),
    })
}
