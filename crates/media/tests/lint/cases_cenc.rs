//! Rules of common encryption, on a stream that is marked as encrypted but tells that no byte of it is.

use media::lint::rules::{Rule, cenc as rules, dash, hls_media};

use crate::{
    boxes::{after, edit, find, new, poke, remove, shift_data},
    rules::{Case, bad, case, run},
    world::{World, good},
};

const LIST: &str = "v96p/playlist.m3u8";
const SINF: &str = "moov/trak/mdia/minf/stbl/stsd/encv/sinf";
const KEY: [u8; 16] = *b"0123456789abcdef";

/// The good presentation with its greater rung protected.
pub fn protected() -> World {
    let mut world = good();
    world.edit("v96p/init.mp4", |bytes| {
        let entry = edit(bytes, "moov/trak/mdia/minf/stbl/stsd/avc1", &|whole| {
            let sinf =
                [new(b"frma", b"avc1"), new(b"schm", b"\0\0\0\0cenc\0\x01\0\0"), new(b"schi", &tenc(0, 8))]
                    .concat();
            let body = [&whole[8..], &new(b"sinf", &sinf)].concat();
            new(b"encv", &body)
        });
        let pssh = [&[0; 4][..], &[7; 16], &[0, 0, 0, 2], b"ab"].concat();
        after(&entry, "moov/mvex", &new(b"pssh", &pssh))
    });
    for n in 0..4 {
        world.edit(&format!("v96p/{n}.m4s"), encrypted);
    }
    for n in 0..8 {
        world.edit(&format!("v96p/i{n}.m4s"), encrypted);
    }
    world.replace(
        LIST,
        "#EXT-X-MAP",
        "#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI=\"skd://k\",KEYFORMAT=\"x\"\n#EXT-X-MAP",
    );
    let key = KEY.map(|b| format!("{b:02x}")).concat();
    let kid = format!("{}-{}-{}-{}-{}", &key[..8], &key[8..12], &key[12..16], &key[16..20], &key[20..]);
    let text = world.text("main.mpd");
    let at = text.find("<Representation id=\"v96p\"").unwrap();
    let end = at + text[at..].find("/>").unwrap();
    let protection = format!(
        "><ContentProtection schemeIdUri=\"urn:mpeg:dash:mp4protection:2011\" value=\"cenc\" cenc:default_KID=\"{kid}\"/></Representation>"
    );
    let bandwidth = text[at..].split("bandwidth=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let text = format!("{}{protection}{}", &text[..end], &text[end + 2..]);
    let text = text.replacen(&format!("bandwidth=\"{bandwidth}\""), "bandwidth=\"900000\"", 1);
    world.files.insert("main.mpd".into(), text.into_bytes());
    world
}

fn tenc(pattern: u8, iv: u8) -> Vec<u8> {
    new(b"tenc", &[&[1, 0, 0, 0, 0, pattern, 1, iv], &KEY[..]].concat())
}

/// Adds senc, saiz and saio; each sample is one subsample of clear bytes.
fn encrypted(bytes: &[u8]) -> Vec<u8> {
    let trun = find(bytes, "moof/traf/trun");
    let flags = u32::from_be_bytes(trun[8..12].try_into().unwrap());
    let count = u32::from_be_bytes(trun[12..16].try_into().unwrap());
    let tfhd = find(bytes, "moof/traf/tfhd");
    let fields = [1, 0x100, 0x200, 0x400, 0x800].map(|bit| usize::from(flags & bit != 0));
    let mut senc = [&[0, 0, 0, 2][..], &count.to_be_bytes()].concat();
    for n in 0..count as usize {
        let first = 16 + 4 * (fields[0] + usize::from(flags & 4 != 0));
        let at = first + 4 * (n * (fields[1] + fields[2] + fields[3] + fields[4]) + fields[1]);
        let shared = 16 + 4 * usize::from(tfhd[11] & 8 != 0);
        let size = if fields[2] == 1 { &trun[at..at + 4] } else { &tfhd[shared..shared + 4] };
        assert_eq!(size[..2], [0, 0], "the sample is too large for this test");
        senc.extend([&[n as u8; 8][..], &[0, 1], &size[2..], &[0; 4]].concat());
    }
    let senc = new(b"senc", &senc);
    let saiz = new(b"saiz", &[&[0, 0, 0, 0, 16][..], &count.to_be_bytes()].concat());
    let saio_size = 8 + 12;
    let moof = find(bytes, "moof").len() + saiz.len() + saio_size;
    let saio = new(b"saio", &[&[0, 0, 0, 0, 0, 0, 0, 1][..], &(moof as u32 + 16).to_be_bytes()].concat());
    let grown = saiz.len() + saio.len() + senc.len();
    after(&shift_data(bytes, grown as i32), "moof/traf/trun", &[saiz, saio, senc].concat())
}

fn one(rule: &'static Rule, file: &str, change: impl FnOnce(&[u8]) -> Vec<u8>) -> Case {
    case(rule, protected(), LIST, |w| w.edit(&format!("v96p/{file}"), change))
}

pub fn cases() -> Vec<Case> {
    let tenc_at = format!("{SINF}/schi/tenc");
    vec![
        one(&rules::SINF, "init.mp4", |b| remove(b, SINF)),
        one(&rules::SINF, "init.mp4", |b| remove(b, &format!("{SINF}/schi/tenc"))),
        one(&rules::SCHEME, "init.mp4", |b| poke(b, &format!("{SINF}/schm"), 4, b"xxxx")),
        one(&rules::TENC, "init.mp4", |b| poke(b, &tenc_at, 5, &[0x19])),
        one(&rules::TENC, "init.mp4", |b| poke(b, &tenc_at, 8, &[0; 16])),
        case(&rules::SENC, protected(), LIST, |w| {
            // Neither IVs nor where they are.
            w.edit("v96p/1.m4s", |b| {
                let hidden = crate::boxes::free(b, "moof/traf/senc");
                crate::boxes::free(&crate::boxes::free(&hidden, "moof/traf/saiz"), "moof/traf/saio")
            });
        }),
        one(&rules::SENC, "1.m4s", |b| {
            edit(b, "moof/traf/senc", &|w| {
                let mut w = w.to_vec();
                w[15] += 1;
                w
            })
        }),
        one(&rules::SAIZ_SAIO, "1.m4s", |b| poke(b, "moof/traf/saiz", 4, &[17])),
        one(&rules::SAIZ_SAIO, "1.m4s", |b| poke(b, "moof/traf/saio", 8, &[0, 0, 0, 9])),
        one(&rules::SAIZ_SAIO, "1.m4s", |b| crate::boxes::free(b, "moof/traf/saio")),
        one(&rules::SUBSAMPLES, "1.m4s", |b| poke(b, "moof/traf/senc", 8 + 8 + 2, &[0xff])),
        one(&rules::PSSH, "init.mp4", |b| poke(b, "moov/pssh", 20, &[0, 0, 0, 1])),
        case(&hls_media::KEY_MISSING, protected(), LIST, |w| w.replace(LIST, "#EXT-X-KEY", "#EXT-X-NOKEY")),
        case(&hls_media::KEY_METHOD, protected(), LIST, |w| w.replace(LIST, "SAMPLE-AES-CTR", "SAMPLE-AES")),
        case(&dash::PROTECTION_MISSING, protected(), "main.mpd", |w| {
            w.replace("main.mpd", "value=\"cenc\"", "value=\"cbcs\"");
        }),
        case(&dash::PROTECTION_KEY, protected(), "main.mpd", |w| {
            w.replace("main.mpd", "default_KID=\"3", "default_KID=\"4");
        }),
    ]
}

#[test]
fn the_protected_stream_is_clean() {
    for root in [LIST, "main.mpd"] {
        let report = protected().check(root);
        assert_eq!(bad(&report), Vec::<&str>::new(), "{root}: {:#?}", report.findings());
    }
}

#[test]
fn each_rule_is_broken_alone() {
    run(cases());
}
