//! Between a socket and a session: reads and writes in time, asks the door, keeps the limits, and fills the feed.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::BytesMut;
use media::{
    flv::{Demuxer, amf::Value},
    frame::{Event as Part, Kind, Wrap},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    Fault,
    session::{self, Event, Session},
};
use crate::{
    Admission, Config, Door, Ended, FeedWriter, Key, Knock, Limits, Protocol, Refusal, Rtmp, Slots,
    config::milliseconds,
    feed, measure,
    session::{Intake, No, ask, seconds, sent_away, unfit},
    slots::Hold,
    timeline::Timeline,
};

/// Most bytes of one read, before and after the publisher is let in.
const FIRST_READS: usize = 4 << 10;
const READS: usize = 64 << 10;
/// How long our words may take to be sent, and how long the other side is given to read them.
const LAST_WORDS: Duration = Duration::from_secs(3);
/// A publisher whose messages are damaged one after another has something wrong.
const DAMAGED: u32 = 100;
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
        let Rtmp { takeover_ms, refusal_ms, .. } = self.config.rtmp;
        let (takeover, refusal) = (milliseconds(takeover_ms), milliseconds(refusal_ms));
        let no = match ask(&*self.door, &self.slots, knock, takeover, refusal).await {
            Ok(admitted) => return Ok(admitted),
            Err(no) => no,
        };
        let (code, words) = match &no {
            No::Busy => {
                ("NetStream.Publish.BadName", "Another encoder is live with this stream key. Stop it first.")
            }
            No::Door(Refusal::UnknownKey) => ("NetStream.Publish.Denied", "This stream key is not valid."),
            No::Door(Refusal::NotNow(words)) => ("NetStream.Publish.Denied", words.as_str()),
            No::Door(Refusal::Unavailable) => (
                "NetStream.Publish.Failed",
                "The server cannot check the stream key at the moment. Try again soon.",
            ),
        };
        connection.session.refuse(code, words);
        Err(no.ended())
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
        let feed = publisher.intake.writer.feed().clone();
        let leave = sent_away(feed, hold, &self.stop, publisher.intake.limits);
        tokio::pin!(leave);
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
                ended = &mut leave => Err(ended),
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
    intake: Intake,
    demuxer: Demuxer,
    wrap: Wrap,
    timeline: Timeline,
    /// Messages in a row that could not be read.
    damaged: u32,
    parts: Vec<Part>,
}

impl Publisher {
    fn new(writer: FeedWriter, limits: Limits) -> Self {
        Self {
            intake: Intake::new(writer, limits),
            demuxer: Demuxer::new(limits.tracks as usize),
            // Times have 32 bits; some senders leave the highest one out, and begin again after 25 days.
            wrap: Wrap::new(31),
            timeline: Timeline::new(1000),
            damaged: 0,
            parts: Vec::new(),
        }
    }

    /// Takes all that has come.
    fn take(&mut self, session: &mut Session, read: usize, now: Instant) -> Result<(), Ended> {
        let bitrate = self.intake.writer.received(read, now);
        loop {
            match session.next() {
                Ok(Some(Event::Media { kind, time, body })) => self.media(kind, time, &body, now)?,
                Ok(Some(Event::Metadata(about))) => {
                    if let Some(encoder) = Value::Object(about).get("encoder").and_then(Value::as_text) {
                        self.intake.writer.name_encoder(encoder);
                    }
                }
                Ok(Some(Event::Finished)) => return Err(Ended::Finished),
                Ok(Some(Event::Publish { .. })) => {}
                Ok(None) => break,
                Err(fault) => return Err(Ended::Broken(broken(&fault))),
            }
        }
        self.intake.within_bitrate(bitrate, now)
    }

    fn media(&mut self, kind: Kind, time: u32, body: &bytes::Bytes, now: Instant) -> Result<(), Ended> {
        let (time, broken) = self.timeline.next(self.wrap.unwrap(time.into()), now);
        if broken {
            self.intake.writer.break_times();
        }
        self.parts.clear();
        match self.demuxer.read(kind, time, body, &mut self.parts) {
            Ok(()) => self.damaged = 0,
            Err(error) => {
                if let Some(ended) = unfit(&error, "H.264, HEVC or AV1 and AAC or Opus") {
                    return Err(ended);
                }
                self.damaged += 1;
                tracing::debug!(%error, "a damaged message");
                if self.damaged >= DAMAGED {
                    return Err(Ended::Unfit(format!("The stream cannot be read: {error}.")));
                }
            }
        }
        self.parts.drain(..).try_for_each(|part| self.intake.take(part, now))
    }
}

fn broken(fault: &Fault) -> String {
    format!("The connection broke a rule of RTMP: {fault}.")
}

#[cfg(test)]
mod tests;
