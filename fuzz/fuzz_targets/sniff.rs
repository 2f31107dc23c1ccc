//! Telling the container of an uploaded file from its first bytes.
#![no_main]

// Taken in by its path: the crate around it needs a database and much else.
#[allow(dead_code, reason = "a part of the crate's module")]
#[path = "../../crates/vod/src/guest/sniff.rs"]
mod sniff;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // Or the compiler would see that nothing comes of it.
    std::hint::black_box(sniff::container(data));
});
