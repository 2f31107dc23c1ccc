//! Attribute lists (RFC 8216bis §4.2).

use super::super::{Place, Report, rules::hls as rules};

/// Types of attribute values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Type {
    Integer,
    Hexadecimal,
    Decimal,
    SignedDecimal,
    Quoted,
    /// One of these.
    Enumerated(&'static [&'static str]),
    Resolution,
    /// Whatever the lists allows.
    Any,
}

/// What a tag says about one of its attributes.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    pub name: &'static str,
    pub kind: Type,
    pub required: bool,
}

/// The attributes of one tag, as far as they could be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Name, value without quotes, whether it was quoted.
    list: Vec<(String, String, bool)>,
    pub line: usize,
}

/// Attributes of one tag that are read.
const MOST: usize = 100;

impl Attributes {
    /// Splits a list; says what is wrong with its form.
    pub fn parse(tag: &str, text: &str, place: &Place, report: &mut Report) -> Self {
        let mut out = Self { list: Vec::new(), line: place.line.unwrap_or(0) };
        let mut rest = text;
        while !rest.is_empty() && out.list.len() < MOST {
            let Some((name, after)) = rest.split_once('=') else {
                report.add(
                    &rules::TAG_SYNTAX,
                    place.clone(),
                    format!("{tag}: `{rest}` is no attribute: it has no ="),
                );
                break;
            };
            let name_is_good = !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-');
            if !name_is_good {
                report.add(
                    &rules::TAG_SYNTAX,
                    place.clone(),
                    format!("{tag}: `{name}` is no attribute name: capital letters, digits and - only"),
                );
            }
            let (value, quoted, after) = match after.strip_prefix('"') {
                Some(inner) => {
                    let Some((value, after)) = inner.split_once('"') else {
                        report.add(
                            &rules::TAG_SYNTAX,
                            place.clone(),
                            format!("{tag}: the quotes of {name} do not end"),
                        );
                        break;
                    };
                    (value, true, after)
                }
                None => {
                    let end = after.find(',').unwrap_or(after.len());
                    (&after[..end], false, &after[end..])
                }
            };
            out.push(tag, (name.trim(), value, quoted), place, report);
            rest = match after.strip_prefix(',') {
                Some(more) => more,
                None if after.is_empty() => "",
                None => {
                    report.add(
                        &rules::TAG_SYNTAX,
                        place.clone(),
                        format!("{tag}: `{after}` follows {name} without a comma"),
                    );
                    ""
                }
            };
        }
        out
    }

    fn push(
        &mut self,
        tag: &str,
        (name, value, quoted): (&str, &str, bool),
        place: &Place,
        report: &mut Report,
    ) {
        if self.raw(name).is_some() {
            report.add(&rules::ATTRIBUTE_DUPLICATE, place.clone(), format!("{tag}: {name} stands twice"));
            return;
        }
        let loose = !quoted && value.contains([' ', '\t', '"']);
        if loose || (!quoted && value.is_empty()) {
            report.add(
                &rules::TAG_SYNTAX,
                place.clone(),
                format!("{tag}: {name} has the unquoted value `{value}`, which may not be empty or hold spaces or quotes"),
            );
        }
        self.list.push((name.to_owned(), value.to_owned(), quoted));
    }

    /// Checks types and presence.
    pub fn check(&self, tag: &str, specs: &[Spec], place: &Place, report: &mut Report) {
        for spec in specs {
            match self.raw(spec.name) {
                None if spec.required => {
                    report.add(
                        &rules::ATTRIBUTE_MISSING,
                        place.clone(),
                        format!("{tag} has no {}", spec.name),
                    );
                }
                None => {}
                Some((value, quoted)) => check_value(tag, spec, value, quoted, place, report),
            }
        }
    }

    fn raw(&self, name: &str) -> Option<(&str, bool)> {
        self.list.iter().find(|(n, ..)| n == name).map(|(_, value, quoted)| (value.as_str(), *quoted))
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).map(|(value, _)| value)
    }

    pub fn integer(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    /// Microseconds.
    pub fn micros(&self, name: &str) -> Option<i64> {
        super::super::number::micros(self.get(name)?)
    }

    pub fn yes(&self, name: &str) -> bool {
        self.get(name) == Some("YES")
    }

    pub fn resolution(&self, name: &str) -> Option<(u64, u64)> {
        resolution(self.get(name)?)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|(name, ..)| name.as_str())
    }
}

pub fn resolution(text: &str) -> Option<(u64, u64)> {
    let (width, height) = text.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

fn check_value(tag: &str, spec: &Spec, value: &str, quoted: bool, place: &Place, report: &mut Report) {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let decimal = |s: &str| {
        let (whole, part) = s.split_once('.').unwrap_or((s, "0"));
        digits(whole) && digits(part)
    };
    let (name, good, kind) = match spec.kind {
        Type::Any => return,
        Type::Quoted => (spec.name, quoted, "a quoted string"),
        Type::Integer => (spec.name, !quoted && digits(value) && value.len() <= 20, "a decimal integer"),
        Type::Hexadecimal => {
            let hex = value.strip_prefix("0x").or_else(|| value.strip_prefix("0X"));
            let good = hex.is_some_and(|h| !h.is_empty() && h.bytes().all(|b| b.is_ascii_hexdigit()));
            (spec.name, !quoted && good, "a hexadecimal sequence (0x…)")
        }
        Type::Decimal => (spec.name, !quoted && decimal(value), "a decimal number"),
        Type::SignedDecimal => {
            (spec.name, !quoted && decimal(value.strip_prefix('-').unwrap_or(value)), "a decimal number")
        }
        Type::Resolution => {
            let good = value.split_once('x').is_some_and(|(w, h)| digits(w) && digits(h));
            (spec.name, !quoted && good, "a resolution (1280x720)")
        }
        Type::Enumerated(values) => {
            if !quoted && !values.contains(&value) {
                report.add(
                    &rules::ATTRIBUTE_VALUE,
                    place.clone(),
                    format!("{tag}: {} is `{value}`, which is none of {}", spec.name, values.join(", ")),
                );
            }
            (spec.name, !quoted, "an enumerated string, without quotes")
        }
    };
    if !good {
        let shown = if quoted { format!("\"{value}\"") } else { value.to_owned() };
        report.add(&rules::ATTRIBUTE_TYPE, place.clone(), format!("{tag}: {name} is `{shown}`, not {kind}"));
    }
}
