//! The encoder's command line, tuned for latency: no look-ahead, no B-frames, every frame a fragment of its own.

use media::frame::{Kind, TrackId};

use super::{Plan, input::Container};

/// What one encoder is for.
#[derive(Debug, Clone)]
pub enum Job {
    /// All rungs of the plan; so many better ones were given up before.
    Pictures { plan: Plan, given_up: u32 },
    /// One track of AAC.
    Sound { track: TrackId, bitrate_bps: u32, sound: Option<(u32, u32)> },
}

impl Job {
    /// The track that the encoder's n-th one becomes.
    pub fn track(&self, n: usize) -> TrackId {
        match self {
            // Numbers stay when better rungs are given up.
            Self::Pictures { given_up, .. } => {
                let number = u8::try_from(*given_up as usize + n + 1).unwrap_or(u8::MAX);
                TrackId { kind: Kind::Video, number }
            }
            Self::Sound { track, .. } => *track,
        }
    }

    /// All tracks that come of it.
    pub fn tracks(&self) -> Vec<TrackId> {
        let count = if let Self::Pictures { plan, .. } = self { plan.rungs.len() } else { 1 };
        (0..count).map(|n| self.track(n)).collect()
    }

    /// Can less be asked of the encoder?
    pub fn can_shrink(&self) -> bool {
        matches!(self, Self::Pictures { plan, .. } if plan.rungs.len() > 1)
    }

    /// Arguments of ffmpeg, without its name.
    pub fn arguments(&self, container: Container) -> Vec<String> {
        match self {
            Self::Pictures { plan, .. } => pictures(plan, container),
            Self::Sound { bitrate_bps, sound: wanted, .. } => sound(*bitrate_bps, *wanted, container),
        }
    }
}

/// Ticks per second of the renditions' times.
const TIMESCALE: u32 = 90_000;

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn input(container: Container) -> Vec<String> {
    let demuxer = container.demuxer();
    words(&format!(
        "-v error -nostdin -protocol_whitelist file,pipe -threads 1 -analyzeduration 0 -probesize 100000 -copyts -f {demuxer} -i pipe:0"
    ))
}

/// Times as they came in, and each frame on its way as soon as the next one of its track tells how long it lasts. The flag that is meant for this,
/// `frag_every_frame`, gives wrong times to all tracks but the first in ffmpeg 8.
fn output() -> Vec<String> {
    words(
        "-avoid_negative_ts disabled -use_editlist 0 -map_metadata -1 -max_interleave_delta 0 -flush_packets 1 \
         -frag_duration 1 -movflags +empty_moov+default_base_moof+frag_discont -f mp4 pipe:1",
    )
}

/// Gaps are filled, so that the sound stays with its times.
fn sound(bitrate_bps: u32, wanted: Option<(u32, u32)>, container: Container) -> Vec<String> {
    let filter = "-map 0:a:0 -af aresample=async=1:min_hard_comp=0.1";
    let shape = wanted.map(|(rate, channels)| format!("-ar {rate} -ac {channels}")).unwrap_or_default();
    let encode = words(&format!("{filter} -c:a aac -b:a {bitrate_bps} {shape}"));
    [input(container), encode, output()].concat()
}

fn pictures(plan: &Plan, container: Container) -> Vec<String> {
    let keys = if plan.keeps_source {
        "source".to_owned()
    } else {
        // Counted from the first frame, whose time is not 0.
        format!("expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+{}/1000))", plan.key_interval_ms)
    };
    let keys = ["-force_key_frames".to_owned(), keys];
    [input(container), encode(plan), keys.into(), output()].concat()
}

/// Arguments of ffmpeg, without its name, for a JPEG file as one picture of each rung.
pub fn still(plan: &Plan) -> Vec<String> {
    let input = "-v error -nostdin -protocol_whitelist file,pipe -threads 1 -f jpeg_pipe -i pipe:0";
    [words(input), encode(plan), output()].concat()
}

/// All rungs of one decode, as H.264.
fn encode(plan: &Plan) -> Vec<String> {
    let mut args = vec!["-filter_complex".to_owned(), filters(plan)];
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
    for (n, rung) in plan.rungs.iter().enumerate() {
        let (rate, buffer) = (rung.bitrate_bps, rung.bitrate_bps);
        args.extend(words(&format!("-b:v:{n} {rate} -maxrate:v:{n} {rate} -bufsize:v:{n} {buffer}")));
    }
    args.extend(words(&format!(
        "-fps_mode passthrough -enc_time_base 1/{TIMESCALE} -video_track_timescale {TIMESCALE}"
    )));
    args
}

/// One decode, split and scaled.
fn filters(plan: &Plan) -> String {
    let names: String = (0..plan.rungs.len()).map(|n| format!("[s{n}]")).collect();
    let scaled =
        plan.rungs.iter().enumerate().map(|(n, rung)| {
            format!(";[s{n}]scale={w}:{h}:force_original_aspect_ratio=decrease:force_divisible_by=2:flags=bicubic,pad={w}:{h}:-1:-1,setsar=1[v{n}]", w = rung.width, h = rung.height)
        });
    format!("[0:v:0]split={}{names}{}", plan.rungs.len(), scaled.collect::<String>())
}
