//! Transport streams of ffmpeg's are read, and every sample is compared with ffprobe's list of the file that they were made of; and
//! what is left of them when packets are lost or damaged.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::{collections::BTreeMap, path::Path, sync::OnceLock};

use media::{
    Error,
    cmaf::{Media, TrackSpec},
    frame::{Event, Kind, Sample, TrackId},
    mp4::{Header, TrackKind},
    ts::{Demuxer, Limits, SIZE},
};
use proptest::prelude::*;
use serde_json::Value;

const LIMITS: Limits = Limits { tracks: 4, frame: 1 << 20, held: 2 << 20 };
const VIDEO: TrackId = TrackId { kind: Kind::Video, number: 0 };
const AUDIO: TrackId = TrackId { kind: Kind::Audio, number: 0 };
const PICTURE: &str = "-f lavfi -i testsrc2=s=320x180:r=30000/1001:d=4";
const SOUND: &str = "-f lavfi -i sine=r=48000:d=4";
const X264: &str = "-c:v libx264 -preset veryfast -pix_fmt yuv420p -g 30 -bf 2";

fn ffmpeg(dir: &Path, line: &str) {
    let line = format!("-v error -y {line}");
    support::quiet("ffmpeg", &line.split_whitespace().collect::<Vec<_>>(), dir);
}

fn read(bytes: &[u8]) -> Vec<Event> {
    let (mut demuxer, mut events) = (Demuxer::new(LIMITS), Vec::new());
    for piece in bytes.chunks(1316) {
        demuxer.read(piece, &mut events).unwrap();
        assert!(demuxer.held() < LIMITS.held);
    }
    demuxer.finish(&mut events).unwrap();
    events
}

/// Samples and the newest description of each track.
fn tracks(events: &[Event]) -> BTreeMap<TrackId, (Vec<TrackSpec>, Vec<Sample>)> {
    let mut tracks: BTreeMap<_, (Vec<_>, Vec<_>)> = BTreeMap::new();
    for event in events {
        match event {
            Event::Track(id, spec) => tracks.entry(*id).or_default().0.push(spec.clone()),
            Event::Sample(id, sample) => tracks.entry(*id).or_default().1.push(sample.clone()),
            _ => {}
        }
    }
    tracks
}

/// What ffprobe says of the packets of a stream: times in ticks of 90 kHz, key, size and sum.
fn probe(dir: &Path, file: &str, stream: &str) -> Vec<(i64, i64, bool, usize, u32)> {
    let line =
        format!("-select_streams {stream} -show_packets -show_data_hash crc32 -print_format json {file}");
    let text = support::text("ffprobe", &line.split_whitespace().collect::<Vec<_>>(), dir);
    let report: Value = serde_json::from_str(&text).unwrap();
    let packet = |p: &Value| {
        let text = |name: &str| p[name].as_str().unwrap_or_else(|| panic!("{name}: {p}"));
        let ticks = |name: &str| (text(name).parse::<f64>().unwrap() * 90_000.0).round() as i64;
        let crc = u32::from_str_radix(text("data_hash").strip_prefix("CRC32:").unwrap(), 16).unwrap();
        let key = text("flags").starts_with('K');
        (ticks("dts_time"), ticks("pts_time"), key, text("size").parse().unwrap(), crc)
    };
    report["packets"].as_array().unwrap().iter().map(packet).collect()
}

/// Gives what all times were moved by, ticks.
fn same(sent: &[(i64, i64, bool, usize, u32)], came: &[Sample], shift: Option<i64>) -> i64 {
    assert!(sent.len() >= 100, "{} packets", sent.len());
    let shift = shift.unwrap_or_else(|| came[0].dts - sent[0].0);
    assert_eq!(sent.len(), came.len());
    for (n, (sent, came)) in sent.iter().zip(came).enumerate() {
        // The list has microseconds, and sound does not have whole ticks.
        let near = |a: i64, b: i64| (a + shift - b).abs() <= 2;
        assert!(near(sent.0, came.dts) && near(sent.1, came.pts), "{n}: {sent:?} {} {}", came.dts, came.pts);
        assert_eq!((sent.2, sent.3, sent.4), (came.key, came.data.len(), crc32fast::hash(&came.data)), "{n}");
    }
    shift
}

/// Makes an MP4 file and a transport stream of it, and compares both tracks. Gives the stream's events and the file's header.
fn compare(encode: &str, mux: &str) -> (Vec<Event>, Header) {
    let dir = tempfile::tempdir().unwrap();
    ffmpeg(dir.path(), &format!("{PICTURE} {SOUND} {encode} -movflags +faststart source.mp4"));
    ffmpeg(dir.path(), &format!("-i source.mp4 -c copy {mux} -f mpegts out.ts"));
    let events = read(&std::fs::read(dir.path().join("out.ts")).unwrap());
    let lost = events.iter().filter(|e| !matches!(e, Event::Track(..) | Event::Sample(..))).count();
    assert_eq!(lost, 0);
    let tracks = tracks(&events);
    let shift = same(&probe(dir.path(), "source.mp4", "v:0"), &tracks[&VIDEO].1, None);
    same(&probe(dir.path(), "source.mp4", "a:0"), &tracks[&AUDIO].1, Some(shift));
    assert!(tracks.values().all(|(specs, _)| specs.len() == 1), "described once");
    let file = std::fs::read(dir.path().join("source.mp4")).unwrap();
    (events, Header::parse_file(&file).unwrap())
}

fn spec(events: &[Event], id: TrackId) -> TrackSpec {
    tracks(events)[&id].0[0].clone()
}

/// The picture and the sound of a file.
fn described(header: &Header) -> (media::codec::Picture, media::codec::Sound) {
    let picture = header.tracks.iter().find_map(|track| match &track.kind {
        TrackKind::Video { picture, .. } => picture.clone(),
        _ => None,
    });
    let sound = header.tracks.iter().find_map(|track| match &track.kind {
        TrackKind::Audio { sound, .. } => sound.clone(),
        _ => None,
    });
    (picture.unwrap(), sound.unwrap())
}

#[test]
fn h264_with_b_frames_and_aac() {
    let (events, header) = compare(&format!("{X264} -c:a aac"), "");
    let (picture, sound) = described(&header);
    // The record that ffmpeg wrote, byte by byte.
    let expected = Media::Video { picture, delay: 0 };
    assert_eq!(spec(&events, VIDEO).media, expected);
    let (Media::Audio(ours), codec) = (spec(&events, AUDIO).media, "mp4a.40.2") else { panic!("sound") };
    assert_eq!(
        (ours.codec().as_str(), ours.sample_rate(), ours.channels()),
        (codec, 48_000, sound.channels())
    );
    assert_eq!(spec(&events, VIDEO).timescale, 90_000);
}

#[test]
fn h264_of_high_profiles_and_other_forms() {
    let encode = "-c:v libx264 -preset veryfast -pix_fmt yuv422p10le -g 30 -x264-params open-gop=1:bframes=3:aud=0 -c:a aac -ar 44100 -ac 1";
    let (events, header) = compare(encode, "-pes_payload_size 0 -muxrate 8M");
    assert_eq!(spec(&events, VIDEO).media, Media::Video { picture: described(&header).0, delay: 0 });
    let Media::Audio(sound) = spec(&events, AUDIO).media else { panic!("sound") };
    assert_eq!((sound.sample_rate(), sound.channels()), (44_100, 1));
}

#[test]
fn hevc_and_opus() {
    let hdr = "-color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc -pix_fmt yuv420p10le";
    let encode = format!(
        "-c:v libx265 -preset ultrafast -x265-params log-level=none:bframes=2:info=0 {hdr} -tag:v hvc1 -g 30 -c:a libopus"
    );
    let (events, header) = compare(&encode, "");
    let (theirs, _) = described(&header);
    let Media::Video { picture, .. } = spec(&events, VIDEO).media else { panic!("a picture") };
    assert_eq!((picture.width, picture.height, picture.colour), (theirs.width, theirs.height, theirs.colour));
    let codec =
        |picture: &media::codec::Picture| picture.format.facts("hvc1", &picture.config).unwrap().codec;
    assert_eq!(codec(&picture), codec(&theirs));
    let Media::Audio(sound) = spec(&events, AUDIO).media else { panic!("sound") };
    assert_eq!((sound.codec().as_str(), sound.channels()), ("opus", 1));
}

/// The times of 33 bits begin again after 95,443.7 s.
#[test]
fn times_that_begin_again() {
    let (events, _) = compare(&format!("{X264} -c:a aac"), "-output_ts_offset 95441");
    let times: Vec<i64> = tracks(&events)[&VIDEO].1.iter().map(|sample| sample.dts).collect();
    assert!(times[0] < 1 << 33 && times[times.len() - 1] > 1 << 33, "{times:?}");
    assert!(times.windows(2).all(|pair| (1..9000).contains(&(pair[1] - pair[0]))));
}

#[test]
fn several_tracks_and_packets_of_other_sizes() {
    let dir = tempfile::tempdir().unwrap();
    let other = "-f lavfi -i testsrc=s=160x90:r=25:d=4 -f lavfi -i sine=f=880:r=44100:d=4";
    let maps = "-map 0:v -map 2:v -map 1:a -map 3:a -c:v libx264 -g 25 -bf 0 -pix_fmt yuv420p -c:a aac";
    ffmpeg(dir.path(), &format!("{PICTURE} {SOUND} {other} {maps} source.mp4"));
    let mux = "-pes_payload_size 100 -pat_period 0.05 -omit_video_pes_length 0 -flush_packets 1";
    ffmpeg(dir.path(), &format!("-i source.mp4 -map 0 -c copy {mux} -f mpegts out.ts"));
    let tracks = tracks(&read(&std::fs::read(dir.path().join("out.ts")).unwrap()));
    let mut shift = None;
    for (stream, kind, number) in
        [("v:0", Kind::Video, 0), ("v:1", Kind::Video, 1), ("a:0", Kind::Audio, 0), ("a:1", Kind::Audio, 1)]
    {
        let samples = &tracks[&TrackId { kind, number }].1;
        shift = Some(same(&probe(dir.path(), "source.mp4", stream), samples, shift));
    }
}

/// A small picture goes on as a large one, and sound of one rate as that of another.
#[test]
fn what_changes_is_described_again() {
    let dir = tempfile::tempdir().unwrap();
    for (name, size, rate) in [("one", "320x180", 48_000), ("two", "640x360", 44_100)] {
        let sources = format!("-f lavfi -i testsrc2=s={size}:r=25:d=2 -f lavfi -i sine=r={rate}:d=2");
        ffmpeg(dir.path(), &format!("{sources} {X264} -c:a aac -f mpegts {name}.ts"));
    }
    let file = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
    let events = read(&[file("one.ts"), file("two.ts")].concat());
    let tracks = tracks(&events);
    let widths: Vec<u32> = tracks[&VIDEO]
        .0
        .iter()
        .map(|spec| match &spec.media {
            Media::Video { picture, .. } => picture.width,
            Media::Audio(_) => 0,
        })
        .collect();
    assert_eq!((widths, tracks[&AUDIO].0.len()), (vec![320, 640], 2));
    // ffmpeg begins counters anew: the last frames of the first file may be whole or not.
    assert!((98..=100).contains(&tracks[&VIDEO].1.len()), "{}", tracks[&VIDEO].1.len());
}

#[test]
fn what_is_not_read_is_said() {
    let dir = tempfile::tempdir().unwrap();
    for (codec, words) in [
        ("-c:a mp2", "MPEG audio (MP2, MP3)"),
        ("-c:a ac3", "AC-3"),
        ("-c:a eac3", "E-AC-3"),
        ("-c:a aac -mpegts_flags latm", "AAC in LATM"),
    ] {
        ffmpeg(dir.path(), &format!("{PICTURE} {SOUND} {X264} -t 0.5 {codec} -f mpegts out.ts"));
        let bytes = std::fs::read(dir.path().join("out.ts")).unwrap();
        let end = Demuxer::new(LIMITS).read(&bytes, &mut Vec::new());
        assert_eq!(end, Err(Error::Unsupported(words.into())));
    }
    ffmpeg(dir.path(), &format!("{PICTURE} {SOUND} -t 0.5 -c:v mpeg2video -c:a aac -f mpegts out.ts"));
    let bytes = std::fs::read(dir.path().join("out.ts")).unwrap();
    let end = Demuxer::new(LIMITS).read(&bytes, &mut Vec::new());
    assert_eq!(end, Err(Error::Unsupported("MPEG-2 video".into())));
    ffmpeg(
        dir.path(),
        &format!("{SOUND} {SOUND} -map 0 -map 1 -t 0.5 -c:a:0 aac -c:a:1 mp2 -f mpegts out.ts"),
    );
    let bytes = std::fs::read(dir.path().join("out.ts")).unwrap();
    let (mut demuxer, mut events) = (Demuxer::new(LIMITS), Vec::new());
    demuxer.read(&bytes, &mut events).unwrap();
    assert_eq!(demuxer.refused().collect::<Vec<_>>(), ["MPEG audio (MP2, MP3)"]);
    let one = Limits { tracks: 1, ..LIMITS };
    ffmpeg(dir.path(), &format!("{PICTURE} {SOUND} -t 0.5 {X264} -c:a aac -f mpegts out.ts"));
    let bytes = std::fs::read(dir.path().join("out.ts")).unwrap();
    let end = Demuxer::new(one).read(&bytes, &mut Vec::new());
    assert_eq!(end, Err(Error::TooLarge("number of tracks", 1)));
}

/// A short stream, made once.
fn short() -> &'static [u8] {
    static STREAM: OnceLock<Vec<u8>> = OnceLock::new();
    STREAM.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        ffmpeg(dir.path(), &format!("{PICTURE} {SOUND} {X264} -b:v 3M -t 1.5 -c:a aac -f mpegts out.ts"));
        std::fs::read(dir.path().join("out.ts")).unwrap()
    })
}

fn samples(events: &[Event]) -> Vec<(TrackId, Sample)> {
    let found = events.iter().filter_map(|event| match event {
        Event::Sample(id, sample) => Some((*id, sample.clone())),
        _ => None,
    });
    found.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Wherever the bytes are cut, the same comes out.
    #[test]
    fn pieces_of_any_size(sizes in prop::collection::vec(1usize..4000, 1..50)) {
        let (mut demuxer, mut events) = (Demuxer::new(LIMITS), Vec::new());
        let (mut rest, mut sizes) = (short(), sizes.into_iter().cycle());
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(sizes.next().unwrap().min(rest.len()));
            demuxer.read(piece, &mut events).unwrap();
            rest = after;
        }
        demuxer.finish(&mut events).unwrap();
        prop_assert_eq!(events, read(short()));
    }

    /// Whatever packets are lost, come twice, or are marked as damaged: what comes out are frames of the stream, whole, in their order and with
    /// their times, and each loss is told.
    #[test]
    fn losses_leave_whole_frames(faults in prop::collection::btree_map(0usize..1000, 0u8..3, 1..60)) {
        let all = samples(&read(short()));
        let mut bytes = Vec::new();
        let mut lost = false;
        for (n, packet) in short().chunks(SIZE).enumerate() {
            match faults.get(&n) {
                Some(0) => lost = true,
                Some(1) => bytes.extend([packet, packet].concat()),
                Some(2) => {
                    bytes.extend_from_slice(packet);
                    let at = bytes.len() - SIZE + 1;
                    bytes[at] |= 0x80;
                    lost = true;
                }
                _ => bytes.extend_from_slice(packet),
            }
        }
        let events = read(&bytes);
        let left = samples(&events);
        let mut rest = all.iter();
        for sample in &left {
            prop_assert!(rest.any(|other| other == sample), "{} at {} is no frame of the stream", sample.0, sample.1.dts);
        }
        if left.len() < all.len() {
            prop_assert!(lost && events.iter().any(|event| matches!(event, Event::Lost(_) | Event::Dropped(_))));
        }
        if !lost {
            prop_assert_eq!(left.len(), all.len());
        }
    }

    /// Bytes that were changed: no panic, and memory within the limits.
    #[test]
    fn damage_is_survived(faults in prop::collection::vec((0usize..200_000, any::<u8>()), 1..200), cut in 0usize..188) {
        let mut bytes = short().to_vec();
        for (at, byte) in faults {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let limits = Limits { tracks: 4, frame: 20_000, held: 30_000 };
        let (mut demuxer, mut events) = (Demuxer::new(limits), Vec::new());
        for piece in bytes[cut..].chunks(1316) {
            if demuxer.read(piece, &mut events).is_err() {
                break;
            }
            prop_assert!(demuxer.held() < 40_000);
        }
        prop_assert!(samples(&events).iter().all(|(_, sample)| sample.data.len() < 40_000));
    }
}
