//! SRT as a server: publishers come in, nobody plays (draft-sharabayko-srt-01, live mode, handshake version 5).
//!
//! The protocol is `sapflow-srt`, which knows no socket ([ADR 20](../../../../docs/adr/0020-srt-without-libsrt.md)). `port` moves
//! datagrams between it and a socket, `session` brings one publisher's transport stream into a feed, `stream_id` and `secret` read what
//! a caller says before it is let in.

mod listener;
mod port;
mod secret;
mod session;
mod stream_id;

pub use listener::{Error, Listening, listen};
