//! Which encoder is given what. Pure: no such device is needed to test it.

use domain::profile::{Profile, VideoCodec};

use super::{Backend, Encoder};
use crate::{
    plan::{RungPlan, Times, VideoPlan},
    worker::About,
};

/// What is to be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Task {
    pub codec: VideoCodec,
    /// The plan lets hardware do it.
    pub allowed: bool,
    pub ten_bits: bool,
    /// The display that the pictures were graded on must be told, which not all device drivers do.
    pub mastering: bool,
    /// Pictures come at equal distances.
    pub even: bool,
    pub width: u32,
    pub height: u32,
}

impl Task {
    pub fn of(plan: &VideoPlan, rung: &RungPlan) -> Self {
        Self {
            codec: rung.codec,
            allowed: plan.hardware.contains(&rung.codec),
            ten_bits: rung.hdr,
            mastering: rung.hdr && plan.mastering.is_some(),
            even: matches!(plan.times, Times::Constant(_)),
            width: rung.width,
            height: rung.height,
        }
    }
}

/// Smallest and largest sides that all generations of such devices take.
fn sides(codec: VideoCodec) -> (u32, u32) {
    match codec {
        VideoCodec::H264 => (146, 4096),
        VideoCodec::Hevc | VideoCodec::Vp9 => (146, 8192),
        VideoCodec::Av1 => (192, 8192),
    }
}

/// The encoder of `backend` for a task; `None`: software.
pub(super) fn choose<'a>(found: &'a [Encoder], backend: Backend, task: &Task) -> Option<&'a Encoder> {
    let (least, most) = sides(task.codec);
    let (short, long) = (task.width.min(task.height), task.width.max(task.height));
    let fits = short >= least && long <= most;
    if !task.allowed || task.mastering || !task.even || !fits {
        return None;
    }
    let does =
        |one: &&Encoder| one.backend == backend && one.codec == task.codec && one.ten_bits == task.ten_bits;
    found.iter().find(does)
}

/// The codecs of `profile` that the plan of a title may leave to hardware, by what the workers that are there tell.
///
/// Chunks in H.264 may come from any mixture of encoders, since each brings its parameter sets. Tracks that are added later
/// need one kind of encoder from end to end: only when every worker that can take their chunks has the same is it worth the try.
pub fn planned(profile: &Profile, workers: &[About]) -> Vec<VideoCodec> {
    let has = |about: &About, codec: VideoCodec| {
        let mut own: Vec<Backend> = about
            .encoders
            .iter()
            .filter_map(|word| Encoder::parse(word))
            .filter(|(of, _, ten_bits)| *of == codec && !ten_bits)
            .map(|(_, backend, _)| backend)
            .collect();
        own.sort_unstable();
        own.dedup();
        own
    };
    let wanted = profile.video.iter().map(|video| video.codec);
    let may = |codec: &VideoCodec| {
        let takers = workers.iter().filter(|about| about.codecs.iter().any(|word| word == codec.word()));
        let mut kinds = takers.map(|about| has(about, *codec));
        match codec {
            VideoCodec::H264 => kinds.any(|own| !own.is_empty()),
            _ => kinds.next().is_some_and(|first| first.len() == 1 && kinds.all(|own| own == first)),
        }
    };
    wanted.filter(may).collect()
}

#[cfg(test)]
mod tests {
    use domain::profile::{Effort, Video};

    use super::*;

    fn encoder(backend: Backend, codec: VideoCodec, ten_bits: bool) -> Encoder {
        Encoder { backend, codec, ten_bits, node: None }
    }

    #[test]
    fn each_task_finds_the_encoder_that_can_do_it() {
        use Backend::{Nvenc, Qsv, Vaapi};
        use VideoCodec::{Av1, H264, Hevc, Vp9};
        let found = [
            encoder(Nvenc, H264, false),
            encoder(Nvenc, Hevc, false),
            encoder(Nvenc, Hevc, true),
            encoder(Vaapi, H264, false),
            encoder(Vaapi, Av1, false),
        ];
        let task = Task {
            codec: H264,
            allowed: true,
            ten_bits: false,
            mastering: false,
            even: true,
            width: 1920,
            height: 1080,
        };
        let hdr = Task { codec: Hevc, ten_bits: true, ..task };
        let small = Task { width: 256, height: 144, ..task };
        let table = [
            (Nvenc, task, Some(0)),
            (Vaapi, task, Some(3)),
            (Qsv, task, None),
            (Nvenc, Task { allowed: false, ..task }, None),
            (Nvenc, Task { even: false, ..task }, None),
            (Nvenc, Task { codec: Hevc, ..task }, Some(1)),
            (Nvenc, hdr, Some(2)),
            (Nvenc, Task { mastering: true, ..hdr }, None),
            (Vaapi, hdr, None),
            (Vaapi, Task { codec: Av1, ..task }, Some(4)),
            (Vaapi, Task { codec: Av1, ten_bits: true, ..task }, None),
            (Nvenc, Task { codec: Av1, ..task }, None),
            (Nvenc, Task { codec: Vp9, ..task }, None),
            (Nvenc, small, None),
            (Nvenc, Task { width: 144, height: 256, ..task }, None),
            (Nvenc, Task { width: 1080, height: 1920, ..task }, Some(0)),
            (Nvenc, Task { width: 7680, height: 4320, ..task }, None),
            (Nvenc, Task { codec: Hevc, width: 7680, height: 4320, ..task }, Some(1)),
        ];
        for (backend, task, wanted) in table {
            assert_eq!(
                choose(&found, backend, &task),
                wanted.map(|n: usize| &found[n]),
                "{backend:?} {task:?}"
            );
        }
        assert_eq!(choose(&[], Nvenc, &task), None);
    }

    #[test]
    fn what_is_added_to_titles_is_left_to_hardware_that_all_have() {
        use VideoCodec::{Av1, H264, Hevc};
        let mut profile = Profile::default();
        let video = |codec| Video { codec, effort: Effort::Fast, crf: None, from_height: None };
        profile.video.extend([video(Hevc), video(Av1)]);
        let worker = |codecs: &[&str], encoders: &[&str]| About {
            codecs: codecs.iter().map(|word| (*word).to_owned()).collect(),
            encoders: encoders.iter().map(|word| (*word).to_owned()).collect(),
            ..About::default()
        };
        let all = ["h264", "hevc", "av1"];
        let nvidia = || worker(&all, &["h264_nvenc", "hevc_nvenc", "hevc_nvenc:10"]);
        let plain = || worker(&all, &[]);
        let h264 = || worker(&["h264"], &["h264_qsv"]);
        let table = [
            (vec![], vec![]),
            (vec![plain()], vec![]),
            (vec![nvidia()], vec![H264, Hevc]),
            (vec![nvidia(), nvidia()], vec![H264, Hevc]),
            (vec![nvidia(), plain()], vec![H264]),
            (vec![plain(), nvidia()], vec![H264]),
            (vec![nvidia(), h264()], vec![H264, Hevc]),
            (vec![nvidia(), worker(&all, &["hevc_vaapi"])], vec![H264]),
            (vec![worker(&all, &["hevc_vaapi", "hevc_nvenc"])], vec![]),
            (vec![worker(&all, &["hevc_nvenc:10", "x"])], vec![]),
        ];
        for (workers, wanted) in table {
            assert_eq!(planned(&profile, &workers), wanted, "{workers:?}");
        }
        assert_eq!(planned(&Profile::default(), &[nvidia()]), [H264]);
    }
}
