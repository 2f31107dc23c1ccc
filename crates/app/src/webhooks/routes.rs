//! Webhooks: list, make, read, change, remove, give a new secret.

use api::{Cursor, Id, Json, Page, Principal, Problem, ProblemBody, Query, etag, page};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{Role, Scope, WebhookId};
use serde::Deserialize;
use store::{Connect, jobs, webhooks};
use utoipa::IntoParams;

use super::{
    MAX_WEBHOOKS, ROTATION,
    body::{NewWebhookBody, WebhookBody},
    sign,
    view::{Webhook, WebhookWithSecret},
};
use crate::{App, Result};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Everybody's; for administrators.
    #[serde(default)]
    pub all: bool,
    /// Rows on the page, 1 to 100; 24 unless told.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// Creators and administrators, with the scope `manage` when by token.
fn may_have(principal: &Principal) -> Result<(), Problem> {
    principal.require_scope(Scope::Manage)?;
    principal.require_role(Role::Creator)
}

/// The webhook, if the caller may manage it: their own, and for administrators everybody's. Otherwise 404.
pub(super) async fn manage(
    conn: &mut impl Connect,
    id: WebhookId,
    principal: &Principal,
) -> Result<webhooks::Webhook> {
    may_have(principal)?;
    let webhook = webhooks::get(conn, id).await?;
    let own = webhook.user_id == principal.user;
    if own || principal.effective_role() == Role::Admin {
        Ok(webhook)
    } else {
        Err(Problem::not_found().into())
    }
}

/// The caller's webhooks, latest first.
#[utoipa::path(get, path = "/api/v1/webhooks", tag = "webhooks", params(ListQuery),
    responses((status = 200, body = Page<Webhook>), (status = 403, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    principal: Principal,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Webhook>>> {
    may_have(&principal)?;
    if query.all {
        principal.require_role(Role::Admin)?;
    }
    let cursor = Cursor { limit: query.limit, cursor: query.cursor };
    let (limit, after) = (cursor.limit()?, cursor.after()?);
    let owner = (!query.all).then_some(principal.user);
    let rows = webhooks::list(&mut app.store.reader().await?, owner, after, limit + 1).await?;
    let now = app.clock.now();
    Ok(Json(page::page(rows, limit, |row| row.id, |row| Webhook::new(row, now))))
}

/// Makes a webhook. Its secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/webhooks", tag = "webhooks", request_body = NewWebhookBody,
    responses((status = 201, body = WebhookWithSecret), (status = 403, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn create(
    State(app): State<App>,
    principal: Principal,
    Json(body): Json<NewWebhookBody>,
) -> Result<Response> {
    may_have(&principal)?;
    let settings = body.settings(&principal)?;
    let (id, secret, now) = (WebhookId::new(), sign::fresh_secret(), app.clock.now());
    let mut tx = app.store.begin().await?;
    if webhooks::count(&mut tx, principal.user).await? >= MAX_WEBHOOKS {
        return Err(Problem::conflict("An account has at most 20 webhooks.").into());
    }
    webhooks::insert(&mut tx, id, principal.user, &settings, &secret, now).await?;
    let row = webhooks::get(&mut tx, id).await?;
    tx.commit().await?;
    let tag = etag::of_revision(row.revision);
    let made = WebhookWithSecret { secret, about: Webhook::new(row, now) };
    Ok((StatusCode::CREATED, [(header::ETAG, tag)], Json(made)).into_response())
}

/// One webhook.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}", tag = "webhooks", params(("id" = String, Path)),
    responses((status = 200, body = Webhook), (status = 404, body = ProblemBody)))]
pub async fn get(State(app): State<App>, principal: Principal, Id(id): Id<WebhookId>) -> Result<Response> {
    let row = manage(&mut app.store.reader().await?, id, &principal).await?;
    Ok(tagged(row, &app))
}

/// Changes a webhook, or switches it off and on.
#[utoipa::path(patch, path = "/api/v1/webhooks/{id}", tag = "webhooks", params(("id" = String, Path)),
    request_body = WebhookBody,
    responses((status = 200, body = Webhook), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 412, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn edit(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id<WebhookId>,
    headers: HeaderMap,
    Json(body): Json<WebhookBody>,
) -> Result<Response> {
    let mut tx = app.store.begin().await?;
    let old = manage(&mut tx, id, &principal).await?;
    etag::check(&headers, old.revision)?;
    let settings = body.settings(&old, &principal)?;
    let row = webhooks::edit(&mut tx, id, &settings, body.enabled, app.clock.now()).await?;
    tx.commit().await?;
    Ok(tagged(row, &app))
}

/// Removes a webhook with its log. What is under way is not delivered any more.
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}", tag = "webhooks", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ProblemBody)))]
pub async fn delete(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id<WebhookId>,
) -> Result<StatusCode> {
    let mut tx = app.store.begin().await?;
    manage(&mut tx, id, &principal).await?;
    jobs::cancel_by_subject(&mut tx, &id.to_string(), app.clock.now()).await?;
    webhooks::delete(&mut tx, id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a webhook a new secret. For a day messages are signed with the old one, too.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/secret", tag = "webhooks", params(("id" = String, Path)),
    responses((status = 200, body = WebhookWithSecret), (status = 404, body = ProblemBody)))]
pub async fn rotate(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id<WebhookId>,
) -> Result<Json<WebhookWithSecret>> {
    let (secret, now) = (sign::fresh_secret(), app.clock.now());
    let mut tx = app.store.begin().await?;
    manage(&mut tx, id, &principal).await?;
    let row = webhooks::rotate(&mut tx, id, &secret, now.plus(ROTATION), now).await?;
    tx.commit().await?;
    Ok(Json(WebhookWithSecret { secret, about: Webhook::new(row, now) }))
}

fn tagged(row: webhooks::Webhook, app: &App) -> Response {
    let tag = etag::of_revision(row.revision);
    ([(header::ETAG, tag)], Json(Webhook::new(row, app.clock.now()))).into_response()
}
