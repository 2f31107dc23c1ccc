//! Plans of films whose packets have any times, lengths and order: whatever is planned can be carried out.
#![no_main]

#[allow(dead_code, unused_imports, reason = "a part of the crate's modules")]
#[path = "support/vod.rs"]
mod vod;
use vod::{guest, plan, probe};

use domain::profile::{AudioCodec, Effort, Profile, Video, VideoCodec};
use guest::sniff::Container;
use libfuzzer_sys::fuzz_target;
use plan::{Plan, Times};
use probe::{AudioInfo, Index, Packet, SourceInfo, VideoInfo};

/// Numbers taken from the front of the input; zeros when it is used up.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        let n = N.min(self.0.len());
        out[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        out
    }

    fn fraction(&mut self) -> (u32, u32) {
        const USUAL: [(u32, u32); 8] =
            [(1, 90_000), (1, 1000), (1, 25), (1001, 30_000), (1, 12_800), (25, 1), (30_000, 1001), (1, 1)];
        match self.take::<1>()[0] {
            n @ 0..8 => USUAL[usize::from(n)],
            _ => {
                let fits = |bytes| (u32::from_le_bytes(bytes) & i32::MAX as u32).max(1);
                (fits(self.take()), fits(self.take()))
            }
        }
    }
}

fn info(from: &mut Bytes<'_>) -> SourceInfo {
    const CONTAINERS: [Container; 6] = [
        Container::Mov,
        Container::Matroska,
        Container::MpegTs,
        Container::Avi,
        Container::MpegPs,
        Container::Flv,
    ];
    let [container, flags, w, h] = from.take::<4>();
    let time_base = from.fraction();
    let video = VideoInfo {
        stream: 0,
        codec: "h264".into(),
        coded_width: 64,
        coded_height: 48,
        display_width: u32::from(w).pow(2).max(1),
        display_height: u32::from(h).pow(2).max(1),
        rotation: 0,
        time_base,
        frame_rate: from.fraction(),
        average_rate: from.fraction(),
        variable_rate: false,
        interlaced: flags & 1 > 0,
        pixel_format: "yuv420p".into(),
        bit_depth: 8,
        hdr: flags & 64 > 0,
        color_transfer: None,
        mastering: None,
        bitrate_bps: 0,
    };
    let sound = |from: &mut Bytes<'_>, on: bool| on.then(|| i64::from(i32::from_le_bytes(from.take())) * 16);
    let audio = AudioInfo {
        stream: 1,
        codec: if flags & 128 > 0 { "eac3" } else { "aac" }.into(),
        channels: 2,
        sample_rate: if flags & 2 > 0 { 48_000 } else { 44_100 },
        time_base: (1, 48_000),
        language: None,
        title: None,
        default: false,
        bitrate_bps: 0,
        start_us: sound(from, flags & 128 > 0),
        told_end_us: None,
    };
    SourceInfo {
        container: CONTAINERS[usize::from(container) % CONTAINERS.len()],
        duration_us: 0,
        bitrate_bps: 0,
        video: (flags & 4 == 0).then_some(video),
        audio: vec![audio],
        sound_end_us: sound(from, flags & 8 > 0),
        sound_start_us: sound(from, flags & 16 > 0),
        ending: None,
        frame: None,
        told_us: 0,
        start_us: sound(from, flags & 32 > 0).unwrap_or(0),
        chapters: Vec::new(),
        title: None,
    }
}

fn index(from: &mut Bytes<'_>) -> Index {
    let mut index = Index::default();
    let (mut time, mut step) = (0_i64, 40_i64);
    while !from.0.is_empty() && index.packets.len() < 2000 {
        let [kind, duration] = from.take::<2>();
        match kind & 3 {
            0 => {}
            1 => step = i64::from(i16::from_le_bytes(from.take())),
            2 => step = i64::from(i32::from_le_bytes(from.take())),
            _ => time = i64::from_le_bytes(from.take()) >> (kind >> 6) * 12,
        }
        time = time.saturating_add(step).clamp(-(1 << 60), 1 << 60);
        let told = |hidden: u8| (kind & hidden == 0).then_some(time);
        index.packets.push(Packet {
            pts: told(0x40),
            dts: told(0x80),
            duration: u32::from(duration),
            key: kind & 0x10 == 0,
            hidden: kind & 0x20 > 0 && kind & 0x08 > 0,
            place: (kind & 0x04 == 0).then_some((u64::from(duration) << (kind >> 2 & 0x30), u32::from(kind))),
        });
    }
    index
}

/// What encoding, storing and playing rely on.
fn check(plan: &Plan, index: &Index) {
    if let Some(video) = &plan.video {
        let ends = video.boundaries();
        assert!(ends.windows(2).all(|pair| pair[0] < pair[1]), "segments that last nothing");
        assert_eq!(ends.last(), Some(&video.end));
        let listed = plan::listed_times(video, index);
        let mut times = Vec::new();
        for chunk in &video.chunks {
            let own = plan::chunk_times(video, chunk, &listed).expect("times of all frames");
            assert_eq!((own.len() as u64, own[0]), (chunk.frames(), chunk.start));
            assert!(own.last().is_some_and(|last| *last < chunk.end()));
            assert_eq!(chunk.ends.len(), chunk.segments.len());
            assert!(chunk.from_pts <= chunk.to_pts || video.times != Times::Listed);
            times.extend(own);
        }
        assert!(times.is_sorted_by(|a, b| a < b), "two pictures at one time");
        assert_eq!(times.len() as u64, video.frames());
        assert!(!video.rungs.is_empty() && video.timescale > 0);
        for chunk in &video.chunks {
            assert!(chunk.reach.iter().all(|(from, to)| from <= to) && chunk.reach.is_sorted());
        }
        let codecs = video.codecs();
        assert_eq!(codecs.iter().map(|codec| video.only(*codec).rungs.len()).sum::<usize>(), video.rungs.len());
    }
    for audio in &plan.audio {
        assert_eq!(audio.frames(), audio.samples.div_ceil(audio.frame()));
        assert!(audio.stretches.iter().flatten().all(|frames| *frames > 0));
    }
    let json = serde_json::to_string(plan).expect("it can be stored");
    assert_eq!(&serde_json::from_str::<Plan>(&json).expect("and read"), plan);
    plan.longest_segment_ms();
}

fuzz_target!(|data: &[u8]| {
    let mut from = Bytes(data);
    let mut info = info(&mut from);
    let mut index = index(&mut from);
    if data.len() % 2 == 1 {
        index.drop_torn_end();
    }
    probe::settle(&mut info, &index);
    // Limits of the probe, here an hour, or plans would be long.
    let hour = 3_600_000_000;
    let near = |time: &Option<i64>| time.is_none_or(|us| us.abs() < hour);
    if !(1000..hour).contains(&info.duration_us) || !near(&info.sound_end_us) || !near(&info.sound_start_us) {
        return;
    }
    let span = index.span().zip(info.main_time_base());
    let at = |(ticks, (num, den)): (i64, (u32, u32))| i128::from(ticks) * i128::from(num) * 1_000_000 / i128::from(den);
    if span.is_some_and(|((start, end), base)| at((start, base)).abs() > i128::from(hour) || at((end, base)).abs() > i128::from(hour)) {
        return;
    }
    let mut profile = Profile { keep_dolby: true, ..Profile::default() };
    profile.video.extend([VideoCodec::Hevc, VideoCodec::Vp9, VideoCodec::Av1].map(|codec| Video {
        codec,
        effort: Effort::Fast,
        crf: None,
        from_height: None,
    }));
    profile.audio.push(AudioCodec::Opus);
    if let Ok(plan) = plan::plan(&info, &index, &profile) {
        check(&plan, &index);
    }
});
