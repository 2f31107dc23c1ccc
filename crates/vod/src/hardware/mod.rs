//! Hardware encoders: which were found to work here, which of them a rung is given to, and how long one that failed rests.

mod choice;
mod stand_in;
mod trial;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use domain::profile::VideoCodec;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

pub use choice::planned;
pub(crate) use stand_in::{Breaks, Mood, StandIn};
pub(crate) use trial::{doors, listed, render_nodes, try_all};

use crate::plan::VideoPlan;

/// An interface to encoders in hardware, as ffmpeg has it. The first that can do something is preferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// NVIDIA.
    Nvenc,
    /// Intel Quick Sync Video.
    Qsv,
    /// The Linux video acceleration interface: Intel, AMD.
    Vaapi,
}

impl Backend {
    pub const ALL: [Self; 3] = [Self::Nvenc, Self::Qsv, Self::Vaapi];

    pub fn word(self) -> &'static str {
        match self {
            Self::Nvenc => "nvenc",
            Self::Qsv => "qsv",
            Self::Vaapi => "vaapi",
        }
    }
}

/// What the operator wants used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Wish {
    /// All that work.
    #[default]
    Auto,
    Off,
    /// Those that work among these, the first before the others.
    Only(Vec<Backend>),
}

impl Wish {
    /// In the order in which they are preferred.
    pub fn backends(&self) -> &[Backend] {
        match self {
            Self::Auto => &Backend::ALL,
            Self::Off => &[],
            Self::Only(list) => list,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Told {
    Word(String),
    List(Vec<Backend>),
}

impl<'de> Deserialize<'de> for Wish {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wrong = || D::Error::custom("`auto`, `off`, or a list of `nvenc`, `qsv` and `vaapi`");
        match Told::deserialize(from).map_err(|_| wrong())? {
            Told::Word(word) if word == "auto" => Ok(Self::Auto),
            Told::Word(word) if word == "off" => Ok(Self::Off),
            Told::Word(_) => Err(wrong()),
            Told::List(list) => Ok(Self::Only(list)),
        }
    }
}

impl Serialize for Wish {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => Told::Word("auto".into()),
            Self::Off => Told::Word("off".into()),
            Self::Only(list) => Told::List(list.clone()),
        }
        .serialize(to)
    }
}

/// An encoder of some device, by codec and depth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoder {
    pub backend: Backend,
    pub codec: VideoCodec,
    /// It takes ten bits; otherwise eight.
    pub ten_bits: bool,
    /// The device that it was found on, for interfaces that want one named.
    pub node: Option<PathBuf>,
}

impl Encoder {
    /// ffmpeg's name for it.
    pub fn name(&self) -> String {
        format!("{}_{}", self.codec.word(), self.backend.word())
    }

    /// For workers that tell what they have: `hevc_nvenc`, `hevc_nvenc:10`.
    pub fn word(&self) -> String {
        if self.ten_bits { format!("{}:10", self.name()) } else { self.name() }
    }

    /// What [`Self::word`] made: codec, interface and depth.
    pub fn parse(word: &str) -> Option<(VideoCodec, Backend, bool)> {
        let (name, ten_bits) = match word.split_once(':') {
            Some((name, "10")) => (name, true),
            Some(_) => return None,
            None => (word, false),
        };
        let (codec, backend) = name.split_once('_')?;
        let codec = VideoCodec::ALL.into_iter().find(|known| known.word() == codec)?;
        let backend = Backend::ALL.into_iter().find(|known| known.word() == backend)?;
        Some((codec, backend, ten_bits))
    }
}

/// A device that failed in the middle of a title is left alone for so long.
const REST: Duration = Duration::from_secs(600);

/// The hardware encoders of this machine that work.
#[derive(Debug, Default)]
pub struct Hardware {
    found: Vec<Encoder>,
    /// In the order in which they are preferred.
    wanted: Vec<Backend>,
    /// Until when each is left alone.
    bad: Mutex<BTreeMap<Backend, Instant>>,
    pub(crate) stand_in: Option<StandIn>,
}

impl Hardware {
    /// Of encoders that were tried.
    pub(crate) fn new(found: Vec<Encoder>, wish: &Wish, stand_in: Option<StandIn>) -> Self {
        let hardware = Self { found, wanted: wish.backends().to_vec(), bad: Mutex::default(), stand_in };
        hardware.tell();
        hardware
    }

    pub fn found(&self) -> &[Encoder] {
        &self.found
    }

    /// Those that are not resting.
    pub fn usable(&self) -> Vec<&Encoder> {
        let bad = self.bad();
        self.found.iter().filter(|encoder| !bad.contains(&encoder.backend)).collect()
    }

    /// The same in words, for those who look at workers.
    pub fn words(&self) -> Vec<String> {
        self.tell();
        self.usable().into_iter().map(Encoder::word).collect()
    }

    /// Which encoder each rung of a plan (of one codec) is given to now; `None`: no rung has any. Software does the others.
    pub(crate) fn choose(&self, plan: &VideoPlan) -> Option<Vec<Option<&Encoder>>> {
        let bad = self.bad();
        let mut wanted = self.wanted.iter().filter(|backend| !bad.contains(backend));
        wanted.find_map(|backend| {
            let of = |rung| choice::choose(&self.found, *backend, &choice::Task::of(plan, rung));
            let chosen: Vec<_> = plan.rungs.iter().map(of).collect();
            chosen.iter().any(Option::is_some).then_some(chosen)
        })
    }

    /// It failed where software did not.
    pub(crate) fn failed(&self, backend: Backend) {
        let until = Instant::now() + REST;
        self.bad.lock().unwrap_or_else(PoisonError::into_inner).insert(backend, until);
        metrics::counter!("kinora_hardware_failures_total", "encoder" => backend.word()).increment(1);
        self.tell();
    }

    fn bad(&self) -> Vec<Backend> {
        let now = Instant::now();
        let mut bad = self.bad.lock().unwrap_or_else(PoisonError::into_inner);
        bad.retain(|_, until| *until > now);
        bad.keys().copied().collect()
    }

    /// For the metrics: 1 for those that can be used now, 0 for those that rest.
    fn tell(&self) {
        let usable = self.usable();
        for encoder in &self.found {
            let now = if usable.contains(&encoder) { 1.0 } else { 0.0 };
            metrics::gauge!("kinora_hardware_encoders", "encoder" => encoder.word()).set(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wish_is_a_word_or_a_list() {
        let read = |json: &str| serde_json::from_str::<Wish>(json);
        assert_eq!(read("\"auto\"").unwrap(), Wish::Auto);
        assert_eq!(read("\"off\"").unwrap(), Wish::Off);
        let both = Wish::Only(vec![Backend::Vaapi, Backend::Nvenc]);
        assert_eq!(read("[\"vaapi\",\"nvenc\"]").unwrap(), both);
        assert_eq!(serde_json::to_string(&both).unwrap(), "[\"vaapi\",\"nvenc\"]");
        assert_eq!(serde_json::to_string(&Wish::Auto).unwrap(), "\"auto\"");
        for wrong in ["\"nvenc\"", "[\"cuda\"]", "true", "7"] {
            assert!(read(wrong).unwrap_err().to_string().contains("`auto`, `off`, or a list"), "{wrong}");
        }
    }

    #[test]
    fn workers_tell_their_encoders_in_words() {
        for codec in VideoCodec::ALL {
            for backend in Backend::ALL {
                for ten_bits in [false, true] {
                    let word = Encoder { backend, codec, ten_bits, node: None }.word();
                    assert_eq!(Encoder::parse(&word), Some((codec, backend, ten_bits)), "{word}");
                }
            }
        }
        for wrong in ["", "h264", "h264_", "h264_cuda", "mpeg2_vaapi", "hevc_nvenc:12", "hevc_nvenc:"] {
            assert_eq!(Encoder::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_device_that_failed_rests() {
        let encoder = |backend, codec| Encoder { backend, codec, ten_bits: false, node: None };
        let found =
            vec![encoder(Backend::Nvenc, VideoCodec::H264), encoder(Backend::Vaapi, VideoCodec::H264)];
        let hardware = Hardware::new(found, &Wish::Auto, None);
        hardware.failed(Backend::Nvenc);
        assert_eq!(hardware.usable(), [&hardware.found()[1]]);
        hardware.bad.lock().unwrap().insert(Backend::Nvenc, Instant::now());
        assert_eq!(hardware.usable().len(), 2, "its time is over");
    }
}
