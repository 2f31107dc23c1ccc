//! A playlist as lines: encoding, tags known and unknown, variables (RFC 8216bis §4.1 to §4.3).

use std::collections::BTreeMap;

use super::{
    attributes::Attributes,
    tags::{self, Scope, Value},
};
use crate::lint::{Place, Report, rules::hls as rules};

/// Values of EXT-X-DEFINE by name.
pub type Variables = BTreeMap<String, String>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Media,
    Multivariant,
}

/// One line that means something.
#[derive(Debug, Clone)]
pub enum Line {
    Tag { name: &'static str, value: String, attributes: Attributes },
    Uri(String),
}

/// Most lines that are read, and most bytes.
const MOST_LINES: usize = 500_000;
const MOST_BYTES: usize = 64 << 20;

/// A playlist, tag by tag.
#[derive(Debug, Clone)]
pub struct Text {
    pub url: String,
    pub kind: Kind,
    pub lines: Vec<(usize, Line)>,
    pub variables: Variables,
    /// Whether a variable was used or defined.
    pub has_variables: bool,
}

impl Text {
    /// `None` when it is no text, or no playlist.
    pub fn read(bytes: &[u8], url: &str, imported: &Variables, report: &mut Report) -> Option<Self> {
        let whole = Place::whole(url);
        if bytes.len() > MOST_BYTES {
            report
                .unchecked(format!("{url}: the playlist has {} bytes, more than {MOST_BYTES}", bytes.len()));
            return None;
        }
        let (bytes, bom) = bytes.strip_prefix(b"\xef\xbb\xbf").map_or((bytes, false), |rest| (rest, true));
        if bom {
            report.add(&rules::ENCODING, whole.clone(), "it begins with a byte order mark");
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            report.add(&rules::ENCODING, whole, "it is not UTF-8");
            return None;
        };
        let odd = text.chars().find(|c| c.is_control() && !matches!(c, '\r' | '\n'));
        if let Some(odd) = odd {
            report.add(
                &rules::ENCODING,
                whole.clone(),
                format!("it holds the control character U+{:04X}", odd as u32),
            );
        }
        if text.lines().next().map(str::trim_end) != Some("#EXTM3U") {
            let first: String = text.lines().next().unwrap_or_default().chars().take(40).collect();
            report.add(&rules::EXTM3U, Place::line(url, 1), format!("the first line is `{first}`"));
        }
        let mut out = Self {
            url: url.to_owned(),
            kind: Kind::Media,
            lines: Vec::new(),
            variables: Variables::new(),
            has_variables: false,
        };
        for (n, line) in text.lines().enumerate().take(MOST_LINES) {
            out.line(n + 1, line.trim_end_matches('\r'), imported, report);
        }
        out.scopes(report);
        Some(out)
    }

    fn line(&mut self, number: usize, line: &str, imported: &Variables, report: &mut Report) {
        let place = Place::line(&self.url, number);
        if line.trim().is_empty() {
            return;
        }
        let Some(rest) = line.strip_prefix('#') else {
            let uri = self.substituted(line.trim(), &place, report);
            self.lines.push((number, Line::Uri(uri)));
            return;
        };
        if !rest.starts_with("EXT") {
            return;
        }
        let (name, value) = rest.split_once(':').map_or((rest, None), |(name, value)| (name, Some(value)));
        let Some(tag) = tags::find(name.trim_end()) else {
            report.add(&rules::TAG_UNKNOWN, place, format!("#{name} is no tag of the standard"));
            return;
        };
        let value = self.substituted(value.unwrap_or_default(), &place, report);
        let mut attributes = Attributes::default();
        match tag.value {
            Value::None if !value.is_empty() => {
                report.add(
                    &rules::TAG_SYNTAX,
                    place.clone(),
                    format!("{} has the value `{value}` and should have none", tag.name),
                );
            }
            Value::Integer
                if value.is_empty() || !value.bytes().all(|b| b.is_ascii_digit()) || value.len() > 19 =>
            {
                report.add(
                    &rules::TAG_SYNTAX,
                    place.clone(),
                    format!("{}: `{value}` is no decimal integer", tag.name),
                );
            }
            Value::List(specs) => {
                attributes = Attributes::parse(tag.name, &value, &place, report);
                attributes.check(tag.name, specs, &place, report);
            }
            _ => {}
        }
        if tag.name == "EXT-X-DEFINE" {
            self.define(&attributes, imported, &place, report);
        }
        self.lines.push((number, Line::Tag { name: tag.name, value, attributes }));
    }

    /// Which kind of playlist it is, and tags that do not belong into it or stand twice.
    fn scopes(&mut self, report: &mut Report) {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut media, mut multivariant) = (None, None);
        for (number, line) in &self.lines {
            let Line::Tag { name, .. } = line else { continue };
            let Some(tag) = tags::find(name) else { continue };
            match tag.scope {
                Scope::Multivariant => multivariant = multivariant.or(Some((*number, *name))),
                Scope::Media | Scope::Segment => media = media.or(Some((*number, *name))),
                Scope::Both => {}
            }
            let first = *seen.entry(name).or_insert(*number);
            if tag.once && first != *number {
                let what = format!("{name} stands in line {first} already");
                report.add(&rules::TAG_DUPLICATE, Place::line(&self.url, *number), what);
            }
        }
        if multivariant.is_some() {
            self.kind = Kind::Multivariant;
        }
        if let (Some((line, media)), Some((_, multivariant))) = (media, multivariant) {
            let what = format!("{media} is of media playlists and {multivariant} of multivariant playlists");
            report.add(&rules::TAG_MIXED, Place::line(&self.url, line), what);
        }
    }

    fn define(&mut self, attributes: &Attributes, imported: &Variables, place: &Place, report: &mut Report) {
        self.has_variables = true;
        let ways: Vec<&str> = ["NAME", "IMPORT", "QUERYPARAM"]
            .into_iter()
            .filter(|name| attributes.get(name).is_some())
            .collect();
        let [way] = ways[..] else {
            let what = format!("EXT-X-DEFINE has {} of NAME, IMPORT and QUERYPARAM", ways.len());
            report.add(&rules::DEFINE, place.clone(), what);
            return;
        };
        let name = attributes.get(way).unwrap_or_default().to_owned();
        let value = match way {
            "NAME" => attributes.get("VALUE").map(str::to_owned),
            "IMPORT" => imported.get(&name).cloned(),
            _ => query_parameter(&self.url, &name),
        };
        let good =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        let Some(value) = value.filter(|_| good) else {
            report.add(
                &rules::DEFINE,
                place.clone(),
                format!("{way}=\"{name}\" has no value, or is no name"),
            );
            return;
        };
        if self.variables.insert(name.clone(), value).is_some() {
            report.add(&rules::DEFINE, place.clone(), format!("{name} is defined twice"));
        }
    }

    /// With `{$name}` replaced. A value that is put in is not searched again.
    fn substituted(&mut self, text: &str, place: &Place, report: &mut Report) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{$") {
            let Some((name, after)) = after.split_once('}') else { break };
            out.push_str(before);
            self.has_variables = true;
            match self.variables.get(name) {
                // Definitions may not make a line endless.
                Some(value) if out.len() < 1 << 16 => out.push_str(value),
                Some(_) => {}
                None => report.add(&rules::VARIABLE, place.clone(), format!("{name} is not defined")),
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }

    /// The first tag of this name.
    pub fn first(&self, wanted: &str) -> Option<(usize, &str, &Attributes)> {
        self.all(wanted).next()
    }

    pub fn all(&self, wanted: &str) -> impl Iterator<Item = (usize, &str, &Attributes)> {
        self.lines.iter().filter_map(move |(number, line)| match line {
            Line::Tag { name, value, attributes } if *name == wanted => {
                Some((*number, value.as_str(), attributes))
            }
            _ => None,
        })
    }

    pub fn has(&self, wanted: &str) -> bool {
        self.first(wanted).is_some()
    }

    pub fn integer(&self, wanted: &str) -> Option<u64> {
        self.first(wanted)?.1.parse().ok()
    }

    pub fn place(&self, line: usize) -> Place {
        Place::line(&self.url, line)
    }
}

fn query_parameter(url: &str, name: &str) -> Option<String> {
    let query = url.split_once('?')?.1.split('#').next()?;
    query
        .split('&')
        .find_map(|pair| pair.split_once('=').filter(|(n, _)| *n == name).map(|(_, v)| v.to_owned()))
}
