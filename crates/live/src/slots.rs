//! One publisher for each place of an event. Who has fallen silent gives way to the next with the same key: encoders connect again
//! long before a dead connection is noticed.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::Slot;

type Place = (Arc<str>, Slot);

/// Who publishes in this process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Slots(Arc<Mutex<HashMap<Place, Arc<Holder>>>>);

#[derive(Debug)]
struct Holder {
    since: Instant,
    /// When something came last, milliseconds after `since`.
    heard: AtomicU64,
    leave: CancellationToken,
    /// Closes when the place is free.
    gone: watch::Sender<()>,
}

/// A place that is held until this is dropped.
#[derive(Debug)]
pub(crate) struct Hold {
    slots: Slots,
    place: Place,
    holder: Arc<Holder>,
}

impl Slots {
    /// Takes a place; `None` while another one is busy there.
    pub(crate) async fn take(&self, event: &Arc<str>, slot: Slot, takeover: Duration) -> Option<Hold> {
        let place = (event.clone(), slot);
        loop {
            let mut gone = {
                let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(holder) = all.get(&place) else {
                    let holder = Arc::new(Holder {
                        since: Instant::now(),
                        heard: AtomicU64::new(0),
                        leave: CancellationToken::new(),
                        gone: watch::Sender::new(()),
                    });
                    all.insert(place.clone(), holder.clone());
                    return Some(Hold { slots: self.clone(), place, holder });
                };
                if holder.silence() < takeover {
                    return None;
                }
                holder.leave.cancel();
                holder.gone.subscribe()
            };
            // Nothing is sent: this returns when the holder is dropped. It may take as long as its last words.
            let _ = tokio::time::timeout(Duration::from_secs(5), gone.changed()).await.ok()?;
        }
    }

    pub fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Holder {
    fn silence(&self) -> Duration {
        let heard = Duration::from_millis(self.heard.load(Ordering::Relaxed));
        self.since.elapsed().saturating_sub(heard)
    }
}

impl Hold {
    /// Something came.
    pub(crate) fn touch(&self) {
        let now = u64::try_from(self.holder.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.holder.heard.store(now, Ordering::Relaxed);
    }

    /// Ends when another one takes the place.
    pub(crate) fn replaced(&self) -> CancellationToken {
        self.holder.leave.clone()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.slots.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.place);
        self.holder.gone.send_modify(|()| ());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAKEOVER: Duration = Duration::from_secs(3);

    #[tokio::test(start_paused = true)]
    async fn a_silent_publisher_gives_way() {
        let slots = Slots::default();
        let event: Arc<str> = "e".into();
        let hold = slots.take(&event, Slot::Primary, TAKEOVER).await.unwrap();
        assert!(slots.take(&event, Slot::Primary, TAKEOVER).await.is_none(), "busy");
        assert!(slots.take(&event, Slot::Backup, TAKEOVER).await.is_some(), "another place");
        tokio::time::advance(Duration::from_secs(4)).await;
        hold.touch();
        assert!(slots.take(&event, Slot::Primary, TAKEOVER).await.is_none(), "heard of a moment ago");
        tokio::time::advance(Duration::from_secs(4)).await;
        let leave = hold.replaced();
        let leaving = tokio::spawn(async move {
            leave.cancelled().await;
            drop(hold);
        });
        assert!(slots.take(&event, Slot::Primary, TAKEOVER).await.is_some());
        leaving.await.unwrap();
        assert!(slots.is_empty());
    }
}
