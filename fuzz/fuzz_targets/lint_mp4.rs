//! The lint's readers of headers and segments: what strangers serve as MP4.
#![no_main]

use libfuzzer_sys::fuzz_target;
use media::lint::{
    Report,
    mp4::{continuity, fragments, header},
};

fuzz_target!(|data: &[u8]| {
    // The first two bytes tell where the header ends.
    let Some((length, rest)) = data.split_first_chunk::<2>() else { return };
    let at = usize::from(u16::from_be_bytes(*length)).min(rest.len());
    let (init, segment) = rest.split_at(at);
    let mut report = Report::default();
    let header = header::read(init, "init", &mut report).unwrap_or_default();
    for cut in [false, true] {
        let found = fragments::read(segment, "segment", &header, cut, &mut report);
        continuity::within(&header, &found, "segment", &mut report);
        for track in &header.tracks {
            found.shown(track.id);
        }
    }
});
