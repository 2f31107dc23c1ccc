//! One publisher: asks the door, then brings the transport stream into a feed.

use std::{sync::Arc, time::Duration};

use media::{
    frame::Event,
    ts::{self, Demuxer},
};
use sapflow_srt::{CloseReason, ConnId, RejectCode};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::port::{Request, reject};
use crate::{
    Admission, Config, Door, Ended, FeedWriter, Knock, Limits, Protocol, Refusal, Slots, Srt,
    config::milliseconds,
    feed, measure,
    session::{Intake, No, ask, seconds, sent_away, unfit},
    slots::Hold,
    timeline::Timeline,
};

/// Payloads that are taken at once.
const BATCH: usize = 64;

/// All that a session needs.
pub struct Host<D> {
    pub config: Arc<Config>,
    pub door: Arc<D>,
    pub slots: Slots,
    /// Ends all sessions.
    pub stop: CancellationToken,
}

impl<D> Clone for Host<D> {
    fn clone(&self) -> Self {
        let Self { config, door, slots, stop } = self;
        Self { config: config.clone(), door: door.clone(), slots: slots.clone(), stop: stop.clone() }
    }
}

/// Who is at the other end, and what comes from there.
pub struct Caller {
    pub id: ConnId,
    pub knock: Knock,
    pub came: mpsc::Receiver<Vec<u8>>,
    /// Why no more comes.
    pub ends: oneshot::Receiver<CloseReason>,
    pub asks: mpsc::UnboundedSender<Request>,
}

/// Serves one caller to its end.
pub async fn serve<D: Door>(host: &Host<D>, mut caller: Caller) {
    let _count = measure::Connected::new(Protocol::Srt);
    let peer = caller.knock.peer;
    let ended = session(host, &mut caller).await;
    let _ = caller.asks.send(Request::Close(caller.id));
    measure::ended(Protocol::Srt, &ended);
    tracing::debug!(%peer, %ended, "an SRT connection has ended");
}

async fn session<D: Door>(host: &Host<D>, caller: &mut Caller) -> Ended {
    let peer = caller.knock.peer;
    let entering = async {
        tokio::select! {
            admitted = admit(host, caller) => admitted,
            () = host.stop.cancelled() => Err(Ended::Stopped),
        }
    };
    let limit = milliseconds(host.config.srt.handshake_ms);
    let (admission, hold) = match timeout(limit, entering).await {
        Ok(Ok(admitted)) => admitted,
        Ok(Err(ended)) => return ended,
        Err(_) => return Ended::Slow,
    };
    let (writer, feed) = feed::feed(host.config.windows, Instant::now());
    tracing::info!(event = %admission.event, slot = ?admission.slot, %peer, "a publisher came in");
    measure::publishing(Protocol::Srt, 1.0);
    host.door.opened(&admission, feed).await;
    let mut publisher = Publisher::new(writer, admission.limits, &host.config.srt);
    let ended = publish(host, caller, &mut publisher, &hold).await;
    // SRT has no words for its goodbye; hanging up is all that can be said.
    let _ = caller.asks.send(Request::Close(caller.id));
    drop(publisher);
    measure::publishing(Protocol::Srt, -1.0);
    tracing::info!(event = %admission.event, slot = ?admission.slot, %ended, "a publisher has gone");
    host.door.closed(&admission, &ended).await;
    // Only now may the next one come: the door hears of them one after another.
    drop(hold);
    ended
}

/// Asks whether the caller may come in, and tells it.
async fn admit<D: Door>(host: &Host<D>, caller: &Caller) -> Result<(Admission, Hold), Ended> {
    let Srt { takeover_ms, refusal_ms, .. } = host.config.srt;
    let (takeover, refusal) = (milliseconds(takeover_ms), milliseconds(refusal_ms));
    match ask(&*host.door, &host.slots, caller.knock.clone(), takeover, refusal).await {
        Ok(admitted) => {
            let (answer, answered) = oneshot::channel();
            let _ = caller.asks.send(Request::Accept(caller.id, answer));
            if answered.await.unwrap_or(false) { Ok(admitted) } else { Err(Ended::Lost) }
        }
        Err(no) => {
            let _ = caller.asks.send(Request::Reject(caller.id, code(&no)));
            Err(no.ended())
        }
    }
}

fn code(no: &No) -> RejectCode {
    match no {
        No::Busy => reject::CONFLICT,
        No::Door(Refusal::UnknownKey) => reject::UNAUTHORIZED,
        No::Door(Refusal::NotNow(_)) => reject::LOCKED,
        No::Door(Refusal::Unavailable) => reject::DOWN,
    }
}

async fn publish<D: Door>(
    host: &Host<D>,
    caller: &mut Caller,
    publisher: &mut Publisher,
    hold: &Hold,
) -> Ended {
    let idle = milliseconds(host.config.srt.idle_ms);
    let feed = publisher.intake.writer.feed().clone();
    let leave = sent_away(feed, hold, &host.stop, publisher.intake.limits);
    tokio::pin!(leave);
    let mut payloads = Vec::with_capacity(BATCH);
    loop {
        let step = timeout(idle, caller.came.recv_many(&mut payloads, BATCH));
        let came = tokio::select! {
            came = step => came,
            ended = &mut leave => return ended,
        };
        let now = Instant::now();
        match came {
            Err(_) => return Ended::Silent(seconds(idle)),
            Ok(0) => {
                let finished = matches!(caller.ends.try_recv(), Ok(CloseReason::Shutdown));
                return if finished { publisher.finish(now) } else { Ended::Lost };
            }
            Ok(_) => hold.touch(),
        }
        for payload in payloads.drain(..) {
            measure::received(Protocol::Srt, payload.len());
            if let Err(ended) = publisher.take(&payload, now) {
                return ended;
            }
        }
    }
}

/// From a transport stream to the feed.
struct Publisher {
    intake: Intake,
    demuxer: Demuxer,
    timeline: Timeline,
    events: Vec<Event>,
    /// When something that can be used came last.
    used: Instant,
    patience: Duration,
}

impl Publisher {
    fn new(writer: FeedWriter, limits: Limits, srt: &Srt) -> Self {
        let demuxer = Demuxer::new(ts::Limits {
            tracks: limits.tracks as usize,
            frame: srt.max_frame_bytes as usize,
            held: srt.max_partial_bytes as usize,
        });
        Self {
            intake: Intake::new(writer, limits),
            demuxer,
            timeline: Timeline::new(ts::TIMESCALE),
            events: Vec::new(),
            used: Instant::now(),
            patience: milliseconds(srt.idle_ms),
        }
    }

    fn take(&mut self, payload: &[u8], now: Instant) -> Result<(), Ended> {
        let bitrate = self.intake.writer.received(payload.len(), now);
        let end = self.demuxer.read(payload, &mut self.events);
        self.drain(now)?;
        if let Err(error) = end {
            let ended = unfit(&error, "H.264 or HEVC and AAC or Opus");
            return Err(ended.unwrap_or_else(|| Ended::Unfit(format!("The stream cannot be read: {error}."))));
        }
        if now.saturating_duration_since(self.used) > self.patience {
            let words = "Nothing in the stream can be used: it must be an MPEG transport stream with H.264 or HEVC and AAC or Opus.";
            return Err(Ended::Unfit(words.into()));
        }
        self.intake.within_bitrate(bitrate, now)
    }

    /// What was open has come to its end.
    fn finish(&mut self, now: Instant) -> Ended {
        let end = self.demuxer.finish(&mut self.events);
        match self.drain(now).and(end.map_err(|_| Ended::Finished)) {
            Ok(()) => Ended::Finished,
            Err(ended) => ended,
        }
    }

    fn drain(&mut self, now: Instant) -> Result<(), Ended> {
        for event in self.events.drain(..) {
            match event {
                Event::Sample(..) => self.used = now,
                Event::Track(id, _) => {
                    let passed_over: Vec<_> = self.demuxer.refused().collect();
                    tracing::info!(track = %id, ?passed_over, "a track begins");
                }
                _ => {}
            }
            self.intake.take_along(event, &mut self.timeline, now)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
