//! FLV files of ffmpeg's are read, written again, and judged by ffprobe.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::{collections::BTreeMap, path::Path};

use media::{
    cmaf::TrackSpec,
    flv::{self, Demuxer, Reader},
    frame::{Event, Kind, Sample, TrackId},
};

type Found = (BTreeMap<TrackId, TrackSpec>, Vec<(TrackId, Sample)>);

fn read(bytes: &[u8]) -> Found {
    let (mut reader, mut demuxer, mut events) = (Reader::new(1 << 20), Demuxer::new(8), Vec::new());
    reader.feed(bytes);
    while let Some(tag) = reader.next().unwrap() {
        let kind = match tag.kind {
            flv::VIDEO => Kind::Video,
            flv::AUDIO => Kind::Audio,
            _ => continue,
        };
        demuxer.read(kind, tag.time_ms.into(), &tag.body, &mut events).unwrap();
    }
    let (mut specs, mut samples) = (BTreeMap::new(), Vec::new());
    for event in events {
        match event {
            Event::Track(id, spec) => drop(specs.insert(id, spec)),
            Event::Sample(id, sample) => samples.push((id, sample)),
            Event::End(_) => {}
            other => panic!("{other:?}"),
        }
    }
    (specs, samples)
}

fn write((specs, samples): &Found) -> Vec<u8> {
    let mut out = flv::header(true, true).to_vec();
    for (id, spec) in specs {
        let start = flv::sequence_start(*id, spec).unwrap().unwrap();
        flv::tag(&mut out, flv::tag_type(id.kind), 0, &[&start]).unwrap();
    }
    for (id, sample) in samples {
        let (head, body) = flv::frame(*id, &specs[id], sample).unwrap();
        flv::tag(&mut out, flv::tag_type(id.kind), sample.dts.div_euclid(1000), &[&head, &body]).unwrap();
    }
    out
}

fn packets(dir: &Path, name: &str) -> String {
    let show = "packet=codec_type,pts,dts,size,flags,data_hash";
    support::text(
        "ffprobe",
        &["-show_packets", "-show_data_hash", "crc32", "-show_entries", show, "-of", "csv", name],
        dir,
    )
}

const INPUTS: &str = "-f lavfi -i testsrc2=s=192x108:r=25:d=2 -f lavfi -i sine=r=44100:d=2";

#[test]
fn what_is_read_and_written_is_the_same_to_ffprobe() {
    let dir = tempfile::tempdir().unwrap();
    let line = format!("{INPUTS} -c:v libx264 -pix_fmt yuv420p -bf 2 -g 25 -c:a aac -f flv one.flv");
    support::quiet("ffmpeg", &line.split_whitespace().collect::<Vec<_>>(), dir.path());
    let found = read(&std::fs::read(dir.path().join("one.flv")).unwrap());
    let codecs: Vec<_> = found.0.iter().map(|(id, spec)| (id.to_string(), spec.codec().unwrap())).collect();
    let expected = [("video 0".into(), "avc1.64000b".into()), ("audio 0".into(), "mp4a.40.2".into())];
    assert_eq!(codecs, expected);
    assert_eq!(found.1.iter().filter(|(id, _)| id.kind == Kind::Video).count(), 50);
    std::fs::write(dir.path().join("two.flv"), write(&found)).unwrap();
    assert_eq!(packets(dir.path(), "one.flv"), packets(dir.path(), "two.flv"));
    support::quiet("ffmpeg", &["-i", "two.flv", "-f", "null", "-"], dir.path());
}

/// Codecs and tracks that need extended tags, which this ffmpeg cannot read: ours are read again as the same.
#[test]
fn extended_tags_go_there_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let line = format!("{INPUTS} -c:v libx264 -pix_fmt yuv420p -g 25 -c:a aac -f flv one.flv");
    support::quiet("ffmpeg", &line.split_whitespace().collect::<Vec<_>>(), dir.path());
    let (specs, samples) = read(&std::fs::read(dir.path().join("one.flv")).unwrap());
    let moved = |id: TrackId| TrackId { number: 5, ..id };
    let found: Found = (
        specs.into_iter().map(|(id, spec)| (moved(id), spec)).collect(),
        samples.into_iter().map(|(id, sample)| (moved(id), sample)).collect(),
    );
    assert_eq!(read(&write(&found)), found);
}
