//! What other processes tell, over NATS core: at most once, to whoever listens at that moment.

use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, ServerAddr, Subscriber, connection::State};
use bytes::Bytes;
use domain::Topic;
use futures::StreamExt;
use tokio::sync::{mpsc, watch};

use super::{Config, Error};

/// Messages that wait to be sent; hints that come faster than the network takes them are dropped.
const WAITING: usize = 1024;
/// A server that answers nothing for twice as long is given up.
const PING: Duration = Duration::from_secs(5);

pub(super) struct Nats {
    client: Client,
    prefix: String,
    out: mpsc::Sender<(Topic, Bytes)>,
}

/// Messages of other processes about one topic.
pub(super) struct Listening(Subscriber);

impl Nats {
    /// `missed` grows whenever the connection was lost or this process was too slow.
    pub(super) async fn connect(config: &Config, missed: watch::Sender<u64>) -> Result<Self, Error> {
        let words = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        let prefix = config.prefix.clone();
        if !prefix.split('.').all(|word| !word.is_empty() && words(word)) {
            return Err(Error::Prefix(prefix));
        }
        let parse = |text: &str| text.trim().parse::<ServerAddr>().map_err(|_| Error::Address(hidden(text)));
        let servers = config.url.split(',').map(parse).collect::<Result<Vec<_>, _>>()?;
        metrics::gauge!("kinora_bus_connected").set(0.0);
        let client = ConnectOptions::new()
            .name("kinora")
            .no_echo()
            .retry_on_initial_connect()
            .max_reconnects(None)
            .ping_interval(PING)
            .connection_timeout(PING)
            .reconnect_delay_callback(|attempt| {
                Duration::from_millis(100 << attempt.min(5)).min(Duration::from_secs(2))
            })
            .event_callback(move |event| {
                let missed = missed.clone();
                async move { on(&event, &missed) }
            })
            .connect(servers)
            .await
            .map_err(|error| Error::Connect(error.to_string()))?;
        let (out, waiting) = mpsc::channel(WAITING);
        tokio::spawn(send(client.clone(), prefix.clone(), waiting));
        Ok(Self { client, prefix, out })
    }

    pub(super) fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    pub(super) fn publish(&self, topic: Topic, message: Bytes) {
        // What could not be told in its time is not worth telling later: listeners look when the connection is back.
        if !self.is_connected() || self.out.try_send((topic, message)).is_err() {
            metrics::counter!("kinora_bus_dropped_total", "topic" => topic.word()).increment(1);
        }
    }

    pub(super) async fn subscribe(&self, topic: Topic) -> Option<Listening> {
        match self.client.subscribe(subject(&self.prefix, topic)).await {
            Ok(subscriber) => Some(Listening(subscriber)),
            Err(error) => {
                tracing::error!(topic = topic.word(), %error, "nothing of other processes will be heard");
                None
            }
        }
    }
}

impl Listening {
    pub(super) async fn next(&mut self) -> Bytes {
        match self.0.next().await {
            Some(message) => message.payload,
            // The client ended, and the process with it.
            None => std::future::pending().await,
        }
    }
}

/// Sends until the bus is dropped.
async fn send(client: Client, prefix: String, mut waiting: mpsc::Receiver<(Topic, Bytes)>) {
    while let Some((topic, message)) = waiting.recv().await {
        if let Err(error) = client.publish(subject(&prefix, topic), message).await {
            tracing::warn!(topic = topic.word(), %error, "other processes were not told");
        }
    }
}

fn subject(prefix: &str, topic: Topic) -> String {
    format!("{prefix}.{}", topic.word())
}

fn on(event: &Event, missed: &watch::Sender<u64>) {
    match event {
        Event::Connected => {
            metrics::gauge!("kinora_bus_connected").set(1.0);
            tracing::info!("the bus is connected");
            // Whatever was told before.
            missed.send_modify(|n| *n += 1);
        }
        Event::Disconnected | Event::Closed => {
            metrics::gauge!("kinora_bus_connected").set(0.0);
            tracing::warn!(
                "the bus is away: processes find each other's work by looking, which takes longer"
            );
            missed.send_modify(|n| *n += 1);
        }
        Event::SlowConsumer(_) => missed.send_modify(|n| *n += 1),
        Event::ServerError(error) => tracing::warn!(%error, "the bus"),
        Event::ClientError(error) => tracing::debug!(%error, "the bus"),
        Event::LameDuckMode | Event::Draining => {}
    }
}

/// An address for an error's text: what may be a password is left out.
fn hidden(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => address.to_owned(),
    }
}
