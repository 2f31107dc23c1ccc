//! POST: a new upload, with its title (§ Creation, § Creation With Upload).

use api::{Principal, Problem};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use backends::blob::names;
use domain::{Micros, SourceId, UploadId, UserId, VersionId, VideoId};
use store::{
    Tx, steps,
    uploads::{self, Kind, NewUpload, Upload},
    videos::{self, NewVideo},
};

use super::{
    Uploads, accept,
    checksum::Checksum,
    concat,
    error::{Error, Result, bad},
    headers::{self, Concat},
    metadata::Metadata,
    receive::{receive, too_long},
    session::Session,
};
use crate::version;

/// Makes an upload and its title, and takes the first bytes when the request brings some.
pub async fn create(
    uploads: &Uploads,
    principal: &Principal,
    headers: &HeaderMap,
    body: &mut Option<Body>,
) -> Result<Response> {
    let raw = headers::text(headers, "upload-metadata")?.unwrap_or_default();
    let metadata = Metadata::read(raw)?;
    let kind = match Concat::read(headers)? {
        Concat::Final(pieces) => {
            let upload = concat::join(uploads, principal, &pieces, raw, &metadata).await?;
            return Ok(created(&upload, Some(upload.length as u64)));
        }
        Concat::Partial => Kind::Partial,
        Concat::Single => Kind::Single,
    };
    let length = length(uploads, headers)?;
    if kind == Kind::Single {
        accept::declared(&metadata)?;
    }
    let brings_bytes =
        headers::is_upload_body(headers) && !body.as_ref().is_none_or(axum::body::HttpBody::is_end_stream);
    let checksum = Checksum::read(headers)?;
    let announced = headers::number(headers, "content-length")?.unwrap_or_default();
    if brings_bytes && announced > length {
        return Err(too_long(length).into());
    }
    let upload = insert(uploads, principal, kind, length, raw, &metadata).await?;
    if !brings_bytes {
        return Ok(created(&upload, None));
    }
    let session = Session::open(uploads, principal.user, upload.id, 0).await?;
    match receive(uploads, session, body.take().unwrap_or_default(), checksum).await {
        Ok(offset) => Ok(created(&upload, Some(offset))),
        Err(Error::Problem(problem)) if matches!(problem.status().as_u16(), 413 | 460) => {
            // The client will never learn where this upload is.
            super::complete::remove(uploads, &upload).await?;
            Err(problem.into())
        }
        Err(error @ Error::NotMedia(_)) => Err(error),
        Err(error) => {
            tracing::debug!(%error, upload = %upload.id, "the first bytes of an upload were cut off");
            let mut reader = uploads.store.reader().await?;
            let upload = uploads::get(&mut reader, principal.user, upload.id).await?;
            Ok(created(&upload, Some(upload.received as u64)))
        }
    }
}

fn length(uploads: &Uploads, headers: &HeaderMap) -> Result<u64> {
    if headers.contains_key("upload-defer-length") {
        return Err(bad("This server wants to know the length at once: send Upload-Length."));
    }
    match headers::number(headers, "upload-length")? {
        None => Err(bad("Upload-Length is missing.")),
        Some(0) => Err(bad("The file is empty.")),
        Some(length) if length > uploads.config.max_bytes => Err(refused_size(format!(
            "The file is larger than the {} that this server takes.",
            gigabytes(uploads.config.max_bytes)
        ))),
        Some(length) => Ok(length),
    }
}

async fn insert(
    uploads: &Uploads,
    principal: &Principal,
    kind: Kind,
    length: u64,
    raw: &str,
    metadata: &Metadata,
) -> Result<Upload> {
    let (id, now) = (UploadId::new(), uploads.clock.now());
    let staged = uploads.blobs.stage(&names::master(SourceId(id.0)), length)?;
    let mut tx = uploads.store.begin().await?;
    check_quota(&mut tx, uploads, principal.user, length).await?;
    let (video, version) = match kind {
        Kind::Single => {
            let (video, version) = target(&mut tx, principal, metadata, now).await?;
            let length = length as i64;
            steps::set(&mut tx, video, steps::Name::Upload, steps::State::Running, 0, length, "", now)
                .await?;
            (Some(video), version)
        }
        Kind::Partial | Kind::Final => (None, None),
    };
    let new = NewUpload {
        id,
        owner: principal.user,
        video,
        version,
        kind,
        length,
        metadata: raw.to_owned(),
        staging: serde_json::to_string(&staged).map_err(|e| store::Error::Corrupt(e.to_string()))?,
        parts: "[]".into(),
        expires_at: uploads.expiry(),
    };
    uploads::insert(&mut tx, &new, now).await?;
    let upload = uploads::get(&mut tx, principal.user, id).await?;
    tx.commit().await?;
    Ok(upload)
}

/// What a file is for: a new title, or the next version of one.
pub async fn target(
    tx: &mut Tx,
    principal: &Principal,
    metadata: &Metadata,
    now: Micros,
) -> Result<(VideoId, Option<VersionId>)> {
    if let Some(video) = metadata.replaces {
        let version = version::replace(tx, principal, video, &metadata.filename, now).await?;
        return Ok((video, Some(version)));
    }
    let video = VideoId::new();
    insert_title(tx, video, principal, metadata, now).await?;
    Ok((video, None))
}

async fn insert_title(
    tx: &mut Tx,
    id: VideoId,
    principal: &Principal,
    metadata: &Metadata,
    now: Micros,
) -> Result<()> {
    let video = NewVideo {
        id,
        owner: principal.user,
        title: metadata.title.clone(),
        description: String::new(),
        attribution: String::new(),
        visibility: metadata.visibility,
    };
    Ok(videos::insert(tx, &video, now).await?)
}

/// 413 when `owner` has no room for a file of `length`.
pub async fn check_quota(tx: &mut Tx, uploads: &Uploads, owner: UserId, length: u64) -> Result<()> {
    let own = uploads::lock_quota(tx, owner).await?;
    let Some(quota) = own.map(|own| own.max(0) as u64).or(uploads.config.quota_bytes) else { return Ok(()) };
    let held = uploads::held_bytes(tx, owner).await?.max(0) as u64;
    if held.saturating_add(length) <= quota {
        return Ok(());
    }
    Err(refused_size(format!(
        "Your quota of {} does not have room for this file of {}: {} are taken. Delete something, or ask an administrator for more.",
        gigabytes(quota),
        gigabytes(length),
        gigabytes(held)
    )))
}

fn refused_size(words: String) -> Error {
    Error::Problem(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", words))
}

/// Sizes as people say them.
pub fn gigabytes(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// 201 with the upload's address.
fn created(upload: &Upload, offset: Option<u64>) -> Response {
    let mut response = StatusCode::CREATED.into_response();
    let headers = response.headers_mut();
    if let Ok(location) = HeaderValue::from_str(&headers::location(upload.id)) {
        headers.insert(header::LOCATION, location);
    }
    if let Some(offset) = offset {
        headers.insert(HeaderName::from_static("upload-offset"), HeaderValue::from(offset));
    }
    if let Some(video) = upload.video_id.as_deref().and_then(|id| HeaderValue::from_str(id).ok()) {
        headers.insert(HeaderName::from_static("kinora-video-id"), video);
    }
    if let Some(date) = headers::http_date(upload.expires_at).filter(|_| !upload.is_complete()) {
        headers.insert(HeaderName::from_static("upload-expires"), date);
    }
    response
}
