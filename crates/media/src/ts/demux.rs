//! From packets to the events of all tracks.

use std::collections::BTreeMap;

use super::{
    packet::{Packet, SIZE, SYNC},
    section::Sections,
    stream::Stream,
    tables::{self, Codec, Map},
};
use crate::{
    Error, Result,
    frame::{Event, Kind, TrackId, Wrap},
};

/// Bytes without a packet in them, in a row, after which it is something else.
const MOST_NOISE: usize = 64 << 10;
/// Where the program association lies, and packets that hold nothing.
const ASSOCIATION: u16 = 0;
const NOTHING: u16 = 0x1fff;

/// What a stream may take of us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most tracks at the same time, 1 to 256.
    pub tracks: usize,
    /// Largest coded frame, bytes.
    pub frame: usize,
    /// Most bytes of frames that are not finished, all tracks together.
    pub held: usize,
}

/// Reads one transport stream.
#[derive(Debug)]
pub struct Demuxer {
    limits: Limits,
    /// Less than a packet, until the rest of it comes.
    rest: Vec<u8>,
    noise: usize,
    association: Sections,
    /// Where the program's map lies.
    map_pid: Option<u16>,
    map_sections: Sections,
    map: Option<Map>,
    streams: BTreeMap<u16, Stream>,
    /// All tracks have one clock, of 33 bits.
    clock: Wrap,
}

impl Demuxer {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            rest: Vec::new(),
            noise: 0,
            association: Sections::default(),
            map_pid: None,
            map_sections: Sections::default(),
            map: None,
            streams: BTreeMap::new(),
            clock: Wrap::new(33),
        }
    }

    /// Takes bytes, cut anywhere. After an error nothing more can be read: it is no transport stream, or not one that is wanted.
    pub fn read(&mut self, bytes: &[u8], out: &mut Vec<Event>) -> Result<()> {
        if self.rest.is_empty() {
            let used = self.packets(bytes, out)?;
            self.rest.extend_from_slice(&bytes[used..]);
            return Ok(());
        }
        let mut all = std::mem::take(&mut self.rest);
        all.extend_from_slice(bytes);
        let used = self.packets(&all, out)?;
        all.drain(..used);
        self.rest = all;
        Ok(())
    }

    /// The stream has ended: what is open is all that there is of it.
    pub fn finish(&mut self, out: &mut Vec<Event>) -> Result<()> {
        self.streams.values_mut().try_for_each(|stream| stream.finish(out))
    }

    /// Bytes of frames that are not finished.
    pub fn held(&self) -> usize {
        self.rest.len() + self.streams.values().map(Stream::held).sum::<usize>()
    }

    /// Pictures and sounds of the program that are passed over, in words.
    pub fn refused(&self) -> impl Iterator<Item = &'static str> {
        self.map.iter().flat_map(|map| &map.refused).map(|(_, words)| *words)
    }

    /// Gives how many bytes were used.
    fn packets(&mut self, bytes: &[u8], out: &mut Vec<Event>) -> Result<usize> {
        let mut at = 0;
        while let Some(packet) = bytes[at..].first_chunk::<SIZE>() {
            // Out of step, a packet is where another one follows.
            let in_step = self.noise == 0 || bytes.get(at + SIZE).is_none_or(|next| *next == SYNC);
            if packet[0] == SYNC && in_step {
                self.noise = 0;
                at += SIZE;
                if let Some(packet) = Packet::parse(packet) {
                    self.packet(&packet, out)?;
                }
                continue;
            }
            let next = bytes[at + 1..].iter().position(|byte| *byte == SYNC);
            let skipped = next.map_or(bytes.len() - at, |next| next + 1);
            self.noise += skipped;
            if self.noise > MOST_NOISE {
                return Err(Error::Invalid("transport stream", "there are no packets in it"));
            }
            at += skipped;
        }
        Ok(at)
    }

    fn packet(&mut self, packet: &Packet, out: &mut Vec<Event>) -> Result<()> {
        let clock = self.map.as_ref().map(|map| map.clock);
        if packet.discontinuity && packet.clock && Some(packet.pid) == clock {
            out.push(Event::Broken);
        }
        let payload = packet.payload.unwrap_or_default();
        match packet.pid {
            NOTHING => {}
            ASSOCIATION => {
                for section in self.association.push(packet.start, payload) {
                    if let Ok(Some(pid)) = tables::first_program(&section)
                        && self.map_pid != Some(pid)
                    {
                        (self.map_pid, self.map_sections) = (Some(pid), Sections::default());
                    }
                }
            }
            pid if Some(pid) == self.map_pid => {
                for section in self.map_sections.push(packet.start, payload) {
                    if let Ok(Some(map)) = tables::map(&section)
                        && self.map.as_ref() != Some(&map)
                    {
                        map.check()?;
                        self.change(&map, out)?;
                        self.map = Some(map);
                    }
                }
            }
            pid => {
                let held = self.held();
                if let Some(stream) = self.streams.get_mut(&pid) {
                    let others = held.saturating_sub(stream.held());
                    let room = self.limits.frame.min(self.limits.held.saturating_sub(others));
                    stream.push(packet, &mut self.clock, room, out)?;
                }
            }
        }
        Ok(())
    }

    /// Takes over what the program consists of now.
    fn change(&mut self, map: &Map, out: &mut Vec<Event>) -> Result<()> {
        let stays = |pid: &u16, codec: &Codec| map.streams.iter().any(|(p, c)| p == pid && c == codec);
        let gone: Vec<u16> = self
            .streams
            .iter()
            .filter(|(pid, stream)| !stays(pid, &stream.codec))
            .map(|(pid, _)| *pid)
            .collect();
        for pid in gone {
            if let Some(mut stream) = self.streams.remove(&pid) {
                stream.finish(out)?;
                out.push(Event::End(stream.id));
            }
        }
        for (pid, codec) in &map.streams {
            if self.streams.contains_key(pid) || [ASSOCIATION, NOTHING].contains(pid) {
                continue;
            }
            if self.streams.len() >= self.limits.tracks {
                return Err(Error::TooLarge("number of tracks", self.limits.tracks as u64));
            }
            let id = self.free(codec.kind());
            self.streams.insert(*pid, Stream::new(id, codec.clone()));
        }
        Ok(())
    }

    /// The first number that no track has.
    fn free(&self, kind: Kind) -> TrackId {
        let ids = (0..=u8::MAX).map(|number| TrackId { kind, number });
        let taken = |id: &TrackId| self.streams.values().any(|stream| stream.id == *id);
        ids.into_iter().find(|id| !taken(id)).unwrap_or(TrackId { kind, number: u8::MAX })
    }
}
