//! ffmpeg's arguments for the encoder of a rung, by codec.

use domain::profile::{Effort, VideoCodec};

use super::{command::words, device::Means};
use crate::plan::{Chunk, RungPlan, Times, VideoPlan};

/// From `-c:v` on, for the plan's rung `i`. What decides where key frames lie comes from the plan alone.
pub(super) fn arguments(
    i: usize,
    plan: &VideoPlan,
    chunk: &Chunk,
    means: &Means<'_>,
    threads: u32,
) -> Vec<String> {
    let Some(rung) = plan.rungs.get(i) else { return Vec::new() };
    let device = means.device(i);
    let mut args = match (device, rung.codec) {
        (Some(device), _) => means.arguments(device, rung),
        (None, VideoCodec::H264) => h264(rung),
        (None, VideoCodec::Hevc) => hevc(rung, plan, threads),
        (None, VideoCodec::Vp9) => vp9(rung),
        (None, VideoCodec::Av1) => av1(rung, plan, threads),
    };
    if rung.hdr {
        let transfer = plan.tonemap.as_deref().unwrap_or("smpte2084");
        args.extend(words(&["-color_primaries", "bt2020", "-colorspace", "bt2020nc", "-color_range", "tv"]));
        args.extend(["-color_trc".into(), transfer.into()]);
    }
    match plan.times {
        Times::Constant(_) => {
            let gop = device.map_or(plan.gop_frames(), |_| means.distance(plan.gop_frames()));
            args.extend(["-g".into(), gop.to_string(), "-keyint_min".into(), gop.to_string()]);
        }
        Times::Listed => {
            args.extend(words(&["-g", "100000", "-force_key_frames"]));
            args.push(format!("expr:{}", starts(chunk)));
        }
    }
    if threads > 0 {
        args.extend(["-threads:v".into(), threads.to_string()]);
    }
    args
}

/// Capped constant quality: no more than the rung's rate over its decoder buffer.
fn capped(rung: &RungPlan) -> Vec<String> {
    let numbers = [("-crf", rung.crf), ("-maxrate", rung.max_bps), ("-bufsize", rung.buffer_bits)];
    numbers.into_iter().flat_map(|(name, number)| [name.to_owned(), number.to_string()]).collect()
}

fn h264(rung: &RungPlan) -> Vec<String> {
    let preset = match rung.effort {
        Effort::Fast => "veryfast",
        Effort::Balanced => "medium",
        Effort::Thorough => "slow",
    };
    let mut args = words(&["-c:v", "libx264", "-preset", preset, "-profile:v", "high"]);
    args.extend(["-level:v".into(), rung.level.to_string()]);
    args.extend(capped(rung));
    args.extend(words(&["-sc_threshold", "0", "-flags", "+cgop"]));
    args
}

fn hevc(rung: &RungPlan, plan: &VideoPlan, threads: u32) -> Vec<String> {
    let preset = match rung.effort {
        Effort::Fast => "superfast",
        Effort::Balanced => "fast",
        Effort::Thorough => "slow",
    };
    // No notes of the encoder about itself: they name its threads, and all chunks must have one header.
    let mut params = "log-level=error:info=0:scenecut=0:open-gop=0:repeat-headers=0".to_owned();
    if threads > 0 {
        params += &format!(":pools={threads}");
    }
    if rung.hdr {
        params += ":hdr10=1";
        if let Some(display) = plan.mastering.as_ref().and_then(|told| told.display) {
            params += &format!(":master-display={}", display.in_units());
        }
        if let Some((most, average)) = plan.mastering.as_ref().and_then(|told| told.light) {
            params += &format!(":max-cll={most},{average}");
        }
    }
    let mut args = words(&["-c:v", "libx265", "-preset", preset, "-forced-idr", "1", "-tag:v", "hvc1"]);
    args.extend(capped(rung));
    args.extend(["-x265-params".into(), params]);
    args
}

fn vp9(rung: &RungPlan) -> Vec<String> {
    let speed = match rung.effort {
        Effort::Fast => "5",
        Effort::Balanced => "3",
        Effort::Thorough => "1",
    };
    let mut args = words(&["-c:v", "libvpx-vp9", "-deadline", "good", "-cpu-used", speed, "-row-mt", "1"]);
    args.extend(words(&["-tile-columns", if rung.width >= 1280 { "2" } else { "1" }]));
    // Constrained quality aims below this rate on average, so that the cap holds.
    args.extend(["-b:v".into(), (rung.max_bps / 100 * 80).to_string()]);
    args.extend(capped(rung));
    args
}

fn av1(rung: &RungPlan, plan: &VideoPlan, threads: u32) -> Vec<String> {
    let preset = match rung.effort {
        Effort::Fast => "10",
        Effort::Balanced => "8",
        Effort::Thorough => "5",
    };
    let mut params = format!("mbr={}", rung.max_bps / 1000);
    if threads > 0 {
        params += &format!(":lp={threads}");
    }
    if rung.hdr {
        params += ":enable-hdr=1";
        if let Some(display) = plan.mastering.as_ref().and_then(|told| told.display) {
            params += &format!(":mastering-display={}", display.in_decimals());
        }
        if let Some((most, average)) = plan.mastering.as_ref().and_then(|told| told.light) {
            params += &format!(":content-light={most},{average}");
        }
    }
    let mut args = words(&["-c:v", "libsvtav1", "-preset", preset]);
    args.extend(["-crf".into(), rung.crf.to_string(), "-svtav1-params".into(), params]);
    args
}

/// An expression that holds for the first frame of every GOP, and for the first one after the chunk.
fn starts(chunk: &Chunk) -> String {
    let mut at = 0;
    let mut terms = Vec::new();
    for frames in chunk.segments.iter().flatten() {
        terms.push(format!("eq(n,{at})"));
        at += u64::from(*frames);
    }
    terms.push(format!("eq(n,{at})"));
    terms.join("+")
}
