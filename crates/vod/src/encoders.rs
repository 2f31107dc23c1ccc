//! Which encoders this machine's ffmpeg has: a worker takes no job that it cannot do.

use std::path::Path;

use domain::profile::{AudioCodec, VideoCodec};

/// Codecs that can be encoded here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoders {
    video: Vec<VideoCodec>,
    audio: Vec<AudioCodec>,
}

impl Encoders {
    /// Asks the program. H.264 and AAC are taken for granted: without them no title can be made, and their jobs should say
    /// so.
    pub fn of(ffmpeg: &Path) -> Self {
        let listed = std::process::Command::new(ffmpeg).args(["-hide_banner", "-encoders"]).output();
        let listed = match listed {
            Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
            Err(error) => {
                tracing::error!(program = %ffmpeg.display(), %error, "the encoder cannot be started");
                String::new()
            }
        };
        let found = Self::listed(&listed);
        let words = found.words();
        tracing::info!(codecs = words.join(" "), "encoders found");
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
        Self { video: video.collect(), audio: audio.collect() }
    }

    pub fn video(&self) -> &[VideoCodec] {
        &self.video
    }

    pub fn audio(&self) -> &[AudioCodec] {
        &self.audio
    }

    /// Names of all of them.
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
