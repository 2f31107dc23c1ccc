//! How an event goes: the newest report of the node that has it, once or every second.

use std::{collections::VecDeque, time::Duration};

use api::{Client, Id, Json, Principal, Problem, ProblemBody, Time};
use axum::{
    extract::State,
    http::StatusCode,
    response::{Response, sse::Event as Message},
};
use domain::{VideoId, live};
use futures::{StreamExt, stream};
use serde::Serialize;
use store::events;
use tokio::time::{MissedTickBehavior, interval};
use utoipa::ToSchema;

use super::{
    Heard, Point,
    ingest::{ProtocolWord, SlotWord},
};
use crate::{App, Result, broadcast::LatencyWord, title};

const EVERY: Duration = Duration::from_secs(1);

/// How an event goes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    pub at: Time,
    /// The node that has the event.
    #[schema(example = "live-1")]
    pub node: String,
    #[schema(value_type = HealthState)]
    pub state: &'static str,
    /// It is in this state since then.
    pub since: Time,
    #[schema(value_type = OnAirWord)]
    pub on_air: &'static str,
    #[schema(value_type = LatencyWord)]
    pub latency: &'static str,
    pub viewers: u64,
    /// Segments that were made so far.
    pub segments: u64,
    /// The primary first.
    pub publishers: Vec<PublisherView>,
    pub ladder: LadderView,
    /// The last five minutes, a point each second; of a stream of messages only the first has them, others have the newest.
    pub trend: Vec<HealthPoint>,
}

/// What viewers see.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum OnAirWord {
    Primary,
    Backup,
    Slate,
    Nothing,
}

/// `starting`: there is nothing to be played yet. `waiting`: all encoders are gone, and may come back.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum HealthState {
    Starting,
    Live,
    Waiting,
    Ending,
}

/// An encoder that sends the event.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublisherView {
    #[schema(value_type = SlotWord)]
    pub slot: &'static str,
    #[schema(value_type = ProtocolWord)]
    pub protocol: String,
    /// What it says that it is.
    #[schema(required = true, example = "obs-output module (libobs version 30.2.3)")]
    pub encoder: Option<String>,
    pub since: Time,
    pub bitrate_bps: u64,
    pub bytes: u64,
    /// Since anything came.
    pub silence_ms: u64,
    /// Media time that passed less time that passed: below 0 it comes late.
    pub lead_ms: i64,
    /// How far sound and picture have moved apart; above 0 the sound is later.
    #[schema(required = true)]
    pub av_drift_ms: Option<i64>,
    pub tracks: Vec<HealthTrack>,
    /// Most important first; empty when all is well.
    pub warnings: Vec<HealthWarning>,
}

/// A track as it comes.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthTrack {
    #[schema(value_type = TrackKind)]
    pub kind: String,
    pub codec: String,
    #[schema(required = true)]
    pub width: Option<u32>,
    #[schema(required = true)]
    pub height: Option<u32>,
    #[schema(required = true)]
    pub sample_rate: Option<u32>,
    #[schema(required = true)]
    pub channels: Option<u32>,
    pub bitrate_bps: u64,
    #[schema(example = 29.97)]
    pub frames_per_second: f64,
    /// Between the last two key frames.
    #[schema(required = true)]
    pub key_interval_ms: Option<u64>,
    #[schema(required = true)]
    pub longest_key_interval_ms: Option<u64>,
    pub frames: u64,
    /// Frames that came and could not be used.
    pub dropped: u64,
    /// Frames that seem to be missing.
    pub missing: u64,
}

#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum TrackKind {
    Video,
    Audio,
}

/// What could be better.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthWarning {
    /// Stable, for programs.
    #[schema(example = "key_frames")]
    pub code: String,
    /// A sentence for the person at the encoder.
    #[schema(example = "Your key-frame interval is 10 s; set 2 s in your encoder.")]
    pub words: String,
}

/// The renditions that are made.
#[derive(Debug, Serialize, ToSchema)]
pub struct LadderView {
    /// Best first.
    pub rungs: Vec<RungView>,
    /// Encoders that died or hung, and were begun anew.
    pub deaths: u64,
    /// At 1 it keeps up; `null` without an encoder.
    #[schema(required = true)]
    pub speed: Option<f64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RungView {
    pub width: u32,
    pub height: u32,
    pub bitrate_bps: u64,
    /// It is the publisher's own picture.
    pub is_source: bool,
    /// False when it was given up because the machine did not keep up.
    pub on: bool,
}

/// A second of an event, of the encoder whose stream viewers see.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthPoint {
    pub at: Time,
    pub bitrate_bps: u64,
    pub frames_per_second: f64,
    #[schema(required = true)]
    pub key_interval_ms: Option<u64>,
    /// Frames that were dropped or are missing, since the beginning.
    pub lost: u64,
    #[schema(required = true)]
    pub av_drift_ms: Option<i64>,
    #[schema(required = true)]
    pub speed: Option<f64>,
    pub viewers: u64,
}

/// How an event goes now. 404 with the code `no_publisher` while nobody sends it.
#[utoipa::path(get, path = "/api/v1/events/{id}/health", tag = "live", params(("id" = String, Path)),
    responses((status = 200, body = Health), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn health(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id<VideoId>,
) -> Result<Json<Health>> {
    managed(&app, id, &principal).await?;
    match app.reports.newest(id, app.clock.now()) {
        Some(heard) => Ok(Json(view(heard))),
        None => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "no_publisher",
            "No encoder sends this event. Start one with its key.",
        )
        .into()),
    }
}

/// How an event goes, as server-sent events: `health` every second, or `waiting` while nobody sends it.
#[utoipa::path(get, path = "/api/v1/events/{id}/health/stream", tag = "live", params(("id" = String, Path)),
    responses((status = 200, body = serde_json::Value, content_type = "text/event-stream",
            description = "`health` and `waiting` events"),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub async fn follow(
    State(app): State<App>,
    principal: Principal,
    client: Client,
    Id(id): Id<VideoId>,
) -> Result<Response> {
    managed(&app, id, &principal).await?;
    let place = app.live_place(Some(&principal), client)?;
    let until = app.stream_end(Some(principal));
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let messages = stream::unfold((app, ticks, false), move |(app, mut ticks, was_there)| async move {
        ticks.tick().await;
        let heard = app.reports.newest(id, app.clock.now());
        let is_there = heard.is_some();
        Some((message(heard, !was_there), (app, ticks, is_there)))
    });
    Ok(crate::live::answer(messages.filter_map(|message| async move { message }), until, place))
}

fn message(heard: Option<Heard>, whole: bool) -> Option<Message> {
    let Some(mut heard) = heard else { return Some(Message::default().event("waiting").data("{}")) };
    if !whole {
        heard.trend = VecDeque::from_iter(heard.trend.pop_back());
    }
    Message::default().event("health").json_data(view(heard)).ok()
}

async fn managed(app: &App, id: VideoId, principal: &Principal) -> Result<()> {
    let mut reader = app.store.reader().await?;
    title::manage(&mut reader, id, principal).await?;
    events::get(&mut reader, id).await?;
    Ok(())
}

fn thousandths(milli: u64) -> f64 {
    milli as f64 / 1000.0
}

fn view(heard: Heard) -> Health {
    let Heard { report, trend, .. } = heard;
    Health {
        at: report.at.into(),
        node: report.node,
        state: report.state.word(),
        since: report.since.into(),
        on_air: report.on_air.word(),
        latency: report.latency.word(),
        viewers: report.viewers,
        segments: report.segments,
        publishers: report.publishers.into_iter().map(publisher).collect(),
        ladder: LadderView {
            rungs: report.ladder.rungs.into_iter().map(rung).collect(),
            deaths: report.ladder.deaths,
            speed: report.ladder.speed_milli.map(thousandths),
        },
        trend: trend.into_iter().map(point).collect(),
    }
}

fn publisher(one: live::Publisher) -> PublisherView {
    let warning = |live::Warning { code, words }| HealthWarning { code, words };
    PublisherView {
        slot: one.slot.word(),
        protocol: one.protocol,
        encoder: one.encoder,
        since: one.since.into(),
        bitrate_bps: one.bitrate_bps,
        bytes: one.bytes,
        silence_ms: one.silence_ms,
        lead_ms: one.lead_ms,
        av_drift_ms: one.av_drift_ms,
        tracks: one.tracks.into_iter().map(track).collect(),
        warnings: one.warnings.into_iter().map(warning).collect(),
    }
}

fn track(one: live::Track) -> HealthTrack {
    HealthTrack {
        kind: one.kind,
        codec: one.codec,
        width: one.width,
        height: one.height,
        sample_rate: one.sample_rate,
        channels: one.channels,
        bitrate_bps: one.bitrate_bps,
        frames_per_second: thousandths(one.frame_rate_milli),
        key_interval_ms: one.key_interval_ms,
        longest_key_interval_ms: one.longest_key_interval_ms,
        frames: one.frames,
        dropped: one.dropped,
        missing: one.missing,
    }
}

fn rung(one: live::Rung) -> RungView {
    let live::Rung { width, height, bitrate_bps, is_source, on } = one;
    RungView { width, height, bitrate_bps, is_source, on }
}

fn point(point: Point) -> HealthPoint {
    HealthPoint {
        at: point.at.into(),
        bitrate_bps: point.bitrate_bps,
        frames_per_second: thousandths(point.frame_rate_milli),
        key_interval_ms: point.key_interval_ms,
        lost: point.lost,
        av_drift_ms: point.av_drift_ms,
        speed: point.speed_milli.map(thousandths),
        viewers: point.viewers,
    }
}
