//! Sample entries: which codec, how it is configured, and the codec string that follows from it.

use super::{
    boxes::{Context, Node, children},
    encryption::{self, Protection},
    name,
};
use crate::{
    Error, Result, avc,
    bits::{Bits, Fields},
    lint::rules::cmaf as rules,
};

/// NAL unit files: which codec, and bytes of each length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nal {
    Avc(u8),
    Hevc(u8),
}

/// What a sample entry says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// After `frma` where it is protected.
    pub format: [u8; 4],
    pub codec: String,
    pub width: u32,
    pub height: u32,
    /// Sample aspect ratio.
    pub aspect: Option<(u32, u32)>,
    pub has_colour: bool,
    /// The parameter set tells the colours.
    pub colours_known: bool,
    pub sample_rate: u32,
    pub channels: u32,
    pub nal: Option<Nal>,
    pub protection: Option<Protection>,
    /// Whether parameter sets may lie in the samples (avc3, hev1).
    pub inband: bool,
    /// Size told by the sequence parameter set.
    pub coded: Option<(u32, u32)>,
}

/// Reads one entry of `stsd`.
pub fn read(node: &Node<'_>, handler: [u8; 4], context: &mut Context<'_>) -> Option<Entry> {
    let mut entry = Entry { format: node.kind, ..Entry::default() };
    let fixed = match &handler {
        b"vide" => {
            (entry.width, entry.height) = context.fields(node, |f| {
                f.skip(24)?;
                Ok((u32::from(f.u16()?), u32::from(f.u16()?)))
            })?;
            78
        }
        b"soun" => {
            (entry.channels, entry.sample_rate) = context.fields(node, |f| {
                f.skip(16)?;
                let channels = u32::from(f.u16()?);
                f.skip(6)?;
                Ok((channels, f.u32()? >> 16))
            })?;
            28
        }
        _ => 8,
    };
    if matches!(&handler, b"vide" | b"soun") {
        let body = node.body.get(fixed..).unwrap_or_default();
        let at = node.body_start() + fixed as u64;
        let inside = children(&node.path, body, at, context);
        if matches!(&node.kind, b"encv" | b"enca") {
            let (format, protection) = encryption::sinf(node, &inside, context);
            entry.format = format.unwrap_or(node.kind);
            entry.protection = protection;
        }
        picture(&mut entry, &inside, context);
        configure(&mut entry, node, &inside, context);
    } else {
        entry.codec = name(node.kind).trim().to_owned();
    }
    Some(entry)
}

fn picture(entry: &mut Entry, inside: &[Node<'_>], context: &mut Context<'_>) {
    if let Some(pasp) = inside.iter().find(|n| &n.kind == b"pasp") {
        entry.aspect = context.fields(pasp, |f| Ok((f.u32()?, f.u32()?))).filter(|(h, v)| *h > 0 && *v > 0);
    }
    entry.has_colour = inside.iter().any(|n| &n.kind == b"colr");
}

/// Codec configuration: which box each format has, and what it says.
fn configure(entry: &mut Entry, node: &Node<'_>, inside: &[Node<'_>], context: &mut Context<'_>) {
    let format = entry.format;
    let wanted: &[u8; 4] = match &format {
        b"avc1" | b"avc2" | b"avc3" | b"avc4" => b"avcC",
        b"hvc1" | b"hev1" => b"hvcC",
        b"av01" => b"av1C",
        b"vp08" | b"vp09" => b"vpcC",
        b"mp4a" => b"esds",
        b"ac-3" => b"dac3",
        b"ec-3" => b"dec3",
        b"Opus" => b"dOps",
        b"fLaC" => b"dfLa",
        _ => {
            entry.codec = name(format).trim().to_owned();
            return;
        }
    };
    entry.codec = name(format).trim().to_owned();
    let Some(config) = inside.iter().find(|n| n.kind == *wanted) else {
        let what = format!("`{}` has no `{}`", name(format), name(*wanted));
        context.add(&rules::CODEC_CONFIG, &node.path, what);
        return;
    };
    let read = match wanted {
        b"avcC" => avc_config(entry, config.body),
        b"hvcC" => hevc_config(entry, config.body),
        b"av1C" => av1_config(config.body).map(|codec| entry.codec = codec),
        b"vpcC" => vp9_config(&entry.codec, config.body).map(|codec| entry.codec = codec),
        b"esds" => esds(config.body).map(|(codec, rate)| {
            entry.codec = codec;
            entry.sample_rate = rate.unwrap_or(entry.sample_rate);
        }),
        _ => Ok(()),
    };
    if let Err(error) = read {
        context.add(&rules::CODEC_CONFIG, &config.path, error.to_string());
    }
}

fn avc_config(entry: &mut Entry, body: &[u8]) -> Result<()> {
    let mut f = Fields::new("avcC", body);
    if f.u8()? != 1 {
        return Err(Error::Invalid("avcC", "its version is not 1"));
    }
    let [profile, compatibility, level] = f.array()?;
    entry.nal = Some(Nal::Avc((f.u8()? & 3) + 1));
    entry.inband = matches!(&entry.format, b"avc3" | b"avc4");
    entry.codec = format!("{}.{profile:02x}{compatibility:02x}{level:02x}", name(entry.format));
    let count = f.u8()? & 31;
    for n in 0..count {
        let length = f.u16()?;
        let nal = f.take(usize::from(length))?;
        if n == 0 {
            let sps = avc::Sps::parse(nal)?;
            if (sps.profile, sps.level) != (profile, level) {
                return Err(Error::Invalid("avcC", "profile or level are not those of its parameter set"));
            }
            entry.coded = Some((sps.width, sps.height));
            entry.colours_known = sps.colour.is_some();
        }
    }
    if count == 0 && !entry.inband {
        return Err(Error::Invalid("avcC", "it holds no sequence parameter set"));
    }
    Ok(())
}

/// ISO/IEC 14496-15 §8.3.3.1 and annex E.
fn hevc_config(entry: &mut Entry, body: &[u8]) -> Result<()> {
    let mut f = Fields::new("hvcC", body);
    if f.u8()? != 1 {
        return Err(Error::Invalid("hvcC", "its version is not 1"));
    }
    let space = f.u8()?;
    let compatibility = f.u32()?.reverse_bits();
    let constraints: [u8; 6] = f.array()?;
    let level = f.u8()?;
    f.skip(8)?;
    entry.nal = Some(Nal::Hevc((f.u8()? & 3) + 1));
    entry.inband = &entry.format == b"hev1";
    let letter = ["", "A", "B", "C"][usize::from(space >> 6)];
    let tier = if space & 0x20 == 0 { 'L' } else { 'H' };
    let mut codec = format!("{}.{letter}{}.{compatibility:X}.{tier}{level}", name(entry.format), space & 31);
    let used = constraints.iter().rposition(|b| *b != 0).map_or(0, |n| n + 1);
    for byte in &constraints[..used] {
        codec.push_str(&format!(".{byte:X}"));
    }
    entry.codec = codec;
    Ok(())
}

/// AV1 in ISO base media files, §5.
fn av1_config(body: &[u8]) -> Result<String> {
    let mut b = Bits::new("av1C", body);
    if b.bits(8)? != 0x81 {
        return Err(Error::Invalid("av1C", "marker and version are not 1"));
    }
    let (profile, level, tier) = (b.bits(3)?, b.bits(5)?, b.bits(1)?);
    let (high, twelve) = (b.flag()?, b.flag()?);
    let depth = match (high, twelve) {
        (true, true) => 12,
        (true, false) => 10,
        _ => 8,
    };
    Ok(format!("av01.{profile}.{level:02}{}.{depth:02}", if tier == 1 { 'H' } else { 'M' }))
}

/// VP codec ISO media binding, version 1.
fn vp9_config(format: &str, body: &[u8]) -> Result<String> {
    let mut f = Fields::new("vpcC", body);
    f.version_and_flags()?;
    let (profile, level, depth) = (f.u8()?, f.u8()?, f.u8()? >> 4);
    Ok(format!("{format}.{profile:02}.{level:02}.{depth:02}"))
}

/// The object type, and the sampling rate of AAC (ISO/IEC 14496-1 §7.2.6.5, 14496-3 §1.6.2.1).
fn esds(body: &[u8]) -> Result<(String, Option<u32>)> {
    let mut f = Fields::new("esds", body);
    f.version_and_flags()?;
    let mut es = Fields::new("esds", sized(&mut f, 3)?);
    es.skip(2)?;
    let flags = es.u8()?;
    es.skip(if flags & 0x80 == 0 { 0 } else { 2 })?;
    if flags & 0x40 != 0 {
        let length = es.u8()?;
        es.skip(usize::from(length))?;
    }
    es.skip(if flags & 0x20 == 0 { 0 } else { 2 })?;
    let mut config = Fields::new("esds", sized(&mut es, 4)?);
    let object = config.u8()?;
    config.skip(12)?;
    if object != 0x40 {
        return Ok((format!("mp4a.{object:02x}"), None));
    }
    let mut specific = Bits::new("AudioSpecificConfig", sized(&mut config, 5)?);
    let mut kind = specific.bits(5)?;
    if kind == 31 {
        kind = 32 + specific.bits(6)?;
    }
    const RATES: [u32; 13] =
        [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350];
    let rate = match specific.bits(4)? {
        15 => Some(specific.bits(24)?),
        n => RATES.get(n as usize).copied(),
    };
    Ok((format!("mp4a.40.{kind}"), rate))
}

/// The body of a descriptor of this tag.
fn sized<'a>(f: &mut Fields<'a>, tag: u8) -> Result<&'a [u8]> {
    if f.u8()? != tag {
        return Err(Error::Invalid("esds", "a descriptor has not the tag that it should have"));
    }
    let mut length = 0usize;
    for _ in 0..4 {
        let byte = f.u8()?;
        length = length << 7 | usize::from(byte & 0x7f);
        if byte < 0x80 {
            return f.take(length);
        }
    }
    Err(Error::Invalid("esds", "the length of a descriptor does not end"))
}
