//! The header of an AVIF picture: size, orientation and colours of its primary item (ISO/IEC 23008-12, AV1 Image File Format).

use image::metadata::Orientation;
use media::mp4::Boxes;

use super::{Colours, Header, MAX_PROFILE, Refusal};

/// Most properties that a file may list.
const MAX_PROPERTIES: usize = 256;

pub(super) fn header(file: &[u8]) -> Result<Header, Refusal> {
    read(file).unwrap_or(Err(Refusal::Damaged))
}

/// `None`: the file ends where it must not, or contradicts itself.
fn read(file: &[u8]) -> Option<Result<Header, Refusal>> {
    let meta = find(file, b"meta")?.get(4..)?;
    let primary = primary(find(meta, b"pitm")?)?;
    let properties = find(meta, b"iprp")?;
    let list: Vec<([u8; 4], &[u8])> =
        Boxes::new(find(properties, b"ipco")?).take(MAX_PROPERTIES).map(Result::ok).collect::<Option<_>>()?;
    let mut header = Header {
        stored: (0, 0),
        orientation: Orientation::NoTransforms,
        colours: Colours::Srgb,
        demuxer: "mov",
    };
    let (mut turns, mut mirror) = (0, None);
    for index in associated(find(properties, b"ipma")?, primary)? {
        let Some((kind, body)) = index.checked_sub(1).and_then(|at| list.get(at)) else { continue };
        match kind {
            b"ispe" => header.stored = (u32_at(body, 4)?, u32_at(body, 8)?),
            b"irot" => turns = body.first()? & 3,
            b"imir" => mirror = Some(body.first()? & 1),
            b"clap" => return Some(Err(Refusal::UnusualAvif)),
            b"colr" => match colours(body)? {
                Ok(colours) => header.colours = colours,
                Err(refusal) => return Some(Err(refusal)),
            },
            _ => {}
        }
    }
    header.orientation = upright(turns, mirror);
    Some(Ok(header))
}

fn find<'a>(boxes: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    Boxes::new(boxes).find(kind).ok().flatten()
}

/// §8.11.4: which item is the picture.
fn primary(pitm: &[u8]) -> Option<u32> {
    if *pitm.first()? == 0 { u16_at(pitm, 4).map(u32::from) } else { u32_at(pitm, 4) }
}

/// ISO/IEC 23008-12 §9.3: the properties of `item`, as places in the list, from 1.
fn associated(ipma: &[u8], item: u32) -> Option<Vec<usize>> {
    let (version, wide) = (*ipma.first()?, ipma.get(3)? & 1 == 1);
    let entries = u32_at(ipma, 4)?;
    let mut at = 8;
    for _ in 0..entries {
        let id = if version == 0 { u16_at(ipma, at).map(u32::from)? } else { u32_at(ipma, at)? };
        at += if version == 0 { 2 } else { 4 };
        let count = usize::from(*ipma.get(at)?);
        at += 1;
        let size = if wide { 2 } else { 1 };
        let own = ipma.get(at..at + count * size)?;
        at += count * size;
        if id == item {
            let index = |entry: &[u8]| match entry {
                [one] => usize::from(one & 0x7F),
                [high, low] => usize::from(high & 0x7F) << 8 | usize::from(*low),
                _ => 0,
            };
            return Some(own.chunks_exact(size).map(index).collect());
        }
    }
    None
}

/// ISO/IEC 14496-12 §12.1.5; code points of ITU-T H.273.
fn colours(colr: &[u8]) -> Option<Result<Colours, Refusal>> {
    Some(match colr.get(..4)? {
        b"nclx" => match (u16_at(colr, 4)?, u16_at(colr, 6)?) {
            // PQ and HLG.
            (_, 16 | 18) => Err(Refusal::HighRange),
            (11 | 12, _) => Ok(Colours::DisplayP3),
            _ => Ok(Colours::Srgb),
        },
        b"prof" | b"rICC" if colr.len() <= MAX_PROFILE => Ok(Colours::Profile(colr.get(4..)?.to_vec())),
        _ => Ok(Colours::Srgb),
    })
}

/// Quarter turns against the clock, then a mirror: 0 flips top and bottom, 1 left and right (ISO/IEC 23008-12 §6.5.10, §6.5.12).
fn upright(turns: u8, mirror: Option<u8>) -> Orientation {
    use Orientation::{
        FlipHorizontal, FlipVertical, NoTransforms, Rotate90, Rotate90FlipH, Rotate180, Rotate270,
        Rotate270FlipH,
    };
    match (turns, mirror) {
        (1, None) => Rotate270,
        (2, None) => Rotate180,
        (3, None) => Rotate90,
        (0, Some(1)) | (2, Some(0)) => FlipHorizontal,
        (0, Some(_)) | (2, Some(_)) => FlipVertical,
        (1, Some(1)) | (3, Some(0)) => Rotate270FlipH,
        (1, Some(_)) | (3, Some(_)) => Rotate90FlipH,
        _ => NoTransforms,
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk::<2>().map(|b| u16::from_be_bytes(*b))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<4>().map(|b| u32::from_be_bytes(*b))
}
