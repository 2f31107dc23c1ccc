//! A presentation in memory, good until a test breaks it.

use std::{collections::BTreeMap, sync::OnceLock, time::Duration};

use bytes::Bytes;
use media::{
    cmaf::Kind,
    dash,
    descriptor::{Descriptor, Extent, FORMAT, Range, Segment, Storyboard, Track, TrackKind},
    hls, iframe,
    lint::{self, Answer, Failure, Options, Report, Source, Want},
    mp4::Header,
    selection::Selection,
};

use crate::support;

/// Files by name, as they are and as they will be after each pause.
#[derive(Debug, Clone, Default)]
pub struct World {
    pub files: BTreeMap<String, Vec<u8>>,
    /// What is put in place of files at each pause.
    pub updates: Vec<BTreeMap<String, Vec<u8>>>,
    /// Answers have a status and header fields.
    pub http: bool,
    /// Header fields of files instead of the right ones.
    pub headers: BTreeMap<String, Vec<(&'static str, &'static str)>>,
    /// A server that does not know byte ranges.
    pub no_ranges: bool,
}

impl World {
    pub fn check(&self, root: &str) -> Report {
        self.try_check(root).unwrap()
    }

    pub fn try_check(&self, root: &str) -> Result<Report, Failure> {
        let mut source = Served { world: self.clone(), paused: 0 };
        lint::check(&mut source, root, &Options { all_segments: true, reload: true })
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.files[name].clone()).unwrap()
    }

    /// Replaces text that must be there.
    pub fn replace(&mut self, name: &str, from: &str, to: &str) {
        let text = self.text(name);
        assert!(text.contains(from), "{name} lacks `{from}`:\n{text}");
        self.files.insert(name.into(), text.replacen(from, to, 1).into_bytes());
    }

    pub fn edit(&mut self, name: &str, change: impl FnOnce(&[u8]) -> Vec<u8>) {
        let changed = change(&self.files[name]);
        assert_ne!(changed, self.files[name], "{name} is as it was");
        self.files.insert(name.into(), changed);
    }

    /// What `name` becomes at the next pause that has no update yet.
    pub fn then(&mut self, name: &str, change: impl FnOnce(&str) -> String) {
        let last = self.updates.iter().rev().find_map(|u| u.get(name)).unwrap_or(&self.files[name]);
        let next = change(std::str::from_utf8(last).unwrap());
        self.updates.push(BTreeMap::from([(name.to_owned(), next.into_bytes())]));
    }
}

struct Served {
    world: World,
    paused: usize,
}

impl Source for Served {
    fn fetch(&mut self, wants: &[Want]) -> Vec<Result<Answer, Failure>> {
        wants.iter().map(|want| self.one(want)).collect()
    }

    fn resolve(&self, base: &str, reference: &str) -> Option<String> {
        if reference.contains([' ', '\\']) {
            return None;
        }
        let folder = base.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
        for part in reference.split('?').next()?.split('/') {
            match part {
                ".." => drop(parts.pop()),
                "." => {}
                part => parts.push(part),
            }
        }
        Some(parts.join("/"))
    }

    fn pause(&mut self, _: Duration) -> bool {
        if let Some(update) = self.world.updates.get(self.paused) {
            self.world.files.extend(update.clone());
        }
        self.paused += 1;
        true
    }
}

impl Served {
    fn one(&self, want: &Want) -> Result<Answer, Failure> {
        let missing = || Failure::Unavailable("there is no such file".into());
        let whole = self.world.files.get(&want.url).ok_or_else(missing)?;
        let range = want.range.clone().filter(|_| !self.world.no_ranges);
        let body = match &range {
            Some(range) => whole
                .get(range.start as usize..(range.end as usize).max(range.start as usize))
                .ok_or_else(missing)?
                .to_vec(),
            None => whole.clone(),
        };
        let mut answer = Answer {
            url: want.url.clone(),
            size: Some(body.len() as u64),
            body: body.into(),
            ..Answer::default()
        };
        if self.world.http {
            answer.status = if range.is_some() { 206 } else { 200 };
            let right =
                [("content-type", content_type(&want.url)), ("access-control-allow-origin", "*")].to_vec();
            let told = self.world.headers.get(&want.url).unwrap_or(&right);
            answer.headers = told.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        }
        Ok(answer)
    }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "m3u8" => "application/vnd.apple.mpegurl",
        "mpd" => "application/dash+xml",
        "ts" => "video/mp2t",
        "vtt" => "text/vtt",
        "jpg" => "image/jpeg",
        "aac" => "audio/aac",
        _ => "video/mp4",
    }
}

/// Two rungs of 8 s at 24 frames a second, segments of 2 s of two GOPs, one audio track, a storyboard; HLS and DASH.
pub fn good() -> World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| made(true)).clone()
}

/// As `good`, still growing, with three segments.
pub fn growing() -> World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| made(false)).clone()
}

/// A complete presentation of 8 s without tracks.
pub fn empty() -> Descriptor {
    Descriptor {
        format: FORMAT,
        presentation: "p".into(),
        version: 1,
        complete: true,
        created_at: 1_750_000_000_000_000,
        planned_duration_ms: 8000,
        longest_segment_ms: 2020,
        tracks: Vec::new(),
        storyboard: None,
    }
}

fn made(complete: bool) -> World {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::default();
    let mut descriptor = Descriptor { complete, ..empty() };
    for (id, width, height) in [("v96p", 128, 96), ("v48p", 64, 48)] {
        let source = support::video(dir.path(), 192, "24", &format!("{width}x{height}"));
        let kind = TrackKind::Video { width, height, frame_rate: (24, 1), range: Range::Sdr };
        let ticks = u64::from(Header::parse_file(&source).unwrap().tracks[0].timescale / 24) * 2;
        let track = track(&mut world, (id, kind), &source, 2, Kind::Video { delay: ticks as u32 }, complete);
        descriptor.tracks.push(track);
    }
    let source = support::audio(dir.path(), 8, 48_000, 2);
    let kind = TrackKind::Audio { sample_rate: 48_000, channels: 2, joc: None };
    descriptor.tracks.push(track(&mut world, ("a0", kind), &source, 94, Kind::Audio, complete));
    if complete {
        storyboard(&mut world, &mut descriptor, dir.path());
    }
    manifests(&mut world, &descriptor, Selection::ALL);
    world
}

pub fn track(
    world: &mut World,
    (id, kind): (&str, TrackKind),
    source: &[u8],
    per_segment: usize,
    written: Kind,
    complete: bool,
) -> Track {
    let (init, mut segments) = support::rewrite(source, per_segment, written);
    if !complete {
        segments.truncate(3);
    }
    let header = Header::parse_file(&init).unwrap();
    let mut pictures = 0;
    for (n, segment) in segments.iter().enumerate() {
        let mut bytes = Vec::new();
        segment.write_to(&mut bytes);
        let bytes = Bytes::from(bytes);
        for k in 0..segment.index.sync.len() {
            let (mut head, picture) = iframe::build(&bytes, k, pictures + 1).unwrap();
            head.extend_from_slice(&picture);
            world.files.insert(format!("{id}/i{pictures}.m4s"), head);
            pictures += 1;
        }
        world.files.insert(format!("{id}/{n}.m4s"), bytes.to_vec());
    }
    world.files.insert(format!("{id}/init.mp4"), init);
    let index: Vec<Segment> = segments.into_iter().map(|s| s.index).collect();
    Track {
        id: id.into(),
        kind,
        codec: header.tracks[0].codec.clone(),
        timescale: header.tracks[0].timescale,
        language: (written == Kind::Audio).then(|| "en".into()),
        label: id.into(),
        default: true,
        init: String::new(),
        extents: vec![Extent { object: id.into(), offset: 0, shift: 0, segments: index }],
    }
}

fn storyboard(world: &mut World, descriptor: &mut Descriptor, dir: &std::path::Path) {
    let args = [
        "-loglevel",
        "error",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=128x96",
        "-frames:v",
        "1",
        "-f",
        "mjpeg",
        "pipe:1",
    ];
    let sheet = support::quiet("ffmpeg", &args, dir);
    descriptor.storyboard = Some(Storyboard {
        tile_width: 64,
        tile_height: 48,
        columns: 2,
        rows: 2,
        interval_ms: 2000,
        tiles: 4,
        sheets: vec![("s".into(), sheet.len() as u64)],
    });
    world.files.insert("storyboard/1.jpg".into(), sheet);
}

pub fn manifests(world: &mut World, descriptor: &Descriptor, selection: Selection) {
    let mut put = |name: String, text: String| world.files.insert(name, text.into_bytes());
    put("main.m3u8".into(), hls::multivariant(descriptor, selection));
    put("main.mpd".into(), dash::mpd(descriptor, selection, 1_750_000_100_000_000));
    for track in &descriptor.tracks {
        put(format!("{}/playlist.m3u8", track.id), hls::media_playlist(descriptor, track));
        if track.is_video() {
            put(format!("{}/iframes.m3u8", track.id), hls::iframe_playlist(descriptor, track));
        }
    }
    if let Some(board) = &descriptor.storyboard {
        put("storyboard/playlist.m3u8".into(), hls::image_playlist(board));
    }
}
