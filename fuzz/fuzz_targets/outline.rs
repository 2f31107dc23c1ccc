//! The outline of an uploaded file: where its container says that it ends, and whether it is encrypted.
#![no_main]

// Taken in by their paths: the crate around them needs a database and much else.
#[allow(dead_code, reason = "a part of the crate's module")]
#[path = "."]
mod guest {
    #[path = "../../crates/vod/src/guest/sniff.rs"]
    pub mod sniff;
}
#[path = "../../crates/vod/src/probe/outline.rs"]
mod outline;

use std::io::Cursor;

use guest::sniff;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(container) = sniff::container(data) else {
        std::hint::black_box(sniff::is_playlist(data));
        return;
    };
    std::hint::black_box(outline::is_cut(container, &mut Cursor::new(data)).expect("memory can be read"));
    std::hint::black_box(outline::is_encrypted(&mut Cursor::new(data)).expect("memory can be read"));
});
