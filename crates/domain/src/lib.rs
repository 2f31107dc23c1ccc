//! What Kinora knows without touching the world: ids, roles, visibility, the encoding ladder, playback tokens.
//!
//! Pure and synchronous: no I/O, no async runtime, and time is an argument.

pub mod access;
pub mod id;
pub mod ladder;
pub mod playback_token;
pub mod time;

pub use access::{Role, Scope, Viewer, Visibility};
pub use id::{PresentationId, SourceId, TokenId, UploadId, UserId, VideoId};
pub use time::Micros;
