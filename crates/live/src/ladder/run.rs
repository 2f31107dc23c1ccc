//! Keeps an encoder running: feeds it, takes what it makes, replaces it when it dies or hangs, and asks less of it when it cannot
//! keep up.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::BytesMut;
use media::{
    cmaf::{Media, TrackSpec},
    codec::Sound,
    flv::{Kind, Sample, TrackId},
    mp4::{FragmentReader, Item as Made, Limits},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinSet,
    time::{Instant, interval, sleep},
};

use super::{
    Plan, Process, Starter,
    command::arguments,
    input::{Clock, Container, Input},
};
use crate::{
    Feed, FeedWriter, Track,
    ring::{Frame, Item, Reader, Ring, Start},
};

/// An encoder that is farther behind gets the newest key frame next.
const PATIENCE: Duration = Duration::from_secs(2);
/// An encoder that has frames and gives nothing for so long hangs.
const HANGS: Duration = Duration::from_secs(5);
/// Before an encoder is started again: at first, and at most.
const SOONEST: Duration = Duration::from_millis(50);
const LATEST: Duration = Duration::from_secs(5);
/// An encoder that lived so long was a good one.
const GOOD: Duration = Duration::from_secs(10);

/// What became of a ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Encoders that died or hung.
    pub deaths: u64,
    /// Rungs that were given up because the machine could not keep up.
    pub given_up: u32,
}

/// Makes the plan's rungs until the source has ended. The source's own picture is `video 0` of the output when it is kept; rungs are numbered
/// from 1 on, best first; AAC of the source is taken over as it is.
pub async fn run<S: Starter>(source: Feed, output: FeedWriter, plan: Plan, starter: Arc<S>) -> Outcome {
    let output = Output(Arc::new(Mutex::new(output)));
    let mut tracks = source.watch_tracks();
    let mut taken: Vec<Ring> = Vec::new();
    let mut copies = JoinSet::new();
    let mut encoder = JoinSet::new();
    let mut outcome = Outcome::default();
    let mut ended = false;
    loop {
        let listed = tracks.borrow_and_update().clone();
        taken.retain(|ring| listed.iter().any(|track| track.ring.is(ring)));
        for track in listed {
            if taken.iter().any(|ring| ring.is(&track.ring)) {
                continue;
            }
            taken.push(track.ring.clone());
            let first = track.id.number == 0;
            if track.id.kind == Kind::Video && first {
                if plan.keeps_source {
                    copies.spawn(copy(track.clone(), output.clone()));
                }
                if !plan.rungs.is_empty() {
                    encoder.spawn(encode(track, output.clone(), plan.clone(), starter.clone()));
                }
            } else if is_aac(&track.spec) {
                copies.spawn(copy(track, output.clone()));
            }
        }
        if ended && copies.is_empty() && encoder.is_empty() {
            return outcome;
        }
        tokio::select! {
            _ = tracks.changed(), if !ended => {}
            () = source.ended(), if !ended => ended = true,
            Some(_) = copies.join_next() => {}
            Some(done) = encoder.join_next() => outcome = done.unwrap_or(outcome),
        }
    }
}

fn is_aac(spec: &TrackSpec) -> bool {
    matches!(&spec.media, Media::Audio(Sound::Mpeg(_)))
}

/// The feed that several tasks write into.
#[derive(Clone)]
struct Output(Arc<Mutex<FeedWriter>>);

impl Output {
    fn lock(&self) -> MutexGuard<'_, FeedWriter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, id: TrackId, frame: Frame) {
        let Frame { dts, pts, key, data, .. } = frame;
        self.lock().push(id, Sample { dts, pts, key, data }, Instant::now());
    }
}

/// Takes a track over as it is.
async fn copy(track: Track, output: Output) {
    let mut reader = track.ring.reader(Start::NewestKey);
    let mut described = None;
    while let Some(item) = reader.next().await {
        let Item::Frame(frame) = item else { continue };
        if described.as_ref().is_none_or(|known| !Arc::ptr_eq(known, &frame.spec)) {
            output.lock().describe(track.id, TrackSpec::clone(&frame.spec));
            described = Some(frame.spec.clone());
        }
        output.push(track.id, frame);
    }
    output.lock().end(track.id);
}

/// Why an encoder has ended.
enum End {
    /// The source is over, and all was made of it.
    Source,
    /// The source goes on as something else, with this frame.
    Changed(Frame),
    /// It did not keep up; the frame is where the next one begins.
    Slow(Frame),
    Died,
}

async fn encode<S: Starter>(track: Track, output: Output, mut plan: Plan, starter: Arc<S>) -> Outcome {
    let mut reader = track.ring.reader(Start::NewestKey).with_patience(PATIENCE);
    let mut outcome = Outcome::default();
    let mut wait = SOONEST;
    let mut next = None;
    loop {
        let first = match next.take() {
            Some(frame) => frame,
            None => match key_frame(&mut reader).await {
                Some(frame) => frame,
                None => break,
            },
        };
        let since = Instant::now();
        let end = match starter.start(arguments(&plan, Container::of(&first.spec))).await {
            Ok(process) => drive(process, &mut reader, first, (&output, outcome.given_up)).await,
            Err(error) => {
                tracing::error!(%error, "the encoder of a live stream cannot be started");
                End::Died
            }
        };
        match end {
            End::Source => break,
            End::Changed(frame) => next = Some(frame),
            End::Slow(frame) => {
                if plan.rungs.len() > 1 {
                    let rung = plan.rungs.remove(0);
                    tracing::warn!(
                        height = rung.height,
                        "a live encoder does not keep up: its top rung is given up"
                    );
                    output.lock().end(rung_id(outcome.given_up, 0));
                    outcome.given_up += 1;
                }
                next = Some(frame);
            }
            End::Died => {
                outcome.deaths += 1;
                if track.ring.is_closed() {
                    break;
                }
                tracing::warn!("a live encoder has died and is started again");
                wait = if since.elapsed() > GOOD { SOONEST } else { (wait * 2).min(LATEST) };
                sleep(wait).await;
                // What it lost is lost: players go on at the next picture that can be decoded.
                reader = track.ring.reader(Start::NewestKey).with_patience(PATIENCE);
            }
        }
    }
    for n in 0..plan.rungs.len() {
        output.lock().end(rung_id(outcome.given_up, n));
    }
    outcome
}

/// Numbers stay when better rungs are given up.
fn rung_id(given_up: u32, n: usize) -> TrackId {
    let number = u8::try_from(given_up as usize + n + 1).unwrap_or(u8::MAX);
    TrackId { kind: Kind::Video, number }
}

async fn key_frame(reader: &mut Reader) -> Option<Frame> {
    loop {
        match reader.next().await? {
            Item::Frame(frame) if frame.key => return Some(frame),
            _ => {}
        }
    }
}

/// Feeds a program and takes what it makes, until one of both ends.
async fn drive(process: Process, reader: &mut Reader, first: Frame, to: (&Output, u32)) -> End {
    let Process { mut stdin, mut stdout, keep } = process;
    let Ok((mut input, head)) = Input::begin(&first) else { return End::Died };
    let clock = input.clock();
    // Frames that went in, and when something came out last.
    let progress = Mutex::new((0u64, 0u64, Instant::now()));
    let note = |change: &dyn Fn(&mut (u64, u64, Instant))| {
        change(&mut progress.lock().unwrap_or_else(PoisonError::into_inner));
    };
    let feeding = async {
        let mut frame = Some(first);
        if stdin.write_all(&head).await.is_err() {
            return End::Died;
        }
        let spec = frame.as_ref().map(|frame| frame.spec.clone());
        let end = loop {
            let next = match frame.take() {
                Some(frame) => frame,
                None => match reader.next().await {
                    Some(Item::Frame(frame)) => frame,
                    Some(Item::Lagged { .. }) => match key_frame(reader).await {
                        Some(frame) => break End::Slow(frame),
                        None => break End::Source,
                    },
                    None => break End::Source,
                },
            };
            if spec.as_ref().is_some_and(|spec| !Arc::ptr_eq(spec, &next.spec)) {
                break End::Changed(next);
            }
            let Ok(bytes) = input.frame(&next) else { continue };
            if stdin.write_all(&bytes).await.is_err() || stdin.flush().await.is_err() {
                break End::Died;
            }
            note(&|(fed, ..)| *fed += 1);
        };
        let _ = stdin.shutdown().await;
        drop(stdin);
        end
    };
    let taking = async {
        let mut made = FragmentReader::new(Limits { moov: 1 << 20, moof: 1 << 20, mdat: 16 << 20 });
        let mut piece = BytesMut::with_capacity(64 << 10);
        let mut tracks = Vec::new();
        while matches!(stdout.read_buf(&mut piece).await, Ok(1..)) {
            note(&|(fed, seen, at)| (*seen, *at) = (*fed, Instant::now()));
            made.feed(&piece);
            piece.clear();
            while let Ok(Some(item)) = made.next() {
                take(item, &mut tracks, clock, to);
            }
        }
    };
    let watching = async {
        let mut ticks = interval(Duration::from_millis(500));
        loop {
            ticks.tick().await;
            let (fed, seen, at) = *progress.lock().unwrap_or_else(PoisonError::into_inner);
            if fed > seen + 1 && at.elapsed() > HANGS {
                return;
            }
        }
    };
    let both = async {
        tokio::pin!(feeding, taking);
        tokio::select! {
            end = &mut feeding => {
                // The rest of what it has.
                taking.await;
                end
            }
            () = &mut taking => End::Died,
        }
    };
    let end = tokio::select! {
        end = both => end,
        () = watching => End::Died,
    };
    drop(keep);
    end
}

/// Puts what was made into the rings. `tracks` are the encoder's numbers and timescales, and our numbers.
fn take(item: Made, tracks: &mut Vec<(u32, u32, TrackId)>, clock: Clock, (output, given_up): (&Output, u32)) {
    match item {
        Made::Header(header) => {
            for (n, track) in header.tracks.iter().enumerate() {
                let id = rung_id(given_up, n);
                if let Ok(spec) = TrackSpec::from_header(track, 0) {
                    tracks.push((track.id, track.timescale, id));
                    output.lock().describe(id, spec);
                }
            }
        }
        Made::Fragment(fragment) => {
            let Some((_, timescale, id)) = tracks.iter().find(|(id, ..)| *id == fragment.track) else {
                return;
            };
            for sample in fragment.samples {
                let dts = clock.time(i64::try_from(sample.dts).unwrap_or(0), *timescale);
                let pts = dts + i64::from(sample.cts_offset);
                let sample = Sample { dts, pts, key: sample.is_sync, data: sample.data };
                output.lock().push(*id, sample, Instant::now());
            }
        }
    }
}
