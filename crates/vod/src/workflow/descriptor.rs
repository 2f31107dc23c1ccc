//! The descriptor of what is there so far.

use std::collections::HashMap;

use domain::profile::VideoCodec;
use media::descriptor::{Descriptor, Extent, Storyboard, Track, TrackKind};
use store::units::Unit;

use super::{
    Work, parse, pictures,
    unit::{Encoded, Part},
    units::Unfit,
};
use crate::{encode::TrackHead, worker::JobError};

/// What units make of a presentation.
pub(super) struct Assembled {
    pub descriptor: Descriptor,
    /// All units of the first codecs are in.
    pub encoded: bool,
    /// And all others.
    pub whole: bool,
    /// Pictures are done, or were given up.
    pub pictured: bool,
    /// Units that hardware made and that do not go with others of their tracks. Those tracks are not there yet.
    pub unfit: Vec<Unfit>,
}

/// Puts together what units there are; `None` until something of every track can be played. Only what follows from the
/// start without a gap counts.
pub(super) fn assemble(work: &Work, units: &[Unit], version: u64) -> Result<Option<Assembled>, JobError> {
    let by_name: HashMap<&str, &str> = units.iter().map(|u| (u.name.as_str(), u.result.as_str())).collect();
    let run = |names: &mut dyn Iterator<Item = String>| -> Result<Vec<Part>, JobError> {
        let mut parts = Vec::new();
        for name in names {
            let Some(result) = by_name.get(name.as_str()) else { break };
            parts.extend(parse::<Encoded>(result)?.tracks);
        }
        Ok(parts)
    };
    let whole = |names: &[String]| names.iter().all(|name| by_name.contains_key(name.as_str()));
    let (mut tracks, mut unfit) = (Vec::new(), Vec::new());
    if let Some(video) = &work.plan.video {
        for (n, codec) in video.codecs().into_iter().enumerate() {
            let names: Vec<String> = (0..video.chunks.len()).map(|index| video.unit(index, codec)).collect();
            // What is added to a title is there from its beginning to its end.
            if n > 0 && !whole(&names) {
                continue;
            }
            let parts = run(&mut names.iter().cloned())?;
            let rungs: Vec<_> = video.rungs.iter().filter(|rung| rung.codec == codec).collect();
            if n > 0 && rungs.iter().any(|rung| !agree(&rung.id, &parts)) {
                let odd = made_by_hardware(&names, codec, &by_name)?;
                // Without any it is not for software to mend.
                if !odd.is_empty() {
                    unfit.extend(odd);
                    continue;
                }
            }
            for rung in rungs {
                let Some((head, extents)) = collect(&rung.id, &parts)? else { return Ok(None) };
                let kind = TrackKind::Video {
                    width: rung.width,
                    height: rung.height,
                    frame_rate: video.frame_rate,
                    range: head.range,
                };
                tracks.push(track(&rung.id, kind, &rung.label, None, tracks.is_empty(), head, extents));
            }
        }
    }
    for (n, audio) in work.plan.audio.iter().enumerate() {
        let names: Vec<String> = audio.units(n).collect();
        if audio.is_extra() && !whole(&names) {
            continue;
        }
        let parts = run(&mut names.into_iter())?;
        let Some((head, extents)) = collect(&audio.id, &parts)? else { return Ok(None) };
        let (sample_rate, channels, joc) = (audio.sample_rate, audio.channels, head.joc);
        let kind = TrackKind::Audio { sample_rate, channels, joc };
        let language = audio.language.clone();
        tracks.push(track(&audio.id, kind, &audio.label, language, audio.default, head, extents));
    }
    let storyboard: Option<Storyboard> = match by_name.get(pictures::UNIT) {
        Some(result) => parse::<pictures::Pictured>(result)?.storyboard,
        None => None,
    };
    let encoded = whole(&work.plan.units());
    let whole = encoded && unfit.is_empty() && work.plan.extras().iter().all(|names| whole(names));
    let pictured = work.plan.video.is_none() || by_name.contains_key(pictures::UNIT);
    let descriptor = Descriptor {
        format: Descriptor::format_of(&tracks),
        presentation: work.id().to_string(),
        version,
        complete: encoded,
        created_at: work.presentation.created_at,
        planned_duration_ms: work.plan.duration_ms,
        longest_segment_ms: work.plan.longest_segment_ms(),
        tracks,
        storyboard,
    };
    Ok(Some(Assembled { descriptor, encoded, pictured, whole, unfit }))
}

/// Can all units of a track stand behind the header of the first?
fn agree(id: &str, parts: &[Part]) -> bool {
    let mut own = parts.iter().filter(|part| part.id == id);
    own.next().is_none_or(|first| own.all(|part| first.head.takes(&part.head)))
}

/// The units among `names`, chunk by chunk, in which hardware took part.
fn made_by_hardware(
    names: &[String],
    codec: VideoCodec,
    by_name: &HashMap<&str, &str>,
) -> Result<Vec<Unfit>, JobError> {
    let mut found = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let Some(result) = by_name.get(name.as_str()) else { continue };
        if parse::<Encoded>(result)?.by.is_some() {
            found.push(Unfit { name: name.clone(), index, codec, result: (*result).to_owned() });
        }
    }
    Ok(found)
}

/// The extents of one track. All units must agree on its header: players read it once.
fn collect(id: &str, parts: &[Part]) -> Result<Option<(TrackHead, Vec<Extent>)>, JobError> {
    let mut own = parts.iter().filter(|part| part.id == id).peekable();
    let Some(head) = own.peek().map(|part| part.head.clone()) else { return Ok(None) };
    if !agree(id, parts) {
        return Err(JobError::fatal("The encoder changed while the title was made.", format!("track {id}")));
    }
    let extents = own.map(|part| part.extent.clone()).collect();
    Ok(Some((head, extents)))
}

fn track(
    id: &str,
    kind: TrackKind,
    label: &str,
    language: Option<String>,
    default: bool,
    head: TrackHead,
    extents: Vec<Extent>,
) -> Track {
    Track {
        id: id.to_owned(),
        kind,
        codec: head.codec,
        timescale: head.timescale,
        language,
        label: label.to_owned(),
        default,
        init: head.init,
        extents,
    }
}
