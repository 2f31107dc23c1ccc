//! Which encoders this machine's ffmpeg has: a worker takes no job that it cannot do.

use std::{path::Path, sync::Arc, time::Duration};

use domain::profile::{AudioCodec, VideoCodec};

use crate::{
    guest::{self, Guest},
    hardware::{self, Hardware, StandIn, Wish},
    tools::Tools,
};

/// What can be encoded here. Every codec by software: hardware only helps, since it may fail.
#[derive(Debug, Clone)]
pub struct Encoders {
    video: Vec<VideoCodec>,
    audio: Vec<AudioCodec>,
    hardware: Arc<Hardware>,
}

/// A list of encoders.
const MOST_BYTES: usize = 1 << 20;

impl Encoders {
    /// Asks the program, and tries what it has for hardware, with files `under` a directory. H.264 and AAC are taken for granted: without them no title can be
    /// made, and their jobs should say so.
    pub async fn find(tools: &Tools, wish: &Wish, under: &Path) -> Self {
        let limits = guest::Limits { wall: Duration::from_secs(60), ..tools.limits.clone() };
        let asked = Guest::new(&tools.ffmpeg, limits).args(["-hide_banner", "-encoders"]);
        let text = match asked.output(MOST_BYTES).await {
            Ok(told) => String::from_utf8_lossy(&told).into_owned(),
            Err(error) => {
                tracing::error!(program = %tools.ffmpeg.display(), %error, "the encoder cannot be asked what it can do");
                String::new()
            }
        };
        let mut found = Self::listed(&text);
        let words = found.words();
        tracing::info!(codecs = words.join(" "), "encoders found");
        let stand_in = StandIn::from_environment();
        let listed = match &stand_in {
            Some(stand_in) => stand_in.listed(),
            None => hardware::listed(&text, wish.backends(), &hardware::render_nodes()),
        };
        let tried = hardware::try_all(tools, listed, stand_in.as_ref(), under).await;
        found.hardware = Arc::new(Hardware::new(tried, wish, stand_in));
        found
    }

    fn listed(text: &str) -> Self {
        // ` V....D libx265   libx265 H.265 / HEVC (codec hevc)`
        let has = |name: &str| text.lines().any(|line| line.split_whitespace().nth(1) == Some(name));
        let video = VideoCodec::ALL.into_iter().filter(|codec| match codec {
            VideoCodec::H264 => true,
            VideoCodec::Hevc => has("libx265"),
            VideoCodec::Vp9 => has("libvpx-vp9"),
            VideoCodec::Av1 => has("libsvtav1"),
        });
        let audio =
            [AudioCodec::Aac, AudioCodec::Opus, AudioCodec::Eac3].into_iter().filter(|codec| match codec {
                // The last is only copied.
                AudioCodec::Aac | AudioCodec::Eac3 => true,
                AudioCodec::Opus => has("libopus"),
            });
        Self { video: video.collect(), audio: audio.collect(), hardware: Arc::default() }
    }

    pub fn video(&self) -> &[VideoCodec] {
        &self.video
    }

    pub fn audio(&self) -> &[AudioCodec] {
        &self.audio
    }

    pub fn hardware(&self) -> &Arc<Hardware> {
        &self.hardware
    }

    /// Names of all codecs.
    pub fn words(&self) -> Vec<&'static str> {
        self.video
            .iter()
            .map(|codec| codec.word())
            .chain(self.audio.iter().map(|codec| codec.word()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_can_be_encoded() {
        let text = " V....D libx265              libx265 H.265 / HEVC (codec hevc)\n V..... libsvtav1            SVT-AV1 \
                    encoder (codec av1)\n A....D libopus              libopus Opus (codec opus)\n";
        assert_eq!(Encoders::listed(text).words(), ["h264", "hevc", "av1", "aac", "opus", "eac3"]);
        assert_eq!(Encoders::listed("").words(), ["h264", "aac", "eac3"]);
    }
}
