//! ffmpeg's arguments for encoders in hardware, and what else they ask for.

use std::time::Duration;

use domain::profile::{Effort, VideoCodec};

use super::command::words;
use crate::{
    hardware::{Backend, Breaks, Encoder, Hardware, Mood, StandIn},
    plan::{RungPlan, VideoPlan},
};

/// What encodes the rungs of a chunk: devices where there are any, software otherwise.
#[derive(Debug, Clone, Default)]
pub(crate) struct Means<'a> {
    /// By rung; empty: software does all.
    devices: Vec<Option<&'a Encoder>>,
    stand_in: Option<&'a StandIn>,
}

impl<'a> Means<'a> {
    /// What can be used now; `None` when that is software alone.
    pub fn of(hardware: &'a Hardware, plan: &VideoPlan) -> Option<Self> {
        let devices = hardware.choose(plan)?;
        Some(Self { devices, stand_in: hardware.stand_in.as_ref() })
    }

    /// One encoder, to be tried.
    pub fn one(encoder: &'a Encoder, stand_in: Option<&'a StandIn>) -> Self {
        Self { devices: vec![Some(encoder)], stand_in }
    }

    pub fn device(&self, rung: usize) -> Option<&'a Encoder> {
        self.devices.get(rung).copied().flatten()
    }

    /// All devices of a chunk are of one kind.
    pub fn encoder(&self) -> Option<&'a Encoder> {
        self.devices.iter().flatten().next().copied()
    }

    pub fn backend(&self) -> Option<Backend> {
        self.encoder().map(|encoder| encoder.backend)
    }

    /// For metrics and records: `nvenc`, `software`.
    pub fn word(&self) -> &'static str {
        self.backend().map_or("software", Backend::word)
    }

    /// How long a chunk of so many seconds may take. A device that hangs must not keep its title for as long as the slowest
    /// software might take.
    pub fn patience(&self, most: Duration, seconds: u64) -> Duration {
        match self.encoder() {
            Some(_) => most.min(Duration::from_secs(seconds.saturating_mul(30).saturating_add(300))),
            None => most,
        }
    }

    /// A job begins.
    pub fn begin(&self) {
        if let (Some(stand_in), Some(_)) = (self.stand_in, self.backend()) {
            stand_in.used();
        }
    }

    fn posing(&self) -> Option<(&'a StandIn, Mood)> {
        self.stand_in.map(|one| (one, one.mood())).filter(|(_, mood)| *mood != Mood::Broken(Breaks::Dead))
    }

    /// Arguments before the input: the device to be opened.
    pub fn opening(&self) -> Vec<String> {
        let Some(encoder) = self.encoder().filter(|_| self.posing().is_none()) else { return Vec::new() };
        let node = encoder.node.as_ref().map(|node| node.display().to_string()).unwrap_or_default();
        match encoder.backend {
            Backend::Nvenc => Vec::new(),
            Backend::Qsv => {
                let device = [format!("vaapi=va:{node}"), "qsv=qs@va".to_owned()];
                device.into_iter().flat_map(|one| ["-init_hw_device".to_owned(), one]).collect()
            }
            Backend::Vaapi => vec!["-vaapi_device".to_owned(), node],
        }
    }

    /// The end of a rung's filters: pictures as its encoder takes them.
    pub fn format(&self, rung: usize, hdr: bool) -> &'static str {
        let device = self.device(rung).filter(|_| self.posing().is_none());
        match (device.map(|one| one.backend), hdr) {
            (None, false) | (Some(Backend::Nvenc), false) => "format=yuv420p",
            (None, true) => "format=yuv420p10le",
            (Some(Backend::Nvenc | Backend::Qsv), true) => "format=p010le",
            (Some(Backend::Qsv), false) => "format=nv12",
            (Some(Backend::Vaapi), true) => "format=p010le,hwupload",
            (Some(Backend::Vaapi), false) => "format=nv12,hwupload",
        }
    }

    /// From `-c:v` on, for a rung that a device encodes: all but the places of key frames.
    pub(super) fn arguments(&self, encoder: &Encoder, rung: &RungPlan) -> Vec<String> {
        match self.posing() {
            Some((stand_in, _)) => stand_in.arguments(rung.codec, rung.crf),
            None => of_device(encoder, rung),
        }
    }

    /// Frames between key frames, where `planned` are.
    pub(super) fn distance(&self, planned: u64) -> u64 {
        match self.posing() {
            Some((_, Mood::Broken(_))) => planned.saturating_sub(1).max(1),
            _ => planned,
        }
    }
}

fn of_device(encoder: &Encoder, rung: &RungPlan) -> Vec<String> {
    let mut args = vec!["-c:v".to_owned(), encoder.name()];
    args.extend(match encoder.backend {
        Backend::Nvenc => nvenc(rung),
        Backend::Qsv => qsv(rung),
        Backend::Vaapi => words(&["-rc_mode", "VBR", "-b_depth", "1", "-idr_interval", "0"]),
    });
    if encoder.backend != Backend::Nvenc {
        // Constrained quality is not to be had everywhere: an average below the cap.
        args.extend(["-b:v".to_owned(), (rung.max_bps / 100 * 80).to_string()]);
    }
    args.extend(["-maxrate".to_owned(), rung.max_bps.to_string()]);
    args.extend(["-bufsize".to_owned(), rung.buffer_bits.to_string()]);
    match rung.codec {
        VideoCodec::H264 => {
            args.extend(words(&["-profile:v", "high"]));
            args.extend(["-level:v".to_owned(), rung.level.to_string()]);
        }
        VideoCodec::Hevc => {
            args.extend(words(&["-profile:v", if rung.hdr { "main10" } else { "main" }, "-tag:v", "hvc1"]));
        }
        VideoCodec::Vp9 | VideoCodec::Av1 => {}
    }
    // Two pictures between references and none of these a reference itself: never later than the plan's delay.
    if matches!(rung.codec, VideoCodec::H264 | VideoCodec::Hevc) {
        args.extend(words(&["-bf", "2"]));
    }
    args.extend(words(&["-flags", "+cgop"]));
    args
}

fn nvenc(rung: &RungPlan) -> Vec<String> {
    let preset = match rung.effort {
        Effort::Fast => "p4",
        Effort::Balanced => "p5",
        Effort::Thorough => "p7",
    };
    let mut args = words(&["-preset", preset, "-tune", "hq", "-rc", "vbr", "-b:v", "0"]);
    args.extend(["-cq".to_owned(), rung.crf.to_string()]);
    args.extend(words(&["-no-scenecut", "1", "-forced-idr", "1", "-strict_gop", "1"]));
    if rung.codec != VideoCodec::Av1 {
        args.extend(words(&["-b_ref_mode", "disabled"]));
    }
    args
}

fn qsv(rung: &RungPlan) -> Vec<String> {
    let preset = match rung.effort {
        Effort::Fast => "faster",
        Effort::Balanced => "medium",
        Effort::Thorough => "slower",
    };
    let mut args = words(&["-preset", preset]);
    match rung.codec {
        // Every key frame closes the past: told in other numbers for each codec.
        VideoCodec::H264 => {
            args.extend(words(&["-idr_interval", "0", "-forced_idr", "1", "-look_ahead", "0"]))
        }
        VideoCodec::Hevc => args.extend(words(&["-idr_interval", "1", "-forced_idr", "1"])),
        VideoCodec::Vp9 | VideoCodec::Av1 => {}
    }
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rung(codec: VideoCodec, hdr: bool) -> RungPlan {
        RungPlan {
            id: "v720p".into(),
            label: "720p".into(),
            width: 1280,
            height: 720,
            max_bps: 3_000_000,
            buffer_bits: 6_000_000,
            crf: 23,
            level: 31,
            codec,
            effort: Effort::Fast,
            hdr,
        }
    }

    #[test]
    fn each_interface_is_spoken_to_in_its_own_words() {
        let table = [
            (
                Backend::Nvenc,
                VideoCodec::H264,
                false,
                "| -c:v h264_nvenc -preset p4 -tune hq -rc vbr -b:v 0 -cq 23 -no-scenecut 1 -forced-idr 1 -strict_gop 1 \
                 -b_ref_mode disabled -maxrate 3000000 -bufsize 6000000 -profile:v high -level:v 31 -bf 2 -flags +cgop | \
                 format=yuv420p",
            ),
            (
                Backend::Nvenc,
                VideoCodec::Hevc,
                true,
                "| -c:v hevc_nvenc -preset p4 -tune hq -rc vbr -b:v 0 -cq 23 -no-scenecut 1 -forced-idr 1 -strict_gop 1 \
                 -b_ref_mode disabled -maxrate 3000000 -bufsize 6000000 -profile:v main10 -tag:v hvc1 -bf 2 -flags +cgop | \
                 format=p010le",
            ),
            (
                Backend::Qsv,
                VideoCodec::H264,
                false,
                "-init_hw_device vaapi=va:/dev/dri/renderD128 -init_hw_device qsv=qs@va | -c:v h264_qsv -preset faster \
                 -idr_interval 0 -forced_idr 1 -look_ahead 0 -b:v 2400000 -maxrate 3000000 -bufsize 6000000 -profile:v high \
                 -level:v 31 -bf 2 -flags +cgop | format=nv12",
            ),
            (
                Backend::Vaapi,
                VideoCodec::Av1,
                true,
                "-vaapi_device /dev/dri/renderD128 | -c:v av1_vaapi -rc_mode VBR -b_depth 1 -idr_interval 0 -b:v 2400000 \
                 -maxrate 3000000 -bufsize 6000000 -flags +cgop | format=p010le,hwupload",
            ),
        ];
        for (backend, codec, hdr, wanted) in table {
            let node = (backend != Backend::Nvenc).then(|| "/dev/dri/renderD128".into());
            let encoder = Encoder { backend, codec, ten_bits: hdr, node };
            let (means, rung) = (Means::one(&encoder, None), rung(codec, hdr));
            let told = format!(
                "{} | {} | {}",
                means.opening().join(" "),
                means.arguments(&encoder, &rung).join(" "),
                means.format(0, hdr)
            );
            assert_eq!(told.trim_start(), wanted, "{backend:?} {codec:?}");
        }
    }
}
