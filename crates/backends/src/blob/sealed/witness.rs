//! For tests: every nonce that this process used with a data key. Meeting one twice ends the test.

use std::{
    collections::HashSet,
    sync::{LazyLock, Mutex},
};

use super::layout::{HEADER, NONCE};

/// A header, which stands for the data key that it wraps, and a nonce.
type Use = ([u8; HEADER], [u8; NONCE]);

static USED: LazyLock<Mutex<HashSet<Use>>> = LazyLock::new(Mutex::default);

/// Notes one use.
pub fn note(header: &[u8; HEADER], nonce: &[u8; NONCE]) {
    let mut used = USED.lock().unwrap();
    assert!(used.insert((*header, *nonce)), "a nonce was used twice with one key");
}

/// How often a data key was used.
pub fn uses(header: &[u8]) -> usize {
    USED.lock().unwrap().iter().filter(|(used, _)| used == header).count()
}
