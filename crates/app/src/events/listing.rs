//! What is live now, and what is to come, for everybody.

use api::Json;
use axum::extract::State;
use serde::Serialize;
use store::{events, videos};
use utoipa::ToSchema;

use crate::{App, Asker, Result, personal::Personal, view::Video};

/// Most titles of each list.
const MOST: u32 = 50;

/// What is live now, and what is to come.
#[derive(Debug, Serialize, ToSchema)]
pub struct Live {
    /// The latest first.
    pub live: Vec<Video>,
    /// The next one first.
    pub upcoming: Vec<Video>,
}

/// Public events that are live now, and those that are announced.
#[utoipa::path(get, path = "/api/v1/live", tag = "live", responses((status = 200, body = Live)))]
pub async fn now(State(app): State<App>, asker: Asker) -> Result<Json<Live>> {
    let mut reader = app.store.reader().await?;
    let personal = Personal::of(&mut reader, asker.viewer).await?;
    let view = |row: videos::Video| personal.dress(app.video(row, asker.viewer));
    let live = events::live_for(&mut reader, &asker, MOST).await?;
    let upcoming = events::announced_for(&mut reader, &asker, MOST).await?;
    Ok(Json(Live {
        live: app.with_events(&mut reader, live, view).await?,
        upcoming: app.with_events(&mut reader, upcoming, view).await?,
    }))
}
