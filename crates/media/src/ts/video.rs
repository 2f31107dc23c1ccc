//! H.264 and HEVC: byte streams become samples, and the parameter sets in them configurations.

use super::stream::{Sink, Unit};
use crate::{
    Result,
    cmaf::Media,
    codec::{Format, Picture, avc, hevc, nal::ByteStream, with_lengths},
};

/// Most bytes of all parameter sets.
const LARGEST_SETS: usize = 32 << 10;

/// A parameter set: its kind, its number, and the unit.
type Set = (u8, u32, Vec<u8>);

#[derive(Debug)]
pub struct Reader {
    format: Format,
    sets: Vec<Set>,
    described: bool,
}

/// What a unit is to us.
enum Part {
    Set(u8),
    /// What a sample need not have: delimiters and filling.
    Filling,
    Rest,
}

impl Reader {
    pub fn new(format: Format) -> Self {
        Self { format, sets: Vec::new(), described: false }
    }

    /// Takes all that lies between two times.
    pub fn read(&mut self, unit: &Unit, sink: &mut Sink) {
        let (mut found, mut rest, mut key, mut recovers) = (Vec::new(), Vec::new(), false, false);
        for unit in ByteStream::new(&unit.data) {
            match self.part(unit) {
                Part::Set(kind) => found.push((kind, unit)),
                Part::Filling => {}
                Part::Rest => {
                    recovers |= self.format == Format::Avc && avc::is_recovery_point(unit);
                    key |= match self.format {
                        Format::Avc => avc::is_entry(unit, recovers),
                        _ => hevc::is_entry(unit),
                    };
                    rest.push(unit);
                }
            }
        }
        let changed = self.learn(&found);
        let data = with_lengths(rest);
        if changed || (!self.described && !self.sets.is_empty()) {
            self.describe(&data, sink);
        }
        match unit.times.filter(|_| self.described && !data.is_empty()) {
            Some((dts, pts)) => sink.sample(dts, pts, key, data),
            None if data.is_empty() => {}
            None => sink.dropped(),
        }
    }

    fn part(&self, unit: &[u8]) -> Part {
        let kind = match self.format {
            Format::Avc => unit.first().map_or(0, |first| first & 31),
            _ => hevc::kind(unit).unwrap_or(0),
        };
        match (self.format, kind) {
            (Format::Avc, avc::SPS | avc::PPS) => Part::Set(kind),
            (Format::Avc, avc::DELIMITER | avc::FILLER) => Part::Filling,
            (Format::Hevc, hevc::VPS | hevc::SPS | hevc::PPS) => Part::Set(kind),
            (Format::Hevc, hevc::DELIMITER | hevc::FILLER) => Part::Filling,
            _ => Part::Rest,
        }
    }

    fn is_sequence(&self, kind: u8) -> bool {
        kind == if self.format == Format::Avc { avc::SPS } else { hevc::SPS }
    }

    /// Takes parameter sets over; are they others than those that were known?
    fn learn(&mut self, found: &[(u8, &[u8])]) -> bool {
        let id =
            |unit: &[u8]| if self.format == Format::Avc { avc::set_id(unit) } else { hevc::set_id(unit) };
        let found: Vec<Set> =
            found.iter().filter_map(|(kind, unit)| Some((*kind, id(unit)?, unit.to_vec()))).collect();
        let new: Vec<&Set> = found.iter().filter(|set| !self.sets.contains(set)).collect();
        if new.is_empty() {
            return false;
        }
        let mut sets = if new.iter().any(|(kind, ..)| self.is_sequence(*kind)) {
            // Another sequence: what belonged to the last one means nothing in it.
            Vec::new()
        } else {
            self.sets.clone()
        };
        for set in &found {
            sets.retain(|(kind, id, _)| (kind, id) != (&set.0, &set.1));
            sets.push(set.clone());
        }
        let size: usize = sets.iter().map(|(.., unit)| unit.len()).sum();
        if size > LARGEST_SETS {
            return false;
        }
        sets.sort_by_key(|(kind, id, _)| (*kind, *id));
        let changed = sets != self.sets;
        self.sets = sets;
        changed
    }

    /// Says what the track is from here on; `first` is its first sample.
    fn describe(&mut self, first: &[u8], sink: &mut Sink) {
        match self.picture(first) {
            Ok(picture) => {
                self.described = true;
                sink.describe(Media::Video { picture, delay: 0 });
            }
            // Some are still to come, or are damaged.
            Err(_) => self.described = false,
        }
    }

    fn picture(&self, first: &[u8]) -> Result<Picture> {
        let of = |wanted: u8| -> Vec<Vec<u8>> {
            self.sets.iter().filter(|(kind, ..)| *kind == wanted).map(|(.., unit)| unit.clone()).collect()
        };
        let (entry, config) = match self.format {
            Format::Avc => ("avc1", avc::Config::of_sets(of(avc::SPS), of(avc::PPS))?.to_avcc()?),
            _ => ("hvc1", hevc::Config::of_sets(of(hevc::VPS), of(hevc::SPS), of(hevc::PPS))?.to_hvcc()),
        };
        let facts = self.format.facts(entry, &config)?;
        let size = facts.size.ok_or(crate::Error::Invalid("configuration", "no size"))?;
        let mut picture = Picture::new(self.format, &config, size, facts);
        picture.hdr = picture.hdr.or(picture.hdr_of_sample(first)?);
        Ok(picture)
    }
}
