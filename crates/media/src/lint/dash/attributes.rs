//! Types of attributes, and those that elements require (ISO/IEC 23009-1, schema and tables of §5.3).

use super::xml::Element;
use crate::lint::{Place, Report, number, rules::dash as rules};

#[derive(Debug, Clone, Copy)]
enum Type {
    Unsigned,
    Signed,
    Duration,
    DateTime,
    Boolean,
    FrameRate,
    Ratio,
    Sap,
    Range,
    Any,
}
use Type::{Any, Boolean, DateTime, Duration, FrameRate, Range, Ratio, Sap, Signed, Unsigned};

type Table = &'static [(&'static str, Type, bool)];

const COMMON: Table = &[
    ("width", Unsigned, false),
    ("height", Unsigned, false),
    ("sar", Ratio, false),
    ("frameRate", FrameRate, false),
    ("startWithSAP", Sap, false),
    ("maximumSAPPeriod", Any, false),
];

const MULTIPLE: Table = &[
    ("timescale", Unsigned, false),
    ("presentationTimeOffset", Unsigned, false),
    ("duration", Unsigned, false),
    ("startNumber", Unsigned, false),
    ("endNumber", Unsigned, false),
    ("indexRange", Range, false),
];

fn table(element: &str) -> &'static [Table] {
    match element {
        "MPD" => &[&[
            ("profiles", Any, true),
            ("minBufferTime", Duration, true),
            ("mediaPresentationDuration", Duration, false),
            ("availabilityStartTime", DateTime, false),
            ("availabilityEndTime", DateTime, false),
            ("publishTime", DateTime, false),
            ("minimumUpdatePeriod", Duration, false),
            ("timeShiftBufferDepth", Duration, false),
            ("suggestedPresentationDelay", Duration, false),
            ("maxSegmentDuration", Duration, false),
        ]],
        "Period" => &[&[("start", Duration, false), ("duration", Duration, false)]],
        "AdaptationSet" => &[
            &[
                ("id", Unsigned, false),
                ("segmentAlignment", Boolean, false),
                ("subsegmentAlignment", Boolean, false),
                ("bitstreamSwitching", Boolean, false),
                ("maxWidth", Unsigned, false),
                ("maxHeight", Unsigned, false),
                ("maxFrameRate", FrameRate, false),
                ("maxBandwidth", Unsigned, false),
                ("minBandwidth", Unsigned, false),
                ("par", Ratio, false),
                ("subsegmentStartsWithSAP", Sap, false),
            ],
            COMMON,
        ],
        "Representation" => &[&[("id", Any, true), ("bandwidth", Unsigned, true)], COMMON],
        "SegmentTemplate" | "SegmentList" | "SegmentBase" => &[MULTIPLE],
        "S" => &[&[("t", Unsigned, false), ("d", Unsigned, true), ("r", Signed, false)]],
        "UTCTiming"
        | "Role"
        | "AudioChannelConfiguration"
        | "ContentProtection"
        | "EssentialProperty"
        | "SupplementalProperty"
        | "Accessibility" => &[&[("schemeIdUri", Any, true)]],
        "SegmentURL" => &[&[("mediaRange", Range, false), ("indexRange", Range, false)]],
        _ => &[],
    }
}

/// Elements of which attributes are looked at.
const MOST: usize = 500_000;

/// Checks an element and all within it. `path` is where it stands.
pub fn check(root: &Element, url: &str, report: &mut Report) {
    let mut todo: Vec<&Element> = vec![root];
    let mut seen = 0;
    while let Some(element) = todo.pop().filter(|_| seen < MOST) {
        seen += 1;
        let at = place(url, element);
        for (name, kind, required) in table(element.local()).iter().copied().flatten() {
            match element.get(name) {
                None if *required => {
                    let what = format!("{} has no @{name}", element.local());
                    report.add(&rules::ATTRIBUTE_MISSING, at.clone(), what);
                }
                Some(value) if !fits(value.trim(), *kind) => {
                    let what = format!("{}@{name} is `{value}`", element.local());
                    report.add(&rules::ATTRIBUTE_VALUE, at.clone(), what);
                }
                _ => {}
            }
        }
        if element.local() == "MPD" && element.get("type").is_some_and(|t| t != "static" && t != "dynamic") {
            let what = format!("MPD@type is `{}`", element.get("type").unwrap_or_default());
            report.add(&rules::ATTRIBUTE_VALUE, at, what);
        }
        todo.extend(element.children.iter().rev());
    }
}

pub fn place(url: &str, element: &Element) -> Place {
    let id = element.get("id").map(|id| format!("[@id={id}]")).unwrap_or_default();
    Place { line: Some(element.line), path: Some(format!("{}{id}", element.local())), ..Place::whole(url) }
}

fn fits(value: &str, kind: Type) -> bool {
    let digits = |s: &str| !s.is_empty() && s.len() <= 20 && s.bytes().all(|b| b.is_ascii_digit());
    match kind {
        Any => true,
        Unsigned => digits(value) && value.parse::<u64>().is_ok(),
        Signed => digits(value.strip_prefix('-').unwrap_or(value)),
        Duration => number::xs_duration(value).is_some(),
        DateTime => number::date_time(value).is_some(),
        // A ratio n:m counts frames that the sets are aligned by; nobody writes it.
        Boolean => matches!(value, "true" | "false" | "0" | "1") || digits(value),
        FrameRate => {
            let (frames, per) = value.split_once('/').unwrap_or((value, "1"));
            digits(frames) && digits(per) && per.parse::<u64>().is_ok_and(|n| n > 0)
        }
        Ratio => value.split_once(':').is_some_and(|(a, b)| digits(a) && digits(b)),
        Sap => matches!(value, "0" | "1" | "2" | "3" | "4" | "5" | "6"),
        Range => range(value).is_some(),
    }
}

/// `first-last` as a half-open range.
pub fn range(text: &str) -> Option<std::ops::Range<u64>> {
    let (first, last) = text.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some(first..last.checked_add(1)?)
}
