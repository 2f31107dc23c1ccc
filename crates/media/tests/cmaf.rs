//! What the writer makes out of real encodes, judged by ffmpeg and ffprobe.

mod support;

use bytes::Bytes;
use media::{
    cmaf::{self, Kind, TrackSpec},
    codec::avc,
    iframe,
    mp4::{Header, TrackKind},
};
use support::{audio, file, quiet, read, rewrite, text, video};

fn frame_hashes(dir: &std::path::Path, name: &str, map: &str) -> Vec<String> {
    let report =
        text("ffmpeg", &["-i", name, "-map", map, "-fps_mode", "passthrough", "-f", "framemd5", "-"], dir);
    report
        .lines()
        .filter(|l| !l.starts_with('#'))
        .filter_map(|l| l.rsplit(',').next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn video_is_rewritten_frame_by_frame() {
    let dir = tempfile::tempdir().unwrap();
    let source = video(dir.path(), 120, "30000/1001", "190x106");
    let (init, segments) = rewrite(&source, 2, Kind::Video { delay: 2002 });
    std::fs::write(dir.path().join("source.mp4"), &source).unwrap();
    std::fs::write(dir.path().join("track.mp4"), file(&init, &segments)).unwrap();

    assert_eq!(segments.iter().map(|s| s.index.sync.len()).collect::<Vec<_>>(), [2, 2, 1]);
    assert_eq!(segments.iter().map(|s| s.index.duration / 1001).collect::<Vec<_>>(), [48, 48, 24]);
    assert_eq!(segments[0].index.sync[1].at, 24 * 1001);
    let before = frame_hashes(dir.path(), "source.mp4", "0:v");
    assert_eq!(before.len(), 120);
    assert_eq!(frame_hashes(dir.path(), "track.mp4", "0:v"), before);

    let shown =
        text("ffprobe", &["-show_entries", "frame=pts,key_frame", "-of", "csv=p=0", "track.mp4"], dir.path());
    let expected: String = (0..120).map(|n| format!("{},{}\n", u8::from(n % 24 == 0), n * 1001)).collect();
    // Frames with side data are printed with a comma and an empty line more.
    let shown: String =
        shown.lines().filter(|l| !l.is_empty()).map(|l| format!("{}\n", l.trim_end_matches(','))).collect();
    assert_eq!(shown, expected);
    let stream = text(
        "ffprobe",
        &[
            "-show_entries",
            "stream=codec_tag_string,width,height,color_space,color_primaries,sample_aspect_ratio,time_base",
            "-of",
            "default=nw=1",
            "track.mp4",
        ],
        dir.path(),
    );
    insta::assert_snapshot!(stream, @r"
    codec_tag_string=avc1
    width=190
    height=106
    sample_aspect_ratio=1:1
    color_space=bt709
    color_primaries=bt709
    time_base=1/30000
    ");
}

#[test]
fn headers_tell_the_exact_codec() {
    let dir = tempfile::tempdir().unwrap();
    let (header, samples) = read(&video(dir.path(), 24, "25", "1918x1078"), 1000);
    let track = &header.tracks[0];
    assert_eq!(track.codec, "avc1.640028");
    let TrackKind::Video { width, height, picture: Some(picture) } = &track.kind else { panic!("not video") };
    assert_eq!((*width, *height, samples.len()), (1918, 1078, 24));
    let config = avc::Config::parse(&picture.config).unwrap();
    let sps = config.sps().unwrap();
    assert_eq!((sps.width, sps.height, sps.bit_depth, sps.frames_only), (1918, 1078, 8, true));
    assert_eq!((config.length_size, sps.profile, sps.level), (4, 100, 40));
    assert_eq!(sps.colour.map(|c| (c.primaries, c.transfer, c.matrix)), Some((1, 1, 1)));

    // Our own header says the same.
    let spec = TrackSpec::from_header(track, 0).unwrap();
    let again = Header::parse_file(&cmaf::init_segment(&spec).unwrap()).unwrap();
    assert_eq!((&again.tracks[0].codec, &again.tracks[0].kind), (&track.codec, &track.kind));
    assert_eq!(again.tracks[0].timescale, track.timescale);
}

#[test]
fn audio_is_rewritten_sample_by_sample() {
    let dir = tempfile::tempdir().unwrap();
    for (rate, channels) in [(48_000, 2), (44_100, 1)] {
        let source = audio(dir.path(), 2, rate, channels);
        let (header, _) = read(&source, 777);
        assert_eq!(header.tracks[0].codec, "mp4a.40.2");
        let TrackKind::Audio { sample_rate, channels: told, .. } = header.tracks[0].kind else {
            panic!("no audio")
        };
        assert_eq!((sample_rate, told), (rate, channels));
        let (init, segments) = rewrite(&source, 40, Kind::Audio);
        std::fs::write(dir.path().join("source.mp4"), &source).unwrap();
        std::fs::write(dir.path().join("track.mp4"), file(&init, &segments)).unwrap();
        assert!(segments.iter().all(|s| s.index.sync.is_empty()));
        let before = frame_hashes(dir.path(), "source.mp4", "0:a");
        assert!(before.len() as u32 >= 2 * rate / 1024);
        assert_eq!(frame_hashes(dir.path(), "track.mp4", "0:a"), before);
    }
}

#[test]
fn pieces_of_any_size_give_the_same_samples() {
    let dir = tempfile::tempdir().unwrap();
    let source = video(dir.path(), 48, "24", "64x64");
    let whole = read(&source, source.len());
    for piece in [1, 7, 4096] {
        assert_eq!(read(&source, piece), whole);
    }
}

#[test]
fn a_picture_of_a_segment_stands_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (init, segments) = rewrite(&video(dir.path(), 96, "24", "128x96"), 2, Kind::Video { delay: 1024 });
    let mut stored = Vec::new();
    segments[1].write_to(&mut stored);
    let stored = Bytes::from(stored);
    let (head, picture) = iframe::build(&stored, 1, 4).unwrap();
    assert_eq!(head.len() as u32, iframe::HEAD);
    assert_eq!(picture.len() as u32, segments[1].index.sync[1].bytes);
    assert!(stored.as_ptr_range().contains(&picture.as_ptr()), "the picture is not copied");
    let moof = iframe::moof_size(&stored).unwrap().unwrap();
    assert_eq!(iframe::locate(&stored[..moof], 1, 4).unwrap().head, head);
    assert!(iframe::locate(&stored[..moof - 1], 1, 4).is_err());
    assert!(iframe::build(&stored, 2, 4).is_err());

    std::fs::write(dir.path().join("one.mp4"), [&init[..], &head, &picture].concat()).unwrap();
    let shown =
        text("ffprobe", &["-show_entries", "packet=pts,flags", "-of", "csv=p=0", "one.mp4"], dir.path());
    // The third GOP of 24 frames at 24 Hz after one of 48: frame 72 of timescale 12288, one second long.
    assert_eq!(shown.trim().trim_end_matches(','), format!("{},K_", 72 * 512));
    let (_, alone) = read(&std::fs::read(dir.path().join("one.mp4")).unwrap(), 1000);
    assert_eq!((alone.len(), alone[0].duration), (1, 24 * 512));
    quiet("ffmpeg", &["-i", "one.mp4", "-f", "null", "-"], dir.path());
}
