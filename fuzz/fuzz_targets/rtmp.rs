//! RTMP sessions: pieces of any size give the same events as the whole, and memory stays bounded, before and after the publisher is
//! let in.
#![no_main]

use libfuzzer_sys::fuzz_target;
use live::rtmp::{
    Fault,
    session::{Event, Limits, Session},
};

const LIMITS: Limits = Limits { message: 64 << 10, partial: 128 << 10, chunk_streams: 6 };

fn talk(pieces: &mut dyn Iterator<Item = &[u8]>) -> (Vec<Event>, Option<Fault>, usize) {
    let mut session = Session::new(LIMITS, [7; 1528]);
    session.feed(&[&[3][..], &[0; 3072]].concat());
    let (mut events, mut held) = (Vec::new(), 0);
    for piece in pieces {
        session.feed(piece);
        loop {
            match session.next() {
                Ok(Some(event)) => {
                    if matches!(event, Event::Publish { .. }) {
                        session.admit();
                    }
                    events.push(event);
                }
                Ok(None) => break,
                Err(fault) => return (events, Some(fault), held),
            }
        }
        session.take_output();
        held = held.max(session.held());
    }
    (events, None, held)
}

fuzz_target!(|data: &[u8]| {
    let Some((size, rest)) = data.split_first() else { return };
    let (events, fault, held) = talk(&mut std::iter::once(rest));
    assert!(held < 1 << 20, "{held} bytes");
    let (again, same, held) = talk(&mut rest.chunks(usize::from(*size).max(1)));
    assert!(held < 1 << 20, "{held} bytes");
    // As texts: numbers that are none are not equal to themselves.
    assert_eq!(format!("{events:?} {fault:?}"), format!("{again:?} {same:?}"));
});
