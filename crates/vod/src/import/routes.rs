//! `POST /api/v1/imports`.

use api::{Json, Principal, Problem, ProblemBody};
use axum::{Router, extract::State, http::StatusCode, routing::post};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::UploadId;
use serde::{Deserialize, Serialize};
use store::{
    imports::{self, NewImport as NewRow},
    jobs, steps,
};
use utoipa::ToSchema;

use super::{Imports, link};
use crate::upload::{self, Result, metadata::Metadata};

/// A link to be fetched.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewImport {
    /// `https://`, `http://`, or `s3://BUCKET/KEY` of a bucket that the operator has named.
    pub url: String,
    /// Without it one is made from the file's name.
    pub title: Option<String>,
    /// public, unlisted or private, which is what it is when left out.
    pub visibility: Option<String>,
    /// The title of which the file is to become the next version; `title` and `visibility` do not count then.
    pub replaces: Option<String>,
}

/// A link that a worker fetches. Progress is the title's `steps`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Imported {
    pub id: String,
    /// The title that it becomes.
    pub video_id: String,
    /// The link without its query, which may hold secrets.
    pub url: String,
}

/// The route of imports.
pub fn routes(imports: Imports) -> Router {
    Router::new().route("/api/v1/imports", post(create)).with_state(imports)
}

/// Makes a title, or the next version of one, of a link: a worker fetches the file as soon as one is free.
#[utoipa::path(post, path = "/api/v1/imports", tag = "uploads", operation_id = "import", request_body = NewImport,
    responses((status = 201, body = Imported), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn create(
    State(imports): State<Imports>,
    principal: Principal,
    Json(new): Json<NewImport>,
) -> Result<(StatusCode, Json<Imported>)> {
    upload::may_upload(&principal)?;
    if !imports.config.enabled {
        return Err(Problem::forbidden("Importing from links is switched off on this server.").into());
    }
    let link = link::wanted(&imports, &principal, &new.url)?;
    let header = header(&link.filename(), &new);
    let metadata = Metadata::read(&header)?;
    upload::accept::declared(&metadata)?;
    let (id, uploads) = (UploadId::new(), &imports.uploads);
    let now = uploads.clock.now();
    let mut tx = uploads.store.begin().await?;
    // Two requests at once must not both find the last free place.
    store::uploads::lock_quota(&mut tx, principal.user).await?;
    if imports::under_way(&mut tx, principal.user).await? >= i64::from(imports.config.per_person) {
        return Err(Problem::conflict(
            "You have as many imports under way as one person may. Wait for one to end.",
        )
        .into());
    }
    let (video, version) = upload::target(&mut tx, &principal, &metadata, now).await?;
    steps::set(&mut tx, video, steps::Name::Upload, steps::State::Waiting, 0, 0, "", now).await?;
    let row = NewRow {
        id,
        owner: principal.user,
        video,
        version,
        url: new.url.trim().to_owned(),
        metadata: header,
    };
    imports::insert(&mut tx, &row, now).await?;
    let (subject, payload) = (video.to_string(), serde_json::json!({ "import": id }).to_string());
    jobs::enqueue(&mut tx, &jobs::NewJob::new("import", &subject, &payload).max_attempts(3), now).await?;
    tx.commit().await?;
    tracing::info!(import = %id, link = link.shown(), "a link is to be imported");
    Ok((StatusCode::CREATED, Json(Imported { id: id.to_string(), video_id: subject, url: link.shown() })))
}

/// What a client would have said of such an upload.
fn header(filename: &str, new: &NewImport) -> String {
    let mut pairs = vec![format!("filename {}", STANDARD.encode(filename))];
    let given = [("title", &new.title), ("visibility", &new.visibility), ("replaces", &new.replaces)];
    for (name, value) in given {
        pairs.extend(value.as_ref().map(|value| format!("{name} {}", STANDARD.encode(value))));
    }
    pairs.join(",")
}
