//! Multivariant playlists (RFC 8216bis §4.4.6): variants, groups of renditions, and whether they fit together.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    attributes::Attributes,
    media,
    text::{Line, Text, Variables},
};
use crate::lint::{Place, Report, language, mp4::codecs, rules::hls as rules};

/// A multivariant playlist as it was understood.
#[derive(Debug, Clone)]
pub struct Multivariant {
    pub url: String,
    pub variables: Variables,
    pub independent: bool,
    pub variants: Vec<Variant>,
    pub renditions: Vec<Rendition>,
    pub iframes: Vec<Variant>,
    pub images: Vec<Variant>,
}

/// EXT-X-STREAM-INF, EXT-X-I-FRAME-STREAM-INF or EXT-X-IMAGE-STREAM-INF.
#[derive(Debug, Clone)]
pub struct Variant {
    pub uri: String,
    pub line: usize,
    pub attributes: Attributes,
}

/// EXT-X-MEDIA.
#[derive(Debug, Clone)]
pub struct Rendition {
    pub kind: String,
    pub group: String,
    pub name: String,
    pub uri: Option<String>,
    pub line: usize,
    pub attributes: Attributes,
}

impl Variant {
    pub fn codecs(&self) -> Vec<&str> {
        let list = self.attributes.get("CODECS").unwrap_or_default();
        list.split(',').map(str::trim).filter(|c| !c.is_empty()).collect()
    }
}

impl Multivariant {
    /// Renditions of the groups of a variant that have a playlist of their own.
    pub fn renditions_of<'a>(&'a self, variant: &'a Variant) -> impl Iterator<Item = &'a Rendition> {
        self.renditions
            .iter()
            .filter(|r| r.uri.is_some() && variant.attributes.get(&r.kind) == Some(r.group.as_str()))
    }
}

pub fn read(text: Text, report: &mut Report) -> Multivariant {
    let mut out = Multivariant {
        url: text.url.clone(),
        independent: text.has("EXT-X-INDEPENDENT-SEGMENTS"),
        variables: Variables::new(),
        variants: Vec::new(),
        renditions: Vec::new(),
        iframes: Vec::new(),
        images: Vec::new(),
    };
    let mut pending: Option<(usize, Attributes)> = None;
    for (number, line) in &text.lines {
        match line {
            Line::Uri(uri) => match pending.take() {
                Some((line, attributes)) => {
                    out.variants.push(Variant { uri: uri.clone(), line, attributes });
                }
                None => {
                    let what = format!("no EXT-X-STREAM-INF stands above `{uri}`");
                    report.add(&rules::URI_MISSING, text.place(*number), what);
                }
            },
            Line::Tag { name: "EXT-X-STREAM-INF", attributes, .. } => {
                if let Some((line, _)) = pending.replace((*number, attributes.clone())) {
                    report.add(&rules::URI_MISSING, text.place(line), "no URI follows this EXT-X-STREAM-INF");
                }
            }
            Line::Tag { name, attributes, .. } => out.tag(name, *number, attributes, &text, report),
        }
    }
    if let Some((line, _)) = pending {
        report.add(&rules::URI_MISSING, text.place(line), "no URI follows this EXT-X-STREAM-INF");
    }
    if out.variants.is_empty() {
        report.add(&rules::NO_VARIANTS, Place::whole(&text.url), "it has no variant");
    }
    session_data(&text, report);
    for variant in &out.variants {
        check_variant(&out, variant, report);
    }
    for variant in &out.iframes {
        check_codecs(&out.url, variant, report);
        average(&out.url, variant, report);
    }
    captions(&out, report);
    groups(&out, report);
    let video = out.variants.iter().any(|v| v.attributes.get("RESOLUTION").is_some());
    if video && out.iframes.is_empty() {
        report.add(&rules::IFRAMES_MISSING, Place::whole(&text.url), "there is no EXT-X-I-FRAME-STREAM-INF");
    }
    out.variables = text.variables;
    out
}

impl Multivariant {
    fn tag(&mut self, name: &str, line: usize, attributes: &Attributes, text: &Text, report: &mut Report) {
        let place = text.place(line);
        let get = |name: &str| attributes.get(name).unwrap_or_default().to_owned();
        match name {
            "EXT-X-MEDIA" => {
                rendition(attributes, &place, report);
                self.renditions.push(Rendition {
                    kind: get("TYPE"),
                    group: get("GROUP-ID"),
                    name: get("NAME"),
                    uri: attributes.get("URI").map(str::to_owned),
                    line,
                    attributes: attributes.clone(),
                });
            }
            "EXT-X-I-FRAME-STREAM-INF" | "EXT-X-IMAGE-STREAM-INF" => {
                let variant = Variant { uri: get("URI"), line, attributes: attributes.clone() };
                if name == "EXT-X-IMAGE-STREAM-INF" {
                    self.images.push(variant);
                } else {
                    self.iframes.push(variant);
                }
            }
            "EXT-X-SESSION-KEY" => {
                media::key(name, attributes, &place, report);
                if attributes.get("METHOD") == Some("NONE") {
                    report.add(&rules::SESSION_KEY, place, "METHOD is NONE");
                }
            }
            _ => {}
        }
    }
}

/// EXT-X-MEDIA by itself (§4.4.6.1).
fn rendition(attributes: &Attributes, place: &Place, report: &mut Report) {
    let kind = attributes.get("TYPE").unwrap_or_default();
    let (uri, instream) = (attributes.get("URI").is_some(), attributes.get("INSTREAM-ID").is_some());
    let wrong = match kind {
        "SUBTITLES" if !uri => Some("SUBTITLES stand without URI"),
        "CLOSED-CAPTIONS" if uri => Some("CLOSED-CAPTIONS stand with URI"),
        "CLOSED-CAPTIONS" if !instream => Some("CLOSED-CAPTIONS stand without INSTREAM-ID"),
        "AUDIO" | "VIDEO" | "SUBTITLES" if instream => {
            Some("INSTREAM-ID stands on what is not CLOSED-CAPTIONS")
        }
        _ => None,
    };
    if let Some(what) = wrong {
        report.add(&rules::MEDIA_URI, place.clone(), what);
    }
    if attributes.get("FORCED").is_some() && kind != "SUBTITLES" {
        report.add(&rules::MEDIA_FORCED, place.clone(), format!("FORCED stands on TYPE={kind}"));
    }
    if attributes.yes("DEFAULT") && attributes.get("AUTOSELECT") == Some("NO") {
        report.add(&rules::DEFAULT_AUTOSELECT, place.clone(), "DEFAULT=YES stands with AUTOSELECT=NO");
    }
    for name in ["LANGUAGE", "ASSOC-LANGUAGE"] {
        if let Some(tag) = attributes.get(name).filter(|tag| !language::is_well_formed(tag)) {
            report.add(&rules::LANGUAGE, place.clone(), format!("{name} is `{tag}`"));
        }
    }
}

/// EXT-X-STREAM-INF by itself, and the groups it names (§4.4.6.2).
fn check_variant(all: &Multivariant, variant: &Variant, report: &mut Report) {
    let place = Place::line(&all.url, variant.line);
    check_codecs(&all.url, variant, report);
    average(&all.url, variant, report);
    let has = |name: &str| variant.attributes.get(name).is_some();
    let video = variant.codecs().iter().any(|c| codecs::is_video(c));
    if !has("CODECS") {
        report.add(&rules::CODECS_MISSING, place.clone(), format!("`{}` has no CODECS", variant.uri));
    }
    if video && !has("RESOLUTION") {
        report.add(&rules::RESOLUTION_MISSING, place.clone(), format!("`{}` has no RESOLUTION", variant.uri));
    }
    if (video || has("RESOLUTION")) && !has("FRAME-RATE") {
        report.add(&rules::FRAME_RATE_MISSING, place.clone(), format!("`{}` has no FRAME-RATE", variant.uri));
    }
    for kind in ["AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS"] {
        let Some(group) = variant.attributes.get(kind) else { continue };
        let none = kind == "CLOSED-CAPTIONS" && group == "NONE";
        if !none && !all.renditions.iter().any(|r| r.kind == kind && r.group == group) {
            let what = format!("{kind}=\"{group}\" names no EXT-X-MEDIA of that TYPE");
            report.add(&rules::GROUP_MISSING, place.clone(), what);
        }
    }
}

fn check_codecs(url: &str, variant: &Variant, report: &mut Report) {
    for codec in variant.codecs().into_iter().filter(|c| !codecs::is_well_formed(c)) {
        let what = format!("`{codec}` is not written as its format prescribes");
        report.add(&rules::CODECS_SYNTAX, Place::line(url, variant.line), what);
    }
}

fn average(url: &str, variant: &Variant, report: &mut Report) {
    let (peak, average) =
        (variant.attributes.integer("BANDWIDTH"), variant.attributes.integer("AVERAGE-BANDWIDTH"));
    if let Some((average, peak)) = average.zip(peak).filter(|(average, peak)| average > peak) {
        let what = format!("AVERAGE-BANDWIDTH is {average}, BANDWIDTH {peak}");
        report.add(&rules::AVERAGE_ABOVE_PEAK, Place::line(url, variant.line), what);
    }
}

fn captions(all: &Multivariant, report: &mut Report) {
    let none = |v: &&Variant| v.attributes.get("CLOSED-CAPTIONS") == Some("NONE");
    let with = all.variants.iter().filter(none).count();
    if with > 0
        && let Some(other) = all.variants.iter().find(|v| !none(v))
    {
        let what =
            format!("{with} of {} variants say CLOSED-CAPTIONS=NONE, this one does not", all.variants.len());
        report.add(&rules::CAPTIONS_NONE, Place::line(&all.url, other.line), what);
    }
}

fn session_data(text: &Text, report: &mut Report) {
    let mut seen = BTreeSet::new();
    for (line, _, attributes) in text.all("EXT-X-SESSION-DATA") {
        let mut say = |what: String| report.add(&rules::SESSION_DATA, text.place(line), what);
        let (value, uri) = (attributes.get("VALUE").is_some(), attributes.get("URI").is_some());
        if value == uri {
            say(format!("it has {} VALUE and URI", if value { "both" } else { "neither" }));
        }
        let key = (attributes.get("DATA-ID"), attributes.get("LANGUAGE"));
        if !seen.insert(key) {
            say(format!("DATA-ID {} stands twice in a language", key.0.unwrap_or_default()));
        }
    }
}

/// Rules within a group and between groups of one type (§4.4.6.1.1, §4.4.6.2.1).
fn groups(all: &Multivariant, report: &mut Report) {
    let mut groups: BTreeMap<(&str, &str), Vec<&Rendition>> = BTreeMap::new();
    for rendition in &all.renditions {
        groups.entry((&rendition.kind, &rendition.group)).or_default().push(rendition);
    }
    for ((kind, id), members) in &groups {
        within(&all.url, id, members, report);
        if !all.variants.iter().chain(&all.iframes).any(|v| v.attributes.get(kind) == Some(id)) {
            let what = format!("no variant names the {kind} group \"{id}\"");
            report.add(&rules::GROUP_UNUSED, Place::line(&all.url, members[0].line), what);
        }
    }
    let mut first: BTreeMap<&str, (&str, &Vec<&Rendition>)> = BTreeMap::new();
    for ((kind, id), members) in &groups {
        let Some((other, reference)) = first.get(kind) else {
            first.insert(kind, (id, members));
            continue;
        };
        let shape = |members: &[&Rendition]| members.iter().map(|r| alike(r)).collect::<BTreeSet<_>>();
        if shape(members) != shape(reference) {
            let what = format!("the {kind} groups \"{other}\" and \"{id}\" have not the same renditions");
            report.add(&rules::GROUPS_DIFFER, Place::line(&all.url, members[0].line), what);
        }
    }
}

/// What must be alike in the matching renditions of two groups.
fn alike(rendition: &Rendition) -> Vec<String> {
    ["NAME", "LANGUAGE", "ASSOC-LANGUAGE", "DEFAULT", "AUTOSELECT", "FORCED", "CHARACTERISTICS"]
        .map(|name| rendition.attributes.get(name).unwrap_or_default().to_owned())
        .to_vec()
}

fn within(url: &str, id: &str, members: &[&Rendition], report: &mut Report) {
    let (mut names, mut selectors) = (BTreeSet::new(), BTreeSet::new());
    let mut default: Option<&Rendition> = None;
    for rendition in members {
        let place = Place::line(url, rendition.line);
        let attributes = &rendition.attributes;
        if !names.insert(&rendition.name) {
            let what = format!("the NAME \"{}\" stands twice in the group \"{id}\"", rendition.name);
            report.add(&rules::GROUP_NAME, place.clone(), what);
        }
        if attributes.yes("DEFAULT")
            && let Some(other) = default.replace(rendition)
        {
            let what = format!(
                "\"{}\" and \"{}\" of the group \"{id}\" both have DEFAULT=YES",
                other.name, rendition.name
            );
            report.add(&rules::GROUP_DEFAULT, place.clone(), what);
        }
        let selector = ["LANGUAGE", "ASSOC-LANGUAGE", "FORCED", "CHARACTERISTICS", "INSTREAM-ID"]
            .map(|name| attributes.get(name).unwrap_or_default());
        if attributes.yes("AUTOSELECT") && !selectors.insert(selector) {
            let what = format!(
                "\"{}\" cannot be told from another AUTOSELECT=YES rendition of \"{id}\"",
                rendition.name
            );
            report.add(&rules::AUTOSELECT_SAME, place, what);
        }
    }
}
