//! The encoder's command line, tuned for latency: no look-ahead, no B-frames, every frame a fragment of its own.

use super::{Plan, input::Container};

/// Ticks per second of the renditions' times.
const TIMESCALE: u32 = 90_000;

/// Arguments of ffmpeg, without its name.
pub fn arguments(plan: &Plan, container: Container) -> Vec<String> {
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let mut args = words("-v error -nostdin -protocol_whitelist file,pipe -threads 1");
    args.extend(words("-analyzeduration 0 -probesize 100000 -copyts"));
    args.extend(words(&format!("-f {} -i pipe:0", container.demuxer())));
    args.extend(["-filter_complex".to_owned(), filters(plan)]);
    for n in 0..plan.rungs.len() {
        args.extend(["-map".to_owned(), format!("[v{n}]")]);
    }
    args.extend(words(
        "-c:v libx264 -tune zerolatency -bf 0 -sc_threshold 0 -g 100000 -forced-idr 1 -pix_fmt yuv420p",
    ));
    args.extend(["-preset".to_owned(), plan.preset.clone()]);
    if plan.threads > 0 {
        args.extend(["-threads:v".to_owned(), plan.threads.to_string()]);
    }
    let keys = if plan.keeps_source {
        "source".to_owned()
    } else {
        // Counted from the first frame, whose time is not 0.
        format!("expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+{}/1000))", plan.key_interval_ms)
    };
    args.extend(["-force_key_frames".to_owned(), keys]);
    for (n, rung) in plan.rungs.iter().enumerate() {
        let (rate, buffer) = (rung.bitrate_bps, rung.bitrate_bps);
        args.extend(words(&format!("-b:v:{n} {rate} -maxrate:v:{n} {rate} -bufsize:v:{n} {buffer}")));
    }
    args.extend(words("-fps_mode passthrough -enc_time_base -1 -avoid_negative_ts disabled -use_editlist 0"));
    args.extend(words("-map_metadata -1 -max_interleave_delta 0 -flush_packets 1"));
    args.extend(words(&format!("-video_track_timescale {TIMESCALE}")));
    args.extend(words("-movflags +empty_moov+default_base_moof+frag_every_frame+frag_discont -f mp4 pipe:1"));
    args
}

/// One decode, split and scaled.
fn filters(plan: &Plan) -> String {
    let names: String = (0..plan.rungs.len()).map(|n| format!("[s{n}]")).collect();
    let scaled =
        plan.rungs.iter().enumerate().map(|(n, rung)| {
            format!(";[s{n}]scale={}:{}:flags=bicubic,setsar=1[v{n}]", rung.width, rung.height)
        });
    format!("[0:v:0]split={}{names}{}", plan.rungs.len(), scaled.collect::<String>())
}
