//! What viewers of an event are given: playlists, headers, segments and parts. Who may ask was decided before.

use std::io;

use api::{Problem, Text};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use backends::blob::Blobs;
use bytes::Bytes;
use futures::StreamExt;
use media::{
    cmaf, dash, hls, measure,
    resource::{Resource, number},
    selection::Selection,
};

use crate::{
    pack::Chunk,
    programme::{Absent, Held, Programme, Stored},
};

const HLS: &str = "application/vnd.apple.mpegurl";
const FOREVER: &str = "public, max-age=31536000, immutable";
/// A playlist that was waited for tells what it tells; for as long as anybody may ask for it again (RFC 8216bis §6.2.5.2: six
/// target durations).
const ASKED_FOR: &str = "public, max-age=12, stale-if-error=0";
/// What tells how it is now.
const NOW: &str = "public, max-age=1, stale-if-error=10";
/// The tracks of an event stay as they are.
const TRACKS: &str = "public, max-age=5, stale-if-error=60";
/// What is missing may come at once.
const MISSING: &str = "no-store";

/// What a playlist is asked for with (RFC 8216bis §6.2.5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Directives {
    segment: Option<u64>,
    part: Option<u64>,
    skip: bool,
}

impl Directives {
    /// `None` when they make no sense.
    fn parse(query: Option<&str>) -> Option<Self> {
        let mut found = Self::default();
        for pair in query.unwrap_or_default().split('&') {
            match pair.split_once('=') {
                Some(("_HLS_msn", value)) => found.segment = Some(number(value)?.into()),
                Some(("_HLS_part", value)) => found.part = Some(number(value)?.into()),
                Some(("_HLS_skip", value)) => found.skip = matches!(value, "YES" | "v2"),
                _ => {}
            }
        }
        (found.segment.is_some() || found.part.is_none()).then_some(found)
    }
}

/// Answers a request for `rest`, the path within the presentation. `max_height` is the largest short side of pictures that may be
/// shown.
pub async fn answer(
    programme: &Programme,
    blobs: &Blobs,
    (rest, query): (&str, Option<&str>),
    max_height: Option<u32>,
    headers: &HeaderMap,
) -> Response {
    let done = find(programme, blobs, (rest, query), max_height, headers).await;
    done.unwrap_or_else(|problem| {
        let mut response = problem.into_response();
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(MISSING));
        response
    })
}

async fn find(
    programme: &Programme,
    blobs: &Blobs,
    (rest, query): (&str, Option<&str>),
    max_height: Option<u32>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let resource = Resource::parse(rest).ok_or_else(Problem::not_found)?;
    let selection = Selection { cap: max_height, ..Selection::ALL };
    if let Some(track) = resource.track() {
        permit(programme, selection, track)?;
    }
    match resource {
        Resource::Multivariant => {
            programme.begin().await.map_err(refuse)?;
            let text = programme.tell_all(|event, _| hls::multivariant(event, selection));
            Ok(Text::new(HLS, text).answer(headers, TRACKS))
        }
        Resource::Mpd | Resource::LowMpd => {
            programme.begin().await.map_err(refuse)?;
            let mut rules = *programme.rules();
            if resource == Resource::Mpd {
                rules.part_ms = None;
            }
            let text = programme.tell_all(|event, windows| dash::live_mpd(event, windows, &rules, selection));
            Ok(Text::new("application/dash+xml", text).answer(headers, NOW))
        }
        Resource::Playlist(track) => playlist(programme, track, query, headers).await,
        Resource::Init(track) => {
            let about =
                programme.tracks().iter().find(|about| about.id == track).ok_or_else(Problem::not_found)?;
            Ok(bytes(content_type(programme, track), vec![about.init.clone()], "init"))
        }
        Resource::Segment(track, n) => segment(programme, blobs, track, n).await,
        Resource::Chunks(track, n) => match chunks(programme, track, n).await? {
            Some(response) => Ok(response),
            None => segment(programme, blobs, track, n).await,
        },
        Resource::Part(track, n, part) => {
            let found = programme.part(track, n.into(), part.into()).await.map_err(refuse)?;
            Ok(chunk(programme, track, &found.bytes, &format!("{track}-{n}.{part}")))
        }
        // Of the origin itself, or made of what is stored when it is a recording.
        Resource::Clock
        | Resource::StoryboardCues
        | Resource::StoryboardPlaylist
        | Resource::Sheet(_)
        | Resource::IframePlaylist(_)
        | Resource::Iframe(..) => Err(Problem::not_found()),
    }
}

/// A rung above the token's cap is refused, not only hidden.
fn permit(programme: &Programme, selection: Selection, track: &str) -> Result<(), Problem> {
    let event = programme.outline();
    let known = event.tracks.iter().find(|known| known.id == track).ok_or_else(Problem::not_found)?;
    if !selection.permits(event, known) {
        let words = "This token does not cover this picture size.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "rung_not_allowed", words));
    }
    Ok(())
}

async fn playlist(
    programme: &Programme,
    track: &str,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let words = "A playlist is asked for with `_HLS_msn`, a number, and `_HLS_part` only beside it.";
    let asked = Directives::parse(query).ok_or_else(|| Problem::bad_request(words))?;
    // Players go to another rendition then.
    if !programme.offers(track) {
        return Err(Problem::not_found());
    }
    if let Some(segment) = asked.segment {
        programme.reach(track, segment, asked.part).await.map_err(refuse)?;
    }
    let rules = *programme.rules();
    let text = programme
        .tell(track, |window, siblings| hls::live_playlist(window, &rules, asked.skip, siblings))
        .ok_or_else(Problem::not_found)?;
    let cache = if asked.segment.is_some() && !programme.has_ended() { ASKED_FOR } else { NOW };
    Ok(Text::new(HLS, text).answer(headers, cache))
}

fn content_type(programme: &Programme, track: &str) -> &'static str {
    let video = programme.tracks().iter().any(|about| about.id == track && about.is_video());
    if video { "video/mp4" } else { "audio/mp4" }
}

fn chunk(programme: &Programme, track: &str, segment: &cmaf::Segment, name: &str) -> Response {
    let name = format!("{}-{name}", programme.presentation());
    bytes(content_type(programme, track), segment.parts().cloned().collect(), &name)
}

/// A whole segment, once it is that.
async fn segment(programme: &Programme, blobs: &Blobs, track: &str, n: u32) -> Result<Response, Problem> {
    match programme.segment(track, n.into()).await.map_err(refuse)? {
        Held::Here(segment) => Ok(chunk(programme, track, &segment, &format!("{track}-{n}"))),
        Held::Stored(place) => stored(programme, blobs, track, &place, n).await,
    }
}

/// A segment as its parts, each sent as soon as it is there, after the time at which it happened. The answer begins with the first of
/// them. `None` where only the whole is left.
async fn chunks(programme: &Programme, track: &str, n: u32) -> Result<Option<Response>, Problem> {
    let first = match programme.part_or_end(track, n.into(), 0).await {
        Ok(Some(first)) => first,
        Ok(None) | Err(Absent::Unknown) => return Ok(None),
        Err(absent) => return Err(refuse(absent)),
    };
    let known = programme.tracks().iter().find(|about| about.id == track).ok_or_else(Problem::not_found)?;
    let (timescale, started_at) = (known.spec.timescale, programme.rules().started_at);
    let timed = move |chunk: &Chunk| {
        let at = started_at.saturating_add_unsigned(measure::micros(chunk.start, timescale));
        let mut bytes = cmaf::producer_reference_time(chunk.start, at);
        chunk.bytes.write_to(&mut bytes);
        Bytes::from(bytes)
    };
    let later = futures::stream::try_unfold(
        (1, programme.clone(), track.to_owned()),
        move |(part, programme, track)| async move {
            // What ends in the middle must not look whole.
            let next = programme
                .part_or_end(&track, n.into(), part)
                .await
                .map_err(|absent| io::Error::other(format!("{absent:?}")))?;
            Ok::<_, io::Error>(next.map(|chunk| (timed(&chunk), (part + 1, programme, track))))
        },
    );
    let body = futures::stream::iter([Ok(timed(&first))]).chain(later);
    let mut response = Response::new(Body::from_stream(body));
    let name = format!("{}-{track}-{n}.chunks", programme.presentation());
    describe(response.headers_mut(), content_type(programme, track), &name);
    Ok(Some(response))
}

/// A segment that is no longer in memory.
async fn stored(
    programme: &Programme,
    blobs: &Blobs,
    track: &str,
    place: &Stored,
    n: u32,
) -> Result<Response, Problem> {
    let range = place.offset..place.offset + u64::from(place.bytes);
    let read = blobs.range(&place.object, range).await.map_err(Problem::unavailable)?;
    let name = format!("{}-{track}-{n}", programme.presentation());
    Ok(bytes(content_type(programme, track), vec![read], &name))
}

/// Bytes that never change, by a name that is theirs alone.
fn bytes(content_type: &'static str, pieces: Vec<Bytes>, name: &str) -> Response {
    let length: usize = pieces.iter().map(Bytes::len).sum();
    let pieces = pieces.into_iter().map(Ok::<_, std::convert::Infallible>);
    let mut response = Response::new(Body::from_stream(futures::stream::iter(pieces)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    describe(headers, content_type, name);
    response
}

fn describe(headers: &mut HeaderMap, content_type: &'static str, name: &str) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(FOREVER));
    if let Ok(tag) = HeaderValue::try_from(format!("\"{name}\"")) {
        headers.insert(header::ETAG, tag);
    }
}

fn refuse(absent: Absent) -> Problem {
    match absent {
        Absent::Unknown => Problem::not_found(),
        Absent::TooFar => Problem::bad_request("That is too far ahead of what there is."),
        Absent::Late => Problem::unavailable("what was waited for has not come"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_have_one_meaning() {
        let parse = |query| Directives::parse(Some(query));
        let whole = Directives { segment: Some(7), part: Some(2), skip: true };
        assert_eq!(parse("_HLS_msn=7&_HLS_part=2&_HLS_skip=YES"), Some(whole));
        assert_eq!(Directives::parse(None), Some(Directives::default()));
        for bad in ["_HLS_part=1", "_HLS_msn=x", "_HLS_msn=01", "_HLS_msn=-1", "_HLS_msn=1&_HLS_part="] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
