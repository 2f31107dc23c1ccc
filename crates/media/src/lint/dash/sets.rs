//! Adaptation sets and representations (ISO/IEC 23009-1 §5.3.3, §5.3.5, §5.3.7).

use std::collections::BTreeSet;

use super::{
    addressing::{self, Addressing},
    attributes::place,
    manifest::base,
    xml::Element,
};
use crate::lint::{Place, Report, language, mp4::codecs, rules::dash as rules};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    pub content: String,
    pub aligned: bool,
    pub representations: Vec<Representation>,
    pub base: Option<String>,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Representation {
    pub id: String,
    pub bandwidth: u64,
    pub mime: String,
    pub codecs: Option<String>,
    pub width: Option<u64>,
    pub height: Option<u64>,
    /// Frames and seconds.
    pub frame_rate: Option<(u64, u64)>,
    pub sampling_rate: Option<u64>,
    pub sap: Option<u8>,
    /// Transfer characteristics of the pictures (ISO/IEC 23091-2).
    pub transfer: Option<u64>,
    pub base: Option<String>,
    pub addressing: Addressing,
    /// `value` of ContentProtection by mp4protection, and default_KID in hexadecimal.
    pub protection: Option<(String, Option<String>)>,
    /// Columns and rows of thumbnails.
    pub tiles: Option<(u64, u64)>,
    pub place: Place,
}

/// Sets of a period, and representations of a set, that are read.
const MOST: usize = 500;

pub fn read(
    period: &Element,
    url: &str,
    duration: Option<i64>,
    dynamic: bool,
    report: &mut Report,
) -> Vec<Set> {
    let mut ids = BTreeSet::new();
    let mut representations = BTreeSet::new();
    let mut sets = Vec::new();
    for element in period.all("AdaptationSet").take(MOST) {
        let here = place(url, element);
        if element.get("id").is_some_and(|id| !ids.insert(id)) {
            report.add(&rules::ID_DUPLICATE, here.clone(), "the id of another AdaptationSet");
        }
        let set = set(period, element, &here, duration, dynamic, report);
        for representation in &set.representations {
            if !representations.insert(representation.id.clone()) {
                let what = format!("the id `{}` of another Representation", representation.id);
                report.add(&rules::ID_DUPLICATE, representation.place.clone(), what);
            }
        }
        sets.push(set);
    }
    if sets.is_empty() {
        report.add(&rules::NO_CONTENT, place(url, period), "the Period has no AdaptationSet");
    }
    sets
}

fn set(
    period: &Element,
    element: &Element,
    here: &Place,
    duration: Option<i64>,
    dynamic: bool,
    report: &mut Report,
) -> Set {
    let url = &here.url;
    if let Some(lang) = element.get("lang").filter(|lang| !language::is_well_formed(lang)) {
        report.add(&rules::LANGUAGE, here.clone(), format!("@lang is `{lang}`"));
    }
    let mut list = Vec::new();
    for representation in element.all("Representation").take(MOST) {
        let levels = [period, element, representation];
        list.push(self::representation(levels, url, duration, dynamic, report));
    }
    if list.is_empty() {
        report.add(&rules::NO_CONTENT, here.clone(), "the AdaptationSet has no Representation");
    }
    let mime = list.first().map(|r| r.mime.split('/').next().unwrap_or_default().to_owned());
    let content = element.get("contentType").map(str::to_owned).or(mime.clone()).unwrap_or_default();
    let agree = match (content.as_str(), mime.as_deref().unwrap_or_default()) {
        (_, "" | "application") | ("text", "text") => true,
        (content, mime) => content == mime,
    };
    if !agree || list.iter().any(|r| r.mime.split('/').next() != mime.as_deref()) {
        let what =
            format!("@contentType is `{content}`, @mimeType `{}`", list.first().map_or("", |r| &r.mime));
        report.add(&rules::MIME_TYPE, here.clone(), what);
    }
    let yes = |name: &str| element.get(name).is_some_and(|v| v != "false" && v != "0");
    let aligned = yes("segmentAlignment");
    if list.len() > 1 && !aligned && !yes("subsegmentAlignment") {
        report.add(&rules::ALIGNMENT_MISSING, here.clone(), format!("{} representations", list.len()));
    }
    let set = Set { content, aligned, representations: list, base: base(element), place: here.clone() };
    media_attributes(element, &set, report);
    set
}

/// What each kind of media tells about itself (DASH-IF IOP 4.3 §3.2.4, §6.2.6).
fn media_attributes(element: &Element, set: &Set, report: &mut Report) {
    match set.content.as_str() {
        "audio" => {
            let everywhere = |name: &str| {
                element.first(name).is_some()
                    || element.all("Representation").all(|r| r.first(name).is_some())
            };
            let rate = set.representations.iter().all(|r| r.sampling_rate.is_some());
            if !everywhere("AudioChannelConfiguration") || !rate {
                let what = "AudioChannelConfiguration or @audioSamplingRate is missing";
                report.add(&rules::AUDIO_CHANNELS, set.place.clone(), what);
            }
        }
        "video" => {
            let whole =
                |r: &Representation| r.width.is_some() && r.height.is_some() && r.frame_rate.is_some();
            if let Some(bad) = set.representations.iter().find(|r| !whole(r)) {
                let what = "@width, @height or @frameRate is missing";
                report.add(&rules::VIDEO_ATTRIBUTES, bad.place.clone(), what);
            }
        }
        "image" => set.representations.iter().for_each(|r| thumbnails(r, report)),
        _ => {}
    }
}

/// DASH-IF IOP 4.3 §6.2.6.
fn thumbnails(representation: &Representation, report: &mut Report) {
    let mut say = |what: &str| report.add(&rules::THUMBNAILS, representation.place.clone(), what);
    if !matches!(representation.mime.as_str(), "image/jpeg" | "image/png") {
        say("the type is neither image/jpeg nor image/png");
    }
    if representation.tiles.is_none_or(|(columns, rows)| columns == 0 || rows == 0) {
        say("there is no thumbnail_tile with columns x rows");
    }
    if representation.width.is_none() || representation.height.is_none() {
        say("@width or @height of a sheet is missing");
    }
    match &representation.addressing {
        Addressing::Template(template) if template.numbered && !template.has_timeline => {}
        _ => say("its segments are not numbered with one duration"),
    }
}

fn representation(
    levels: [&Element; 3],
    url: &str,
    duration: Option<i64>,
    dynamic: bool,
    report: &mut Report,
) -> Representation {
    let [_, set, element] = levels;
    let here = place(url, element);
    let get = |name: &str| element.get(name).or_else(|| set.get(name));
    let number = |name: &str| get(name).and_then(|v| v.parse::<u64>().ok());
    let mime = get("mimeType").unwrap_or_default().to_owned();
    if mime.is_empty() {
        report.add(
            &rules::ATTRIBUTE_MISSING,
            here.clone(),
            "neither Representation nor AdaptationSet has @mimeType",
        );
    }
    let told = get("codecs").map(str::to_owned);
    if told.is_none() && (mime.starts_with("video/") || mime.starts_with("audio/")) {
        report.add(&rules::CODECS_MISSING, here.clone(), "there is no @codecs");
    }
    for codec in told.iter().flat_map(|list| list.split(',')).filter(|c| !codecs::is_well_formed(c.trim())) {
        let what = format!("@codecs: `{codec}` is not written as its format prescribes");
        report.add(&crate::lint::rules::hls::CODECS_SYNTAX, here.clone(), what);
    }
    let id = element.get("id").unwrap_or_default().to_owned();
    let bandwidth = number("bandwidth").unwrap_or(0);
    let names = addressing::Names { id: &id, bandwidth };
    let addressing = addressing::read(levels, names, duration, dynamic, &here, report);
    Representation {
        bandwidth,
        mime,
        codecs: told,
        width: number("width"),
        height: number("height"),
        frame_rate: get("frameRate").and_then(fraction),
        sampling_rate: get("audioSamplingRate").and_then(|r| r.split(' ').next()?.parse().ok()),
        sap: get("startWithSAP").and_then(|s| s.parse().ok()).filter(|s| *s > 0),
        transfer: transfer(element).or_else(|| transfer(set)),
        base: base(element),
        addressing,
        protection: protection(element).or_else(|| protection(set)),
        tiles: tiles(element).or_else(|| tiles(set)),
        place: here,
        id,
    }
}

fn fraction(text: &str) -> Option<(u64, u64)> {
    let (frames, per) = text.split_once('/').unwrap_or((text, "1"));
    Some((frames.parse().ok()?, per.parse().ok()?)).filter(|(_, per)| *per > 0)
}

fn protection(element: &Element) -> Option<(String, Option<String>)> {
    let found = element.all("ContentProtection").find(|p| {
        p.get("schemeIdUri").is_some_and(|s| s.eq_ignore_ascii_case("urn:mpeg:dash:mp4protection:2011"))
    })?;
    let key = found.attributes.iter().find(|(name, _)| name.ends_with("default_KID"));
    let hex = key.map(|(_, value)| value.replace('-', "").to_ascii_lowercase());
    Some((found.get("value").unwrap_or_default().to_owned(), hex))
}

fn properties(element: &Element) -> impl Iterator<Item = &Element> {
    element.all("EssentialProperty").chain(element.all("SupplementalProperty"))
}

fn transfer(element: &Element) -> Option<u64> {
    let scheme = "urn:mpeg:mpegB:cicp:TransferCharacteristics";
    properties(element).find(|p| p.get("schemeIdUri") == Some(scheme))?.get("value")?.parse().ok()
}

fn tiles(element: &Element) -> Option<(u64, u64)> {
    let found = properties(element).find(|p| {
        p.get("schemeIdUri")
            .is_some_and(|s| s.trim_end_matches('/').ends_with("dashif.org/guidelines/thumbnail_tile"))
    })?;
    let (columns, rows) = found.get("value")?.split_once('x')?;
    Some((columns.parse().ok()?, rows.parse().ok()?))
}
