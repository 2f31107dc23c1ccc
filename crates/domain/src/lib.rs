//! What Kinora knows without touching the world: ids, roles, who may see what, what a title says of itself, the encoding
//! ladder, pictures, playback tokens.
//!
//! Pure and synchronous: no I/O, no async runtime, and time is an argument.

pub mod accept;
pub mod access;
pub mod artwork;
pub mod details;
pub mod edges;
pub mod estimate;
pub mod event;
pub mod id;
pub mod ladder;
pub mod live;
pub mod locale;
pub mod network;
pub mod playback_token;
pub mod profile;
pub mod related;
pub mod revocation;
pub mod text;
pub mod time;
pub mod topic;
pub mod vocabulary;
pub mod words;

pub use access::{Audience, Role, Scope, Viewer, Visibility};
pub use id::{PresentationId, SourceId, TokenId, UploadId, UserId, VersionId, VideoId, WebhookId};
pub use locale::{Country, Language};
pub use network::Network;
pub use time::Micros;
pub use topic::{Gone, Message, Topic};
