//! What a file holds: its streams, and where its pictures lie, told by ffprobe and believed only within limits.

mod index;
mod info;
mod json;
pub mod language;
mod mastering;
mod outline;
mod packets;
mod refusal;

use std::{path::Path, time::Duration};

pub use index::{Index, Packet};
pub use info::{AudioInfo, Chapter, Ending, Mastering, SourceInfo, VideoInfo};
pub use refusal::Refusal;

use crate::{
    guest::{self, Guest, sniff},
    tools::Tools,
};

/// The longest that one look at a file may take: reading 100 GB from a slow disk, but not thinking for hours.
const MOST_LOOKING: Duration = Duration::from_secs(1800);

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
    let container = sniff::container(&head).ok_or_else(|| match sniff::is_playlist(&head) {
        true => Refusal::Playlist,
        false => Refusal::NotMedia,
    })?;
    let Outline { cut, encrypted, frame } = outline(container, input).await?;
    if encrypted {
        return Err(Refusal::Encrypted.into());
    }
    let report = ffprobe(tools, container, input)
        .args(["-print_format", "json", "-show_format", "-show_streams", "-show_chapters"])
        .args([input])
        .output(8 << 20)
        .await
        .map_err(|error| match error {
            guest::Error::Failed(_) if cut && container == sniff::Container::Mov => Refusal::Truncated.into(),
            error => refused(error),
        })?;
    let mut info = json::source_info(container, &report)?;
    check_size(&info, limits)?;
    let mastering = mastering::look(tools, &info, input).await?;
    if let Some(video) = &mut info.video {
        video.mastering = mastering;
    }
    let stream = info.main_stream().ok_or(Refusal::NoStreams)?;
    let mut index = packets::read(tools, container, input, stream, limits.packets).await?;
    if cut {
        index.drop_torn_end();
    }
    info.frame = frame;
    info.settle(&index);
    // Not even a millisecond: nothing that could be shown, whatever the file announces.
    if info.duration_us < 1000 {
        return Err(Refusal::Empty.into());
    }
    info.sound_end_us = sound_end(tools, &info, &index, input, limits).await?;
    info.sound_start_us = sound_start(&info, &index);
    info.ending = ending(&info, &index, cut);
    check_duration(&info, limits)?;
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
    let end = index.span().and_then(|(_, end)| micros((end, video.time_base))).unwrap_or(0);
    let longer = |audio: &&AudioInfo| audio.told_end_us.is_some_and(|told| told - end >= 1_000_000);
    let mut latest = None;
    for audio in info.audio.iter().filter(longer).take(MOST_LONGER) {
        let packets = packets::read(tools, info.container, input, audio.stream, limits.packets).await?;
        let heard = packets.span().and_then(|(_, end)| micros((end, audio.time_base)));
        latest = latest.max(heard);
    }
    let most = i64::try_from(limits.duration.as_micros()).unwrap_or(i64::MAX);
    Ok(latest.filter(|heard| *heard - end >= 1_000_000 && heard.saturating_sub(end) <= most))
}

/// Ticks of a time base in microseconds.
fn micros((ticks, (num, den)): (i64, (u32, u32))) -> Option<i64> {
    let us = i128::from(ticks) * i128::from(num) * 1_000_000 / i128::from(den.max(1));
    i64::try_from(us).ok()
}

/// When the sound begins, where that is long before the first picture. A clock that is off by more than
/// [`LONGEST_LEAD`] is broken, not early.
fn sound_start(info: &SourceInfo, index: &Index) -> Option<i64> {
    let video = info.video.as_ref()?;
    let (start, _) = index.span()?;
    let start = micros((start, video.time_base))?;
    let first = info.audio.iter().filter_map(|audio| audio.start_us).min()?;
    (SHORTEST_LEAD..=LONGEST_LEAD).contains(&start.checked_sub(first)?).then_some(first)
}

/// Sound that begins less than this before the first picture, microseconds, is cut there: broadcasts begin so.
const SHORTEST_LEAD: i64 = 500_000;
const LONGEST_LEAD: i64 = 600_000_000;

/// What is seen of a file without decoding anything.
struct Outline {
    cut: bool,
    encrypted: bool,
    /// See [`SourceInfo::frame`].
    frame: Option<Vec<(u64, u64)>>,
}

async fn outline(container: sniff::Container, input: &Path) -> Result<Outline> {
    let path = input.to_owned();
    let look = move || {
        let mut file = std::io::BufReader::new(std::fs::File::open(path)?);
        let cut = outline::is_cut(container, &mut file)?;
        if container != sniff::Container::Mov {
            return Ok(Outline { cut, encrypted: false, frame: None });
        }
        let encrypted = outline::is_encrypted(&mut file)?;
        Ok(Outline { cut, encrypted, frame: outline::frame(&mut file)? })
    };
    tokio::task::spawn_blocking(look).await.map_err(std::io::Error::other)?
}

/// Compares what the container tells with what was found.
fn ending(info: &SourceInfo, index: &Index, cut: bool) -> Option<Ending> {
    use sniff::Container::{Asf, Avi, Flac, Flv, Matroska, Mov, Wav};
    let container = info.container;
    let end = index.span().zip(info.main_time_base()).and_then(|((_, end), base)| micros((end, base)));
    let found = end.max(info.sound_end_us).unwrap_or(0).max(info.duration_us);
    // Others are told by guessing from their bit rate, or from their last time stamps.
    let tells = matches!(container, Asf | Avi | Flac | Flv | Matroska | Mov | Wav);
    let missing = if tells { info.told_us.saturating_sub(found) } else { 0 };
    // Its writers often leave a wrong size behind.
    let cut = cut && (container != Avi || missing > 100_000);
    let early = cut || missing > (info.told_us / 50).max(1_000_000);
    let ms = |us: i64| us.max(0).unsigned_abs() / 1000;
    early.then(|| Ending { told_ms: ms(found.saturating_add(missing)), found_ms: ms(found) })
}

/// Audio streams that are looked through for their end.
const MOST_LONGER: usize = 4;

/// A caged ffprobe with a forced demuxer, complete but for what to show and the file's name. It only reads: nobody waits
/// for it as long as for an encoder.
fn ffprobe(tools: &Tools, container: sniff::Container, input: &Path) -> Guest {
    let limits = guest::Limits {
        cpu: tools.limits.cpu.min(MOST_LOOKING),
        wall: tools.limits.wall.min(MOST_LOOKING),
        memory_bytes: tools.limits.memory_bytes.min(4 << 30),
        file_bytes: 0,
        ..tools.limits
    };
    Guest::new(&tools.ffprobe, limits)
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
        guest::Error::Failed(words) => Refusal::Damaged(words).into(),
        guest::Error::TooLarge => Refusal::Damaged("its headers are too large".into()).into(),
        other => other.into(),
    }
}

fn check_size(info: &SourceInfo, limits: &Limits) -> Result<(), Refusal> {
    if let Some(video) = &info.video {
        let (width, height) = (video.coded_width, video.coded_height);
        if u64::from(width) * u64::from(height) > limits.pixels || width > 16_384 || height > 16_384 {
            return Err(Refusal::TooLargePicture { width, height });
        }
    }
    Ok(())
}

/// By what was found, not by what headers tell.
fn check_duration(info: &SourceInfo, limits: &Limits) -> Result<(), Refusal> {
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
