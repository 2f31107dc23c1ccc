//! Where segments are and when they play: templates, timelines, lists, indices (ISO/IEC 23009-1 §5.3.9).

use std::ops::Range;

use super::{attributes::range, xml::Element};
use crate::lint::{Place, Report, number, rules::dash as rules};

/// How a representation names its segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addressing {
    Template(Template),
    /// A list of URLs.
    List(Template),
    /// One file with a segment index.
    Base {
        index: Option<Range<u64>>,
        initialization: Option<Range<u64>>,
    },
    /// One file, or nothing at all.
    None,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template {
    pub timescale: u32,
    pub offset: i64,
    pub initialization: Option<(String, Option<Range<u64>>)>,
    pub entries: Vec<Entry>,
    pub numbered: bool,
    pub has_timeline: bool,
    /// Segments cannot be listed without knowing the time of day.
    pub open: bool,
    /// Index of a segment in each URL; DASH-IF's hybrid.
    pub duration: Option<u64>,
}

/// One segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub url: String,
    pub range: Option<Range<u64>>,
    /// Ticks on the media's timeline.
    pub start: i64,
    pub duration: i64,
}

/// What templates put in for a representation.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    pub id: &'a str,
    pub bandwidth: u64,
}

/// Segments of a representation that are listed.
const MOST: usize = 200_000;

/// Reads what period, set and representation say together.
pub fn read(
    levels: [&Element; 3],
    names: Names<'_>,
    period: Option<i64>,
    dynamic: bool,
    place: &Place,
    report: &mut Report,
) -> Addressing {
    let told = |name: &str| levels.iter().any(|level| level.first(name).is_some());
    let ways =
        ["SegmentTemplate", "SegmentList", "SegmentBase"].into_iter().filter(|name| told(name)).count();
    if ways > 1 {
        report.add(&rules::ADDRESSING, place.clone(), format!("{ways} ways of addressing meet"));
    }
    if told("SegmentTemplate") {
        return template(levels, names, period, dynamic, place, report);
    }
    if told("SegmentList") {
        return list(levels, period, place, report);
    }
    let base = levels.iter().rev().find_map(|level| level.first("SegmentBase"));
    let Some(base) = base else {
        if !levels.iter().any(|level| level.first("BaseURL").is_some()) {
            report.add(&rules::ADDRESSING, place.clone(), "nothing tells where its segments are");
        }
        return Addressing::None;
    };
    let initialization = base.first("Initialization").and_then(|i| i.get("range")).and_then(range);
    Addressing::Base { index: base.get("indexRange").and_then(range), initialization }
}

/// An attribute of the closest level that has it.
fn inherited<'a>(levels: &[&'a Element; 3], element: &str, attribute: &str) -> Option<&'a str> {
    levels.iter().rev().find_map(|level| level.first(element)?.get(attribute))
}

fn common(levels: &[&Element; 3], element: &str) -> (Template, u64) {
    let number = |name: &str| inherited(levels, element, name).and_then(|v| v.parse::<u64>().ok());
    let template = Template {
        timescale: number("timescale").and_then(|t| u32::try_from(t).ok()).unwrap_or(1).max(1),
        offset: number("presentationTimeOffset").and_then(|o| i64::try_from(o).ok()).unwrap_or(0),
        duration: number("duration").filter(|d| *d > 0),
        ..Template::default()
    };
    (template, number("startNumber").unwrap_or(1))
}

fn timeline<'a>(levels: &[&'a Element; 3], element: &str) -> Option<&'a Element> {
    levels.iter().rev().find_map(|level| level.first(element)?.first("SegmentTimeline"))
}

fn template(
    levels: [&Element; 3],
    names: Names<'_>,
    period: Option<i64>,
    dynamic: bool,
    place: &Place,
    report: &mut Report,
) -> Addressing {
    let name = "SegmentTemplate";
    let (mut out, first) = common(&levels, name);
    let media = inherited(&levels, name, "media").unwrap_or_default();
    out.numbered = media.contains("$Number");
    if let Some(initialization) = inherited(&levels, name, "initialization") {
        match filled(initialization, names, None) {
            Ok(url) => out.initialization = Some((url, None)),
            Err(what) => {
                report.add(
                    &rules::TEMPLATE,
                    place.clone(),
                    format!("initialization `{initialization}`: {what}"),
                );
            }
        }
    }
    if let Err(what) =
        filled(media, names, Some((first, 0))).and_then(|_| match (out.numbered, media.contains("$Time")) {
            (true, true) => Err("it holds both $Number$ and $Time$"),
            (false, false) => Err("it holds neither $Number$ nor $Time$"),
            (false, true) if timeline(&levels, name).is_none() => {
                Err("it holds $Time$ without a SegmentTimeline")
            }
            _ => Ok(()),
        })
    {
        report.add(&rules::TEMPLATE, place.clone(), format!("media `{media}`: {what}"));
        return Addressing::Template(out);
    }
    if let Some(timeline) = timeline(&levels, name) {
        out.has_timeline = true;
        let url = |number: u64, time: i64| filled(media, names, Some((number, time))).unwrap_or_default();
        out.entries = walk(timeline, &out, first, period, &url, place, report);
    } else if let Some(duration) = out.duration {
        let Some(period) = period.filter(|_| !dynamic) else {
            out.open = true;
            return Addressing::Template(out);
        };
        let ticks = i128::from(period.max(0)) * i128::from(out.timescale);
        let each = i128::from(duration) * 1_000_000;
        let last = inherited(&levels, name, "endNumber").and_then(|v| v.parse::<u64>().ok());
        let told = last.map_or(u64::MAX, |last| last.saturating_sub(first).saturating_add(1));
        // A last piece of under a millisecond is rounding.
        let count = ((ticks - i128::from(out.timescale) * 1000).max(0) / each + 1).min(MOST as i128) as u64;
        let count = count.min(told);
        out.entries = (0..count)
            .map(|n| {
                let start =
                    i64::try_from(n.saturating_mul(duration)).unwrap_or(i64::MAX).saturating_add(out.offset);
                let url = filled(media, names, Some((first.saturating_add(n), start))).unwrap_or_default();
                Entry { url, range: None, start, duration: i64::try_from(duration).unwrap_or(i64::MAX) }
            })
            .collect();
    } else {
        report.add(
            &rules::ADDRESSING,
            place.clone(),
            "SegmentTemplate has neither @duration nor a SegmentTimeline",
        );
    }
    Addressing::Template(out)
}

/// The S elements as segments (§5.3.9.6).
fn walk(
    timeline: &Element,
    template: &Template,
    first: u64,
    period: Option<i64>,
    url: &dyn Fn(u64, i64) -> String,
    place: &Place,
    report: &mut Report,
) -> Vec<Entry> {
    let list: Vec<&Element> = timeline.all("S").collect();
    if list.is_empty() {
        report.add(&rules::TIMELINE_VALUE, place.clone(), "the SegmentTimeline has no S");
    }
    let number = |s: &Element, name: &str| s.get(name).and_then(|v| v.parse::<i64>().ok());
    let mut entries: Vec<Entry> = Vec::new();
    let mut end: Option<i64> = None;
    for (n, s) in list.iter().enumerate() {
        let at = Place { line: Some(s.line), ..place.clone() };
        let (Some(duration), repeat) = (number(s, "d"), number(s, "r").unwrap_or(0)) else { continue };
        if duration <= 0 || repeat < -1 {
            let what = format!("S has d={duration}, r={repeat}");
            report.add(&rules::TIMELINE_VALUE, at, what);
            continue;
        }
        let start = number(s, "t").or(end).unwrap_or(0);
        if let Some(end) = end.filter(|end| *end != start) {
            let what = format!("S begins at {start}, the one before ends at {end}");
            let rule = if start < end { &rules::TIMELINE_OVERLAP } else { &rules::TIMELINE_GAP };
            report.add(rule, at, what);
        }
        let repeat = if repeat >= 0 {
            repeat
        } else {
            // Until the next S or the end of the period.
            let ticks = |micros: i64| micros.saturating_mul(i64::from(template.timescale)) / 1_000_000;
            let next = list.get(n + 1).and_then(|s| number(s, "t"));
            let until = next.or(period.map(|p| ticks(p).saturating_add(template.offset))).unwrap_or(start);
            until.saturating_sub(start).saturating_add(duration - 1) / duration - 1
        };
        let mut at = start;
        for _ in 0..=repeat.max(0) {
            if entries.len() >= MOST {
                return entries;
            }
            let url = url(first.saturating_add(entries.len() as u64), at);
            entries.push(Entry { url, range: None, start: at, duration });
            at = at.saturating_add(duration);
        }
        end = Some(at);
    }
    entries
}

fn list(levels: [&Element; 3], period: Option<i64>, place: &Place, report: &mut Report) -> Addressing {
    let name = "SegmentList";
    let (mut out, first) = common(&levels, name);
    let Some(closest) = levels.iter().rev().find_map(|level| level.first(name)) else {
        return Addressing::None;
    };
    out.initialization = closest
        .first("Initialization")
        .map(|i| (i.get("sourceURL").unwrap_or_default().to_owned(), i.get("range").and_then(range)));
    let urls: Vec<&Element> = closest.all("SegmentURL").take(MOST).collect();
    let mut times = Vec::new();
    if let Some(timeline) = timeline(&levels, name) {
        out.has_timeline = true;
        times = walk(timeline, &out, first, period, &|_, _| String::new(), place, report);
    }
    let each = i64::try_from(out.duration.unwrap_or(0)).unwrap_or(0);
    for (n, url) in urls.iter().enumerate() {
        let at = i64::try_from(n).unwrap_or(0).saturating_mul(each).saturating_add(out.offset);
        let (start, duration) = times.get(n).map_or((at, each), |t| (t.start, t.duration));
        let address = url.get("media").unwrap_or_default().to_owned();
        out.entries.push(Entry {
            url: address,
            range: url.get("mediaRange").and_then(range),
            start,
            duration,
        });
    }
    if urls.is_empty() {
        report.add(&rules::ADDRESSING, place.clone(), "SegmentList has no SegmentURL");
    }
    Addressing::List(out)
}

/// A template with its identifiers replaced (§5.3.9.4.4). Without `segment` it may name none.
fn filled(template: &str, names: Names<'_>, segment: Option<(u64, i64)>) -> Result<String, &'static str> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let Some((inside, after)) = after.split_once('$') else { return Err("a $ stands alone") };
        let (name, width) = match inside.split_once('%') {
            Some((name, format)) => (name, Some(width(format)?)),
            None => (inside, None),
        };
        let pad = |value: String| format!("{value:0>width$}", width = width.unwrap_or(1));
        match (name, segment) {
            ("", _) if width.is_none() => out.push('$'),
            ("RepresentationID", _) if width.is_none() => out.push_str(names.id),
            ("RepresentationID", _) => return Err("$RepresentationID$ has no width"),
            ("Bandwidth", _) => out.push_str(&pad(names.bandwidth.to_string())),
            ("Number", Some((number, _))) => out.push_str(&pad(number.to_string())),
            ("Time", Some((_, time))) => out.push_str(&pad(time.to_string())),
            ("Number" | "Time", None) => return Err("it names a segment"),
            _ => return Err("it holds an identifier that is not known"),
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// `0[width]d`
fn width(format: &str) -> Result<usize, &'static str> {
    let digits = format.strip_prefix('0').and_then(|f| f.strip_suffix('d')).unwrap_or_default();
    digits.parse().ok().filter(|n| (1..=20).contains(n)).ok_or("a width is not written as %0[width]d")
}

impl Template {
    /// Start and end of a segment within the period, microseconds.
    pub fn shown(&self, entry: &Entry) -> (i64, i64) {
        let start = entry.start.saturating_sub(self.offset);
        (
            number::ticks(start, self.timescale),
            number::ticks(start.saturating_add(entry.duration), self.timescale),
        )
    }
}
