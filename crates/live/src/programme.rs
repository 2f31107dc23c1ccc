//! What an event shows: the window of segments and parts that viewers are given, and where their bytes are. One writer, many readers;
//! a reader may wait for what is about to come.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use domain::PresentationId;
use media::{
    cmaf::{self, Media, TrackSpec},
    descriptor::{self, Descriptor, Extent, FORMAT, TrackKind},
    live::{Newest, Part, Rules, Segment, Window},
};
use tokio::{sync::watch, time::timeout};

use crate::{
    event::Shown,
    pack::{Chunk, Made},
};

/// Segments that stay in memory after they were stored: what viewers at the live edge ask for.
const IN_MEMORY: usize = 8;
/// The least that is told, whatever the window is.
const LEAST_TOLD: usize = 8;

/// An event's programme. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Programme(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    presentation: PresentationId,
    rules: Rules,
    window: Duration,
    tracks: Vec<About>,
    outline: Descriptor,
    state: watch::Sender<State>,
}

/// What is always so of a track.
#[derive(Debug, Clone)]
pub struct About {
    /// Its name in URLs.
    pub id: String,
    /// For people.
    pub label: String,
    pub spec: Arc<TrackSpec>,
    pub init: Bytes,
    /// What it may need, bits per second.
    pub declared_bps: u32,
    pub frame_rate: (u32, u32),
}

#[derive(Debug, Default)]
struct State {
    tracks: Vec<Told>,
    ended: bool,
}

/// What there is of a track.
#[derive(Debug, Default)]
struct Told {
    first: u64,
    breaks: u64,
    segments: Vec<Segment>,
    /// The same segments' bytes.
    places: Vec<Place>,
    open: Vec<Part>,
    chunks: Vec<Chunk>,
    open_breaks: bool,
    /// Nothing of it comes just now, and at some time nothing came.
    withdrawn: bool,
    has_holes: bool,
}

/// Where the bytes of a segment are.
#[derive(Debug, Clone, Default)]
struct Place {
    whole: Option<cmaf::Segment>,
    parts: Vec<Chunk>,
    stored: Option<Stored>,
}

/// A place in a stored object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub object: Arc<str>,
    pub offset: u64,
    pub bytes: u32,
}

/// Bytes of a segment.
#[derive(Debug, Clone)]
pub enum Held {
    Here(cmaf::Segment),
    Stored(Stored),
}

/// Why something cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// There is nothing of that name, or no more.
    Unknown,
    /// Nobody may ask so far ahead (RFC 8216bis §6.2.5.2).
    TooFar,
    /// It should have come by now.
    Late,
}

impl Programme {
    /// `window` is how far back viewers can go.
    pub fn new(presentation: PresentationId, rules: Rules, window: Duration, tracks: Vec<About>) -> Self {
        let state = State { tracks: tracks.iter().map(|_| Told::default()).collect(), ended: false };
        let (outline, state) = (outline(presentation, &rules, &tracks), watch::Sender::new(state));
        Self(Arc::new(Shared { presentation, rules, window, tracks, outline, state }))
    }

    pub fn presentation(&self) -> PresentationId {
        self.0.presentation
    }

    pub fn rules(&self) -> &Rules {
        &self.0.rules
    }

    pub fn tracks(&self) -> &[About] {
        &self.0.tracks
    }

    fn index(&self, id: &str) -> Option<usize> {
        self.0.tracks.iter().position(|track| track.id == id)
    }

    /// Tells what was made.
    pub fn add(&self, made: &[Made]) {
        if made.is_empty() {
            return;
        }
        let back = self.0.window;
        self.0.state.send_modify(|state| {
            for made in made {
                let track = made.track();
                if let (Some(told), Some(about)) = (state.tracks.get_mut(track), self.0.tracks.get(track)) {
                    told.add(made, back, about.spec.timescale);
                }
            }
        });
    }

    /// Segments of an event that goes on after an interruption: extents of a track, the first of which is segment 0.
    pub fn recall(&self, track: usize, extents: &[Extent]) {
        let Some(timescale) = self.0.tracks.get(track).map(|about| about.spec.timescale) else { return };
        self.0.state.send_modify(|state| {
            let Some(told) = state.tracks.get_mut(track) else { return };
            let mut start = 0;
            for extent in extents {
                let object: Arc<str> = extent.object.as_str().into();
                let mut offset = extent.offset;
                for segment in &extent.segments {
                    let stored = Stored { object: object.clone(), offset, bytes: segment.bytes };
                    let (duration, bytes) = (segment.duration, segment.bytes);
                    told.segments.push(Segment { start, duration, bytes, breaks: false, parts: Vec::new() });
                    told.places.push(Place { stored: Some(stored), ..Place::default() });
                    start += u64::from(duration);
                    offset += u64::from(bytes);
                }
            }
            told.slide(self.0.window, timescale);
        });
    }

    /// A segment of a track lies in the object store now.
    pub fn stored(&self, track: usize, number: u64, place: Stored) {
        self.0.state.send_if_modified(|state| {
            if let Some(told) = state.tracks.get_mut(track) {
                if let Some(kept) = told.place_mut(number) {
                    kept.stored = Some(place);
                }
                told.let_go();
            }
            false
        });
    }

    /// A rendition is no longer to be had, or again: viewers are sent to the others.
    pub fn withdraw(&self, track: usize, withdrawn: bool) {
        self.0.state.send_modify(|state| {
            if let Some(told) = state.tracks.get_mut(track) {
                told.withdrawn = withdrawn;
                told.has_holes |= withdrawn;
            }
        });
    }

    /// Is this track to be had just now?
    pub fn offers(&self, track: &str) -> bool {
        let state = self.0.state.borrow();
        self.index(track).and_then(|index| state.tracks.get(index)).is_some_and(|told| !told.withdrawn)
    }

    /// Was this track to be had from the beginning to the end?
    pub fn is_whole(&self, track: usize) -> bool {
        self.0.state.borrow().tracks.get(track).is_some_and(|told| !told.has_holes)
    }

    /// Nothing will follow.
    pub fn end(&self) {
        self.0.state.send_modify(|state| {
            state.ended = true;
            for told in &mut state.tracks {
                (told.open, told.chunks) = Default::default();
            }
        });
    }

    pub fn has_ended(&self) -> bool {
        self.0.state.borrow().ended
    }

    /// Hands what there is of `track` to `tell`, with its siblings; `None` when there is no such track.
    pub fn tell<T>(&self, track: &str, tell: impl FnOnce(&Window<'_>, &[Newest<'_>]) -> T) -> Option<T> {
        let index = self.index(track)?;
        let state = self.0.state.borrow();
        let with_parts = self.0.rules.part_ms.is_some();
        let windows = self.windows(&state);
        let others = self.0.tracks.iter().zip(&windows).enumerate().filter(|(other, _)| *other != index);
        let siblings: Vec<Newest<'_>> = others
            .filter(|(other, _)| state.tracks.get(*other).is_some_and(|told| !told.withdrawn))
            .filter_map(|(_, (about, window))| {
                let (segment, part) = window.newest(with_parts)?;
                Some(Newest { track: &about.id, segment, part })
            })
            .collect();
        Some(tell(windows.get(index)?, &siblings))
    }

    /// Hands the event and its tracks, those that are to be had, to `tell`: as a descriptor whose tracks have one segment that is as large as
    /// they may be, and what there is of each.
    pub fn tell_all<T>(&self, tell: impl FnOnce(&Descriptor, &[Window<'_>]) -> T) -> T {
        let state = self.0.state.borrow();
        let mut windows = self.windows(&state);
        if !state.tracks.iter().any(|told| told.withdrawn) {
            return tell(&self.0.outline, &windows);
        }
        let mut event = self.0.outline.clone();
        let mut offered = state.tracks.iter().map(|told| !told.withdrawn);
        event.tracks.retain(|_| offered.next().unwrap_or(false));
        let mut offered = state.tracks.iter().map(|told| !told.withdrawn);
        windows.retain(|_| offered.next().unwrap_or(false));
        tell(&event, &windows)
    }

    fn windows<'a>(&self, state: &'a State) -> Vec<Window<'a>> {
        let all = self.0.tracks.iter().zip(&state.tracks);
        all.map(|(about, told)| told.window(about.spec.timescale, state.ended)).collect()
    }

    /// Waits until a playlist of `track` tells this segment, or this part of it (RFC 8216bis §6.2.5.2).
    pub async fn reach(&self, track: &str, segment: u64, part: Option<u64>) -> Result<(), Absent> {
        let index = self.index(track).ok_or(Absent::Unknown)?;
        let far = |told: &Told| {
            segment > told.next() + 1 || part.is_some_and(|part| part > told.open.len() as u64 + MOST_AHEAD)
        };
        if self.0.state.borrow().tracks.get(index).is_none_or(far) {
            return Err(Absent::TooFar);
        }
        self.wait(|state| {
            state.ended || state.tracks.get(index).is_some_and(|told| told.tells(segment, part))
        })
        .await
    }

    /// Waits until the event can be played.
    pub async fn begin(&self) -> Result<(), Absent> {
        let begun = |told: &Told| told.withdrawn || told.next() > 0;
        self.wait(|state| state.ended || state.tracks.iter().all(begun)).await
    }

    async fn wait(&self, until: impl FnMut(&State) -> bool) -> Result<(), Absent> {
        let patience = Duration::from_secs(u64::from(self.0.rules.target_s) * 3);
        let mut state = self.0.state.subscribe();
        match timeout(patience, state.wait_for(until)).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Absent::Late),
        }
    }

    /// A part of a segment; the one that comes next is waited for.
    pub async fn part(&self, track: &str, segment: u64, part: u64) -> Result<Chunk, Absent> {
        self.part_or_end(track, segment, part).await?.ok_or(Absent::Unknown)
    }

    /// As `part`; `None` where the segment has ended before it.
    pub async fn part_or_end(&self, track: &str, segment: u64, part: u64) -> Result<Option<Chunk>, Absent> {
        let index = self.index(track).ok_or(Absent::Unknown)?;
        let wanted = usize::try_from(part).map_err(|_| Absent::Unknown)?;
        let is_next = {
            let state = self.0.state.borrow();
            let told = state.tracks.get(index).ok_or(Absent::Unknown)?;
            if let Some(chunk) = told.chunk(segment, wanted) {
                return Ok(Some(chunk.clone()));
            }
            if told.has_parts_of(segment) {
                return Ok(None);
            }
            let (next, open) = (told.next(), told.open.len());
            !state.ended && ((segment == next && wanted == open) || (segment == next + 1 && wanted == 0))
        };
        if !is_next {
            return Err(Absent::Unknown);
        }
        let there = |state: &State| {
            let told = state.tracks.get(index);
            state.ended
                || told.is_none_or(|told| told.next() > segment || told.chunk(segment, wanted).is_some())
        };
        self.wait(there).await?;
        let state = self.0.state.borrow();
        let told = state.tracks.get(index).ok_or(Absent::Unknown)?;
        match told.chunk(segment, wanted) {
            Some(chunk) => Ok(Some(chunk.clone())),
            None if told.has_parts_of(segment) => Ok(None),
            None => Err(Absent::Unknown),
        }
    }

    /// A whole segment; the one that is being made is waited for.
    pub async fn segment(&self, track: &str, number: u64) -> Result<Held, Absent> {
        let index = self.index(track).ok_or(Absent::Unknown)?;
        let coming = {
            let state = self.0.state.borrow();
            let told = state.tracks.get(index).ok_or(Absent::Unknown)?;
            !state.ended && told.next() == number
        };
        if coming {
            self.wait(|state| state.ended || state.tracks.get(index).is_none_or(|told| told.next() > number))
                .await?;
        }
        let state = self.0.state.borrow();
        let place = state.tracks.get(index).and_then(|told| told.place(number)).ok_or(Absent::Unknown)?;
        let here = place.whole.clone().map(Held::Here);
        here.or_else(|| place.stored.clone().map(Held::Stored)).ok_or(Absent::Unknown)
    }

    /// The event with all its tracks, as [`Self::tell_all`] has it.
    pub fn outline(&self) -> &Descriptor {
        &self.0.outline
    }

    /// A descriptor of the event with these tracks.
    pub fn descriptor(&self, version: u64, complete: bool, tracks: Vec<descriptor::Track>) -> Descriptor {
        describe(self.0.presentation, &self.0.rules, version, complete, tracks)
    }
}

fn outline(presentation: PresentationId, rules: &Rules, tracks: &[About]) -> Descriptor {
    let tracks = tracks.iter().enumerate().map(|(n, about)| {
        let duration = about.spec.timescale.saturating_mul(rules.target_s);
        let bytes = u64::from(about.declared_bps) / 8 * u64::from(rules.target_s);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let segments = vec![descriptor::Segment { duration, bytes, sync: Vec::new() }];
        about.track(n, vec![Extent { object: String::new(), offset: 0, shift: 0, segments }])
    });
    describe(presentation, rules, 0, false, tracks.collect())
}

fn describe(
    presentation: PresentationId,
    rules: &Rules,
    version: u64,
    complete: bool,
    tracks: Vec<descriptor::Track>,
) -> Descriptor {
    Descriptor {
        format: FORMAT.min(Descriptor::format_of(&tracks)),
        presentation: presentation.to_string(),
        version,
        complete,
        created_at: rules.started_at,
        planned_duration_ms: 0,
        longest_segment_ms: u64::from(rules.target_s) * 1000,
        tracks,
        storyboard: None,
    }
}

/// A part may be asked for so far ahead: a second of parts and the rest of a segment.
const MOST_AHEAD: u64 = 16;

impl About {
    pub fn is_video(&self) -> bool {
        self.spec.is_video()
    }

    /// As a rendition, when it has pictures.
    pub fn rung(&self) -> Option<Shown> {
        let Media::Video { picture, .. } = &self.spec.media else { return None };
        let (width, height) = (picture.width, picture.height);
        Some(Shown { width, height, bitrate_bps: self.declared_bps, on: true })
    }

    /// The track in a descriptor, `n` its place.
    pub fn track(&self, n: usize, extents: Vec<Extent>) -> descriptor::Track {
        let kind = match &self.spec.media {
            Media::Video { picture, .. } => TrackKind::Video {
                width: picture.width,
                height: picture.height,
                frame_rate: self.frame_rate,
                range: self.spec.range(),
            },
            Media::Audio(sound) => TrackKind::Audio {
                sample_rate: sound.sample_rate(),
                channels: sound.channels(),
                joc: self.spec.joc(),
            },
        };
        let default = n == 0 || !matches!(kind, TrackKind::Video { .. });
        descriptor::Track {
            id: self.id.clone(),
            kind,
            codec: self.spec.codec().unwrap_or_default(),
            timescale: self.spec.timescale,
            language: None,
            label: self.label.clone(),
            default,
            init: STANDARD.encode(&self.init),
            extents,
        }
    }
}

impl Told {
    fn window(&self, timescale: u32, ended: bool) -> Window<'_> {
        let Self { first, breaks, segments, open, open_breaks, .. } = self;
        Window { timescale, first: *first, breaks: *breaks, segments, open, open_breaks: *open_breaks, ended }
    }

    /// Number of the segment that is being made.
    fn next(&self) -> u64 {
        self.first + self.segments.len() as u64
    }

    fn place(&self, number: u64) -> Option<&Place> {
        self.places.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    fn place_mut(&mut self, number: u64) -> Option<&mut Place> {
        self.places.get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    fn chunk(&self, number: u64, part: usize) -> Option<&Chunk> {
        if number == self.next() { self.chunks.get(part) } else { self.place(number)?.parts.get(part) }
    }

    /// Is it a whole segment whose parts are there?
    fn has_parts_of(&self, number: u64) -> bool {
        self.place(number).is_some_and(|place| !place.parts.is_empty())
    }

    fn tells(&self, number: u64, part: Option<u64>) -> bool {
        let whole = self.next() > number;
        match part {
            None => whole,
            Some(part) if number == self.next() => part < self.open.len() as u64,
            // A part past the end of a segment is the first of the next (§6.2.5.2).
            Some(part) if whole && number + 1 == self.next() => {
                let there = self.segments.last().map_or(0, |segment| segment.parts.len() as u64);
                part < there || !self.open.is_empty()
            }
            Some(_) => whole,
        }
    }

    fn add(&mut self, made: &Made, back: Duration, timescale: u32) {
        match made {
            Made::Part { number, chunk, breaks, .. } => {
                if *number != self.next() {
                    self.skip_to(*number);
                }
                self.open_breaks = *breaks;
                self.open.push(Part { duration: chunk.duration(), independent: chunk.independent });
                self.chunks.push(chunk.clone());
            }
            Made::Segment { number, chunk, breaks, .. } => {
                if *number != self.next() {
                    self.skip_to(*number);
                }
                self.segments.push(Segment {
                    start: chunk.start,
                    duration: chunk.duration(),
                    bytes: chunk.bytes.index.bytes,
                    breaks: *breaks,
                    parts: std::mem::take(&mut self.open),
                });
                let parts = std::mem::take(&mut self.chunks);
                self.places.push(Place { whole: Some(chunk.bytes.clone()), parts, stored: None });
                self.slide(back, timescale);
                self.let_go();
            }
        }
    }

    /// A track that comes later begins with a later segment.
    fn skip_to(&mut self, number: u64) {
        if self.segments.is_empty() {
            self.first = number;
        }
        (self.open, self.chunks) = Default::default();
    }

    /// Forgets what lies before the window.
    fn slide(&mut self, back: Duration, timescale: u32) {
        let Some(last) = self.segments.last() else { return };
        let ticks = back.as_secs().saturating_mul(timescale.into());
        let from = (last.start + u64::from(last.duration)).saturating_sub(ticks);
        let old =
            self.segments.partition_point(|segment| segment.start + u64::from(segment.duration) <= from);
        let old = old.min(self.segments.len().saturating_sub(LEAST_TOLD));
        self.breaks += self.segments.iter().take(old).filter(|segment| segment.breaks).count() as u64;
        self.segments.drain(..old);
        self.places.drain(..old);
        self.first += old as u64;
    }

    /// What is stored, and no longer at the live edge, need not be in memory.
    fn let_go(&mut self) {
        let old = self.places.len().saturating_sub(IN_MEMORY);
        for (place, segment) in self.places[..old].iter_mut().zip(&mut self.segments).rev() {
            if place.whole.is_none() && place.parts.is_empty() {
                break;
            }
            (place.parts, segment.parts) = Default::default();
            if place.stored.is_some() {
                place.whole = None;
            }
        }
    }
}
