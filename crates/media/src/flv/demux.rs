//! From tags to tracks and samples.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{TIMESCALE, opus, tag};
use crate::{
    Error, Result,
    cmaf::{Media, TrackSpec},
    codec::{Format, Picture, Sound, dolby, nal_units_fit, vp9},
    frame::{Event, Kind, Sample, TrackId},
    mp4::{AudioConfig, FourCc},
};

/// Longest configuration that is read.
const LONGEST_CONFIG: usize = 64 << 10;
/// Farthest time from 0, milliseconds: some 35,000 years.
const FARTHEST: i64 = 1 << 50;

/// Reads the messages of one publisher.
#[derive(Debug)]
pub struct Demuxer {
    tracks: BTreeMap<TrackId, Track>,
    most_tracks: usize,
}

#[derive(Debug)]
struct Track {
    codec: FourCc,
    /// As found.
    config: Bytes,
    /// What is known of it once it can be described.
    media: Option<Media>,
}

impl Demuxer {
    pub fn new(most_tracks: usize) -> Self {
        Self { tracks: BTreeMap::new(), most_tracks }
    }

    /// Reads one message; `time_ms` is its decode time, which has no end. An error speaks of this message alone.
    pub fn read(&mut self, kind: Kind, time_ms: i64, message: &Bytes, out: &mut Vec<Event>) -> Result<()> {
        let packets = match kind {
            Kind::Video => tag::video(message)?,
            Kind::Audio => tag::audio(message)?,
        };
        for packet in packets {
            let id = TrackId { kind, number: packet.track };
            match packet.body {
                tag::Body::Config(config) => self.configure(id, packet.codec, config, out)?,
                tag::Body::Frame { key, composition_ms, data } => {
                    let fine = i64::from(packet.nanoseconds / 1000);
                    let dts = time_ms.clamp(-FARTHEST, FARTHEST) * 1000 + fine;
                    let pts = dts + i64::from(composition_ms) * 1000;
                    self.frame(id, packet.codec, Sample { dts, pts, key, data }, out)?;
                }
                tag::Body::End => {
                    if self.tracks.remove(&id).is_some() {
                        out.push(Event::End(id));
                    }
                }
                tag::Body::Aside => {}
            }
        }
        Ok(())
    }

    fn configure(&mut self, id: TrackId, codec: FourCc, config: Bytes, out: &mut Vec<Event>) -> Result<()> {
        if config.len() > LONGEST_CONFIG {
            return Err(Error::TooLarge("configuration", LONGEST_CONFIG as u64));
        }
        if self.tracks.get(&id).is_some_and(|track| track.codec == codec && track.config == config) {
            return Ok(());
        }
        if config.is_empty() && matches!(&codec, b"avc1" | b"hvc1" | b"mp4a") {
            return Ok(()); // Sent by some encoders before they know it.
        }
        let media = describe(codec, &config)?;
        self.begin(id, Track { codec, config: Bytes::copy_from_slice(&config), media }, out)
    }

    fn begin(&mut self, id: TrackId, track: Track, out: &mut Vec<Event>) -> Result<()> {
        if self.tracks.len() >= self.most_tracks && !self.tracks.contains_key(&id) {
            return Err(Error::TooLarge("number of tracks", self.most_tracks as u64));
        }
        if let Some(media) = &track.media {
            out.push(Event::Track(id, spec(media.clone())));
        }
        self.tracks.insert(id, track);
        Ok(())
    }

    fn frame(&mut self, id: TrackId, codec: FourCc, sample: Sample, out: &mut Vec<Event>) -> Result<()> {
        if &codec == b"ac-3" && !self.tracks.contains_key(&id) {
            // It needs no configuration.
            self.begin(id, Track { codec, config: Bytes::new(), media: None }, out)?;
        }
        let known = self.tracks.get_mut(&id).filter(|track| track.codec == codec);
        let Some(track) = known.filter(|_| !sample.data.is_empty()) else {
            out.push(Event::Dropped(id));
            return Ok(());
        };
        if track.media.is_none() {
            track.media = learn(track, &sample);
            if let Some(media) = &track.media {
                out.push(Event::Track(id, spec(media.clone())));
            }
        }
        let Some(media) = &track.media else {
            out.push(Event::Dropped(id));
            return Ok(());
        };
        if let Media::Video { picture, .. } = media
            && !nal_units_fit(picture, &sample.data)
        {
            return Err(Error::Invalid("video tag", "its units are longer than the frame"));
        }
        out.push(Event::Sample(id, sample));
        Ok(())
    }
}

fn spec(media: Media) -> TrackSpec {
    TrackSpec { timescale: TIMESCALE, language: None, media }
}

/// What a configuration tells; `None` when frames must be seen first.
fn describe(codec: FourCc, config: &[u8]) -> Result<Option<Media>> {
    if let Some(format) = Format::of(codec).filter(|format| *format != Format::Vp9) {
        let facts = format.facts(&String::from_utf8_lossy(&codec), config)?;
        let (width, height) =
            facts.size.ok_or(Error::Invalid("configuration", "it has no sequence header"))?;
        return Ok(Some(picture(Picture::new(format, config, (width, height), facts))));
    }
    Ok(match &codec {
        b"vp09" => {
            Format::Vp9.facts("vp09", &whole_vpcc(config))?;
            None
        }
        b"mp4a" => {
            let config = AudioConfig::from_specific(config)?;
            if config.sample_rate == 0 || config.audio_object_type == 0 {
                return Err(Error::Invalid("AudioSpecificConfig", "no sample rate or no format"));
            }
            Some(Media::Audio(Sound::Mpeg(config)))
        }
        b"Opus" => Sound::parse(codec, &opus::to_dops(config)?)?.map(Media::Audio),
        b"ac-3" => None,
        other => return Err(Error::Unsupported(String::from_utf8_lossy(other).into_owned())),
    })
}

/// What a frame tells of a track whose configuration does not.
fn learn(track: &Track, sample: &Sample) -> Option<Media> {
    match &track.codec {
        b"vp09" if sample.key => {
            let size = vp9::size_of_key_frame(&sample.data).ok().flatten()?;
            let config = whole_vpcc(&track.config);
            let facts = Format::Vp9.facts("vp09", &config).ok()?;
            Some(picture(Picture::new(Format::Vp9, &config, size, facts)))
        }
        b"ac-3" => {
            let config = dolby::dac3_of_frame(&sample.data).ok()?;
            Sound::parse(*b"ac-3", &config).ok().flatten().map(Media::Audio)
        }
        _ => None,
    }
}

fn picture(picture: Picture) -> Media {
    Media::Video { picture, delay: 0 }
}

/// Writers differ on whether the version and flags of the box belong to the record.
fn whole_vpcc(config: &[u8]) -> Vec<u8> {
    if config.starts_with(&[1, 0, 0, 0]) { config.to_vec() } else { [&[1, 0, 0, 0], config].concat() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUDIO: TrackId = TrackId { kind: Kind::Audio, number: 0 };

    fn read(demuxer: &mut Demuxer, kind: Kind, time: i64, parts: &[&[u8]]) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        demuxer.read(kind, time, &Bytes::from(parts.concat()), &mut events)?;
        Ok(events)
    }

    #[test]
    fn a_track_begins_once_and_changes() {
        let mut demuxer = Demuxer::new(2);
        let aac = |demuxer: &mut Demuxer, config: &[u8]| read(demuxer, Kind::Audio, 0, &[&[0xaf, 0], config]);
        assert!(matches!(&aac(&mut demuxer, &[0x11, 0x90]).unwrap()[..], [Event::Track(AUDIO, _)]));
        assert_eq!(aac(&mut demuxer, &[0x11, 0x90]).unwrap(), [], "told again");
        assert_eq!(aac(&mut demuxer, &[]).unwrap(), [], "not known yet");
        assert!(matches!(&aac(&mut demuxer, &[0x12, 0x10]).unwrap()[..], [Event::Track(AUDIO, _)]));
        assert!(aac(&mut demuxer, &[0, 0x10]).is_err(), "a format that is none");
        let events = read(&mut demuxer, Kind::Audio, 40, &[&[0xaf, 1, 7]]).unwrap();
        let sample = Sample { dts: 40_000, pts: 40_000, key: true, data: vec![7].into() };
        assert_eq!(events, [Event::Sample(AUDIO, sample)]);
        assert_eq!(read(&mut demuxer, Kind::Audio, 60, &[&[0xaf, 1]]).unwrap(), [Event::Dropped(AUDIO)]);
        let end = [&[0x92][..], b"mp4a"];
        assert_eq!(read(&mut demuxer, Kind::Audio, 80, &end).unwrap(), [Event::End(AUDIO)]);
        assert_eq!(read(&mut demuxer, Kind::Audio, 90, &[&[0xaf, 1, 7]]).unwrap(), [Event::Dropped(AUDIO)]);
    }

    #[test]
    fn fine_times_are_added_and_tracks_are_counted() {
        let mut demuxer = Demuxer::new(2);
        let track = |number: u8| [&[0x95, 0][..], b"mp4a", &[number, 0x11, 0x90]].concat();
        for number in [0, 1] {
            assert_eq!(read(&mut demuxer, Kind::Audio, 0, &[&track(number)]).unwrap().len(), 1);
        }
        let many = read(&mut demuxer, Kind::Audio, 0, &[&track(2)]);
        assert_eq!(many, Err(Error::TooLarge("number of tracks", 2)));
        // 400,000 ns after 10 ms.
        let modified = [&[0x97, 2, 0x06, 0x1a, 0x80, 0x01][..], b"mp4a", &[9]];
        let events = read(&mut demuxer, Kind::Audio, 10, &modified).unwrap();
        let sample = Sample { dts: 10_400, pts: 10_400, key: true, data: vec![9].into() };
        assert_eq!(events, [Event::Sample(AUDIO, sample)]);
    }

    #[test]
    fn ac3_needs_no_configuration() {
        // 48 kHz, 192 kb/s, stereo.
        let frame = [0x0b, 0x77, 0, 0, 0x14, 0x40, 0x43, 0xe1, 0, 0];
        let events = read(&mut Demuxer::new(1), Kind::Audio, 0, &[&[0x91], b"ac-3", &frame]).unwrap();
        let [Event::Track(_, spec), Event::Sample(..)] = &events[..] else { panic!("{events:?}") };
        let Media::Audio(sound) = &spec.media else { panic!("sound") };
        assert_eq!(
            (spec.codec().unwrap().as_str(), sound.sample_rate(), sound.channels()),
            ("ac-3", 48_000, 2)
        );
        assert!(read(&mut Demuxer::new(1), Kind::Video, 0, &[&[0x90], b"vvc1", &[1]]).is_err());
    }
}
