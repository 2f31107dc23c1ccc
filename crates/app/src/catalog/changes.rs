//! One poller for the whole process finds changed titles: it tells live views, and ends the answers kept about them.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use backends::bus::Bus;
use domain::{Micros, Topic, VideoId};
use futures::FutureExt;
use store::videos;
use tokio::{sync::broadcast, time};
use tokio_util::sync::CancellationToken;

use crate::{App, Result};

/// How often the database is asked while anyone listens or any answer is kept, when nobody told of a change.
const EVERY: Duration = Duration::from_millis(300);
/// The same while the bus tells of the changes of other processes.
const EVERY_TOLD: Duration = Duration::from_secs(2);
/// Changes that come faster are taken up together.
const TOGETHER: Duration = Duration::from_millis(50);
/// Rows may become visible later than their time says (a longer transaction, another machine's clock): look back this far.
const LOOK_BACK: i64 = 5 * Micros::SECOND;
/// Most changes taken up in one go; the rest comes with the next.
const BATCH: u32 = 500;

/// Ids of titles that changed.
pub struct Changes {
    sender: broadcast::Sender<VideoId>,
    /// Ends all live views, so that the process can stop.
    closed: CancellationToken,
}

impl Changes {
    pub(crate) fn new() -> Self {
        Self { sender: broadcast::channel(1024).0, closed: CancellationToken::new() }
    }

    /// Ends every live view, now and from now on. Browsers reconnect elsewhere.
    pub fn close(&self) {
        self.closed.cancel();
    }

    pub(crate) fn closed(&self) -> CancellationToken {
        self.closed.clone()
    }

    /// Everything that changes from now on. Whoever falls behind learns it and reads anew.
    pub fn subscribe(&self) -> broadcast::Receiver<VideoId> {
        self.sender.subscribe()
    }
}

/// Looks until `stop`, at once when the bus tells of a change. Faults of the database are logged and passed over: the next
/// round makes up for them.
pub async fn watch(app: App, bus: Bus, stop: CancellationToken) {
    let mut told = bus.subscribe(Topic::Titles).await;
    let mut seen = Seen::default();
    loop {
        let every = if bus.reaches_others() { EVERY_TOLD } else { EVERY };
        tokio::select! {
            () = stop.cancelled() => return,
            _ = told.next() => {
                time::sleep(TOGETHER).await;
                while told.next().now_or_never().is_some() {}
            }
            () = time::sleep(every) => {}
        }
        if app.changes.sender.receiver_count() == 0 && app.answers.is_empty() {
            seen = Seen::default();
            continue;
        }
        let asked_at = Instant::now();
        match seen.round(&app).await {
            Ok(changed) => {
                app.answers.watched(&changed, asked_at);
                for id in changed {
                    // Fails only when the last subscriber has just left.
                    let _ = app.changes.sender.send(id);
                }
            }
            Err(error) => tracing::warn!(%error, "live views are stale for a moment"),
        }
    }
}

/// What was told already, within the time that is looked back.
#[derive(Default)]
struct Seen {
    from: Option<Micros>,
    told: HashMap<VideoId, Micros>,
}

impl Seen {
    async fn round(&mut self, app: &App) -> Result<Vec<VideoId>> {
        let from = self.from.unwrap_or_else(|| app.clock.now().plus(-LOOK_BACK));
        let rows = videos::changed_since(&mut app.store.reader().await?, from, BATCH).await?;
        let full = rows.len() == BATCH as usize;
        let latest = rows.iter().map(|(_, at)| *at).max().unwrap_or(from);
        let changed: Vec<_> = rows.into_iter().filter(|(id, at)| self.told.get(id) != Some(at)).collect();
        self.told.extend(changed.iter().copied());
        // A full batch must move on, or the same rows would fill the next one.
        let next = if full { latest } else { from.max(latest.plus(-LOOK_BACK)) };
        self.from = Some(next);
        self.told.retain(|_, at| *at >= next);
        Ok(changed.into_iter().map(|(id, _)| id).collect())
    }
}
