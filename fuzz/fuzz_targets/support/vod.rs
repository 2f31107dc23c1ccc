//! The pure parts of the crate `vod`, taken in by their paths: the crate around them needs a database and much else.

#[path = "."]
pub mod guest {
    #[path = "../../../crates/vod/src/guest/sniff.rs"]
    pub mod sniff;
}

#[path = "."]
pub mod probe {
    #[path = "../../../crates/vod/src/probe/index.rs"]
    mod index;
    #[path = "../../../crates/vod/src/probe/info.rs"]
    mod info;
    #[path = "../../../crates/vod/src/probe/json.rs"]
    mod json;
    #[path = "../../../crates/vod/src/probe/language.rs"]
    pub mod language;
    #[path = "../../../crates/vod/src/probe/refusal.rs"]
    mod refusal;

    pub use index::{Index, Packet, packet};
    pub use info::{AudioInfo, Chapter, Display, Ending, Mastering, SourceInfo, VideoInfo};
    pub use json::source_info;
    pub use refusal::Refusal;

    /// What the probe does with a report and the packets.
    pub fn settle(info: &mut SourceInfo, index: &Index) {
        info.settle(index);
    }
}

#[path = "../../../crates/vod/src/plan/mod.rs"]
pub mod plan;
