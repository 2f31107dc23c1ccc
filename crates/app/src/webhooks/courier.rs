//! Delivers one message to one address, and decides what follows.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use backends::outbound::{HeaderMap, HeaderValue, Method, Outbound, Policy, Timing, header};
use bytes::Bytes;
use domain::{Micros, WebhookId};
use futures::StreamExt;
use serde::Deserialize;
use store::{
    Tx,
    webhooks::{self, Attempt, Delivery, State, Webhook},
};
use url::Url;

use super::{Config, dispatch::enqueue, sign};
use crate::{App, Error, Result};

/// The kind of the jobs that deliver.
pub const KIND: &str = "webhook";

/// How long to wait after the first, second, third … failed try: three days in all.
const PAUSES: [i64; 9] = [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600];
/// An address that has failed for as long is given up.
const PATIENCE: i64 = 3 * Micros::DAY;
/// Bytes of an answer that are kept.
const KEPT: usize = 1024;
/// Messages under way to one webhook at a time, in this process: a slow one must not take all the places of quick jobs.
const AT_ONCE: usize = 1;

/// Delivers messages. Cheap to clone.
#[derive(Clone)]
pub struct Courier {
    app: App,
    outbound: Outbound,
    timeout: Duration,
    under_way: Arc<Mutex<HashMap<WebhookId, usize>>>,
}

/// What a job says.
#[derive(Debug, Deserialize)]
struct Errand {
    delivery: String,
    round: i64,
}

/// What came of asking.
struct Asked {
    status: Option<i64>,
    error: Option<String>,
    answer: String,
    took: Duration,
}

impl Courier {
    pub fn new(app: App, config: &Config) -> Result<Self> {
        let timeout = Duration::from_secs(u64::from(config.timeout_seconds.clamp(1, 120)));
        let policy = Policy { allow: config.allow_networks.clone(), ports: Vec::new() };
        let timing = Timing { connect: timeout, silence: timeout };
        let outbound = Outbound::new(policy, timing).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Self { app, outbound, timeout, under_way: Arc::default() })
    }

    /// Runs one job about `webhook`; `finish` ends it in the transaction that it is given. What fails is tried again by the
    /// queue.
    pub async fn run<F>(&self, webhook: &str, errand: &str, finish: F) -> Result<()>
    where
        F: AsyncFnOnce(&mut Tx) -> store::Result<()>,
    {
        let errand: Errand = serde_json::from_str(errand).map_err(|e| Error::Internal(e.to_string()))?;
        let Ok(id) = webhook.parse::<WebhookId>() else { return Ok(()) };
        let Some((webhook, delivery)) = self.find(id, &errand).await? else { return Ok(()) };
        let now = self.app.clock.now();
        let Some(_place) = Place::take(&self.under_way, id) else {
            let mut tx = self.app.store.begin().await?;
            finish(&mut tx).await?;
            enqueue(&mut tx, &webhook, &delivery.id, delivery.round, now.plus(2 * Micros::SECOND), now)
                .await?;
            return Ok(tx.commit().await?);
        };
        if webhook.disabled_at.is_some() {
            let mut tx = self.app.store.begin().await?;
            finish(&mut tx).await?;
            webhooks::give_up(&mut tx, &delivery.id, now).await?;
            return Ok(tx.commit().await?);
        }
        let asked = self.ask(&webhook, &delivery, now).await;
        let mut tx = self.app.store.begin().await?;
        finish(&mut tx).await?;
        self.conclude(&mut tx, &webhook, &delivery, asked).await?;
        Ok(tx.commit().await?)
    }

    /// The delivery, as long as this errand is still wanted.
    async fn find(&self, id: WebhookId, errand: &Errand) -> Result<Option<(Webhook, Delivery)>> {
        let mut reader = self.app.store.reader().await?;
        let found = async {
            let webhook = webhooks::get(&mut reader, id).await?;
            Ok((webhook, webhooks::delivery(&mut reader, id, &errand.delivery).await?))
        };
        match found.await {
            Ok((webhook, delivery)) => {
                let wanted = delivery.state == State::Pending && delivery.round == errand.round;
                Ok(wanted.then_some((webhook, delivery)))
            }
            Err(store::Error::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn ask(&self, webhook: &Webhook, delivery: &Delivery, now: Micros) -> Asked {
        let started = Instant::now();
        let asked = tokio::time::timeout(self.timeout, self.post(webhook, delivery, now)).await;
        let took = started.elapsed();
        match asked {
            Ok(Ok((status, answer))) => Asked { status: Some(status), error: None, answer, took },
            Ok(Err(words)) => Asked { status: None, error: Some(words), answer: String::new(), took },
            Err(_) => {
                let words = format!("No answer within {} s.", self.timeout.as_secs());
                Asked { status: None, error: Some(words), answer: String::new(), took }
            }
        }
    }

    async fn post(
        &self,
        webhook: &Webhook,
        delivery: &Delivery,
        now: Micros,
    ) -> Result<(i64, String), String> {
        let url = Url::parse(&webhook.url).map_err(|error| error.to_string())?;
        let seconds = now.seconds();
        let signature = sign::signatures(webhook, &delivery.id, seconds, &delivery.payload, now);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("webhook-timestamp", HeaderValue::from(seconds));
        for (name, value) in [("webhook-id", delivery.id.as_str()), ("webhook-signature", signature.as_str())]
        {
            headers.insert(name, HeaderValue::from_str(value).map_err(|error| error.to_string())?);
        }
        let body = Bytes::from(delivery.payload.clone());
        let answer = self.outbound.send(Method::POST, &url, headers, Some(body)).await;
        let mut answer = answer.map_err(|error| error.to_string())?;
        let mut kept = Vec::new();
        while kept.len() < KEPT {
            match answer.body.next().await {
                Some(Ok(chunk)) => kept.extend_from_slice(&chunk[..chunk.len().min(KEPT - kept.len())]),
                Some(Err(_)) | None => break,
            }
        }
        // NUL has no place in PostgreSQL's texts.
        let text = String::from_utf8_lossy(&kept).replace('\0', "\u{fffd}");
        Ok((i64::from(answer.status.as_u16()), text))
    }

    /// Records the try; success ends the delivery, failure means another try, the end of the delivery, or of the webhook.
    async fn conclude(
        &self,
        tx: &mut Tx,
        webhook: &Webhook,
        delivery: &Delivery,
        asked: Asked,
    ) -> Result<()> {
        let now = self.app.clock.now();
        let good = asked.status.is_some_and(|status| (200..300).contains(&status));
        let gone = asked.status == Some(410);
        let pause = usize::try_from(delivery.attempts).ok().and_then(|n| PAUSES.get(n));
        let next = pause.filter(|_| !good && !gone).map(|seconds| now.plus(seconds * Micros::SECOND));
        let state = match (good, next) {
            (true, _) => State::Delivered,
            (false, Some(_)) => State::Pending,
            (false, None) => State::Failed,
        };
        let attempt = Attempt {
            number: delivery.tries + 1,
            at: now,
            duration_ms: asked.took.as_millis() as i64,
            status: asked.status,
            error: asked.error,
            answer: asked.answer,
        };
        let outcome = if good { "delivered" } else { "failed" };
        metrics::counter!("kinora_webhook_attempts_total", "outcome" => outcome).increment(1);
        webhooks::record(tx, delivery, &attempt, state, next, now).await?;
        webhooks::note(tx, webhook.id, !good, now).await?;
        if let Some(next) = next {
            enqueue(tx, webhook, &delivery.id, delivery.round, next, now).await?;
        }
        let failing = webhook.failing_since.map_or(0, |since| now.0.saturating_sub(since));
        if gone {
            let words = "The address answered 410 Gone: it wants no more messages.";
            webhooks::disable(tx, webhook.id, words, now).await?;
        } else if state == State::Failed && failing >= PATIENCE {
            let words = "No message has reached the address for three days. Mend it, switch it on again, and replay what it missed.";
            webhooks::disable(tx, webhook.id, words, now).await?;
        }
        Ok(())
    }
}

/// One of the messages under way to a webhook.
struct Place {
    under_way: Arc<Mutex<HashMap<WebhookId, usize>>>,
    id: WebhookId,
}

impl Place {
    fn take(under_way: &Arc<Mutex<HashMap<WebhookId, usize>>>, id: WebhookId) -> Option<Self> {
        let mut counts = under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(id).or_default();
        if *count >= AT_ONCE {
            return None;
        }
        *count += 1;
        Some(Self { under_way: under_way.clone(), id })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_go_on_for_three_days() {
        let total: i64 = PAUSES.iter().sum();
        assert!((3 * 86_400..4 * 86_400).contains(&total), "{total}");
        assert!(PAUSES.is_sorted());
    }

    #[test]
    fn few_messages_are_under_way_to_one_address() {
        let (under_way, id) = (Arc::default(), WebhookId::new());
        let places: Vec<_> = (0..AT_ONCE).filter_map(|_| Place::take(&under_way, id)).collect();
        assert!(places.len() == AT_ONCE && Place::take(&under_way, id).is_none());
        assert!(Place::take(&under_way, WebhookId::new()).is_some());
        drop(places);
        assert!(Place::take(&under_way, id).is_some());
    }
}
