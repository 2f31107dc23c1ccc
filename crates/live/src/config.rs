//! What an operator sets.

use std::{fmt, net::SocketAddr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{event::Making, ring::Window};

/// Where publishers come in, and what they may do.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address under which other processes reach this one over HTTP, such as `http://10.0.0.5:8080`: origins ask there for events that
    /// are here. Needed where they are processes of their own.
    pub url: Option<String>,
    pub rtmp: Rtmp,
    pub srt: Srt,
    /// For publishers of whom the event says nothing else.
    pub limits: Limits,
    pub windows: Windows,
    pub making: Making,
}

/// RTMP and RTMPS.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rtmp {
    /// Address to listen on; none: RTMP is off.
    pub listen: Option<SocketAddr>,
    /// The same for RTMP within TLS.
    pub listen_tls: Option<SocketAddr>,
    /// Most connections at the same time, those that are not let in yet among them.
    pub max_connections: usize,
    /// The same for one address (an IPv6 /64); 0: no limit.
    pub max_connections_per_address: u32,
    /// How long it may take from the connection to the stream key, milliseconds; TLS included.
    pub handshake_ms: u32,
    /// Longest silence of a publisher, milliseconds.
    pub idle_ms: u32,
    /// After this silence another publisher with the same key takes the place, milliseconds.
    pub takeover_ms: u32,
    /// How long a wrong key waits for its answer, milliseconds.
    pub refusal_ms: u32,
    /// How long publishers may take to go when the process stops, milliseconds.
    pub grace_ms: u32,
    /// Largest message: a coded frame.
    pub max_message_bytes: u32,
    /// Most bytes of messages that have begun and not ended, over all chunk streams of a connection.
    pub max_partial_bytes: u32,
    /// Most chunk streams of a connection.
    pub max_chunk_streams: u32,
}

/// SRT: MPEG transport streams over UDP.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Srt {
    /// Ports to listen on; none: SRT is off.
    pub listen: Vec<SrtPort>,
    /// Most connections at the same time, all ports together, those that are not let in yet among them.
    pub max_connections: usize,
    /// The same for one address (an IPv6 /64); 0: no limit.
    pub max_connections_per_address: u32,
    /// Most handshakes that a port answers in a second.
    pub handshakes_per_second: u32,
    /// How long it may take to let a publisher in, milliseconds.
    pub handshake_ms: u32,
    /// A connection from which nothing comes for so long is lost, milliseconds. Encoders send a sign of life each second.
    pub lost_ms: u32,
    /// Longest silence of a publisher whose connection lives, milliseconds.
    pub idle_ms: u32,
    /// After this silence another publisher with the same key takes the place, milliseconds.
    pub takeover_ms: u32,
    /// How long a wrong key waits for its answer, milliseconds.
    pub refusal_ms: u32,
    /// How long publishers may take to go when the process stops, milliseconds.
    pub grace_ms: u32,
    /// Packets of up to 1,456 bytes that a connection may hold until their time comes: the latency times the bitrate must fit.
    pub max_buffer_packets: u32,
    /// Largest coded frame.
    pub max_frame_bytes: u32,
    /// Most bytes of frames that have begun and not ended, over all tracks of a connection.
    pub max_partial_bytes: u32,
}

/// One port for SRT.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SrtPort {
    pub address: SocketAddr,
    /// Encrypts what comes in: who does not know it stays outside. None: nothing is encrypted.
    #[serde(default, skip_serializing)]
    pub passphrase: Option<Passphrase>,
    /// Length of the keys of encoders that do not choose one, bits: 128 or 256.
    #[serde(default = "key_bits")]
    pub key_bits: u16,
    /// How long packets are waited for, milliseconds; encoders may ask for more.
    #[serde(default = "latency_ms")]
    pub latency_ms: u32,
}

impl SrtPort {
    /// A port that does not encrypt.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, passphrase: None, key_bits: key_bits(), latency_ms: latency_ms() }
    }
}

fn key_bits() -> u16 {
    128
}

fn latency_ms() -> u32 {
    500
}

/// A passphrase of SRT: 10 to 79 bytes. Never in logs.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Passphrase(String);

impl Passphrase {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// What one publisher may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Over five seconds, all tracks together.
    pub bitrate_bps: u64,
    pub tracks: u32,
    /// Longer and shorter side of the picture.
    pub width: u32,
    pub height: u32,
    /// 0: no limit.
    pub duration_seconds: u64,
}

/// What the ring of a track keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Windows {
    pub seconds: u32,
    pub video_bytes: u64,
    pub audio_bytes: u64,
}

impl Default for Rtmp {
    fn default() -> Self {
        Self {
            listen: None,
            listen_tls: None,
            max_connections: 1_000,
            max_connections_per_address: 64,
            handshake_ms: 10_000,
            idle_ms: 15_000,
            takeover_ms: 3_000,
            refusal_ms: 1_000,
            grace_ms: 5_000,
            max_message_bytes: 8 << 20,
            max_partial_bytes: 12 << 20,
            max_chunk_streams: 32,
        }
    }
}

impl Default for Srt {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            max_connections: 1_000,
            max_connections_per_address: 64,
            handshakes_per_second: 200,
            handshake_ms: 10_000,
            lost_ms: 5_000,
            idle_ms: 15_000,
            takeover_ms: 3_000,
            refusal_ms: 1_000,
            grace_ms: 5_000,
            max_buffer_packets: 8_192,
            max_frame_bytes: 8 << 20,
            max_partial_bytes: 12 << 20,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { bitrate_bps: 50_000_000, tracks: 8, width: 3840, height: 2160, duration_seconds: 0 }
    }
}

impl Default for Windows {
    fn default() -> Self {
        Self { seconds: 20, video_bytes: 96 << 20, audio_bytes: 4 << 20 }
    }
}

impl Windows {
    pub(crate) fn video(self) -> Window {
        Window { time: Duration::from_secs(self.seconds.into()), bytes: self.video_bytes }
    }

    pub(crate) fn audio(self) -> Window {
        Window { time: Duration::from_secs(self.seconds.into()), bytes: self.audio_bytes }
    }
}

pub(crate) fn milliseconds(ms: u32) -> Duration {
    Duration::from_millis(ms.into())
}
