//! Finding encoders in hardware: what ffmpeg lists is given a small film to encode, in the cage and with the settings of real
//! jobs, and what comes out is looked at as that of real jobs is.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use domain::{
    ladder::Rung,
    profile::{Effort, Profile, Video, VideoCodec},
};

use super::{Backend, Encoder, StandIn};
use crate::{
    encode::{self, Means},
    guest::{Doors, Guest, Limits},
    plan,
    probe::{self, Mastering},
    tools::Tools,
};

/// Two groups of pictures, the second one short.
const FRAMES: u32 = 60;
const SIZE: (u32, u32) = (640, 360);

/// A trial takes a second where it works.
const PATIENCE: Duration = Duration::from_secs(30);

/// Encoders that ffmpeg was built with, and where it would look for their devices. With `nodes` of the machine.
pub(crate) fn listed(text: &str, backends: &[Backend], nodes: &[PathBuf]) -> Vec<Encoder> {
    // ` V....D h264_nvenc           NVIDIA NVENC H.264 encoder (codec h264)`
    let has = |name: &str| text.lines().any(|line| line.split_whitespace().nth(1) == Some(name));
    let mut found = Vec::new();
    for backend in backends {
        // NVIDIA's driver finds its own.
        let places: Vec<Option<&PathBuf>> =
            if *backend == Backend::Nvenc { vec![None] } else { nodes.iter().map(Some).collect() };
        for codec in [VideoCodec::H264, VideoCodec::Hevc, VideoCodec::Av1] {
            for node in &places {
                for ten_bits in [false, true] {
                    let node = node.cloned();
                    let encoder = Encoder { backend: *backend, codec, ten_bits, node };
                    if has(&encoder.name()) && (codec.keeps_hdr() || !ten_bits) {
                        found.push(encoder);
                    }
                }
            }
        }
    }
    found
}

/// Tries each in a directory `under` the given one, and gives those that work, of each kind on the first device that does.
pub(crate) async fn try_all(
    tools: &Tools,
    listed: Vec<Encoder>,
    stand_in: Option<&StandIn>,
    under: &Path,
) -> Vec<Encoder> {
    let mut found: Vec<Encoder> = Vec::new();
    if listed.is_empty() {
        return found;
    }
    let film = match Film::make(tools, under).await {
        Ok(film) => film,
        Err(error) => {
            tracing::error!(error, "encoders in hardware cannot be tried");
            return found;
        }
    };
    for encoder in listed {
        if found.iter().any(|known| known.word() == encoder.word()) {
            continue;
        }
        let word = encoder.word();
        match film.encode(tools, &encoder, stand_in).await {
            Ok(()) => {
                tracing::info!(encoder = word, "an encoder in hardware works");
                found.push(encoder);
            }
            Err(reason) => tracing::info!(encoder = word, reason, "an encoder in hardware is not used"),
        }
    }
    found
}

/// A small film to try encoders with.
struct Film {
    dir: tempfile::TempDir,
    path: PathBuf,
    info: probe::SourceInfo,
    index: probe::Index,
}

impl Film {
    async fn make(tools: &Tools, under: &Path) -> Result<Self, String> {
        let dir = tempfile::tempdir_in(under).map_err(|error| error.to_string())?;
        let path = dir.path().join("film.mp4");
        let source = format!("testsrc2=s={}x{}:r=25", SIZE.0, SIZE.1);
        let frames = FRAMES.to_string();
        let args = ["-v", "error", "-nostdin", "-f", "lavfi", "-i", &source, "-frames:v", &frames];
        let rest = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "film.mp4"];
        let guest = Guest::new(&tools.ffmpeg, limits(tools)).args(args).args(rest).scratch(dir.path());
        guest.output(1 << 16).await.map_err(|error| error.to_string())?;
        let looked = probe::probe(tools, &path, &probe::Limits::default()).await;
        let (info, index) = looked.map_err(|error| error.to_string())?;
        Ok(Self { dir, path, info, index })
    }

    /// Encodes it as a chunk of a title. Everything that is asked of chunks is asked of it: that all pictures are there, at
    /// their times, with key frames where they were planned, behind a header that announces them.
    async fn encode(
        &self,
        tools: &Tools,
        encoder: &Encoder,
        stand_in: Option<&StandIn>,
    ) -> Result<(), String> {
        let video = Video { codec: encoder.codec, effort: Effort::Fast, crf: None, from_height: None };
        let rung = Rung { height: SIZE.1, bitrate_bps: 2_000_000 };
        let profile = Profile { video: vec![video], ..Profile::of_ladder(vec![rung]) };
        let mut info = self.info.clone();
        if let Some(video) = info.video.as_mut().filter(|_| encoder.ten_bits) {
            // Ten bits are for high dynamic range alone.
            video.hdr = true;
            video.color_transfer = Some("arib-std-b67".into());
            video.mastering = None::<Mastering>;
        }
        let mut plan = plan::plan(&info, &self.index, &profile)
            .ok()
            .and_then(|plan| plan.video)
            .ok_or("the film cannot be planned")?;
        plan.hardware = vec![encoder.codec];
        let scratch = tempfile::tempdir_in(self.dir.path()).map_err(|error| error.to_string())?;
        let tools = Tools { limits: limits(tools), ..tools.clone() };
        let means = Means::one(encoder, stand_in);
        let made = encode::attempt(&tools, &plan, &self.path, scratch.path(), &means).await;
        made.map(|_| ()).map_err(|error| error.to_string())
    }
}

fn limits(tools: &Tools) -> Limits {
    Limits { wall: PATIENCE, ..tools.limits.clone() }
}

/// Nodes that Linux gives to encoders and shaders: nobody's screen.
pub(crate) fn render_nodes() -> Vec<PathBuf> {
    let mut nodes: Vec<PathBuf> = entries("/dev/dri", "renderD");
    nodes.sort();
    nodes
}

/// What a guest that uses `encoder` must reach.
pub(crate) fn doors(encoder: &Encoder) -> Doors {
    match (encoder.backend, &encoder.node) {
        (Backend::Nvenc, _) => Doors {
            nodes: entries("/dev", "nvidia").into_iter().filter(|path| !path.is_dir()).collect(),
            about: [
                "/proc/driver/nvidia",
                "/proc/devices",
                "/proc/cpuinfo",
                "/proc/meminfo",
                "/sys/devices/system",
            ]
            .map(PathBuf::from)
            .to_vec(),
            requests: None,
        },
        (_, node) => Doors {
            nodes: node.iter().cloned().collect(),
            about: ["/sys/dev/char", "/sys/class/drm", "/sys/devices"].map(PathBuf::from).to_vec(),
            // Of the direct rendering manager.
            requests: Some(b'd'),
        },
    }
}

fn entries(dir: &str, prefix: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(Path::new(dir)).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    named.map(|entry| entry.path()).collect()
}
