//! AudioChannelConfiguration (ISO/IEC 23009-1 §5.8.5.4).

use super::{sets::property, xml::Element};
use crate::codec::Family;

/// By the channel configuration of ISO/IEC 23003-3, and for AC-3 and E-AC-3 by Dolby's map of loudspeakers before it, which
/// readers of those formats look for.
pub fn configurations(family: Option<Family>, channels: u32) -> Vec<Element> {
    let scheme = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011";
    let mpeg = property(ELEMENT, scheme, configuration(channels));
    let dolby = (family == Some(Family::Ec3)).then(|| map(channels)).flatten();
    let scheme = "tag:dolby.com,2014:dash:audio_channel_configuration:2011";
    dolby.map(|map| property(ELEMENT, scheme, map)).into_iter().chain([mpeg]).collect()
}

const ELEMENT: &str = "AudioChannelConfiguration";

/// ChannelConfiguration: up to six channels it is their number; 6.1 and 7.1 with rear channels are 11 and 12.
fn configuration(channels: u32) -> u32 {
    match channels {
        7 => 11,
        8 => 12,
        n => n,
    }
}

/// Hexadecimal, the left loudspeaker in the most significant bit (ETSI TS 102 366 §E.1.3.1.8). `None` where a number of
/// channels does not tell which.
fn map(channels: u32) -> Option<&'static str> {
    Some(match channels {
        1 => "4000",
        2 => "A000",
        3 => "E000",
        5 => "F800",
        6 => "F801",
        8 => "FA01",
        _ => return None,
    })
}
