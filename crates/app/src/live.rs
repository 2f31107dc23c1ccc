//! Connections that stay open for events: how many each caller may hold, and until when they are good.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use api::{Client, Principal, Problem};
use axum::{
    http::{HeaderName, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{Stream, StreamExt};
use store::tokens;

use crate::{App, Result};

/// The longest that one connection lives; browsers reconnect by themselves.
const LIFE: Duration = Duration::from_secs(15 * 60);

/// Open connections by caller.
#[derive(Clone, Default)]
pub(crate) struct Open(Arc<Mutex<HashMap<String, usize>>>);

/// One open connection of a caller; gives its place back when dropped.
#[derive(Debug)]
pub struct Place {
    open: Open,
    key: String,
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Open")
    }
}

impl Open {
    fn enter(&self, key: String, most: usize) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(key.clone()).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        metrics::gauge!("kinora_event_streams").increment(1.0);
        Some(Place { open: self.clone(), key })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::gauge!("kinora_event_streams").decrement(1.0);
        let mut open = self.open.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.key);
            }
        }
    }
}

impl App {
    /// A place for one more connection of this caller; 429 when they hold as many as anyone may. Visitors are counted by
    /// address.
    pub fn live_place(&self, caller: Option<&Principal>, client: Client) -> Result<Place, Problem> {
        let most = self.config.event_streams.max(1) as usize;
        // Many visitors may share an address.
        let (key, most) = match caller {
            Some(principal) => (principal.user.to_string(), most),
            None => (client.key(), most * 4),
        };
        self.open.enter(key, most).ok_or_else(|| {
            Problem::new(
                axum::http::StatusCode::TOO_MANY_REQUESTS,
                "too_many_streams",
                format!("More than {most} event streams are open at once. Close some first."),
            )
            .after(Duration::from_secs(10))
        })
    }

    /// Ends when a connection of this caller must: its time is over, or they have signed out, were disabled or got another
    /// role.
    pub async fn live_end(self, caller: Option<Principal>) {
        let every = Duration::from_secs(u64::from(self.config.event_stream_check_seconds.max(1)));
        let over = async {
            let Some(caller) = caller else { return std::future::pending().await };
            loop {
                tokio::time::sleep(every).await;
                match self.role_now(&caller).await {
                    Ok(role) if role == Some(caller.role) => {}
                    Ok(_) => return,
                    // The next look decides; a connection that cannot be judged ends with its time.
                    Err(error) => {
                        tracing::warn!(%error, "the caller of an open connection cannot be looked up")
                    }
                }
            }
        };
        let _ = tokio::time::timeout(LIFE, over).await;
    }

    /// Ends with the process, or when a connection of this caller must.
    pub(crate) fn stream_end(
        &self,
        caller: Option<Principal>,
    ) -> impl Future<Output = ()> + Send + use<> + 'static {
        let (closed, over) = (self.changes.closed(), self.clone().live_end(caller));
        async move {
            tokio::select! {
                () = closed.cancelled_owned() => {}
                () = over => {}
            }
        }
    }

    async fn role_now(&self, caller: &Principal) -> Result<Option<domain::Role>> {
        Ok(tokens::role(&mut self.store.reader().await?, caller.token, self.clock.now()).await?)
    }
}

/// Server-sent events until `until`.
pub(crate) fn answer(
    events: impl Stream<Item = Event> + Send + 'static,
    until: impl Future<Output = ()> + Send + 'static,
    place: Place,
) -> Response {
    let events = events.take_until(Box::pin(until)).map(move |event| {
        // Held for as long as the connection lives.
        let _held = &place;
        Ok::<_, Infallible>(event)
    });
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)));
    // Proxies that collect answers would hold the events back.
    let unbuffered = HeaderName::from_static("x-accel-buffering");
    ([(header::CACHE_CONTROL, "no-store"), (unbuffered, "no")], sse).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_and_given_back() {
        let open = Open::default();
        let first = open.enter("a".into(), 2).unwrap();
        let _second = open.enter("a".into(), 2).unwrap();
        assert!(open.enter("a".into(), 2).is_none());
        assert!(open.enter("b".into(), 2).is_some());
        drop(first);
        assert!(open.enter("a".into(), 2).is_some());
    }
}
