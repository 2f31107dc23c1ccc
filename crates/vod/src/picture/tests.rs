//! Headers of pictures made here, of bombs and of rubbish; and colours.

use proptest::prelude::*;

use super::*;

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image::RgbImage::new(width, height).write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner()
}

#[test]
fn a_bomb_is_refused_by_its_header() {
    let mut bomb = png(8, 8);
    bomb[16..20].copy_from_slice(&100_000_u32.to_be_bytes());
    bomb[20..24].copy_from_slice(&100_000_u32.to_be_bytes());
    let crc = crc(&bomb[12..29]).to_be_bytes();
    bomb[29..33].copy_from_slice(&crc);
    assert_eq!(header(&bomb), Err(Refusal::TooLarge));
    assert_eq!(header(&png(8, 4)).unwrap().size(), (8, 4));
}

/// CRC-32 of PNG chunks (ISO/IEC 15948 §5.5).
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    })
}

#[test]
fn what_is_no_picture_is_refused() {
    for text in ["<svg/>", "GIF89a", "%PDF-1.7", "", "\u{FEFF}<?xml version=\"1.0\"?><svg/>"] {
        assert_eq!(header(text.as_bytes()), Err(Refusal::Unknown));
    }
    assert_eq!(header(&png(8, 8)[..20]), Err(Refusal::Damaged));
    assert_eq!(header(b"\xFF\xD8\xFF\xD9"), Err(Refusal::Damaged));
    assert_eq!(header(b"RIFF\x04\0\0\0WEBPVP8 "), Err(Refusal::Damaged));
    assert_eq!(header(b"\0\0\0\x14ftypavif\0\0\0\0avif"), Err(Refusal::Damaged));
}

/// A box, for files made by hand.
fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32 + 8).to_be_bytes(), &kind[..], body].concat()
}

fn avif(properties: &[Vec<u8>]) -> Vec<u8> {
    let count = properties.len() as u8;
    let mut ipma = vec![0, 0, 0, 0, 0, 0, 0, 1, 0, 7, count];
    ipma.extend(1..=count);
    let iprp = [boxed(b"ipco", &properties.concat()), boxed(b"ipma", &ipma)].concat();
    let meta = [vec![0; 4], boxed(b"pitm", &[0, 0, 0, 0, 0, 7]), boxed(b"iprp", &iprp)].concat();
    [boxed(b"ftyp", b"avif\0\0\0\0avif"), boxed(b"meta", &meta)].concat()
}

fn ispe(width: u32, height: u32) -> Vec<u8> {
    boxed(b"ispe", &[&[0; 4][..], &width.to_be_bytes(), &height.to_be_bytes()].concat())
}

#[test]
fn an_avif_tells_size_turn_and_colours() {
    let plain = header(&avif(&[ispe(400, 300)])).unwrap();
    assert_eq!((plain.size(), plain.upright(), plain.colours), ((400, 300), "", Colours::Srgb));
    let turned = header(&avif(&[ispe(400, 300), boxed(b"irot", &[3])])).unwrap();
    assert_eq!((turned.size(), turned.upright()), ((300, 400), "transpose=clock"));
    let nclx = |primaries: u8, transfer: u8| {
        boxed(b"colr", &[b'n', b'c', b'l', b'x', 0, primaries, 0, transfer, 0, 1, 0])
    };
    assert_eq!(header(&avif(&[ispe(4, 3), nclx(12, 13)])).unwrap().colours, Colours::DisplayP3);
    assert_eq!(header(&avif(&[ispe(4, 3), nclx(9, 16)])), Err(Refusal::HighRange));
    assert_eq!(header(&avif(&[ispe(80_000, 80_000)])), Err(Refusal::TooLarge));
    assert_eq!(header(&avif(&[])), Err(Refusal::Damaged));
}

#[test]
fn colours_become_srgb_and_opaque() {
    // The reddest red of sRGB lies inside Display P3.
    let mut red = vec![234, 51, 35, 255];
    colour::to_srgb(&mut red, &Colours::DisplayP3);
    let near = |a: u8, b: u8| a.abs_diff(b) <= 3;
    assert!(near(red[0], 255) && near(red[1], 0) && near(red[2], 0) && red[3] == 255, "{red:?}");
    let mut same = vec![1, 2, 3, 4];
    colour::to_srgb(&mut same, &Colours::Srgb);
    colour::to_srgb(&mut same, &Colours::Profile(b"rubbish".to_vec()));
    assert_eq!(same, [1, 2, 3, 4]);
    let mut glass = vec![200, 100, 0, 128, 9, 9, 9, 255, 50, 60, 70, 0];
    colour::flatten(&mut glass);
    assert_eq!(glass, [100, 50, 0, 255, 9, 9, 9, 255, 0, 0, 0, 255]);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), kind in 0..4_usize) {
        let starts: [&[u8]; 4] = [
            b"\xFF\xD8\xFF", b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR", b"RIFF\x10\0\0\0WEBPVP8X", b"\0\0\0\x14ftypavif\0\0\0\0avif",
        ];
        let _ = header(&bytes);
        let _ = header(&[starts[kind], &bytes].concat());
        let mut pixels = bytes.clone();
        pixels.truncate(pixels.len() / 4 * 4);
        colour::to_srgb(&mut pixels, &Colours::Profile(bytes));
    }

    #[test]
    fn no_change_of_an_avif_makes_it_panic(at in any::<prop::sample::Index>(), value in any::<u8>()) {
        let mut file = avif(&[ispe(400, 300), boxed(b"irot", &[1]), boxed(b"imir", &[0])]);
        let at = at.index(file.len());
        file[at] = value;
        let _ = header(&file);
        let _ = header(&file[..at]);
    }
}
