//! The caller's unfinished uploads, so that a page or another device can go on with them.

use api::{Json, Principal, ProblemBody, Time};
use axum::extract::State;
use serde::Serialize;
use store::uploads;
use utoipa::ToSchema;

use super::{Uploads, error::Result, headers, metadata::Metadata, routes::may_upload};

const MOST: u32 = 200;

/// An upload that lacks bytes.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnfinishedUpload {
    pub id: String,
    pub video_id: Option<String>,
    pub filename: String,
    /// Bytes of the whole file.
    pub length: i64,
    /// Bytes that are stored.
    pub received: i64,
    pub expires_at: Time,
    /// Where to go on by tus.
    pub url: String,
}

/// Unfinished uploads of the caller, newest first.
#[utoipa::path(get, path = "/api/v1/me/uploads", tag = "uploads",
    responses((status = 200, body = Vec<UnfinishedUpload>), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub async fn mine(
    State(uploads): State<Uploads>,
    principal: Principal,
) -> Result<Json<Vec<UnfinishedUpload>>> {
    may_upload(&principal)?;
    let mut reader = uploads.store.reader().await?;
    let rows = uploads::unfinished(&mut reader, principal.user, MOST).await?;
    let shown = rows.into_iter().map(|row| UnfinishedUpload {
        filename: Metadata::read(&row.metadata).map(|m| m.filename).unwrap_or_default(),
        url: headers::location(row.id),
        id: row.id.to_string(),
        video_id: row.video_id,
        length: row.length,
        received: row.received,
        expires_at: Time(row.expires_at),
    });
    Ok(Json(shown.collect()))
}
