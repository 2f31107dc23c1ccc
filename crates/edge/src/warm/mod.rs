//! Bringing presentations near before anybody asks for them.

mod plan;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use domain::edges::{Part, Warm, Warming, WarmingState};
use futures::{StreamExt, stream};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::sync::Notify;

use crate::{Edge, Inner, serve::Ask};
use plan::Plan;

/// How often it is looked whether an hour has come.
const LOOK: Duration = Duration::from_secs(20);
/// Most orders that wait.
const MOST_WAITING: usize = 1_000;
/// Orders that are over and still told of.
const TOLD: usize = 8;
/// Orders that are told of at all.
const MOST_TOLD: usize = 24;
/// Answers fetched at the same time.
const AT_ONCE: usize = 4;
/// A playlist that is longer is not read.
const MAX_TEXT: usize = 8 << 20;

/// What is to be fetched, and what was.
#[derive(Default)]
pub struct Warmer {
    orders: Mutex<VecDeque<Arc<Order>>>,
    wake: Notify,
}

struct Order {
    warm: Warm,
    begun: AtomicBool,
    over: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
    failed: AtomicU64,
    bytes: AtomicU64,
}

impl Warmer {
    /// One that waits already is not taken twice.
    pub fn take(&self, warm: Warm) {
        let mut orders = self.orders();
        let same = |order: &&Arc<Order>| {
            order.warm.presentation == warm.presentation
                && order.warm.part == warm.part
                && !order.over.load(Ordering::Relaxed)
        };
        let waiting = orders.iter().filter(|order| !order.over.load(Ordering::Relaxed)).count();
        if orders.iter().find(same).is_some() || waiting >= MOST_WAITING {
            return;
        }
        orders.push_back(Arc::new(Order::new(warm)));
        drop(orders);
        self.wake.notify_one();
    }

    /// What waits is forgotten, and what runs ends, for this presentation.
    pub fn drop_all(&self, presentation: domain::PresentationId) {
        self.orders().retain(|order| {
            let about = order.warm.presentation == presentation;
            if about {
                order.over.store(true, Ordering::Relaxed);
            }
            !about
        });
    }

    pub fn tell(&self) -> Vec<Warming> {
        self.orders().iter().take(MOST_TOLD).map(|order| order.tell()).collect()
    }

    fn orders(&self) -> MutexGuard<'_, VecDeque<Arc<Order>>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next that may run; at most [`TOLD`] that are over stay.
    fn next(&self, quiet: bool) -> Option<Arc<Order>> {
        let mut orders = self.orders();
        while orders.iter().filter(|order| order.over.load(Ordering::Relaxed)).count() > TOLD {
            let first = orders.iter().position(|order| order.over.load(Ordering::Relaxed));
            first.and_then(|at| orders.remove(at));
        }
        let runs = |order: &&Arc<Order>| {
            !order.over.load(Ordering::Relaxed) && (quiet || !order.warm.in_quiet_hours)
        };
        orders.iter().find(runs).cloned()
    }
}

impl Order {
    fn new(warm: Warm) -> Self {
        Self {
            warm,
            begun: AtomicBool::new(false),
            over: AtomicBool::new(false),
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    fn tell(&self) -> Warming {
        let get = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let state = match (self.begun.load(Ordering::Relaxed), self.over.load(Ordering::Relaxed)) {
            (_, true) => WarmingState::Done,
            (true, false) => WarmingState::Running,
            (false, false) => WarmingState::Waiting,
        };
        Warming {
            presentation: self.warm.presentation,
            title: self.warm.title.clone(),
            state,
            done: get(&self.done),
            total: get(&self.total),
            failed: get(&self.failed),
            bytes: get(&self.bytes),
        }
    }
}

/// Carries orders out, one after another, for as long as the edge lives.
pub(crate) async fn run(edge: Weak<Inner>, warmer: Arc<Warmer>) {
    while let Some(inner) = edge.upgrade() {
        let edge = Edge(inner);
        let order = warmer.next(edge.is_quiet());
        match order {
            Some(order) => {
                edge.carry_out(&order).await;
                order.over.store(true, Ordering::Relaxed);
            }
            None => {
                // Nobody holds the edge while there is nothing to do.
                drop(edge);
                let _ = tokio::time::timeout(LOOK, warmer.wake.notified()).await;
            }
        }
    }
}

impl Edge {
    /// Fetches a presentation before anybody asks for it, as soon as it may.
    pub fn warm(&self, warm: Warm) {
        self.0.warmer.take(warm);
    }

    /// Is this an hour for what can wait?
    fn is_quiet(&self) -> bool {
        let (hours, now) = (&self.0.config.warming.hours, self.0.clock.now());
        hours.is_empty() || hours.iter().any(|hours| hours.contain(now))
    }

    async fn carry_out(&self, order: &Order) {
        order.begun.store(true, Ordering::Relaxed);
        let warm = &order.warm;
        tracing::info!(presentation = %warm.presentation, part = warm.part.word(), "warming up");
        let plan = self.plan(order).await;
        order.total.fetch_add(plan.len() as u64, Ordering::Relaxed);
        let rate = self.0.config.warming.bytes_per_second;
        stream::iter(plan)
            .for_each_concurrent(AT_ONCE, async |rest| {
                if order.over.load(Ordering::Relaxed) {
                    return;
                }
                let fetched = self.fetch(order, &rest, false).await.map_or(0, |body| body.length);
                if rate > 0 {
                    let pause = fetched as f64 * AT_ONCE as f64 / rate as f64;
                    tokio::time::sleep(Duration::from_secs_f64(pause.min(60.0))).await;
                }
            })
            .await;
        let told = order.tell();
        tracing::info!(presentation = %warm.presentation, done = told.done, failed = told.failed,
            bytes = told.bytes, "warmed up");
    }

    /// Fetches what lists a presentation, and gives the rest of what is to be fetched.
    async fn plan(&self, order: &Order) -> Vec<String> {
        let mut plan = Plan::new(order.warm.part == Part::Start);
        while let Some(list) = plan.next_list() {
            order.total.fetch_add(2, Ordering::Relaxed);
            // As players ask for it, and as it can be read here.
            self.fetch(order, &list, true).await;
            if let Some(fetched) = self.fetch(order, &list, false).await {
                plan.read(&list, &fetched.text);
            }
        }
        plan.rest()
    }

    async fn fetch(&self, order: &Order, rest: &str, gzip: bool) -> Option<Fetched> {
        let Warm { presentation, token, .. } = &order.warm;
        let path = format!("/media/{token}/{presentation}/{rest}");
        let mut headers = HeaderMap::new();
        if gzip {
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let fetched = self.swallow(&path, &headers).await;
        let counter = if fetched.is_some() { &order.done } else { &order.failed };
        counter.fetch_add(1, Ordering::Relaxed);
        order.bytes.fetch_add(fetched.as_ref().map_or(0, |fetched| fetched.length), Ordering::Relaxed);
        fetched
    }

    /// All of an answer; of texts the beginning is kept.
    async fn swallow(&self, path: &str, headers: &HeaderMap) -> Option<Fetched> {
        let peer = std::net::Ipv4Addr::LOCALHOST.into();
        let asking = self.find(Ask { head_only: false, path, query: None, headers, peer });
        let (mut reply, _) = asking.await.ok()?;
        if reply.status != StatusCode::OK {
            return None;
        }
        let is_text = path.ends_with(".m3u8") || path.ends_with(".vtt");
        let (mut text, mut length) = (Vec::new(), 0);
        while let Some(piece) = reply.payload.next().await {
            let piece: Bytes = piece.ok()?;
            length += piece.len() as u64;
            if is_text && text.len() + piece.len() <= MAX_TEXT {
                text.extend_from_slice(&piece);
            }
        }
        Some(Fetched { length, text: String::from_utf8_lossy(&text).into_owned() })
    }
}

struct Fetched {
    length: u64,
    text: String,
}
