//! Descriptors out of an object store that may have gone bad, and the manifests made of them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use media::{
    codec::{Codecs, Family},
    dash,
    descriptor::Descriptor,
    hls,
    selection::Selection,
    webvtt,
};

fuzz_target!(|data: &[u8]| {
    let Ok(descriptor) = serde_json::from_slice::<Descriptor>(data) else { return };
    let codecs = Codecs::from_iter([Family::Av1, Family::Opus]);
    for selection in [Selection::ALL, Selection { cap: Some(480), codecs: Some(codecs) }] {
        let text = hls::multivariant(&descriptor, selection);
        assert!(text.starts_with("#EXTM3U\n") && text.lines().all(|line| !line.contains('\r')));
        let manifest = dash::mpd(&descriptor, selection, 0);
        assert!(manifest.ends_with("</MPD>\n") || manifest.ends_with("</MPD>"));
    }
    for track in &descriptor.tracks {
        hls::media_playlist(&descriptor, track);
        hls::iframe_playlist(&descriptor, track);
    }
    if let Some(board) = &descriptor.storyboard {
        hls::image_playlist(board);
        webvtt::storyboard(board);
    }
    let json = serde_json::to_vec(&descriptor).expect("it can be written");
    assert_eq!(serde_json::from_slice::<Descriptor>(&json).expect("and read"), descriptor);
});
