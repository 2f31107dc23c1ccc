//! Transport streams: pieces of any size give the same events as the whole, memory stays bounded, and what is found can be described.
#![no_main]

use libfuzzer_sys::fuzz_target;
use media::{
    Result,
    frame::Event,
    ts::{Demuxer, Limits},
};

const LIMITS: Limits = Limits { tracks: 4, frame: 8 << 10, held: 12 << 10 };

fn read(pieces: &mut dyn Iterator<Item = &[u8]>) -> (Vec<Event>, Result<()>) {
    let (mut demuxer, mut events) = (Demuxer::new(LIMITS), Vec::new());
    for piece in pieces {
        let end = demuxer.read(piece, &mut events);
        if end.is_err() {
            return (events, end);
        }
        // What sound's frames may have begun with comes on top, and less than a packet.
        assert!(demuxer.held() < (12 << 10) + 4 * (8 << 10) + 188, "{} bytes", demuxer.held());
    }
    let end = demuxer.finish(&mut events);
    (events, end)
}

fuzz_target!(|data: &[u8]| {
    let Some((size, rest)) = data.split_first() else { return };
    // Inputs have no room for many headers of packets: they begin every 188 bytes.
    let mut bytes = rest.to_vec();
    bytes.chunks_mut(188).for_each(|packet| packet[0] = 0x47);
    let (events, end) = read(&mut std::iter::once(&bytes[..]));
    let again = read(&mut bytes.chunks(usize::from(*size) * 8 + 1));
    assert_eq!((&events, &end), (&again.0, &again.1));
    let mut described = std::collections::BTreeSet::new();
    for event in events {
        match event {
            Event::Track(id, spec) => {
                assert!(!spec.codec().expect("a codecs string").is_empty());
                described.insert(id);
            }
            Event::Sample(id, sample) => {
                assert!(described.contains(&id) && !sample.data.is_empty() && sample.data.len() < 24 << 10);
            }
            _ => {}
        }
    }
});
