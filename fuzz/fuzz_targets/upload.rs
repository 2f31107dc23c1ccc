//! What a client says of an upload: names, types and titles in `Upload-Metadata`.
#![no_main]

/// Stands in for the errors of the crate, which are answers of a web server.
mod error {
    pub type Result<T> = std::result::Result<T, String>;

    pub fn bad(words: impl Into<String>) -> String {
        words.into()
    }
}
#[path = "../../crates/vod/src/upload/metadata.rs"]
mod metadata;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(header) = std::str::from_utf8(data) else { return };
    let Ok(read) = metadata::Metadata::read(header) else { return };
    let clean = |text: &str| !text.chars().any(domain::text::is_hidden);
    assert!(clean(&read.title) && clean(&read.filename), "{read:?}");
    assert!((1..=200).contains(&read.title.chars().count()), "{read:?}");
    assert!(!read.filename.contains(['/', '\\']) && read.filename.chars().count() <= 255);
    assert!(read.content_type.chars().count() <= 100);
});
