//! Playback tokens from URLs: nothing but what was minted passes.
#![no_main]

use domain::{
    Micros,
    playback_token::{Checker, Minter},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(token) = std::str::from_utf8(data) else { return };
    let checker = Checker::new([Minter::from_seed(&[7; 32]).public_key()]);
    if let Ok(claims) = checker.check(token, Micros(0)) {
        assert_eq!(Minter::from_seed(&[7; 32]).mint(&claims), token);
    }
});
