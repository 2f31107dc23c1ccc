//! The descriptor of what is there so far.

use std::collections::HashMap;

use media::descriptor::{Descriptor, Extent, Storyboard, Track, TrackKind};
use store::units::Unit;

use super::{
    Work, parse, pictures,
    unit::{Encoded, Part},
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
    let mut tracks = Vec::new();
    if let Some(video) = &work.plan.video {
        for (n, codec) in video.codecs().into_iter().enumerate() {
            let names: Vec<String> = (0..video.chunks.len()).map(|index| video.unit(index, codec)).collect();
            // What is added to a title is there from its beginning to its end.
            if n > 0 && !whole(&names) {
                continue;
            }
            let parts = run(&mut names.into_iter())?;
            for rung in video.rungs.iter().filter(|rung| rung.codec == codec) {
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
    let whole = encoded && work.plan.extras().iter().all(|names| whole(names));
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
    Ok(Some(Assembled { descriptor, encoded, pictured, whole }))
}

/// The extents of one track. All units must agree on its header: players read it once.
fn collect(id: &str, parts: &[Part]) -> Result<Option<(TrackHead, Vec<Extent>)>, JobError> {
    let mut own = parts.iter().filter(|part| part.id == id).peekable();
    let Some(head) = own.peek().map(|part| part.head.clone()) else { return Ok(None) };
    let mut extents = Vec::new();
    for part in own {
        if part.head != head {
            return Err(JobError::fatal(
                "The encoder changed while the title was made.",
                format!("track {id}"),
            ));
        }
        extents.push(part.extent.clone());
    }
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
