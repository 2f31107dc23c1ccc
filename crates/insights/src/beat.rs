//! What players tell of a playback: the body of `POST /api/v1/beats`, read with limits.
//!
//! What has the wrong form is refused in words. Numbers that are merely too large are brought down to what can be true: a
//! player with a bug should not lose its other figures, and nobody can spoil a sum with one beat.

use std::borrow::Cow;

use serde::Deserialize;

/// The version of the format that is understood.
pub const VERSION: u64 = 1;
/// Largest body that is read.
pub const MAX_BODY_BYTES: usize = 256 * 1024;
/// Most beats in one body.
pub const MAX_BEATS: usize = 500;
/// Largest sequence number; a playback of a month at a beat a second has fewer.
pub const MAX_SEQ: u32 = 4_000_000;
/// Older beats count as this old, in milliseconds.
pub const MAX_AGE_MS: u32 = 3_600_000;
/// Longest time that one beat may tell of, in milliseconds.
pub const MAX_INTERVAL_MS: u32 = 120_000;
const MAX_STARTUP_MS: u32 = 600_000;
const MAX_BITRATE_BPS: u32 = 1_000_000_000;
const MAX_BYTES: u64 = 16 << 30;
const MAX_COUNT: u32 = 10_000;
const MAX_HEIGHT: u32 = 10_000;
const MAX_WORD: usize = 64;

/// The beats of one playback session, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The signed token of the playback's media URLs: says which session and title this is.
    pub token: String,
    pub beats: Vec<Beat>,
}

/// One message of a player.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    /// Counts up within the session; the same beat sent again has the same number.
    pub seq: u32,
    /// How long ago this was when it was sent. The clocks of players are not believed.
    pub age_ms: u32,
    /// Who delivered the media; empty: the origin itself.
    pub edge: Box<str>,
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The first frame is there, so long after the click.
    Start { startup_ms: u32 },
    /// Some time went by.
    Play(Play),
    /// Something went wrong. `fatal`: the playback ended by it. `started`: there had been a first frame.
    Error { code: Box<str>, fatal: bool, started: bool },
    /// The playback is over.
    End,
}

/// How some time of a playback went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Play {
    /// Time with a moving picture.
    pub playing_ms: u32,
    /// Time in which the viewer waited for media after the first frame.
    pub stalled_ms: u32,
    pub stalls: u32,
    /// Of the rendition that played; 0: unknown.
    pub bitrate_bps: u32,
    /// Media bytes fetched.
    pub bytes: u64,
    pub dropped_frames: u32,
    /// Ahead of the position, at the end of the interval.
    pub buffer_ms: u32,
    /// Short side of the picture that is decoded; 0: unknown.
    pub height: u32,
    /// Changes of rendition.
    pub switches: u32,
}

impl What {
    /// Its word in the format and in metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Start { .. } => "start",
            Self::Play(_) => "play",
            Self::Error { .. } => "error",
            Self::End => "end",
        }
    }
}

/// Why a body was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("The body cannot be used: {0}.")]
    Unreadable(String),
    #[error("This instance understands version {VERSION} of the beats format, not {0}.")]
    Version(u64),
    #[error("Send 1 to {MAX_BEATS} beats at once, not {0}.")]
    Count(usize),
    #[error("Beat {index}: {words}")]
    Beat { index: usize, words: &'static str },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireBody<'a> {
    v: u64,
    #[serde(borrow)]
    token: Cow<'a, str>,
    #[serde(borrow)]
    beats: Vec<WireBeat<'a>>,
}

#[derive(Deserialize)]
struct Versioned {
    v: u64,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Start,
    Play,
    Error,
    End,
}

/// Flat, so that a beat is read in one go; which fields belong to which kind is checked after.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireBeat<'a> {
    seq: u32,
    #[serde(default)]
    age_ms: u64,
    kind: Kind,
    #[serde(default, borrow)]
    edge: Option<Cow<'a, str>>,
    startup_ms: Option<u64>,
    playing_ms: Option<u64>,
    stalled_ms: Option<u64>,
    stalls: Option<u64>,
    bitrate_bps: Option<u64>,
    bytes: Option<u64>,
    dropped_frames: Option<u64>,
    buffer_ms: Option<u64>,
    height: Option<u64>,
    switches: Option<u64>,
    #[serde(default, borrow)]
    code: Option<Cow<'a, str>>,
    fatal: Option<bool>,
    started: Option<bool>,
}

/// Reads a body of at most [`MAX_BODY_BYTES`].
pub fn read(bytes: &[u8]) -> Result<Body, Refused> {
    let body: WireBody<'_> = match serde_json::from_slice(bytes) {
        Ok(body) => body,
        // Another version may have other fields: then that is what to say.
        Err(error) => {
            return Err(match serde_json::from_slice::<Versioned>(bytes) {
                Ok(Versioned { v }) if v != VERSION => Refused::Version(v),
                _ => Refused::Unreadable(error.to_string()),
            });
        }
    };
    if body.v != VERSION {
        return Err(Refused::Version(body.v));
    }
    if body.beats.is_empty() || body.beats.len() > MAX_BEATS {
        return Err(Refused::Count(body.beats.len()));
    }
    let mut beats = Vec::with_capacity(body.beats.len());
    let mut last = None;
    for (index, wire) in body.beats.into_iter().enumerate() {
        let refuse = |words| Refused::Beat { index, words };
        if last.is_some_and(|last| wire.seq <= last) {
            return Err(refuse("`seq` must grow from beat to beat."));
        }
        last = Some(wire.seq);
        beats.push(beat(&wire).map_err(refuse)?);
    }
    Ok(Body { token: body.token.into_owned(), beats })
}

fn beat(wire: &WireBeat<'_>) -> Result<Beat, &'static str> {
    if wire.seq > MAX_SEQ {
        return Err("`seq` is larger than any playback needs.");
    }
    let edge = wire.edge.as_deref().unwrap_or_default();
    if !is_name(edge) {
        return Err("`edge` is a name of up to 64 lower-case letters, digits, `.`, `_` and `-`.");
    }
    let age_ms = at_most(Some(wire.age_ms), MAX_AGE_MS);
    Ok(Beat { seq: wire.seq, age_ms, edge: edge.into(), what: what(wire)? })
}

fn what(wire: &WireBeat<'_>) -> Result<What, &'static str> {
    let of_play = [
        wire.playing_ms,
        wire.stalled_ms,
        wire.stalls,
        wire.bitrate_bps,
        wire.bytes,
        wire.dropped_frames,
        wire.buffer_ms,
        wire.height,
        wire.switches,
    ];
    let plays = of_play.iter().any(Option::is_some);
    let fails = wire.code.is_some() || wire.fatal.is_some() || wire.started.is_some();
    let starts = wire.startup_ms.is_some();
    match wire.kind {
        Kind::Start if plays || fails => Err("A `start` has `startup_ms` and nothing of other kinds."),
        Kind::Start => match wire.startup_ms {
            Some(ms) => Ok(What::Start { startup_ms: at_most(Some(ms), MAX_STARTUP_MS) }),
            None => Err("A `start` has `startup_ms`."),
        },
        Kind::Play if starts || fails => Err("A `play` has nothing of other kinds."),
        Kind::Play if wire.playing_ms.is_none() || wire.stalled_ms.is_none() => {
            Err("A `play` has `playing_ms` and `stalled_ms`.")
        }
        Kind::Play => Ok(What::Play(Play {
            playing_ms: at_most(wire.playing_ms, MAX_INTERVAL_MS),
            stalled_ms: at_most(wire.stalled_ms, MAX_INTERVAL_MS),
            stalls: at_most(wire.stalls, MAX_COUNT),
            bitrate_bps: at_most(wire.bitrate_bps, MAX_BITRATE_BPS),
            bytes: wire.bytes.unwrap_or_default().min(MAX_BYTES),
            dropped_frames: at_most(wire.dropped_frames, MAX_COUNT),
            buffer_ms: at_most(wire.buffer_ms, MAX_AGE_MS),
            height: at_most(wire.height, MAX_HEIGHT),
            switches: at_most(wire.switches, MAX_COUNT),
        })),
        Kind::Error if starts || plays => Err("An `error` has nothing of other kinds."),
        Kind::Error => match (wire.code.as_deref(), wire.fatal, wire.started) {
            (Some(code), Some(fatal), Some(started)) if is_code(code) => {
                Ok(What::Error { code: code.into(), fatal, started })
            }
            (Some(_), Some(_), Some(_)) => {
                Err("`code` is 1 to 64 letters, digits, `.`, `_` and `-`, such as `PLAY-1001-503`.")
            }
            _ => Err("An `error` has `code`, `fatal` and `started`."),
        },
        Kind::End if starts || plays || fails => Err("An `end` has nothing of other kinds."),
        Kind::End => Ok(What::End),
    }
}

fn at_most(value: Option<u64>, most: u32) -> u32 {
    u32::try_from(value.unwrap_or_default()).unwrap_or(u32::MAX).min(most)
}

fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    text.len() <= MAX_WORD && text.bytes().all(fits)
}

fn is_code(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !text.is_empty() && text.len() <= MAX_WORD && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(beat: serde_json::Value) -> Result<Beat, Refused> {
        let body = json!({ "v": 1, "token": "t", "beats": [beat] }).to_string();
        read(body.as_bytes()).map(|mut body| body.beats.remove(0))
    }

    #[test]
    fn each_kind_is_read() {
        let start = one(json!({ "seq": 0, "kind": "start", "startup_ms": 412 })).unwrap();
        assert_eq!(start, Beat { seq: 0, age_ms: 0, edge: "".into(), what: What::Start { startup_ms: 412 } });
        let play = json!({ "seq": 1, "age_ms": 30, "kind": "play", "edge": "edge-1.example", "playing_ms": 9000,
            "stalled_ms": 1000, "stalls": 1, "bitrate_bps": 5_200_000, "bytes": 6_000_000, "dropped_frames": 2,
            "buffer_ms": 12_000, "height": 1080, "switches": 1 });
        let play = one(play).unwrap();
        assert_eq!((play.age_ms, &*play.edge), (30, "edge-1.example"));
        let What::Play(told) = play.what else { panic!("{play:?}") };
        assert_eq!(
            (told.playing_ms, told.stalled_ms, told.bytes, told.height),
            (9000, 1000, 6_000_000, 1080)
        );
        let error = one(
            json!({ "seq": 2, "kind": "error", "code": "PLAY-1001-503", "fatal": true, "started": false }),
        )
        .unwrap();
        assert_eq!(error.what, What::Error { code: "PLAY-1001-503".into(), fatal: true, started: false });
        assert_eq!(one(json!({ "seq": 3, "kind": "end" })).unwrap().what, What::End);
    }

    #[test]
    fn numbers_are_brought_down_to_what_can_be_true() {
        let huge = json!({ "seq": 1, "age_ms": u64::MAX, "kind": "play", "playing_ms": u64::MAX, "stalled_ms": 900_000,
            "bytes": u64::MAX, "bitrate_bps": u64::MAX, "stalls": u64::MAX });
        let beat = one(huge).unwrap();
        assert_eq!(beat.age_ms, MAX_AGE_MS);
        let What::Play(play) = beat.what else { panic!() };
        assert_eq!((play.playing_ms, play.stalled_ms), (MAX_INTERVAL_MS, MAX_INTERVAL_MS));
        assert_eq!((play.bytes, play.bitrate_bps, play.stalls), (MAX_BYTES, MAX_BITRATE_BPS, MAX_COUNT));
    }

    #[test]
    fn hostile_bodies_are_refused_in_words() {
        let play = json!({ "seq": 1, "kind": "play", "playing_ms": 1, "stalled_ms": 0 });
        let with = |field: &str, value: serde_json::Value| {
            let mut beat = play.clone();
            beat[field] = value;
            json!({ "v": 1, "token": "t", "beats": [beat] }).to_string()
        };
        let many: Vec<_> = (0..=MAX_BEATS).map(|seq| json!({ "seq": seq, "kind": "end" })).collect();
        let cases = [
            (String::new(), "cannot be used"),
            ("[]".into(), "cannot be used"),
            ("{\"v\":1".into(), "cannot be used"),
            ("[".repeat(100_000), "cannot be used"),
            (json!({ "v": 2, "beats": "others" }).to_string(), "version 1"),
            (json!({ "v": 2, "token": "t", "beats": [] }).to_string(), "version 1"),
            (json!({ "v": 1, "token": "t", "beats": [] }).to_string(), "1 to 500"),
            (json!({ "v": 1, "token": "t", "beats": many }).to_string(), "1 to 500"),
            (json!({ "v": 1, "beats": [play] }).to_string(), "token"),
            (json!({ "v": 1, "token": "t", "beats": [play, play] }).to_string(), "must grow"),
            (with("seq", json!(-1)), "cannot be used"),
            (with("seq", json!(1.5)), "cannot be used"),
            (with("seq", json!(5_000_000)), "larger than any"),
            (with("kind", json!("pause")), "unknown variant"),
            (with("title", json!("x")), "unknown field"),
            (with("playing_ms", json!(-1)), "cannot be used"),
            (with("playing_ms", json!(null)), "`playing_ms` and"),
            (with("playing_ms", json!(1e300)), "cannot be used"),
            (with("startup_ms", json!(1)), "other kinds"),
            (with("code", json!("x")), "other kinds"),
            (with("edge", json!("Ä")), "`edge`"),
            (with("edge", json!("a/b")), "`edge`"),
            (with("edge", json!("a".repeat(65))), "`edge`"),
            (with("edge", json!("a\n")), "`edge`"),
        ];
        for (body, words) in cases {
            let refused = read(body.as_bytes()).unwrap_err().to_string();
            assert!(refused.contains(words), "{body:.200}: {refused}");
        }
        for beat in [
            json!({ "seq": 1, "kind": "start" }),
            json!({ "seq": 1, "kind": "start", "startup_ms": 1, "fatal": true }),
            json!({ "seq": 1, "kind": "error", "code": "x" }),
            json!({ "seq": 1, "kind": "error", "code": "", "fatal": true, "started": true }),
            json!({ "seq": 1, "kind": "error", "code": "<b>", "fatal": true, "started": true }),
            json!({ "seq": 1, "kind": "end", "bytes": 1 }),
        ] {
            assert!(matches!(one(beat.clone()), Err(Refused::Beat { index: 0, .. })), "{beat}");
        }
    }
}
