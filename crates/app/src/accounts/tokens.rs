//! The account's own API tokens.

use api::{Id, Json, Principal, Problem, ProblemBody};
use axum::{extract::State, http::StatusCode};
use domain::{Role, Scope, TokenId};
use serde::Deserialize;
use store::tokens::{self, Kind};
use utoipa::ToSchema;

use super::view::{ApiToken, NewApiToken};
use crate::{App, Result, view::ScopeWord};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenBody {
    /// What it is for.
    pub name: String,
    #[schema(value_type = Vec<ScopeWord>)]
    pub scopes: Vec<Scope>,
    /// 1 to 3650; 365 unless told.
    pub expires_in_days: Option<u32>,
}

/// The account's API tokens, without their secrets.
#[utoipa::path(get, path = "/api/v1/me/tokens", tag = "tokens", responses((status = 200, body = Vec<ApiToken>)))]
pub async fn list(State(app): State<App>, principal: Principal) -> Result<Json<Vec<ApiToken>>> {
    principal.require_session()?;
    let mut reader = app.store.reader().await?;
    let rows = tokens::list(&mut reader, principal.user, Kind::Api, app.clock.now()).await?;
    Ok(Json(rows.into_iter().map(ApiToken::from).collect()))
}

/// Makes an API token. Its secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/me/tokens", tag = "tokens", request_body = TokenBody,
    responses((status = 201, body = NewApiToken), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn create(
    State(app): State<App>,
    principal: Principal,
    Json(body): Json<TokenBody>,
) -> Result<(StatusCode, Json<NewApiToken>)> {
    principal.require_session()?;
    if body.scopes.contains(&Scope::Admin) {
        principal.require_role(Role::Admin)?;
    }
    let (token, about) =
        app.create_token(principal.user, &body.name, &body.scopes, body.expires_in_days).await?;
    Ok((StatusCode::CREATED, Json(NewApiToken { token, about: about.into() })))
}

/// Revokes an API token.
#[utoipa::path(delete, path = "/api/v1/me/tokens/{id}", tag = "tokens", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemBody)))]
pub async fn revoke(State(app): State<App>, principal: Principal, Id(id): Id<TokenId>) -> Result<StatusCode> {
    principal.require_session()?;
    let mut tx = app.store.begin().await?;
    let done = tokens::delete(&mut tx, principal.user, Kind::Api, id).await?;
    tx.commit().await?;
    app.end_streams(principal.user, |device| device == id).await?;
    if done { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found().into()) }
}
