//! Properties of plans.

use domain::profile::Profile;
use proptest::prelude::*;

use super::*;

mod trim;
use crate::{
    guest::sniff::Container,
    probe::{AudioInfo, Packet, VideoInfo},
};

fn info(frame_rate: (u32, u32), time_base: (u32, u32)) -> SourceInfo {
    let video = VideoInfo {
        stream: 0,
        codec: "h264".into(),
        coded_width: 1920,
        coded_height: 1080,
        display_width: 1920,
        display_height: 1080,
        rotation: 0,
        time_base,
        frame_rate,
        average_rate: frame_rate,
        variable_rate: false,
        interlaced: false,
        pixel_format: "yuv420p".into(),
        bit_depth: 8,
        hdr: false,
        color_transfer: None,
        mastering: None,
        bitrate_bps: 0,
    };
    let audio = AudioInfo {
        stream: 1,
        codec: "aac".into(),
        channels: 6,
        sample_rate: 48_000,
        time_base: (1, 48_000),
        language: Some("eng".into()),
        title: None,
        default: true,
        bitrate_bps: 0,
        start_us: None,
        told_end_us: None,
    };
    SourceInfo {
        container: Container::Mov,
        duration_us: 0,
        bitrate_bps: 0,
        video: Some(video),
        audio: vec![audio],
        sound_end_us: None,
        sound_start_us: None,
        ending: None,
        frame: None,
        told_us: 0,
        start_us: 0,
        chapters: vec![],
        title: None,
    }
}

fn index(times: &[i64], key_every: usize) -> Index {
    let packet = |(i, pts): (usize, &i64)| Packet {
        pts: Some(*pts),
        dts: Some(*pts),
        duration: 0,
        key: i % key_every == 0,
        hidden: false,
        place: Some((1000 + i as u64 * 10_000, 10_000)),
    };
    Index { packets: times.iter().enumerate().map(packet).collect() }
}

fn check(plan: &Plan, frames: u64) {
    let video = plan.video.as_ref().unwrap();
    assert_eq!(video.frames(), frames, "every frame once");
    let mut next = 0;
    let mut tick = 0;
    for chunk in &video.chunks {
        assert_eq!((chunk.first_frame, chunk.start), (next, tick), "chunks lie end to end");
        assert_eq!(chunk.ends.len(), chunk.segments.len());
        assert!(chunk.segments.iter().flatten().all(|frames| *frames > 0));
        for end in &chunk.ends {
            assert!(*end > tick, "segments last");
            tick = *end;
        }
        assert!(chunk.seek.iter().all(|s| s.key <= chunk.from_pts));
        next += chunk.frames();
    }
    assert_eq!(tick, video.end);
    for audio in &plan.audio {
        assert_eq!(audio.frames(), audio.samples.div_ceil(1024));
        let video_ms = video.end as i128 * 1000 / i128::from(video.timescale);
        let audio_ms = i128::from(audio.samples) * 1000 / i128::from(audio.sample_rate);
        assert!((video_ms - audio_ms).abs() <= 1, "{video_ms} ms of video, {audio_ms} ms of audio");
        // Cut within half an AAC frame of the picture.
        let (mut frames, mut ends) = (0_u64, video.boundaries().into_iter());
        if audio.stretches.iter().flatten().count() == video.boundaries().len() {
            for segment in audio.stretches.iter().flatten() {
                frames += u64::from(*segment);
                let cut = (frames * 1024).min(audio.samples) as f64 / f64::from(audio.sample_rate);
                let boundary = ends.next().unwrap() as f64 / f64::from(video.timescale);
                assert!((cut - boundary).abs() <= 0.0117, "{cut} s against {boundary} s");
            }
        }
    }
}

#[test]
fn ntsc_is_cut_at_exact_frames() {
    let times: Vec<i64> = (0..1800).map(|i| i * 3003).collect();
    let plan = plan(&info((30_000, 1001), (1, 90_000)), &index(&times, 250), &Profile::default()).unwrap();
    check(&plan, 1800);
    let longest = plan.longest_segment_ms();
    let video = plan.video.unwrap();
    assert_eq!((video.timescale, video.times), (30_000, Times::Constant(1001)));
    assert_eq!(video.chunks[0].segments, vec![vec![60, 60]; 3]);
    assert_eq!(longest, 4011, "188 AAC frames are longer than 120 pictures");
    assert_eq!(video.chunks[1].segments.len(), 8);
    assert_eq!(video.chunks[1].seek[0], Seek { key: 250 * 3003, next: Some(500 * 3003) });
    assert!(video.chunks[0].seek.is_empty());
    assert_eq!(
        video.rungs.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(),
        ["v1080p", "v720p", "v480p", "v360p"]
    );
    assert_eq!(video.rungs[0].level, 40);
    assert_eq!(plan.audio[0].channels, 2);
    assert_eq!(plan.audio[0].label, "English");
}

#[test]
fn a_short_tail_joins_the_segment_before() {
    let times: Vec<i64> = (0..110).map(|i| i * 40).collect();
    let plan = plan(&info((25, 1), (1, 1000)), &index(&times, 12), &Profile::default()).unwrap();
    check(&plan, 110);
    assert_eq!(plan.video.unwrap().chunks[0].segments, [[50, 50, 10]]);
}

#[test]
fn doubtful_time_stamps_are_resampled_in_one_piece() {
    let mut index = index(&(0..1000).map(|i| i * 40).collect::<Vec<_>>(), 12);
    index.packets[500].pts = None;
    let plan = plan(&info((25, 1), (1, 1000)), &index, &Profile::default()).unwrap();
    check(&plan, 1000);
    let video = plan.video.unwrap();
    assert_eq!((video.mode, video.chunks.len(), video.chunks[0].segments.len()), (Mode::Sequential, 1, 10));
}

#[test]
fn the_last_picture_stays_while_sound_goes_on() {
    let even: Vec<i64> = (0..100).map(|i| i * 40).collect();
    let uneven: Vec<i64> = (0..100).map(|i| i * 40 + i % 3).collect();
    for (times, sound_ms) in [(&even[..], 60_000), (&uneven, 60_000), (&even[..1], 60_000), (&even, 4_999)] {
        let mut info = info((25, 1), (1, 1000));
        info.sound_end_us = Some(sound_ms * 1000);
        let index = index(times, 12);
        let plan = plan(&info, &index, &Profile::default()).unwrap();
        let video = plan.video.as_ref().unwrap();
        if sound_ms < 5000 {
            assert_eq!((video.held, plan.duration_ms), (None, 4000), "under a second is let go");
            continue;
        }
        assert!((60_000..60_100).contains(&plan.duration_ms), "{}", plan.duration_ms);
        check(&plan, video.frames());
        let held = video.held.unwrap();
        assert_eq!((held.pictures, held.pictures + held.frames), (times.len() as u64, video.frames()));
        let last = *times.last().unwrap();
        assert!(video.chunks.iter().all(|chunk| chunk.from_pts <= last && chunk.to_pts <= last));
        assert!(plan.longest_segment_ms() < 4200);
        if video.times == Times::Listed {
            assert_eq!(listed_times(video, &index).len() as u64, video.frames());
        }
    }
}

#[test]
fn sound_alone_gets_segments_of_its_own() {
    let mut info = info((25, 1), (1, 1000));
    info.video = None;
    info.duration_us = 60_500_000;
    let plan = plan(&info, &index(&[0, 1024], 1), &Profile::default()).unwrap();
    assert_eq!(plan.duration_ms, 60_500);
    let audio = &plan.audio[0];
    assert_eq!(audio.stretches.iter().map(Vec::len).collect::<Vec<_>>(), [3, 8, 4]);
    assert_eq!(audio.samples, 2_904_000);
    assert_eq!(audio.frames(), audio.samples.div_ceil(1024));
}

#[test]
fn a_plan_survives_storage() {
    let times: Vec<i64> = (0..300).map(|i| i * 40 + i % 3).collect();
    let plan = plan(&info((25, 1), (1, 1000)), &index(&times, 12), &Profile::default()).unwrap();
    check(&plan, 300);
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
}

proptest! {
    #[test]
    fn any_constant_rate_is_covered_once(
        frames in 1_usize..4000,
        rate in prop::sample::select(vec![(24_000, 1001), (24, 1), (25, 1), (30_000, 1001), (50, 1), (60_000, 1001), (1, 2), (5, 1), (240, 1)]),
        first in -1000_i64..100_000,
        key_every in 1_usize..400,
    ) {
        let step = 90_000.0 * f64::from(rate.1) / f64::from(rate.0);
        let times: Vec<i64> = (0..frames).map(|i| first + (i as f64 * step).round() as i64).collect();
        let plan = plan(&info(rate, (1, 90_000)), &index(&times, key_every), &Profile::default()).unwrap();
        prop_assert!(frames < 3 || matches!(plan.video.as_ref().unwrap().times, Times::Constant(_)));
        check(&plan, frames as u64);
    }

    #[test]
    fn any_uneven_rate_is_covered_once(gaps in prop::collection::vec(1_i64..20_000, 1..2000), key_every in 1_usize..100) {
        let times: Vec<i64> = gaps.iter().scan(500, |t, gap| { *t += gap; Some(*t) }).collect();
        let plan = plan(&info((30, 1), (1, 10_000)), &index(&times, key_every), &Profile::default()).unwrap();
        check(&plan, times.len() as u64);
    }
}
