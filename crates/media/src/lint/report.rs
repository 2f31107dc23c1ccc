//! Findings and what collects them.

use std::collections::BTreeMap;

use super::rules::Rule;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The standard says MUST, or players fail.
    Error,
    /// The standard says SHOULD, or some players suffer.
    Warning,
    /// Good to know.
    Note,
}

impl Severity {
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Where something was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    pub url: String,
    /// Line of a text, from 1.
    pub line: Option<usize>,
    /// Path of a box (`moov/trak/tkhd`) or an element (`Period[1]/AdaptationSet[2]`).
    pub path: Option<String>,
}

impl Place {
    pub fn whole(url: &str) -> Self {
        Self { url: url.to_owned(), line: None, path: None }
    }

    pub fn line(url: &str, line: usize) -> Self {
        Self { line: Some(line), ..Self::whole(url) }
    }

    pub fn path(url: &str, path: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..Self::whole(url) }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.url)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(path) = &self.path {
            write!(f, " {path}")?;
        }
        Ok(())
    }
}

/// One breach of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub rule: &'static Rule,
    pub place: Place,
    /// What is wrong, with the values found.
    pub what: String,
}

/// Findings of one rule that are kept; more are only counted.
const KEPT: usize = 4;
/// Bytes of one finding's words: they quote what strangers wrote.
const WORDS: usize = 400;

/// What a check found, and what it did not look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    findings: Vec<Finding>,
    counts: BTreeMap<&'static str, usize>,
    unchecked: Vec<String>,
    /// What was looked at, by kind: playlists, headers, segments.
    pub looked_at: BTreeMap<&'static str, usize>,
}

impl Report {
    pub fn add(&mut self, rule: &'static Rule, place: Place, what: impl Into<String>) {
        let count = self.counts.entry(rule.id).or_default();
        *count += 1;
        if *count <= KEPT {
            let what = shortened(what.into());
            self.findings.push(Finding { rule, place, what });
        }
    }

    /// Says that something was not checked, and why; each sentence once.
    pub fn unchecked(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.unchecked.contains(&what) && self.unchecked.len() < 50 {
            self.unchecked.push(what);
        }
    }

    pub fn looked_at(&mut self, kind: &'static str) {
        *self.looked_at.entry(kind).or_default() += 1;
    }

    /// In the order in which they were found.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    pub fn not_checked(&self) -> &[String] {
        &self.unchecked
    }

    /// How often a rule was broken, including what is not listed.
    pub fn count(&self, rule: &Rule) -> usize {
        self.counts.get(rule.id).copied().unwrap_or(0)
    }

    /// Breaches of all rules of a severity.
    pub fn total(&self, severity: Severity) -> usize {
        let rules = super::rules::all().filter(|rule| rule.severity == severity);
        rules.map(|rule| self.count(rule)).sum()
    }

    /// Ids of the rules that were broken, in order of their ids.
    pub fn broken(&self) -> Vec<&'static str> {
        self.counts.keys().copied().collect()
    }
}

fn shortened(mut what: String) -> String {
    if what.len() > WORDS {
        let end = (0..=WORDS).rev().find(|n| what.is_char_boundary(*n)).unwrap_or(0);
        what.truncate(end);
        what.push('…');
    }
    what
}
