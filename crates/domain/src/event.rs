//! Live events: what their creators set, where they stand, and the keys that publishers come in with.
//!
//! A stream key is derived and never stored: `<event>-<code>`, both lower-case base32 (RFC 4648 §6, no padding). The first part is
//! the event's id, the second the first 128 bits of HMAC-SHA-256 (RFC 2104) over id, slot and generation by a secret of the instance.
//! A copy of the database without that secret opens nothing, and a creator can be shown the key at any time.

use hmac::{Hmac, KeyInit, Mac, digest::Key};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{Micros, VideoId, details::FieldFault, words::words};

/// The longest time that viewers can go back, seconds.
pub const MAX_DVR_SECONDS: i64 = 86_400;
pub const DEFAULT_DVR_SECONDS: i64 = 7_200;
/// How far ahead an event may be planned.
const HORIZON: i64 = 2 * 366 * Micros::DAY;
/// A start that is so long ago is a mistake.
const PAST: i64 = Micros::DAY;

words! {
    /// How far viewers are behind.
    Latency, "low, standard" {
        /// Two to five seconds.
        Low = "low",
        /// Twenty to thirty seconds, for old players and bad networks.
        Standard = "standard",
    }
}

words! {
    /// The two places for publishers of an event.
    Slot, "primary, backup" {
        Primary = "primary",
        Backup = "backup",
    }
}

words! {
    /// Where an event stands.
    State, "upcoming, live, ended, cancelled" {
        Upcoming = "upcoming",
        Live = "live",
        Ended = "ended",
        /// In the trash before it had begun.
        Cancelled = "cancelled",
    }
}

/// What its creator sets, apart from what every title has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// For people: a publisher may come before and after.
    pub starts_at: Option<Micros>,
    pub latency: Latency,
    /// How far viewers can go back while it is live, seconds.
    pub dvr_seconds: i64,
    /// It becomes an ordinary title when it ends.
    pub record: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { starts_at: None, latency: Latency::Low, dvr_seconds: DEFAULT_DVR_SECONDS, record: true }
    }
}

/// Changes as they come from outside; `None` leaves a setting as it is, `Some(None)` empties it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    pub starts_at: Option<Option<Micros>>,
    pub latency: Option<String>,
    pub dvr_seconds: Option<i64>,
    pub record: Option<bool>,
}

impl Change {
    /// The settings after this change of an event that stands at `state`. All faults at once, at most one for each setting.
    pub fn apply(self, old: Settings, state: State, now: Micros) -> Result<Settings, Vec<FieldFault>> {
        let mut faults = Vec::new();
        let mut add =
            |field: &'static str, words: &str| faults.push(FieldFault { field, words: words.into() });
        let mut new = old;
        if let Some(at) = self.starts_at {
            new.starts_at = at;
            if at.is_some_and(|at| at < now.plus(-PAST) || at > now.plus(HORIZON)) {
                add("starts_at", "An event begins today or within two years.");
            }
        }
        match self.latency.map(|word| word.parse()) {
            Some(Ok(latency)) => new.latency = latency,
            Some(Err(_)) => add("latency", "The latency is low or standard."),
            None => {}
        }
        if let Some(seconds) = self.dvr_seconds {
            new.dvr_seconds = seconds;
            if !(0..=MAX_DVR_SECONDS).contains(&seconds) {
                add("dvr_seconds", "Viewers can go back 0 to 86400 seconds: a day at most.");
            }
        }
        new.record = self.record.unwrap_or(old.record);
        let fixed = |field: &'static str| match field {
            "starts_at" | "latency" => state != State::Upcoming,
            _ => state == State::Ended,
        };
        let changes = [
            ("starts_at", new.starts_at != old.starts_at),
            ("latency", new.latency != old.latency),
            ("dvr_seconds", new.dvr_seconds != old.dvr_seconds),
            ("record", new.record != old.record),
        ];
        for (field, _) in changes.into_iter().filter(|(field, changed)| *changed && fixed(field)) {
            faults.retain(|fault: &FieldFault| fault.field != field);
            let words = if state == State::Ended {
                "This event has ended."
            } else {
                "This cannot be changed once the event has begun."
            };
            faults.push(FieldFault { field, words: words.into() });
        }
        if faults.is_empty() { Ok(new) } else { Err(faults) }
    }
}

/// A stream key. Never in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct StreamKey(String);

impl std::fmt::Debug for StreamKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StreamKey(…)")
    }
}

impl StreamKey {
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Makes stream keys and checks them.
#[derive(Clone)]
pub struct StreamKeys(Hmac<Sha256>);

impl std::fmt::Debug for StreamKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StreamKeys(…)")
    }
}

/// Bytes of the code in a key.
const CODE: usize = 16;

impl StreamKeys {
    /// By the secret of the instance, which is any text.
    pub fn new(secret: &str) -> Self {
        let mut key = Key::<Hmac<Sha256>>::default();
        key[..32].copy_from_slice(&Sha256::digest(secret));
        Self(Hmac::new(&key))
    }

    /// The key of an event's slot. Each generation has others.
    pub fn key(&self, event: VideoId, slot: Slot, generation: i64) -> StreamKey {
        let code = self.mac(event, slot, generation).finalize().into_bytes();
        let mut half = [0; CODE];
        half.copy_from_slice(&code[..CODE]);
        StreamKey(format!("{}-{}", base32(*event.0.as_bytes()), base32(half)))
    }

    /// Whose event this key names, right or wrong. `None` when it is no key at all.
    pub fn event(key: &str) -> Option<VideoId> {
        let (event, code) = key.trim().split_once('-')?;
        un_base32(code)?;
        Some(VideoId(Uuid::from_bytes(un_base32(event)?)))
    }

    /// Which slot of `event` this key opens at `generation`. Takes as long for a wrong key as for a right one.
    pub fn slot(&self, key: &str, event: VideoId, generation: i64) -> Option<Slot> {
        let named = Self::event(key)? == event;
        let code = un_base32(key.trim().split_once('-')?.1)?;
        let fits = |slot| self.mac(event, slot, generation).verify_truncated_left(&code).is_ok();
        let (primary, backup) = (fits(Slot::Primary), fits(Slot::Backup));
        match (named, primary, backup) {
            (true, true, _) => Some(Slot::Primary),
            (true, _, true) => Some(Slot::Backup),
            _ => None,
        }
    }

    fn mac(&self, event: VideoId, slot: Slot, generation: i64) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(event.0.as_bytes());
        mac.update(&[slot as u8]);
        mac.update(&generation.to_be_bytes());
        mac
    }
}

const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Letters of 16 bytes; the last one carries three bits.
const LENGTH: usize = 26;

fn base32(bytes: [u8; 16]) -> String {
    let value = u128::from_be_bytes(bytes);
    let letter = |n: usize| {
        let bits = if n == LENGTH - 1 { value << 2 } else { value >> (128 - 5 * (n + 1)) };
        char::from(LETTERS[(bits & 31) as usize])
    };
    (0..LENGTH).map(letter).collect()
}

/// Only the one spelling that [`base32`] gives.
fn un_base32(text: &str) -> Option<[u8; 16]> {
    if text.len() != LENGTH {
        return None;
    }
    let mut value = 0_u128;
    for (n, letter) in text.bytes().enumerate() {
        let bits = LETTERS.iter().position(|known| *known == letter)? as u128;
        match n {
            _ if n < LENGTH - 1 => value = value << 5 | bits,
            _ if bits & 3 == 0 => value = value << 3 | bits >> 2,
            _ => return None,
        }
    }
    Some(value.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(1_800_000_000_000_000);

    #[test]
    fn a_key_opens_one_slot_of_one_event_in_one_generation() {
        let (keys, event) = (StreamKeys::new("secret"), VideoId::new());
        let key = keys.key(event, Slot::Backup, 3);
        let text = key.reveal();
        assert_eq!(text.len(), 53);
        assert!(text.bytes().all(|b| b == b'-' || LETTERS.contains(&b)), "{text}");
        assert_eq!(StreamKeys::event(text), Some(event));
        assert_eq!(keys.slot(text, event, 3), Some(Slot::Backup));
        assert_eq!(keys.slot(&format!(" {text}\n"), event, 3), Some(Slot::Backup), "as it is pasted");
        assert_eq!(keys.slot(text, event, 4), None, "the key before it was changed");
        assert_eq!(keys.slot(text, VideoId::new(), 3), None);
        assert_eq!(StreamKeys::new("other").slot(text, event, 3), None);
        assert_ne!(text, keys.key(event, Slot::Primary, 3).reveal());
        assert_eq!(format!("{key:?} {keys:?}"), "StreamKey(…) StreamKeys(…)");
    }

    #[test]
    fn a_key_has_one_spelling() {
        let keys = StreamKeys::new("secret");
        let event = VideoId(Uuid::from_u128(0x0193_03f0_7a4e_7bb0_a1c2_0d7f_3b5c_9e11));
        let key = keys.key(event, Slot::Primary, 1);
        assert_eq!(key.reveal(), "agjqh4d2jz53biocbv7twxe6ce-7ufuk37kcxd6yucww6nt75aa3m");
        let wrong = [
            String::new(),
            "live".into(),
            key.reveal().to_uppercase(),
            key.reveal().replace('-', ""),
            format!("{}a", key.reveal()),
            // The last letter carries three bits: another spelling of the same would be this.
            key.reveal().replace("ce-", "cf-"),
            "ä".repeat(26),
        ];
        for wrong in wrong {
            assert_eq!(StreamKeys::event(&wrong), None, "{wrong}");
            assert_eq!(keys.slot(&wrong, event, 1), None, "{wrong}");
        }
    }

    #[test]
    fn texts_of_bytes_are_read_back() {
        for bytes in [[0; 16], [255; 16], *b"sixteen bytes ok", *VideoId::new().0.as_bytes()] {
            assert_eq!(un_base32(&base32(bytes)), Some(bytes));
        }
    }

    #[test]
    fn settings_keep_their_bounds() {
        let old = Settings::default();
        let change = Change {
            starts_at: Some(Some(NOW.plus(Micros::HOUR))),
            latency: Some("standard".into()),
            dvr_seconds: Some(0),
            record: Some(false),
        };
        let new = change.clone().apply(old, State::Upcoming, NOW).unwrap();
        let starts_at = Some(NOW.plus(Micros::HOUR));
        assert_eq!(new, Settings { starts_at, latency: Latency::Standard, dvr_seconds: 0, record: false });
        assert_eq!(Change::default().apply(new, State::Ended, NOW), Ok(new));
        let fields = |result: Result<Settings, Vec<FieldFault>>| -> Vec<&'static str> {
            result.unwrap_err().into_iter().map(|fault| fault.field).collect()
        };
        assert_eq!(fields(change.clone().apply(old, State::Live, NOW)), ["starts_at", "latency"]);
        assert_eq!(
            fields(change.apply(old, State::Ended, NOW)),
            ["starts_at", "latency", "dvr_seconds", "record"]
        );
        let wrong = Change {
            starts_at: Some(Some(NOW.plus(3 * 366 * Micros::DAY))),
            latency: Some("none".into()),
            dvr_seconds: Some(86_401),
            record: None,
        };
        assert_eq!(fields(wrong.apply(old, State::Upcoming, NOW)), ["starts_at", "latency", "dvr_seconds"]);
    }
}
