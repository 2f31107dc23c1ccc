//! What one publisher sends: its tracks with their rings, and how it goes. The same for every protocol.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use media::{
    cmaf::TrackSpec,
    frame::{Kind, Sample, TrackId},
};
use tokio::{sync::watch, time::Instant};

use crate::{
    Snapshot, Windows,
    meter::Meter,
    ring::{Frame, Ring, Writer, ring},
};

/// A publisher's tracks, for whoever wants them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Feed(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    tracks: watch::Sender<Vec<Track>>,
    meter: Mutex<Meter>,
    /// Words to the publisher, once it is to go.
    dismissal: watch::Sender<Option<String>>,
    ended: watch::Sender<bool>,
}

/// A track that can be read. One that was ended stays in the list until the feed has ended.
#[derive(Debug, Clone)]
pub struct Track {
    pub id: TrackId,
    /// What it is now; each frame says what it is made for.
    pub spec: Arc<TrackSpec>,
    pub ring: Ring,
}

/// The publisher's side. Dropping it ends all tracks.
#[derive(Debug)]
pub struct FeedWriter {
    feed: Feed,
    windows: Windows,
    tracks: BTreeMap<TrackId, Open>,
}

#[derive(Debug)]
struct Open {
    writer: Writer,
    spec: Arc<TrackSpec>,
    /// Nothing can be decoded before a key frame.
    wants_key: bool,
    broken: bool,
    last: Option<i64>,
}

/// A new feed's two sides.
pub fn feed(windows: Windows, now: Instant) -> (FeedWriter, Feed) {
    let (tracks, dismissal, ended) = Default::default();
    let feed = Feed(Arc::new(Shared { tracks, meter: Mutex::new(Meter::new(now)), dismissal, ended }));
    (FeedWriter { feed: feed.clone(), windows, tracks: BTreeMap::new() }, feed)
}

impl Feed {
    /// The tracks at this time.
    pub fn tracks(&self) -> Vec<Track> {
        self.0.tracks.borrow().clone()
    }

    /// To wait for other tracks with.
    pub fn watch_tracks(&self) -> watch::Receiver<Vec<Track>> {
        self.0.tracks.subscribe()
    }

    /// How it goes.
    pub fn snapshot(&self, now: Instant) -> Snapshot {
        self.meter().snapshot(now)
    }

    /// Waits until the publisher has gone. What it sent can still be read.
    pub async fn ended(&self) {
        let _ = self.0.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Has the publisher gone?
    pub fn has_ended(&self) -> bool {
        *self.0.ended.borrow()
    }

    /// Sends the publisher away with these words.
    pub fn dismiss(&self, words: impl Into<String>) {
        let words = words.into();
        self.0.dismissal.send_modify(|said| {
            said.get_or_insert(words);
        });
    }

    /// Waits until the publisher is to go.
    pub(crate) async fn dismissed(&self) -> String {
        let mut said = self.0.dismissal.subscribe();
        let said = said.wait_for(Option::is_some).await.ok().and_then(|words| words.clone());
        said.unwrap_or_default()
    }

    fn meter(&self) -> MutexGuard<'_, Meter> {
        self.0.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FeedWriter {
    fn drop(&mut self) {
        self.tracks.clear();
        self.feed.0.ended.send_replace(true);
    }
}

impl FeedWriter {
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// A track begins, or goes on as another from its next key frame on.
    pub fn describe(&mut self, id: TrackId, spec: TrackSpec) {
        let spec = Arc::new(spec);
        let window = if id.kind == Kind::Video { self.windows.video() } else { self.windows.audio() };
        match self.tracks.get_mut(&id) {
            Some(open) => {
                (open.spec, open.wants_key) = (spec.clone(), true);
                self.list(|tracks| {
                    tracks
                        .iter_mut()
                        .filter(|track| track.id == id)
                        .for_each(|track| track.spec = spec.clone());
                });
            }
            None => {
                let (writer, ring) = ring(window);
                let open = Open { writer, spec: spec.clone(), wants_key: true, broken: false, last: None };
                self.tracks.insert(id, open);
                self.list(|tracks| {
                    tracks.retain(|track| track.id != id);
                    tracks.push(Track { id, spec, ring });
                });
            }
        }
        let description = self.tracks.get(&id).map(|open| open.spec.clone());
        if let Some(spec) = description {
            self.feed.meter().describe(id, &spec);
        }
    }

    /// The publisher's time line is broken here, for all tracks.
    pub fn break_times(&mut self) {
        self.tracks.values_mut().for_each(|open| open.broken = true);
        self.feed.meter().break_times();
    }

    /// The same for one track.
    pub fn break_track(&mut self, id: TrackId) {
        self.tracks.get_mut(&id).into_iter().for_each(|open| open.broken = true);
    }

    /// A frame of a track that was described, with times in its ticks; others are dropped.
    pub fn push(&mut self, id: TrackId, sample: Sample, now: Instant) {
        let Some(open) = self.tracks.get_mut(&id) else { return self.drop_frame(id) };
        let too_early = open.wants_key && !sample.key;
        // Decode times that go back can be neither stored nor played.
        if too_early || open.last.is_some_and(|last| sample.dts < last) {
            return self.drop_frame(id);
        }
        (open.wants_key, open.last) = (false, Some(sample.dts));
        self.feed.meter().frame(id, &sample, now);
        let Sample { dts, pts, key, data } = sample;
        let discontinuity = std::mem::take(&mut open.broken);
        open.writer.push(Frame { spec: open.spec.clone(), dts, pts, key, discontinuity, data });
    }

    /// A frame that could not be used.
    pub fn drop_frame(&mut self, id: TrackId) {
        self.feed.meter().drop_frame(id);
    }

    /// Bytes that came, whatever they are. Gives the bitrate.
    pub fn received(&mut self, bytes: usize, now: Instant) -> u64 {
        let mut meter = self.feed.meter();
        meter.received(bytes, now);
        meter.bitrate(now)
    }

    /// What the encoder says that it is.
    pub fn name_encoder(&mut self, name: &str) {
        self.feed.meter().name_encoder(name);
    }

    /// A track has ended; the others go on.
    pub fn end(&mut self, id: TrackId) {
        self.tracks.remove(&id);
    }

    fn list(&self, change: impl FnOnce(&mut Vec<Track>)) {
        self.feed.0.tracks.send_modify(change);
    }
}

#[cfg(test)]
mod tests {
    use media::{cmaf::Media, codec::Sound, mp4::AudioConfig};

    use super::*;
    use crate::ring::{Item, Start};

    const ID: TrackId = TrackId { kind: Kind::Audio, number: 0 };

    fn spec(config: &[u8]) -> TrackSpec {
        let sound = Sound::Mpeg(AudioConfig::from_specific(config).unwrap());
        TrackSpec { timescale: 1_000_000, language: None, media: Media::Audio(sound) }
    }

    fn sample(dts: i64, key: bool) -> Sample {
        Sample { dts, pts: dts, key, data: vec![1, 2].into() }
    }

    #[tokio::test]
    async fn frames_that_cannot_be_used_are_dropped_and_counted() {
        let now = Instant::now();
        let (mut writer, feed) = feed(Windows::default(), now);
        writer.push(ID, sample(0, true), now);
        writer.describe(ID, spec(&[0x11, 0x90]));
        let mut reader = feed.tracks()[0].ring.reader(Start::Oldest);
        for (dts, key) in [(0, false), (10, true), (5, false), (10, false), (20, false)] {
            writer.push(ID, sample(dts, key), now);
        }
        writer.describe(ID, spec(&[0x12, 0x10]));
        for (dts, key) in [(30, false), (40, true)] {
            writer.push(ID, sample(dts, key), now);
        }
        writer.break_times();
        writer.push(ID, sample(50, false), now);
        let snapshot = feed.snapshot(now);
        assert_eq!((snapshot.tracks[0].frames, snapshot.tracks[0].dropped), (5, 4));
        drop(writer);
        let mut got = Vec::new();
        while let Some(Item::Frame(frame)) = reader.next().await {
            let Media::Audio(sound) = &frame.spec.media else { panic!("sound") };
            got.push((frame.dts, sound.sample_rate(), frame.discontinuity));
        }
        let expected = [
            (10, 48_000, false),
            (10, 48_000, false),
            (20, 48_000, false),
            (40, 44_100, false),
            (50, 44_100, true),
        ];
        assert_eq!(got, expected);
    }

    #[tokio::test]
    async fn a_dismissal_is_heard() {
        let (_writer, feed) = feed(Windows::default(), Instant::now());
        let other = feed.clone();
        let heard = tokio::spawn(async move { other.dismissed().await });
        tokio::task::yield_now().await;
        feed.dismiss("one");
        feed.dismiss("two");
        assert_eq!(heard.await.unwrap(), "one");
    }
}
