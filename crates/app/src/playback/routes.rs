//! `POST …/playback`.

use api::{Id, Json, Problem, ProblemBody, Time};
use axum::extract::State;
use domain::{Audience, Micros, VideoId, playback_token::Claims};
use serde::Serialize;
use store::{
    positions, units,
    videos::{self, State as VideoState},
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{App, Asker, Result, title};

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
    /// The addresses are good until then.
    pub expires_at: Time,
    /// Where the caller stopped watching; 0 for the beginning.
    pub resume_ms: i64,
}

/// Begins a playback: gives addresses that are good for the title's duration and six hours more.
#[utoipa::path(post, path = "/api/v1/videos/{id}/playback", tag = "videos", params(("id" = String, Path)),
    responses((status = 200, body = Playback), (status = 403, body = ProblemBody,
        description = "not now (`not_yet_available`, `no_longer_available`) or not there (`not_available_in_country`)"),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn start(State(app): State<App>, asker: Asker, Id(id): Id<VideoId>) -> Result<Json<Playback>> {
    let mut reader = app.store.reader().await?;
    let viewer = asker.viewer;
    let row = title::open(&mut reader, id, &asker).await?;
    let presentation = row.presentation().filter(|_| row.state == VideoState::Ready && !row.is_trashed());
    let presentation =
        presentation.ok_or_else(|| Problem::conflict("This title cannot be played yet, or no longer."))?;
    let position = match viewer {
        Some(viewer) => positions::get(&mut reader, viewer.user, id).await?,
        None => None,
    };
    let pictured = units::has_storyboard(&mut reader, presentation).await?;
    let expires = expiry(&row, &asker);
    let session = Uuid::now_v7();
    let claims = Claims { presentation, expires: expires.seconds(), session, max_height: None };
    // Relative: a page that is reached under another name than the instance's own plays from where it came.
    let base = format!("/media/{}/{presentation}", app.minter.mint(&claims));
    Ok(Json(Playback {
        session: session.to_string(),
        presentation_id: presentation.to_string(),
        hls_url: format!("{base}/main.m3u8"),
        dash_url: format!("{base}/main.mpd"),
        storyboard_url: pictured.then(|| format!("{base}/storyboard.vtt")),
        expires_at: Time(Micros(claims.expires.saturating_mul(Micros::SECOND))),
        resume_ms: position.filter(|p| !p.finished).map_or(0, |p| p.position_ms),
    }))
}

/// A playback lasts as long as the title and a margin, and for those who do not manage the title no longer than it is
/// available.
fn expiry(row: &videos::Video, asker: &Audience) -> Micros {
    let expires =
        asker.now.plus(row.duration_ms.unwrap_or_default().saturating_mul(1000)).plus(title::PLAYBACK_MARGIN);
    match row.available_until {
        Some(until) if !asker.manages(row.owner_id) => expires.min(Micros(until)),
        _ => expires,
    }
}
