//! Events at work in this process: publishers' feeds go in, a programme comes out and is kept. Which publisher is on air, and what
//! is shown while there is none, is decided here.

mod pace;
mod run;
mod session;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use backends::blob::Blobs;
use bytes::Bytes;
use domain::PresentationId;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tokio_util::task::TaskTracker;

use crate::{Ended, Feed, Slot, Snapshot, ladder::Starter, programme::Programme, record::Recorded};

/// How events are made.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Making {
    /// Smaller renditions of the publisher's picture, best first. Those that are not smaller are left out.
    pub rungs: Vec<RungRule>,
    /// Bits per second for each pixel of the publisher's picture, in thousandths, where that must be encoded again.
    pub source_millibits_per_pixel: u32,
    /// Of sound that must be encoded.
    pub audio_bps: u32,
    /// x264's word for its pace.
    pub preset: String,
    /// Threads of an event's encoder; 0: as many as it likes.
    pub threads: u32,
    /// A publisher that sends nothing for so long is not on air, milliseconds.
    pub stall_ms: u32,
    /// A primary publisher that has come back is on air again after this, milliseconds.
    pub return_ms: u32,
    /// An event ends by itself when nobody has published for so long, seconds.
    pub absence_seconds: u32,
    /// The same when the last publisher has said that it is over, seconds.
    pub farewell_seconds: u32,
}

/// A rendition: the short side of its picture, and what it may need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RungRule {
    pub height: u32,
    pub bitrate_bps: u32,
}

impl Default for Making {
    fn default() -> Self {
        let rung = |height, bitrate_bps| RungRule { height, bitrate_bps };
        Self {
            rungs: vec![rung(720, 2_500_000), rung(480, 1_200_000), rung(360, 700_000)],
            // 4.6 Mb/s of 1080p.
            source_millibits_per_pixel: 2_200,
            audio_bps: 128_000,
            preset: "veryfast".into(),
            threads: 0,
            stall_ms: 1_200,
            return_ms: 3_000,
            absence_seconds: 300,
            farewell_seconds: 60,
        }
    }
}

/// What is so of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub event: Arc<str>,
    pub presentation: PresentationId,
    /// Parts, for players that want to be near.
    pub low_latency: bool,
    /// How far back viewers can go.
    pub window: Duration,
}

/// Who is told what becomes of events, and who tells the time.
pub trait Host: Send + Sync + 'static {
    /// Microseconds since the Unix epoch.
    fn now(&self) -> i64;

    /// The picture that its creator wants to be shown while nobody sends, as JPEG. Asked for when the event begins and whenever its
    /// publisher goes.
    fn slate(&self, settings: &Settings) -> impl Future<Output = Option<Bytes>> + Send;

    /// It can be played. Called once in each run of the event, when its first descriptor is stored.
    fn playable(&self, settings: &Settings) -> impl Future<Output = ()> + Send;

    /// It is no longer at work here, and goes on elsewhere or later.
    fn left(&self, settings: &Settings) -> impl Future<Output = ()> + Send;

    /// It is over, and all of it is stored. `None`: nobody ever saw anything of it.
    fn finished(&self, settings: &Settings, recorded: Option<Recorded>) -> impl Future<Output = ()> + Send;
}

/// What an event is told.
#[derive(Debug)]
enum Order {
    Come(Slot, Feed),
    Gone(Slot, Ended),
    Dismiss(Slot, String),
    /// Nobody publishes yet.
    Wait,
    /// It goes on elsewhere.
    Leave,
    End,
}

/// What is to be known of an event at one moment.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// Whose picture is shown; `None`: what stands in.
    pub on_air: Option<Slot>,
    /// Publishers that are there.
    pub sources: Vec<(Slot, Snapshot)>,
    /// Encoders that died since the event began.
    pub deaths: u64,
    /// How fast encoders are, thousandths of real time, over the last seconds; `None` where there are none.
    pub speed_milli: Option<u64>,
    /// The renditions, best first.
    pub rungs: Vec<Shown>,
    /// Is the best one the publisher's own picture?
    pub keeps_source: bool,
    /// Segments that are whole.
    pub segments: u64,
}

/// A rendition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub width: u32,
    pub height: u32,
    /// What it may need.
    pub bitrate_bps: u32,
    /// Not given up.
    pub on: bool,
}

#[derive(Debug)]
struct AtWork {
    settings: Settings,
    orders: mpsc::UnboundedSender<Order>,
    programme: watch::Receiver<Option<Programme>>,
    status: watch::Receiver<Status>,
}

/// The events of this process. Cheap to clone.
pub struct Stage<S, H> {
    inner: Arc<Inner<S, H>>,
}

struct Inner<S, H> {
    making: Making,
    blobs: Blobs,
    starter: Arc<S>,
    host: Arc<H>,
    events: Mutex<HashMap<Arc<str>, AtWork>>,
    runs: TaskTracker,
}

impl<S, H> Clone for Stage<S, H> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<S: Starter, H: Host> Stage<S, H> {
    pub fn new(making: Making, blobs: Blobs, starter: Arc<S>, host: Arc<H>) -> Self {
        let (events, runs) = (Mutex::default(), TaskTracker::new());
        Self { inner: Arc::new(Inner { making, blobs, starter, host, events, runs }) }
    }

    /// A publisher is there. An event that is not at work begins, or goes on.
    pub fn come(&self, settings: Settings, slot: Slot, feed: Feed) {
        let mut events = self.events();
        if let Some(event) = events.get(&settings.event)
            && event.orders.send(Order::Come(slot, feed.clone())).is_ok()
        {
            return;
        }
        self.begin(&mut events, settings, Order::Come(slot, feed));
    }

    /// An event that has begun is to be had here, until a publisher comes back or it ends.
    pub fn adopt(&self, settings: Settings) {
        let mut events = self.events();
        if !events.contains_key(&settings.event) {
            self.begin(&mut events, settings, Order::Wait);
        }
    }

    /// Another process has an event now.
    pub fn leave(&self, event: &str) {
        self.order(event, Order::Leave);
    }

    /// A publisher has left.
    pub fn gone(&self, event: &str, slot: Slot, ended: &Ended) {
        self.order(event, Order::Gone(slot, ended.clone()));
    }

    /// Sends a publisher away.
    pub fn dismiss(&self, event: &str, slot: Slot, words: &str) {
        self.order(event, Order::Dismiss(slot, words.to_owned()));
    }

    /// Ends an event. `false` when it is not at work here.
    pub fn end(&self, event: &str) -> bool {
        self.order(event, Order::End)
    }

    fn order(&self, event: &str, order: Order) -> bool {
        self.events().get(event).is_some_and(|event| event.orders.send(order).is_ok())
    }

    /// What an event shows, by its presentation; `None` when it does not go on here.
    pub fn programme(&self, presentation: PresentationId) -> Option<Programme> {
        let events = self.events();
        let event = events.values().find(|event| event.settings.presentation == presentation)?;
        event.programme.borrow().clone()
    }

    /// How the events go.
    pub fn statuses(&self) -> Vec<(Settings, Status)> {
        self.events().values().map(|event| (event.settings.clone(), event.status.borrow().clone())).collect()
    }

    /// Lets nobody end an event any more and waits until all that was made is stored. Events go on elsewhere, or later.
    pub async fn stop(&self) {
        self.events().clear();
        self.inner.runs.close();
        self.inner.runs.wait().await;
    }

    fn begin(&self, events: &mut HashMap<Arc<str>, AtWork>, settings: Settings, first: Order) {
        let (orders, heard) = mpsc::unbounded_channel();
        let _ = orders.send(first);
        let (showing, programme) = watch::channel(None);
        let (telling, status) = watch::channel(Status::default());
        let name = settings.event.clone();
        let run = run::Run::new(
            self.inner.making.clone(),
            settings.clone(),
            self.inner.blobs.clone(),
            showing,
            telling,
        );
        let (inner, orders_of) = (self.inner.clone(), orders.downgrade());
        self.inner.runs.spawn(async move {
            run.run(heard, inner.starter.clone(), inner.host.clone()).await;
            let mut events = inner.events.lock().unwrap_or_else(PoisonError::into_inner);
            let is_ours =
                |event: &AtWork| orders_of.upgrade().is_none_or(|ours| ours.same_channel(&event.orders));
            if events.get(&name).is_some_and(is_ours) {
                events.remove(&name);
            }
        });
        events.insert(settings.event.clone(), AtWork { settings, orders, programme, status });
    }

    fn events(&self) -> MutexGuard<'_, HashMap<Arc<str>, AtWork>> {
        self.inner.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
