//! Resumed uploads under observation: whatever breaks off, the object is whole and no nonce met its key twice. Every seal
//! of this test binary is checked by `witness`.

use bytes::Bytes;
use proptest::prelude::*;

use super::{layout, witness};
use crate::blob::{Blobs, Config};

fn store(dir: &tempfile::TempDir) -> Blobs {
    let config = Config {
        url: format!("file:{}", dir.path().display()),
        encryption_key: Some("0f".repeat(32).into()),
        ..Config::default()
    };
    Blobs::open(&config).unwrap()
}

fn text(seed: u8, length: usize) -> Bytes {
    (0..length).map(|n| (n / 251) as u8 ^ (n % 256) as u8 ^ seed).collect()
}

/// What one writer does: bytes written and made durable, then bytes that are lost.
type Session = (usize, usize, bool);

async fn run(length: usize, sessions: Vec<Session>) {
    let dir = tempfile::tempdir().unwrap();
    let (blobs, good) = (store(&dir), text(0, length));
    let mut state = blobs.stage("masters/x/original", length as u64).unwrap();
    let mut written = 0;
    for (n, (kept, lost, made_durable)) in sessions.into_iter().enumerate() {
        let mut appender = blobs.append(&state).await.unwrap();
        let at = state.received() as usize;
        let end = length.min(at + kept);
        appender.write(good.slice(at..end)).await.unwrap();
        state = appender.checkpoint().await.unwrap().clone();
        assert_eq!(state.received(), end as u64);
        appender.saved().await;
        let lost = text(n as u8 + 1, length).slice(end..length.min(end + lost));
        appender.write(lost).await.unwrap();
        written += appender.offset() as usize - at;
        if made_durable {
            appender.checkpoint().await.unwrap();
        }
    }
    let mut appender = blobs.append(&state).await.unwrap();
    appender.write(good.slice(state.received() as usize..)).await.unwrap();
    appender.finish().await.unwrap();
    assert!(blobs.get("masters/x/original").await.unwrap() == good);
    let stored = std::fs::read(dir.path().join("masters/x/original")).unwrap();
    assert_eq!(stored.len() as u64, layout::stored(length as u64));
    let uses = witness::uses(&stored[..layout::HEADER]);
    assert!(uses as u64 >= layout::blocks(length as u64) && uses * 60_000 <= length + written + 70_000 * 20);
    assert_eq!(std::fs::read_dir(dir.path().join(".staging")).unwrap().count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn uploads_broken_off_anywhere_use_each_nonce_once(
        length in 1..500_000_usize,
        sessions in prop::collection::vec((0..150_000_usize, 0..150_000_usize, any::<bool>()), 0..7),
    ) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run(length, sessions));
    }
}

/// The danger itself: one block encrypted twice, with two contents.
#[tokio::test]
async fn a_block_written_again_with_other_bytes_has_another_nonce() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = store(&dir);
    let length = 3 * layout::BLOCK as usize;
    let state = blobs.stage("x", length as u64).unwrap();
    let mut seen = Vec::new();
    for seed in [1, 2] {
        let mut appender = blobs.append(&state).await.unwrap();
        appender.write(text(seed, length - 1)).await.unwrap();
        appender.checkpoint().await.unwrap();
        drop(appender);
        let staging = std::fs::read_dir(dir.path().join(".staging")).unwrap();
        let file = staging.map(|entry| entry.unwrap().path()).find(|path| path.is_file()).unwrap();
        seen.push(std::fs::read(file).unwrap());
    }
    let nonce = |n: usize, block: u64| {
        let place = layout::place(block, length as u64).start as usize;
        seen[n][place..place + layout::NONCE].to_vec()
    };
    assert_eq!(seen[0][..layout::HEADER], seen[1][..layout::HEADER], "the same key");
    for block in 0..3 {
        assert_ne!(nonce(0, block), nonce(1, block), "block {block}");
    }
    assert_eq!(witness::uses(&seen[0][..layout::HEADER]), 6);
}
