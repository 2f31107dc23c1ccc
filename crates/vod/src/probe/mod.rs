//! What a file holds: its streams, and where its pictures lie, told by ffprobe and believed only within limits.

mod index;
mod info;
mod json;

use std::{path::Path, time::Duration};

pub use index::{Index, Packet};
pub use info::{AudioInfo, Chapter, SourceInfo, VideoInfo};

use crate::{
    guest::{self, Guest, sniff},
    tools::Tools,
};

/// What is taken in at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    pub duration: Duration,
    /// Pixels of one picture.
    pub pixels: u64,
    /// Pictures or audio packets of one stream.
    pub packets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { duration: Duration::from_secs(24 * 3600), pixels: 8192 * 4608, packets: 6_000_000 }
    }
}

/// Why a file is not made into a title, in words for its creator. A retry never helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("This is not a video or audio file that Kinora can read.")]
    NotMedia,
    #[error(
        "The file is incomplete: the part that says where its pictures lie is missing. It may have been cut off while it was recorded or copied."
    )]
    Truncated,
    #[error("The file cannot be read; it may be damaged ({0}).")]
    Damaged(String),
    #[error("There is neither a video nor an audio stream in this file.")]
    NoStreams,
    #[error("The file is encrypted (it carries copy protection).")]
    Encrypted,
    #[error("Nothing in this file can be decoded ({0}).")]
    Undecodable(String),
    #[error("It plays for {} hours; at most {} are accepted.", .hours, .most)]
    TooLong { hours: u64, most: u64 },
    #[error("Its picture of {width} × {height} is larger than what is accepted.")]
    TooLargePicture { width: u32, height: u32 },
    #[error("It has more than {0} pictures.")]
    TooManyPictures(usize),
    #[error("It is empty: no picture and no sound of any length.")]
    Empty,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("probing: {0}")]
    Guest(#[from] guest::Error),
    #[error("reading the source: {0}")]
    Io(#[from] std::io::Error),
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Looks at a local file. Gives what is in it and the index of its main stream.
pub async fn probe(tools: &Tools, input: &Path, limits: &Limits) -> Result<(SourceInfo, Index)> {
    let head = read_head(input).await?;
    let container = sniff::container(&head).ok_or(Refusal::NotMedia)?;
    let report = ffprobe(tools, container, input)
        .args(["-print_format", "json", "-show_format", "-show_streams", "-show_chapters"])
        .args([input])
        .output(8 << 20)
        .await
        .map_err(refused)?;
    let mut info = json::source_info(container, &report)?;
    check(&info, limits)?;
    let stream = info.main_stream().ok_or(Refusal::NoStreams)?;
    let index = index::read(tools, container, input, stream, limits.packets).await?;
    info.settle(&index);
    if info.duration_us <= 0 {
        return Err(Refusal::Empty.into());
    }
    info.sound_end_us = sound_end(tools, &info, &index, input, limits).await?;
    check(&info, limits)?;
    Ok((info, index))
}

/// When the sound ends, where it goes on long after the last picture: what headers tell is believed when packets bear
/// it out.
async fn sound_end(
    tools: &Tools,
    info: &SourceInfo,
    index: &Index,
    input: &Path,
    limits: &Limits,
) -> Result<Option<i64>> {
    let Some(video) = &info.video else { return Ok(None) };
    let micros = |(ticks, (num, den)): (i64, (u32, u32))| {
        let us = i128::from(ticks) * i128::from(num) * 1_000_000 / i128::from(den.max(1));
        i64::try_from(us).ok()
    };
    let end = index.span().and_then(|(_, end)| micros((end, video.time_base))).unwrap_or(0);
    let longer = |audio: &&AudioInfo| audio.told_end_us.is_some_and(|told| told - end >= 1_000_000);
    let mut latest = None;
    for audio in info.audio.iter().filter(longer).take(MOST_LONGER) {
        let packets = index::read(tools, info.container, input, audio.stream, limits.packets).await?;
        let heard = packets.span().and_then(|(_, end)| micros((end, audio.time_base)));
        latest = latest.max(heard);
    }
    let most = i64::try_from(limits.duration.as_micros()).unwrap_or(i64::MAX);
    Ok(latest.filter(|heard| *heard - end >= 1_000_000 && heard.saturating_sub(end) <= most))
}

/// Audio streams that are looked through for their end.
const MOST_LONGER: usize = 4;

/// A caged ffprobe with a forced demuxer, complete but for what to show and the file's name.
fn ffprobe(tools: &Tools, container: sniff::Container, input: &Path) -> Guest {
    Guest::new(&tools.ffprobe, tools.limits.clone())
        .args(["-v", "error", "-protocol_whitelist", "file,pipe", "-f", container.demuxer()])
        .reads(input)
}

async fn read_head(input: &Path) -> std::io::Result<Vec<u8>> {
    use tokio::io::AsyncReadExt;
    let mut head = Vec::with_capacity(sniff::PREFIX);
    tokio::fs::File::open(input).await?.take(sniff::PREFIX as u64).read_to_end(&mut head).await?;
    Ok(head)
}

/// ffprobe's complaint as a refusal; what is no fault of the file stays an error.
fn refused(error: guest::Error) -> Error {
    match error {
        guest::Error::Failed(words) if words.contains("moov atom not found") => Refusal::Truncated.into(),
        guest::Error::Failed(words) => Refusal::Damaged(plain(&words)).into(),
        guest::Error::TooLarge => Refusal::Damaged("its headers are too large".into()).into(),
        other => other.into(),
    }
}

/// A guest's words without the names of local files and addresses in memory.
pub(crate) fn plain(words: &str) -> String {
    let last = words.rsplit("; ").next().unwrap_or(words);
    let text = match last.find("] ") {
        Some(at) if last.starts_with('[') => &last[at + 2..],
        _ => last,
    };
    let kept: Vec<&str> = text.split_whitespace().filter(|word| !word.contains('/')).collect();
    kept.join(" ").chars().take(160).collect()
}

fn check(info: &SourceInfo, limits: &Limits) -> Result<(), Refusal> {
    if let Some(video) = &info.video {
        let (width, height) = (video.coded_width, video.coded_height);
        if u64::from(width) * u64::from(height) > limits.pixels || width > 16_384 || height > 16_384 {
            return Err(Refusal::TooLargePicture { width, height });
        }
    }
    let seconds = info.duration_us.max(0) as u64 / 1_000_000;
    if seconds > limits.duration.as_secs() {
        return Err(Refusal::TooLong {
            hours: seconds.div_ceil(3600),
            most: limits.duration.as_secs() / 3600,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
