//! How a publisher does: bitrate, frame rate, key-frame interval, lost frames, and how sound and picture keep together.

use std::{collections::BTreeMap, time::Duration};

use media::{
    cmaf::{Media, TrackSpec},
    frame::{Kind, Sample, TrackId},
};
use serde::Serialize;
use tokio::time::Instant;

/// Rates are taken over this time.
const WINDOW: Duration = Duration::from_secs(5);
const BUCKETS: usize = 20;
const BUCKET_MS: u128 = WINDOW.as_millis() / BUCKETS as u128;
/// The distance of sound and picture is told once it has settled.
const SETTLED: u64 = 100;

/// How it goes at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Snapshot {
    /// All that came, protocol included.
    pub bitrate_bps: u64,
    pub bytes: u64,
    /// Since a frame of any track came.
    pub silence_ms: u64,
    /// The newest media time of all tracks, microseconds; its standing still is a failure.
    pub media_time_us: Option<i64>,
    /// Media time that passed less time that passed, since the beginning: below 0 the publisher is slower than the clock.
    pub lead_ms: i64,
    /// How far sound and picture have moved apart since the beginning; above 0 the sound is later in media time.
    pub av_drift_ms: Option<i64>,
    /// What the encoder says that it is.
    pub encoder: Option<String>,
    pub tracks: Vec<TrackSnapshot>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TrackSnapshot {
    /// `video 0`.
    pub track: String,
    pub codec: String,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub sample_rate: Option<u32>,
    pub channels: Option<u32>,
    pub bitrate_bps: u64,
    /// Thousandths of a frame in a second.
    pub frame_rate_milli: u64,
    /// Between the last two key frames, and the longest so far, milliseconds of media time.
    pub key_interval_ms: Option<u64>,
    pub longest_key_interval_ms: Option<u64>,
    pub frames: u64,
    /// Frames that came and could not be used.
    pub dropped: u64,
    /// Frames that seem to be missing, by gaps in the times.
    pub missing: u64,
}

#[derive(Debug)]
pub struct Meter {
    started: Instant,
    all: Rate,
    bytes: u64,
    /// When a frame came first and last, and the media times of them.
    first: Option<(Instant, i64)>,
    last: Option<(Instant, i64)>,
    apart: Apart,
    encoder: Option<String>,
    tracks: BTreeMap<TrackId, TrackMeter>,
}

#[derive(Debug)]
struct TrackMeter {
    about: TrackSnapshot,
    timescale: u32,
    rate: Rate,
    last_dts: Option<i64>,
    last_key: Option<i64>,
    /// Usual step between frames, microseconds.
    step: Option<i64>,
}

/// Distance of the first audio track from the first video track, microseconds.
#[derive(Debug, Default)]
struct Apart {
    seen: u64,
    now: i64,
    at_first: i64,
}

impl Meter {
    pub fn new(now: Instant) -> Self {
        Self {
            started: now,
            all: Rate::new(now),
            bytes: 0,
            first: None,
            last: None,
            apart: Apart::default(),
            encoder: None,
            tracks: BTreeMap::new(),
        }
    }

    pub fn describe(&mut self, id: TrackId, spec: &TrackSpec) {
        let track = self.track(id);
        track.timescale = spec.timescale.max(1);
        let about = &mut track.about;
        about.codec = spec.codec().unwrap_or_default();
        match &spec.media {
            Media::Video { picture, .. } => {
                (about.width, about.height) = (Some(picture.width), Some(picture.height));
            }
            Media::Audio(sound) => {
                (about.sample_rate, about.channels) = (Some(sound.sample_rate()), Some(sound.channels()));
            }
        }
    }

    /// Its first hundred plain letters.
    pub fn name_encoder(&mut self, name: &str) {
        self.encoder = Some(name.chars().filter(|letter| !letter.is_control()).take(100).collect());
    }

    pub fn received(&mut self, bytes: usize, now: Instant) {
        self.bytes += bytes as u64;
        self.all.add(now, bytes as u64);
    }

    /// Times in ticks of the track.
    pub fn frame(&mut self, id: TrackId, sample: &Sample, now: Instant) {
        let timescale = i64::from(self.track(id).timescale);
        let micros =
            |ticks: i64| i64::try_from(i128::from(ticks) * 1_000_000 / i128::from(timescale)).unwrap_or(0);
        let sample = &Sample { dts: micros(sample.dts), pts: micros(sample.pts), ..sample.clone() };
        let newest = self.last.map_or(sample.dts, |(_, dts)| dts.max(sample.dts));
        self.last = Some((now, newest));
        self.first.get_or_insert((now, sample.dts));
        self.track(id).frame(sample, now);
        let first = |kind| TrackId { kind, number: 0 };
        if id == first(Kind::Audio)
            && let Some(video) = self.tracks.get(&first(Kind::Video)).and_then(|track| track.last_dts)
        {
            self.apart.add(sample.dts - video);
        }
    }

    pub fn drop_frame(&mut self, id: TrackId) {
        self.track(id).about.dropped += 1;
    }

    pub fn break_times(&mut self) {
        (self.first, self.apart) = (None, Apart::default());
        for track in self.tracks.values_mut() {
            (track.last_dts, track.last_key) = (None, None);
        }
    }

    pub fn snapshot(&self, now: Instant) -> Snapshot {
        let heard = self.last.map_or(self.started, |(at, _)| at);
        let lead = self.first.zip(self.last).map(|((from, first), (to, last))| {
            (last - first) / 1000 - i64::try_from((to - from).as_millis()).unwrap_or(i64::MAX)
        });
        let tracks = self.tracks.values().map(|track| {
            let (bytes, frames) = track.rate.per_second_milli(now);
            TrackSnapshot { bitrate_bps: bytes * 8 / 1000, frame_rate_milli: frames, ..track.about.clone() }
        });
        Snapshot {
            bitrate_bps: self.bitrate(now),
            bytes: self.bytes,
            silence_ms: u64::try_from(now.saturating_duration_since(heard).as_millis()).unwrap_or(u64::MAX),
            media_time_us: self.last.map(|(_, dts)| dts),
            lead_ms: lead.unwrap_or(0),
            av_drift_ms: self.apart.drift(),
            encoder: self.encoder.clone(),
            tracks: tracks.collect(),
        }
    }

    pub fn bitrate(&self, now: Instant) -> u64 {
        self.all.per_second_milli(now).0 * 8 / 1000
    }

    fn track(&mut self, id: TrackId) -> &mut TrackMeter {
        let started = self.started;
        self.tracks.entry(id).or_insert_with(|| TrackMeter {
            about: TrackSnapshot { track: id.to_string(), ..TrackSnapshot::default() },
            timescale: 1_000_000,
            rate: Rate::new(started),
            last_dts: None,
            last_key: None,
            step: None,
        })
    }
}

impl TrackMeter {
    fn frame(&mut self, sample: &Sample, now: Instant) {
        self.rate.add(now, sample.data.len() as u64);
        self.about.frames += 1;
        if let Some(step) = self.last_dts.map(|last| sample.dts - last).filter(|step| *step > 0) {
            let usual = *self.step.get_or_insert(step);
            // More than half a step too late: what lies between did not come.
            let missing = (step + usual / 2) / usual.max(1) - 1;
            if usual >= 1000 && (1..10_000).contains(&missing) {
                self.about.missing += missing as u64;
            } else {
                self.step = Some(usual + (step - usual) / 8);
            }
        }
        self.last_dts = Some(sample.dts);
        if sample.key {
            let since = self.last_key.map(|last| u64::try_from((sample.dts - last) / 1000).unwrap_or(0));
            if since.is_some() {
                self.about.key_interval_ms = since;
                self.about.longest_key_interval_ms = self.about.longest_key_interval_ms.max(since);
            }
            self.last_key = Some(sample.dts);
        }
    }
}

impl Apart {
    fn add(&mut self, distance: i64) {
        self.now = if self.seen == 0 { distance } else { self.now + (distance - self.now) / 32 };
        self.seen += 1;
        if self.seen == SETTLED {
            self.at_first = self.now;
        }
    }

    fn drift(&self) -> Option<i64> {
        (self.seen >= SETTLED).then(|| (self.now - self.at_first) / 1000)
    }
}

/// Sums over the last seconds, in buckets.
#[derive(Debug)]
struct Rate {
    started: Instant,
    /// Number of the bucket since the start; bytes and frames in it.
    buckets: [(u64, u64, u64); BUCKETS],
}

impl Rate {
    fn new(started: Instant) -> Self {
        Self { started, buckets: [(0, 0, 0); BUCKETS] }
    }

    fn number(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.started).as_millis() / BUCKET_MS).unwrap_or(u64::MAX)
    }

    fn add(&mut self, now: Instant, bytes: u64) {
        let number = self.number(now);
        let bucket = &mut self.buckets[(number % BUCKETS as u64) as usize];
        if bucket.0 != number {
            *bucket = (number, 0, 0);
        }
        bucket.1 += bytes;
        bucket.2 += 1;
    }

    /// Bytes and frames in a second, in thousandths; over at least one second.
    fn per_second_milli(&self, now: Instant) -> (u64, u64) {
        let number = self.number(now);
        let recent = self.buckets.iter().filter(|bucket| number - bucket.0.min(number) < BUCKETS as u64);
        let (bytes, frames) = recent.fold((0, 0), |sum, bucket| (sum.0 + bucket.1, sum.1 + bucket.2));
        // The bucket that is being filled, and all others but the one that it will push out.
        let past = now.saturating_duration_since(self.started).as_millis();
        let covered = past.min((BUCKETS as u128 - 1) * BUCKET_MS + past % BUCKET_MS).max(1000);
        let per = |sum: u64| sum.saturating_mul(1_000_000) / u64::try_from(covered).unwrap_or(1000);
        (per(bytes), per(frames))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIDEO: TrackId = TrackId { kind: Kind::Video, number: 0 };
    const AUDIO: TrackId = TrackId { kind: Kind::Audio, number: 0 };

    #[test]
    fn a_steady_stream_is_measured() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        let at = |ms: u64| start + Duration::from_millis(ms);
        for n in 0..500u64 {
            let dts = n as i64 * 20_000;
            let sample = |size: usize, key| Sample { dts, pts: dts, key, data: vec![0; size].into() };
            // Every second frame of the picture is missing for a while, and the sound runs away.
            if n < 400 || n % 2 == 0 {
                meter.frame(VIDEO, &sample(2500, n % 100 == 0), at(n * 20));
            }
            let late = if n < 250 { 0 } else { 80_000 };
            meter.frame(AUDIO, &Sample { dts: dts + late, ..sample(400, true) }, at(n * 20));
            meter.received(3000, at(n * 20));
        }
        let snapshot = meter.snapshot(at(7_999));
        let video = &snapshot.tracks[0];
        assert_eq!(
            (video.track.as_str(), video.key_interval_ms, video.longest_key_interval_ms),
            ("video 0", Some(2000), Some(2000))
        );
        assert_eq!(video.missing, 49);
        let audio = &snapshot.tracks[1];
        let snapshot = meter.snapshot(at(10_000));
        assert!(audio.missing == 4 && (80..=95).contains(&snapshot.av_drift_ms.unwrap_or(0)), "{snapshot:?}");
        assert!((1_100_000..1_250_000).contains(&snapshot.bitrate_bps), "{snapshot:?}");
        assert!((49_000..=51_000).contains(&snapshot.tracks[1].frame_rate_milli), "{snapshot:?}");
        assert_eq!((snapshot.silence_ms, snapshot.lead_ms), (20, 80));
    }
}
