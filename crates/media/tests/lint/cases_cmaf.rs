//! Rules of headers and fragments.

use bytes::Bytes;
use media::{
    cmaf::{self, Kind},
    lint::rules::{Rule, cmaf as rules},
    mp4::{FragmentReader, Item, Sample},
};

use crate::{
    boxes::{after, edit, find, free, new, poke, remove, shift_data},
    cases_media::{demoted, later},
    rules::{Case, bad, case, run},
    world::{World, good},
};

const LIST: &str = "v96p/playlist.m3u8";
const ENTRY: &str = "moov/trak/mdia/minf/stbl/stsd/avc1";

/// Changes one file of a rung that is seen alone.
fn one(rule: &'static Rule, file: &str, change: impl FnOnce(&[u8]) -> Vec<u8>) -> Case {
    case(rule, good(), LIST, |w| w.edit(&format!("v96p/{file}"), change))
}

pub fn cases() -> Vec<Case> {
    let mut cases = headers();
    cases.extend(fragments());
    cases.extend(samples());
    cases
}

fn headers() -> Vec<Case> {
    let init = |rule, change: fn(&[u8]) -> Vec<u8>| one(rule, "init.mp4", change);
    vec![
        init(&rules::BOX_SIZE, |b| [b, &[0, 0, 1, 0, b'f', b'r', b'e', b'e']].concat()),
        init(&rules::BOX_SIZE, |b| [b, &[0, 0, 0]].concat()),
        init(&rules::BOX_MISSING, |b| free(b, "moov/mvhd")),
        init(&rules::BOX_MISSING, |b| free(b, "moov/trak/mdia/minf/stbl/stsc")),
        init(&rules::BOX_DUPLICATE, |b| {
            let edts = find(b, "moov/trak/edts");
            after(b, "moov/trak/edts", &edts)
        }),
        init(&rules::HEADER_ORDER, |b| [find(b, "moov"), find(b, "ftyp")].concat()),
        init(&rules::BRAND, |b| edit(b, "ftyp", &|_| new(b"ftyp", b"isom\0\0\0\0isomiso2mp41"))),
        init(&rules::ONE_TRACK, |b| {
            let trak = poke(&find(b, "moov/trak"), "trak/tkhd", 12, &[0, 0, 0, 2]);
            let trex = poke(&find(b, "moov/mvex/trex"), "trex", 4, &[0, 0, 0, 2]);
            after(&after(b, "moov/trak", &trak), "moov/mvex/trex", &trex)
        }),
        init(&rules::MVEX, |b| free(b, "moov/mvex")),
        init(&rules::MVEX, |b| poke(b, "moov/mvex/trex", 4, &[0, 0, 0, 9])),
        init(&rules::SAMPLES_IN_MOOV, |b| {
            edit(b, "moov/trak/mdia/minf/stbl/stts", &|_| {
                new(b"stts", &[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 2, 0])
            })
        }),
        init(&rules::HEADER_DURATION, |b| poke(b, "moov/trak/mdia/mdhd", 16, &[0, 0, 1, 0])),
        init(&rules::HEADER_DURATION, |b| poke(b, "moov/trak/tkhd", 20, &[0, 0, 1, 0])),
        init(&rules::TIMESCALE, |b| poke(b, "moov/trak/mdia/mdhd", 12, &[0; 4])),
        init(&rules::EDIT_LIST, |b| poke(b, "moov/trak/edts/elst", 8, &[0, 0, 0, 5])),
        init(&rules::HANDLER, |b| {
            edit(b, "moov/trak/mdia/minf/vmhd", &|w| [&w[..4], b"smhd", &w[8..]].concat())
        }),
        init(&rules::CODEC_CONFIG, |b| free(b, &format!("{ENTRY}/avcC"))),
        init(&rules::CODEC_CONFIG, |b| poke(b, &format!("{ENTRY}/avcC"), 3, &[99])),
        init(&rules::PICTURE_SIZE, |b| poke(b, ENTRY, 24, &[1, 0])),
        init(&rules::PASP, |b| free(b, &format!("{ENTRY}/pasp"))),
        init(&rules::COLR_DIFFERS, |b| poke(b, &format!("{ENTRY}/colr"), 6, &[0, 6])),
        init(&rules::COLR, |b| free(b, &format!("{ENTRY}/colr"))),
    ]
}

fn fragments() -> Vec<Case> {
    vec![
        one(&rules::BOX_SIZE, "3.m4s", |b| b[..b.len() - 10].to_vec()),
        one(&rules::BOX_CONTENT, "0.m4s", |b| {
            shift_data(&edit(b, "moof/mfhd", &|w| new(b"mfhd", &w[8..12])), -4)
        }),
        one(&rules::SEGMENT_ORDER, "1.m4s", |b| [&new(b"mdat", &[])[..], b].concat()),
        one(&rules::SEGMENT_ORDER, "1.m4s", |b| {
            [&new(b"free", &[])[..], &new(b"styp", b"msdh\0\0\0\0msdh"), b].concat()
        }),
        one(&rules::BASE_IS_MOOF, "1.m4s", |b| poke(b, "moof/traf/tfhd", 1, &[0])),
        one(&rules::TFDT, "0.m4s", |b| free(b, "moof/traf/tfdt")),
        one(&rules::TRAF_TRACK, "1.m4s", |b| poke(b, "moof/traf/tfhd", 4, &[0, 0, 0, 9])),
        one(&rules::ONE_TRAF, "1.m4s", |b| {
            after(&shift_data(b, 16), "moof/traf/trun", &new(b"trun", &[0; 8]))
        }),
        one(&rules::TRUN_BOUNDS, "1.m4s", |b| shift_data(b, 8)),
        one(&rules::MDAT_LEFTOVER, "3.m4s", |b| {
            edit(b, "mdat", &|w| new(b"mdat", &[&w[8..], &[0; 4]].concat()))
        }),
        one(&rules::SEQUENCE, "3.m4s", |b| poke(b, "moof/mfhd", 4, &[0, 0, 0, 3])),
        one(&rules::TIMELINE_GAP, "3.m4s", |b| later(b, 512)),
        one(&rules::SIDX, "1.m4s", |b| [&sidx(b.len() as u32 + 1)[..], b].concat()),
        case(&rules::FRAGMENT_SAP, good(), LIST, |w| {
            w.replace(LIST, "#EXT-X-INDEPENDENT-SEGMENTS\n", "");
            w.edit("v96p/1.m4s", demoted);
        }),
    ]
}

/// A segment index of one segment of two seconds that begins at two.
fn sidx(size: u32) -> Vec<u8> {
    let fields = [0, 1, 12_288, 2 * 12_288, 0, 1, size, 2 * 12_288, 0x9000_0000];
    new(b"sidx", &fields.map(u32::to_be_bytes).concat())
}

fn samples() -> Vec<Case> {
    vec![
        one(&rules::SYNC_FLAGS, "1.m4s", |b| second_idr(b, &|unit| unit & !31 | 1)),
        one(&rules::SYNC_UNFLAGGED, "1.m4s", |b| {
            edit(b, "moof/traf/trun", &|w| {
                let mut w = w.to_vec();
                let sync = 0x0200_0000u32.to_be_bytes();
                let at = (24..w.len() - 3)
                    .rev()
                    .step_by(4)
                    .find(|at| w[*at - (w.len() % 4)..][..4] == sync)
                    .unwrap();
                let at = at - (w.len() % 4);
                w[at..at + 4].copy_from_slice(&0x0101_0000u32.to_be_bytes());
                w
            })
        }),
        one(&rules::NAL_LENGTHS, "1.m4s", |b| poke(b, "mdat", 0, &[0xff])),
        one(&rules::INBAND, "0.m4s", |b| {
            edit(b, "mdat", &|w| {
                let mut w = w.to_vec();
                // The encoder's first unit is a message about itself.
                assert_eq!(w[12] & 31, 6);
                w[12] = w[12] & !31 | 8;
                w
            })
        }),
        case(&rules::SAMPLE_EMPTY, good(), "a0/playlist.m3u8", |w| {
            let init = w.files["a0/init.mp4"].clone();
            w.edit("a0/3.m4s", |b| with_empty(&init, b));
        }),
    ]
}

/// Changes the first byte of the slices of the second IDR picture.
fn second_idr(bytes: &[u8], change: &dyn Fn(u8) -> u8) -> Vec<u8> {
    edit(bytes, "mdat", &|whole| {
        let mut whole = whole.to_vec();
        let (mut at, mut others) = (8, 0);
        while at + 4 < whole.len() {
            let length = u32::from_be_bytes(whole[at..at + 4].try_into().unwrap()) as usize;
            match whole[at + 4] & 31 {
                1 => others += 1,
                5 if others > 0 => whole[at + 4] = change(whole[at + 4]),
                _ => {}
            }
            at += 4 + length;
        }
        whole
    })
}

/// The segment written anew, with a sample of nothing at its end.
fn with_empty(init: &[u8], segment: &[u8]) -> Vec<u8> {
    let mut reader = FragmentReader::default();
    reader.feed(&[init, segment].concat());
    let mut fragment = None;
    while let Some(item) = reader.next().unwrap() {
        if let Item::Fragment(found) = item {
            fragment = Some(found);
        }
    }
    let fragment = fragment.unwrap();
    let mut samples = fragment.samples;
    let empty = Sample { dts: 0, cts_offset: 0, duration: 0, is_sync: true, data: Bytes::new() };
    samples.push(empty);
    let mut out = Vec::new();
    cmaf::segment(fragment.sequence, fragment.base_decode_time, &samples, Kind::Audio)
        .unwrap()
        .write_to(&mut out);
    out
}

#[test]
fn each_rule_is_broken_alone() {
    run(cases());
}

#[test]
fn what_is_allowed_is_not_told() {
    let mut world: World = good();
    // A segment may have styp and a true index before it, and free space.
    world.edit("v96p/1.m4s", |b| {
        let styp = new(b"styp", b"msdh\0\0\0\0msdhmsix");
        [&styp[..], &sidx(b.len() as u32), b].concat()
    });
    world.edit("v96p/init.mp4", |b| [b, &new(b"free", &[0; 9])].concat());
    // An edit list may be left out where nothing is delayed.
    world.edit("a0/init.mp4", |b| after(b, "moov/trak/tkhd", &new(b"free", &[])));
    for root in [LIST, "a0/playlist.m3u8"] {
        let report = world.check(root);
        assert_eq!(bad(&report), Vec::<&str>::new(), "{:#?}", report.findings());
    }
    assert_eq!(remove(&new(b"free", &[]), "free"), b"");
}
