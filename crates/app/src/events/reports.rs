//! How live events go, as their nodes tell it over the bus.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use backends::bus::{self, Bus};
use domain::{Message, Micros, Topic, VideoId, live::Report};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{App, Result};

/// A report that is older counts no longer, microseconds.
pub const SILENT_AFTER: i64 = 5 * Micros::SECOND;
/// What was told of an event is kept so long after its last report.
const KEPT: i64 = 5 * 60 * Micros::SECOND;
/// Points of a trend: one for each report.
const POINTS: usize = 300;
/// Most events that are remembered.
const MOST: usize = 10_000;

/// How often it is counted who watches.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// What nodes said of players so long ago still counts.
const COUNTED: i64 = 25 * Micros::SECOND;

/// What was told last of each event.
#[derive(Debug, Default)]
pub struct Reports {
    events: Mutex<HashMap<VideoId, Heard>>,
    /// Who watches, as far as players tell.
    viewers: Mutex<HashMap<VideoId, u64>>,
}

#[derive(Debug, Clone)]
pub struct Heard {
    pub report: Report,
    /// By the clock of this process.
    pub seen_at: Micros,
    /// The last five minutes.
    pub trend: VecDeque<Point>,
}

/// One report in a few numbers: of the publisher whose stream viewers see.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub at: Micros,
    pub bitrate_bps: u64,
    /// Of the first picture.
    pub frame_rate_milli: u64,
    pub key_interval_ms: Option<u64>,
    /// Frames that were dropped or are missing, since the beginning.
    pub lost: u64,
    pub av_drift_ms: Option<i64>,
    /// Of the encoder; at 1000 it keeps up.
    pub speed_milli: Option<u64>,
    pub viewers: u64,
}

impl Reports {
    pub fn hear(&self, mut report: Report, now: Micros) {
        let event = report.event;
        let counted = self.viewers.lock().unwrap_or_else(PoisonError::into_inner).get(&event).copied();
        report.viewers = report.viewers.max(counted.unwrap_or_default());
        let mut events = self.events();
        if events.len() >= MOST && !events.contains_key(&event) {
            events.retain(|_, heard| now.0 - heard.seen_at.0 < KEPT);
            if events.len() >= MOST {
                return;
            }
        }
        let point = Point::of(&report, now);
        match events.get_mut(&event) {
            // Late, from before.
            Some(heard) if heard.report.node == report.node && report.at <= heard.report.at => {}
            Some(heard) => {
                (heard.report, heard.seen_at) = (report, now);
                heard.trend.push_back(point);
                if heard.trend.len() > POINTS {
                    heard.trend.pop_front();
                }
            }
            None => {
                let trend = VecDeque::from([point]);
                events.insert(event, Heard { report, seen_at: now, trend });
            }
        }
    }

    /// The newest report of an event, unless it is silent.
    pub fn newest(&self, event: VideoId, now: Micros) -> Option<Heard> {
        let events = self.events();
        events.get(&event).filter(|heard| now.0 - heard.seen_at.0 < SILENT_AFTER).cloned()
    }

    /// Does anybody publish this event?
    pub fn has_publisher(&self, event: VideoId, now: Micros) -> bool {
        let events = self.events();
        let heard = events.get(&event).filter(|heard| now.0 - heard.seen_at.0 < SILENT_AFTER);
        heard.is_some_and(|heard| !heard.report.publishers.is_empty())
    }

    /// Players told of so many who watch each event. Reports from now on say so, unless their nodes know of more.
    pub fn count(&self, viewers: HashMap<VideoId, u64>) {
        *self.viewers.lock().unwrap_or_else(PoisonError::into_inner) = viewers;
    }

    fn events(&self) -> MutexGuard<'_, HashMap<VideoId, Heard>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Point {
    fn of(report: &Report, at: Micros) -> Self {
        let leading = report.leading();
        let tracks = leading.map_or(&[][..], |publisher| &publisher.tracks);
        let picture = tracks.iter().find(|track| track.kind == "video");
        Self {
            at,
            bitrate_bps: leading.map_or(0, |publisher| publisher.bitrate_bps),
            frame_rate_milli: picture.map_or(0, |track| track.frame_rate_milli),
            key_interval_ms: picture.and_then(|track| track.key_interval_ms),
            lost: tracks.iter().map(|track| track.dropped + track.missing).sum(),
            av_drift_ms: leading.and_then(|publisher| publisher.av_drift_ms),
            speed_milli: report.ladder.speed_milli,
            viewers: report.viewers,
        }
    }
}

/// Hears how events go, and counts who watches them, until `stop`.
pub async fn listen(app: App, bus: Bus, stop: CancellationToken) {
    let mut told = bus.subscribe(Topic::Live).await;
    let mut ticks = interval(COUNT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let heard = tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {
                if let Err(error) = count(&app).await {
                    tracing::warn!(%error, "who watches live events cannot be counted");
                }
                continue;
            }
            heard = told.next() => heard,
        };
        if let bus::Heard::Message(message) = heard
            && let Some(report) = Report::from_bytes(&message)
        {
            metrics::counter!("kinora_live_reports_total").increment(1);
            app.reports.hear(report, app.clock.now());
        }
    }
}

async fn count(app: &App) -> Result<()> {
    let since = app.clock.now().plus(-COUNTED);
    let rows = store::events::watching(&mut app.store.reader().await?, since).await?;
    let viewers = rows.into_iter().map(|(event, sessions)| (event, sessions.unsigned_abs()));
    app.reports.count(viewers.collect());
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::{
        event::{Latency, Slot},
        live::{Ladder, OnAir, Publisher, State, Track},
    };

    use super::*;

    fn report(event: VideoId, node: &str, second: i64, frames: u64) -> Report {
        let picture = Track { kind: "video".into(), dropped: 1, missing: frames, ..Track::default() };
        Report {
            event,
            node: node.into(),
            at: Micros(second * Micros::SECOND),
            state: State::Live,
            latency: Latency::Low,
            since: Micros(0),
            publishers: vec![Publisher {
                slot: Slot::Primary,
                protocol: "rtmp".into(),
                encoder: None,
                since: Micros(0),
                bitrate_bps: 5,
                bytes: 0,
                silence_ms: 0,
                lead_ms: 0,
                av_drift_ms: None,
                tracks: vec![picture],
                warnings: Vec::new(),
            }],
            on_air: OnAir::Primary,
            ladder: Ladder::default(),
            segments: 0,
            viewers: 3,
        }
    }

    #[test]
    fn the_newest_report_counts_until_it_is_silent() {
        let (reports, event) = (Reports::default(), VideoId::new());
        let at = |second: i64| Micros(second * Micros::SECOND);
        assert!(reports.newest(event, at(0)).is_none());
        for second in 0..400 {
            reports.hear(report(event, "a", second, second as u64), at(second));
        }
        reports.hear(report(event, "a", 3, 0), at(400));
        let heard = reports.newest(event, at(400)).unwrap();
        assert_eq!((heard.trend.len(), heard.seen_at), (POINTS, at(399)));
        assert_eq!(heard.trend.back().unwrap().lost, 400);
        // Players know of more viewers than the node.
        reports.count(HashMap::from([(event, 9)]));
        // Another node has it now; its clock is behind.
        reports.hear(report(event, "b", 7, 0), at(401));
        let heard = reports.newest(event, at(402)).unwrap();
        assert_eq!((heard.report.node.as_str(), heard.report.viewers), ("b", 9));
        assert!(reports.has_publisher(event, at(405)));
        assert!(!reports.has_publisher(event, at(406)) && reports.newest(event, at(406)).is_none());
    }
}
