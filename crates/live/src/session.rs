//! What publishers' sessions do alike, whatever the protocol: ask the door, fill the feed within the limits, and know when to go.

use std::time::Duration;

use media::{cmaf::Media, frame::Event};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::{
    Admission, Door, Ended, FeedWriter, Knock, Limits, Refusal, Slots, slots::Hold, timeline::Timeline,
};

/// The bitrate is looked at after this time.
const SETTLED: Duration = Duration::from_secs(3);

/// Why a publisher is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum No {
    /// Another one is there.
    Busy,
    Door(Refusal),
}

impl No {
    pub fn ended(&self) -> Ended {
        Ended::Refused(match self {
            Self::Busy => "busy",
            Self::Door(Refusal::UnknownKey) => "unknown key",
            Self::Door(Refusal::NotNow(_)) => "not now",
            Self::Door(Refusal::Unavailable) => "unavailable",
        })
    }
}

/// Asks whether a publisher may come in, and takes its place. A wrong key is answered after `refusal`, whatever is wrong with it.
pub async fn ask<D: Door>(
    door: &D,
    slots: &Slots,
    knock: Knock,
    takeover: Duration,
    refusal: Duration,
) -> Result<(Admission, Hold), No> {
    let since = Instant::now();
    match door.admit(knock).await {
        Ok(admission) => match slots.take(&admission.event, admission.slot, takeover).await {
            Some(hold) => Ok((admission, hold)),
            None => Err(No::Busy),
        },
        Err(no) => {
            if no == Refusal::UnknownKey {
                sleep(refusal.saturating_sub(since.elapsed())).await;
            }
            Err(No::Door(no))
        }
    }
}

/// Waits until the publisher has to go, whatever it sends.
pub async fn sent_away(feed: crate::Feed, hold: &Hold, stop: &CancellationToken, limits: Limits) -> Ended {
    let duration = limits.duration_seconds;
    // 0 is no limit, and more than a hundred years is none.
    let longest = u64::from(u32::MAX);
    let seconds = if duration == 0 { longest } else { duration.min(longest) };
    let replaced = hold.replaced();
    tokio::select! {
        words = feed.dismissed() => Ended::Dismissed(words),
        () = replaced.cancelled() => Ended::Replaced,
        () = stop.cancelled() => Ended::Stopped,
        () = sleep_until(Instant::now() + Duration::from_secs(seconds)) => {
            Ended::Unfit(format!("The stream has reached the {duration} s that are allowed."))
        }
    }
}

/// Fills a feed with what a demuxer finds.
pub struct Intake {
    pub writer: FeedWriter,
    pub limits: Limits,
    since: Instant,
}

impl Intake {
    pub fn new(writer: FeedWriter, limits: Limits) -> Self {
        Self { writer, limits, since: Instant::now() }
    }

    /// An error when the stream takes more than it may; `bitrate` is what it takes.
    pub fn within_bitrate(&self, bitrate: u64, now: Instant) -> Result<(), Ended> {
        if now.saturating_duration_since(self.since) > SETTLED && bitrate > self.limits.bitrate_bps {
            let (is, most) = (megabits(bitrate), megabits(self.limits.bitrate_bps));
            return Err(Ended::Unfit(format!(
                "The stream has {is} Mb/s; {most} Mb/s are allowed. Lower the bitrate in your encoder."
            )));
        }
        Ok(())
    }

    /// Takes what was found, with times that go on.
    pub fn take(&mut self, event: Event, now: Instant) -> Result<(), Ended> {
        match event {
            Event::Track(id, spec) => {
                if let Media::Video { picture, .. } = &spec.media {
                    self.fits(picture.width, picture.height)?;
                }
                self.writer.describe(id, spec);
            }
            Event::Sample(id, sample) => self.writer.push(id, sample, now),
            Event::End(id) => self.writer.end(id),
            Event::Dropped(id) | Event::Lost(id) => self.writer.drop_frame(id),
            Event::Broken => self.writer.break_times(),
        }
        Ok(())
    }

    /// The same for times that may jump: `line` makes them go on.
    pub fn take_along(&mut self, event: Event, line: &mut Timeline, now: Instant) -> Result<(), Ended> {
        match event {
            Event::Broken => {
                line.break_here();
                Ok(())
            }
            Event::Sample(id, mut sample) => {
                let (dts, broken) = line.next(sample.dts, now);
                if broken {
                    self.writer.break_times();
                }
                sample.pts = dts.saturating_add(sample.pts.saturating_sub(sample.dts));
                sample.dts = dts;
                self.take(Event::Sample(id, sample), now)
            }
            other => self.take(other, now),
        }
    }

    /// Pictures may stand upright.
    pub fn fits(&self, width: u32, height: u32) -> Result<(), Ended> {
        let (longer, shorter) = (width.max(height), width.min(height));
        let (long, short) = (self.limits.width, self.limits.height);
        if longer <= long && shorter <= short {
            return Ok(());
        }
        Err(Ended::Unfit(format!(
            "The picture has {width} x {height} points; {long} x {short} are allowed. Lower the resolution in your encoder."
        )))
    }
}

/// What a demuxer cannot go on with, in words for the person at the encoder; `codecs` are those that it can. `None` when the next
/// message may be a good one.
pub fn unfit(error: &media::Error, codecs: &str) -> Option<Ended> {
    match error {
        media::Error::Unsupported(what) => {
            Some(Ended::Unfit(format!("{what} is not supported. Set {codecs} in your encoder.")))
        }
        media::Error::TooLarge("number of tracks", most) => {
            Some(Ended::Unfit(format!("The stream has more than {most} tracks.")))
        }
        _ => None,
    }
}

/// Rounded to tenths, as text.
fn megabits(bps: u64) -> String {
    let tenths = bps.saturating_add(50_000) / 100_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// For words: whole seconds, rounded up.
pub fn seconds(duration: Duration) -> u64 {
    duration.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)
}
