//! The bus: hints from process to process about what is durable already. Losing one costs time, never data, so telling never
//! waits and never fails.
//!
//! Listeners of this process hear of everything at once, whatever becomes of the others: the adapter for NATS adds what other
//! processes tell to what this one does.

mod nats;

use std::{
    future::pending,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use domain::{Message, Topic};
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, watch};

use nats::Nats;

/// How processes reach each other.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Servers of a NATS cluster with commas between them, `nats://user:password@host:4222` (`tls://` with TLS). Empty: this
    /// process alone hears its own hints, others find out by looking.
    pub url: String,
    /// The first word of all subjects: instances that share a NATS cluster need one each.
    pub prefix: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { url: String::new(), prefix: "kinora".into() }
    }
}

/// What keeps a bus from being set up. A server that cannot be reached is no such thing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("bus.url: `{0}` is not an address such as nats://127.0.0.1:4222")]
    Address(String),
    #[error("bus.prefix: `{0}` must be letters, digits, `-` and `_`, with dots between them")]
    Prefix(String),
    #[error("the bus: {0}")]
    Connect(String),
}

/// Longest message, bytes: hints are short.
pub const MAX_BYTES: usize = 64 << 10;
/// Messages that a listener may be behind before it misses some.
const BEHIND: usize = 256;

/// The bus. Cheap to clone.
#[derive(Clone)]
pub struct Bus(Arc<Inner>);

struct Inner {
    here: [broadcast::Sender<Bytes>; Topic::ALL.len()],
    /// Grows whenever messages of others may have been missed.
    missed: watch::Sender<u64>,
    nats: OnceLock<Nats>,
}

/// What a listener hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Message(Bytes),
    /// Messages may have been missed: look for yourself.
    Gap,
}

/// Listens to one topic from the moment it was made.
pub struct Subscription {
    here: broadcast::Receiver<Bytes>,
    missed: watch::Receiver<u64>,
    there: Option<nats::Listening>,
    _bus: Bus,
}

impl Bus {
    /// Sets the bus up. A NATS server that cannot be reached is tried again and again in the background.
    pub async fn open(config: &Config) -> Result<Self, Error> {
        let bus = Self::in_process();
        if !config.url.is_empty() {
            let nats = Nats::connect(config, bus.0.missed.clone()).await?;
            // Just made: nobody else can have set it.
            let _ = bus.0.nats.set(nats);
        }
        Ok(bus)
    }

    /// A bus that no other process is on.
    pub fn in_process() -> Self {
        Self(Arc::new(Inner {
            here: Topic::ALL.map(|_| broadcast::channel(BEHIND).0),
            missed: watch::channel(0).0,
            nats: OnceLock::new(),
        }))
    }

    /// Tells all who listen, here at once and elsewhere as soon as may be. What is longer than [`MAX_BYTES`] is not told.
    pub fn publish(&self, topic: Topic, message: impl Into<Bytes>) {
        let message = message.into();
        if message.len() > MAX_BYTES {
            tracing::error!(topic = topic.word(), bytes = message.len(), "a message is too long for the bus");
            return;
        }
        metrics::counter!("kinora_bus_messages_total", "topic" => topic.word()).increment(1);
        if let Some(nats) = self.0.nats.get() {
            nats.publish(topic, message.clone());
        }
        // Fails when nobody here listens.
        let _ = self.0.here[topic as usize].send(message);
    }

    /// Tells a message of its own kind.
    pub fn tell<M: Message>(&self, message: &M) {
        self.publish(M::TOPIC, message.to_bytes());
    }

    /// For whoever has nothing more to say than that something happened.
    pub fn announcer(&self) -> impl Fn(Topic) + Send + Sync + 'static {
        let bus = self.clone();
        move |topic| bus.publish(topic, Bytes::new())
    }

    /// Listens to everything that is told from now on, here and elsewhere.
    pub async fn subscribe(&self, topic: Topic) -> Subscription {
        let here = self.0.here[topic as usize].subscribe();
        let missed = self.0.missed.subscribe();
        let there = match self.0.nats.get() {
            Some(nats) => nats.subscribe(topic).await,
            None => None,
        };
        Subscription { here, missed, there, _bus: self.clone() }
    }

    /// Do other processes hear what this one tells? `false` when there is no bus between them, or it cannot be reached.
    pub fn reaches_others(&self) -> bool {
        self.0.nats.get().is_some_and(Nats::is_connected)
    }
}

impl Subscription {
    /// The next message, or that some were missed. Cancel-safe.
    pub async fn next(&mut self) -> Heard {
        let there = async {
            match &mut self.there {
                Some(there) => there.next().await,
                None => pending().await,
            }
        };
        tokio::select! {
            message = self.here.recv() => message.map_or(Heard::Gap, Heard::Message),
            Ok(()) = self.missed.changed() => Heard::Gap,
            message = there => Heard::Message(message),
        }
    }
}
