//! An event from its first publisher to its end.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use backends::blob::Blobs;
use media::{cmaf, live::Rules};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    Host, Making, Order, Settings, Shown, Status,
    pace::Pace,
    session::{self, Session, Tracks},
};
use crate::{
    Ended, Feed, Slot,
    config::milliseconds,
    ladder::{self, Losses, Starter},
    pack::{Cut, Made, Packager, ticks},
    programme::{About, Programme},
    record::{self, Kept, Recorded, Recorder},
    ring::Frame,
};

/// How often it is looked whether all is well.
const LOOK: Duration = Duration::from_millis(100);
/// What stands in is shown so far behind the clock, microseconds: a source that comes back finds its place.
const BEHIND_US: i64 = 300_000;
/// A longer interruption of an event is not filled, microseconds.
const LONGEST_HOLE_US: i64 = 120_000_000;
/// Before it is tried again to put a publisher on air of which nothing could be made.
const AGAIN: Duration = Duration::from_secs(1);

/// A publisher that is there.
#[derive(Debug)]
struct Source {
    feed: Feed,
    /// Since when it has been well.
    well: Option<Instant>,
}

/// Who is on air.
#[derive(Debug)]
enum OnAir {
    Nobody,
    Coming(Slot, AbortOnDropHandle<Option<Session>>),
    There(Session),
    /// Nothing could be made of it; until then it is left alone.
    Hopeless(Instant),
}

/// What viewers see.
#[derive(Debug)]
struct Show {
    packager: Packager,
    programme: Programme,
    tracks: Tracks,
    /// When the event's time was 0.
    zero: Instant,
    recorder: mpsc::UnboundedSender<Made>,
    recording: JoinHandle<Recorded>,
    segments: u64,
    /// Which of the tracks are to be had.
    offered: Vec<bool>,
}

pub struct Run {
    making: Making,
    settings: Settings,
    blobs: Blobs,
    showing: watch::Sender<Option<Programme>>,
    telling: watch::Sender<Status>,
    sources: BTreeMap<Slot, Source>,
    on_air: OnAir,
    /// What there is of it from before, until it goes on.
    kept: Option<Kept>,
    show: Option<Show>,
    /// What stands in while nobody sends, on its way.
    slate: Option<AbortOnDropHandle<Option<Vec<Frame>>>>,
    losses: Losses,
    pace: Pace,
    /// Since when nobody publishes, and whether the last one said that it is over.
    empty: Option<(Instant, bool)>,
}

/// Why a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// The event is over.
    Event,
    /// This process stops.
    Process,
}

impl Run {
    pub fn new(
        making: Making,
        settings: Settings,
        blobs: Blobs,
        showing: watch::Sender<Option<Programme>>,
        telling: watch::Sender<Status>,
    ) -> Self {
        Self {
            making,
            settings,
            blobs,
            showing,
            telling,
            sources: BTreeMap::new(),
            on_air: OnAir::Nobody,
            kept: None,
            show: None,
            slate: None,
            losses: Losses::default(),
            pace: Pace::default(),
            empty: None,
        }
    }

    pub async fn run<S: Starter, H: Host>(
        mut self,
        mut orders: mpsc::UnboundedReceiver<Order>,
        starter: Arc<S>,
        host: Arc<H>,
    ) {
        let mut kept = self.find().await;
        // What was stored after the last descriptor is to be seen before somebody publishes.
        kept.catch_up(&self.blobs, self.settings.presentation).await;
        self.kept = Some(kept);
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let over = loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Come(slot, feed)) => {
                        self.empty = None;
                        self.sources.insert(slot, Source { feed, well: None });
                    }
                    Some(Order::Gone(slot, ended)) => self.leave(slot, &ended),
                    Some(Order::Dismiss(slot, words)) => {
                        if let Some(source) = self.sources.get(&slot) {
                            source.feed.dismiss(words);
                        }
                    }
                    Some(Order::Wait) => self.empty = Some((Instant::now(), false)),
                    Some(Order::Leave) => break Over::Process,
                    Some(Order::End) => break Over::Event,
                    None => break Over::Process,
                },
                came = next(&mut self.on_air) => {
                    let asks = matches!(came, Came::Session(_) | Came::End(_));
                    self.came(came, &host);
                    if asks {
                        self.ask_for_slate(&starter, &host);
                    }
                }
                pictures = made(&mut self.slate) => self.take_slate(pictures),
                _ = looks.tick() => {
                    if self.look(&starter) {
                        break Over::Event;
                    }
                }
            }
        };
        self.close(over, &*host).await;
    }

    fn leave(&mut self, slot: Slot, ended: &Ended) {
        // Another one may have come to the place before.
        if self.sources.get(&slot).is_some_and(|source| source.feed.has_ended()) {
            self.sources.remove(&slot);
        }
        if self.sources.is_empty() {
            self.empty = Some((Instant::now(), *ended == Ended::Finished));
        }
    }

    fn came<H: Host>(&mut self, came: Came, host: &Arc<H>) {
        match came {
            Came::Frame(track, frame) => {
                if let Some(show) = &mut self.show {
                    show.offer(track, true);
                    let now = show.now_us();
                    show.packager.push(track, frame, now);
                    show.tell();
                }
            }
            Came::GivenUp(track) => {
                if let Some(show) = &mut self.show {
                    show.offer(track, false);
                }
            }
            Came::End(slot) => {
                tracing::info!(event = %self.settings.event, ?slot, "a publisher is no longer on air");
                self.on_air = OnAir::Nobody;
            }
            Came::Nothing(slot) => {
                tracing::warn!(event = %self.settings.event, ?slot, "nothing can be made of what a publisher sends");
                self.on_air = OnAir::Hopeless(Instant::now() + AGAIN);
            }
            Came::Session(session) => {
                tracing::info!(event = %self.settings.event, slot = ?session.slot, "a publisher is on air");
                self.begin(&session, host);
                self.on_air = OnAir::There(session);
            }
        }
    }

    /// What a publisher shows begins, and the event with it.
    fn begin<H: Host>(&mut self, session: &Session, host: &Arc<H>) {
        if let Some(show) = &mut self.show {
            let at = show.now_us() - session.age_us();
            show.packager.join(at);
            return;
        }
        let kept = self.kept.take().unwrap_or_default();
        match Show::begin(&self.settings, &self.blobs, session, kept, host) {
            Ok(show) => {
                let _ = self.showing.send(Some(show.programme.clone()));
                self.show = Some(show);
            }
            Err(error) => tracing::error!(event = %self.settings.event, %error, "an event cannot begin"),
        }
    }

    /// Has the creator's picture made for all renditions.
    fn ask_for_slate<S: Starter, H: Host>(&mut self, starter: &Arc<S>, host: &Arc<H>) {
        let Some(show) = &self.show else { return };
        let rungs = show.tracks.rungs().collect();
        let (starter, host) = (starter.clone(), host.clone());
        let (settings, preset) = (self.settings.clone(), self.making.preset.clone());
        self.slate = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            ladder::still(&*starter, host.slate(&settings).await?, rungs, &preset).await
        })));
    }

    fn take_slate(&mut self, pictures: Option<Vec<Frame>>) {
        let Some(show) = &mut self.show else { return };
        let pictures = pictures.unwrap_or_default();
        for track in 0..show.tracks.rungs().count() {
            show.packager.set_slate(track, pictures.get(track));
        }
    }

    /// What there is of it already: it may have been interrupted.
    async fn find(&self) -> Kept {
        loop {
            match record::find(&self.blobs, self.settings.presentation).await {
                Ok(kept) => return kept,
                Err(error) => {
                    tracing::warn!(event = %self.settings.event, %error, "what is kept of an event cannot be read; trying again");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// Decides who is on air, and fills what is missing. `true`: it is over.
    fn look<S: Starter>(&mut self, starter: &Arc<S>) -> bool {
        let now = Instant::now();
        let stall = milliseconds(self.making.stall_ms);
        let mut snapshots = Vec::new();
        for (slot, source) in &mut self.sources {
            let snapshot = source.feed.snapshot(now);
            let well = !source.feed.has_ended() && u128::from(snapshot.silence_ms) < stall.as_millis();
            source.well = well.then(|| source.well.unwrap_or(now));
            snapshots.push((*slot, snapshot));
        }
        self.choose(now, starter);
        self.measure(now);
        if let Some(show) = &mut self.show {
            // Who is on air fills its own time, unless nothing comes.
            let behind = show.now_us() - show.packager.now_us();
            if behind > i64::from(self.making.stall_ms) * 1000 {
                show.packager.catch_up(show.now_us() - BEHIND_US);
                show.tell();
            }
        }
        self.report(snapshots);
        self.empty.is_some_and(|(since, said)| {
            let patience = if said { self.making.farewell_seconds } else { self.making.absence_seconds };
            now.duration_since(since) > Duration::from_secs(patience.into())
        })
    }

    fn choose<S: Starter>(&mut self, now: Instant, starter: &Arc<S>) {
        let on_air = match &self.on_air {
            OnAir::Coming(slot, _) => Some(*slot),
            OnAir::There(session) => Some(session.slot),
            OnAir::Hopeless(until) if now < *until => return,
            OnAir::Hopeless(..) | OnAir::Nobody => None,
        };
        let well_for = |slot: Slot| {
            let since = self.sources.get(&slot).and_then(|source| source.well);
            since.map(|since| now.duration_since(since))
        };
        let settled = milliseconds(self.making.return_ms);
        let wanted = match (well_for(Slot::Primary), well_for(Slot::Backup)) {
            // The primary one is on air again when it has proved itself.
            (Some(primary), Some(_)) if on_air == Some(Slot::Backup) && primary < settled => Slot::Backup,
            (Some(_), _) => Slot::Primary,
            (None, Some(_)) => Slot::Backup,
            (None, None) => return,
        };
        if on_air == Some(wanted) {
            return;
        }
        let Some(source) = self.sources.get(&wanted) else { return };
        let known = match &self.show {
            Some(show) => Some(show.tracks.clone()),
            None => self.kept.as_ref().and_then(|kept| Tracks::recall(kept.descriptor.as_ref()?)),
        };
        // What was interrupted goes on with all that it had: what stands in for a track is its first picture.
        let may_miss = self.show.is_some() || known.is_none();
        let opening = session::open(
            wanted,
            source.feed.clone(),
            self.making.clone(),
            (known, may_miss),
            Cut::default().longest_ms.into(),
            (starter.clone(), self.losses.clone()),
        );
        self.on_air = OnAir::Coming(wanted, AbortOnDropHandle::new(tokio::spawn(opening)));
    }

    /// Notes how far encoders are.
    fn measure(&mut self, now: Instant) {
        let OnAir::There(session) = &self.on_air else { return };
        match session.progress() {
            Some((source_us, made_us)) => self.pace.note(now, source_us, made_us),
            None => self.pace = Pace::default(),
        }
    }

    fn report(&self, sources: Vec<(Slot, crate::Snapshot)>) {
        let (on_air, keeps_source) = match &self.on_air {
            OnAir::There(session) => (Some(session.slot), session.keeps_source),
            _ => (None, false),
        };
        let mut status = Status {
            on_air: on_air.filter(|_| self.show.as_ref().is_none_or(|show| !show.packager.is_filling())),
            keeps_source,
            sources,
            deaths: self.losses.deaths(),
            speed_milli: self.pace.milli(),
            ..Status::default()
        };
        if let Some(show) = &self.show {
            status.segments = show.segments;
            let all = show.programme.tracks().iter().zip(&show.offered);
            status.rungs = all.filter_map(|(about, on)| Some(Shown { on: *on, ..about.rung()? })).collect();
        }
        self.telling.send_replace(status);
    }

    async fn close<H: Host>(mut self, over: Over, host: &H) {
        self.on_air = OnAir::Nobody;
        let words = match over {
            Over::Event => "The event has ended.",
            Over::Process => "The server stops. Connect again.",
        };
        self.sources.values().for_each(|source| source.feed.dismiss(words));
        let recorded = match (self.show.take(), self.kept.take(), over) {
            (Some(show), ..) => show.end(over == Over::Event).await,
            (None, Some(mut kept), Over::Event) if kept.next() > 0 => {
                kept.describe(&self.blobs, self.settings.presentation, true).await;
                Some(kept.recorded())
            }
            _ => None,
        };
        match over {
            Over::Event => host.finished(&self.settings, recorded).await,
            Over::Process => host.left(&self.settings).await,
        }
    }
}

/// What comes from who is on air.
enum Came {
    Frame(usize, Frame),
    /// A rendition for which the machine is too slow.
    GivenUp(usize),
    End(Slot),
    Session(Session),
    Nothing(Slot),
}

async fn next(on_air: &mut OnAir) -> Came {
    match on_air {
        OnAir::Nobody | OnAir::Hopeless(..) => std::future::pending().await,
        OnAir::Coming(slot, opening) => match opening.await {
            Ok(Some(session)) => Came::Session(session),
            _ => Came::Nothing(*slot),
        },
        OnAir::There(session) => match session.frames.recv().await {
            Some((track, Some(frame))) => Came::Frame(track, frame),
            Some((track, None)) => Came::GivenUp(track),
            None => Came::End(session.slot),
        },
    }
}

/// What became of a slate; for ever when none is on its way.
async fn made(slate: &mut Option<AbortOnDropHandle<Option<Vec<Frame>>>>) -> Option<Vec<Frame>> {
    let Some(making) = slate else { return std::future::pending().await };
    let pictures = making.await.ok().flatten();
    *slate = None;
    pictures
}

impl Show {
    fn begin<H: Host>(
        settings: &Settings,
        blobs: &Blobs,
        session: &Session,
        kept: Kept,
        host: &Arc<H>,
    ) -> media::Result<Self> {
        let (cut, now, age) = (Cut::default(), host.now(), session.age_us());
        let number = kept.next();
        let tracks = session.tracks.clone();
        let mut packager = Packager::new(cut, tracks.specs.clone(), number, 0);
        let abouts = abouts(&tracks, &packager)?;
        // How long it is, and what of that is the time in which nothing was made.
        let length = abouts.first().map_or(0, |about| {
            let extents = kept.extents.get(&about.id).map(Vec::as_slice).unwrap_or_default();
            length_us(extents, about.spec.timescale)
        });
        let began = kept.descriptor.as_ref().map_or(now - age, |descriptor| descriptor.created_at);
        let hole = now - age - began - length;
        let started_at = if hole > LONGEST_HOLE_US { began + hole } else { began };
        if number > 0 {
            packager = Packager::new(cut, tracks.specs.clone(), number, ticks(length));
            packager.join(now - age - started_at);
        }
        let rules = Rules {
            target_s: (cut.longest_ms + 500) / 1000,
            part_ms: settings.low_latency.then_some(cut.part_ms),
            started_at,
        };
        let programme = Programme::new(settings.presentation, rules, settings.window, abouts);
        for (track, about) in programme.tracks().iter().enumerate() {
            programme.recall(track, kept.extents.get(&about.id).map(Vec::as_slice).unwrap_or_default());
        }
        let (recorder, made) = mpsc::unbounded_channel();
        let recording = Recorder::new(blobs.clone(), programme.clone(), kept);
        let (host, settings) = (host.clone(), settings.clone());
        let recording =
            tokio::spawn(async move { recording.run(made, async || host.playable(&settings).await).await });
        let zero = Instant::now()
            .checked_sub(Duration::from_micros(u64::try_from(now - started_at).unwrap_or(0)))
            .unwrap_or_else(Instant::now);
        let offered = vec![true; programme.tracks().len()];
        Ok(Self { packager, programme, tracks, zero, recorder, recording, segments: number, offered })
    }

    /// A track is to be had, or no longer: the best one that is leads. The last of the pictures is not taken away.
    fn offer(&mut self, track: usize, on: bool) {
        let pictures = self.tracks.rungs().count();
        let best = |offered: &[bool]| offered.iter().take(pictures).position(|on| *on);
        let before = self.offered.clone();
        let Some(offered) = self.offered.get_mut(track).filter(|offered| **offered != on) else { return };
        *offered = on;
        match best(&self.offered) {
            Some(leader) => self.packager.follow_track(leader, self.now_us()),
            None => return self.offered = before,
        }
        self.programme.withdraw(track, !on);
    }

    /// The event's time by the clock, microseconds.
    fn now_us(&self) -> i64 {
        i64::try_from(self.zero.elapsed().as_micros()).unwrap_or(i64::MAX)
    }

    /// Tells viewers and the recorder what was made.
    fn tell(&mut self) {
        let made = self.packager.take();
        self.programme.add(&made);
        for made in made {
            if let Made::Segment { track, number, .. } = &made {
                if *track == 0 {
                    self.segments = number + 1;
                }
                let _ = self.recorder.send(made);
            }
        }
    }

    /// Makes segments of all that there is, and waits until they are stored. `None` when its end could not be written.
    async fn end(mut self, for_good: bool) -> Option<Recorded> {
        self.packager.finish();
        self.tell();
        if for_good {
            self.programme.end();
        }
        drop(self.recorder);
        self.recording.await.ok()
    }
}

fn abouts(tracks: &Tracks, packager: &Packager) -> media::Result<Vec<About>> {
    let mut names: Vec<String> = Vec::new();
    let mut abouts = Vec::new();
    for (track, declared_bps) in tracks.declared_bps.iter().enumerate() {
        let Some(spec) = packager.spec(track) else { continue };
        let label = match &spec.media {
            cmaf::Media::Video { picture, .. } => format!("{}p", picture.width.min(picture.height)),
            cmaf::Media::Audio(_) => "Sound".to_owned(),
        };
        let base = if spec.is_video() { format!("v{label}") } else { "a0".to_owned() };
        let twins = names.iter().filter(|name| name.starts_with(&base)).count();
        let id = if twins > 0 {
            format!("{base}{}", ["b", "c", "d"].get(twins - 1).unwrap_or(&"e"))
        } else {
            base
        };
        names.push(id.clone());
        abouts.push(About {
            id,
            label,
            spec: spec.clone(),
            init: cmaf::init_segment(spec)?.into(),
            declared_bps: *declared_bps,
            frame_rate: tracks.frame_rate,
        });
    }
    Ok(abouts)
}

fn length_us(extents: &[media::descriptor::Extent], timescale: u32) -> i64 {
    let ticks: u64 =
        extents.iter().flat_map(|extent| &extent.segments).map(|segment| u64::from(segment.duration)).sum();
    i64::try_from(media::measure::micros(ticks, timescale)).unwrap_or(0)
}
