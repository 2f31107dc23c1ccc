//! What anybody may send as the beats of a player: limits hold, whatever the body.
#![no_main]

#[allow(dead_code)]
#[path = "../../crates/insights/src/beat.rs"]
mod beat;

use beat::What;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(body) = beat::read(data) else { return };
    assert!((1..=beat::MAX_BEATS).contains(&body.beats.len()));
    assert!(body.beats.is_sorted_by(|a, b| a.seq < b.seq));
    for beat in &body.beats {
        assert!(beat.seq <= beat::MAX_SEQ && beat.age_ms <= beat::MAX_AGE_MS && beat.edge.len() <= 64);
        match &beat.what {
            What::Play(play) => {
                assert!(play.playing_ms <= beat::MAX_INTERVAL_MS && play.stalled_ms <= beat::MAX_INTERVAL_MS);
            }
            What::Error { code, .. } => assert!((1..=64).contains(&code.len()) && code.is_ascii()),
            What::Start { .. } | What::End => {}
        }
    }
});
