//! One encoder at work: frames go in, fragments come out and into the rings.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::BytesMut;
use media::{
    cmaf::TrackSpec,
    frame::{Sample, TrackId},
    mp4::{FragmentReader, Item as Made, Limits},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, interval},
};

use super::{
    Process,
    command::Job,
    input::{Clock, Input},
    run::Output,
};
use crate::ring::{Frame, Item, Reader};

/// An encoder that has frames and gives nothing for so long hangs.
const HANGS: Duration = Duration::from_secs(5);
/// Frames that a decoder may hold back until others come (ISO/IEC 14496-10 §A.3.1).
const HELD_BACK: u64 = 16;

/// Why an encoder has ended.
pub enum End {
    /// The source is over, and all was made of it.
    Source,
    /// The source goes on as something else, with this frame.
    Changed(Frame),
    /// It did not keep up; the frame is where the next one begins.
    Slow(Frame),
    Died,
}

/// The next key frame.
pub async fn key_frame(reader: &mut Reader) -> Option<Frame> {
    loop {
        match reader.next().await? {
            Item::Frame(frame) if frame.key => return Some(frame),
            _ => {}
        }
    }
}

/// Feeds a program and takes what it makes, until one of both ends.
pub async fn drive(
    process: Process,
    reader: &mut Reader,
    first: Frame,
    (job, output): (&Job, &Output),
) -> End {
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
                        Some(frame) if job.can_shrink() => break End::Slow(frame),
                        Some(frame) => frame,
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
                take(item, &mut tracks, clock, (job, output));
            }
        }
    };
    let watching = async {
        let mut ticks = interval(Duration::from_millis(500));
        loop {
            ticks.tick().await;
            let (fed, seen, at) = *progress.lock().unwrap_or_else(PoisonError::into_inner);
            if fed > seen + HELD_BACK && at.elapsed() > HANGS {
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
fn take(item: Made, tracks: &mut Vec<(u32, u32, TrackId)>, clock: Clock, (job, output): (&Job, &Output)) {
    match item {
        Made::Header(header) => {
            for (n, track) in header.tracks.iter().enumerate() {
                let id = job.track(n);
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
                let made = i64::try_from(sample.dts).unwrap_or(0);
                if clock.is_before(made, *timescale) {
                    continue;
                }
                let dts = clock.time(made, *timescale);
                let pts = dts + i64::from(sample.cts_offset);
                let sample = Sample { dts, pts, key: sample.is_sync, data: sample.data };
                output.lock().push(*id, sample, Instant::now());
            }
        }
    }
}
