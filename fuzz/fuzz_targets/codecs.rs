//! Configuration boxes of all codecs, HDR metadata, and samples of NAL units and OBUs.
#![no_main]

use libfuzzer_sys::fuzz_target;
use media::{
    cmaf::{Media, TrackSpec, init_segment},
    codec::{Format, Hdr, Picture, Sound, av1, dolby, hevc},
};

fuzz_target!(|data: &[u8]| {
    // The first two bytes tell where the configuration ends and a sample begins.
    let Some((length, rest)) = data.split_first_chunk::<2>() else { return };
    let at = usize::from(u16::from_be_bytes(*length)).min(rest.len());
    let (config, sample) = rest.split_at(at);
    for format in [Format::Avc, Format::Hevc, Format::Vp9, Format::Av1] {
        let Ok(facts) = format.facts("", config) else { continue };
        assert!(!facts.codec.is_empty());
        let picture = Picture {
            format,
            config: config.to_vec().into(),
            width: 16,
            height: 16,
            aspect: facts.aspect,
            colour: facts.colour,
            hdr: Hdr::default(),
            in_band: false,
        };
        let mut spec = TrackSpec { timescale: 1, language: None, media: Media::Video { picture, delay: 0 } };
        let _ = spec.learn(sample);
        let _ = spec.stored(&sample.to_vec().into(), false);
        let _ = init_segment(&spec);
    }
    for entry in [b"mp4a", b"Opus", b"ac-3", b"ec-3"] {
        let Ok(Some(sound)) = Sound::parse(*entry, config) else { continue };
        let spec = TrackSpec { timescale: 48_000, language: None, media: Media::Audio(sound) };
        init_segment(&spec).expect("sound that was read can be written");
    }
    let _ = hevc::Sps::parse(config);
    let _ = av1::Sequence::parse(config);
    let _ = dolby::joc_of_frame(sample);
});
