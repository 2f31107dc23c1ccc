//! From the outbox to deliveries: each event once, for each webhook that wants it.

use std::time::Duration;

use api::Time;
use backends::bus::Bus;
use domain::{Micros, Topic, UserId, VideoId};
use serde_json::{Value, json};
use store::{
    Tx, inbox, jobs,
    outbox::{self, Event},
    videos::{self, Video},
    webhooks::{self, Webhook},
};
use tokio_util::sync::CancellationToken;

use super::{EventType, KIND};
use crate::{App, Result};

const CONSUMER: &str = "webhooks";
/// How often is looked for events that nobody told of.
const EVERY: Duration = Duration::from_secs(1);
const BATCH: u32 = 100;

/// Runs until `stop`. Several processes may: each event is taken up once. Faults of the database are logged and passed over.
pub async fn run(app: App, bus: Bus, stop: CancellationToken) {
    let mut told = bus.subscribe(Topic::Events).await;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = told.next() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
        loop {
            match round(&app).await {
                Ok(more) if more && !stop.is_cancelled() => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(%error, "events wait for their webhooks");
                    break;
                }
            }
        }
    }
}

/// Takes up one batch; says whether there may be more.
async fn round(app: &App) -> Result<bool> {
    let mut reader = app.store.reader().await?;
    let after = outbox::cursor(&mut reader, CONSUMER).await?;
    if outbox::read(&mut reader, after, 1).await?.is_empty() {
        return Ok(false);
    }
    drop(reader);
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let after = outbox::cursor(&mut tx, CONSUMER).await?;
    let events = outbox::read(&mut tx, after, BATCH).await?;
    for event in &events {
        if inbox::once(&mut tx, CONSUMER, &event.id, now).await? {
            take_up(app, &mut tx, event, now).await?;
        }
    }
    if let Some(last) = events.last() {
        outbox::advance(&mut tx, CONSUMER, last.position).await?;
    }
    tx.commit().await?;
    Ok(events.len() == BATCH as usize)
}

async fn take_up(app: &App, tx: &mut Tx, event: &Event, now: Micros) -> Result<()> {
    let Some(kind) = EventType::of_topic(&event.topic) else { return Ok(()) };
    let told: Value = serde_json::from_str(&event.payload).unwrap_or_default();
    let video = match event.subject.parse::<VideoId>() {
        Ok(id) => match videos::get(tx, id).await {
            Ok(video) => Some(video),
            Err(store::Error::NotFound) => None,
            Err(error) => return Err(error.into()),
        },
        Err(_) => None,
    };
    // A title that is gone left word of its owner in the event.
    let owner = told["owner"].as_str().and_then(|owner| owner.parse::<UserId>().ok());
    let Some(owner) = video.as_ref().map(|video| video.owner_id).or(owner) else { return Ok(()) };
    let listening = webhooks::listening(tx, owner).await?;
    let wanted = |hook: &&Webhook| hook.wants(kind.word()) && hook.created_at <= event.created_at;
    let wanting: Vec<&Webhook> = listening.iter().filter(wanted).collect();
    if wanting.is_empty() {
        return Ok(());
    }
    let data = data(app, event, &told, video.as_ref(), owner);
    let payload = payload(kind, event.created_at, &data);
    for webhook in wanting {
        let id =
            webhooks::insert_delivery(tx, webhook.id, kind.word(), &event.subject, &payload, now).await?;
        enqueue(tx, webhook, &id, 1, now, now).await?;
    }
    Ok(())
}

/// The body of a message (Standard Webhooks 1.0, "Payload structure").
pub(super) fn payload(kind: EventType, at: Micros, data: &Value) -> String {
    json!({ "type": kind.word(), "timestamp": Time(at), "data": data }).to_string()
}

fn data(app: &App, event: &Event, told: &Value, video: Option<&Video>, owner: UserId) -> Value {
    let mut data = json!({ "id": event.subject, "owner_id": owner.to_string() });
    if let Some(video) = video {
        data["title"] = json!(video.title);
        data["state"] = json!(video.state.word());
        data["visibility"] = json!(video.visibility.word());
        data["revision"] = json!(video.revision);
        data["duration_ms"] = json!(video.duration_ms);
        data["error"] = json!(video.error);
        data["page_url"] = json!(app.link(&format!("/watch/{}", video.id)));
    } else {
        data["title"] = told["title"].clone();
    }
    for own in ["permanent", "kept"] {
        if !told[own].is_null() {
            data[own] = told[own].clone();
        }
    }
    data
}

/// Lets the courier come at `run_at`.
pub(super) async fn enqueue(
    tx: &mut Tx,
    webhook: &Webhook,
    delivery: &str,
    round: i64,
    run_at: Micros,
    now: Micros,
) -> Result<()> {
    let payload = json!({ "delivery": delivery, "round": round }).to_string();
    let subject = webhook.id.to_string();
    let job = jobs::NewJob::new(KIND, &subject, &payload).run_at(run_at).max_attempts(10);
    jobs::enqueue(tx, &job, now).await?;
    Ok(())
}
