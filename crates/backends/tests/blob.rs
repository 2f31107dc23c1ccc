//! The conformance suite of the blob port: every case on a local directory, on an S3-compatible service, on Google Cloud
//! Storage and on Azure Blob Storage, each with and without encryption.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod services;

use std::io::Write;

use backends::blob::{self, Appender, Blobs, Config, Error, Staged, part_size};
use bytes::Bytes;
use futures::TryStreamExt;

/// One store under test; the directory goes when it does.
struct Subject {
    blobs: Blobs,
    config: Config,
    dir: tempfile::TempDir,
}

fn local() -> Subject {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { url: format!("file:{}/blobs", dir.path().display()), ..Config::default() };
    Subject { blobs: Blobs::open(&config).unwrap(), config, dir }
}

/// The same store with a key, so that everything in it is encrypted.
fn encrypted(Subject { mut config, dir, .. }: Subject) -> Subject {
    config.encryption_key = Some("5e".repeat(32).into());
    config.encryption_required = true;
    Subject { blobs: Blobs::open(&config).unwrap(), config, dir }
}

fn service(config: Config) -> Subject {
    Subject { blobs: Blobs::open(&config).unwrap(), config, dir: tempfile::tempdir().unwrap() }
}

fn s3() -> Subject {
    service(services::s3())
}

fn gcs() -> Subject {
    service(services::gcs())
}

fn azure() -> Subject {
    service(services::azure())
}

/// Makes one test of each case for each adapter.
macro_rules! conformance {
    ($($case:ident),+ $(,)?) => {
        mod on_a_local_directory { $(#[tokio::test] async fn $case() { super::$case(super::local()).await })+ }
        mod on_s3 { $(#[tokio::test] async fn $case() { super::$case(super::s3()).await })+ }
        mod on_gcs { $(#[tokio::test] async fn $case() { super::$case(super::gcs()).await })+ }
        mod on_azure { $(#[tokio::test] async fn $case() { super::$case(super::azure()).await })+ }
        mod encrypted_on_a_local_directory {
            $(#[tokio::test] async fn $case() { super::$case(super::encrypted(super::local())).await })+
        }
        mod encrypted_on_s3 { $(#[tokio::test] async fn $case() { super::$case(super::encrypted(super::s3())).await })+ }
        mod encrypted_on_gcs { $(#[tokio::test] async fn $case() { super::$case(super::encrypted(super::gcs())).await })+ }
        mod encrypted_on_azure {
            $(#[tokio::test] async fn $case() { super::$case(super::encrypted(super::azure())).await })+
        }
    };
}

conformance![
    objects_come_back_whole_and_in_ranges,
    put_new_never_replaces,
    a_copy_outlives_what_it_was_made_of,
    files_are_taken_over,
    listings_and_deletions_go_by_folder,
    names_that_climb_never_reach_the_engine,
    an_upload_goes_on_from_its_saved_state,
    an_upload_broken_off_anywhere_is_whole_in_the_end,
    what_was_made_durable_stays_durable,
    bytes_after_the_last_saved_state_are_forgotten,
    tiny_steps_make_the_same_object,
    many_parts_make_one_object,
    an_unsaved_finish_is_found_out,
    aborting_leaves_nothing,
    a_length_is_a_promise,
    an_empty_object_can_be_staged,
];

/// Bytes that differ at every place.
fn noise(length: usize) -> Bytes {
    let mut x = 0x9e37_79b9_u32;
    (0..length)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            x as u8
        })
        .collect()
}

async fn streamed(blobs: &Blobs, object: &str, range: Option<std::ops::Range<u64>>) -> Vec<u8> {
    let pieces: Vec<Bytes> = blobs.stream(object, range).await.unwrap().try_collect().await.unwrap();
    pieces.concat()
}

async fn objects_come_back_whole_and_in_ranges(Subject { blobs, .. }: Subject) {
    let bytes = noise(700_001);
    blobs.put("masters/a/original", bytes.clone()).await.unwrap();
    assert_eq!(blobs.get("masters/a/original").await.unwrap(), bytes);
    assert_eq!(blobs.head("masters/a/original").await.unwrap().size, 700_001);
    assert_eq!(blobs.range("masters/a/original", 5..9).await.unwrap(), bytes[5..9]);
    assert_eq!(blobs.range("masters/a/original", 700_000..700_001).await.unwrap(), bytes[700_000..]);
    assert!(blobs.range("masters/a/original", 7..7).await.unwrap().is_empty());
    assert_eq!(streamed(&blobs, "masters/a/original", None).await, bytes);
    assert_eq!(streamed(&blobs, "masters/a/original", Some(1000..650_000)).await, bytes[1000..650_000]);
    for outside in [700_000..700_002, 700_001..700_002, 800_000..800_001] {
        let error = blobs.range("masters/a/original", outside.clone()).await.unwrap_err();
        assert!(matches!(error, Error::Other { .. }), "{outside:?}: {error}");
        assert!(blobs.stream("masters/a/original", Some(outside)).await.is_err());
    }
    blobs.put("masters/a/original", Bytes::from_static(b"new")).await.unwrap();
    assert_eq!(blobs.get("masters/a/original").await.unwrap(), "new");

    for missing in ["masters/a/other", "masters/a", "masters"] {
        assert!(matches!(blobs.get(missing).await, Err(Error::NotFound(_))), "{missing}");
        assert!(matches!(blobs.head(missing).await, Err(Error::NotFound(_))), "{missing}");
        assert!(matches!(blobs.range(missing, 0..1).await, Err(Error::NotFound(_))), "{missing}");
        assert!(matches!(blobs.stream(missing, None).await, Err(Error::NotFound(_))), "{missing}");
    }
}

async fn put_new_never_replaces(Subject { blobs, .. }: Subject) {
    blobs.put_new("descriptor/1.json", Bytes::from_static(b"first")).await.unwrap();
    let error = blobs.put_new("descriptor/1.json", Bytes::from_static(b"second")).await.unwrap_err();
    assert!(matches!(error, Error::Exists(_)), "{error}");
    assert!(!error.is_transient());
    assert_eq!(blobs.get("descriptor/1.json").await.unwrap(), "first");
}

async fn a_copy_outlives_what_it_was_made_of(Subject { blobs, .. }: Subject) {
    let bytes = noise(300_000);
    blobs.put("event/live/7.cmf", bytes.clone()).await.unwrap();
    for _again in 0..2 {
        blobs.copy("event/live/7.cmf", "clip/live/0.cmf").await.unwrap();
    }
    blobs.delete_prefix("event").await.unwrap();
    assert_eq!(blobs.get("clip/live/0.cmf").await.unwrap(), bytes);
    assert_eq!(blobs.range("clip/live/0.cmf", 5..9).await.unwrap(), bytes[5..9]);
    let gone = blobs.copy("event/live/7.cmf", "clip/live/1.cmf").await.unwrap_err();
    assert!(matches!(gone, Error::NotFound(_)), "{gone}");
}

async fn files_are_taken_over(Subject { blobs, dir, .. }: Subject) {
    let path = dir.path().join("made.bin");
    for length in [0, 10, 9 << 20] {
        let bytes = noise(length);
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(blobs.put_file("tracks/v.cmfv", &path).await.unwrap(), length as u64);
        assert_eq!(blobs.get("tracks/v.cmfv").await.unwrap(), bytes);
    }
    assert!(matches!(blobs.put_file("x", &dir.path().join("none")).await, Err(Error::NotFound(_))));
}

async fn listings_and_deletions_go_by_folder(Subject { blobs, .. }: Subject) {
    for object in ["p/1/b", "p/1/a", "p/1/deep/c", "p/10/a", "p2/a"] {
        blobs.put(object, Bytes::from_static(b"xy")).await.unwrap();
    }
    let names = |entries: Vec<blob::Entry>| entries.into_iter().map(|e| e.object).collect::<Vec<_>>();
    let listed = blobs.list("p/1").await.unwrap();
    assert!(listed.iter().all(|e| e.size == 2 && e.modified.0 > 1_600_000_000_000_000));
    assert_eq!(names(listed), ["p/1/a", "p/1/b", "p/1/deep/c"]);
    assert_eq!(names(blobs.list("p/1/").await.unwrap()).len(), 3);
    assert_eq!(names(blobs.list("").await.unwrap()).len(), 5);
    assert!(blobs.list("nothing/here").await.unwrap().is_empty());

    blobs.delete("p/1/a").await.unwrap();
    blobs.delete("p/1/a").await.unwrap();
    assert_eq!(blobs.delete_prefix("p/1").await.unwrap(), 2);
    assert_eq!(blobs.delete_prefix("p/1").await.unwrap(), 0);
    assert_eq!(names(blobs.list("").await.unwrap()), ["p/10/a", "p2/a"]);
    assert!(blobs.delete_prefix("").await.is_err());
    blobs.put("p/1/again", Bytes::new()).await.unwrap();
}

async fn names_that_climb_never_reach_the_engine(Subject { blobs, dir, .. }: Subject) {
    for name in ["../out", "/etc/x", "a/../../out", "a//b", ".staging/x", ".tmp/x", "a/.b", ""] {
        assert!(matches!(blobs.put(name, Bytes::new()).await, Err(Error::Other { .. })), "{name:?}");
        assert!(blobs.get(name).await.is_err());
        assert!(blobs.stage(name, 1).is_err());
        assert_eq!(blobs.local_path(name), None);
    }
    assert!(!dir.path().join("out").exists());
}

/// Saves as a database would.
fn saved(state: &Staged) -> Staged {
    serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap()
}

async fn save(appender: &mut Appender) -> Staged {
    let state = saved(appender.checkpoint().await.unwrap());
    appender.saved().await;
    state
}

async fn an_upload_goes_on_from_its_saved_state(Subject { blobs, config, .. }: Subject) {
    let bytes = noise(20_000_000);
    let mut state = blobs.stage("masters/u/original", bytes.len() as u64).unwrap();
    let mut at = 0;
    for next in [1_000_000, 9_000_000, 9_000_001, 17_500_000] {
        // Each time another replica, which knows nothing but the state.
        let replica = Blobs::open(&config).unwrap();
        let mut appender = replica.append(&state).await.unwrap();
        assert_eq!(appender.offset(), at as u64);
        for piece in bytes[at..next].chunks(123_457) {
            appender.write(Bytes::copy_from_slice(piece)).await.unwrap();
        }
        state = save(&mut appender).await;
        assert_eq!(state.received(), next as u64);
        at = next;
    }
    assert!(matches!(blobs.head("masters/u/original").await, Err(Error::NotFound(_))));
    assert!(blobs.list("").await.unwrap().is_empty(), "unfinished objects are not listed");

    let mut appender = blobs.append(&state).await.unwrap();
    appender.write(bytes.slice(at..)).await.unwrap();
    appender.finish().await.unwrap();
    assert_eq!(blobs.get("masters/u/original").await.unwrap(), bytes);
    assert_eq!(blobs.list("").await.unwrap().len(), 1);
}

async fn bytes_after_the_last_saved_state_are_forgotten(Subject { blobs, .. }: Subject) {
    let (good, bad) = (noise(18_000_000), Bytes::from(vec![7; 18_000_000]));
    let mut state = blobs.stage("masters/u/original", 18_000_000).unwrap();
    let mut first = blobs.append(&state).await.unwrap();
    first.write(good.slice(..100)).await.unwrap();
    state = save(&mut first).await;
    drop(first);
    // A crash: progress was made and even made durable, but its state was never saved.
    let mut second = blobs.append(&state).await.unwrap();
    second.write(bad.slice(100..17_000_000)).await.unwrap();
    second.checkpoint().await.unwrap();
    drop(second);
    // A refused checksum: told to forget.
    let mut third = blobs.append(&state).await.unwrap();
    third.write(bad.slice(100..17_000_000)).await.unwrap();
    third.forget().await;

    let mut last = blobs.append(&state).await.unwrap();
    assert_eq!(last.offset(), 100);
    last.write(good.slice(100..)).await.unwrap();
    last.finish().await.unwrap();
    assert!(blobs.get("masters/u/original").await.unwrap() == good);
}

async fn tiny_steps_make_the_same_object(Subject { blobs, .. }: Subject) {
    let bytes = noise(150);
    let mut state = blobs.stage("masters/u/original", 150).unwrap();
    let mut appender = blobs.append(&state).await.unwrap();
    for at in 0..149 {
        appender.write(bytes.slice(at..=at)).await.unwrap();
        state = save(&mut appender).await;
        assert_eq!(state.received(), at as u64 + 1);
    }
    drop(appender);
    assert!(serde_json::to_string(&state).unwrap().len() < 16_000, "the state stays small");
    let mut appender = blobs.append(&state).await.unwrap();
    appender.write(bytes.slice(149..)).await.unwrap();
    appender.finish().await.unwrap();
    assert_eq!(blobs.get("masters/u/original").await.unwrap(), bytes);
}

/// Steps, checkpoints, crashes and refusals in an order that a seed decides.
async fn an_upload_broken_off_anywhere_is_whole_in_the_end(Subject { blobs, .. }: Subject) {
    for (seed, length) in [(1_u64, 19_000_003), (2, 300_001), (3, 65_412), (4, 17_000_000)] {
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut next = |below: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random % below as u64) as usize
        };
        let (good, bad) = (noise(length), Bytes::from(vec![7; length]));
        let object = format!("masters/{seed}/original");
        let mut state = blobs.stage(&object, length as u64).unwrap();
        for _ in 0..12 {
            let mut appender = blobs.append(&state).await.unwrap();
            let at = appender.offset() as usize;
            assert_eq!(at as u64, state.received());
            let end = at + next(length - at + 1).min(length / 5);
            appender.write(good.slice(at..end)).await.unwrap();
            state = match next(3) {
                0 => saved(appender.progress().await.unwrap()),
                _ => saved(appender.checkpoint().await.unwrap()),
            };
            appender.saved().await;
            // Never to be seen again.
            appender.write(bad.slice(end..end + next(length - end + 1))).await.unwrap();
            match next(3) {
                0 => appender.forget().await,
                1 => drop(appender.checkpoint().await.unwrap()),
                _ => drop(appender),
            }
        }
        let mut appender = blobs.append(&state).await.unwrap();
        appender.write(good.slice(appender.offset() as usize..)).await.unwrap();
        appender.finish().await.unwrap();
        assert!(blobs.get(&object).await.unwrap() == good, "seed {seed}");
        assert_eq!(blobs.list(&format!("masters/{seed}")).await.unwrap()[0].size, length as u64);
    }
}

/// A cheap checkpoint after a thorough one does not take anything back.
async fn what_was_made_durable_stays_durable(Subject { blobs, .. }: Subject) {
    let bytes = noise(9_000_000);
    let mut state = blobs.stage("masters/u/original", 9_000_000).unwrap();
    let mut appender = blobs.append(&state).await.unwrap();
    appender.write(bytes.slice(..100_000)).await.unwrap();
    state = save(&mut appender).await;
    assert_eq!(state.received(), 100_000);
    appender.write(bytes.slice(100_000..400_000)).await.unwrap();
    state = saved(appender.progress().await.unwrap());
    appender.saved().await;
    assert!(state.received() >= 100_000, "{}", state.received());
    drop(appender);
    let mut appender = blobs.append(&state).await.unwrap();
    appender.write(bytes.slice(state.received() as usize..)).await.unwrap();
    appender.finish().await.unwrap();
    assert!(blobs.get("masters/u/original").await.unwrap() == bytes);
}

/// Three parts and a bit, in one go, with cheap checkpoints that must never claim too much.
async fn many_parts_make_one_object(Subject { blobs, .. }: Subject) {
    let length = 3 * part_size(1) as usize + 5;
    let bytes = noise(length);
    let state = blobs.stage("masters/u/original", length as u64).unwrap();
    let mut appender = blobs.append(&state).await.unwrap();
    let mut durable = 0;
    for piece in bytes.chunks(1 << 20) {
        appender.write(Bytes::copy_from_slice(piece)).await.unwrap();
        let state = saved(appender.progress().await.unwrap());
        assert!(state.received() >= durable && state.received() <= appender.offset());
        assert!(appender.offset() - state.received() <= part_size(1));
        durable = state.received();
    }
    appender.finish().await.unwrap();
    assert!(blobs.get("masters/u/original").await.unwrap() == bytes);
}

async fn an_unsaved_finish_is_found_out(Subject { blobs, .. }: Subject) {
    for length in [1000, 10_000_000] {
        let bytes = noise(length);
        let object = format!("masters/{length}/original");
        let mut state = blobs.stage(&object, length as u64).unwrap();
        let mut appender = blobs.append(&state).await.unwrap();
        appender.write(bytes.slice(..length - 1)).await.unwrap();
        state = save(&mut appender).await;
        appender.write(bytes.slice(length - 1..)).await.unwrap();
        appender.finish().await.unwrap();
        // The caller died before it could note that.
        assert!(matches!(blobs.append(&state).await, Err(Error::Exists(_))), "{length}");
        assert_eq!(blobs.get(&object).await.unwrap(), bytes);
        blobs.abort(&state).await.unwrap();
        assert!(blobs.head(&object).await.is_err(), "an abort takes the finished object, too");
    }
}

async fn aborting_leaves_nothing(Subject { blobs, config, dir }: Subject) {
    let bytes = noise(9_500_000);
    let mut state = blobs.stage("masters/u/original", 10_000_000).unwrap();
    blobs.abort(&state).await.unwrap();
    let mut appender = blobs.append(&state).await.unwrap();
    appender.write(bytes.clone()).await.unwrap();
    state = save(&mut appender).await;
    drop(appender);
    blobs.abort(&state).await.unwrap();
    blobs.abort(&state).await.unwrap();
    let error = blobs.append(&state).await.err().expect("its bytes are gone");
    assert!(!error.is_transient(), "{error}");
    assert!(blobs.list("").await.unwrap().is_empty());
    if config.url.starts_with("file:") {
        let left = std::fs::read_dir(dir.path().join("blobs/.staging")).unwrap().count();
        assert_eq!(left, 0);
    } else {
        assert_eq!(services::count_everything(&config), 0);
    }
}

async fn a_length_is_a_promise(Subject { blobs, .. }: Subject) {
    let state = blobs.stage("masters/u/original", 10).unwrap();
    let mut appender = blobs.append(&state).await.unwrap();
    assert!(appender.write(noise(11)).await.is_err());
    appender.write(noise(9)).await.unwrap();
    assert!(appender.finish().await.is_err());
    assert!(blobs.head("masters/u/original").await.is_err());
}

async fn an_empty_object_can_be_staged(Subject { blobs, .. }: Subject) {
    let state = blobs.stage("masters/u/original", 0).unwrap();
    blobs.append(&state).await.unwrap().finish().await.unwrap();
    assert_eq!(blobs.head("masters/u/original").await.unwrap().size, 0);
}

#[tokio::test]
async fn a_local_upload_has_one_writer() {
    let Subject { blobs, dir: _dir, .. } = local();
    let state = blobs.stage("masters/u/original", 10).unwrap();
    let first = blobs.append(&state).await.unwrap();
    let error = blobs.append(&state).await.err().expect("a second writer");
    assert!(matches!(error, Error::Busy(_)) && error.is_transient());
    drop(first);
    blobs.append(&state).await.unwrap();
}

#[tokio::test]
async fn a_local_upload_that_lost_bytes_is_not_continued() {
    let Subject { blobs, dir, .. } = local();
    let mut state = blobs.stage("masters/u/original", 10).unwrap();
    let mut appender = blobs.append(&state).await.unwrap();
    appender.write(noise(8)).await.unwrap();
    state = save(&mut appender).await;
    drop(appender);
    let file = std::fs::read_dir(dir.path().join("blobs/.staging")).unwrap().next().unwrap().unwrap().path();
    std::fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(3).unwrap();
    assert!(matches!(blobs.append(&state).await, Err(Error::Other { .. })));
}

#[tokio::test]
async fn a_guest_cannot_smuggle_a_link_into_a_local_store() {
    let Subject { blobs, dir, .. } = local();
    let secret = dir.path().join("secret");
    std::fs::File::create(&secret).unwrap().write_all(b"secret").unwrap();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&secret, &link).unwrap();
    assert!(blobs.put_file("tracks/v", &link).await.is_err());
    assert!(blobs.get("tracks/v").await.is_err());
}

#[tokio::test]
async fn a_service_that_does_not_answer_is_a_passing_fault() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = Some(format!("http://{free}"));
    let config = Config {
        s3: blob::S3 {
            endpoint: endpoint.clone(),
            access_key_id: Some("test".into()),
            secret_access_key: Some("hidden".into()),
            allow_http: true,
            ..blob::S3::default()
        },
        gcs: blob::Gcs {
            endpoint: endpoint.clone(),
            service_account_key: Some("hidden".into()),
            anonymous: true,
            ..blob::Gcs::default()
        },
        azure: blob::Azure {
            account: Some("account".into()),
            endpoint,
            access_key: Some("aGlkZGVu".into()),
            client_secret: Some("hidden".into()),
            ..blob::Azure::default()
        },
        ..Config::default()
    };
    for shown in [format!("{config:?}"), serde_json::to_string(&config).unwrap()] {
        assert!(!shown.contains("hidden") && !shown.contains("aGlkZGVu"), "{shown}");
    }
    for url in ["s3://bucket", "az://container"] {
        let error =
            Blobs::open(&Config { url: url.into(), ..config.clone() }).unwrap().get("a").await.unwrap_err();
        assert!(error.is_transient() && !error.to_string().contains("hidden"), "{error}");
    }
    let error = Blobs::open(&Config { url: "gs://bucket".into(), ..config.clone() }).unwrap_err();
    assert!(!error.to_string().contains("hidden"), "a key that is none: {error}");
    let gcs = blob::Gcs { service_account_key: None, ..config.gcs };
    let config = Config { url: "gs://bucket".into(), gcs, ..config };
    let error = Blobs::open(&config).unwrap().get("a").await.unwrap_err();
    assert!(error.is_transient(), "{error}");
}

#[test]
fn configurations_that_cannot_work_are_refused() {
    for url in [
        "",
        "file:",
        "blobs",
        "http://x",
        "s3://bucket/../x",
        "gs://",
        "gs://bucket/../x",
        "az://container/../x",
    ] {
        assert!(Blobs::open(&Config { url: url.into(), ..Config::default() }).is_err(), "{url}");
    }
    let nobody = Blobs::open(&Config { url: "az://container".into(), ..Config::default() }).unwrap_err();
    assert!(nobody.to_string().contains("blob.azure.account"), "{nobody}");
    // Encrypted only, unless the endpoint says otherwise.
    let azure = |endpoint: &str| blob::Azure {
        account: Some("account".into()),
        access_key: Some("a2V5".into()),
        endpoint: Some(endpoint.into()),
        ..blob::Azure::default()
    };
    for endpoint in ["not an address", ""] {
        let config = Config { url: "az://container".into(), azure: azure(endpoint), ..Config::default() };
        assert!(Blobs::open(&config).is_err(), "{endpoint}");
    }
}
