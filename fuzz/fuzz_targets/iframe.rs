//! Single pictures out of stored segments: whatever is found lies within the segment and is a `moof` of one sample.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use media::{
    iframe,
    mp4::{FragmentReader, Limits},
};

fuzz_target!(|data: &[u8]| {
    let segment = Bytes::copy_from_slice(data);
    let _ = iframe::moof_size(data);
    for k in 0..3 {
        let Ok((head, picture)) = iframe::build(&segment, k, 1) else { continue };
        assert!(head.len() <= iframe::HEAD as usize);
        let located = iframe::locate(data, k, 1).expect("it was built");
        assert_eq!((&located.head, located.range.end - located.range.start), (&head, picture.len() as u64));
        // Without a header before it the reader has nothing to compare with, but must take it.
        let mut reader = FragmentReader::new(Limits::default());
        reader.feed(&head);
        reader.feed(&picture);
        let _ = reader.next();
    }
});
