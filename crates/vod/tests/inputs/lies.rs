//! Headers and sample tables that lie.

use crate::{build::*, rows, wanted::*};

const TABLES: [&str; 5] = ["moov", "trak", "mdia", "minf", "stbl"];

fn table(name: &'static str) -> Vec<&'static str> {
    TABLES.into_iter().chain([name]).collect()
}

/// The ordinary film, without sound, with words written over a box.
async fn lie(path: &[&str], offset: usize, words: &[u32]) -> Vec<u8> {
    let file = make(&format!("{PICTURE} {X264} -movflags +faststart"), "mp4").await;
    change(&file, |bytes| iso::overwrite(bytes, path, offset, words))
}

rows! {
    duration_of_an_hour(place): place.file(lie(&["moov", "mvhd"], 16, &[3_600_000]).await)
        => film(50).silent().notice(ENDS_EARLY);
    duration_of_nothing(place): place.file(lie(&["moov", "mvhd"], 16, &[0]).await) => film(50).silent();
    duration_without_end(place): place.file(lie(&["moov", "mvhd"], 16, &[u32::MAX]).await) => film(50).silent().notice(ENDS_EARLY);
    // The edit list still says two seconds, so that one picture of 512 seconds is in it.
    media_timescale_of_one(place): place.file(lie(&["moov", "trak", "mdia", "mdhd"], 12, &[1]).await)
        => film(25).silent().repeating().about(1, 0.1);
    media_timescale_of_zero(place): place.file(lie(&["moov", "trak", "mdia", "mdhd"], 12, &[0]).await)
        => film(25).silent().repeating().about(1, 0.1);
    media_timescale_enormous(place): place.file(lie(&["moov", "trak", "mdia", "mdhd"], 12, &[u32::MAX >> 1]).await)
        => film(1).silent().repeating().about(49, 1.96).notice(ENDS_EARLY);
    samples_that_last_nothing(place): place.file(lie(&table("stts"), 12, &[0]).await)
        => film(2).silent().repeating().lasting(0.1).about(50, 2.0).notice(ENDS_EARLY);
    samples_that_last_days(place): place.file(lie(&table("stts"), 12, &[0x7FFF_FFFF]).await)
        => film(1).silent().notice(ENDS_EARLY);
    more_samples_than_bytes(place): place.file(lie(&table("stsz"), 8, &[0x7FFF_FFFF]).await) => refused(DAMAGED);
    samples_larger_than_the_file(place): place.file(lie(&table("stsz"), 12, &[0x0FFF_FFFF; 50]).await) => film(1).silent().repeating().about(50, 2.0).notice(ENDS_EARLY);
    samples_of_no_bytes(place): place.file(lie(&table("stsz"), 12, &[0; 50]).await) => refused(EMPTY);
    chunks_beyond_the_end(place): place.file(lie(&table("stco"), 8, &[0x7FFF_FFFF]).await) => refused(EMPTY);
    chunks_at_the_start(place): place.file(lie(&table("stco"), 8, &[0]).await) => refused(EMPTY);
    no_codec_header(place): place.file(renamed("avcC").await) => refused(DAMAGED);
    an_unknown_codec(place): place.file(renamed("avc1").await) => refused(UNDECODABLE);
    no_sample_tables(place): place.file(renamed("stbl").await) => refused(UNDECODABLE);
    boxes_without_end(place): place.file(nested()) => refused(NO_STREAMS);
    a_box_larger_than_the_file(place): place.file(change(&make(&format!("{PICTURE} {X264}"), "mp4").await, |b| { b[0..4].copy_from_slice(&[0x7F; 4]) })) => refused(TRUNCATED);
    a_header_of_zeros(place): place.file([&b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41"[..], &[0; 4096]].concat()) => refused(TRUNCATED);
    ebml_and_noise(place): place.file([&[0x1A, 0x45, 0xDF, 0xA3][..], &noise(8192)].concat()) => refused(DAMAGED);
    riff_and_noise(place): place.file([&b"RIFF\xFF\xFF\xFF\x7FAVI LIST"[..], &noise(8192)].concat()) => refused(NO_STREAMS);
    transport_packets_of_noise(place): place.file(noisy_ts()) => refused(DAMAGED);
    mp3_sync_and_noise(place): place.file([&[0xFF, 0xFB, 0x90, 0x00][..], &noise(20_000)].concat()) => refused(DAMAGED);
    pictures_of_noise(place): place.file(noisy_pictures().await) => refused(EMPTY);
    half_of_the_pictures_of_noise(place): place.file(half_noise().await) => film(100).silent().repeating();
    compressed_headers_that_swell(place): place.file(swollen_mkv()) => refused(EMPTY);
}

async fn renamed(name: &str) -> Vec<u8> {
    let file = make(&format!("{PICTURE} {X264} -movflags +faststart"), "mp4").await;
    // Within the header: brands at the file's start have the same names.
    change(&file, |bytes| {
        let header = iso::body(bytes, &["moov"]);
        replace(&mut bytes[header], name.as_bytes(), b"zzzz");
    })
}

/// Ten thousand boxes, one in the other.
fn nested() -> Vec<u8> {
    let depth = 10_000;
    let mut bytes = b"\0\0\0\x14ftypisom\0\0\x02\0isom".to_vec();
    let names = [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"udta", b"meta", b"moof"];
    for i in 0..depth {
        bytes.extend_from_slice(&u32::to_be_bytes((depth - i) as u32 * 8));
        bytes.extend_from_slice(names[i % names.len()]);
    }
    bytes
}

fn noise(length: usize) -> Vec<u8> {
    let mut x = 0x9E37_79B9_u32;
    let byte = |_| {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        x as u8
    };
    (0..length).map(byte).collect()
}

fn noisy_ts() -> Vec<u8> {
    let mut bytes = noise(188 * 200);
    bytes.chunks_mut(188).for_each(|packet| packet[0] = 0x47);
    bytes
}

async fn noisy_pictures() -> Vec<u8> {
    let file = make(&format!("{PICTURE} {X264} -movflags +faststart"), "mp4").await;
    change(&file, |bytes| {
        let data = iso::body(bytes, &["mdat"]);
        let noise = noise(data.len());
        bytes[data].copy_from_slice(&noise);
    })
}

async fn half_noise() -> Vec<u8> {
    let line = format!("-f lavfi -i testsrc2=s=128x96:r=25:d=4 {X264} -g 10 -movflags +faststart");
    change(&make(&line, "mp4").await, |bytes| {
        let data = iso::body(bytes, &["mdat"]);
        let (from, to) = (data.start + data.len() * 2 / 5, data.start + data.len() * 3 / 5);
        let noise = noise(to - from);
        bytes[from..to].copy_from_slice(&noise);
    })
}

/// One EBML element: its number, its size in eight bytes, its body.
fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
    let size = (1_u64 << 56 | body.len() as u64).to_be_bytes();
    [id, &size, body].concat()
}

/// Matroska whose track header is compressed (zlib): 64 MiB of zeros, in stored and repeated form, in 64 KiB.
fn swollen_mkv() -> Vec<u8> {
    let header = element(&[0x1A, 0x45, 0xDF, 0xA3], &element(&[0x42, 0x82], b"matroska"));
    let encoding = element(
        &[0x62, 0x40],
        &[
            element(&[0x50, 0x31], &[0]),
            element(&[0x50, 0x32], &[3]),
            element(&[0x50, 0x33], &[0]),
            element(&[0x50, 0x34], &element(&[0x42, 0x54], &[0])),
        ]
        .concat(),
    );
    let track = element(
        &[0xAE],
        &[
            element(&[0xD7], &[1]),
            element(&[0x73, 0xC5], &[1]),
            element(&[0x83], &[1]),
            element(&[0x86], b"V_MPEG4/ISO/AVC"),
            element(&[0x63, 0xA2], &zeros_in_zlib(64 << 20)),
            element(&[0x6D, 0x80], &encoding),
            element(&[0xE0], &[element(&[0xB0], &[64]), element(&[0xBA], &[64])].concat()),
        ]
        .concat(),
    );
    let info = element(&[0x15, 0x49, 0xA9, 0x66], &element(&[0x2A, 0xD7, 0xB1], &[0x0F, 0x42, 0x40]));
    let block = element(&[0xA3], &[&[0x81, 0, 0, 0x80][..], &zeros_in_zlib(64 << 20)].concat());
    let cluster =
        element(&[0x1F, 0x43, 0xB6, 0x75], &[element(&[0xE7], &[0]), block.clone(), block].concat());
    let segment = element(
        &[0x18, 0x53, 0x80, 0x67],
        &[info, element(&[0x16, 0x54, 0xAE, 0x6B], &track), cluster].concat(),
    );
    [header, segment].concat()
}

/// A zlib stream (RFC 1950, 1951) of about `length` zero bytes: one literal, then matches of 258 bytes at distance 1 with
/// the fixed codes, and a checksum that is wrong but comes too late.
fn zeros_in_zlib(length: usize) -> Vec<u8> {
    let (mut bytes, mut bit, mut at) = (vec![0x78, 0x9C], 0_u32, 0_u32);
    let mut put = |bytes: &mut Vec<u8>, value: u32, bits: u32| {
        for i in 0..bits {
            bit |= (value >> i & 1) << at;
            at += 1;
            if at == 8 {
                bytes.push(bit as u8);
                (bit, at) = (0, 0);
            }
        }
    };
    // Last block, fixed codes; literal 0 is 0011_0000, codes are sent from their highest bit.
    put(&mut bytes, 0b011, 3);
    put(&mut bytes, 0b0000_1100, 8);
    for _ in 0..length / 258 {
        // Length 258 is code 285: 1100_0101; distance 1 is code 0: 00000.
        put(&mut bytes, 0b1010_0011, 8);
        put(&mut bytes, 0, 5);
    }
    put(&mut bytes, 0, 7);
    put(&mut bytes, 0, 7);
    bytes.extend_from_slice(&[0; 4]);
    bytes
}
