//! Sample entries: which codec, how it is configured, and the codec string that follows from it.

use super::{
    boxes::{Context, Node, children},
    encryption::{self, Protection},
    name,
};
use crate::{
    Error, Result,
    codec::{Colour, Format, Sound},
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
    /// What `colr` says, if it is there and of the kind `nclx`.
    pub colour: Option<Colour>,
    pub has_colour: bool,
    /// What the bitstream's own header says.
    pub coded_colour: Option<Colour>,
    pub sample_rate: u32,
    pub channels: u32,
    pub nal: Option<Nal>,
    pub protection: Option<Protection>,
    /// Whether parameter sets may lie in the samples (avc3, hev1).
    pub inband: bool,
    /// Size told by the sequence parameter set.
    pub coded: Option<(u32, u32)>,
    /// Samples at 48 kHz that an Opus decoder gives out before the sound begins.
    pub pre_skip: Option<u16>,
}

impl Entry {
    /// What `colr` says, or else the bitstream's own header.
    pub fn colours(&self) -> Option<Colour> {
        self.colour.or(self.coded_colour)
    }
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
    if let Some(colr) = inside.iter().find(|n| &n.kind == b"colr") {
        entry.has_colour = true;
        match Colour::from_colr(colr.body) {
            Ok(colour) => entry.colour = colour,
            Err(error) => context.add(&rules::BOX_CONTENT, &colr.path, error.to_string()),
        }
    }
}

/// Codec configuration: which box each format has, and what it says.
fn configure(entry: &mut Entry, node: &Node<'_>, inside: &[Node<'_>], context: &mut Context<'_>) {
    let format = entry.format;
    entry.codec = name(format).trim().to_owned();
    let pictures = Format::of(format);
    let wanted: &[u8; 4] = match &format {
        b"vp08" => b"vpcC",
        b"fLaC" => b"dfLa",
        _ => match pictures.map(Format::config_box).or(Sound::config_box(format)) {
            Some(wanted) => wanted,
            None => return,
        },
    };
    let Some(config) = inside.iter().find(|n| n.kind == *wanted) else {
        let what = format!("`{}` has no `{}`", name(format), name(*wanted));
        context.add(&rules::CODEC_CONFIG, &node.path, what);
        return;
    };
    let read = match pictures {
        Some(format) => picture_config(entry, format, config.body),
        None => sound_config(entry, config.body),
    };
    if let Err(error) = read {
        context.add(&rules::CODEC_CONFIG, &config.path, error.to_string());
    }
}

fn picture_config(entry: &mut Entry, format: Format, body: &[u8]) -> Result<()> {
    entry.inband = matches!(&entry.format, b"avc3" | b"avc4" | b"hev1");
    let facts = format.facts(&name(entry.format), body)?;
    entry.nal = facts.length_size.map(if format == Format::Avc { Nal::Avc } else { Nal::Hevc });
    entry.codec = facts.codec;
    entry.coded = facts.size;
    entry.coded_colour = facts.colour;
    if !facts.has_sequence && !entry.inband {
        return Err(Error::Invalid("sample entry", "it holds no sequence parameter set"));
    }
    Ok(())
}

fn sound_config(entry: &mut Entry, body: &[u8]) -> Result<()> {
    let Some(sound) = Sound::parse(entry.format, body)? else { return Ok(()) };
    entry.codec = sound.codec();
    if sound.sample_rate() > 0 {
        entry.sample_rate = sound.sample_rate();
    }
    if let Sound::Opus(config) = sound {
        entry.pre_skip = Some(config.pre_skip);
    }
    Ok(())
}
