//! FLV files and the tags in them: pieces of any size give the same tags as the whole, samples lie within their message, and what is
//! found can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use media::{
    flv::{self, Demuxer, Reader, Tag},
    frame::{Event, Kind},
};

fn tags(pieces: &mut dyn Iterator<Item = &[u8]>) -> (Vec<Tag>, Option<media::Error>) {
    let (mut reader, mut tags) = (Reader::new(1 << 20), Vec::new());
    for piece in pieces {
        reader.feed(piece);
        loop {
            match reader.next() {
                Ok(Some(tag)) => tags.push(tag),
                Ok(None) => break,
                Err(error) => return (tags, Some(error)),
            }
        }
    }
    (tags, None)
}

fn kind(tag: &Tag) -> Option<Kind> {
    match tag.kind {
        flv::VIDEO => Some(Kind::Video),
        flv::AUDIO => Some(Kind::Audio),
        _ => None,
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((size, rest)) = data.split_first() else { return };
    let whole = tags(&mut std::iter::once(rest));
    assert_eq!(whole, tags(&mut rest.chunks(usize::from(*size).max(1))));
    let (mut demuxer, mut events) = (Demuxer::new(4), Vec::new());
    let mut specs = std::collections::BTreeMap::new();
    for tag in whole.0 {
        let Some(kind) = kind(&tag) else {
            let _ = flv::aggregate(&tag.body);
            continue;
        };
        events.clear();
        let _ = demuxer.read(kind, tag.time_ms.into(), &tag.body, &mut events);
        for event in events.drain(..) {
            match event {
                Event::Track(id, spec) => {
                    assert!(!spec.codec().expect("a codecs string").is_empty());
                    let start = flv::sequence_start(id, &spec).expect("what was read can be written");
                    if let Some(start) = start {
                        let mut again = Vec::new();
                        Demuxer::new(1).read(id.kind, 0, &start.into(), &mut again).expect("and read");
                        if let Some(Event::Track(found, described)) = again.first() {
                            assert_eq!((found, described.codec()), (&id, spec.codec()));
                        }
                    }
                    specs.insert(id, spec);
                }
                Event::Sample(id, sample) => {
                    assert!(!sample.data.is_empty() && sample.data.len() < tag.body.len());
                    let (head, body) = flv::frame(id, &specs[&id], &sample).expect("a frame can be written");
                    assert!(head.len() <= 12 && body == sample.data);
                }
                _ => {}
            }
        }
    }
});
