//! What is wanted of events, and events that nobody has.

use std::{sync::Arc, time::Duration};

use backends::bus::{Bus, Heard};
use domain::{Message, Topic, live as told};
use store::events;
use tokio_util::sync::CancellationToken;

use super::{
    gate::{Gate, settings},
    lease::Owned,
};

/// How often events that are to end, or that nobody has, are looked for, whatever the bus tells.
const RECALL: Duration = Duration::from_secs(5);

/// Does what the API wants of events, until `stop`.
pub async fn obey(gate: Arc<Gate>, bus: Bus, stop: CancellationToken) {
    let stage = &gate.stage;
    let mut orders = bus.subscribe(Topic::LiveOrder).await;
    let mut looking = tokio::time::interval(RECALL);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            heard = orders.next() => {
                let Heard::Message(message) = heard else { continue };
                let Some(told::Order { event, order }) = told::Order::from_bytes(&message) else { continue };
                match order {
                    told::What::End => drop(stage.end(&event.to_string())),
                    told::What::Dismiss { slot, words } => stage.dismiss(&event.to_string(), slot, &words),
                    // They are read when a publisher comes.
                    told::What::SettingsChanged => {}
                }
            }
            _ = looking.tick() => {
                if let Err(error) = recall(&gate).await {
                    tracing::warn!(%error, "events that are to end cannot be read");
                }
            }
        }
    }
}

/// Keeps the leases of the events that are here, ends what is to end, though nobody was told, and takes what nobody has.
async fn recall(gate: &Gate) -> store::Result<()> {
    let mut here = Vec::new();
    for (settings, status) in gate.stage.statuses() {
        match gate.leases.take(&settings.event, !status.sources.is_empty()).await {
            Ok(Owned::Ours) => here.push(settings.event),
            Ok(Owned::Theirs(node)) => {
                tracing::warn!(event = %settings.event, node, "another node has taken a live event");
                gate.stage.leave(&settings.event);
            }
            Err(error) => {
                tracing::warn!(event = %settings.event, %error, "the lease of a live event cannot be renewed");
                here.push(settings.event);
            }
        }
    }
    for event in events::all_live(&mut gate.app.store.reader().await?).await? {
        let settings = settings(&event);
        if !here.contains(&settings.event) {
            if !matches!(gate.leases.take(&settings.event, false).await, Ok(Owned::Ours)) {
                continue;
            }
            tracing::info!(event = %settings.event, "a live event that nobody had is here now");
            gate.stage.adopt(settings.clone());
        }
        if !event.takes_publishers() {
            gate.stage.end(&settings.event);
        }
    }
    Ok(())
}
