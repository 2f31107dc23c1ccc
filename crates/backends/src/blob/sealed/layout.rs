//! Where the bytes of an encrypted object lie. Stored, it is a row of blocks of 64 KiB, the last of them shorter: block 0
//! begins with the header; each block holds a nonce, ciphertext and a tag. Since parts of a multipart upload are whole
//! MiB, a part always ends where a block does.

use std::ops::Range;

/// Stored bytes of the header.
pub const HEADER: usize = 96;
pub const NONCE: usize = 12;
pub const TAG: usize = 16;
/// Stored bytes of every block but the last.
pub const BLOCK: u64 = 64 << 10;

const EXTRA: u64 = (NONCE + TAG) as u64;
const FIRST: u64 = OTHER - HEADER as u64;
const OTHER: u64 = BLOCK - EXTRA;

/// Blocks of an object of `length` bytes; an empty one has none, only the header.
pub fn blocks(length: u64) -> u64 {
    if length == 0 { 0 } else { block_of(length - 1) + 1 }
}

/// The block that holds the byte at `offset`.
pub fn block_of(offset: u64) -> u64 {
    if offset < FIRST { 0 } else { 1 + (offset - FIRST) / OTHER }
}

/// Offset of the first byte that `block` holds.
pub fn start(block: u64) -> u64 {
    if block == 0 { 0 } else { FIRST.saturating_add((block - 1).saturating_mul(OTHER)) }
}

/// Bytes that `block` of an object of `length` bytes holds.
pub fn held(block: u64, length: u64) -> usize {
    let full = if block == 0 { FIRST } else { OTHER };
    full.min(length.saturating_sub(start(block))) as usize
}

/// Stored size of an object of `length` bytes.
pub fn stored(length: u64) -> u64 {
    length.saturating_add(HEADER as u64).saturating_add(blocks(length).saturating_mul(EXTRA))
}

/// Where `block` of an object of `length` bytes is stored, without the header.
pub fn place(block: u64, length: u64) -> Range<u64> {
    let from = if block == 0 { HEADER as u64 } else { block.saturating_mul(BLOCK) };
    from..block.saturating_add(1).saturating_mul(BLOCK).min(stored(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_place_at_all_borders() {
        for length in
            [0, 1, FIRST - 1, FIRST, FIRST + 1, FIRST + OTHER - 1, FIRST + OTHER, FIRST + 5 * OTHER + 7]
        {
            let (mut plain, mut at) = (0, HEADER as u64);
            for block in 0..blocks(length) {
                assert_eq!(start(block), plain);
                assert_eq!(place(block, length).start, at);
                let held = held(block, length) as u64;
                assert!(held > 0);
                assert_eq!((block_of(plain), block_of(plain + held - 1)), (block, block));
                plain += held;
                at += held + EXTRA;
                assert_eq!(place(block, length).end, at);
            }
            assert_eq!((plain, at), (length, stored(length)));
        }
    }

    #[test]
    fn absurd_lengths_do_not_overflow() {
        assert_eq!(stored(u64::MAX), u64::MAX);
        assert!(place(u64::MAX, u64::MAX).end > 0 && held(u64::MAX, 5) == 0);
    }
}
