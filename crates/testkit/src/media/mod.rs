//! Test films, made on the fly by ffmpeg and kept in the cache under the hash of the command that makes them.
//!
//! The picture is `testsrc2` (moving patterns and a running clock, so that frames differ), the sound a sine.

pub mod iso;
mod raw;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};
use tokio::process::Command;

pub use raw::ffmpeg;

/// A film to be made. Start from [`Clip::new`] and change what matters.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    pub width: u32,
    pub height: u32,
    /// As ffmpeg takes it: `25`, `30000/1001`.
    pub fps: &'static str,
    pub seconds: f64,
    pub video: Video,
    /// One tone for each audio track: frequency in Hz.
    pub audio: Vec<u32>,
    pub audio_codec: &'static str,
    pub audio_rate: u32,
    /// Extension, which also chooses the container: `mp4`, `mkv`, `webm`, `mov`, `ts`.
    pub container: &'static str,
    /// Clockwise turn that players apply: 0, 90, 180 or 270. Containers of the MP4 family only.
    pub rotation: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Video {
    None,
    H264,
    /// 10 bits a sample, 4:2:0.
    H264TenBit,
    /// Top field first.
    H264Interlaced,
    /// Frames of uneven length: of each five source frames the second and third are left out.
    H264Variable,
    Vp9,
    Hevc,
}

impl Clip {
    /// H.264 and one AAC track in MP4 at 25 frames a second.
    pub fn new(width: u32, height: u32, seconds: f64) -> Self {
        Self {
            width,
            height,
            fps: "25",
            seconds,
            video: Video::H264,
            audio: vec![440],
            audio_codec: "aac",
            audio_rate: 48_000,
            container: "mp4",
            rotation: 0,
        }
    }

    #[must_use]
    pub fn fps(self, fps: &'static str) -> Self {
        Self { fps, ..self }
    }

    #[must_use]
    pub fn video(self, video: Video) -> Self {
        Self { video, ..self }
    }

    #[must_use]
    pub fn silent(self) -> Self {
        Self { audio: Vec::new(), ..self }
    }

    #[must_use]
    pub fn tones(self, audio: &[u32]) -> Self {
        Self { audio: audio.to_vec(), ..self }
    }

    #[must_use]
    pub fn container(self, container: &'static str) -> Self {
        Self { container, ..self }
    }

    #[must_use]
    pub fn rotation(self, rotation: u32) -> Self {
        Self { rotation, ..self }
    }

    /// The file, made now if the cache lacks it. It is shared: do not change it.
    pub async fn make(&self) -> Result<PathBuf> {
        let args = self.args()?;
        let key = format!("1 {} {args:?}", self.rotation);
        let name = format!("{}.{}", hex::encode(&Sha256::digest(key.as_bytes())[..12]), self.container);
        let dir = crate::cache_dir().join("fixtures");
        let file = dir.join(name);
        if tokio::fs::try_exists(&file).await? {
            return Ok(file);
        }
        tokio::fs::create_dir_all(&dir).await?;
        // Two tests may make the same clip at once: each its own, and the last to rename wins with equal content.
        let partial = dir.join(format!("{}.{}", uuid::Uuid::now_v7().simple(), self.container));
        let made = self.encode(&args, &partial).await;
        if made.is_err() {
            let _ = tokio::fs::remove_file(&partial).await;
        }
        made?;
        tokio::fs::rename(&partial, &file).await?;
        Ok(file)
    }

    async fn encode(&self, args: &[String], to: &Path) -> Result<()> {
        let done = Command::new("ffmpeg")
            .args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y"])
            .args(args)
            .arg(to)
            .kill_on_drop(true)
            .output()
            .await
            .context("run ffmpeg")?;
        ensure!(done.status.success(), "ffmpeg {args:?}: {}", String::from_utf8_lossy(&done.stderr));
        if self.rotation != 0 {
            let mut bytes = tokio::fs::read(to).await?;
            rotate(&mut bytes, self.rotation, self.width, self.height)?;
            tokio::fs::write(to, bytes).await?;
        }
        Ok(())
    }

    /// ffmpeg's arguments but the output file. Bit-exact, so that the same ffmpeg makes the same file.
    fn args(&self) -> Result<Vec<String>> {
        let Self { width, height, fps, seconds, .. } = self;
        ensure!(self.video != Video::None || !self.audio.is_empty(), "a clip of nothing");
        let mut args: Vec<String> = Vec::new();
        let mut add = |text: &str| args.extend(text.split_whitespace().map(str::to_owned));
        let film = self.video != Video::None;
        let odd = width % 2 == 1 || height % 2 == 1;
        if film {
            // Interlacing weaves two pictures into one, so it takes twice as many.
            let rate =
                if self.video == Video::H264Interlaced { format!("2*{fps}") } else { (*fps).to_owned() };
            // The source makes even sides only; an odd one is cut.
            let size = format!("{}x{}", width.next_multiple_of(2), height.next_multiple_of(2));
            let cut = if odd { format!(",format=yuv444p,crop={width}:{height}:0:0") } else { String::new() };
            add(&format!("-f lavfi -i testsrc2=size={size}:rate={rate}:duration={seconds}{cut}"));
        }
        for tone in &self.audio {
            add(&format!(
                "-f lavfi -i sine=frequency={tone}:sample_rate={}:duration={seconds}",
                self.audio_rate
            ));
        }
        for input in 0..self.audio.len() + usize::from(film) {
            add(&format!("-map {input}"));
        }
        // H.264 in 4:2:0 has even sides only; 4:4:4 carries odd ones.
        let pixels = if odd { "yuv444p" } else { "yuv420p" };
        let x264 = "-c:v libx264 -preset ultrafast -crf 23 -bf 2 -g 50 -threads 1";
        match self.video {
            Video::None => {}
            Video::H264 => add(&format!("{x264} -pix_fmt {pixels}")),
            Video::H264TenBit => add(&format!("{x264} -pix_fmt yuv420p10le")),
            Video::H264Interlaced => {
                add(&format!(
                    "-vf tinterlace=mode=interleave_top {x264} -pix_fmt yuv420p -flags +ildct+ilme"
                ));
                add("-x264-params tff=1");
            }
            Video::H264Variable => {
                add(&format!(
                    "-vf select='not(between(mod(n\\,5)\\,1\\,2))' -fps_mode vfr {x264} -pix_fmt {pixels}"
                ));
            }
            Video::Vp9 => {
                add("-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 500k -pix_fmt yuv420p -threads 1")
            }
            Video::Hevc => add(
                "-c:v libx265 -preset ultrafast -pix_fmt yuv420p -tag:v hvc1 -x265-params log-level=error",
            ),
        }
        if !self.audio.is_empty() {
            add(&format!("-c:a {} -b:a 96k", self.audio_codec));
        }
        for (track, language) in (0..self.audio.len()).zip(["eng", "deu", "fra", "spa", "ita"]) {
            add(&format!("-metadata:s:a:{track} language={language}"));
        }
        add("-fflags +bitexact -flags:v +bitexact -flags:a +bitexact -map_metadata -1");
        Ok(args)
    }
}

/// Writes a rotation into the first track header (ISO/IEC 14496-12 §8.3.2), which works with every ffmpeg; its own options for
/// it changed from version to version.
fn rotate(bytes: &mut [u8], degrees: u32, width: u32, height: u32) -> Result<()> {
    let (w, h) = (width as i32, height as i32);
    // a b c d as integers, then x and y in pixels.
    let (a, b, c, d, x, y) = match degrees {
        90 => (0, 1, -1, 0, h, 0),
        180 => (-1, 0, 0, -1, w, h),
        270 => (0, -1, 1, 0, 0, w),
        _ => bail!("a rotation of {degrees} degrees"),
    };
    let header = bytes.windows(4).position(|four| four == b"tkhd").context("no track header")?;
    // Version 1 has 64-bit times and duration.
    let long = usize::from(bytes.get(header + 4) == Some(&1)) * 12;
    let at = header + 44 + long;
    let matrix = bytes.get_mut(at..at + 36).context("track header cut short")?;
    let values = [a << 16, b << 16, 0, c << 16, d << 16, 0, x << 16, y << 16, 1 << 30];
    for (field, value) in matrix.chunks_exact_mut(4).zip(values) {
        field.copy_from_slice(&i32::to_be_bytes(value));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn probe(file: &Path, entries: &str, select: &str) -> Vec<String> {
        let done = Command::new("ffprobe")
            .args(["-v", "error", "-select_streams", select, "-show_entries", entries, "-of", "csv=p=0"])
            .arg(file)
            .output()
            .await
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout)
            .unwrap()
            .lines()
            .map(|line| line.trim_end_matches(',').to_owned())
            .collect()
    }

    async fn pictures(clip: Clip, entries: &str) -> String {
        probe(&clip.make().await.unwrap(), &format!("stream={entries}"), "v").await.remove(0)
    }

    #[tokio::test]
    async fn clips_are_what_they_claim() {
        let clip = Clip::new(160, 120, 1.0);
        assert_eq!(
            pictures(clip.clone(), "codec_name,width,height,r_frame_rate,nb_frames").await,
            "h264,160,120,25/1,25"
        );
        assert_eq!(pictures(clip.clone().fps("30000/1001"), "r_frame_rate,nb_frames").await, "30000/1001,30");
        assert_eq!(pictures(Clip::new(121, 91, 1.0), "width,height,pix_fmt").await, "121,91,yuv444p");
        assert_eq!(pictures(clip.clone().video(Video::H264TenBit), "pix_fmt").await, "yuv420p10le");
        assert_eq!(
            pictures(clip.clone().video(Video::H264Interlaced), "field_order,nb_frames").await,
            "tt,25"
        );
        assert_eq!(pictures(clip.clone().video(Video::Vp9).container("mkv"), "codec_name").await, "vp9");
        assert_eq!(pictures(clip.clone().video(Video::Hevc), "codec_name").await, "hevc");
    }

    #[tokio::test]
    async fn frames_of_a_variable_clip_are_of_uneven_length() {
        let file = Clip::new(160, 120, 1.0).video(Video::H264Variable).make().await.unwrap();
        let lines = probe(&file, "packet=pts_time", "v").await;
        let mut times: Vec<f64> = lines.iter().filter_map(|time| time.parse().ok()).collect();
        times.sort_by(f64::total_cmp);
        assert_eq!(times.len(), 15);
        let steps: Vec<i64> =
            times.windows(2).map(|pair| ((pair[1] - pair[0]) * 100.0).round() as i64).collect();
        assert!(steps.contains(&4) && steps.contains(&12), "{steps:?}");
    }

    #[tokio::test]
    async fn rotation_is_in_the_file() {
        for (turn, seen) in [(90, "-90"), (180, "-180"), (270, "90")] {
            let file = Clip::new(160, 120, 1.0).rotation(turn).make().await.unwrap();
            let rotation = probe(&file, "stream_side_data=rotation", "v").await.remove(0);
            assert_eq!(rotation.trim_end_matches(".00"), seen, "turned by {turn}");
        }
    }

    #[tokio::test]
    async fn tracks_can_be_left_out_and_added() {
        let clip = Clip::new(160, 120, 1.0);
        let silent = clip.clone().silent().make().await.unwrap();
        assert_eq!(probe(&silent, "stream=codec_type", "a").await, Vec::<String>::new());
        let sound = clip.clone().video(Video::None).container("m4a").make().await.unwrap();
        assert_eq!(probe(&sound, "stream=codec_type", "v").await, Vec::<String>::new());
        let two = clip.tones(&[440, 880]).make().await.unwrap();
        assert_eq!(probe(&two, "stream_tags=language", "a").await, ["eng", "deu"]);
    }
}
