//! The reader of fragmented MP4 that sits behind the encoder's pipe: pieces of any size give the same items as the whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use media::mp4::{FragmentReader, Item, Limits};

fn read(pieces: &mut dyn Iterator<Item = &[u8]>) -> (Vec<Item>, Option<media::Error>) {
    let mut reader = FragmentReader::new(Limits { moov: 1 << 16, moof: 1 << 16, mdat: 1 << 20 });
    let mut items = Vec::new();
    for piece in pieces {
        reader.feed(piece);
        loop {
            match reader.next() {
                Ok(Some(item)) => items.push(item),
                Ok(None) => break,
                Err(error) => return (items, Some(error)),
            }
        }
    }
    let end = reader.finish().err();
    (items, end)
}

fuzz_target!(|data: &[u8]| {
    let Some((size, rest)) = data.split_first() else { return };
    let whole = read(&mut std::iter::once(rest));
    let pieces = read(&mut rest.chunks(usize::from(*size).max(1)));
    assert_eq!(whole, pieces);
});
