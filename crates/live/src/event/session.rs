//! One publisher on air: its ladder, and the frames of all tracks in the event's order.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use media::{
    cmaf::{Media, TrackSpec},
    codec::Sound,
    descriptor::{Descriptor, TrackKind},
    measure,
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use super::Making;
use crate::{
    Feed, Kind, Slot, Track, TrackId, Windows, feed,
    ladder::{self, Losses, Plan, Rung, Starter, can_stay},
    ring::{Frame, Item, Ring, Start},
};

/// How long it is waited for key frames and for sound before an event begins.
const LOOKS: Duration = Duration::from_millis(2_600);
/// How long encoders may take to begin.
const BEGINS: Duration = Duration::from_secs(8);
/// Frames on their way to the packager.
const ON_THE_WAY: usize = 512;
const TOP: TrackId = TrackId { kind: Kind::Video, number: 0 };
const SOUND: TrackId = TrackId { kind: Kind::Audio, number: 0 };

/// What the tracks of an event are, the leader first, the sound last.
#[derive(Debug, Clone)]
pub struct Tracks {
    pub specs: Vec<TrackSpec>,
    /// Bits per second that each may need.
    pub declared_bps: Vec<u32>,
    pub frame_rate: (u32, u32),
}

impl Tracks {
    /// Those of an event that has begun before.
    pub fn recall(descriptor: &Descriptor) -> Option<Self> {
        let (mut specs, mut declared_bps, mut frame_rate) = (Vec::new(), Vec::new(), (30, 1));
        for track in &descriptor.tracks {
            specs.push(TrackSpec::from_init(&STANDARD.decode(&track.init).ok()?).ok()?);
            let peak =
                measure::bandwidth(&measure::segments(track), track.timescale, descriptor.longest_segment_ms)
                    .peak;
            declared_bps.push(u32::try_from(peak).unwrap_or(u32::MAX));
            if let TrackKind::Video { frame_rate: told, .. } = track.kind {
                frame_rate = told;
            }
        }
        (!specs.is_empty()).then_some(Self { specs, declared_bps, frame_rate })
    }

    fn sound(&self) -> Option<(u32, u32)> {
        self.specs.iter().find_map(|spec| match &spec.media {
            Media::Audio(sound) => Some((sound.sample_rate(), sound.channels())),
            Media::Video { .. } => None,
        })
    }

    fn pictures(&self) -> impl Iterator<Item = (u32, u32)> {
        self.specs.iter().filter_map(size)
    }

    /// The pictures as an encoder makes them.
    pub fn rungs(&self) -> impl Iterator<Item = Rung> {
        let sizes = self.pictures().zip(&self.declared_bps);
        sizes.map(|((width, height), bps)| Rung { width, height, bitrate_bps: *bps })
    }
}

fn size(spec: &TrackSpec) -> Option<(u32, u32)> {
    match &spec.media {
        Media::Video { picture, .. } => Some((picture.width, picture.height)),
        Media::Audio(_) => None,
    }
}

/// A publisher's frames as tracks of the event.
#[derive(Debug)]
pub struct Session {
    pub slot: Slot,
    pub tracks: Tracks,
    /// The leader is the publisher's own picture.
    pub keeps_source: bool,
    /// Track and frame; `None`: the track is given up, and the others go on.
    pub frames: mpsc::Receiver<(usize, Option<Frame>)>,
    /// When the first picture came.
    pub first: Instant,
    /// What goes into the encoder, and the best that comes out of it.
    encoding: Option<(Ring, Ring)>,
    _tasks: Vec<AbortOnDropHandle<()>>,
}

impl Session {
    /// How long ago its first picture came, microseconds.
    pub fn age_us(&self) -> i64 {
        i64::try_from(self.first.elapsed().as_micros()).unwrap_or(i64::MAX)
    }

    /// The times of the newest pictures that went into the encoder and came out of it, microseconds; `None` where there is none.
    pub fn progress(&self) -> Option<(i64, i64)> {
        let (source, made) = self.encoding.as_ref()?;
        let micros = |frame: Frame| {
            let us = i128::from(frame.dts) * 1_000_000 / i128::from(frame.spec.timescale.max(1));
            i64::try_from(us).unwrap_or(0)
        };
        Some((micros(source.newest()?), micros(made.newest()?)))
    }
}

/// Puts a publisher on air, with the tracks that the event has if it has begun. `may_miss`: renditions may be given up before their first
/// picture. `None` when nothing can be made of it.
pub async fn open<S: Starter>(
    slot: Slot,
    source: Feed,
    making: Making,
    (known, may_miss): (Option<Tracks>, bool),
    longest_ms: u64,
    (starter, losses): (Arc<S>, Losses),
) -> Option<Session> {
    let (video, audio) = look(&source, known.is_some()).await;
    let wants_pictures = known.as_ref().is_none_or(|known| known.pictures().next().is_some());
    let video = video.filter(|_| wants_pictures);
    let plan = plan(&source, video.as_ref(), &making, known.as_ref(), longest_ms);
    let (writer, output) = feed(Windows::default(), Instant::now());
    let first = Instant::now() - video.as_ref().or(audio.as_ref()).map_or(Duration::ZERO, lag);
    let mut wanted = Vec::new();
    if video.is_some() {
        wanted.extend(plan.keeps_source.then_some(TOP));
        let rungs = (1..=plan.rungs.len()).filter_map(|n| u8::try_from(n).ok());
        wanted.extend(rungs.map(|number| TrackId { kind: Kind::Video, number }));
    }
    let has_sound = known.as_ref().is_none_or(|known| known.sound().is_some());
    wanted.extend(audio.filter(|_| has_sound).map(|_| SOUND));
    let mut tasks = Vec::new();
    let losses = losses.of_another_ladder();
    let laddering = ladder::run(source.clone(), writer, plan.clone(), starter, losses.clone());
    tasks.push(AbortOnDropHandle::new(tokio::spawn(laddering)));
    let ready = begun(&output, &wanted, || match may_miss {
        true => losses.given_up().len(),
        false => 0,
    })
    .await?;
    let places = Places::new(known.is_some(), &ready, plan.keeps_source);
    let tracks = known.unwrap_or_else(|| tracks_of(&ready, &plan, &source));
    // The last one is never given up.
    let last = ready
        .iter()
        .filter(|track| track.id.kind == Kind::Video && track.id != TOP)
        .max_by_key(|track| track.id);
    let encoding = video.zip(last).map(|(source, rung)| (source.ring, rung.ring.clone()));
    let (sender, frames) = mpsc::channel(ON_THE_WAY);
    for id in wanted.iter().filter(|id| ready.iter().all(|track| track.id != **id)) {
        if let Some(index) = places.of(*id, &tracks) {
            sender.try_send((index, None)).ok()?;
        }
    }
    for track in ready {
        let Some(index) = places.of(track.id, &tracks) else { continue };
        let reading = read(track, index, sender.clone(), losses.clone());
        tasks.push(AbortOnDropHandle::new(tokio::spawn(reading)));
    }
    Some(Session { slot, tracks, keeps_source: plan.keeps_source, frames, first, encoding, _tasks: tasks })
}

/// Looks at what a publisher sends until it is known how far apart its key frames are. Gives the first track of each kind.
async fn look(source: &Feed, is_known: bool) -> (Option<Track>, Option<Track>) {
    let find = |id: TrackId| source.tracks().into_iter().find(|track| track.id == id);
    let since = Instant::now();
    let enough = || {
        let (video, audio) = (find(TOP), find(SOUND));
        let keys = video.as_ref().map_or(0, |track| track.ring.held().groups);
        let frames = audio.as_ref().is_some_and(|track| track.ring.newest().is_some());
        keys >= if is_known { 1 } else { 2 } && (frames || since.elapsed() > LOOKS / 2)
    };
    let looking = async {
        while !enough() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        _ = timeout(LOOKS, looking) => {}
        () = source.ended() => {}
    }
    let there = |track: &Track| track.ring.newest().is_some();
    (find(TOP).filter(there), find(SOUND).filter(there))
}

/// What is made of a publisher's stream.
fn plan(
    source: &Feed,
    video: Option<&Track>,
    making: &Making,
    known: Option<&Tracks>,
    longest_ms: u64,
) -> Plan {
    let mut plan = Plan {
        keeps_source: false,
        key_interval_ms: 2_000,
        rungs: Vec::new(),
        audio_bps: making.audio_bps,
        sound: known.and_then(Tracks::sound),
        preset: making.preset.clone(),
        threads: making.threads,
    };
    let Some(spec) = video.map(|track| track.spec.clone()) else { return plan };
    let snapshot = source.snapshot(Instant::now());
    let apart = snapshot
        .tracks
        .iter()
        .find(|track| track.width.is_some())
        .and_then(|track| track.longest_key_interval_ms);
    // Of one that comes back the distance is not known yet.
    let apart = apart.or(known.map(|_| longest_ms));
    plan.keeps_source = can_stay(&spec, apart, longest_ms);
    let (width, height) = size(&spec).unwrap_or((2, 2));
    match known {
        None => {
            let top = making.top(width, height);
            let smaller = making.rungs.iter().filter(|rule| rule.height < width.min(height));
            plan.rungs = (!plan.keeps_source).then_some(top).into_iter().collect();
            plan.rungs.extend(smaller.map(|rule| rule.of(width, height)));
        }
        Some(known) => {
            let top = known.specs.first();
            plan.keeps_source &= top.is_some_and(|top| follows(top, &spec));
            plan.rungs = known.rungs().skip(usize::from(plan.keeps_source)).collect();
        }
    }
    plan
}

/// Can the picture of another publisher take the place of the first one's as it is?
fn follows(top: &TrackSpec, other: &TrackSpec) -> bool {
    let (one, two) = (top.clone().with_sets_in_band(), other.clone().with_sets_in_band());
    one.zip(two).is_some_and(|(one, two)| {
        let scale = |spec: TrackSpec| match spec.media {
            Media::Video { picture, .. } => {
                TrackSpec { timescale: 1, media: Media::Video { picture, delay: 0 }, ..spec }
            }
            Media::Audio(_) => spec,
        };
        scale(one).takes(&scale(two))
    })
}

impl Making {
    /// The publisher's picture, encoded again.
    fn top(&self, width: u32, height: u32) -> Rung {
        let pixels = u64::from(width) * u64::from(height);
        let bps = (pixels * u64::from(self.source_millibits_per_pixel) / 1000).clamp(300_000, 20_000_000);
        Rung { width: width & !1, height: height & !1, bitrate_bps: u32::try_from(bps).unwrap_or(u32::MAX) }
    }
}

impl super::RungRule {
    /// With the publisher's aspect.
    fn of(&self, width: u32, height: u32) -> Rung {
        let short = self.height & !1;
        let long = u64::from(short) * u64::from(width.max(height)) / u64::from(width.min(height).max(1));
        let long = u32::try_from(long.next_multiple_of(2)).unwrap_or(u32::MAX - 1);
        let (width, height) = if width >= height { (long, short) } else { (short, long) };
        Rung { width, height, bitrate_bps: self.bitrate_bps }
    }
}

/// From the newest key frame to the newest frame, media time.
fn lag(track: &Track) -> Duration {
    let Some(newest) = track.ring.newest() else { return Duration::ZERO };
    let mut reader = track.ring.reader(Start::NewestKey);
    let Some(Item::Frame(key)) = reader.try_next() else { return Duration::ZERO };
    let ticks = u64::try_from(newest.pts - key.pts).unwrap_or(0);
    Duration::from_micros(measure::micros(ticks, key.spec.timescale))
}

/// Waits until all tracks that are wanted have their first frames, but for those that were given up before: so many. `None` when they
/// are not in time.
async fn begun(output: &Feed, wanted: &[TrackId], given_up: impl Fn() -> usize) -> Option<Vec<Track>> {
    let ready = || -> Vec<Track> {
        let begun = |track: &Track| wanted.contains(&track.id) && track.ring.newest().is_some();
        output.tracks().into_iter().filter(begun).collect()
    };
    let all = async {
        loop {
            let ready = ready();
            if !ready.is_empty() && ready.len() + given_up() >= wanted.len() {
                return ready;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        ready = timeout(BEGINS, all) => ready.ok(),
        () = output.ended() => Some(ready()).filter(|ready| !ready.is_empty() && ready.len() >= wanted.len()),
    }
}

/// Tracks of an event that begins: pictures best first, then the sound.
fn tracks_of(ready: &[Track], plan: &Plan, source: &Feed) -> Tracks {
    let mut ready: Vec<&Track> = ready.iter().collect();
    ready.sort_by_key(|track| track.id);
    let (pictures, sounds): (Vec<&Track>, Vec<&Track>) =
        ready.into_iter().partition(|track| track.id.kind == Kind::Video);
    let snapshot = source.snapshot(Instant::now());
    let first = snapshot.tracks.iter().find(|track| track.width.is_some());
    let declared = |track: &&Track| match (track.id.kind, usize::from(track.id.number).checked_sub(1)) {
        (Kind::Video, Some(rung)) => plan.rungs.get(rung).map_or(0, |rung| rung.bitrate_bps),
        // What comes as it likes, with room for its moods.
        (Kind::Video, None) => {
            first.map_or(0, |track| u32::try_from(track.bitrate_bps * 5 / 4).unwrap_or(u32::MAX))
        }
        (Kind::Audio, _) => plan.audio_bps.max(64_000),
    };
    let all: Vec<&Track> = pictures.into_iter().chain(sounds).collect();
    Tracks {
        specs: all.iter().map(|track| with_delay(track)).collect(),
        declared_bps: all.iter().map(|track| declared(track).max(16_000)).collect(),
        frame_rate: frame_rate(source),
    }
}

/// The spec of a track, with the delay that its first picture has.
fn with_delay(track: &Track) -> TrackSpec {
    let mut spec = TrackSpec::clone(&track.spec);
    if let (Media::Video { delay, .. }, Some(Item::Frame(frame))) =
        (&mut spec.media, track.ring.reader(Start::NewestKey).try_next())
    {
        *delay = u32::try_from(frame.pts - frame.dts).unwrap_or(0);
    }
    spec
}

/// The rate that a publisher's pictures have, by their times.
fn frame_rate(source: &Feed) -> (u32, u32) {
    let Some(track) = source.tracks().into_iter().find(|track| track.id == TOP) else { return (30, 1) };
    let mut reader = track.ring.reader(Start::Oldest);
    let mut times = Vec::new();
    while let Some(Item::Frame(frame)) = reader.try_next() {
        times.push(frame.dts);
    }
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return (30, 1) };
    let ticks = u64::try_from(last - first).unwrap_or(0).max(1);
    let milli = (times.len() as u64 - 1) * 1000 * u64::from(track.spec.timescale) / ticks;
    // Of 30000/1001 it cannot be told apart so soon.
    const USUAL: [u32; 8] = [15, 24, 25, 30, 48, 50, 60, 120];
    let off = |rate: &u32| (u64::from(*rate) * 1000).abs_diff(milli);
    let near = USUAL.into_iter().min_by_key(off).filter(|rate| off(rate) < 600);
    near.map_or((u32::try_from(milli.max(1)).unwrap_or(30_000), 1000), |rate| (rate, 1))
}

/// Which of the event's tracks an encoder's are.
#[derive(Debug)]
enum Places {
    /// They make the event: its pictures are these, best first.
    New(Vec<TrackId>),
    /// It has had them before, all of them, with or without the publisher's own picture.
    Known { keeps_source: bool },
}

impl Places {
    fn new(is_known: bool, ready: &[Track], keeps_source: bool) -> Self {
        if is_known {
            return Self::Known { keeps_source };
        }
        let pictures = ready.iter().map(|track| track.id).filter(|id| id.kind == Kind::Video);
        let mut pictures: Vec<TrackId> = pictures.collect();
        pictures.sort_unstable();
        Self::New(pictures)
    }

    fn of(&self, id: TrackId, tracks: &Tracks) -> Option<usize> {
        if id.kind == Kind::Audio {
            let is_sound = |spec: &TrackSpec| matches!(&spec.media, Media::Audio(Sound::Mpeg(_)));
            return tracks.specs.iter().position(is_sound);
        }
        let number = usize::from(id.number);
        match self {
            Self::New(pictures) => pictures.iter().position(|known| *known == id),
            Self::Known { keeps_source } => {
                let at = if *keeps_source { number } else { number.checked_sub(1)? };
                Some(at).filter(|at| *at < tracks.pictures().count())
            }
        }
    }
}

async fn read(track: Track, index: usize, to: mpsc::Sender<(usize, Option<Frame>)>, losses: Losses) {
    let mut reader = track.ring.reader(Start::Oldest);
    while let Some(item) = reader.next().await {
        let Item::Frame(frame) = item else { continue };
        if to.send((index, Some(frame))).await.is_err() {
            return;
        }
    }
    if losses.given_up().contains(&track.id) {
        let _ = to.send((index, None)).await;
    }
}
