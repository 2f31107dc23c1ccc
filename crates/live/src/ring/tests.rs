//! The ring's promises, by examples and by properties.

use media::{cmaf::Media, codec::Sound, mp4::AudioConfig};
use proptest::prelude::*;

use super::*;

fn spec() -> Arc<TrackSpec> {
    let config = AudioConfig::from_specific(&[0x11, 0x90]).unwrap();
    Arc::new(TrackSpec { timescale: 1000, language: None, media: Media::Audio(Sound::Mpeg(config)) })
}

fn frame(spec: &Arc<TrackSpec>, dts: i64, key: bool, size: usize) -> Frame {
    Frame { spec: spec.clone(), dts, pts: dts, key, discontinuity: false, data: vec![0; size].into() }
}

fn wide() -> Window {
    Window { time: Duration::from_secs(1000), bytes: 1 << 30 }
}

fn times(reader: &mut Reader) -> Vec<Option<i64>> {
    std::iter::from_fn(|| reader.try_next())
        .map(|item| if let Item::Frame(frame) = item { Some(frame.dts) } else { None })
        .collect()
}

#[tokio::test]
async fn readers_begin_where_they_want() {
    let (writer, ring) = ring(wide());
    let spec = spec();
    let mut early = ring.reader(Start::NewestKey);
    for n in 0..10 {
        writer.push(frame(&spec, n, n % 4 == 1, 1));
    }
    let mut late = ring.reader(Start::NextKey);
    assert_eq!(times(&mut early), (1..10).map(Some).collect::<Vec<_>>(), "nothing before a key frame");
    assert_eq!(times(&mut ring.reader(Start::Oldest)), (1..10).map(Some).collect::<Vec<_>>());
    assert_eq!(times(&mut ring.reader(Start::NewestKey)), [Some(9)]);
    assert_eq!(times(&mut late), []);
    writer.push(frame(&spec, 10, false, 1));
    writer.push(frame(&spec, 11, true, 1));
    assert_eq!(times(&mut late), [Some(11)]);
    assert_eq!(ring.newest().map(|frame| frame.dts), Some(11));
}

#[test]
fn readers_of_two_tracks_meet_at_a_time() {
    let (writer, ring) = ring(wide());
    let spec = spec();
    for n in 0..10 {
        writer.push(frame(&spec, n * 10, n % 4 == 0, 1));
    }
    assert_eq!(
        times(&mut ring.reader(Start::From(35))),
        [Some(40), Some(50), Some(60), Some(70), Some(80), Some(90)]
    );
    let (mut reader, mut far) = (ring.reader(Start::Oldest), ring.reader(Start::From(1000)));
    reader.skip_to(80);
    reader.skip_to(20);
    assert_eq!((times(&mut reader), times(&mut far)), (vec![Some(80), Some(90)], vec![]));
    writer.push(frame(&spec, 1000, true, 1));
    assert_eq!(times(&mut far), [Some(1000)]);
}

#[tokio::test]
async fn all_who_wait_are_woken_by_a_frame_and_by_the_end() {
    let (writer, ring) = ring(wide());
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let mut reader = ring.reader(Start::NewestKey);
            tokio::spawn(async move { (reader.next().await.is_some(), reader.next().await.is_none()) })
        })
        .collect();
    tokio::task::yield_now().await;
    writer.push(frame(&spec(), 0, true, 1));
    tokio::task::yield_now().await;
    drop(writer);
    for reader in waiting {
        assert_eq!(reader.await.unwrap(), (true, true));
    }
    let mut after = ring.reader(Start::Oldest);
    assert!(
        after.next().await.is_some() && after.next().await.is_none(),
        "what is kept can be read after the end"
    );
    assert!(ring.is_closed());
}

#[test]
fn who_lags_goes_on_at_the_newest_key_frame_and_is_told() {
    let (writer, ring) = ring(Window { time: Duration::from_millis(10), bytes: 1 << 20 });
    let spec = spec();
    writer.push(frame(&spec, 0, true, 1));
    let mut reader = ring.reader(Start::Oldest);
    assert_eq!(times(&mut reader), [Some(0)]);
    for n in 1..100 {
        writer.push(frame(&spec, n, n % 5 == 0, 1));
    }
    assert_eq!(reader.try_next(), Some(Item::Lagged { frames: 94 }));
    assert_eq!(times(&mut reader), (95..100).map(Some).collect::<Vec<_>>());
    // 85 to 99 cover the window, and groups are whole.
    assert_eq!(ring.held().frames, 15);
}

#[test]
fn the_impatient_skip_what_is_still_there() {
    let (writer, ring) = ring(wide());
    let spec = spec();
    let (mut calm, mut hasty) =
        (ring.reader(Start::Oldest), ring.reader(Start::Oldest).with_patience(Duration::from_millis(7)));
    for n in 0..8 {
        writer.push(frame(&spec, n, n % 4 == 0, 1));
    }
    assert_eq!(times(&mut hasty).len(), 8, "7 ms behind is not yet too far");
    for n in 8..20 {
        writer.push(frame(&spec, n, n % 4 == 0, 1));
    }
    assert_eq!(times(&mut hasty), [None, Some(16), Some(17), Some(18), Some(19)]);
    for n in 20..40 {
        writer.push(frame(&spec, n, false, 1));
    }
    assert_eq!(times(&mut hasty).len(), 20, "without a newer key frame it reads on");
    assert_eq!(times(&mut calm).len(), 40);
}

#[test]
fn a_group_without_an_end_stays_within_the_bytes() {
    let (writer, ring) = ring(Window { time: Duration::from_secs(1), bytes: 100 * (100 + OVERHEAD) });
    let spec = spec();
    let mut reader = ring.reader(Start::Oldest);
    writer.push(frame(&spec, 0, true, 100));
    assert!(reader.try_next().is_some());
    for n in 1..1000 {
        writer.push(frame(&spec, n, false, 100));
    }
    assert_eq!(ring.held(), Held { frames: 100, groups: 0, bytes: 100 * (100 + OVERHEAD) });
    assert_eq!(reader.try_next(), Some(Item::Lagged { frames: 999 }));
    assert_eq!(reader.try_next(), None, "there is no key frame to go on with");
    writer.push(frame(&spec, 1000, false, 100));
    writer.push(frame(&spec, 1001, true, 100));
    assert_eq!(times(&mut reader), [Some(1001)]);
}

#[test]
fn a_reader_is_a_cursor() {
    assert!(size_of::<Reader>() <= 64, "{}", size_of::<Reader>());
}

#[derive(Debug, Clone)]
enum Step {
    Push { key: bool, size: usize, wait: i64, jump: bool },
    Read { reader: usize, most: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (prop::bool::weighted(0.2), 0usize..400, 0i64..30, prop::bool::weighted(0.02))
            .prop_map(|(key, size, wait, jump)| Step::Push { key, size, wait, jump }),
        1 => (0usize..4, 1usize..20).prop_map(|(reader, most)| Step::Read { reader, most }),
    ]
}

proptest! {
    /// Whatever is written and however slowly it is read: a reader gets frames in order, without a gap that it is not told of,
    /// and goes on after a gap with a key frame; and the ring stays within its window.
    #[test]
    fn nothing_is_lost_in_silence(steps in prop::collection::vec(step(), 1..400)) {
        let window = Window { time: Duration::from_millis(200), bytes: 6_000 };
        let (writer, ring) = ring(window);
        let spec = spec();
        let mut readers: Vec<(Reader, Option<i64>, bool)> = [Start::Oldest, Start::NewestKey, Start::NextKey, Start::Oldest]
            .into_iter()
            .map(|start| (ring.reader(start), None, true))
            .collect();
        readers[3].0 = readers[3].0.clone().with_patience(Duration::from_millis(50));
        // Numbers are kept in `pts`, to be found again.
        let (mut dts, mut number) = (0, 0);
        let mut newest_key = None;
        for step in steps {
            match step {
                Step::Push { key, size, wait, jump } => {
                    dts = if jump { 0 } else { dts + wait };
                    if key { newest_key = Some(number); }
                    writer.push(Frame { pts: number, discontinuity: jump, ..frame(&spec, dts, key, size) });
                    number += 1;
                }
                Step::Read { reader, most } => {
                    let (reader, last, must_be_key) = &mut readers[reader];
                    for _ in 0..most {
                        match reader.try_next() {
                            Some(Item::Frame(frame)) => {
                                if *must_be_key {
                                    prop_assert!(frame.key);
                                } else {
                                    prop_assert_eq!(Some(frame.pts - 1), *last, "a gap in silence");
                                }
                                prop_assert!(last.is_none_or(|last| frame.pts > last), "in order");
                                (*last, *must_be_key) = (Some(frame.pts), false);
                            }
                            Some(Item::Lagged { frames }) => {
                                prop_assert!(frames > 0);
                                *must_be_key = true;
                                // It is as near to the present as it can be.
                                if let Some(Item::Frame(frame)) = reader.clone().try_next() {
                                    prop_assert_eq!(Some(frame.pts), newest_key);
                                }
                            }
                            None => break,
                        }
                    }
                }
            }
            let held = ring.held();
            prop_assert!(held.bytes <= window.bytes || held.frames == 1);
            let sum: u64 = ring.0.borrow().frames.iter().map(cost).sum();
            prop_assert_eq!(sum, held.bytes);
            let state = ring.0.borrow();
            let keys: Vec<u64> = (state.first..state.end()).filter(|n| state.get(*n).is_some_and(|f| f.key)).collect();
            prop_assert_eq!(&keys, &state.keys.iter().copied().collect::<Vec<_>>());
        }
    }
}
