//! Software that poses as a device, for tests on machines that have none. Its streams have parameter sets of their own, as
//! those of a device would, and it can be told to break down.
//!
//! `KINORA_TEST_HARDWARE="h264 hevc fails-from=4"` in a debug build gives a worker a device with encoders for two codecs, which
//! breaks at its fourth job. (A script in ffmpeg's place would not do: a guest cannot start a second program.)

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use domain::profile::VideoCodec;

use super::{Backend, Encoder};

/// What breaks when the device breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Breaks {
    /// The driver cannot be reached: the encoder ends with an error.
    Dead,
    /// Key frames lie somewhere else.
    Wrong,
}

#[derive(Debug, Clone)]
pub(crate) struct StandIn {
    pub codecs: Vec<VideoCodec>,
    /// Uses of it from this on fail; the first is 0.
    pub breaks: Option<(u64, Breaks)>,
    used: Arc<AtomicU64>,
}

/// How a use of it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    Broken(Breaks),
}

impl StandIn {
    pub fn from_environment() -> Option<Self> {
        Self::parse(&told())
    }

    pub fn parse(text: &str) -> Option<Self> {
        let codecs: Vec<VideoCodec> = VideoCodec::ALL
            .into_iter()
            .filter(|codec| text.split(' ').any(|word| word == codec.word()))
            .collect();
        let at = |name: &str| {
            text.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse::<u64>().ok())
        };
        let breaks = at("fails-from").map(|from| (from, Breaks::Dead));
        let breaks = breaks.or_else(|| at("wrong-from").map(|from| (from, Breaks::Wrong)));
        (!codecs.is_empty()).then(|| Self { codecs, breaks, used: Arc::default() })
    }

    /// What it says that it has.
    pub fn listed(&self) -> Vec<Encoder> {
        let one = |codec: &VideoCodec| Encoder {
            backend: Backend::Nvenc,
            codec: *codec,
            ten_bits: false,
            node: None,
        };
        self.codecs.iter().map(one).collect()
    }

    /// Counts a job that it is given. Trials at the start do not count.
    pub fn used(&self) {
        self.used.fetch_add(1, Relaxed);
    }

    /// How it is now.
    pub fn mood(&self) -> Mood {
        match self.breaks {
            Some((from, what)) if self.used.load(Relaxed) > from => Mood::Broken(what),
            _ => Mood::Well,
        }
    }

    /// ffmpeg's arguments in place of the device's.
    pub fn arguments(&self, codec: VideoCodec, crf: u32) -> Vec<String> {
        let words: &[&str] = match codec {
            // Other tables of coefficients and other references than the usual encoder's: both parameter sets differ.
            VideoCodec::H264 => &[
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-profile:v",
                "high",
                "-sc_threshold",
                "0",
                "-flags",
                "+cgop",
                "-x264-params",
                "ref=2:bframes=0:cabac=0:8x8dct=1",
            ],
            VideoCodec::Hevc => &[
                "-c:v",
                "libx265",
                "-preset",
                "ultrafast",
                "-forced-idr",
                "1",
                "-tag:v",
                "hvc1",
                "-x265-params",
                "log-level=error:info=0:scenecut=0:open-gop=0:repeat-headers=0:ref=2:bframes=0:ctu=32",
            ],
            VideoCodec::Vp9 => {
                &["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "0"]
            }
            VideoCodec::Av1 => &["-c:v", "libsvtav1", "-preset", "13"],
        };
        let mut args: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        args.extend(["-crf".into(), crf.to_string()]);
        args
    }
}

#[cfg(debug_assertions)]
fn told() -> String {
    std::env::var("KINORA_TEST_HARDWARE").unwrap_or_default()
}

/// No such device outside of tests.
#[cfg(not(debug_assertions))]
fn told() -> String {
    String::new()
}
