//! Properties of the reader and writer: what is written is read back, and no bytes make the readers panic.

#![allow(clippy::unwrap_used, reason = "a test, helpers included")]

use bytes::Bytes;
use media::{
    cmaf::{self, Kind, Media, TrackSpec},
    codec::{Format, Hdr, Picture, Sound, avc},
    descriptor::Descriptor,
    iframe,
    mp4::{AudioConfig, FragmentReader, Header, Item, Limits, Sample},
};
use proptest::prelude::*;

/// Sample entries, and the beginnings of their configurations.
const CONFIGS: [(&[u8; 4], &[u8]); 7] = [
    (
        b"hvc1",
        &[
            1, 2, 0x20, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 0x1e, 0xf0, 0, 0xfc, 0xfd, 0xfa, 0xfa, 0, 0, 15, 1,
            0xa1, 0, 1, 0, 60, 0x42, 1,
        ],
    ),
    (b"vp09", &[1, 0, 0, 0, 2, 10, 0xa2, 9, 16, 9, 0, 0]),
    (b"av01", &[0x81, 0, 0x4c, 0, 10, 13, 0, 0, 0, 3, 0xb5, 0xfe, 0xb0, 11, 0xe1, 0x42, 0x44, 2, 0x41]),
    (b"Opus", &[0, 2, 1, 0x38, 0, 0, 0xbb, 0x80, 0, 0, 0]),
    (b"ac-3", &[0x10, 0x3d, 0x40]),
    (b"ec-3", &[0x0c, 0, 0x20, 0x0f, 0, 1, 16]),
    (b"avc1", &[1, 100, 0, 31, 0xff, 0xe1, 0, 9, 0x67]),
];

const SMALL: Limits = Limits { moov: 1 << 16, moof: 1 << 16, mdat: 1 << 16 };

/// All samples, or the first error.
fn read(bytes: &[u8], piece: usize) -> Result<Vec<Sample>, media::Error> {
    let mut reader = FragmentReader::new(SMALL);
    let mut samples = Vec::new();
    for part in bytes.chunks(piece) {
        reader.feed(part);
        while let Some(item) = reader.next()? {
            if let Item::Fragment(f) = item {
                samples.extend(f.samples);
            }
        }
    }
    reader.finish()?;
    Ok(samples)
}

fn header() -> Vec<u8> {
    let config = AudioConfig::from_specific(&[0x11, 0x90]).unwrap();
    let spec = TrackSpec {
        timescale: 48_000,
        language: Some("deu".into()),
        media: Media::Audio(Sound::Mpeg(config)),
    };
    cmaf::init_segment(&spec).unwrap()
}

fn sample() -> impl Strategy<Value = Sample> {
    let data = prop::collection::vec(any::<u8>(), 0..40);
    (0u32..5000, 0i32..3, any::<bool>(), data).prop_map(|(duration, cts, is_sync, data)| Sample {
        dts: 0,
        cts_offset: cts * 1000,
        duration,
        is_sync,
        data: data.into(),
    })
}

/// Samples with the decode times that their durations say.
fn run() -> impl Strategy<Value = (u64, Vec<Sample>)> {
    (0..u64::from(u32::MAX) * 2, prop::collection::vec(sample(), 1..60)).prop_map(|(base, mut samples)| {
        let mut dts = base;
        for s in &mut samples {
            s.dts = dts;
            dts += u64::from(s.duration);
        }
        (base, samples)
    })
}

fn written(base: u64, samples: &[Sample], kind: Kind) -> (cmaf::Segment, Bytes) {
    let segment = cmaf::segment(7, base, samples, kind).unwrap();
    let mut bytes = Vec::new();
    segment.write_to(&mut bytes);
    (segment, bytes.into())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_segment_is_read_back((base, samples) in run(), piece in 1usize..200) {
        let (segment, bytes) = written(base, &samples, Kind::Video { delay: 0 });
        prop_assert_eq!(segment.size(), bytes.len() as u64);
        let whole = [&header()[..], &bytes].concat();
        prop_assert_eq!(read(&whole, piece), Ok(samples.clone()));

        let sync: Vec<&Sample> = samples.iter().filter(|s| s.is_sync).collect();
        prop_assert_eq!(segment.index.sync.len(), sync.len());
        for (k, sample) in sync.iter().enumerate() {
            // Random samples may be out of order, which a single picture's duration cannot say.
            if let Ok((head, picture)) = iframe::build(&bytes, k, 1) {
                prop_assert_eq!(&picture, &sample.data);
                prop_assert!(head.len() as u32 <= iframe::HEAD);
                let alone = read(&[&header()[..], &head, &picture].concat(), 1000).unwrap();
                prop_assert_eq!((alone.len(), alone[0].pts(), alone[0].is_sync), (1, sample.pts(), true));
            }
        }
    }

    #[test]
    fn mutated_files_never_panic(
        (base, samples) in run(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        end in any::<prop::sample::Index>(),
        piece in 1usize..300,
    ) {
        let (_, bytes) = written(base, &samples, Kind::Video { delay: 3 });
        let mut whole = [&header()[..], &bytes, &bytes].concat();
        for (at, value) in &changes {
            let at = at.index(whole.len());
            whole[at] = *value;
        }
        whole.truncate(end.index(whole.len()) + 1);
        let _ = read(&whole, piece);
        let _ = Header::parse_file(&whole);
        for k in 0..3 {
            let _ = iframe::build(&Bytes::copy_from_slice(&whole[header().len().min(whole.len())..]), k, 1);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), piece in 1usize..100) {
        let _ = read(&bytes, piece);
        let _ = Header::parse(&bytes);
        let _ = iframe::build(&Bytes::from(bytes.clone()), 0, 1);
        let _ = avc::Config::parse(&bytes).map(|c| c.sps());
        let _ = avc::Sps::parse(&bytes);
        let _ = AudioConfig::from_esds(&bytes);
        let _ = AudioConfig::from_specific(&bytes);
        let _ = serde_json::from_slice::<Descriptor>(&bytes);
    }

    #[test]
    fn configurations_of_any_content_never_panic(
        config in 0..CONFIGS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        more in prop::collection::vec(any::<u8>(), 0..80),
        end in any::<prop::sample::Index>(),
    ) {
        let (entry, body) = CONFIGS[config];
        let mut body = [body, &more].concat();
        for (at, value) in &changes {
            let at = at.index(body.len());
            body[at] = *value;
        }
        body.truncate(end.index(body.len()) + 1);
        let sample = Bytes::from(more);
        if let Some(format) = Format::of(*entry) {
            if let Ok(facts) = format.facts("x", &body) {
                prop_assert!(!facts.codec.is_empty());
            }
            let picture = Picture {
                format, config: body.into(), width: 1, height: 1, aspect: None, colour: None, hdr: Hdr::default(),
                in_band: sample.len() % 2 == 1,
            };
            let mut spec = TrackSpec { timescale: 1, language: None, media: Media::Video { picture, delay: 0 } };
            let _ = (spec.learn(&sample), spec.stored(&sample, true), cmaf::init_segment(&spec), spec.takes(&spec));
            let _ = spec.with_sets_in_band().map(|spec| cmaf::init_segment(&spec));
        } else if let Ok(Some(sound)) = Sound::parse(*entry, &body) {
            let mut spec = TrackSpec { timescale: 48_000, language: None, media: Media::Audio(sound.clone()) };
            let init = cmaf::init_segment(&spec).unwrap();
            let again = TrackSpec::from_header(&Header::parse_file(&init).unwrap().tracks[0], 0).unwrap();
            prop_assert_eq!(&again.media, &Media::Audio(sound));
            let _ = spec.learn(&sample);
        }
    }

    #[test]
    fn parameter_sets_of_any_content_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = avc::Sps::parse(&[&[0x67, 100, 0, 31], &bytes[..]].concat());
    }
}

#[test]
fn a_claim_of_many_samples_costs_no_memory() {
    let (_, bytes) = written(
        0,
        &[Sample { dts: 0, cts_offset: 0, duration: 1, is_sync: true, data: Bytes::new() }],
        Kind::Audio,
    );
    let mut bytes = bytes.to_vec();
    let trun = bytes.windows(4).position(|w| w == b"trun").unwrap();
    bytes[trun + 8..trun + 12].copy_from_slice(&u32::MAX.to_be_bytes());
    assert_eq!(read(&bytes, 1000), Err(media::Error::TooLarge("the number of samples", 1 << 16)));
    let huge = [&[0xff, 0xff, 0xff, 0xff][..], b"moof", &[0; 100]].concat();
    assert_eq!(read(&huge, 1000), Err(media::Error::TooLarge("a box", 1 << 16)));
}

#[test]
fn a_stream_that_ends_early_is_told() {
    let samples =
        [Sample { dts: 0, cts_offset: 0, duration: 1, is_sync: true, data: Bytes::from_static(b"abc") }];
    let (_, bytes) = written(0, &samples, Kind::Audio);
    let whole = [&header()[..], &bytes].concat();
    for end in header().len() + 1..whole.len() {
        assert_eq!(read(&whole[..end], 50), Err(media::Error::Truncated("the stream")), "{end}");
    }
}
