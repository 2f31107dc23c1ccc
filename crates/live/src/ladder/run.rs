//! Keeps encoders at their jobs: replaces one that dies or hangs, and asks less of one that cannot keep up.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use media::{
    cmaf::{Media, TrackSpec},
    codec::Sound,
    frame::{Kind, Sample, TrackId},
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{
    Losses, Plan, Starter,
    command::Job,
    drive::{End, drive, key_frame},
    input::Container,
};
use crate::{
    Feed, FeedWriter, Track,
    ring::{Frame, Item, Ring, Start},
};

/// An encoder that is farther behind gets the newest key frame next.
const PATIENCE: Duration = Duration::from_secs(2);
/// Before an encoder is started again: at first, and at most.
const SOONEST: Duration = Duration::from_millis(50);
const LATEST: Duration = Duration::from_secs(5);
/// An encoder that lived so long was a good one.
const GOOD: Duration = Duration::from_secs(10);

/// Makes the plan's rungs until the source has ended. The source's own picture is `video 0` of the output when it is kept; rungs are numbered
/// from 1 on, best first; AAC-LC of the source is taken over as it is, if the plan has nothing against it. Begins at the source's newest key
/// frame.
pub async fn run<S: Starter>(source: Feed, output: FeedWriter, plan: Plan, starter: Arc<S>, losses: Losses) {
    let output = Output(Arc::new(Mutex::new(output)));
    let mut tracks = source.watch_tracks();
    let mut taken: Vec<Ring> = Vec::new();
    let mut copies = JoinSet::new();
    let mut encoders = JoinSet::new();
    let mut ended = false;
    // What is there already is taken up at its newest picture that decodes on its own: what was before is not live.
    let mut start = Start::NewestKey;
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
                    copies.spawn(copy(track.clone(), output.clone(), start));
                }
                if !plan.rungs.is_empty() {
                    let job = Job::Pictures { plan: plan.clone(), given_up: 0 };
                    encoders.spawn(encode(
                        track,
                        output.clone(),
                        job,
                        (starter.clone(), losses.clone()),
                        start,
                    ));
                }
            } else if track.id.kind == Kind::Audio && !plan.takes(&track.spec) {
                let job = Job::Sound { track: track.id, bitrate_bps: plan.audio_bps, sound: plan.sound };
                encoders.spawn(encode(track, output.clone(), job, (starter.clone(), losses.clone()), start));
            } else if track.id.kind == Kind::Audio {
                copies.spawn(copy(track, output.clone(), Start::Oldest));
            }
        }
        start = Start::Oldest;
        if ended && copies.is_empty() && encoders.is_empty() {
            return;
        }
        tokio::select! {
            _ = tracks.changed(), if !ended => {}
            () = source.ended(), if !ended => ended = true,
            Some(_) = copies.join_next() => {}
            Some(_) = encoders.join_next() => {}
        }
    }
}

impl Plan {
    /// Can this sound stay as it is?
    fn takes(&self, spec: &TrackSpec) -> bool {
        let Media::Audio(sound @ Sound::Mpeg(config)) = &spec.media else { return false };
        let fits = |wanted| wanted == (sound.sample_rate(), sound.channels());
        config.audio_object_type == 2 && self.sound.is_none_or(fits)
    }
}

/// The feed that several tasks write into.
#[derive(Clone)]
pub struct Output(Arc<Mutex<FeedWriter>>);

impl Output {
    pub fn lock(&self) -> MutexGuard<'_, FeedWriter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, id: TrackId, frame: Frame) {
        let Frame { dts, pts, key, data, discontinuity, .. } = frame;
        let mut writer = self.lock();
        if discontinuity {
            writer.break_track(id);
        }
        writer.push(id, Sample { dts, pts, key, data }, Instant::now());
    }
}

/// Takes a track over as it is.
async fn copy(track: Track, output: Output, start: Start) {
    let mut reader = track.ring.reader(start);
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

/// Keeps one encoder at its job until the track has ended.
async fn encode<S: Starter>(
    track: Track,
    output: Output,
    mut job: Job,
    (starter, losses): (Arc<S>, Losses),
    start: Start,
) {
    let mut reader = track.ring.reader(start).with_patience(PATIENCE);
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
        let end = match starter.start(job.arguments(Container::of(&first.spec))).await {
            Ok(process) => drive(process, &mut reader, first, (&job, &output)).await,
            Err(error) => {
                tracing::error!(%error, "the encoder of a live stream cannot be started");
                End::Died
            }
        };
        match end {
            End::Source => break,
            End::Changed(frame) => next = Some(frame),
            End::Slow(frame) => {
                next = Some(frame);
                let best = job.track(0);
                if let Job::Pictures { plan, given_up } = &mut job {
                    let rung = plan.rungs.remove(0);
                    tracing::warn!(
                        height = rung.height,
                        "a live encoder does not keep up: its top rung is given up"
                    );
                    losses.giving_up(best);
                    output.lock().end(best);
                    *given_up += 1;
                }
            }
            End::Died => {
                losses.death();
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
    job.tracks().into_iter().for_each(|id| output.lock().end(id));
}
