//! The lint's readers of playlists and manifests, and of two loads of the same: what strangers serve as text.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use media::lint::{
    Report, dash,
    hls::{self, Playlist, Variables, reload},
};

fn playlist(text: &[u8], report: &mut Report) -> Option<hls::MediaPlaylist> {
    match hls::read(text, "https://example.org/a/b.m3u8?c=d", &Variables::new(), report)? {
        Playlist::Media(media) => Some(*media),
        Playlist::Multivariant(_) => None,
    }
}

fuzz_target!(|data: &[u8]| {
    // Two texts, parted by a zero byte.
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let mut report = Report::default();
    if let (Some(old), Some(new)) = (playlist(first, &mut report), playlist(second, &mut report)) {
        reload::check(&old, &new, &mut report);
        reload::stalled(&old, &new, Duration::from_secs(8), &mut report);
        old.starts();
        old.discontinuities();
    }
    let manifests = (dash::read(first, "m", &mut report), dash::read(second, "m", &mut report));
    if let (Some(old), Some(new)) = manifests {
        dash::reload::check(&old, &new, &mut report);
    }
    // However much is wrong, a report stays small.
    assert!(report.findings().len() < 2000);
});
