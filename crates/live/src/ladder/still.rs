//! A still picture as pictures of a ladder's rungs: what stands in while nobody sends.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use media::{
    cmaf::TrackSpec,
    mp4::{FragmentReader, Item, Limits},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::{Plan, Process, Rung, Starter, command};
use crate::ring::Frame;

/// A picture that takes longer to encode is not waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Encodes a JPEG file for each of the rungs, in their order: one picture each, which decodes on its own. `None` when an encoder
/// cannot make them.
pub async fn still<S: Starter>(
    starter: &S,
    jpeg: Bytes,
    rungs: Vec<Rung>,
    preset: &str,
) -> Option<Vec<Frame>> {
    let wanted = rungs.len();
    let plan = Plan { rungs, preset: preset.to_owned(), threads: 1, ..Plan::default() };
    let Process { mut stdin, mut stdout, keep } = starter.start(command::still(&plan)).await.ok()?;
    let feeding = async move {
        // One that does not read it all says so by what it makes.
        let _ = stdin.write_all(&jpeg).await;
        let _ = stdin.shutdown().await;
    };
    let mut made = Vec::new();
    let both = async { tokio::join!(feeding, stdout.read_to_end(&mut made)).1 };
    let read = timeout(PATIENCE, both).await;
    drop(keep);
    read.ok()?.ok()?;
    let frames = frames(&made);
    (frames.len() == wanted).then_some(frames)
}

/// The first picture of each track of a fragmented MP4 file.
fn frames(made: &[u8]) -> Vec<Frame> {
    let mut reader = FragmentReader::new(Limits { moov: 1 << 20, moof: 1 << 20, mdat: 16 << 20 });
    reader.feed(made);
    let mut tracks: Vec<(u32, Arc<TrackSpec>, Option<Bytes>)> = Vec::new();
    while let Ok(Some(item)) = reader.next() {
        match item {
            Item::Header(header) => tracks.extend(header.tracks.iter().filter_map(|track| {
                Some((track.id, Arc::new(TrackSpec::from_header(track, 0).ok()?), None))
            })),
            Item::Fragment(fragment) => {
                let track = tracks.iter_mut().find(|(id, ..)| *id == fragment.track);
                if let Some((_, _, picture @ None)) = track {
                    *picture =
                        fragment.samples.into_iter().find(|sample| sample.is_sync).map(|sample| sample.data);
                }
            }
        }
    }
    let frame = |(_, spec, data): (u32, Arc<TrackSpec>, Option<Bytes>)| {
        Some(Frame { spec, dts: 0, pts: 0, key: true, discontinuity: false, data: data? })
    };
    tracks.into_iter().filter_map(frame).collect()
}
