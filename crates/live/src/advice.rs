//! What a publisher could do better, in words for the person at the encoder.

use crate::{Snapshot, TrackSnapshot};

/// Key frames farther apart make the beginning slow, and the latency high.
const KEYS_APART_MS: u64 = 4_500;
/// A stream that is so far behind the clock does not get through.
const BEHIND_MS: i64 = -2_000;
/// Sound and picture that have moved so far apart are noticed.
const APART_MS: i64 = 200;
/// Of a thousand frames, so many may be missing.
const MISSING_MILLI: u64 = 10;
/// Frames before anything is said of them.
const ENOUGH: u64 = 300;

/// What a publisher could do better.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// For programs.
    pub code: &'static str,
    /// A sentence for the person at the encoder.
    pub words: String,
}

fn advice(code: &'static str, words: impl Into<String>) -> Advice {
    Advice { code, words: words.into() }
}

impl Snapshot {
    /// Most important first; empty when all is well.
    pub fn advice(&self) -> Vec<Advice> {
        let mut out = Vec::new();
        let kind = |word: &str| self.tracks.iter().filter(|t| t.track.starts_with(word)).collect::<Vec<_>>();
        let (pictures, sounds) = (kind("video"), kind("audio"));
        if self.silence_ms > 2_000 {
            out.push(advice("silent", format!("Nothing has come for {} s.", self.silence_ms / 1000)));
        }
        if self.lead_ms < BEHIND_MS {
            let behind = -self.lead_ms / 1000;
            let words = format!(
                "The stream comes {behind} s late, and more so by and by: the network is too slow for its bitrate. Lower it."
            );
            out.push(advice("late", words));
        }
        let frames: u64 = pictures.iter().map(|track| track.frames).sum();
        let missing: u64 = pictures.iter().map(|track| track.missing).sum();
        if frames >= ENOUGH && missing * 1000 > frames * MISSING_MILLI {
            let words =
                format!("The encoder has left out {missing} pictures. Its machine or network is too slow.");
            out.push(advice("frames_missing", words));
        }
        out.extend(pictures.iter().filter_map(|track| keys(track)).map(|words| advice("key_frames", words)));
        if let Some(drift) = self.av_drift_ms.filter(|drift| drift.abs() > APART_MS) {
            let words = format!("Sound and picture have moved {} ms apart since the beginning.", drift.abs());
            out.push(advice("drift", words));
        }
        if frames >= ENOUGH && sounds.is_empty() {
            out.push(advice("no_sound", "There is no sound."));
        }
        out
    }
}

fn keys(track: &TrackSnapshot) -> Option<String> {
    if let Some(apart) = track.key_interval_ms {
        let seconds = apart / 1000;
        let words = || format!("Your key-frame interval is {seconds} s; set 2 s in your encoder.");
        return (apart > KEYS_APART_MS).then(words);
    }
    let rate = track.frame_rate_milli.max(1000);
    let since = track.frames * 1_000_000 / rate;
    (track.frames >= ENOUGH && since > KEYS_APART_MS).then(|| {
        "Only the first picture was a key frame: set a key-frame interval of 2 s in your encoder.".into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(name: &str) -> TrackSnapshot {
        let (frames, frame_rate_milli) = (900, 30_000);
        TrackSnapshot {
            track: name.into(),
            frames,
            frame_rate_milli,
            key_interval_ms: Some(2000),
            ..TrackSnapshot::default()
        }
    }

    #[test]
    fn a_good_stream_needs_no_advice() {
        let good = Snapshot { tracks: vec![track("video 0"), track("audio 0")], ..Snapshot::default() };
        assert_eq!(good.advice(), []);
    }

    #[test]
    fn what_is_wrong_is_said_in_words() {
        let video = TrackSnapshot { key_interval_ms: Some(10_000), missing: 10, ..track("video 0") };
        let bad = Snapshot {
            silence_ms: 3100,
            lead_ms: -4500,
            av_drift_ms: Some(-350),
            tracks: vec![video],
            ..Snapshot::default()
        };
        let expected = [
            "Nothing has come for 3 s.",
            "The stream comes 4 s late, and more so by and by: the network is too slow for its bitrate. Lower it.",
            "The encoder has left out 10 pictures. Its machine or network is too slow.",
            "Your key-frame interval is 10 s; set 2 s in your encoder.",
            "Sound and picture have moved 350 ms apart since the beginning.",
            "There is no sound.",
        ];
        let words: Vec<String> = bad.advice().into_iter().map(|advice| advice.words).collect();
        assert_eq!(words, expected);
        let never = Snapshot {
            tracks: vec![TrackSnapshot { key_interval_ms: None, ..track("video 0") }, track("audio 0")],
            ..Snapshot::default()
        };
        assert!(never.advice()[0].words.starts_with("Only the first picture"), "{:?}", never.advice());
    }
}
