//! Those who wait on one thread for one thing that is to come: the thread is told once, and wakes them itself. Told each on its own, from
//! another thread, thousands of viewers of an event cost a system call each.

use std::{cell::RefCell, collections::HashMap, sync::Arc};

use tokio::sync::Notify;

use crate::{Edge, key::Key};

thread_local! {
    static AWAITED: RefCell<HashMap<Key, Arc<Notify>>> = RefCell::default();
}

impl Edge {
    /// Waits until a fetch that is under way for `key` has ended. `false`: there is none. Only within a runtime of one thread.
    pub(super) async fn landing(&self, key: &Key) -> bool {
        let waiting = match AWAITED.with_borrow(|awaited| awaited.get(key).cloned()) {
            Some(notify) => notify,
            None => match self.tower(key) {
                Some(notify) => notify,
                None => return false,
            },
        };
        waiting.notified().await;
        true
    }

    /// Sees to it that who waits for `key` on this thread is told.
    fn tower(&self, key: &Key) -> Option<Arc<Notify>> {
        let mut reader = self.flights().get(&(key.clone(), 0))?.reader();
        let notify = Arc::new(Notify::new());
        AWAITED.with_borrow_mut(|awaited| awaited.insert(key.clone(), notify.clone()));
        let (key, telling) = (key.clone(), notify.clone());
        tokio::spawn(async move {
            reader.landed().await;
            AWAITED.with_borrow_mut(|awaited| awaited.remove(&key));
            telling.notify_waiters();
        });
        Some(notify)
    }
}
