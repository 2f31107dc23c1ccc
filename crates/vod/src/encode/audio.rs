//! One audio track in one continuous encode, given away in stretches as they come.

use std::path::Path;

use bytes::{Bytes, BytesMut};
use domain::profile::AudioCodec;
use media::{
    cmaf::{self, Kind, Media, TrackSpec},
    codec::Sound,
    descriptor::Segment,
    mp4::{FragmentReader, Item, Limits, Sample, TrackHeader},
};
use tokio::{io::AsyncReadExt, process::ChildStdout, sync::mpsc};

use super::{Error, Result, TrackHead, command};
use crate::{
    guest::{self, Guest},
    plan::AudioPlan,
    probe::language,
    tools::Tools,
};

/// A run of whole segments.
#[derive(Debug, Clone)]
pub struct Stretch {
    pub index: usize,
    pub head: TrackHead,
    pub segments: Vec<Segment>,
    pub bytes: Bytes,
}

/// Encodes `plan`'s track and sends its stretches from `skip` on. The encode is deterministic, so that those before need
/// not be made again after a restart.
///
/// A track of which nothing can be decoded becomes silence: the title is still worth watching.
pub async fn audio(
    tools: &Tools,
    plan: &AudioPlan,
    demuxer: &str,
    input: &Path,
    skip: usize,
    to: mpsc::Sender<Stretch>,
) -> Result<()> {
    let source =
        ["-f", demuxer, "-i"].map(str::to_owned).into_iter().chain([input.display().to_string()]).collect();
    match encode(tools, plan, source, format!("0:{}", plan.stream), true, input, skip, &to).await {
        Err(Error::Mismatch(reason)) if plan.codec != AudioCodec::Eac3 => {
            tracing::warn!(
                track = plan.id,
                reason,
                "nothing of an audio track can be decoded: silence instead"
            );
            let layout = if plan.channels == 1 { "mono" } else { "stereo" };
            let silence = format!("anullsrc=r={}:cl={layout}", plan.sample_rate);
            let source = ["-f", "lavfi", "-i", &silence].map(str::to_owned).to_vec();
            encode(tools, plan, source, "0:0".into(), false, input, skip, &to).await
        }
        other => other,
    }
}

#[allow(clippy::too_many_arguments)]
async fn encode(
    tools: &Tools,
    plan: &AudioPlan,
    source: Vec<String>,
    map: String,
    shift: bool,
    input: &Path,
    skip: usize,
    to: &mpsc::Sender<Stretch>,
) -> Result<()> {
    let guest = Guest::new(&tools.ffmpeg, tools.limits.clone())
        .args(["-v", "error", "-nostdin", "-protocol_whitelist", "file,pipe", "-sn", "-dn"])
        // What cannot be decoded becomes silence.
        .args(["-max_error_rate", "1"])
        .args(if plan.joined.is_some() { &[][..] } else { &["-vn", "-copyts"] }.iter().copied())
        .args(source)
        .args(["-map", &map])
        .args(coder(plan, shift))
        // Tags of the source have no place in the header.
        .args([
            "-map_metadata",
            "-1",
            "-map_chapters",
            "-1",
            "-f",
            "mp4",
            "-frag_duration",
            "2000000",
            "pipe:1",
        ])
        .args(plan.joined.filter(|_| shift).iter().flat_map(command::read_along))
        .reads(input);
    let (running, stdout) = guest.spawn().await?;
    let mut cutter = Cutter::new(plan, skip);
    let outcome = running.finish_with(cut(stdout, &mut cutter, to)).await;
    match outcome {
        // A guest that fails before its first frame has no idea of the track.
        Err(Error::Guest { source: guest::Error::Failed(words), .. }) if cutter.taken == 0 => {
            Err(Error::Mismatch(words))
        }
        Ok(()) if cutter.taken == 0 => Err(Error::Mismatch("no sound came out".into())),
        Ok(()) if cutter.stretch < plan.stretches.len() => {
            Err(Error::Media(media::Error::Truncated("the encoder's audio")))
        }
        other => other,
    }
}

/// What is to be done with the sound.
fn coder(plan: &AudioPlan, shift: bool) -> Vec<String> {
    let encoder = match plan.codec {
        AudioCodec::Aac => "aac",
        AudioCodec::Opus => "libopus",
        // Its header is made of its first frame.
        AudioCodec::Eac3 => {
            return command::words(&["-c:a", "copy", "-movflags", "+delay_moov+default_base_moof"]);
        }
    };
    let (filters, rate) = (filters(plan, shift), plan.bitrate_bps.to_string());
    let flags = "+empty_moov+default_base_moof";
    command::words(&["-af", &filters, "-c:a", encoder, "-b:a", &rate, "-movflags", flags])
}

/// Presentation time 0 at the origin, gaps filled, exactly as many samples as planned (in whole frames).
fn filters(plan: &AudioPlan, shift: bool) -> String {
    let AudioPlan { sample_rate, origin_us, channels, .. } = plan;
    let (samples, lead) = (plan.frames() * plan.frame() + lead(plan.codec), lead(plan.codec));
    let lead = if lead > 0 { format!("adelay={lead}S:all=1,") } else { String::new() };
    let layout = if *channels == 1 { "mono" } else { "stereo" };
    let start = if shift {
        format!("asetpts=PTS-({origin_us}/1000000)/TB,aresample={sample_rate}:async=1:first_pts=0,")
    } else {
        String::new()
    };
    format!(
        "{start}{lead}aformat=sample_fmts=fltp:sample_rates={sample_rate}:channel_layouts={layout},\
         apad=whole_len={samples},atrim=end_sample={samples}"
    )
}

/// What Opus' encoder looks ahead, samples: its output is that much late (RFC 7845 §4.2, pre-skip).
const OPUS_LOOKS_AHEAD: u64 = 312;

/// Samples of silence before the sound, so that the encoder's first frame holds nothing else and the second one begins with
/// the sound. AAC's encoder is late by a whole frame of its own accord.
fn lead(codec: AudioCodec) -> u64 {
    match codec {
        AudioCodec::Aac | AudioCodec::Eac3 => 0,
        AudioCodec::Opus => codec.frame() - OPUS_LOOKS_AHEAD,
    }
}

/// How segments of a codec are written.
pub fn kind(codec: AudioCodec) -> Kind {
    match codec {
        AudioCodec::Aac | AudioCodec::Eac3 => Kind::Audio,
        AudioCodec::Opus => Kind::Opus,
    }
}

async fn cut(mut from: ChildStdout, cutter: &mut Cutter<'_>, to: &mpsc::Sender<Stretch>) -> Result<()> {
    let mut reader = FragmentReader::new(Limits::default());
    let mut buffer = BytesMut::with_capacity(64 << 10);
    while from.read_buf(&mut buffer).await? > 0 {
        reader.feed(&buffer);
        buffer.clear();
        while let Some(item) = reader.next()? {
            let samples = match item {
                Item::Header(header) => {
                    cutter.header = header.tracks.into_iter().next();
                    continue;
                }
                Item::Fragment(fragment) => fragment.samples,
            };
            for sample in samples {
                cutter.check(&sample)?;
                if let Some(stretch) = cutter.push(sample.data)? {
                    // Whoever waited is gone: the job was cancelled.
                    to.send(stretch).await.map_err(|_| Error::Task)?;
                }
            }
        }
    }
    if let Some(stretch) = cutter.rest()? {
        to.send(stretch).await.map_err(|_| Error::Task)?;
    }
    Ok(())
}

/// Counts frames into segments and stretches.
struct Cutter<'a> {
    plan: &'a AudioPlan,
    skip: usize,
    /// What the encoder says of itself.
    header: Option<TrackHeader>,
    /// The first frame of sound that is copied, and whether the frame before had an odd length.
    first: Option<Bytes>,
    odd: bool,
    /// Frames seen, the encoder's priming frame among them.
    taken: u64,
    stretch: usize,
    segment: usize,
    /// Segments of all stretches before.
    sequence: u32,
    pending: Vec<Sample>,
    bytes: Vec<u8>,
    segments: Vec<Segment>,
}

impl<'a> Cutter<'a> {
    fn new(plan: &'a AudioPlan, skip: usize) -> Self {
        Self {
            plan,
            skip,
            header: None,
            first: None,
            odd: false,
            taken: 0,
            stretch: 0,
            segment: 0,
            sequence: 0,
            pending: Vec::new(),
            bytes: Vec::new(),
            segments: Vec::new(),
        }
    }

    /// Sound that is copied must be whole: nothing fills its gaps.
    fn check(&mut self, sample: &Sample) -> Result<()> {
        if self.plan.codec != AudioCodec::Eac3 {
            return Ok(());
        }
        if std::mem::take(&mut self.odd) && self.taken > self.plan.dropped {
            return Err(Error::Gaps);
        }
        // The last one may be told any length.
        self.odd = u64::from(sample.duration) != self.plan.frame();
        if self.first.is_none() {
            self.first = Some(sample.data.clone());
        }
        Ok(())
    }

    /// What is left of sound that ends a little early.
    fn rest(&mut self) -> Result<Option<Stretch>> {
        let last = self.stretch + 1 == self.plan.stretches.len();
        if self.plan.codec != AudioCodec::Eac3 || !last {
            return Ok(None);
        }
        self.cut_segment()?;
        if self.segments.is_empty() && self.stretch >= self.skip { Ok(None) } else { self.cut_stretch() }
    }

    fn push(&mut self, data: Bytes) -> Result<Option<Stretch>> {
        self.taken += 1;
        // What comes first is dropped (the encoder's priming, as a rule): the frame after it stands at time 0.
        let Some(number) = self.taken.checked_sub(self.plan.dropped + 1) else { return Ok(None) };
        let Some(segments) = self.plan.stretches.get(self.stretch) else { return Ok(None) };
        let frame = self.plan.frame();
        let at = number * frame;
        let duration = frame.min(self.plan.samples.saturating_sub(at)).max(1) as u32;
        self.pending.push(Sample { dts: at, cts_offset: 0, duration, is_sync: true, data });
        if (self.pending.len() as u64) < u64::from(segments[self.segment]) {
            return Ok(None);
        }
        let whole = segments.len();
        self.cut_segment()?;
        if self.segment < whole { Ok(None) } else { self.cut_stretch() }
    }

    fn cut_segment(&mut self) -> Result<()> {
        let samples = std::mem::take(&mut self.pending);
        let Some(first) = samples.first() else { return Ok(()) };
        self.sequence += 1;
        self.segment += 1;
        if self.stretch >= self.skip {
            let segment = cmaf::segment(self.sequence, first.dts, &samples, kind(self.plan.codec))?;
            segment.write_to(&mut self.bytes);
            self.segments.push(segment.index);
        }
        Ok(())
    }

    fn cut_stretch(&mut self) -> Result<Option<Stretch>> {
        self.segment = 0;
        self.stretch += 1;
        if self.stretch <= self.skip {
            return Ok(None);
        }
        Ok(Some(Stretch {
            index: self.stretch - 1,
            head: self.head()?,
            segments: std::mem::take(&mut self.segments),
            bytes: std::mem::take(&mut self.bytes).into(),
        }))
    }

    fn head(&self) -> Result<TrackHead> {
        let header = self.header.as_ref().ok_or(media::Error::Truncated("the encoder's header"))?;
        let language = self.plan.language.as_deref().and_then(language::three_letters);
        let mut spec =
            TrackSpec { timescale: self.plan.sample_rate, language, ..TrackSpec::from_header(header, 0)? };
        if let Some(first) = &self.first {
            spec.learn(first)?;
        }
        // Nothing is left to skip: the frame that held it is gone.
        if let Media::Audio(Sound::Opus(config)) = &mut spec.media {
            if u64::from(config.pre_skip) != OPUS_LOOKS_AHEAD {
                return Err(Error::Mismatch(format!("the encoder looks {} samples ahead", config.pre_skip)));
            }
            *config = config.nothing_to_skip();
        }
        TrackHead::new(&spec)
    }
}
