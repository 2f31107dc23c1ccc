//! Sample entries (ISO/IEC 14496-12 §12.1.3, §12.2.3).

use super::boxes::{Put, write, write_full};
use crate::{
    codec::{Colour, Format, Picture, Sound},
    mp4::FourCc,
};

/// The sample entry's name; parameter sets lie in the header only, unless the picture says otherwise.
pub fn name(picture: &Picture) -> &'static FourCc {
    match picture.format {
        Format::Avc if picture.in_band => b"avc3",
        Format::Avc => b"avc1",
        Format::Hevc => b"hvc1",
        Format::Vp9 => b"vp09",
        Format::Av1 => b"av01",
    }
}

/// VisualSampleEntry with the configuration, colours and static metadata.
pub fn visual(picture: &Picture, config: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(256 + config.len());
    write(&mut out, name(picture), |out| {
        out.zeros(6);
        out.u16(1); // data reference
        out.zeros(16);
        out.u16(picture.width as u16);
        out.u16(picture.height as u16);
        out.u32(0x0048_0000); // 72 dpi
        out.u32(0x0048_0000);
        out.u32(0);
        out.u16(1); // frames per sample
        out.zeros(32); // compressor's name
        out.u16(0x0018);
        out.u16(0xffff);
        write(out, picture.format.config_box(), |out| out.extend_from_slice(config));
        // In CMAF, AV1 has it in any case (binding of AV1 §3).
        let always = (picture.format == Format::Av1).then_some(Colour::UNSPECIFIED);
        if let Some(colour) = picture.colour.or(always) {
            write(out, b"colr", |out| {
                out.extend(b"nclx");
                out.u16(colour.primaries.into());
                out.u16(colour.transfer.into());
                out.u16(colour.matrix.into());
                out.push(u8::from(colour.full_range) << 7);
            });
        }
        metadata(out, picture);
        let (horizontal, vertical) = picture.aspect.unwrap_or((1, 1));
        write(out, b"pasp", |out| {
            out.u32(horizontal);
            out.u32(vertical);
        });
    });
    out
}

/// §12.1.6 and §12.1.7; VP9 has boxes of its own (VP Codec ISO Media File Format Binding).
fn metadata(out: &mut Vec<u8>, picture: &Picture) {
    let own = picture.format == Format::Vp9;
    if let Some(mastering) = picture.hdr.mastering {
        if own {
            write_full(out, b"SmDm", 0, 0, |out| out.extend(mastering.to_fixed()));
        } else {
            write(out, b"mdcv", |out| out.extend(mastering.to_mdcv()));
        }
    }
    if let Some(light) = picture.hdr.light {
        if own {
            write_full(out, b"CoLL", 0, 0, |out| out.extend(light.to_clli()));
        } else {
            write(out, b"clli", |out| out.extend(light.to_clli()));
        }
    }
}

/// AudioSampleEntry with the configuration.
pub fn audio(sound: &Sound) -> Vec<u8> {
    let (name, kind, config) = match sound {
        Sound::Mpeg(config) => (b"mp4a", b"esds", config.to_esds(0, 0)),
        Sound::Opus(config) => (b"Opus", b"dOps", config.body.to_vec()),
        Sound::Ac3(config) => (b"ac-3", b"dac3", config.to_box()),
        Sound::Eac3(config) => (b"ec-3", b"dec3", config.to_box()),
    };
    let mut out = Vec::with_capacity(128);
    write(&mut out, name, |out| {
        out.zeros(6);
        out.u16(1);
        out.zeros(8);
        out.u16(sound.channels() as u16);
        out.u16(16);
        out.u32(0);
        // 16.16; a rate that does not fit is told by the configuration alone.
        let rate = sound.sample_rate();
        out.u32(if rate < 1 << 16 { rate << 16 } else { 0 });
        write(out, kind, |out| out.extend(config));
    });
    out
}
