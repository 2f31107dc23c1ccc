//! What was delivered: the log, and sending again.

use api::{Cursor, Id, Json, Page, Principal, Problem, ProblemBody, Query, Time, page};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use domain::WebhookId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::webhooks;
use utoipa::ToSchema;

use super::{
    EventType,
    dispatch::{enqueue, payload},
    routes::manage,
    view::{Attempt, Delivery, DeliveryDetails},
};
use crate::{App, Result};

/// Tries that are shown.
const SHOWN: u32 = 50;
/// Messages that are sent again in one go.
const MAX_REPLAYED: u32 = 1000;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayBody {
    /// Everything that happened since this time (RFC 3339) and is still in the log.
    #[schema(format = DateTime, example = "2026-11-20T00:00:00Z")]
    pub since: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Replayed {
    /// Messages that are sent again; the oldest thousand when there are more.
    pub deliveries: usize,
}

/// Messages of a webhook, latest first. They are kept for thirty days, and at most a thousand.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/deliveries", tag = "webhooks",
    params(("id" = String, Path), Cursor),
    responses((status = 200, body = Page<Delivery>), (status = 404, body = ProblemBody)))]
pub async fn deliveries(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id<WebhookId>,
    Query(cursor): Query<Cursor>,
) -> Result<Json<Page<Delivery>>> {
    let mut reader = app.store.reader().await?;
    manage(&mut reader, id, &principal).await?;
    let limit = cursor.limit()?;
    let after: Option<String> = cursor.after()?;
    let rows = webhooks::deliveries(&mut reader, id, after.as_deref(), limit + 1).await?;
    Ok(Json(page::page(rows, limit, |row| row.id.clone(), Delivery::from)))
}

/// One message: what was sent, and what came of each try.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/deliveries/{message}", tag = "webhooks",
    params(("id" = String, Path), ("message" = String, Path, description = "The message, `msg_…`.")),
    responses((status = 200, body = DeliveryDetails), (status = 404, body = ProblemBody)))]
pub async fn delivery(
    State(app): State<App>,
    principal: Principal,
    Path((id, message)): Path<(String, String)>,
) -> Result<Json<DeliveryDetails>> {
    let id: WebhookId = api::parse_id(&id)?;
    let mut reader = app.store.reader().await?;
    manage(&mut reader, id, &principal).await?;
    let row = webhooks::delivery(&mut reader, id, &message).await?;
    let log = webhooks::attempts(&mut reader, &row.id, SHOWN).await?;
    let payload: Value = serde_json::from_str(&row.payload).unwrap_or_default();
    let log = log.into_iter().map(Attempt::from).collect();
    Ok(Json(DeliveryDetails { about: row.into(), payload, log }))
}

/// Sends a message again, as it was.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/deliveries/{message}/replay", tag = "webhooks",
    params(("id" = String, Path), ("message" = String, Path, description = "The message, `msg_…`.")),
    responses((status = 202, body = Delivery), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn replay(
    State(app): State<App>,
    principal: Principal,
    Path((id, message)): Path<(String, String)>,
) -> Result<(StatusCode, Json<Delivery>)> {
    let (id, now): (WebhookId, _) = (api::parse_id(&id)?, app.clock.now());
    let mut tx = app.store.begin().await?;
    let webhook = manage(&mut tx, id, &principal).await?;
    must_be_on(&webhook)?;
    webhooks::delivery(&mut tx, id, &message).await?;
    let Some(row) = webhooks::replay(&mut tx, id, &message, now).await? else {
        return Err(Problem::conflict("This message is under way already.").into());
    };
    enqueue(&mut tx, &webhook, &row.id, row.round, now, now).await?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(row.into())))
}

/// Sends again what happened since a time.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/replay", tag = "webhooks", params(("id" = String, Path)),
    request_body = ReplayBody,
    responses((status = 202, body = Replayed), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub async fn replay_since(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id<WebhookId>,
    Json(body): Json<ReplayBody>,
) -> Result<(StatusCode, Json<Replayed>)> {
    let since: Time = body
        .since
        .parse()
        .map_err(|_| Problem::invalid("since", "A time is written as 2026-11-21T12:30:00Z (RFC 3339)."))?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let webhook = manage(&mut tx, id, &principal).await?;
    must_be_on(&webhook)?;
    let mut deliveries = 0;
    for message in webhooks::since(&mut tx, id, since.0, MAX_REPLAYED).await? {
        if let Some(row) = webhooks::replay(&mut tx, id, &message, now).await? {
            enqueue(&mut tx, &webhook, &row.id, row.round, now, now).await?;
            deliveries += 1;
        }
    }
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(Replayed { deliveries })))
}

/// Sends a message of the type `webhook.test`, whatever the webhook is told of otherwise.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/test", tag = "webhooks", params(("id" = String, Path)),
    responses((status = 202, body = Delivery), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn test(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id<WebhookId>,
) -> Result<(StatusCode, Json<Delivery>)> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let webhook = manage(&mut tx, id, &principal).await?;
    must_be_on(&webhook)?;
    let subject = id.to_string();
    let body =
        payload(EventType::Test, now, &json!({ "id": subject, "owner_id": webhook.user_id.to_string() }));
    let message =
        webhooks::insert_delivery(&mut tx, id, EventType::Test.word(), &subject, &body, now).await?;
    enqueue(&mut tx, &webhook, &message, 1, now, now).await?;
    let row = webhooks::delivery(&mut tx, id, &message).await?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(row.into())))
}

fn must_be_on(webhook: &webhooks::Webhook) -> Result<(), Problem> {
    match webhook.disabled_at {
        None => Ok(()),
        Some(_) => Err(Problem::conflict("This webhook is switched off. Switch it on first.")),
    }
}
