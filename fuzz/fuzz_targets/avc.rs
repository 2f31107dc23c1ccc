//! H.264 configuration records and parameter sets.
#![no_main]

use libfuzzer_sys::fuzz_target;
use media::{
    codec::avc::{Config, Sps},
    mp4::AudioConfig,
};

fuzz_target!(|data: &[u8]| {
    if let Ok(config) = Config::parse(data) {
        assert!(config.codec("avc1").starts_with("avc1."));
        let _ = config.sps();
    }
    if let Ok(sps) = Sps::parse(data) {
        assert!(sps.width > 0 && sps.height > 0);
    }
    if let Ok(config) = AudioConfig::from_esds(data) {
        let _ = config.codec();
        let _ = config.to_esds(1, 1);
    }
    let _ = AudioConfig::from_specific(data);
});
