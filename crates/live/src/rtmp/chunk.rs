//! Chunk streams: messages cut into pieces that are interleaved (RTMP 1.0 §5.3).

use std::collections::HashMap;

use bytes::{Buf, Bytes, BytesMut};

use super::Fault;

/// Chunks have this size until something else is said.
const FIRST_CHUNK_SIZE: usize = 128;
/// A time field that says: the time is elsewhere.
const EXTENDED: u32 = 0x00ff_ffff;
/// Largest reservation for a message of which nothing has come.
const RESERVED: usize = 64 << 10;
/// Most bytes of unfinished messages before media are taken: commands are small.
const PARTIAL_BEFORE: usize = 64 << 10;

// Types of messages (§5.4, §6.2, §7.1).
pub const SET_CHUNK_SIZE: u8 = 1;
pub const ABORT: u8 = 2;
pub const ACKNOWLEDGEMENT: u8 = 3;
pub const USER_CONTROL: u8 = 4;
pub const WINDOW_SIZE: u8 = 5;
pub const PEER_BANDWIDTH: u8 = 6;
pub const AUDIO: u8 = 8;
pub const VIDEO: u8 = 9;
pub const DATA_AMF3: u8 = 15;
pub const COMMAND_AMF3: u8 = 17;
pub const DATA: u8 = 18;
pub const COMMAND: u8 = 20;
pub const AGGREGATE: u8 = 22;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub kind: u8,
    /// Message stream.
    pub stream: u32,
    /// Milliseconds, modulo 2^32.
    pub time: u32,
    pub body: Bytes,
}

/// What a reader takes in.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest media message, and largest one of any other kind.
    pub media: usize,
    pub other: usize,
    /// Most bytes of unfinished messages.
    pub partial: usize,
    pub streams: usize,
}

/// Puts messages together again.
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    chunk_size: usize,
    takes_media: bool,
    streams: HashMap<u32, Stream>,
    /// Bytes in unfinished messages.
    partial: usize,
    /// Chunk stream and what is still to come of its chunk.
    within: Option<(u32, usize)>,
}

/// What is remembered of a chunk stream (§5.3.1.2: a header leaves out what has not changed).
#[derive(Debug, Default)]
struct Stream {
    time: u32,
    delta: u32,
    /// Value of the extended time field, when the last header had one.
    extended: Option<u32>,
    length: usize,
    kind: u8,
    stream: u32,
    begun: bool,
    body: BytesMut,
}

impl Reader {
    /// Refuses media until [`Reader::take_media`].
    pub fn new(limits: Limits) -> Self {
        let (streams, within) = (HashMap::new(), None);
        Self { limits, chunk_size: FIRST_CHUNK_SIZE, takes_media: false, streams, partial: 0, within }
    }

    pub fn take_media(&mut self) {
        self.takes_media = true;
    }

    /// The peer sends chunks of this size from now on (§5.4.1).
    pub fn set_chunk_size(&mut self, size: u32) -> Result<(), Fault> {
        // The first bit is zero; a chunk cannot be longer than a message.
        if size == 0 || size > 0x7fff_ffff {
            return Err(Fault::ChunkSize(size));
        }
        self.chunk_size = size.min(0x00ff_ffff) as usize;
        Ok(())
    }

    /// Lets go of what has come of a chunk stream's message (§5.4.2).
    pub fn abort(&mut self, chunk_stream: u32) {
        if let Some(stream) = self.streams.get_mut(&chunk_stream) {
            self.partial -= stream.body.len();
            (stream.body, stream.begun) = (BytesMut::new(), false);
        }
    }

    /// Bytes that are held.
    pub fn held(&self) -> usize {
        self.streams.values().map(|stream| stream.body.capacity()).sum()
    }

    /// The next message, or `None` until there are more bytes. Takes what it can use off `input`.
    pub fn next(&mut self, input: &mut BytesMut) -> Result<Option<Message>, Fault> {
        loop {
            if self.within.is_none() && !self.begin(input)? {
                return Ok(None);
            }
            let Some((id, left)) = self.within else { continue };
            let Some(stream) = self.streams.get_mut(&id) else { return Err(Fault::NoHeader(id)) };
            let piece = left.min(input.len());
            let most =
                if self.takes_media { self.limits.partial } else { self.limits.partial.min(PARTIAL_BEFORE) };
            if self.partial + piece > most {
                return Err(Fault::TooMuch(most));
            }
            stream.body.extend_from_slice(&input[..piece]);
            input.advance(piece);
            self.partial += piece;
            if piece < left {
                self.within = Some((id, left - piece));
                return Ok(None);
            }
            self.within = None;
            if stream.body.len() == stream.length {
                stream.begun = false;
                let body = std::mem::take(&mut stream.body).freeze();
                self.partial -= body.len();
                let Stream { kind, stream, time, .. } = *stream;
                return Ok(Some(Message { kind, stream, time, body }));
            }
        }
    }

    /// Reads a chunk's header; `false` when it has not all come.
    fn begin(&mut self, input: &mut BytesMut) -> Result<bool, Fault> {
        let Some(head) = Head::read(input, |id| self.streams.get(&id).and_then(|stream| stream.extended))
        else {
            return Ok(false);
        };
        let Head { id, format, .. } = head;
        if !self.streams.contains_key(&id) {
            if format != 0 && !(format == 1 && id == 2) {
                return Err(Fault::NoHeader(id));
            }
            if self.streams.len() >= self.limits.streams {
                return Err(Fault::ChunkStreams(self.limits.streams));
            }
        }
        let stream = self.streams.entry(id).or_default();
        if stream.begun && format != 3 {
            return Err(Fault::Interrupted(id));
        }
        if !stream.begun {
            head.apply(stream);
            let is_media = matches!(stream.kind, AUDIO | VIDEO | AGGREGATE | DATA | DATA_AMF3);
            if is_media && !self.takes_media {
                return Err(Fault::TooEarly);
            }
            let limit = if matches!(stream.kind, AUDIO | VIDEO | AGGREGATE) {
                self.limits.media
            } else {
                self.limits.other
            };
            if stream.length > limit {
                return Err(Fault::TooLarge(stream.length));
            }
            stream.begun = true;
            let reserved = if self.takes_media { RESERVED } else { self.chunk_size.min(RESERVED / 16) };
            stream.body.reserve(stream.length.min(reserved));
        }
        let left = (stream.length - stream.body.len()).min(self.chunk_size);
        input.advance(head.size);
        self.within = Some((id, left));
        Ok(true)
    }
}

/// A chunk's header as it stands in the bytes.
#[derive(Debug, Clone, Copy)]
struct Head {
    /// Bytes that it takes.
    size: usize,
    format: u8,
    id: u32,
    /// As told: a time (format 0) or a difference.
    time: u32,
    extended: Option<u32>,
    length: usize,
    kind: u8,
    stream: u32,
}

impl Head {
    /// `None` until all has come. `told` gives the extended time that was told last on a chunk stream.
    fn read(input: &[u8], told: impl Fn(u32) -> Option<u32>) -> Option<Self> {
        let first = *input.first()?;
        let format = first >> 6;
        let (id, mut at) = match first & 63 {
            0 => (u32::from(*input.get(1)?) + 64, 2),
            1 => (u32::from(*input.get(1)?) + u32::from(*input.get(2)?) * 256 + 64, 3),
            id => (u32::from(id), 1),
        };
        let three = |at: usize| match input.get(at..at + 3) {
            Some([a, b, c]) => Some(u32::from_be_bytes([0, *a, *b, *c])),
            _ => None,
        };
        let mut head = Self { size: 0, format, id, time: 0, extended: None, length: 0, kind: 0, stream: 0 };
        if format <= 2 {
            head.time = three(at)?;
            at += 3;
        }
        if format <= 1 {
            (head.length, head.kind) = (three(at)? as usize, *input.get(at + 3)?);
            at += 4;
        }
        if format == 0 {
            head.stream = u32::from_le_bytes(*input.get(at..)?.first_chunk()?);
            at += 4;
        }
        let expected = if format == 3 { told(id) } else { None };
        if head.time == EXTENDED || expected.is_some() {
            let value = u32::from_be_bytes(*input.get(at..)?.first_chunk()?);
            // Some senders leave it out of chunks without a header, against §5.3.1.3: then these are already the body.
            if format != 3 || expected == Some(value) {
                head.extended = Some(value);
                at += 4;
            }
        }
        head.size = at;
        Some(head)
    }

    /// Begins a message.
    fn apply(self, stream: &mut Stream) {
        if self.format <= 2 {
            stream.extended = self.extended;
        }
        if self.format <= 1 {
            (stream.length, stream.kind) = (self.length, self.kind);
        }
        let told = self.extended.unwrap_or(self.time);
        match self.format {
            0 => (stream.time, stream.delta, stream.stream) = (told, told, self.stream),
            1 | 2 => {
                stream.delta = told;
                stream.time = stream.time.wrapping_add(told);
            }
            // The difference is that of the message before, be it a whole time (§5.3.1.2.4).
            _ => stream.time = stream.time.wrapping_add(stream.delta),
        }
    }
}

/// Appends a message, cut into chunks of `chunk_size`.
pub fn write(out: &mut Vec<u8>, chunk_stream: u8, message: &Message, chunk_size: usize) {
    let Message { kind, stream, time, body } = message;
    let id = chunk_stream.clamp(2, 63);
    let [_, short @ ..] = (*time).min(EXTENDED).to_be_bytes();
    let [_, length @ ..] = (body.len() as u32).to_be_bytes();
    let extended = (*time >= EXTENDED).then(|| time.to_be_bytes());
    out.push(id);
    out.extend(short);
    out.extend(length);
    out.push(*kind);
    out.extend(stream.to_le_bytes());
    out.extend(extended.iter().flatten());
    for (n, piece) in body.chunks(chunk_size.max(1)).enumerate() {
        if n > 0 {
            out.push(0xc0 | id);
            out.extend(extended.iter().flatten());
        }
        out.extend_from_slice(piece);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits { media: 1 << 20, other: 1 << 20, partial: 2 << 20, streams: 8 };

    fn reader() -> Reader {
        let mut reader = Reader::new(LIMITS);
        reader.take_media();
        reader
    }

    fn read(reader: &mut Reader, bytes: &[u8], piece: usize) -> Result<Vec<Message>, Fault> {
        let (mut input, mut messages) = (BytesMut::new(), Vec::new());
        for piece in bytes.chunks(piece) {
            input.extend_from_slice(piece);
            while let Some(message) = reader.next(&mut input)? {
                messages.push(message);
            }
        }
        Ok(messages)
    }

    #[test]
    fn headers_leave_out_what_has_not_changed() {
        // RTMP 1.0 §5.3.2.1: four messages of sound, 20 ms apart.
        let mut bytes = vec![3, 0, 3, 232, 0, 0, 32, 8, 0x39, 0x30, 0, 0];
        bytes.extend([1; 32]);
        bytes.extend([0x83, 0, 0, 20]);
        bytes.extend([2; 32]);
        for n in 3..5 {
            bytes.push(0xc3);
            bytes.extend([n; 32]);
        }
        for piece in [1, 5, 1000] {
            let messages = read(&mut reader(), &bytes, piece).unwrap();
            let times: Vec<_> = messages.iter().map(|m| (m.time, m.stream, m.kind, m.body[0])).collect();
            assert_eq!(
                times,
                [(1000, 12345, 8, 1), (1020, 12345, 8, 2), (1040, 12345, 8, 3), (1060, 12345, 8, 4)]
            );
        }
    }

    #[test]
    fn a_long_message_is_put_together_among_others() {
        // §5.3.2.2, with a ping in the middle.
        let mut bytes = vec![4, 0, 3, 232, 0, 1, 0x33, 9, 0x40, 0xe2, 1, 0];
        bytes.extend([7; 128]);
        bytes.extend([2, 0, 0, 0, 0, 0, 6, 4, 0, 0, 0, 0, 0, 6, 0, 0, 0, 9]);
        bytes.push(0xc4);
        bytes.extend([7; 128]);
        bytes.push(0xc4);
        bytes.extend([7; 51]);
        let messages = read(&mut reader(), &bytes, 1000).unwrap();
        let found: Vec<_> = messages.iter().map(|m| (m.kind, m.time, m.body.len())).collect();
        assert_eq!(found, [(4, 0, 6), (9, 1000, 307)]);
    }

    #[test]
    fn extended_times_are_read_with_and_without_repetition() {
        let body = Bytes::from(vec![7; 200]);
        for time in [EXTENDED - 1, EXTENDED, 0x0100_0000, u32::MAX] {
            let message = Message { kind: VIDEO, stream: 1, time, body: body.clone() };
            let mut bytes = Vec::new();
            write(&mut bytes, 6, &message, 128);
            assert_eq!(read(&mut reader(), &bytes, 3).unwrap(), std::slice::from_ref(&message), "{time}");
            if time >= EXTENDED {
                // As senders do that leave it out.
                let at = 16 + 128 + 1;
                bytes.drain(at..at + 4);
                assert_eq!(read(&mut reader(), &bytes, 3).unwrap(), [message], "{time}");
            }
        }
        // A difference that is too large for its field, and the same again.
        let mut bytes = vec![6, 0, 0, 5, 0, 0, 1, 9, 1, 0, 0, 0, 1];
        bytes.extend([0x86, 0xff, 0xff, 0xff, 1, 0, 0, 0, 2]);
        bytes.extend([0xc6, 1, 0, 0, 0, 3]);
        let times: Vec<_> = read(&mut reader(), &bytes, 1).unwrap().iter().map(|m| m.time).collect();
        assert_eq!(times, [5, 0x0100_0005, 0x0200_0005]);
    }

    #[test]
    fn an_aborted_message_leaves_nothing() {
        let mut reader = reader();
        let mut bytes = vec![4, 0, 0, 0, 0, 1, 0, 9, 1, 0, 0, 0];
        bytes.extend([7; 128]);
        assert_eq!(read(&mut reader, &bytes, 50).unwrap(), []);
        reader.abort(4);
        assert_eq!((reader.partial, reader.held()), (0, 0));
        let again = [4, 0, 0, 1, 0, 0, 1, 9, 1, 0, 0, 0, 5];
        assert_eq!(read(&mut reader, &again, 50).unwrap().len(), 1);
    }

    fn message() -> impl Strategy<Value = (u8, Message)> {
        let body = prop::collection::vec(any::<u8>(), 0..700);
        (2u8..8, prop_oneof![Just(VIDEO), Just(AUDIO), Just(COMMAND)], any::<u32>(), any::<u32>(), body)
            .prop_map(|(id, kind, stream, time, body)| {
                (id, Message { kind, stream, time, body: body.into() })
            })
    }

    proptest! {
        #[test]
        fn messages_go_there_and_back(
            messages in prop::collection::vec(message(), 0..12),
            chunk_size in 1u32..300,
            piece in 1usize..200,
        ) {
            let mut bytes = Vec::new();
            messages.iter().for_each(|(id, message)| write(&mut bytes, *id, message, chunk_size as usize));
            let mut reader = reader();
            reader.set_chunk_size(chunk_size).unwrap();
            let messages: Vec<_> = messages.into_iter().map(|(_, message)| message).collect();
            prop_assert_eq!(read(&mut reader, &bytes, piece).unwrap(), messages);
            prop_assert_eq!(reader.partial, 0);
        }
    }
}
