//! The manifest as a whole: kind, times, periods (ISO/IEC 23009-1 §5.3.1, §5.3.2).

use std::collections::BTreeSet;

use super::{
    attributes::{self, place},
    sets::{self, Set},
    xml::{self, Element},
};
use crate::lint::{Place, Report, number, rules::dash as rules};

/// A manifest as it was understood. Times are microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    pub url: String,
    pub dynamic: bool,
    pub availability_start: Option<i64>,
    pub publish_time: Option<i64>,
    pub duration: Option<i64>,
    pub min_buffer: Option<i64>,
    pub max_segment: Option<i64>,
    pub update_period: Option<i64>,
    pub base: Option<String>,
    pub periods: Vec<Period>,
    pub is_cmaf: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    pub id: Option<String>,
    pub start: i64,
    pub duration: Option<i64>,
    pub base: Option<String>,
    pub sets: Vec<Set>,
    pub place: Place,
}

const NAMESPACE: &str = "urn:mpeg:dash:schema:mpd:2011";
/// Periods that are read.
const MOST_PERIODS: usize = 200;

/// Profiles that are known (ISO/IEC 23009-1 §8, DASH-IF, DVB, HbbTV).
const PROFILES: [&str; 14] = [
    "urn:mpeg:dash:profile:full:2011",
    "urn:mpeg:dash:profile:isoff-on-demand:2011",
    "urn:mpeg:dash:profile:isoff-live:2011",
    "urn:mpeg:dash:profile:isoff-main:2011",
    "urn:mpeg:dash:profile:isoff-ext-live:2014",
    "urn:mpeg:dash:profile:isoff-ext-on-demand:2014",
    "urn:mpeg:dash:profile:isoff-common:2014",
    "urn:mpeg:dash:profile:isoff-broadcast:2015",
    "urn:mpeg:dash:profile:mp2t-main:2011",
    "urn:mpeg:dash:profile:mp2t-simple:2011",
    "urn:mpeg:dash:profile:cmaf:2019",
    "urn:mpeg:dash:profile:cmaf-extended:2019",
    "urn:dvb:dash:profile:dvb-dash:2014",
    "urn:hbbtv:dash:profile:isoff-live:2012",
];

/// Reads a manifest; whatever is wrong with it is told.
pub fn read(bytes: &[u8], url: &str, report: &mut Report) -> Option<Manifest> {
    report.looked_at("manifests");
    let root = match xml::parse(bytes) {
        Ok(root) => root,
        Err(malformed) => {
            report.add(&rules::XML, Place::line(url, malformed.line), malformed.what);
            return None;
        }
    };
    let prefix = root.name.rsplit_once(':').map(|(prefix, _)| prefix);
    let namespace = root.get(&prefix.map_or("xmlns".to_owned(), |p| format!("xmlns:{p}")));
    if root.local() != "MPD" || namespace != Some(NAMESPACE) {
        let what = format!("the root is {} in the namespace `{}`", root.name, namespace.unwrap_or_default());
        report.add(&rules::ROOT, Place::line(url, root.line), what);
        if root.local() != "MPD" {
            return None;
        }
    }
    attributes::check(&root, url, report);
    let micros = |name: &str| root.get(name).and_then(|v| number::xs_duration(v.trim()));
    let date = |name: &str| root.get(name).and_then(number::date_time).map(|(date, _)| date);
    let mut manifest = Manifest {
        url: url.to_owned(),
        dynamic: root.get("type") == Some("dynamic"),
        availability_start: date("availabilityStartTime"),
        publish_time: date("publishTime"),
        duration: micros("mediaPresentationDuration"),
        min_buffer: micros("minBufferTime"),
        max_segment: micros("maxSegmentDuration"),
        update_period: micros("minimumUpdatePeriod"),
        base: base(&root),
        periods: Vec::new(),
        is_cmaf: root.get("profiles").is_some_and(|p| p.contains("profile:cmaf")),
    };
    head(&root, &manifest, report);
    periods(&root, &mut manifest, report);
    Some(manifest)
}

/// The first BaseURL of an element.
pub fn base(element: &Element) -> Option<String> {
    element.first("BaseURL").map(|base| base.text.trim().to_owned()).filter(|base| !base.is_empty())
}

fn head(root: &Element, manifest: &Manifest, report: &mut Report) {
    let here = place(&manifest.url, root);
    if let Some(profiles) = root.get("profiles") {
        let known = |p: &str| PROFILES.contains(&p) || p.starts_with("http://dashif.org/guidelines/");
        if !profiles.split(',').map(str::trim).any(known) {
            report.add(&rules::PROFILE, here.clone(), format!("@profiles is `{profiles}`"));
        }
    }
    if manifest.dynamic {
        let missing: Vec<&str> =
            ["availabilityStartTime", "publishTime"].into_iter().filter(|n| root.get(n).is_none()).collect();
        if !missing.is_empty() {
            let what = format!("the manifest is dynamic and has no {}", missing.join(" and no "));
            report.add(&rules::AVAILABILITY_START, here.clone(), what);
        }
        if root.get("minimumUpdatePeriod").is_none() {
            report.add(&rules::UPDATE_PERIOD, here.clone(), "there is no minimumUpdatePeriod");
        }
        clock(root, &here, report);
    } else {
        let names = ["minimumUpdatePeriod", "timeShiftBufferDepth", "suggestedPresentationDelay"];
        let there: Vec<&str> = names.into_iter().filter(|n| root.get(n).is_some()).collect();
        if !there.is_empty() {
            let what = format!("the manifest is static and has {}", there.join(", "));
            report.add(&rules::UPDATE_STATIC, here, what);
        }
    }
}

fn clock(root: &Element, here: &Place, report: &mut Report) {
    let mut schemes = root.all("UTCTiming").filter_map(|t| t.get("schemeIdUri")).peekable();
    if schemes.peek().is_none() {
        report.add(&rules::UTC_TIMING, here.clone(), "there is no UTCTiming");
        return;
    }
    let known = |scheme: &str| {
        let kind = scheme.strip_prefix("urn:mpeg:dash:utc:").and_then(|s| s.split(':').next());
        matches!(
            kind,
            Some("http-head" | "http-iso" | "http-xsdate" | "http-ntp" | "ntp" | "sntp" | "direct")
        )
    };
    let schemes: Vec<&str> = schemes.collect();
    if !schemes.iter().any(|scheme| known(scheme)) {
        report.add(&rules::UTC_TIMING, here.clone(), format!("the scheme is `{}`", schemes.join(", ")));
    }
}

/// Periods with their starts (§5.3.2.1): told, or the end of the one before, or 0 for the first of a static presentation.
fn periods(root: &Element, manifest: &mut Manifest, report: &mut Report) {
    let list: Vec<&Element> = root.all("Period").take(MOST_PERIODS).collect();
    let url = manifest.url.clone();
    if list.is_empty() {
        report.add(&rules::PERIOD, place(&url, root), "there is no Period");
    }
    let told = |p: &Element, name: &str| p.get(name).and_then(number::xs_duration);
    let mut ids = BTreeSet::new();
    let mut end: Option<i64> = if manifest.dynamic { None } else { Some(0) };
    for (n, period) in list.iter().enumerate() {
        let here = place(&url, period);
        let (start, mut duration) = (told(period, "start"), told(period, "duration"));
        let begins = match (start, end) {
            (Some(start), Some(end)) if start < end => {
                let what = format!(
                    "it starts at {} s, before the one before ends at {} s",
                    number::seconds(start),
                    number::seconds(end)
                );
                report.add(&rules::PERIOD, here.clone(), what);
                start
            }
            (Some(start), _) => start,
            (None, Some(end)) => end,
            (None, None) => {
                report.add(&rules::PERIOD, here.clone(), "its start is not told and does not follow");
                0
            }
        };
        let next = list.get(n + 1);
        duration = duration.or_else(|| told(next?, "start").map(|next| next - begins));
        if next.is_none() {
            duration = duration.or_else(|| manifest.duration.map(|total| total - begins));
        }
        if next.is_none() && duration.is_none() && !manifest.dynamic {
            report.add(
                &rules::DURATION_MISSING,
                here.clone(),
                "neither the manifest nor the last Period tells it",
            );
        }
        if period.get("id").is_some_and(|id| !ids.insert(id)) {
            report.add(&rules::ID_DUPLICATE, here.clone(), "the id of another Period");
        }
        end = duration.map(|d| begins.saturating_add(d).min(number::LONGEST));
        let sets = sets::read(period, &url, duration, manifest.dynamic, report);
        manifest.periods.push(Period {
            id: period.get("id").map(str::to_owned),
            start: begins,
            duration,
            base: base(period),
            sets,
            place: here,
        });
    }
    if let (Some(total), Some(end), false) = (manifest.duration, end, manifest.dynamic)
        && (total - end).abs() > 100_000
    {
        let what = format!(
            "mediaPresentationDuration is {} s, the periods end at {} s",
            number::seconds(total),
            number::seconds(end)
        );
        report.add(&rules::DURATION_DIFFERS, place(&url, root), what);
    }
}
