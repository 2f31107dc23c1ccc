//! RTMP as a server: publishers come in, nobody plays. Adobe's Real Time Messaging Protocol 1.0, with what Enhanced RTMP v2
//! (Veovera) adds to its handshake of capabilities and to its messages.
//!
//! [`chunk`], [`command`] and [`session`] know no socket; `connection` moves bytes between one and a session, `listener` accepts them.

pub mod chunk;
mod command;
mod connection;
mod listener;
pub mod session;

pub use connection::{Host, Peer};
pub use listener::{Error, Listening, listen};

/// Why a connection cannot go on: the other side does not speak the protocol, or wants more than it may have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("this is not RTMP")]
    NotRtmp,
    #[error("RTMPE is not spoken here: use rtmps://")]
    Rtmpe,
    #[error("chunk streams: more than {0}")]
    ChunkStreams(usize),
    #[error("a chunk of stream {0} leaves out what was never told")]
    NoHeader(u32),
    #[error("a message of chunk stream {0} begins within another")]
    Interrupted(u32),
    #[error("a message of {0} bytes is too large")]
    TooLarge(usize),
    #[error("unfinished messages take more than {0} bytes")]
    TooMuch(usize),
    #[error("chunks of {0} bytes are not possible")]
    ChunkSize(u32),
    #[error("media came before they were asked for")]
    TooEarly,
    #[error("a control message is too short")]
    Control,
    #[error("a command cannot be read: {0}")]
    Command(media::Error),
    #[error("commands: more than {0} before the stream began")]
    TooManyCommands(u32),
}
