//! `moov` boxes: what can be read of a known codec can be written as a CMAF header, and read again as the same track.
#![no_main]

use libfuzzer_sys::fuzz_target;
use media::{
    cmaf::{self, TrackSpec},
    mp4::Header,
};

fuzz_target!(|data: &[u8]| {
    let Ok(header) = Header::parse_file(data) else { return };
    for track in &header.tracks {
        let Ok(mut spec) = TrackSpec::from_header(track, 1000) else { continue };
        let _ = spec.learn(data);
        let Ok(init) = cmaf::init_segment(&spec) else { continue };
        let again = Header::parse_file(&init).expect("our own header can be read");
        let [again] = &again.tracks[..] else { panic!("one track") };
        assert_eq!((&again.codec, again.timescale), (&spec.codec().expect("it was written"), spec.timescale));
    }
});
