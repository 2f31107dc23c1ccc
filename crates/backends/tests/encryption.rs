//! Encryption at rest as seen from outside: what lies in the store, what damage does, and how keys are changed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

use backends::blob::{self, Blobs, Config, Error, Secret};
use bytes::Bytes;
use futures::TryStreamExt;
use proptest::prelude::*;

const BLOCK: usize = 64 << 10;
const EXTRA: usize = 28;
const HEADER: usize = 96;
const FIRST: usize = BLOCK - EXTRA - HEADER;

struct World {
    dir: tempfile::TempDir,
    config: Config,
}

fn key(digit: char) -> String {
    digit.to_string().repeat(64)
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("file:{}/blobs", dir.path().display());
        Self { dir, config: Config { url, ..Config::default() } }
    }

    fn plain(&self) -> Blobs {
        Blobs::open(&self.config).unwrap()
    }

    fn with(&self, key: &str, old: &[&str]) -> Blobs {
        let encryption_old_keys = old.iter().map(|key| Secret::from(*key)).collect();
        let config = Config { encryption_key: Some(key.into()), encryption_old_keys, ..self.config.clone() };
        Blobs::open(&config).unwrap()
    }

    fn file(&self, object: &str) -> PathBuf {
        self.dir.path().join("blobs").join(object)
    }
}

fn noise(length: usize) -> Bytes {
    let mut x = 0x9e37_79b9_u32;
    let step = |_| {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        x as u8
    };
    (0..length).map(step).collect()
}

async fn streamed(
    blobs: &Blobs,
    object: &str,
    range: Option<std::ops::Range<u64>>,
) -> Result<Vec<u8>, Error> {
    let pieces: Vec<Bytes> = blobs.stream(object, range).await?.try_collect().await?;
    Ok(pieces.concat())
}

/// Every way to read the whole object.
async fn read_in_all_ways(blobs: &Blobs, object: &str, length: u64) -> [Result<Vec<u8>, Error>; 4] {
    [
        blobs.get(object).await.map(Vec::from),
        blobs.range(object, 0..length).await.map(Vec::from),
        streamed(blobs, object, None).await,
        streamed(blobs, object, Some(0..length)).await,
    ]
}

#[tokio::test]
async fn what_lies_in_the_store_does_not_tell() {
    let world = World::new();
    let blobs = world.with(&key('a'), &[]);
    let secret = b"a line that stands in every object ".repeat(4000);
    blobs.put("put", secret.clone().into()).await.unwrap();
    blobs.put_new("new", secret.clone().into()).await.unwrap();
    let path = world.dir.path().join("made.bin");
    std::fs::write(&path, &secret).unwrap();
    blobs.put_file("file", &path).await.unwrap();
    let state = blobs.stage("staged", secret.len() as u64).unwrap();
    let mut appender = blobs.append(&state).await.unwrap();
    appender.write(secret[..100_000].to_vec().into()).await.unwrap();
    let state = appender.checkpoint().await.unwrap().clone();
    drop(appender);
    let needle = &secret[..16];
    let clean = |bytes: &[u8]| bytes.windows(needle.len()).all(|window| window != needle);
    let mut files = 0;
    let mut folders = vec![world.dir.path().join("blobs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files += 1;
                assert!(clean(&std::fs::read(&path).unwrap()), "{}", path.display());
            }
        }
    }
    assert_eq!(files, 5, "three objects, a staging file, the rest of its block");
    assert!(!serde_json::to_string(&state).unwrap().contains("stands in every object"));
    let stored = |name: &str| std::fs::read(world.file(name)).unwrap();
    assert_ne!(stored("put")[HEADER..], stored("new")[HEADER..], "each object has its own key");
    for name in ["put", "new", "file"] {
        assert!(blobs.get(name).await.unwrap() == secret);
        assert_eq!(blobs.local_path(name), None);
    }
    assert!(path.exists(), "the plain file was not moved into the store");
}

#[tokio::test]
async fn a_flipped_bit_anywhere_is_an_error() {
    let world = World::new();
    let bytes = noise(FIRST + 300);
    world.with(&key('a'), &[]).put("x", bytes.clone()).await.unwrap();
    let file = world.file("x");
    let stored = std::fs::read(&file).unwrap();
    let places = (0..HEADER + 40)
        .chain((HEADER..stored.len()).step_by(4099))
        .chain(BLOCK - 20..BLOCK + 20)
        .chain(stored.len() - 20..stored.len());
    for at in places {
        let mut damaged = stored.clone();
        damaged[at] ^= 1 << (at % 8);
        std::fs::write(&file, damaged).unwrap();
        let blobs = world.with(&key('a'), &[]);
        for read in read_in_all_ways(&blobs, "x", bytes.len() as u64).await {
            let error = read.expect_err("damage must not be overlooked");
            assert!(matches!(error, Error::Other { .. }), "byte {at}: {error}");
        }
    }
    std::fs::write(&file, &stored).unwrap();
    for read in read_in_all_ways(&world.with(&key('a'), &[]), "x", bytes.len() as u64).await {
        assert!(read.unwrap() == bytes);
    }
}

#[tokio::test]
async fn blocks_cannot_be_moved_left_out_or_added() {
    let world = World::new();
    let bytes = noise(4 * BLOCK);
    let blobs = world.with(&key('a'), &[]);
    for name in ["x", "y"] {
        blobs.put(name, bytes.clone()).await.unwrap();
    }
    let (stored, other) = (std::fs::read(world.file("x")).unwrap(), std::fs::read(world.file("y")).unwrap());
    let block = |n: usize| &stored[n * BLOCK..(n + 1) * BLOCK];
    let bad = [
        [block(0), block(2), block(1), &stored[3 * BLOCK..]].concat(),
        [block(0), block(1), &stored[3 * BLOCK..]].concat(),
        [block(0), block(1), block(1), &stored[3 * BLOCK..]].concat(),
        [block(0), &other[BLOCK..2 * BLOCK], &stored[2 * BLOCK..]].concat(),
        stored[..3 * BLOCK].to_vec(),
        stored[..stored.len() - 1].to_vec(),
        stored[..HEADER].to_vec(),
        stored[..HEADER - 1].to_vec(),
        stored[..20].to_vec(),
        // All of another object, whose every part is genuine.
        other,
    ];
    for (n, bad) in bad.into_iter().enumerate() {
        std::fs::write(world.file("x"), bad).unwrap();
        // One that remembers the key, one that does not.
        for blobs in [&blobs, &world.with(&key('a'), &[])] {
            for read in read_in_all_ways(blobs, "x", bytes.len() as u64).await {
                assert!(matches!(read, Err(Error::Other { .. })), "case {n}");
            }
        }
    }
    std::fs::write(world.file("x"), [&stored[..], b"more"].concat()).unwrap();
    assert!(blobs.get("x").await.is_err());
    assert!(streamed(&blobs, "x", None).await.is_err());
}

#[tokio::test]
async fn keys_are_changed_without_touching_old_objects() {
    let world = World::new();
    world.plain().put("plain", noise(100_000)).await.unwrap();
    world.with(&key('a'), &[]).put("old", noise(100_000)).await.unwrap();
    let begun = world.with(&key('a'), &[]).stage("begun", 100_000).unwrap();

    let blobs = world.with(&key('b'), &[&key('a')]);
    blobs.put("new", noise(100_000)).await.unwrap();
    let mut appender = blobs.append(&begun).await.unwrap();
    appender.write(noise(100_000)).await.unwrap();
    appender.finish().await.unwrap();
    for name in ["plain", "old", "new", "begun"] {
        for read in read_in_all_ways(&blobs, name, 100_000).await {
            assert!(read.unwrap() == noise(100_000), "{name}");
        }
        assert_eq!(blobs.head(name).await.unwrap().size, 100_000);
    }
    assert!(blobs.list("").await.unwrap().iter().all(|entry| entry.size == 100_000));

    let only_new = world.with(&key('b'), &[]);
    assert!(only_new.get("new").await.is_ok());
    for error in [only_new.get("old").await.map(drop), only_new.head("old").await.map(drop)] {
        let error = error.unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("encrypted with the key") && text.contains("blob.encryption_old_keys"),
            "{text}"
        );
        assert!(!text.contains(&key('b')) && !error.is_transient());
    }

    // Encryption given up: nothing new is encrypted, everything old is read.
    let config =
        Config { encryption_old_keys: vec![key('a').into(), key('b').into()], ..world.config.clone() };
    let given_up = Blobs::open(&config).unwrap();
    given_up.put("after", noise(10)).await.unwrap();
    assert_eq!(std::fs::read(world.file("after")).unwrap(), noise(10));
    assert!(given_up.get("new").await.unwrap() == noise(100_000));
}

#[tokio::test]
async fn a_store_without_the_key_says_what_is_missing() {
    let world = World::new();
    world.with(&key('a'), &[]).put("x", noise(100_000)).await.unwrap();
    let begun = world.with(&key('a'), &[]).stage("begun", 10).unwrap();
    let blobs = world.plain();
    let id = blob::key_id(&key('a').into()).unwrap();
    let missing = |error: Error| {
        let text = error.to_string();
        assert!(text.contains(&format!("encrypted with the key {id}")), "{text}");
        assert!(text.contains("blob.encryption_key") && !text.contains(&key('a')), "{text}");
    };
    for read in read_in_all_ways(&blobs, "x", 100_000).await {
        missing(read.unwrap_err());
    }
    // What does not begin at the beginning looks like any other bytes; a program that opens the file would not notice.
    missing(blobs.range("x", 70_000..70_010).await.unwrap_err());
    missing(streamed(&blobs, "x", Some(1..90_000)).await.unwrap_err());
    missing(blobs.local_file("x").await.unwrap_err());
    blobs.put("clear", noise(100_000)).await.unwrap();
    assert!(blobs.range("clear", 70_000..70_010).await.unwrap() == noise(100_000)[70_000..70_010]);
    assert!(matches!(blobs.range("clear", 99_999..100_001).await, Err(Error::Other { .. })));
    assert_eq!(blobs.local_file("clear").await.unwrap(), Some(world.file("clear")));
    assert!(matches!(blobs.local_file("nothing").await, Err(Error::NotFound(_))));
    let text = blobs.append(&begun).await.err().expect("no key").to_string();
    assert!(text.contains("blob.encryption_key"), "{text}");
}

#[tokio::test]
async fn objects_without_encryption_can_be_refused() {
    let world = World::new();
    world.plain().put("x", noise(10)).await.unwrap();
    let begun = world.plain().stage("begun", 10).unwrap();
    let config =
        Config { encryption_key: Some(key('a').into()), encryption_required: true, ..world.config.clone() };
    let blobs = Blobs::open(&config).unwrap();
    for read in read_in_all_ways(&blobs, "x", 10).await {
        assert!(read.unwrap_err().to_string().contains("blob.encryption_required"));
    }
    assert!(blobs.append(&begun).await.is_err());
    let without_key = Config { encryption_required: true, ..world.config.clone() };
    assert!(Blobs::open(&without_key).is_err());
}

#[tokio::test]
async fn a_replaced_object_is_read_by_those_who_remember_the_old_one() {
    let world = World::new();
    let (writer, reader) = (world.with(&key('a'), &[]), world.with(&key('a'), &[]));
    for length in [100_000, 70_000, 200_000] {
        writer.put("x", noise(length)).await.unwrap();
        let whole = 0..length as u64;
        assert!(reader.range("x", whole.clone()).await.unwrap() == noise(length));
        writer.put("x", noise(length + 1)).await.unwrap();
        assert!(streamed(&reader, "x", Some(0..length as u64 + 1)).await.unwrap() == noise(length + 1));
        assert_eq!(reader.list("").await.unwrap()[0].size, length as u64 + 1);
        assert_eq!(reader.head("x").await.unwrap().size, length as u64 + 1);
    }
    writer.delete("x").await.unwrap();
    assert!(matches!(reader.range("x", 0..1).await, Err(Error::NotFound(_))));
    assert!(matches!(reader.head("x").await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn an_upload_whose_rest_is_gone_is_not_continued() {
    let world = World::new();
    let blobs = world.with(&key('a'), &[]);
    let state = blobs.stage("x", 10).unwrap();
    let mut appender = blobs.append(&state).await.unwrap();
    appender.write(noise(8)).await.unwrap();
    let state = appender.checkpoint().await.unwrap().clone();
    drop(appender);
    assert_eq!(state.received(), 8);
    let staging = std::fs::read_dir(world.file(".staging")).unwrap().map(|entry| entry.unwrap().path());
    let folder = staging.filter(|path| path.is_dir()).collect::<Vec<_>>();
    std::fs::remove_dir_all(&folder[0]).unwrap();
    let error = blobs.append(&state).await.err().expect("it is gone");
    assert!(matches!(error, Error::Other { .. }), "{error}");
}

#[test]
fn keys_come_from_the_configuration_or_a_file_and_are_never_shown() {
    let world = World::new();
    let file = world.dir.path().join("key");
    let opens = |config: &Config| Blobs::open(config).map(drop).map_err(|e| e.to_string());
    let base = &world.config;
    std::fs::write(&file, format!("# newest first\n{}\n{}\n", key('a'), key('b'))).unwrap();
    let by_file = Config { encryption_key_file: Some(file.clone()), ..base.clone() };
    opens(&by_file).unwrap();
    let both = Config { encryption_key: Some(key('a').into()), ..by_file.clone() };
    assert!(opens(&both).unwrap_err().contains("not both"));
    for bad in ["", "\n", "abc", &key('g'), &key('a')[1..]] {
        std::fs::write(&file, bad).unwrap();
        assert!(opens(&by_file).unwrap_err().contains("blob.encryption_key_file"), "{bad:?}");
        let config = Config { encryption_key: Some(bad.into()), ..base.clone() };
        let error = opens(&config).unwrap_err();
        assert!(error.contains("64 hexadecimal digits"), "{error}");
        assert!(bad.len() < 10 || !error.contains(bad), "{error}");
    }
    std::fs::remove_file(&file).unwrap();
    assert!(opens(&by_file).is_err());
    let old = Config { encryption_old_keys: vec![key('c').into()], ..both };
    for shown in [format!("{old:?}"), serde_json::to_string(&old).unwrap()] {
        assert!(!shown.contains(&key('a')) && !shown.contains(&key('c')), "{shown}");
    }
}

#[tokio::test]
async fn ranges_at_every_border_of_a_block() {
    let world = World::new();
    let blobs = world.with(&key('a'), &[]);
    let other = BLOCK - EXTRA;
    for length in [0, 1, FIRST - 1, FIRST, FIRST + 1, FIRST + other, FIRST + 2 * other + 9] {
        let bytes = noise(length);
        blobs.put("x", bytes.clone()).await.unwrap();
        let borders = [0, FIRST, FIRST + other, FIRST + 2 * other, length];
        let near = borders.iter().flat_map(|at| [at.saturating_sub(1), *at, at + 1]);
        let points: Vec<usize> = near.filter(|at| *at <= length).collect();
        for &start in &points {
            for &end in points.iter().filter(|end| **end >= start) {
                let range = start as u64..end as u64;
                assert!(blobs.range("x", range.clone()).await.unwrap() == bytes[start..end], "{range:?}");
                let pieces = streamed(&blobs, "x", Some(range.clone())).await.unwrap();
                assert!(pieces == bytes[start..end], "{range:?} of {length}");
            }
        }
        assert!(blobs.range("x", 0..length as u64 + 1).await.is_err());
        assert!(blobs.get("x").await.unwrap() == bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_range_equals_that_of_a_plain_vector(length in 1..900_000_usize, cuts in prop::collection::vec(any::<(u32, u32)>(), 1..6)) {
        let world = World::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (blobs, bytes) = (world.with(&key('a'), &[]), noise(length));
            blobs.put("x", bytes.clone()).await.unwrap();
            for (a, b) in cuts {
                let (a, b) = (a as usize % (length + 1), b as usize % (length + 1));
                let (start, end) = (a.min(b), a.max(b));
                let range = start as u64..end as u64;
                assert!(blobs.range("x", range.clone()).await.unwrap() == bytes[start..end]);
                assert!(streamed(&blobs, "x", Some(range)).await.unwrap() == bytes[start..end]);
            }
        });
    }
}
