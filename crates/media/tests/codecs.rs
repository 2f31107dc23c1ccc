//! Every codec of the product: what an encoder makes is read, written as CMAF, and judged by ffprobe and ffmpeg.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests, helpers included")]

mod support;

use std::path::Path;

use media::{
    cmaf::{self, Kind, TrackSpec},
    codec::dolby,
    descriptor::Range,
    mp4::Header,
};
use support::{file, picture, quiet, read, rewrite, sound, text};

const HDR10: &str = "-color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc -pix_fmt yuv420p10le";

/// Writes both files; gives the header that was written.
fn both(dir: &Path, source: &[u8], per_segment: usize, kind: Kind) -> Vec<u8> {
    let (init, segments) = rewrite(source, per_segment, kind);
    std::fs::write(dir.join("source.mp4"), source).unwrap();
    std::fs::write(dir.join("track.mp4"), file(&init, &segments)).unwrap();
    init
}

/// What ffprobe says about the only stream, with the static metadata of its header.
fn probe(dir: &Path, entries: &str) -> String {
    let show = format!("stream={entries}:stream_side_data");
    text("ffprobe", &["-show_entries", &show, "-of", "default=nw=1", "track.mp4"], dir)
}

fn hashes(dir: &Path, name: &str) -> Vec<String> {
    let args = ["-i", name, "-fps_mode", "passthrough", "-f", "framemd5", "-"];
    let lines = text("ffmpeg", &args, dir);
    let hash = |l: &str| l.rsplit(',').next().map(str::to_owned);
    lines.lines().filter(|l| !l.starts_with('#')).filter_map(hash).collect()
}

/// A track of two seconds at 25 frames a second in two segments of one group of pictures each, with the same frames as its
/// source; gives what ffprobe says.
fn video(encoder: &str, depth: u32) -> (String, TrackSpec) {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let source = picture(dir, &format!("{encoder} -g 25"));
    let ticks = Header::parse_file(&source).unwrap().tracks[0].timescale / 25;
    let init = both(dir, &source, 1, Kind::Video { delay: depth * ticks });
    let frames = hashes(dir, "source.mp4");
    assert_eq!(frames.len(), 50);
    assert_eq!(hashes(dir, "track.mp4"), frames);
    let shown = text("ffprobe", &["-show_entries", "packet=pts,flags", "-of", "csv=p=0", "track.mp4"], dir);
    let mut times: Vec<u32> = shown.lines().filter_map(|l| l.split(',').next()?.parse().ok()).collect();
    times.sort_unstable();
    assert_eq!(times, (0..50).map(|n| n * ticks).collect::<Vec<_>>());
    assert_eq!(shown.matches(",K").count(), 2);

    // The header is read again as what was written.
    let written = Header::parse_file(&init).unwrap();
    let spec = TrackSpec::from_header(&written.tracks[0], depth * ticks).unwrap();
    assert_eq!(cmaf::init_segment(&spec).unwrap(), init);
    assert_eq!(spec.codec().unwrap(), written.tracks[0].codec);
    let entries = "codec_tag_string,width,height,pix_fmt,sample_aspect_ratio,color_range,color_space,color_transfer,\
                   color_primaries,start_time";
    (format!("{}\n{}", written.tracks[0].codec, probe(dir, entries)), spec)
}

#[test]
fn hevc() {
    let params =
        "-preset ultrafast -bf 3 -tag:v hvc1 -x265-params log-level=error:scenecut=0:open-gop=0:keyint=25";
    let (said, spec) = video(&format!("-c:v libx265 -pix_fmt yuv420p {params}"), 2);
    assert_eq!(spec.range(), Range::Sdr);
    insta::assert_snapshot!(said, @r"
    hvc1.1.6.L30.90
    codec_tag_string=hvc1
    width=192
    height=108
    sample_aspect_ratio=1:1
    pix_fmt=yuv420p
    color_range=tv
    color_space=unknown
    color_transfer=unknown
    color_primaries=unknown
    start_time=0.000000
    ");
}

#[test]
fn hevc_in_hdr10() {
    let params = "-preset ultrafast -bf 3 -tag:v hvc1 -x265-params log-level=error:scenecut=0:open-gop=0:keyint=25:\
                  hdr10=1:repeat-headers=1:max-cll=1000,400:\
                  master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)";
    let (said, spec) = video(&format!("-c:v libx265 {params} {HDR10}"), 2);
    assert_eq!(spec.range(), Range::Pq);
    insta::assert_snapshot!(said, @r"
    hvc1.2.4.L30.90
    codec_tag_string=hvc1
    width=192
    height=108
    sample_aspect_ratio=1:1
    pix_fmt=yuv420p10le
    color_range=tv
    color_space=bt2020nc
    color_transfer=smpte2084
    color_primaries=bt2020
    start_time=0.000000
    side_data_type=Mastering display metadata
    red_x=34000/50000
    red_y=16000/50000
    green_x=13250/50000
    green_y=34500/50000
    blue_x=7500/50000
    blue_y=3000/50000
    white_point_x=15635/50000
    white_point_y=16450/50000
    min_luminance=50/10000
    max_luminance=10000000/10000
    side_data_type=Content light level metadata
    max_content=1000
    max_average=400
    ");
}

#[test]
fn vp9() {
    let (said, spec) =
        video("-c:v libvpx-vp9 -crf 32 -b:v 0 -deadline realtime -cpu-used 8 -pix_fmt yuv420p", 2);
    assert_eq!(spec.kind(), Kind::Video { delay: 0 });
    insta::assert_snapshot!(said, @r"
    vp09.00.10.08
    codec_tag_string=vp09
    width=192
    height=108
    sample_aspect_ratio=1:1
    pix_fmt=yuv420p
    color_range=tv
    color_space=unknown
    color_transfer=unknown
    color_primaries=unknown
    start_time=0.000000
    ");
}

#[test]
fn vp9_in_hlg() {
    let hlg = HDR10.replace("smpte2084", "arib-std-b67");
    let (said, spec) =
        video(&format!("-c:v libvpx-vp9 -crf 32 -b:v 0 -deadline realtime -cpu-used 8 {hlg}"), 0);
    assert_eq!(spec.range(), Range::Hlg);
    insta::assert_snapshot!(said, @r"
    vp09.02.10.10.01.09.18.09.00
    codec_tag_string=vp09
    width=192
    height=108
    sample_aspect_ratio=1:1
    pix_fmt=yuv420p10le
    color_range=tv
    color_space=bt2020nc
    color_transfer=arib-std-b67
    color_primaries=bt2020
    start_time=0.000000
    ");
}

#[test]
fn av1() {
    let (said, spec) = video("-c:v libsvtav1 -preset 12 -pix_fmt yuv420p", 0);
    assert_eq!(spec.range(), Range::Sdr);
    insta::assert_snapshot!(said, @r"
    av01.0.00M.08
    codec_tag_string=av01
    width=192
    height=108
    sample_aspect_ratio=1:1
    pix_fmt=yuv420p
    color_range=tv
    color_space=unknown
    color_transfer=unknown
    color_primaries=unknown
    start_time=0.000000
    ");
}

#[test]
fn av1_in_hdr10() {
    let params = "-svtav1-params enable-hdr=1:content-light=1000,400:\
                  mastering-display=G(0.265,0.69)B(0.15,0.06)R(0.68,0.32)WP(0.3127,0.329)L(1000,0.005)";
    let (said, spec) = video(&format!("-c:v libsvtav1 -preset 12 {params} {HDR10}"), 0);
    assert_eq!(spec.range(), Range::Pq);
    insta::assert_snapshot!(said, @r"
    av01.0.00M.10.0.110.09.16.09.0
    codec_tag_string=av01
    width=192
    height=108
    sample_aspect_ratio=1:1
    pix_fmt=yuv420p10le
    color_range=tv
    color_space=bt2020nc
    color_transfer=smpte2084
    color_primaries=bt2020
    start_time=0.000000
    side_data_type=Mastering display metadata
    red_x=34000/50000
    red_y=16000/50000
    green_x=13250/50000
    green_y=34500/50000
    blue_x=7500/50000
    blue_y=3000/50000
    white_point_x=15635/50000
    white_point_y=16450/50000
    min_luminance=50/10000
    max_luminance=10000000/10000
    side_data_type=Content light level metadata
    max_content=1000
    max_average=400
    ");
}

/// Two seconds in segments of half a second; gives what ffprobe says and when the first frame of sound is heard, and the
/// sound of source and track.
fn audio(encoder: &str, per_segment: usize) -> (String, [Vec<u8>; 2]) {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let init = both(dir, &sound(dir, encoder), per_segment, Kind::Audio);
    let pcm = |name| quiet("ffmpeg", &["-i", name, "-f", "s16le", "-"], dir);
    let written = Header::parse_file(&init).unwrap();
    let entries = "codec_tag_string,sample_rate,channels,start_time,time_base";
    let frames =
        ["-show_entries", "frame=pts", "-of", "default=nw=1", "-read_intervals", "%+#1", "track.mp4"];
    let heard = text("ffprobe", &frames, dir);
    let said = format!("{}\n{}first frame {heard}", written.tracks[0].codec, probe(dir, entries));
    (said, [pcm("source.mp4"), pcm("track.mp4")])
}

#[test]
fn opus_begins_after_its_pre_skip() {
    let (said, [source, track]) = audio("-ac 2 -c:a libopus -b:a 96k", 25);
    insta::assert_snapshot!(said, @r"
    opus
    codec_tag_string=Opus
    sample_rate=48000
    channels=2
    time_base=1/48000
    start_time=-0.006500
    first frame pts=0
    ");
    // 101 packets, without what comes out of the decoder first; ffmpeg skips it by `dOps` in the source, too.
    assert_eq!(track.len(), (101 * 960 - 312) * 4);
    assert!(track == source);
}

#[test]
fn opus_in_surround() {
    let (said, _) = audio("-ac 6 -c:a libopus -b:a 256k -mapping_family 1", 25);
    insta::assert_snapshot!(said, @r"
    opus
    codec_tag_string=Opus
    sample_rate=48000
    channels=6
    time_base=1/48000
    start_time=-0.006500
    first frame pts=0
    ");
}

#[test]
fn ac3() {
    let (said, [source, track]) = audio("-ac 2 -c:a ac3 -b:a 192k", 16);
    insta::assert_snapshot!(said, @r"
    ac-3
    codec_tag_string=ac-3
    sample_rate=48000
    channels=2
    time_base=1/48000
    start_time=0.000000
    side_data_type=Audio Service Type
    service_type=0
    first frame pts=0
    ");
    assert!(source == track);
}

#[test]
fn eac3() {
    let (said, [source, track]) = audio("-ac 6 -c:a eac3 -b:a 384k", 16);
    insta::assert_snapshot!(said, @r"
    ec-3
    codec_tag_string=ec-3
    sample_rate=48000
    channels=6
    time_base=1/48000
    start_time=0.000000
    side_data_type=Audio Service Type
    service_type=0
    first frame pts=0
    ");
    assert!(source == track);
}

/// A frame of ffmpeg's, and what the mark of joint object coding makes of the header.
#[test]
fn atmos_is_told_in_the_header() {
    let dir = tempfile::tempdir().unwrap();
    let (header, samples) = read(&sound(dir.path(), "-ac 6 -c:a eac3 -b:a 384k"), 1 << 16);
    assert_eq!(dolby::joc_of_frame(&samples[0].data), Ok(None));
    let mut spec = TrackSpec::from_header(&header.tracks[0], 0).unwrap();
    spec.learn(&samples[0].data).unwrap();
    assert_eq!(spec.joc(), None);
    let media::cmaf::Media::Audio(media::codec::Sound::Eac3(config)) = &mut spec.media else { panic!() };
    config.joc = Some(16);
    let again = Header::parse_file(&cmaf::init_segment(&spec).unwrap()).unwrap();
    let again = TrackSpec::from_header(&again.tracks[0], 0).unwrap();
    assert_eq!((again.joc(), again.codec().unwrap().as_str()), (Some(16), "ec-3"));
}

/// Kinds of the NAL units of an H.264 sample with lengths of four bytes.
fn units(sample: &[u8]) -> Vec<u8> {
    let (mut rest, mut kinds) = (sample, Vec::new());
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        kinds.push(after[0] & 31);
        rest = &after[u32::from_be_bytes(*length) as usize..];
    }
    kinds
}

#[test]
fn a_track_may_take_parameter_sets_along() {
    let dir = tempfile::tempdir().unwrap();
    let encoder = |options: &str| {
        let encoder = format!("-c:v libx264 -preset ultrafast -g 25 -x264-params {options}");
        let (header, samples) = read(&picture(dir.path(), &encoder), 1 << 16);
        let spec = TrackSpec::from_header(&header.tracks[0], 0).unwrap();
        (spec, samples)
    };
    let (plain, samples) = encoder("8x8dct=1:cabac=1");
    let (other, _) = encoder("8x8dct=1:cabac=0:ref=4");
    assert!(!plain.takes(&other), "one header cannot announce two encoders");
    let (spec, other) = (plain.clone().with_sets_in_band().unwrap(), other.with_sets_in_band().unwrap());
    assert!(spec.takes(&other) && other.takes(&spec) && spec != other);
    assert!(!spec.takes(&TrackSpec { timescale: 7, ..other.clone() }) && !spec.takes(&plain));

    // A header that is read again says the same.
    let init = cmaf::init_segment(&spec).unwrap();
    let again = TrackSpec::from_header(&Header::parse_file(&init).unwrap().tracks[0], 0).unwrap();
    assert_eq!((again.codec().unwrap(), spec.codec().unwrap()), ("avc3.64000b".into(), "avc3.64000b".into()));
    assert!(again.takes(&spec));

    let slices = |kinds: &[u8]| kinds.iter().filter(|kind| **kind <= 5).count();
    for sample in &samples {
        let delimited: bytes::Bytes = [&[0, 0, 0, 2, 9, 0x10], &sample.data[..]].concat().into();
        let before = units(&delimited);
        let stored = spec.stored(&delimited, sample.is_sync).unwrap();
        let after = units(&stored);
        if sample.is_sync {
            assert_eq!(after[..3], [9, 7, 8], "after the delimiter, before everything else");
            assert_eq!(spec.stored(&stored, true).unwrap(), stored, "once is enough");
            assert_eq!(other.stored(&stored, true).unwrap(), stored, "a key frame keeps its own");
            let bare = plain.stored(&stored, true).unwrap();
            assert_eq!(units(&bare).iter().filter(|kind| matches!(kind, 7 | 8)).count(), 0);
            assert!(other.clone().stored(&bare, true).is_ok());
        } else {
            assert_eq!(after, before);
        }
        assert_eq!(slices(&after), slices(&before));
    }
}
