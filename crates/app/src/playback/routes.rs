//! `POST …/playback`, and the streams of an account.

use api::{Id, Json, MaybePrincipal, Principal, Problem, ProblemBody, Query, Time};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
};
use domain::{
    Audience, Micros, VideoId,
    playback_token::{Claims, browser_mark},
    revocation,
};
use serde::{Deserialize, Serialize};
use store::{
    positions, tokens, units,
    videos::{self, State as VideoState, Video},
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::streams::{self, Stream};
use crate::{App, Asker, Result, broadcast::EventInfo, title};

/// How long a look at a title may take that is no playback, microseconds.
const PREVIEW: i64 = 3 * Micros::MINUTE;

/// Where to play a title.
#[derive(Debug, Serialize, ToSchema)]
pub struct Playback {
    pub session: String,
    pub presentation_id: String,
    /// HLS multivariant playlist.
    pub hls_url: String,
    /// MPEG-DASH manifest.
    pub dash_url: String,
    /// WebVTT of seek-bar pictures; `null` until they are made.
    #[schema(required = true)]
    pub storyboard_url: Option<String>,
    /// Base addresses under which the paths above are to be tried, in this order. Empty: only where the page came from.
    pub edges: Vec<String>,
    /// The addresses are good until then.
    pub expires_at: Time,
    /// Where the caller stopped watching; 0 for the beginning.
    pub resume_ms: i64,
    /// The stream counts for the account as long as `PUT /api/v1/me/streams/{id}` is sent so often, seconds; `null`: it is
    /// not counted.
    #[schema(required = true)]
    pub keep_alive_seconds: Option<i64>,
    /// Of a live event and of its recording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<EventInfo>,
}

/// How a playback begins.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct StartQuery {
    /// `watch`, or `preview` for a short look, which counts as no stream: its addresses are good for three minutes (for whoever
    /// manages the title as long as any).
    #[serde(default)]
    #[param(inline)]
    purpose: Purpose,
    /// The session of the playback that this one goes on with. It is refused when that one was stopped from another device.
    after: Option<Uuid>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Purpose {
    #[default]
    Watch,
    Preview,
}

/// Begins a playback: gives addresses that are good for the title's duration and six hours more, those of what is
/// live for a day. With an account it is a stream
/// of that account.
#[utoipa::path(post, path = "/api/v1/videos/{id}/playback", tag = "videos", params(("id" = String, Path), StartQuery),
    responses((status = 200, body = Playback), (status = 403, body = ProblemBody,
        description = "not now (`not_yet_available`, `no_longer_available`), not there (`not_available_in_country`), one stream \
            (`too_many_streams`) or device (`too_many_devices`) of the account too many, or `stopped_elsewhere`"),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn start(
    State(app): State<App>,
    asker: Asker,
    MaybePrincipal(principal): MaybePrincipal,
    Id(id): Id<VideoId>,
    Query(query): Query<StartQuery>,
    headers: HeaderMap,
) -> Result<Json<Playback>> {
    let mut reader = app.store.reader().await?;
    let viewer = asker.viewer;
    let row = title::open(&mut reader, id, &asker).await?;
    let presentation = row.presentation().filter(|_| row.state == VideoState::Ready && !row.is_trashed());
    let presentation = presentation.ok_or_else(|| Problem::conflict(unplayable(row.state)))?;
    let position = match viewer {
        Some(viewer) => positions::get(&mut reader, viewer.user, id).await?,
        None => None,
    };
    let pictured = units::has_storyboard(&mut reader, presentation).await?;
    let event = app.event_of(&mut reader, &row).await?;
    drop(reader);
    let session = revocation::session(asker.now);
    let is_short = query.purpose == Purpose::Preview && !title::may_manage(&row, viewer);
    let expires = if is_short { asker.now.plus(PREVIEW) } else { expiry(&row, &asker) };
    let counted = principal.as_ref().filter(|_| query.purpose == Purpose::Watch);
    if let Some(principal) = counted {
        app.begin(principal, &row, (session, expires), query.after).await?;
    }
    let agent = headers.get(header::USER_AGENT).map(|agent| agent.to_str().unwrap_or_default());
    let claims = Claims {
        // Where the title is for some countries only, the token is for the one that was found.
        country: asker.country.filter(|_| row.terms().countries.is_some()),
        browser: agent.filter(|_| app.config.bind_playback_to_browser).map(browser_mark),
        ..Claims::new(presentation, expires.seconds(), session)
    };
    let base_of = |edge: &String| edge.trim_end_matches('/').to_owned();
    // Relative: a page that is reached under another name than the instance's own plays from where it came.
    let base = format!("/media/{}/{presentation}", app.minter.mint(&claims));
    Ok(Json(Playback {
        session: session.to_string(),
        presentation_id: presentation.to_string(),
        hls_url: format!("{base}/main.m3u8"),
        dash_url: format!("{base}/main.mpd"),
        storyboard_url: pictured.then(|| format!("{base}/storyboard.vtt")),
        edges: app.config.edges.iter().map(base_of).collect(),
        expires_at: Time(Micros(claims.expires.saturating_mul(Micros::SECOND))),
        // What is live begins at the present.
        resume_ms: position.filter(|p| !p.finished && !row.is_live()).map_or(0, |p| p.position_ms),
        keep_alive_seconds: counted.map(|_| streams::KEEP_ALIVE),
        event,
    }))
}

impl App {
    /// Counts device and stream of a signed-in viewer.
    async fn begin(
        &self,
        principal: &Principal,
        row: &Video,
        (session, until): (Uuid, Micros),
        after: Option<Uuid>,
    ) -> Result<()> {
        let now = self.clock.now();
        self.admit_device(principal, now).await?;
        let name = tokens::name(&mut self.store.reader().await?, principal.token).await?.unwrap_or_default();
        let (video, title, device) = (row.id, row.title.clone(), principal.token);
        let stream = Stream { session, video, title, device, name, since: now, until };
        self.begin_stream(principal.user, &stream, after).await
    }
}

/// A stream of the account.
#[derive(Debug, Serialize, ToSchema)]
pub struct StreamView {
    /// The playback session.
    pub session: String,
    pub video_id: String,
    pub title: String,
    /// The browser, as it calls itself, or the API token's name.
    pub device: String,
    /// Is it on the device that asks?
    pub here: bool,
    pub since: Time,
}

/// What the account is watching now, on all its devices.
#[utoipa::path(get, path = "/api/v1/me/streams", tag = "account",
    responses((status = 200, body = Vec<StreamView>), (status = 503, body = ProblemBody)))]
pub async fn streams(State(app): State<App>, principal: Principal) -> Result<Json<Vec<StreamView>>> {
    let streams = app.streams(principal.user).await?;
    let view = |stream: Stream| StreamView {
        session: stream.session.to_string(),
        video_id: stream.video.to_string(),
        title: stream.title,
        device: stream.name,
        here: stream.device == principal.token,
        since: Time(stream.since),
    };
    Ok(Json(streams.into_iter().map(view).collect()))
}

/// What becomes of a stream.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct StopQuery {
    /// The player itself has ended it: its place is free at once.
    #[serde(default)]
    left: bool,
}

/// Says that a player is still there.
#[utoipa::path(put, path = "/api/v1/me/streams/{id}", tag = "account", params(("id" = String, Path)),
    responses((status = 204), (status = 410, body = ProblemBody,
        description = "`stopped_elsewhere`, or `stream_lapsed`: begin the playback again")))]
pub async fn keep(State(app): State<App>, principal: Principal, Id(session): Id<Uuid>) -> Result<StatusCode> {
    app.keep_stream(principal.user, session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stops a stream of the account, wherever it plays.
#[utoipa::path(delete, path = "/api/v1/me/streams/{id}", tag = "account",
    params(("id" = String, Path), StopQuery),
    responses((status = 204), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 503, body = ProblemBody)))]
pub async fn stop(
    State(app): State<App>,
    principal: Principal,
    Id(session): Id<Uuid>,
    Query(query): Query<StopQuery>,
) -> Result<StatusCode> {
    if query.left {
        app.leave_stream(principal.user, session).await?;
    } else if !app.stop_stream(principal.user, session).await? {
        return Err(Problem::not_found().into());
    }
    Ok(StatusCode::NO_CONTENT)
}

fn unplayable(state: VideoState) -> &'static str {
    match state {
        VideoState::Upcoming => "This event has not begun yet.",
        VideoState::Ended => "This event is over, and was not kept.",
        _ => "This title cannot be played yet, or no longer.",
    }
}

/// A playback lasts as long as the title and a margin, and for those who do not manage the title no longer than it is
/// available.
fn expiry(row: &videos::Video, asker: &Audience) -> Micros {
    let expires = asker.now.plus(title::playback_lasts(row));
    match row.available_until {
        Some(until) if !asker.manages(row.owner_id) => expires.min(Micros(until)),
        _ => expires,
    }
}
