//! Lies told in ISO-BMFF files: finding a box and writing over what it says.

use std::ops::Range;

/// Where the body of the box at `path` (`["moov", "trak", "tkhd"]`) lies: the first of each kind on the way down.
///
/// # Panics
/// When there is no such box: the file was made by the test that asks.
#[allow(clippy::panic, reason = "a test that asks for what it did not make is wrong")]
pub fn body(file: &[u8], path: &[&str]) -> Range<usize> {
    let mut range = 0..file.len();
    for name in path {
        range = child(file, range, name).unwrap_or_else(|| panic!("no box {name} of {path:?}"));
    }
    range
}

/// Writes big-endian 32-bit words over the body of a box, from `offset` on.
pub fn overwrite(file: &mut [u8], path: &[&str], offset: usize, words: &[u32]) {
    let at = body(file, path).start + offset;
    for (i, word) in words.iter().enumerate() {
        file[at + i * 4..at + i * 4 + 4].copy_from_slice(&word.to_be_bytes());
    }
}

/// Renames a box, so that readers skip it or take it for another.
pub fn rename(file: &mut [u8], path: &[&str], name: [u8; 4]) {
    let at = body(file, path).start - 4;
    file[at..at + 4].copy_from_slice(&name);
}

fn child(file: &[u8], within: Range<usize>, name: &str) -> Option<Range<usize>> {
    let mut at = within.start;
    while at + 8 <= within.end {
        let size = u32::from_be_bytes(file[at..at + 4].try_into().ok()?) as usize;
        let size = if size == 0 { within.end - at } else { size.max(8) };
        if &file[at + 4..at + 8] == name.as_bytes() {
            return Some(at + 8..(at + size).min(within.end));
        }
        at += size;
    }
    None
}
