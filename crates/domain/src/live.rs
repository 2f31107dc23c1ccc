//! What live nodes and the API tell each other over the bus: how events go, and what is wanted of them.

use serde::{Deserialize, Serialize};

use crate::{
    Micros, VideoId,
    event::{Latency, Slot},
    words::words,
};

/// How often a node tells how each of its events goes, microseconds.
pub const REPORT_EVERY: i64 = Micros::SECOND;

/// How a live event goes. Counts are since the beginning of what they count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub event: VideoId,
    /// The node's name.
    pub node: String,
    /// By the node's clock; grows from report to report.
    pub at: Micros,
    pub state: State,
    pub latency: Latency,
    /// The event is in this state since then.
    pub since: Micros,
    /// Who publishes, the primary first.
    pub publishers: Vec<Publisher>,
    pub on_air: OnAir,
    pub ladder: Ladder,
    /// Segments that were made so far.
    pub segments: u64,
    pub viewers: u64,
}

words! {
    /// How it is with an event on its node.
    State, "starting, live, waiting, ending" {
        /// A publisher is there; there is nothing to be played yet.
        Starting = "starting",
        Live = "live",
        /// All publishers are gone, and may come back.
        Waiting = "waiting",
        /// The last segments are written.
        Ending = "ending",
    }
}

words! {
    /// What viewers see.
    OnAir, "primary, backup, slate, nothing" {
        Primary = "primary",
        Backup = "backup",
        /// A still picture in the place of a publisher.
        Slate = "slate",
        Nothing = "nothing",
    }
}

/// One that sends the event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Publisher {
    pub slot: Slot,
    /// `rtmp`, `rtmps`, `srt`, `whip`.
    pub protocol: String,
    /// What its program says that it is.
    pub encoder: Option<String>,
    pub since: Micros,
    /// All that comes, protocol included.
    pub bitrate_bps: u64,
    pub bytes: u64,
    /// Since anything came.
    pub silence_ms: u64,
    /// Media time that passed less time that passed: below 0 it comes late.
    pub lead_ms: i64,
    /// How far sound and picture have moved apart since the beginning; above 0 the sound is later.
    pub av_drift_ms: Option<i64>,
    pub tracks: Vec<Track>,
    /// Most important first; empty when all is well.
    pub warnings: Vec<Warning>,
}

/// A track of a publisher.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// `video` or `audio`.
    pub kind: String,
    pub codec: String,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub sample_rate: Option<u32>,
    pub channels: Option<u32>,
    pub bitrate_bps: u64,
    /// Thousandths of a frame in a second.
    pub frame_rate_milli: u64,
    /// Between the last two key frames, media time.
    pub key_interval_ms: Option<u64>,
    pub longest_key_interval_ms: Option<u64>,
    pub frames: u64,
    /// Frames that came and could not be used.
    pub dropped: u64,
    /// Frames that seem to be missing, by gaps in the times.
    pub missing: u64,
}

/// What a publisher could do better.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Stable, for programs: `silent`, `late`, `frames_missing`, `key_frames`, `drift`, `no_sound`, `overload`.
    pub code: String,
    /// A sentence for the person at the encoder.
    pub words: String,
}

/// The renditions that are made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ladder {
    /// Best first.
    pub rungs: Vec<Rung>,
    /// Encoders that died or hung, and were begun anew.
    pub deaths: u64,
    /// Thousandths: at 1000 it keeps up. `None` without an encoder.
    pub speed_milli: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    pub width: u32,
    pub height: u32,
    pub bitrate_bps: u64,
    /// It is the publisher's own picture.
    pub is_source: bool,
    /// False when it was given up because the machine did not keep up.
    pub on: bool,
}

/// Something is wanted of a live event. The node that has it obeys. What the database says of the event stays the truth: a node
/// that missed the order finds it there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub event: VideoId,
    pub order: What,
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// End it, once and for all.
    End,
    /// Send a publisher away, with words for the person at the encoder.
    Dismiss { slot: Slot, words: String },
    /// Read its settings and keys again.
    SettingsChanged,
}

impl Report {
    /// The publisher whose stream viewers see, or else the first one.
    pub fn leading(&self) -> Option<&Publisher> {
        let slot = match self.on_air {
            OnAir::Backup => Slot::Backup,
            _ => Slot::Primary,
        };
        self.publishers.iter().find(|one| one.slot == slot).or(self.publishers.first())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;

    #[test]
    fn messages_are_read_back() {
        let publisher = |slot| Publisher {
            slot,
            protocol: "rtmp".into(),
            encoder: Some("OBS".into()),
            since: Micros(1),
            bitrate_bps: 6_000_000,
            bytes: 1,
            silence_ms: 0,
            lead_ms: 0,
            av_drift_ms: Some(-4),
            tracks: vec![Track { kind: "video".into(), codec: "avc1.640028".into(), ..Track::default() }],
            warnings: vec![Warning { code: "late".into(), words: "Lower it.".into() }],
        };
        let report = Report {
            event: VideoId::new(),
            node: "live-1".into(),
            at: Micros(2),
            state: State::Live,
            latency: Latency::Low,
            since: Micros(1),
            publishers: vec![publisher(Slot::Primary), publisher(Slot::Backup)],
            on_air: OnAir::Backup,
            ladder: Ladder { speed_milli: Some(1000), ..Ladder::default() },
            segments: 3,
            viewers: 7,
        };
        assert_eq!(report.leading().map(|one| one.slot), Some(Slot::Backup));
        assert_eq!(Report::from_bytes(&report.to_bytes()), Some(report.clone()));
        let words = "The event was ended.".to_owned();
        for order in [What::End, What::SettingsChanged, What::Dismiss { slot: Slot::Backup, words }] {
            let order = Order { event: report.event, order };
            assert_eq!(Order::from_bytes(&order.to_bytes()), Some(order));
        }
        assert!(String::from_utf8(report.to_bytes()).unwrap().contains("\"on_air\":\"backup\""));
    }
}
