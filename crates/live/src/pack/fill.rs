//! What stands in where a track has nothing.

use bytes::Bytes;
use media::{
    cmaf::{Media, TrackSpec},
    codec::Sound,
    mp4::AudioConfig,
};

/// Samples of a frame of AAC (ISO/IEC 14496-3 §4.5.2.1); HE-AAC counts in the rate of its core.
const AAC: u32 = 1024;
/// 20 ms of Opus at 48 kHz.
const OPUS: u32 = 960;

/// A frame of AAC-LC without a sound, one channel and two: one or two elements whose spectrum is empty (ISO/IEC 14496-3 §4.4.2).
const SILENT_MONO: [u8; 6] = [0x00, 0xc8, 0x00, 0x80, 0x23, 0x80];
const SILENT_STEREO: [u8; 9] = [0x21, 0x00, 0x49, 0x90, 0x02, 0x19, 0x00, 0x23, 0x80];

/// A frame without a sound; `None` for what is not known how to be silent.
pub fn silence(spec: &TrackSpec) -> Option<Bytes> {
    match &spec.media {
        Media::Audio(Sound::Mpeg(AudioConfig { audio_object_type: 2, channels: 1, .. })) => {
            Some(Bytes::from_static(&SILENT_MONO))
        }
        Media::Audio(Sound::Mpeg(AudioConfig { audio_object_type: 2, channels: 2, .. })) => {
            Some(Bytes::from_static(&SILENT_STEREO))
        }
        _ => None,
    }
}

/// How long a frame of sound lasts, ticks of its sample rate.
pub fn frame_ticks(spec: &TrackSpec) -> u32 {
    match &spec.media {
        Media::Audio(Sound::Opus(_)) => OPUS,
        _ => AAC,
    }
}

/// What two tracks of sound must share to follow each other.
pub fn sound_of(spec: &TrackSpec) -> Option<(String, u32, u32)> {
    let Media::Audio(sound) = &spec.media else { return None };
    Some((sound.codec(), sound.sample_rate(), sound.channels()))
}
