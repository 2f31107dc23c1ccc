//! The roles that deliver: the origin, the edge in front of it, and what both are told over the bus and tell there.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use backends::{
    blob::Blobs,
    bus::{Bus, Heard},
    clock::Clock,
    geo::Geo,
};
use domain::{
    Gone, Message, Topic,
    edges::{REPORT_EVERY, Warm},
    revocation::Revocation,
};
use edge::{Bound, Edge};
use origin::{Live, Origin};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    Ended,
    live::{Events, Shows},
    supervise,
};
use crate::{
    config::{Config, Role},
    private,
    router::Faces,
};

/// How often revocations are looked for, whatever the bus tells.
const RECALL: Duration = Duration::from_secs(60);

/// Starts what the process delivers with. Gives back the edge, for the listeners.
pub(super) async fn start(
    config: &Config,
    (blobs, clock, bus): (&Blobs, &Clock, &Bus),
    events: Option<Events>,
    faces: &mut Faces,
    tasks: &mut JoinSet<Ended>,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Edge>> {
    let live: Arc<dyn Live> = Arc::new(Shows::new(events, blobs.clone())?);
    // Origins of other processes ask a live node for its events.
    let origin = [Role::Origin, Role::Live]
        .iter()
        .any(|role| config.roles.contains(role))
        .then(|| Origin::new(config.origin.clone(), blobs.clone(), clock.clone(), Some(live)));
    let router = origin.as_ref().map(Origin::router);
    let edge = if config.roles.contains(&Role::Edge) {
        let dir = &config.edge.dir;
        private::directory(dir).with_context(|| format!("the edge's directory {}", dir.display()))?;
        let edge =
            edge::start(config.edge.clone(), router, blobs.clone(), clock.clone(), bound(config).await?)
                .await?;
        let (telling, news, stopped) = (edge.clone(), bus.clone(), stop.clone());
        supervise(tasks, "reports of the edge", async move {
            report(telling, news, stopped).await;
            Ok(())
        });
        faces.edge = Some(edge.router());
        Some(edge)
    } else {
        faces.origin = router;
        None
    };
    if origin.is_some() || edge.is_some() {
        let listening = listen(origin, edge.clone(), bus.clone(), stop.clone());
        supervise(tasks, "delivery", async move {
            listening.await;
            Ok(())
        });
    }
    Ok(edge)
}

/// By what the edge tells who asks.
async fn bound(config: &Config) -> anyhow::Result<Bound> {
    let geo = config.geo.clone();
    let geo = tokio::task::spawn_blocking(move || Geo::open(&geo)).await??;
    let proxies = api::address::Config { trusted_proxies: config.http.trusted_proxies.clone() };
    Ok(Bound { geo, proxies, edges: config.edge.edges_in_front.clone() })
}

/// Tells how the edge stands, every few seconds and when it begins to end.
async fn report(edge: Edge, bus: Bus, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(Duration::from_micros(REPORT_EVERY.unsigned_abs()));
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = ticks.tick() => bus.tell(&edge.report()),
        }
    }
    edge.drain();
    bus.tell(&edge.report());
}

async fn recall(edge: &Edge) {
    if let Err(error) = edge.recall().await {
        tracing::warn!(%error, "revoked playbacks could not be read; those that are known stay so");
    }
}

/// Forgets what is gone and refuses whom it is told to, until `stop`.
async fn listen(origin: Option<Origin>, edge: Option<Edge>, bus: Bus, stop: CancellationToken) {
    let (mut gone, mut revoked) = (bus.subscribe(Topic::Gone).await, bus.subscribe(Topic::Revoked).await);
    let mut warm = bus.subscribe(Topic::Warm).await;
    let mut looking = tokio::time::interval(RECALL);
    loop {
        let heard = tokio::select! {
            () = stop.cancelled() => return,
            heard = gone.next() => heard,
            heard = revoked.next() => {
                match (&edge, heard) {
                    (None, _) => {}
                    (Some(edge), Heard::Gap) => recall(edge).await,
                    (Some(edge), Heard::Message(message)) => {
                        Revocation::from_bytes(&message).into_iter().for_each(|one| edge.revoke(one));
                    }
                }
                continue;
            }
            heard = warm.next() => {
                if let (Some(edge), Heard::Message(message)) = (&edge, heard)
                    && let Some(order) = Warm::from_bytes(&message)
                {
                    edge.warm(order);
                }
                continue;
            }
            _ = looking.tick() => {
                if let Some(edge) = &edge {
                    recall(edge).await;
                }
                continue;
            }
        };
        match heard {
            Heard::Message(message) => {
                let Some(gone) = Gone::from_bytes(&message) else { continue };
                // The nearer one last: it must not fetch again what the other still knows.
                if let (Some(origin), Gone::Presentation(presentation)) = (&origin, &gone) {
                    origin.forget(*presentation).await;
                }
                match (&edge, gone) {
                    (None, _) => {}
                    (Some(edge), Gone::Presentation(presentation)) => drop(edge.purge(presentation).await),
                    (Some(edge), Gone::Tag(tag)) => drop(edge.purge_tag(&tag).await),
                }
            }
            Heard::Gap => {
                if let Some(edge) = &edge {
                    edge.distrust();
                }
            }
        }
    }
}
