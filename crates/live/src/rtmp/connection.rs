//! Between a socket and a session: reads and writes in time, asks the door, keeps the limits, and fills the feed.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::BytesMut;
use media::cmaf::Media;
use media::flv::{Demuxer, Event as Part, Kind, amf::Value};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{Instant, sleep, sleep_until, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    Fault,
    session::{self, Event, Session},
    timeline::{Timeline, seconds},
};
use crate::{
    Admission, Config, Door, Ended, FeedWriter, Key, Knock, Limits, Protocol, Refusal, Slots,
    config::milliseconds, feed, measure, slots::Hold,
};

/// Most bytes of one read, before and after the publisher is let in.
const FIRST_READS: usize = 4 << 10;
const READS: usize = 64 << 10;
/// How long our words may take to be sent, and how long the other side is given to read them.
const LAST_WORDS: Duration = Duration::from_secs(3);
/// A publisher whose messages are damaged one after another has something wrong.
const DAMAGED: u32 = 100;
/// The bitrate is looked at after this time.
const SETTLED: Duration = Duration::from_secs(3);

/// All that a connection needs.
pub struct Host<D> {
    pub config: Config,
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

/// Who is at the other end.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    pub address: SocketAddr,
    pub encrypted: bool,
}

struct Connection<S> {
    stream: S,
    session: Session,
    buffer: BytesMut,
}

impl<D: Door> Host<D> {
    /// Serves one connection to its end. `entered` is when it came.
    pub async fn serve<S>(&self, stream: S, peer: Peer, entered: Instant) -> Ended
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let mut noise = [0; 1528];
        rand::fill(&mut noise[..]);
        let rtmp = &self.config.rtmp;
        let limits = session::Limits {
            message: rtmp.max_message_bytes as usize,
            partial: rtmp.max_partial_bytes as usize,
            chunk_streams: rtmp.max_chunk_streams as usize,
        };
        let session = Session::new(limits, noise);
        let mut connection = Connection { stream, session, buffer: BytesMut::new() };
        let ended = self.session(&mut connection, peer, entered).await;
        connection.leave(&ended).await;
        measure::ended(Protocol::Rtmp, &ended);
        ended
    }

    async fn session<S>(&self, connection: &mut Connection<S>, peer: Peer, entered: Instant) -> Ended
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let deadline = entered + milliseconds(self.config.rtmp.handshake_ms);
        let entering = async {
            let (app, key) = tokio::select! {
                publish = connection.enter() => publish?,
                () = self.stop.cancelled() => return Err(Ended::Stopped),
            };
            self.admit(
                connection,
                Knock {
                    protocol: Protocol::Rtmp,
                    app,
                    key: Key::new(key),
                    peer: peer.address,
                    encrypted: peer.encrypted,
                },
            )
            .await
        };
        let (admission, hold) = match timeout_at(deadline, entering).await {
            Ok(Ok(admitted)) => admitted,
            Ok(Err(ended)) => return ended,
            Err(_) => return Ended::Slow,
        };
        let (writer, feed) = feed::feed(self.config.windows, Instant::now());
        tracing::info!(event = %admission.event, slot = ?admission.slot, peer = %peer.address, "a publisher came in");
        measure::publishing(Protocol::Rtmp, 1.0);
        connection.session.admit();
        self.door.opened(&admission, feed).await;
        let mut publisher = Publisher::new(writer, admission.limits);
        let ended = self.publish(connection, &mut publisher, &hold).await;
        drop(publisher);
        measure::publishing(Protocol::Rtmp, -1.0);
        tracing::info!(event = %admission.event, slot = ?admission.slot, %ended, "a publisher has gone");
        self.door.closed(&admission, &ended).await;
        // Only now may the next one come: the door hears of them one after another.
        drop(hold);
        ended
    }

    /// Asks whether the publisher may come in; if it may not, it has been told.
    async fn admit<S>(&self, connection: &mut Connection<S>, knock: Knock) -> Result<(Admission, Hold), Ended>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let since = Instant::now();
        let (code, words, reason) = match self.door.admit(knock).await {
            Ok(admission) => {
                let takeover = milliseconds(self.config.rtmp.takeover_ms);
                match self.slots.take(&admission.event, admission.slot, takeover).await {
                    Some(hold) => return Ok((admission, hold)),
                    None => (
                        "NetStream.Publish.BadName",
                        "Another encoder is live with this stream key. Stop it first.".to_owned(),
                        "busy",
                    ),
                }
            }
            Err(Refusal::UnknownKey) => {
                // The same words after the same time, whatever was wrong.
                sleep(milliseconds(self.config.rtmp.refusal_ms).saturating_sub(since.elapsed())).await;
                ("NetStream.Publish.Denied", "This stream key is not valid.".to_owned(), "unknown key")
            }
            Err(Refusal::NotNow(words)) => ("NetStream.Publish.Denied", words, "not now"),
            Err(Refusal::Unavailable) => (
                "NetStream.Publish.Failed",
                "The server cannot check the stream key at the moment. Try again soon.".to_owned(),
                "unavailable",
            ),
        };
        connection.session.refuse(code, &words);
        Err(Ended::Refused(reason))
    }

    async fn publish<S>(
        &self,
        connection: &mut Connection<S>,
        publisher: &mut Publisher,
        hold: &Hold,
    ) -> Ended
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let idle = milliseconds(self.config.rtmp.idle_ms);
        let feed = publisher.writer.feed().clone();
        let dismissed = feed.dismissed();
        let replaced = hold.replaced();
        let duration = publisher.limits.duration_seconds;
        // 0 is no limit, and more than a hundred years is none.
        let longest = u64::from(u32::MAX);
        let last =
            Instant::now() + Duration::from_secs(if duration == 0 { longest } else { duration.min(longest) });
        tokio::pin!(dismissed);
        let ended = loop {
            let step = async {
                match timeout(idle, connection.step(READS)).await {
                    Ok(Ok(0)) => Err(Ended::Lost),
                    Ok(Ok(read)) => Ok(read),
                    Ok(Err(_)) => Err(Ended::Lost),
                    Err(_) => Err(Ended::Silent(seconds(idle))),
                }
            };
            let read = tokio::select! {
                read = step => read,
                words = &mut dismissed => Err(Ended::Dismissed(words)),
                () = replaced.cancelled() => Err(Ended::Replaced),
                () = self.stop.cancelled() => Err(Ended::Stopped),
                () = sleep_until(last) => Err(Ended::Unfit(format!(
                    "The stream has reached the {duration} s that are allowed."
                ))),
            };
            let read = match read {
                Ok(read) => read,
                Err(ended) => break ended,
            };
            hold.touch();
            measure::received(Protocol::Rtmp, read);
            if let Err(ended) = publisher.take(&mut connection.session, read, Instant::now()) {
                break ended;
            }
        };
        match &ended {
            Ended::Unfit(words) | Ended::Dismissed(words) => {
                connection.session.refuse("NetStream.Publish.Rejected", words);
            }
            Ended::Broken(words) => connection.session.refuse("NetStream.Publish.Failed", words),
            Ended::Stopped => connection.session.refuse(
                "NetConnection.Connect.AppShutdown",
                "The server restarts. Connect again in a moment.",
            ),
            Ended::Silent(_) => connection.session.refuse("NetStream.Publish.Idle", &ended.to_string()),
            _ => {}
        }
        ended
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Sends what is to be sent, then reads once; 0: the other side has gone. Cancelled, it loses at most words of ours.
    async fn step(&mut self, most: usize) -> io::Result<usize> {
        self.flush().await?;
        self.buffer.reserve(most);
        let read = (&mut self.stream).take(most as u64).read_buf(&mut self.buffer).await?;
        self.session.feed(&self.buffer);
        self.buffer.clear();
        Ok(read)
    }

    async fn flush(&mut self) -> io::Result<()> {
        let output = self.session.take_output();
        if !output.is_empty() {
            let sending = async {
                self.stream.write_all(&output).await?;
                self.stream.flush().await
            };
            timeout(LAST_WORDS, sending).await.map_err(|_| io::ErrorKind::TimedOut)??;
        }
        Ok(())
    }

    /// Until the publisher says what it wants to publish: the application and the key.
    async fn enter(&mut self) -> Result<(String, String), Ended> {
        loop {
            match self.session.next() {
                Ok(Some(Event::Publish { app, key })) => return Ok((app, key)),
                Ok(Some(_)) => {}
                Ok(None) => match self.step(FIRST_READS).await {
                    Ok(0) | Err(_) => return Err(Ended::Lost),
                    Ok(_) => {}
                },
                Err(fault) => return Err(Ended::Broken(fault.to_string())),
            }
        }
    }

    /// Sends the last words and waits a moment for the other side to go first: what it has sent meanwhile would make the system throw
    /// our words away, and encoders that have said goodbye still want to be the ones who hang up.
    async fn leave(&mut self, ended: &Ended) {
        let goodbye = async {
            self.flush().await?;
            if *ended != Ended::Finished {
                self.stream.shutdown().await?;
            }
            let mut left: usize = 4 << 20;
            loop {
                self.buffer.clear();
                self.buffer.reserve(FIRST_READS);
                let read = self.stream.read_buf(&mut self.buffer).await?;
                left = left.saturating_sub(read);
                if read == 0 || left == 0 {
                    return io::Result::Ok(());
                }
            }
        };
        let _ = timeout(LAST_WORDS, goodbye).await;
    }
}

/// From a session's events to the feed.
struct Publisher {
    writer: FeedWriter,
    limits: Limits,
    demuxer: Demuxer,
    timeline: Timeline,
    /// Messages in a row that could not be read.
    damaged: u32,
    since: Instant,
    parts: Vec<Part>,
}

impl Publisher {
    fn new(writer: FeedWriter, limits: Limits) -> Self {
        Self {
            writer,
            limits,
            demuxer: Demuxer::new(limits.tracks as usize),
            timeline: Timeline::default(),
            damaged: 0,
            since: Instant::now(),
            parts: Vec::new(),
        }
    }

    /// Takes all that has come.
    fn take(&mut self, session: &mut Session, read: usize, now: Instant) -> Result<(), Ended> {
        let bitrate = self.writer.received(read, now);
        loop {
            match session.next() {
                Ok(Some(Event::Media { kind, time, body })) => self.media(kind, time, &body, now)?,
                Ok(Some(Event::Metadata(about))) => {
                    if let Some(encoder) = Value::Object(about).get("encoder").and_then(Value::as_text) {
                        self.writer.name_encoder(encoder);
                    }
                }
                Ok(Some(Event::Finished)) => return Err(Ended::Finished),
                Ok(Some(Event::Publish { .. })) => {}
                Ok(None) => break,
                Err(fault) => return Err(Ended::Broken(broken(&fault))),
            }
        }
        if now.saturating_duration_since(self.since) > SETTLED && bitrate > self.limits.bitrate_bps {
            let (is, most) = (megabits(bitrate), megabits(self.limits.bitrate_bps));
            return Err(unfit(format!(
                "The stream has {is} Mb/s; {most} Mb/s are allowed. Lower the bitrate in your encoder."
            )));
        }
        Ok(())
    }

    fn media(&mut self, kind: Kind, time: u32, body: &bytes::Bytes, now: Instant) -> Result<(), Ended> {
        let (time, broken) = self.timeline.unwrap(time, now);
        if broken {
            self.writer.break_times();
        }
        self.parts.clear();
        match self.demuxer.read(kind, time, body, &mut self.parts) {
            Ok(()) => self.damaged = 0,
            Err(media::Error::Unsupported(what)) => {
                return Err(unfit(format!(
                    "{what} is not supported. Set H.264, HEVC or AV1 and AAC or Opus in your encoder."
                )));
            }
            Err(media::Error::TooLarge("number of tracks", most)) => {
                return Err(unfit(format!("The stream has more than {most} tracks.")));
            }
            Err(error) => {
                self.damaged += 1;
                tracing::debug!(%error, "a damaged message");
                if self.damaged >= DAMAGED {
                    return Err(unfit(format!("The stream cannot be read: {error}.")));
                }
            }
        }
        for part in std::mem::take(&mut self.parts) {
            match part {
                Part::Track(id, spec) => {
                    if let Media::Video { picture, .. } = &spec.media {
                        self.fits(picture.width, picture.height)?;
                    }
                    self.writer.describe(id, spec);
                }
                Part::Sample(id, sample) => self.writer.push(id, sample, now),
                Part::End(id) => self.writer.end(id),
                Part::Dropped(id) => self.writer.drop_frame(id),
            }
        }
        Ok(())
    }

    /// Pictures may stand upright.
    fn fits(&self, width: u32, height: u32) -> Result<(), Ended> {
        let (longer, shorter) = (width.max(height), width.min(height));
        let (long, short) = (self.limits.width, self.limits.height);
        if longer <= long && shorter <= short {
            return Ok(());
        }
        Err(unfit(format!(
            "The picture has {width} x {height} points; {long} x {short} are allowed. Lower the resolution in your encoder."
        )))
    }
}

fn unfit(words: String) -> Ended {
    Ended::Unfit(words)
}

fn broken(fault: &Fault) -> String {
    format!("The connection broke a rule of RTMP: {fault}.")
}

/// Rounded to tenths, as text.
fn megabits(bps: u64) -> String {
    let tenths = bps.saturating_add(50_000) / 100_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests;
