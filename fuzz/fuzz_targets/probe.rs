//! What ffprobe tells of a file: its report and its list of packets, which a hostile file may fill with anything.
#![no_main]

#[allow(dead_code, unused_imports, reason = "a part of the crate's modules")]
#[path = "support/vod.rs"]
mod vod;
use vod::{guest, plan, probe};

use guest::sniff::Container;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    for tag in text.lines().take(20) {
        if let Some(short) = probe::language::shortest(tag) {
            assert!(short.is_ascii() && short.len() <= 35, "{tag:?} became {short:?}");
            assert_eq!(probe::language::shortest(&short).as_deref(), Some(short.as_str()), "from {tag:?}");
        }
    }
    let Ok(info) = probe::source_info(Container::Matroska, data) else { return };
    assert!(info.video.is_some() || !info.audio.is_empty());
    let hidden = |text: &Option<String>| text.iter().any(|text| text.chars().any(domain::text::is_hidden));
    assert!(!hidden(&info.title) && !info.audio.iter().any(|audio| hidden(&audio.title)));
    if let Some(video) = &info.video {
        assert!(video.display_width > 0 && video.display_height > 0 && video.time_base.1 > 0);
    }
    let json = serde_json::to_string(&info).expect("it can be stored");
    assert!(serde_json::from_str::<probe::SourceInfo>(&json).is_ok());
});
