//! ffmpeg's arguments for a chunk of video.

use std::{fmt::Write, path::Path};

use super::{device::Means, encoder};
use crate::plan::{Chunk, Joined, Mode, Seek, Times, VideoPlan};

/// How the pictures of a chunk are picked out of what is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pick {
    /// Exactly those between the planned first and last source time.
    Planned,
    /// By the clock at the plan's times: missing ones are repeated, surplus ones dropped.
    Resampled,
}

/// All arguments, for a plan with rungs of one codec. Rung `i` goes to `rung{i}.mp4` in the working directory.
pub(super) fn chunk(
    plan: &VideoPlan,
    (chunk, times): (&Chunk, &[u64]),
    seek: Option<&Seek>,
    pick: Pick,
    input: &Path,
    (means, threads): (&Means<'_>, u32),
) -> Vec<String> {
    let mut args =
        words(&["-v", "error", "-nostdin", "-nostats", "-progress", "pipe:1", "-stats_period", "1"]);
    args.extend(means.opening());
    args.extend(source(plan, seek, input, threads));
    args.extend(["-filter_complex".into(), filters(plan, chunk, times, pick, means)]);
    let (num, den) = match (pick, plan.times) {
        (Pick::Planned, _) => plan.source_base,
        (Pick::Resampled, Times::Constant(_)) => (plan.frame_rate.1, plan.frame_rate.0),
        (Pick::Resampled, Times::Listed) => (1, FINE),
    };
    for i in 0..plan.rungs.len() {
        args.extend(["-map".into(), format!("[v{i}]")]);
        args.extend(encoder::arguments(i, plan, chunk, means, threads));
        args.extend(words(&["-fps_mode", "passthrough", "-enc_time_base"]));
        args.push(format!("{num}:{den}"));
        args.extend(words(&["-map_metadata", "-1", "-map_chapters", "-1", "-f", "mp4"]));
        args.extend(words(&["-movflags", "+empty_moov+default_base_moof+frag_keyframe"]));
        args.push(format!("rung{i}.mp4"));
    }
    args.extend(plan.joined.iter().flat_map(read_along));
    args
}

/// Reads another stream along with the wanted one, so that jumps of the source's clock are closed for both alike.
pub(super) fn read_along(joined: &Joined) -> Vec<String> {
    let Some(stream) = joined.beside else { return Vec::new() };
    let mut args = vec!["-map".to_owned(), format!("0:{stream}")];
    args.extend(words(&["-c", "copy", "-f", "null", "-"]));
    args
}

pub(super) fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

/// Opening the source, at a key frame.
fn source(plan: &VideoPlan, seek: Option<&Seek>, input: &Path, threads: u32) -> Vec<String> {
    // Rebuilding the filters when pictures change would make them count from the start again. Damage ends nothing: what
    // came out is counted.
    let mut args =
        words(&["-protocol_whitelist", "file,pipe", "-reinit_filter", "0", "-max_error_rate", "1"]);
    if threads > 0 {
        args.extend(["-threads".into(), threads.to_string()]);
    }
    if let Some(seek) = seek {
        let target = seek_micros(plan, seek);
        args.extend(words(&["-seek_timestamp", "1", "-noaccurate_seek", "-ss"]));
        args.push(format!("{target}us"));
    }
    // Without `-copyts` ffmpeg closes jumps of the clock, and counts from the first packet of any stream.
    args.extend(words(if plan.joined.is_some() {
        &["-sn", "-dn"]
    } else {
        &["-copyts", "-an", "-sn", "-dn"]
    }));
    args.extend(words(&["-f", plan.container.demuxer(), "-i"]));
    args.push(input.display().to_string());
    args
}

/// Where to point the demuxer so that it lands on the key frame. A file with an index of key frames goes to the last one
/// before the target (ffmpeg itself goes back 0.13 s when pictures are reordered); one without lands on any packet.
fn seek_micros(plan: &VideoPlan, seek: &Seek) -> i64 {
    let (num, den) = (i128::from(plan.source_base.0), i128::from(plan.source_base.1));
    let micros = |ticks: i64| i64::try_from(i128::from(ticks) * num * 1_000_000 / den).unwrap_or(0);
    let key = micros(seek.key);
    if !plan.container.seeks_to_key_frames() {
        return key - 1_000_000;
    }
    let gap = seek.next.map_or(400_000, |next| micros(next) - key);
    key + (gap / 2).clamp(0, 200_000)
}

/// Pictures a second from which those at listed times are picked.
const FINE: u32 = 1000;

/// Brings what is decoded onto the times of the plan, whatever is missing or too much. A part of a planned chunk does not
/// know the times of the pictures before it, and takes them at the plan's mean rate.
fn resample(plan: &VideoPlan, chunk: &Chunk, times: &[u64]) -> Vec<String> {
    let (start, frames) = (seconds(plan, chunk), chunk.decoded().frames);
    let at =
        |rate: &str| format!("fps=fps={rate}:start_time={start}:round=near,tpad=stop_mode=clone:stop=-1");
    if matches!(plan.times, Times::Constant(_)) || chunk.window.is_some() {
        let (num, den) = plan.frame_rate;
        return vec![at(&format!("{num}/{den}")), format!("trim=end_frame={frames}")];
    }
    let tick = |time: &u64| (time - chunk.start) * u64::from(FINE) / u64::from(plan.timescale);
    let wanted: Vec<String> = times.iter().map(|time| format!("eq(n,{})", tick(time))).collect();
    let end = times.last().map_or(0, tick) + 1;
    vec![at(&FINE.to_string()), format!("trim=end_frame={end}"), format!("select='{}'", wanted.join("+"))]
}

fn filters(plan: &VideoPlan, chunk: &Chunk, times: &[u64], pick: Pick, means: &Means<'_>) -> String {
    let mut graph = format!("[0:{}]", plan.stream);
    // A source whose pictures change size or format is brought to its first ones; all others pass.
    let mut steps: Vec<String> = vec!["scale=iw:ih".into()];
    let decoded = chunk.decoded();
    if pick == Pick::Planned {
        steps.push(format!("trim=start_pts={}:end_pts={}", chunk.from_pts, chunk.seen_to() + 1));
    }
    if plan.deinterlace {
        steps.push("bwdif=mode=send_frame".into());
    }
    if let (Pick::Planned, Some(held)) = (pick, plan.held) {
        steps.extend(held.filters(decoded.first_frame, decoded.frames, (chunk.from_pts, chunk.to_pts)));
    }
    if pick == Pick::Resampled {
        steps.extend(resample(plan, chunk, times));
    }
    if chunk.window.is_some() {
        steps.push(format!("trim=start_frame={}:end_frame={}", decoded.skip, decoded.skip + chunk.frames()));
    }
    let hdr = plan.rungs.iter().any(|rung| rung.hdr);
    if let Some(transfer) = plan.tonemap.as_deref().filter(|_| !hdr) {
        steps.push(format!("zscale=tin={transfer}:min=bt2020nc:pin=bt2020:t=linear:npl=100"));
        steps.push("format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=hable:desat=0".into());
        steps.push("zscale=t=bt709:m=bt709:r=tv,format=yuv420p".into());
    }
    let rungs = plan.rungs.len();
    steps.push(format!("split={rungs}"));
    graph += &steps.join(",");
    for i in 0..rungs {
        let _ = write!(graph, "[s{i}]");
    }
    for (i, rung) in plan.rungs.iter().enumerate() {
        let (width, height) = (rung.width, rung.height);
        let format = means.format(i, hdr);
        let _ = write!(graph, ";[s{i}]scale={width}:{height}:out_range=tv,setsar=1,{format}[v{i}]");
    }
    graph
}

/// Source time of the first frame that is decoded for the chunk, in seconds.
fn seconds(plan: &VideoPlan, chunk: &Chunk) -> f64 {
    let origin = plan.first_pts as f64 * f64::from(plan.source_base.0) / f64::from(plan.source_base.1);
    origin + chunk.decoded().start as f64 / f64::from(plan.timescale)
}

/// The ways to get at a chunk's pictures, best first.
pub(super) fn attempts<'a>(plan: &VideoPlan, chunk: &'a Chunk) -> Vec<(Option<&'a Seek>, Pick)> {
    let mut ways: Vec<(Option<&Seek>, Pick)> = Vec::new();
    if plan.mode == Mode::Indexed {
        ways.extend(chunk.seek.iter().map(|seek| (Some(seek), Pick::Planned)));
        ways.push((None, Pick::Planned));
    }
    ways.push((chunk.seek.last().filter(|_| plan.mode == Mode::Indexed), Pick::Resampled));
    ways
}
