//! Which node has an event: a lease in the cache, and an object beside the event's segments for origins that know no cache.

use anyhow::Context;
use backends::{
    blob::{Blobs, names},
    cache::{self, Cache, Place, Taken},
    clock::Clock,
};
use domain::PresentationId;

/// A node that says nothing for so long has lost its events.
const LIFE_S: i64 = 15;

/// The leases of this node.
#[derive(Clone)]
pub struct Leases {
    pub cache: Cache,
    pub blobs: Blobs,
    pub clock: Clock,
    /// What this node calls itself; it must be the same when it starts again.
    pub node: String,
    /// Where other processes reach it; `None`: nowhere.
    pub url: Option<String>,
}

/// Whose an event is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owned {
    Ours,
    /// Another node has it.
    Theirs(String),
}

/// What a node says of an event that it has without a publisher.
const IDLE: &str = "idle";
const BUSY: &str = "busy";

impl Leases {
    /// Takes an event, or keeps it. One that another node has without a publisher is taken away when this one has one: `busy`.
    pub async fn take(&self, event: &str, busy: bool) -> cache::Result<Owned> {
        let now = self.clock.now();
        let note = if busy { BUSY } else { IDLE }.to_owned();
        let place =
            Place { holder: self.node.clone(), note, until: now.plus(LIFE_S * domain::Micros::SECOND) };
        let group = group(event);
        for _ in 0..2 {
            let Taken::Full(holders) = self.cache.take(&group, &place, 1, now).await? else {
                return Ok(Owned::Ours);
            };
            let Some(holder) = holders.into_iter().next() else { continue };
            if !(busy && holder.note == IDLE) {
                return Ok(Owned::Theirs(holder.holder));
            }
            self.cache.leave(&group, &holder.holder).await?;
        }
        Ok(Owned::Theirs("another node".into()))
    }

    /// Gives an event back. `false` when it was not ours any more.
    pub async fn leave(&self, event: &str) -> bool {
        self.cache.leave(&group(event), &self.node).await.unwrap_or_else(|error| {
            tracing::warn!(event, %error, "the lease of a live event could not be given back; it ends by itself");
            false
        })
    }

    /// Tells origins where the event is.
    pub async fn announce(&self, presentation: PresentationId) -> anyhow::Result<()> {
        let Some(url) = &self.url else { return Ok(()) };
        let object = names::live_owner(presentation);
        self.blobs.put(&object, url.clone().into()).await.context("telling where a live event is")
    }

    /// It is nowhere any more.
    pub async fn retract(&self, presentation: PresentationId) {
        if self.url.is_some()
            && let Err(error) = self.blobs.delete(&names::live_owner(presentation)).await
        {
            tracing::warn!(%error, "it is still told where a live event was");
        }
    }
}

fn group(event: &str) -> String {
    format!("live:{event}")
}
