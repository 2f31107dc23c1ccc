//! One publisher's conversation, without a socket: bytes in, events and bytes out.
//!
//! Handshake (RTMP 1.0 §5.2), `connect`, `createStream`, `publish`; then the session stands still until it is told whether the
//! publisher may come in. Media that come earlier end it.

use bytes::{Bytes, BytesMut};
use media::{
    flv::{self, amf::Value},
    frame::Kind,
};

use super::{
    Fault,
    chunk::{self, Message, Reader, write},
    command::{self, Command},
};

/// C1, S1, C2 and S2 have this size.
const HANDSHAKE: usize = 1536;
/// What we cut our messages into.
const OUR_CHUNK_SIZE: usize = 4096;
/// How much the other side may send before it is told that it came, and we before it tells us.
const WINDOW: u32 = 2_500_000;
/// Commands until a stream is published.
const MOST_COMMANDS: u32 = 64;
/// Largest command or script data.
const OTHER_MESSAGES: usize = 64 << 10;
/// The one message stream that there is.
const STREAM: u32 = 1;
/// Longest application name and stream key that are taken.
const LONGEST_NAME: usize = 1024;

// Chunk streams of ours: control has its own (§5.4), the others are free.
const CONTROL: u8 = 2;
const CALLS: u8 = 3;
const STATUS: u8 = 5;

/// Limits of messages.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub message: usize,
    pub partial: usize,
    pub chunk_streams: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Somebody wants to publish: nothing more is read until [`Session::admit`] or [`Session::refuse`].
    Publish { app: String, key: String },
    /// A message of sound or pictures; its time is 32 bits wide.
    Media { kind: Kind, time: u32, body: Bytes },
    /// What the encoder says of itself and of its stream (`onMetaData`).
    Metadata(Vec<(String, Value)>),
    /// The publisher has ended its stream.
    Finished,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// C0 and C1 are to come.
    Hello,
    /// C2 is to come.
    Echo,
    /// Commands.
    Open,
    /// Somebody decides over the publisher.
    Waiting,
    Publishing,
    Over,
}

/// A session. Feed it bytes, take events until there is none, and send what it has to say.
#[derive(Debug)]
pub struct Session {
    stage: Stage,
    /// Of S1.
    noise: [u8; HANDSHAKE - 8],
    input: BytesMut,
    output: Vec<u8>,
    chunks: Reader,
    app: String,
    stream: u32,
    commands: u32,
    /// Bytes since the last acknowledgement, all bytes, and how often they are to be acknowledged (§5.4.3).
    unacknowledged: u32,
    received: u32,
    window: u32,
    /// Events of messages that hold several.
    ready: std::collections::VecDeque<Event>,
}

impl Session {
    /// `noise` should differ from session to session.
    pub fn new(limits: Limits, noise: [u8; HANDSHAKE - 8]) -> Self {
        let Limits { message, partial, chunk_streams } = limits;
        let limits = chunk::Limits { media: message, other: OTHER_MESSAGES, partial, streams: chunk_streams };
        Self {
            stage: Stage::Hello,
            noise,
            input: BytesMut::new(),
            output: Vec::new(),
            chunks: Reader::new(limits),
            app: String::new(),
            stream: STREAM,
            commands: 0,
            unacknowledged: 0,
            received: 0,
            window: WINDOW,
            ready: std::collections::VecDeque::new(),
        }
    }

    /// Takes bytes of the publisher.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        self.count(bytes.len());
    }

    /// What is to be sent.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// Bytes that are held for this publisher.
    pub fn held(&self) -> usize {
        self.input.capacity() + self.output.capacity() + self.chunks.held()
    }

    /// The next event, or `None` until there are more bytes. After an error the session is of no use but for [`Session::refuse`].
    #[expect(clippy::should_implement_trait, reason = "a session that can be fed again is no iterator")]
    pub fn next(&mut self) -> Result<Option<Event>, Fault> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            match self.stage {
                Stage::Hello => {
                    if !self.hello()? {
                        return Ok(None);
                    }
                }
                Stage::Echo => {
                    // What it holds is not looked at: encoders differ on what they put there.
                    if self.input.len() < HANDSHAKE {
                        return Ok(None);
                    }
                    let _ = self.input.split_to(HANDSHAKE);
                    self.stage = Stage::Open;
                }
                Stage::Waiting => return Ok(None),
                Stage::Over => {
                    self.input.clear();
                    return Ok(None);
                }
                Stage::Open | Stage::Publishing => match self.chunks.next(&mut self.input)? {
                    Some(message) => self.message(message)?,
                    None => return Ok(None),
                },
            }
        }
    }

    /// Lets the publisher in.
    pub fn admit(&mut self) {
        if self.stage == Stage::Waiting {
            self.stage = Stage::Publishing;
            self.chunks.take_media();
            // §7.1.7: the stream begins.
            self.control(0, self.stream);
            self.say("status", "NetStream.Publish.Start", "You are live.");
        }
    }

    /// Sends the publisher away. `code` is for programs, `words` for the person at the encoder.
    pub fn refuse(&mut self, code: &str, words: &str) {
        if matches!(self.stage, Stage::Waiting | Stage::Publishing) {
            self.say("error", code, words);
        }
        self.stage = Stage::Over;
    }

    fn hello(&mut self) -> Result<bool, Fault> {
        match self.input.first() {
            Some(3) | None => {}
            Some(6 | 8) => return Err(Fault::Rtmpe),
            Some(_) => return Err(Fault::NotRtmp),
        }
        if self.input.len() < 1 + HANDSHAKE {
            return Ok(false);
        }
        let theirs = self.input.split_to(1 + HANDSHAKE);
        // S0; S1 with a time of 0 and no version, so that nobody waits for a signature; S2, which echoes C1.
        self.output.push(3);
        self.output.extend([0; 8]);
        self.output.extend(self.noise);
        self.output.extend_from_slice(&theirs[1..5]);
        self.output.extend([0; 4]);
        self.output.extend_from_slice(&theirs[9..]);
        self.stage = Stage::Echo;
        Ok(true)
    }

    fn message(&mut self, message: Message) -> Result<(), Fault> {
        let Message { kind, time, body, .. } = &message;
        let word =
            |body: &Bytes| body.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)).ok_or(Fault::Control);
        match *kind {
            chunk::SET_CHUNK_SIZE => self.chunks.set_chunk_size(word(body)?)?,
            chunk::ABORT => self.chunks.abort(word(body)?),
            chunk::WINDOW_SIZE => self.window = word(body)?.clamp(1 << 16, WINDOW * 4),
            chunk::USER_CONTROL => {
                let Some((event, data)) = body.split_first_chunk::<2>() else { return Err(Fault::Control) };
                // A ping (§7.1.7).
                if u16::from_be_bytes(*event) == 6 {
                    let stamp =
                        data.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)).ok_or(Fault::Control)?;
                    self.control(7, stamp);
                }
            }
            chunk::COMMAND => self.command(body, message.stream)?,
            // In AMF3 commands a byte tells that AMF0 follows.
            chunk::COMMAND_AMF3 if body.first() == Some(&0) => {
                self.command(&body.slice(1..), message.stream)?
            }
            chunk::COMMAND_AMF3 => {
                return Err(Fault::Command(media::Error::Unsupported("AMF3".into())));
            }
            chunk::AUDIO => self.media(Kind::Audio, *time, body.clone()),
            chunk::VIDEO => self.media(Kind::Video, *time, body.clone()),
            chunk::DATA => self.data(body),
            chunk::DATA_AMF3 => self.data(body.get(1..).unwrap_or_default()),
            chunk::AGGREGATE => {
                for (kind, after, body) in flv::aggregate(body).map_err(Fault::Command)? {
                    match kind {
                        chunk::AUDIO => self.media(Kind::Audio, time.wrapping_add(after), body),
                        chunk::VIDEO => self.media(Kind::Video, time.wrapping_add(after), body),
                        _ => {}
                    }
                }
            }
            // Acknowledgements and bandwidth are about what we send, which is next to nothing.
            _ => {}
        }
        Ok(())
    }

    fn media(&mut self, kind: Kind, time: u32, body: Bytes) {
        if self.stage == Stage::Publishing && !body.is_empty() {
            self.ready.push_back(Event::Media { kind, time, body });
        }
    }

    /// Script data; what cannot be read is of no use, but does no harm.
    fn data(&mut self, body: &[u8]) {
        let Ok(values) = flv::amf::read_all(body) else { return };
        let mut values = values.into_iter().skip_while(|value| value.as_text() == Some("@setDataFrame"));
        if values.next().as_ref().and_then(Value::as_text) == Some("onMetaData")
            && let Some(Value::Object(about) | Value::Map(about)) = values.next()
        {
            self.ready.push_back(Event::Metadata(about));
        }
    }

    fn command(&mut self, body: &[u8], stream: u32) -> Result<(), Fault> {
        let command = Command::read(body)?;
        if self.stage == Stage::Open {
            self.commands += 1;
            if self.commands > MOST_COMMANDS {
                return Err(Fault::TooManyCommands(MOST_COMMANDS));
            }
        }
        match command.name.as_str() {
            "connect" => self.connect(&command),
            "createStream" => {
                let result = command::result(command.transaction, Value::Number(STREAM.into()));
                self.answer(result);
            }
            "releaseStream" | "FCPublish" => {
                let result = command::result(command.transaction, Value::Undefined);
                self.answer(result);
                if command.name == "FCPublish" {
                    self.answer(command::on_fc_publish(command.text(0).unwrap_or_default()));
                }
            }
            "publish" => self.publish(&command, stream),
            "FCUnpublish" | "deleteStream" | "closeStream" => self.finish(),
            "play" | "play2" => {
                self.say("error", "NetStream.Play.StreamNotFound", "Nothing is played over RTMP here.");
            }
            _ if command.transaction > 0.0 => {
                let words = "There is no such call here.";
                self.answer(command::error(command.transaction, "NetConnection.Call.Failed", words));
            }
            _ => {}
        }
        Ok(())
    }

    fn connect(&mut self, command: &Command) {
        let app = command.object.get("app").and_then(Value::as_text).unwrap_or_default();
        if app.len() <= LONGEST_NAME {
            app.trim_matches('/').clone_into(&mut self.app);
        }
        self.send(CONTROL, chunk::WINDOW_SIZE, 0, &WINDOW.to_be_bytes());
        // 2: dynamic (§5.4.5).
        self.send(CONTROL, chunk::PEER_BANDWIDTH, 0, &[&WINDOW.to_be_bytes()[..], &[2]].concat());
        self.send(CONTROL, chunk::SET_CHUNK_SIZE, 0, &(OUR_CHUNK_SIZE as u32).to_be_bytes());
        self.answer(command::connected(command.transaction));
    }

    fn publish(&mut self, command: &Command, stream: u32) {
        if self.stage != Stage::Open {
            self.say("error", "NetStream.Publish.BadName", "One connection carries one stream.");
            return;
        }
        self.stream = stream;
        let key = command.text(0).unwrap_or_default();
        if key.len() > LONGEST_NAME {
            self.stage = Stage::Waiting;
            return self.refuse("NetStream.Publish.BadName", "The stream key is too long.");
        }
        self.stage = Stage::Waiting;
        self.ready.push_back(Event::Publish { app: self.app.clone(), key: key.to_owned() });
    }

    fn finish(&mut self) {
        if self.stage == Stage::Publishing {
            self.say("status", "NetStream.Unpublish.Success", "The stream has ended.");
            self.stage = Stage::Over;
            self.ready.push_back(Event::Finished);
        }
    }

    fn say(&mut self, level: &str, code: &str, words: &str) {
        let status = command::status(level, code, words);
        self.send(STATUS, chunk::COMMAND, self.stream, &status);
    }

    fn answer(&mut self, body: Vec<u8>) {
        self.send(CALLS, chunk::COMMAND, 0, &body);
    }

    /// A user control event with one number.
    fn control(&mut self, event: u16, value: u32) {
        let body = [&event.to_be_bytes()[..], &value.to_be_bytes()].concat();
        self.send(CONTROL, chunk::USER_CONTROL, 0, &body);
    }

    fn send(&mut self, chunk_stream: u8, kind: u8, stream: u32, body: &[u8]) {
        // All that is longer than a first chunk comes after the new size.
        let message = Message { kind, stream, time: 0, body: Bytes::copy_from_slice(body) };
        write(&mut self.output, chunk_stream, &message, OUR_CHUNK_SIZE);
    }

    fn count(&mut self, bytes: usize) {
        self.received = self.received.wrapping_add(bytes as u32);
        self.unacknowledged = self.unacknowledged.saturating_add(bytes as u32);
        if self.unacknowledged >= self.window && matches!(self.stage, Stage::Open | Stage::Publishing) {
            self.unacknowledged = 0;
            self.send(CONTROL, chunk::ACKNOWLEDGEMENT, 0, &self.received.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests;
