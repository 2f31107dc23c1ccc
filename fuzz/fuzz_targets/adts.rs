//! AAC frames out of the encoder's ADTS stream.
#![no_main]

// Taken in by its path: the crate around it needs a database and much else.
#[allow(dead_code, reason = "a part of the crate's module")]
#[path = "../../crates/vod/src/encode/adts.rs"]
mod adts;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut frames = adts::Frames::default();
    frames.buffer.extend_from_slice(data);
    let mut bytes = 0;
    while let Ok(Some(frame)) = frames.next() {
        assert!(frames.config().is_some() && !frame.is_empty());
        bytes += frame.len();
    }
    assert!(bytes <= data.len());
});
