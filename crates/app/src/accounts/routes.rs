//! Set-up, sign-in and sign-out, the own account and its sessions.

use api::{Client, Id, Json, MaybePrincipal, Principal, Problem, ProblemBody, etag};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{Micros, Role, TokenId};
use serde::{Deserialize, Serialize};
use store::{
    tokens::{self, Kind},
    users,
};
use utoipa::ToSchema;

use super::{
    middleware::COOKIE,
    password,
    service::{Application, check_email, check_name},
    view::{Session, SessionAnswer, User, UserAnswer},
};
use crate::{App, Result};

/// What a client needs to know before anything else.
#[derive(Debug, Serialize, ToSchema)]
pub struct Instance {
    #[schema(example = "Kinora")]
    pub name: String,
    pub version: &'static str,
    /// Nobody has an account yet: show the set-up page.
    pub setup_required: bool,
    pub max_upload_bytes: u64,
    /// Body size that uploads should be sent in.
    pub upload_chunk_bytes: u64,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetupBody {
    pub name: String,
    pub email: String,
    pub password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInBody {
    pub email: String,
    pub password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeBody {
    pub name: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordBody {
    pub current_password: String,
    pub new_password: String,
}

/// The instance's name, version and limits.
#[utoipa::path(get, path = "/api/v1/instance", tag = "instance", responses((status = 200, body = Instance)))]
pub async fn instance(State(app): State<App>) -> Result<Json<Instance>> {
    let any = users::any(&mut app.store.reader().await?).await?;
    Ok(Json(Instance {
        name: app.config.name.clone(),
        version: env!("CARGO_PKG_VERSION"),
        setup_required: !any,
        max_upload_bytes: app.limits.max_upload_bytes,
        upload_chunk_bytes: app.limits.upload_chunk_bytes,
    }))
}

/// Creates the administrator of a fresh instance and signs them in.
#[utoipa::path(post, path = "/api/v1/setup", tag = "session", request_body = SetupBody,
    responses((status = 201, body = UserAnswer), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn setup(
    State(app): State<App>,
    client: Client,
    headers: HeaderMap,
    Json(body): Json<SetupBody>,
) -> Result<Response> {
    app.sign_in.costly(client.address, app.clock.now()).await?;
    let application =
        Application { email: body.email, name: body.name, password: body.password, role: Role::Admin };
    let user = app.set_up(application).await?;
    let mut tx = app.store.begin().await?;
    let session = app.open_session(&mut tx, user.id, browser(&headers)).await?;
    let user = User::read(&mut tx, user).await?;
    tx.commit().await?;
    let cookie = session_cookie(&session.secret, app.session_seconds(session.expires_at), client.https);
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(UserAnswer { user })).into_response())
}

/// Who is signed in.
#[utoipa::path(get, path = "/api/v1/session", tag = "session",
    responses((status = 200, body = SessionAnswer), (status = 401, body = ProblemBody)))]
pub async fn session(State(app): State<App>, principal: Principal) -> Result<Json<SessionAnswer>> {
    let now = app.clock.now();
    let mut reader = app.store.reader().await?;
    let user = users::get(&mut reader, principal.user).await?;
    let user = User::read(&mut reader, user).await?;
    let kind = if principal.scopes.is_some() { Kind::Api } else { Kind::Session };
    let mine = tokens::list(&mut reader, principal.user, kind, now).await?;
    let expires_at =
        mine.iter().find(|token| token.id == principal.token).map_or(now, |token| token.expires_at);
    Ok(Json(SessionAnswer { user, expires_at: expires_at.into() }))
}

/// Signs in. The answer is the same for a wrong password and for an account that does not exist.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = SignInBody,
    responses((status = 201, body = SessionAnswer), (status = 401, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub async fn sign_in(
    State(app): State<App>,
    client: Client,
    MaybePrincipal(before): MaybePrincipal,
    headers: HeaderMap,
    Json(body): Json<SignInBody>,
) -> Result<Response> {
    let refused = || {
        Problem::new(StatusCode::UNAUTHORIZED, "wrong_credentials", "The address or the password is wrong.")
    };
    let now = app.clock.now();
    // What cannot be an address goes the same way as one that nobody has.
    let email = check_email(&body.email).unwrap_or_default();
    app.sign_in.attempt(client.address, &email, now).await?;
    if body.password.len() > 4096 {
        return Err(refused().into());
    }
    let user = app.check_password(&email, body.password).await?.ok_or_else(refused)?;
    app.sign_in.succeeded(client.address, &email).await;
    let mut tx = app.store.begin().await?;
    // The session that the browser had is over: its secret may have been planted.
    if let Some(before) = before {
        tokens::delete(&mut tx, before.user, Kind::Session, before.token).await?;
    }
    let session = app.open_session(&mut tx, user.id, browser(&headers)).await?;
    let user = User::read(&mut tx, user).await?;
    tx.commit().await?;
    let cookie = session_cookie(&session.secret, app.session_seconds(session.expires_at), client.https);
    let answer = SessionAnswer { user, expires_at: session.expires_at.into() };
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(answer)).into_response())
}

/// Signs out: the session ends here and now.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses((status = 204)))]
pub async fn sign_out(
    State(app): State<App>,
    client: Client,
    MaybePrincipal(principal): MaybePrincipal,
) -> Result<Response> {
    if let Some(principal) = principal {
        principal.require_session()?;
        let mut tx = app.store.begin().await?;
        tokens::delete(&mut tx, principal.user, Kind::Session, principal.token).await?;
        tx.commit().await?;
        app.end_streams(principal.user, |device| device == principal.token).await?;
    }
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, session_cookie("", 0, client.https))]).into_response())
}

/// Changes the own account.
#[utoipa::path(patch, path = "/api/v1/me", tag = "account", request_body = MeBody,
    responses((status = 200, body = UserAnswer), (status = 412, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn edit_me(
    State(app): State<App>,
    principal: Principal,
    headers: HeaderMap,
    Json(body): Json<MeBody>,
) -> Result<Response> {
    principal.require_session()?;
    let name = body.name.as_deref().map(check_name).transpose()?;
    let mut tx = app.store.begin().await?;
    let change = users::Edit { name, ..users::Edit::default() };
    etag::check(&headers, users::get(&mut tx, principal.user).await?.revision)?;
    let user = users::edit(&mut tx, principal.user, &change, app.clock.now()).await?;
    let user = User::read(&mut tx, user).await?;
    tx.commit().await?;
    Ok(super::people::tagged(user))
}

/// Changes the password and ends all other sessions.
#[utoipa::path(post, path = "/api/v1/me/password", tag = "account", request_body = PasswordBody,
    responses((status = 204), (status = 422, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub async fn change_password(
    State(app): State<App>,
    client: Client,
    principal: Principal,
    Json(body): Json<PasswordBody>,
) -> Result<StatusCode> {
    principal.require_session()?;
    password::check(&body.new_password, "new_password")?;
    let user = users::get(&mut app.store.reader().await?, principal.user).await?;
    app.sign_in.attempt(client.address, &user.email, app.clock.now()).await?;
    if app.check_password(&user.email, body.current_password).await?.is_none() {
        return Err(Problem::invalid("current_password", "This is not the present password.").into());
    }
    app.sign_in.succeeded(client.address, &user.email).await;
    let hash = app.passwords.hash(body.new_password).await?;
    let mut tx = app.store.begin().await?;
    users::set_password(&mut tx, principal.user, &hash, app.clock.now()).await?;
    tokens::delete_sessions(&mut tx, principal.user, Some(principal.token)).await?;
    tx.commit().await?;
    app.end_streams(principal.user, |device| device != principal.token).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where the account is signed in.
#[utoipa::path(get, path = "/api/v1/me/sessions", tag = "account", responses((status = 200, body = Vec<Session>)))]
pub async fn sessions(State(app): State<App>, principal: Principal) -> Result<Json<Vec<Session>>> {
    principal.require_session()?;
    let mut reader = app.store.reader().await?;
    let rows = tokens::list(&mut reader, principal.user, Kind::Session, app.clock.now()).await?;
    let view = |row: tokens::Token| {
        let current = row.id == principal.token;
        Session::new(row, current)
    };
    Ok(Json(rows.into_iter().map(view).collect()))
}

/// Ends one session of the account.
#[utoipa::path(delete, path = "/api/v1/me/sessions/{id}", tag = "account", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemBody)))]
pub async fn end_session(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id<TokenId>,
) -> Result<StatusCode> {
    principal.require_session()?;
    let mut tx = app.store.begin().await?;
    let done = tokens::delete(&mut tx, principal.user, Kind::Session, id).await?;
    tx.commit().await?;
    app.end_streams(principal.user, |device| device == id).await?;
    if done { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found().into()) }
}

impl App {
    fn session_seconds(&self, expires_at: Micros) -> i64 {
        (expires_at.0 - self.clock.now().0).max(0) / Micros::SECOND
    }
}

/// `Set-Cookie` for the session; `seconds` 0 takes it away.
pub(super) fn session_cookie(secret: &str, seconds: i64, https: bool) -> HeaderValue {
    let secure = if https { "; Secure" } else { "" };
    let text = format!("{COOKIE}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    HeaderValue::try_from(text)
        .unwrap_or_else(|_| HeaderValue::from_static("kinora_session=; Path=/; Max-Age=0"))
}

/// What the browser calls itself.
fn browser(headers: &HeaderMap) -> &str {
    headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or("unknown browser")
}
