//! Decides over publishers.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::App;
use domain::{
    PresentationId, VideoId,
    event::{Latency, StreamKeys},
};
use live::{Admission, Door, Ended, Feed, Knock, Limits, Refusal, Slot, event::Settings};
use store::events::{self, Event};

use super::{
    Events,
    lease::{Leases, Owned},
};

/// The protocol's name, and since when.
type Way = (&'static str, domain::Micros);

/// The one at the door.
pub struct Gate {
    pub app: App,
    pub stage: Events,
    pub leases: Leases,
    limits: Limits,
    /// How publishers came in, and when.
    ways: Mutex<HashMap<(Arc<str>, Slot), Way>>,
}

impl Gate {
    pub fn new(app: App, stage: Events, leases: Leases, limits: Limits) -> Self {
        Self { app, stage, leases, limits, ways: Mutex::default() }
    }

    /// How a publisher came in, and when.
    pub fn way(&self, event: &Arc<str>, slot: Slot) -> Option<Way> {
        let ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        ways.get(&(event.clone(), slot)).copied()
    }

    fn keys(&self) -> &StreamKeys {
        &self.app.stream_keys
    }

    async fn find(&self, id: VideoId) -> store::Result<Event> {
        events::get(&mut self.app.store.reader().await?, id).await
    }
}

/// What of an event those must know who make it.
pub fn settings(event: &Event) -> Settings {
    Settings {
        event: event.video_id.to_string().into(),
        presentation: event.presentation().unwrap_or_else(PresentationId::new),
        low_latency: event.latency == Latency::Low,
        window: Duration::from_secs(u64::try_from(event.dvr_seconds).unwrap_or(0)),
    }
}

impl Door for Gate {
    async fn admit(&self, knock: Knock) -> Result<Admission, Refusal> {
        let key = knock.key.reveal();
        let id = StreamKeys::event(key).ok_or(Refusal::UnknownKey)?;
        let event = match self.find(id).await {
            Ok(event) => event,
            Err(store::Error::NotFound) => return Err(Refusal::UnknownKey),
            Err(error) => {
                tracing::warn!(%error, "a publisher cannot be judged");
                return Err(Refusal::Unavailable);
            }
        };
        let slot = self.keys().slot(key, id, event.key_generation).ok_or(Refusal::UnknownKey)?;
        if !event.takes_publishers() {
            return Err(Refusal::NotNow("This event has ended. Make another one.".into()));
        }
        let event: Arc<str> = id.to_string().into();
        match self.leases.take(&event, true).await {
            Ok(Owned::Ours) => {}
            Ok(Owned::Theirs(node)) => {
                return Err(Refusal::NotNow(format!(
                    "This event is received by {node} already. Connect there."
                )));
            }
            // Better twice than not at all.
            Err(error) => tracing::warn!(%error, "it cannot be known whether another node has this event"),
        }
        let way = if knock.encrypted { "rtmps" } else { knock.protocol.word() };
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        ways.insert((event.clone(), slot), (way, self.app.clock.now()));
        Ok(Admission { event, slot, limits: self.limits })
    }

    async fn opened(&self, admission: &Admission, feed: Feed) {
        let Ok(id) = admission.event.parse() else { return };
        match self.find(id).await {
            Ok(event) => self.stage.come(settings(&event), admission.slot, feed),
            Err(error) => {
                tracing::warn!(%error, "an event cannot be read");
                feed.dismiss("The server cannot take the stream just now. Connect again.");
            }
        }
    }

    async fn closed(&self, admission: &Admission, ended: &Ended) {
        tracing::info!(event = %admission.event, slot = ?admission.slot, %ended, "a publisher has left");
        self.stage.gone(&admission.event, admission.slot, ended);
    }
}
