//! The HTTP face of uploads.

use std::time::Duration;

use api::{Principal, Problem, parse_id};
use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, options, post},
};
use domain::{Role, Scope, UploadId};
use store::uploads::{self, Kind, Upload};
use tokio::time::Instant;

use super::{
    PATH, Uploads, checksum,
    checksum::Checksum,
    complete, create,
    error::{Error, Result, bad},
    headers, mine,
    receive::{drain, receive, too_long},
    session::{self, Session},
};

/// Uploads by tus at [`PATH`], and the list of unfinished ones. The server around it must not limit the size or the
/// duration of bodies here.
pub fn routes(uploads: Uploads) -> Router {
    let tus = Router::new()
        .route(PATH, post(collection).options(capabilities))
        .route(&format!("{PATH}/"), post(collection).options(capabilities))
        .route(&format!("{PATH}/{{id}}"), options(capabilities).head(one).patch(one).delete(one).post(one))
        .layer(middleware::from_fn_with_state(uploads.clone(), speak_tus));
    Router::new().route("/api/v1/me/uploads", get(mine::mine)).merge(tus).with_state(uploads)
}

/// Creators and administrators, with the scope `upload` when by token.
pub fn may_upload(principal: &Principal) -> Result<()> {
    principal.require_scope(Scope::Upload)?;
    Ok(principal.require_role(Role::Creator)?)
}

/// Says on every answer that this is tus, and keeps answers out of caches.
async fn speak_tus(State(uploads): State<Uploads>, request: Request, next: Next) -> Response {
    let is_options = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    let wrong_version = response.status() == StatusCode::PRECONDITION_FAILED;
    // A `POST` to an upload without the method that it stands for: the router knows the route, and says nothing.
    let wrong_method = response.status() == StatusCode::METHOD_NOT_ALLOWED;
    let headers = response.headers_mut();
    let mut set = |name, value| headers.insert(HeaderName::from_static(name), value);
    set("tus-resumable", HeaderValue::from_static(headers::VERSION));
    set("cache-control", HeaderValue::from_static("no-store"));
    if wrong_method {
        headers.entry(header::ALLOW).or_insert(HeaderValue::from_static("OPTIONS,HEAD,PATCH,DELETE"));
    }
    let mut set = |name, value| headers.insert(HeaderName::from_static(name), value);
    if is_options || wrong_version {
        set("tus-version", HeaderValue::from_static(headers::VERSION));
    }
    if is_options {
        set("tus-extension", HeaderValue::from_static(headers::EXTENSIONS));
        set("tus-max-size", HeaderValue::from(uploads.config.max_bytes));
        set("tus-checksum-algorithm", HeaderValue::from_static(checksum::ALGORITHMS));
    }
    response
}

async fn capabilities() -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn collection(
    State(uploads): State<Uploads>,
    principal: Principal,
    request: Request,
) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let mut body = Some(body);
    let done = async {
        headers::check_version(&parts.headers)?;
        may_upload(&principal)?;
        create::create(&uploads, &principal, &parts.headers, &mut body).await
    }
    .await;
    answered(&uploads, &parts.headers, body, done).await
}

/// Lets the client finish sending what nobody wants before it is told so; one that waits for `100 Continue` has sent
/// nothing yet.
async fn answered(
    uploads: &Uploads,
    headers: &HeaderMap,
    rest: Option<Body>,
    done: Result<Response>,
) -> Result<Response> {
    let refused = done.is_err() && !headers.contains_key("expect");
    if let Some(body) = rest.filter(|_| refused) {
        drain(uploads, &mut body.into_data_stream()).await;
    }
    done
}

/// A request to one upload. `X-HTTP-Method-Override` outweighs the method (§ X-HTTP-Method-Override).
async fn one(
    State(uploads): State<Uploads>,
    principal: Principal,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let mut body = Some(body);
    let done = dispatch(&uploads, &principal, &id, &parts, &mut body).await;
    answered(&uploads, &parts.headers, body, done).await
}

async fn dispatch(
    uploads: &Uploads,
    principal: &Principal,
    id: &str,
    parts: &Parts,
    body: &mut Option<Body>,
) -> Result<Response> {
    headers::check_version(&parts.headers)?;
    may_upload(principal)?;
    let id: UploadId = parse_id(id)?;
    let upload = uploads::get(&mut uploads.store.reader().await?, principal.user, id).await?;
    let method = headers::text(&parts.headers, "x-http-method-override")?.unwrap_or(parts.method.as_str());
    match method {
        "HEAD" => head(uploads, &upload).await,
        "PATCH" => patch(uploads, &upload, &parts.headers, body).await,
        "DELETE" => {
            end(uploads, &upload).await?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        _ => Err(Error::Problem(Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "An upload answers to HEAD, PATCH and DELETE.",
        ))),
    }
}

/// Where the upload stands.
async fn head(uploads: &Uploads, upload: &Upload) -> Result<Response> {
    if !upload.is_complete() {
        let mut reader = uploads.store.reader().await?;
        session::welcome(&mut reader, upload, uploads.clock.now()).await?;
    }
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    let mut set = |name, value| headers.insert(HeaderName::from_static(name), value);
    set("upload-offset", HeaderValue::from(upload.received));
    set("upload-length", HeaderValue::from(upload.length));
    if let Some(metadata) = HeaderValue::from_str(&upload.metadata).ok().filter(|value| !value.is_empty()) {
        set("upload-metadata", metadata);
    }
    if let Some(concat) = concat_header(upload) {
        set("upload-concat", concat);
    }
    if let Some(video) = upload.video_id.as_deref().and_then(|id| HeaderValue::from_str(id).ok()) {
        set("kinora-video-id", video);
    }
    if let Some(date) = headers::http_date(upload.expires_at).filter(|_| !upload.is_complete()) {
        set("upload-expires", date);
    }
    Ok(response)
}

fn concat_header(upload: &Upload) -> Option<HeaderValue> {
    match upload.kind {
        Kind::Single => None,
        Kind::Partial => Some(HeaderValue::from_static("partial")),
        Kind::Final => {
            let pieces: Vec<UploadId> = serde_json::from_str(&upload.parts).ok()?;
            let urls: Vec<String> = pieces.into_iter().map(headers::location).collect();
            HeaderValue::from_str(&format!("final;{}", urls.join(" "))).ok()
        }
    }
}

/// Ends an upload. A client that ends it has just hung up on its own PATCH: the writer is given the time to notice, and one
/// that is silent to let go.
async fn end(uploads: &Uploads, upload: &Upload) -> Result<()> {
    const RETRY: Duration = Duration::from_millis(50);
    let patience = Instant::now() + uploads.timing.suspend + RETRY;
    loop {
        match complete::remove(uploads, upload).await {
            Err(Error::Locked) if Instant::now() < patience => tokio::time::sleep(RETRY).await,
            other => return other,
        }
    }
}

/// More bytes.
async fn patch(
    uploads: &Uploads,
    upload: &Upload,
    headers: &HeaderMap,
    body: &mut Option<Body>,
) -> Result<Response> {
    if !headers::is_upload_body(headers) {
        return Err(Error::Problem(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Upload bodies are sent as application/offset+octet-stream.",
        )));
    }
    if upload.kind == Kind::Final {
        return Err(Error::Problem(Problem::forbidden("A joined upload takes no bytes.")));
    }
    let offset =
        headers::number(headers, "upload-offset")?.ok_or_else(|| bad("Upload-Offset is missing."))?;
    let checksum = Checksum::read(headers)?;
    let (received, length) = (upload.received as u64, upload.length as u64);
    let announced = headers::number(headers, "content-length")?;
    if offset == received && announced.is_some_and(|bytes| bytes > length - received) {
        return Err(too_long(length).into());
    }
    let is_empty = body.as_ref().is_none_or(axum::body::HttpBody::is_end_stream);
    let stands_at = if upload.is_complete() && offset == length && is_empty {
        length
    } else {
        let session = Session::open(uploads, upload.owner_id, upload.id, offset).await?;
        receive(uploads, session, body.take().unwrap_or_default(), checksum).await?
    };
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("upload-offset"), HeaderValue::from(stands_at));
    if stands_at < length
        && let Some(date) = headers::http_date(uploads.expiry())
    {
        headers.insert(HeaderName::from_static("upload-expires"), date);
    }
    Ok(response)
}
