//! One elementary stream: packets with their counters become units with their times.

use bytes::Bytes;

use super::{
    TIMESCALE, adts, opus,
    packet::{Packet, SIZE},
    pes::Header,
    tables::Codec,
    video,
};
use crate::{
    Error, Result,
    cmaf::{Media, TrackSpec},
    codec::Format,
    frame::{Event, Kind, Sample, TrackId, Wrap},
};

/// Payload of a packet without an adaptation field.
const FULL: usize = SIZE - 4;

/// What has one time, or what follows it.
#[derive(Debug)]
pub struct Unit {
    /// Decode and presentation time, which have no end.
    pub times: Option<(i64, i64)>,
    pub data: Vec<u8>,
}

/// Where the events of a track go.
pub struct Sink<'a> {
    pub id: TrackId,
    pub out: &'a mut Vec<Event>,
}

impl Sink<'_> {
    pub fn describe(&mut self, media: Media) {
        let spec = TrackSpec { timescale: TIMESCALE, language: None, media };
        self.out.push(Event::Track(self.id, spec));
    }

    pub fn sample(&mut self, dts: i64, pts: i64, key: bool, data: Bytes) {
        self.out.push(Event::Sample(self.id, Sample { dts, pts, key, data }));
    }

    pub fn dropped(&mut self) {
        self.out.push(Event::Dropped(self.id));
    }
}

#[derive(Debug)]
pub struct Stream {
    pub id: TrackId,
    pub codec: Codec,
    reader: Reader,
    /// The counter and the payload of the last packet.
    last: Option<(u8, Vec<u8>)>,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    unit: Unit,
    /// Bytes that the PES packet still wants.
    wants: Option<usize>,
}

#[derive(Debug)]
enum Reader {
    Video(video::Reader),
    Aac(adts::Reader),
    Opus(opus::Reader),
}

/// Whether a packet follows the one before it.
#[derive(PartialEq, Eq)]
enum Order {
    Next,
    Again,
    Gap,
}

impl Stream {
    pub fn new(id: TrackId, codec: Codec) -> Self {
        let reader = match &codec {
            Codec::Avc => Reader::Video(video::Reader::new(Format::Avc)),
            Codec::Hevc => Reader::Video(video::Reader::new(Format::Hevc)),
            Codec::Aac => Reader::Aac(adts::Reader::default()),
            Codec::Opus(dops) => Reader::Opus(opus::Reader::new(dops.clone())),
        };
        Self { id, codec, reader, last: None, open: None }
    }

    /// Bytes of what is not finished.
    pub fn held(&self) -> usize {
        let open = self.open.as_ref().map_or(0, |open| open.unit.data.len());
        open + if let Reader::Aac(reader) = &self.reader { reader.held() } else { 0 }
    }

    /// Takes a packet of this stream. `room` is what its unit may have.
    pub fn push(
        &mut self,
        packet: &Packet,
        clock: &mut Wrap,
        room: usize,
        out: &mut Vec<Event>,
    ) -> Result<()> {
        let Some(payload) = packet.payload else { return Ok(()) };
        if packet.scrambled {
            return Err(Error::Unsupported("a scrambled stream".into()));
        }
        let mut sink = Sink { id: self.id, out };
        match self.order(packet, payload) {
            Order::Again => return Ok(()),
            // Streams that were joined with a word about it: a unit that is whole is one.
            Order::Gap if packet.discontinuity && packet.start => {}
            Order::Gap => self.lose(&mut sink),
            Order::Next => {}
        }
        if packet.start {
            return self.begin(payload, clock, &mut sink);
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        open.add(payload);
        if open.unit.data.len() > room {
            self.open = None;
            sink.dropped();
            return Ok(());
        }
        self.end_if_whole(&mut sink)
    }

    fn order(&mut self, packet: &Packet, payload: &[u8]) -> Order {
        let order = match &self.last {
            None => Order::Next,
            Some((counter, _)) if packet.counter == counter.wrapping_add(1) & 15 => Order::Next,
            Some((counter, last)) if packet.counter == *counter && payload == last => Order::Again,
            Some(_) => Order::Gap,
        };
        let (counter, last) = self.last.get_or_insert_default();
        *counter = packet.counter;
        last.clear();
        last.extend_from_slice(payload);
        order
    }

    /// What came before is not followed by what comes next.
    fn lose(&mut self, sink: &mut Sink) {
        // A packet that has all its bytes is whole, whatever was lost behind it.
        if self.open.as_ref().is_some_and(|open| open.wants == Some(0)) && self.end(sink).is_ok() {
            return sink.out.push(Event::Lost(self.id));
        }
        self.open = None;
        self.damaged(sink);
    }

    fn damaged(&mut self, sink: &mut Sink) {
        if let Reader::Aac(reader) = &mut self.reader {
            reader.lose();
        }
        sink.out.push(Event::Lost(self.id));
    }

    fn begin(&mut self, payload: &[u8], clock: &mut Wrap, sink: &mut Sink) -> Result<()> {
        let header = match Header::parse(payload) {
            Ok(header) => header,
            Err(error @ Error::Unsupported(_)) => return Err(error),
            Err(_) => {
                self.open = None;
                sink.dropped();
                return Ok(());
            }
        };
        let times = header.pts.map(|pts| {
            let dts = clock.unwrap(header.dts.unwrap_or(pts));
            (dts, dts.saturating_add(clock.step(dts, pts as i64)))
        });
        match &mut self.open {
            // It goes on with the picture that has begun.
            Some(open) if times.is_none() && self.id.kind == Kind::Video => open.wants = header.length,
            _ => {
                self.end(sink)?;
                self.open = Some(Open { unit: Unit { times, data: Vec::new() }, wants: header.length });
            }
        }
        if let Some(open) = &mut self.open {
            open.add(header.content);
        }
        self.end_if_whole(sink)
    }

    /// Sound need not wait for the next packet to begin; pictures may go on in it.
    fn end_if_whole(&mut self, sink: &mut Sink) -> Result<()> {
        let whole = self.open.as_ref().is_some_and(|open| open.wants == Some(0));
        if whole && self.id.kind == Kind::Audio { self.end(sink) } else { Ok(()) }
    }

    /// The unit that is open has ended.
    fn end(&mut self, sink: &mut Sink) -> Result<()> {
        let Some(Open { unit, wants }) = self.open.take() else { return Ok(()) };
        if wants.is_some_and(|wants| wants > 0) {
            self.damaged(sink);
            return Ok(());
        }
        match &mut self.reader {
            Reader::Video(reader) => reader.read(&unit, sink),
            Reader::Aac(reader) => reader.read(unit, sink)?,
            Reader::Opus(reader) => reader.read(unit, sink)?,
        }
        Ok(())
    }

    /// No more comes. A unit that does not say its length is whole when its last packet is not full: muxers fill what is left of it.
    pub fn finish(&mut self, out: &mut Vec<Event>) -> Result<()> {
        let mut sink = Sink { id: self.id, out };
        let full = self.last.as_ref().is_some_and(|(_, payload)| payload.len() == FULL);
        if full && self.open.as_ref().is_some_and(|open| open.wants.is_none()) {
            self.open = None;
            self.damaged(&mut sink);
            return Ok(());
        }
        self.end(&mut sink)
    }
}

impl Open {
    fn add(&mut self, bytes: &[u8]) {
        match &mut self.wants {
            None => self.unit.data.extend_from_slice(bytes),
            Some(wants) => {
                let taken = bytes.len().min(*wants);
                *wants -= taken;
                self.unit.data.extend_from_slice(&bytes[..taken]);
            }
        }
    }
}
