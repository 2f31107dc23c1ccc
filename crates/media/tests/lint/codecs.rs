//! A presentation with every codec of the product: the lint finds nothing to say, and sees what is wrong with each.

use std::sync::OnceLock;

use media::{
    cmaf::Kind,
    codec::{Codecs, Family},
    descriptor::{Descriptor, Range, TrackKind},
    lint::rules::{cmaf, dash as dash_rules, hls_media},
    mp4::Header,
    selection::Selection,
};

use crate::{
    boxes::{edit, remove},
    rules::{Case, bad, case, run},
    support::{self, encode},
    world::{World, empty, manifests, track},
};

const HDR10: &str = "-pix_fmt yuv420p10le -color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc";
const X265: &str = "-c:v libx265 -preset ultrafast -bf 3 -tag:v hvc1 -x265-params log-level=error:scenecut=0:open-gop=0:keyint=24:\
     hdr10=1:max-cll=1000,400:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)";

/// Four video codecs, HEVC in HDR10, and three audio codecs.
fn all() -> World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| made(Selection::ALL)).clone()
}

fn made(selection: Selection) -> World {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (mut world, mut descriptor) = (World::default(), empty());
    video(&mut world, &mut descriptor, dir);
    let sounds = [
        ("a0", "-ac 2 -c:a aac", 94),
        ("a1", "-ac 2 -c:a libopus -b:a 96k", 100),
        ("a2", "-ac 6 -c:a eac3", 63),
    ];
    for (id, encoder, per_segment) in sounds {
        let source = encode(
            dir,
            &format!(
                "-f lavfi -i sine=sample_rate=48000:duration=8 {encoder} -frag_duration 500000 \
                 -movflags +empty_moov+default_base_moof+delay_moov -f mp4 pipe:1"
            ),
        );
        let channels = if id == "a2" { 6 } else { 2 };
        let kind = TrackKind::Audio { sample_rate: 48_000, channels, joc: None };
        let mut track = track(&mut world, (id, kind), &source, per_segment, Kind::Audio, true);
        track.label = "English".into();
        descriptor.tracks.push(track);
    }
    descriptor.format = Descriptor::format_of(&descriptor.tracks);
    assert_eq!(descriptor.format, 3);
    manifests(&mut world, &descriptor, selection);
    world
}

fn video(world: &mut World, descriptor: &mut Descriptor, dir: &std::path::Path) {
    let hdr = format!("{X265} {HDR10}");
    let encoders = [
        ("avc", "", Range::Sdr),
        ("hevc", hdr.as_str(), Range::Pq),
        ("vp9", "-c:v libvpx-vp9 -crf 40 -b:v 0 -deadline realtime -cpu-used 8 -pix_fmt yuv420p", Range::Sdr),
        ("av1", "-c:v libsvtav1 -preset 12 -pix_fmt yuv420p", Range::Sdr),
    ];
    for (id, encoder, range) in encoders {
        let source = match encoder {
            "" => support::video(dir, 192, "24", "128x96"),
            _ => encode(
                dir,
                &format!(
                    "-f lavfi -i testsrc2=size=128x96:rate=24 -frames:v 192 {encoder} -g 24 \
                     -movflags +frag_keyframe+empty_moov+default_base_moof -f mp4 pipe:1"
                ),
            ),
        };
        let delay = Header::parse_file(&source).unwrap().tracks[0].timescale / 24 * 2;
        let kind = TrackKind::Video { width: 128, height: 96, frame_rate: (24, 1), range };
        descriptor.tracks.push(track(world, (id, kind), &source, 2, Kind::Video { delay }, true));
    }
}

pub fn cases() -> Vec<Case> {
    vec![
        case(&cmaf::OPUS_PRE_SKIP, all(), "a1/playlist.m3u8", |w| {
            w.edit("a1/init.mp4", |b| remove(b, "moov/trak/edts"));
        }),
        case(&cmaf::INBAND, all(), "hevc/playlist.m3u8", |w| {
            w.edit("hevc/0.m4s", |b| {
                edit(b, "mdat", &|whole| {
                    let mut whole = whole.to_vec();
                    // The first unit, a message or the picture, becomes a picture parameter set.
                    whole[12] = 34 << 1;
                    whole
                })
            });
        }),
        case(&hls_media::VIDEO_RANGE_DIFFERS, all(), "main.m3u8", |w| {
            w.replace("main.m3u8", "VIDEO-RANGE=PQ", "VIDEO-RANGE=SDR");
        }),
        case(&dash_rules::TRANSFER_DIFFERS, all(), "main.mpd", |w| {
            w.replace(
                "main.mpd",
                "cicp:TransferCharacteristics\" value=\"16\"",
                "cicp:Transfer\" value=\"16\"",
            );
        }),
    ]
}

#[test]
fn each_rule_is_broken_alone() {
    run(cases());
}

#[test]
fn a_presentation_of_all_codecs_is_clean() {
    let world = all();
    for root in ["main.m3u8", "main.mpd"] {
        let report = world.check(root);
        assert_eq!(bad(&report), Vec::<&str>::new(), "{root}: {:#?}", report.findings());
        assert_eq!(report.not_checked().len(), 0, "{:?}", report.not_checked());
        assert!(report.looked_at["segments"] >= 28, "{:?}", report.looked_at);
    }
    let main = world.text("main.m3u8");
    let streams: Vec<&str> = main.lines().filter(|l| l.starts_with("#EXT-X-STREAM-INF")).collect();
    assert_eq!(streams.len(), 12);
    assert!(streams[0].contains("avc1.") && streams[0].contains("mp4a.40.2"), "{}", streams[0]);
    assert_eq!(main.matches("VIDEO-RANGE=PQ").count(), 4, "three variants, and one of single pictures");
    assert_eq!(main.matches("VIDEO-RANGE=SDR").count(), 12);
}

#[test]
fn a_selection_of_codecs_is_clean() {
    let codecs = Codecs::from_iter([Family::Hevc, Family::Av1, Family::Opus]);
    let world = made(Selection { codecs: Some(codecs), ..Selection::ALL });
    for root in ["main.m3u8", "main.mpd"] {
        let report = world.check(root);
        assert_eq!(bad(&report), Vec::<&str>::new(), "{root}: {:#?}", report.findings());
        let text = world.text(root);
        assert!(["hvc1.", "av01.", "opus"].iter().all(|c| text.contains(c)), "{text}");
        assert!(["avc1.", "vp09.", "mp4a.", "ec-3"].iter().all(|c| !text.contains(c)), "{text}");
    }
}
