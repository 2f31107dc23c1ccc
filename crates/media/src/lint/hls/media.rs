//! Media playlists (RFC 8216bis §4.4.3 to §4.4.5): what they list, and whether they keep their own rules.

use std::{collections::BTreeMap, ops::Range};

use super::{
    attributes::{Attributes, resolution},
    low_latency,
    text::{Line, Text},
};
use crate::lint::{
    Place, Report, number,
    rules::{hls, hls_media as rules},
};

/// A media playlist as it was understood.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MediaPlaylist {
    pub url: String,
    /// Seconds.
    pub target: Option<u64>,
    pub sequence: u64,
    pub discontinuity_sequence: u64,
    pub kind: Option<String>,
    pub ended: bool,
    pub iframes_only: bool,
    pub images_only: bool,
    pub independent: bool,
    pub segments: Vec<Segment>,
    pub maps: Vec<Map>,
    /// Microseconds; told when there are parts.
    pub part_target: Option<i64>,
    /// Size and layout of the tiles on each sheet, where they are told.
    pub tiles: Vec<Option<Tiles>>,
}

/// An `EXT-X-MAP`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map {
    pub uri: String,
    pub range: Option<Range<u64>>,
    pub line: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tiles {
    pub tile: (u64, u64),
    pub layout: (u64, u64),
    pub line: usize,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Segment {
    pub uri: String,
    pub line: usize,
    /// Microseconds.
    pub duration: i64,
    pub range: Option<Range<u64>>,
    pub discontinuity: bool,
    /// Index into the playlist's maps.
    pub map: Option<usize>,
    /// METHOD of the keys that apply, NONE left out.
    pub methods: Vec<String>,
    /// Microseconds since the Unix epoch, where it is told.
    pub date: Option<i64>,
    pub gap: bool,
    /// Kilobits per second.
    pub bitrate: Option<u64>,
    /// Durations of the parts, microseconds.
    pub parts: Vec<i64>,
}

impl MediaPlaylist {
    /// Where each segment begins, and the end of the last, in microseconds from the playlist's start.
    pub fn starts(&self) -> Vec<i64> {
        let mut at = 0i64;
        let mut starts = vec![0];
        for segment in &self.segments {
            at = at.saturating_add(segment.duration).min(number::LONGEST);
            starts.push(at);
        }
        starts
    }

    /// Microseconds.
    pub fn duration(&self) -> i64 {
        self.segments.iter().map(|s| s.duration).fold(0, i64::saturating_add).min(number::LONGEST)
    }

    pub fn target_micros(&self) -> i64 {
        i64::try_from(self.target.unwrap_or(0).min(1_000_000)).unwrap_or(0).saturating_mul(1_000_000)
    }

    /// Discontinuity sequence number of each segment.
    pub fn discontinuities(&self) -> Vec<u64> {
        let mut at = self.discontinuity_sequence;
        let of = |segment: &Segment| {
            at = at.saturating_add(u64::from(segment.discontinuity));
            at
        };
        self.segments.iter().map(of).collect()
    }
}

/// What has been read so far of the next segment, and what holds until told otherwise.
struct Reader<'a> {
    text: &'a Text,
    report: &'a mut Report,
    out: MediaPlaylist,
    next: Segment,
    has_extinf: bool,
    /// Line of the first tag of a segment that still lacks its URI.
    pending: Option<usize>,
    range: Option<(u64, Option<u64>)>,
    /// Where the last range of each resource ended.
    ends: BTreeMap<String, u64>,
    keys: Vec<(String, String)>,
    tiles: Option<Tiles>,
}

pub fn read(text: &Text, report: &mut Report) -> MediaPlaylist {
    let out = MediaPlaylist {
        url: text.url.clone(),
        target: text.integer("EXT-X-TARGETDURATION"),
        sequence: text.integer("EXT-X-MEDIA-SEQUENCE").unwrap_or(0),
        discontinuity_sequence: text.integer("EXT-X-DISCONTINUITY-SEQUENCE").unwrap_or(0),
        kind: text.first("EXT-X-PLAYLIST-TYPE").map(|(_, value, _)| value.to_owned()),
        ended: text.has("EXT-X-ENDLIST"),
        iframes_only: text.has("EXT-X-I-FRAMES-ONLY"),
        images_only: text.has("EXT-X-IMAGES-ONLY"),
        independent: text.has("EXT-X-INDEPENDENT-SEGMENTS"),
        part_target: text.first("EXT-X-PART-INF").and_then(|(_, _, a)| a.micros("PART-TARGET")),
        ..MediaPlaylist::default()
    };
    let mut reader = Reader {
        text,
        report,
        out,
        next: Segment::default(),
        has_extinf: false,
        pending: None,
        range: None,
        ends: BTreeMap::new(),
        keys: Vec::new(),
        tiles: None,
    };
    for (number, line) in &text.lines {
        match line {
            Line::Tag { name, value, attributes } => reader.tag(*number, name, value, attributes),
            Line::Uri(uri) => reader.uri(*number, uri),
        }
    }
    if let Some(line) = reader.pending.filter(|_| reader.has_extinf) {
        reader.report.add(&hls::URI_MISSING, text.place(line), "no URI follows this EXTINF");
    }
    let out = reader.out;
    head(text, &out, report);
    durations(&out, report);
    dates(&out, report);
    for (line, _, attributes) in text.all("EXT-X-DATERANGE") {
        date_range(attributes, &text.place(line), report);
    }
    low_latency::check(text, &out, report);
    out
}

impl Reader<'_> {
    fn tag(&mut self, line: usize, name: &str, value: &str, attributes: &Attributes) {
        let place = self.text.place(line);
        match name {
            "EXTINF" => {
                self.pending = Some(line);
                self.has_extinf = true;
                let duration = value.split(',').next().unwrap_or_default().trim();
                match number::micros(duration).filter(|d| *d >= 0) {
                    Some(micros) => self.next.duration = micros,
                    None => {
                        let what = format!("EXTINF: `{duration}` is no duration in seconds");
                        self.report.add(&hls::TAG_SYNTAX, place, what);
                    }
                }
            }
            "EXT-X-BYTERANGE" => match byte_range(value) {
                Some(range) => self.range = Some(range),
                None => {
                    let what = format!("EXT-X-BYTERANGE: `{value}` is not <n>[@<o>]");
                    self.report.add(&hls::TAG_SYNTAX, place, what);
                }
            },
            "EXT-X-DISCONTINUITY" => self.next.discontinuity = true,
            "EXT-X-MAP" => self.map(line, attributes),
            "EXT-X-KEY" => {
                key(name, attributes, &place, self.report);
                let format = attributes.get("KEYFORMAT").unwrap_or("identity").to_owned();
                let method = attributes.get("METHOD").unwrap_or("NONE").to_owned();
                if method == "NONE" {
                    self.keys.clear();
                } else {
                    self.keys.retain(|(f, _)| *f != format);
                    self.keys.push((format, method));
                }
            }
            "EXT-X-PROGRAM-DATE-TIME" => self.date(value, place),
            "EXT-X-GAP" => self.next.gap = true,
            "EXT-X-BITRATE" => self.next.bitrate = value.parse().ok(),
            "EXT-X-PART" => self.next.parts.push(attributes.micros("DURATION").unwrap_or(0)),
            "EXT-X-TILES" => {
                let pair = |name: &str| attributes.get(name).and_then(resolution);
                self.tiles =
                    pair("RESOLUTION").zip(pair("LAYOUT")).map(|(tile, layout)| Tiles { tile, layout, line });
            }
            "EXT-X-MEDIA-SEQUENCE" | "EXT-X-DISCONTINUITY-SEQUENCE" if !self.out.segments.is_empty() => {
                let what = format!("{name} follows the first segment");
                self.report.add(&hls::TAG_PLACEMENT, place, what);
            }
            "EXT-X-DISCONTINUITY-SEQUENCE" if self.next.discontinuity => {
                let what = format!("{name} follows an EXT-X-DISCONTINUITY");
                self.report.add(&hls::TAG_PLACEMENT, place, what);
            }
            _ => {}
        }
    }

    fn date(&mut self, value: &str, place: Place) {
        match number::date_time(value) {
            None => {
                let what = format!("`{value}` is no date and time");
                self.report.add(&rules::DATE_TIME, place, what);
            }
            Some((date, zone)) => {
                if !zone {
                    self.report.add(&rules::DATE_TIME_ZONE, place, format!("`{value}` has no time zone"));
                }
                self.next.date = Some(date);
            }
        }
    }

    fn map(&mut self, line: usize, attributes: &Attributes) {
        let Some(uri) = attributes.get("URI") else { return };
        let range = attributes.get("BYTERANGE").and_then(|value| {
            let range = byte_range(value);
            if range.is_none() {
                let what = format!("EXT-X-MAP: BYTERANGE `{value}` is not <n>[@<o>]");
                self.report.add(&hls::TAG_SYNTAX, self.text.place(line), what);
            }
            range
        });
        let range =
            range.map(|(length, offset)| offset.unwrap_or(0)..offset.unwrap_or(0).saturating_add(length));
        self.out.maps.push(Map { uri: uri.to_owned(), range, line });
    }

    fn uri(&mut self, line: usize, uri: &str) {
        if !self.has_extinf {
            let what = format!("`{uri}` has no EXTINF");
            self.report.add(&rules::EXTINF_MISSING, self.text.place(line), what);
        }
        let mut segment = std::mem::take(&mut self.next);
        if let Some((length, offset)) = self.range.take() {
            let start = match offset.or_else(|| self.ends.get(uri).copied()) {
                Some(start) => start,
                None => {
                    let what =
                        format!("the range of `{uri}` has no offset, and none of its ranges stands before");
                    self.report.add(&rules::BYTERANGE, self.text.place(line), what);
                    0
                }
            };
            let end = start.saturating_add(length);
            self.ends.insert(uri.to_owned(), end);
            segment.range = Some(start..end);
        }
        uri.clone_into(&mut segment.uri);
        segment.line = line;
        segment.map = self.out.maps.len().checked_sub(1);
        segment.methods = self.keys.iter().map(|(_, method)| method.clone()).collect();
        self.out.segments.push(segment);
        self.out.tiles.push(self.tiles);
        self.has_extinf = false;
        self.pending = None;
    }
}

/// `<n>[@<o>]`
fn byte_range(text: &str) -> Option<(u64, Option<u64>)> {
    let number =
        |s: &str| (!s.is_empty() && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse().ok())?;
    match text.split_once('@') {
        Some((length, offset)) => Some((number(length)?, Some(number(offset)?))),
        None => Some((number(text)?, None)),
    }
}

/// EXT-X-KEY and EXT-X-SESSION-KEY (§4.4.4.4).
pub fn key(tag: &str, attributes: &Attributes, place: &Place, report: &mut Report) {
    let mut say = |what: String| report.add(&hls::KEY, place.clone(), format!("{tag}: {what}"));
    if attributes.get("METHOD") == Some("NONE") {
        if let Some(other) = attributes.names().find(|n| *n != "METHOD") {
            say(format!("METHOD=NONE stands with {other}"));
        }
        return;
    }
    if attributes.get("METHOD").is_some() && attributes.get("URI").is_none() {
        say("there is no URI".into());
    }
    if let Some(iv) = attributes.get("IV").filter(|iv| iv.len() != 34) {
        say(format!("IV `{iv}` has not 128 bits"));
    }
    let versions = attributes.get("KEYFORMATVERSIONS");
    if let Some(bad) = versions.filter(|v| v.split('/').any(|n| n.parse::<u64>().map_or(true, |n| n == 0))) {
        say(format!("KEYFORMATVERSIONS is `{bad}`"));
    }
}

/// Tags about the whole playlist.
fn head(text: &Text, playlist: &MediaPlaylist, report: &mut Report) {
    let whole = Place::whole(&text.url);
    if playlist.target.is_none() && !text.has("EXT-X-TARGETDURATION") {
        report.add(&rules::TARGET_MISSING, whole.clone(), "there is no EXT-X-TARGETDURATION");
    }
    let kind = text.first("EXT-X-PLAYLIST-TYPE");
    if let Some((line, value, _)) = kind.filter(|(_, value, _)| !matches!(*value, "VOD" | "EVENT")) {
        let what = format!("EXT-X-PLAYLIST-TYPE is `{value}`, neither VOD nor EVENT");
        report.add(&hls::TAG_SYNTAX, text.place(line), what);
    }
    if playlist.kind.as_deref() == Some("VOD") && !playlist.ended {
        report.add(&rules::VOD_WITHOUT_END, whole.clone(), "the type is VOD, and there is no EXT-X-ENDLIST");
    }
    if playlist.segments.is_empty() {
        report.add(&rules::NO_SEGMENTS, whole, "it lists no segment");
    }
    if let Some((line, _, start)) = text.first("EXT-X-START") {
        let offset = start.micros("TIME-OFFSET").unwrap_or(0);
        let duration = playlist.duration();
        if offset.saturating_abs() > duration {
            let what = format!(
                "TIME-OFFSET is {} s, the playlist lasts {} s",
                number::seconds(offset),
                number::seconds(duration)
            );
            report.add(&hls::START, text.place(line), what);
        }
    }
}

fn durations(playlist: &MediaPlaylist, report: &mut Report) {
    let Some(target) = playlist.target else { return };
    // Rounded to the nearest integer (§4.4.3.1).
    let rounded = |micros: i64| u64::try_from((micros + 500_000).div_euclid(1_000_000)).unwrap_or(0);
    for segment in &playlist.segments {
        if rounded(segment.duration) > target {
            let what = format!(
                "EXTINF {} s exceeds the target duration of {target} s",
                number::seconds(segment.duration)
            );
            report.add(&rules::TARGET_EXCEEDED, Place::line(&playlist.url, segment.line), what);
        }
    }
    let longest = playlist.segments.iter().map(|s| rounded(s.duration)).max().unwrap_or(target);
    if playlist.ended && !playlist.iframes_only && !playlist.images_only && target > longest.max(1) * 2 {
        let what = format!("the target duration is {target} s, the longest segment lasts {longest} s");
        report.add(&rules::TARGET_SLACK, Place::whole(&playlist.url), what);
    }
}

/// Dates advance with the segments, within a tenth of a second.
fn dates(playlist: &MediaPlaylist, report: &mut Report) {
    let mut expected: Option<i64> = None;
    for segment in &playlist.segments {
        if segment.discontinuity {
            expected = None;
        }
        if let Some((date, wanted)) = segment.date.zip(expected)
            && (date - wanted).abs() > 100_000
        {
            let off = number::seconds(date - wanted);
            let what = format!("the date is {off} s from where the durations before lead");
            report.add(&rules::DATE_TIME_DRIFT, Place::line(&playlist.url, segment.line), what);
        }
        expected = segment.date.or(expected).map(|date| date.saturating_add(segment.duration));
    }
}

/// EXT-X-DATERANGE (§4.4.5.1).
fn date_range(attributes: &Attributes, place: &Place, report: &mut Report) {
    let mut date = |name: &str| {
        let text = attributes.get(name)?;
        let read = number::date_time(text);
        if read.is_none() {
            report.add(&rules::DATERANGE, place.clone(), format!("{name} `{text}` is no date and time"));
        }
        read.map(|(date, _)| date)
    };
    let (start, end) = (date("START-DATE"), date("END-DATE"));
    let mut say = |what: &str| report.add(&rules::DATERANGE, place.clone(), what);
    if start.zip(end).is_some_and(|(start, end)| end < start) {
        say("END-DATE is before START-DATE");
    }
    if attributes.yes("END-ON-NEXT") {
        if attributes.get("CLASS").is_none() {
            say("END-ON-NEXT stands without CLASS");
        }
        if attributes.get("DURATION").is_some() || attributes.get("END-DATE").is_some() {
            say("END-ON-NEXT stands with DURATION or END-DATE");
        }
    }
    let duration = attributes.micros("DURATION");
    if let Some(((start, end), duration)) = start.zip(end).zip(duration)
        && (end - start - duration).abs() > 1_000_000
    {
        say("END-DATE is not START-DATE plus DURATION");
    }
}
