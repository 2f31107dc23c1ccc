//! The role that takes in live events: its doors for publishers, its encoders in their cage, and what it tells of its events.

use std::{
    collections::HashMap,
    io,
    net::TcpListener,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use app::{App, events::Ports};
use axum::{http::HeaderMap, response::Response};
use backends::{
    blob::Blobs,
    bus::{Bus, Heard},
};
use domain::{
    Message, PresentationId, Topic, VideoId,
    event::{Latency, StreamKeys},
    live as told,
};
use futures::future::BoxFuture;
use live::{
    Admission, Door, Ended, Feed, Knock, Limits, Refusal, Slot, Slots,
    event::{Host, Settings, Shown, Stage, Status},
    faces,
    ladder::{Process, Starter},
    record::Recorded,
    rtmp,
};
use origin::Asked;
use store::events::{self, Event};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use vod::guest::{self, Guest};

use super::{Ended as TaskEnded, supervise};
use crate::{
    config::{Config, LIVE},
    http::tls::Certificates,
};

/// How often events that have been asked to end are looked for, whatever the bus tells.
const RECALL: Duration = Duration::from_secs(5);

/// The events of this process.
pub type Events = Stage<Caged, Registrar>;

/// Leaves out a door whose address nobody chose and somebody else has.
pub(super) fn settle(config: &mut Config) {
    if config.live.rtmp.listen == Some(LIVE) && TcpListener::bind(LIVE).is_err() {
        tracing::warn!("port {} is taken: no RTMP here; choose another with live.rtmp.listen", LIVE.port());
        config.live.rtmp.listen = None;
    }
}

/// Where encoders come in.
pub(super) fn ports(config: &Config) -> Ports {
    if !config.roles.contains(&crate::config::Role::Live) {
        return Ports::default();
    }
    let rtmp = &config.live.rtmp;
    Ports {
        rtmp: rtmp.listen.map(|address| address.port()),
        rtmps: rtmp.listen_tls.map(|address| address.port()),
        srt: None,
    }
}

/// Opens the doors.
pub(super) async fn start(
    config: &Config,
    app: &App,
    bus: &Bus,
    tasks: &mut JoinSet<TaskEnded>,
    stop: &CancellationToken,
) -> anyhow::Result<Events> {
    guest::capabilities().log();
    let starter = Arc::new(Caged { program: config.encoding.ffmpeg.clone() });
    let host = Arc::new(Registrar { app: app.clone() });
    let stage = Stage::new(config.live.making.clone(), app.blobs.clone(), starter, host);
    let gate = Arc::new(Gate {
        app: app.clone(),
        stage: stage.clone(),
        limits: config.live.limits,
        ways: Mutex::default(),
    });
    let certificate = match config.live.rtmp.listen_tls {
        None => None,
        Some(_) => Some(Certificates::read(&config.http.tls)?.server_config(&[])?),
    };
    let certificate = certificate.map(Arc::new);
    let listening = rtmp::listen(config.live.clone(), certificate, gate.clone(), Slots::default());
    let listening = listening.await.context("live.rtmp")?;
    let (ending, stopped) = (stage.clone(), stop.clone());
    supervise(tasks, "live publishers", async move {
        stopped.cancelled().await;
        listening.stop().await;
        ending.stop().await;
        Ok(())
    });
    let orders = obey(app.clone(), stage.clone(), bus.clone(), stop.clone());
    supervise(tasks, "orders of live events", async move {
        orders.await;
        Ok(())
    });
    let reports = report(gate, config.edge.name.clone(), bus.clone(), stop.clone());
    supervise(tasks, "reports of live events", async move {
        reports.await;
        Ok(())
    });
    Ok(stage)
}

/// What the origin of the same process asks.
pub struct Here {
    pub events: Events,
    pub blobs: Blobs,
}

impl origin::Live for Here {
    fn answer(&self, asked: Asked, headers: HeaderMap) -> BoxFuture<'_, Option<Response>> {
        Box::pin(async move {
            let programme = self.events.programme(asked.presentation)?;
            let what = (asked.rest.as_str(), asked.query.as_deref());
            Some(faces::answer(&programme, &self.blobs, what, asked.max_height, &headers).await)
        })
    }
}

/// Starts encoders as guests.
#[derive(Debug)]
pub struct Caged {
    program: PathBuf,
}

/// What the encoder of one event may use up. It lives as long as the event.
fn limits() -> guest::Limits {
    let for_ever = Duration::from_secs(30 * 86_400);
    guest::Limits {
        cpu: for_ever,
        wall: for_ever,
        memory_bytes: 8 << 30,
        nice: 0,
        ..guest::Limits::default()
    }
}

impl Starter for Caged {
    async fn start(&self, args: Vec<String>) -> io::Result<Process> {
        let guest = Guest::new(&self.program, limits()).args(args);
        let (running, stdin, stdout) = guest.spawn_fed().await.map_err(io::Error::other)?;
        Ok(Process { stdin: Box::pin(stdin), stdout: Box::pin(stdout), keep: Box::new(running) })
    }
}

/// Writes into the database what becomes of events.
pub struct Registrar {
    app: App,
}

impl Registrar {
    async fn begin(&self, settings: &Settings) -> anyhow::Result<()> {
        let id: VideoId = settings.event.parse()?;
        let mut tx = self.app.store.begin().await?;
        let sent = events::begin(&mut tx, id, settings.presentation, self.app.clock.now()).await?;
        anyhow::ensure!(sent == settings.presentation, "it sends another presentation already");
        tx.commit().await?;
        Ok(())
    }

    async fn finish(&self, settings: &Settings, recorded: &Recorded) -> anyhow::Result<()> {
        let id: VideoId = settings.event.parse()?;
        let mut tx = self.app.store.begin().await?;
        let event = events::get(&mut tx, id).await?;
        let length = i64::try_from(recorded.duration_ms)?;
        events::finish(&mut tx, id, length, event.record, self.app.clock.now()).await?;
        store::presentations::described(&mut tx, settings.presentation, recorded.version).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The database is the truth: what is not in it has not happened.
async fn until_done<F>(what: &'static str, event: &str, mut attempt: impl FnMut() -> F)
where
    F: Future<Output = anyhow::Result<()>>,
{
    let mut wait = Duration::from_millis(200);
    for _ in 0..50 {
        match attempt().await {
            Ok(()) => return,
            Err(error) => tracing::warn!(event, "{what} could not be noted: {error:#}"),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(10));
    }
    tracing::error!(event, "{what} could not be noted");
}

impl Host for Registrar {
    fn now(&self) -> i64 {
        self.app.clock.now().0
    }

    async fn playable(&self, settings: &Settings) {
        until_done("the beginning of a live event", &settings.event, || self.begin(settings)).await;
    }

    async fn finished(&self, settings: &Settings, recorded: Option<Recorded>) {
        let Some(recorded) = recorded else { return };
        until_done("the end of a live event", &settings.event, || self.finish(settings, &recorded)).await;
    }
}

/// Decides over publishers.
struct Gate {
    app: App,
    stage: Events,
    limits: Limits,
    /// How publishers came in, and when.
    ways: Mutex<HashMap<(Arc<str>, Slot), (&'static str, domain::Micros)>>,
}

impl Gate {
    fn keys(&self) -> &StreamKeys {
        &self.app.stream_keys
    }

    async fn find(&self, id: VideoId) -> store::Result<Event> {
        events::get(&mut self.app.store.reader().await?, id).await
    }

    async fn settings(&self, id: VideoId) -> store::Result<Settings> {
        let event = self.find(id).await?;
        Ok(Settings {
            event: id.to_string().into(),
            presentation: event.presentation().unwrap_or_else(PresentationId::new),
            low_latency: event.latency == Latency::Low,
            window: Duration::from_secs(u64::try_from(event.dvr_seconds).unwrap_or(0)),
        })
    }
}

impl Door for Gate {
    async fn admit(&self, knock: Knock) -> Result<Admission, Refusal> {
        let key = knock.key.reveal();
        let id = StreamKeys::event(key).ok_or(Refusal::UnknownKey)?;
        let event = match self.find(id).await {
            Ok(event) => event,
            Err(store::Error::NotFound) => return Err(Refusal::UnknownKey),
            Err(error) => {
                tracing::warn!(%error, "a publisher cannot be judged");
                return Err(Refusal::Unavailable);
            }
        };
        let slot = self.keys().slot(key, id, event.key_generation).ok_or(Refusal::UnknownKey)?;
        if !event.takes_publishers() {
            return Err(Refusal::NotNow("This event has ended. Make another one.".into()));
        }
        let event: Arc<str> = id.to_string().into();
        let way = if knock.encrypted { "rtmps" } else { knock.protocol.word() };
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        ways.insert((event.clone(), slot), (way, self.app.clock.now()));
        Ok(Admission { event, slot, limits: self.limits })
    }

    async fn opened(&self, admission: &Admission, feed: Feed) {
        let Ok(id) = admission.event.parse() else { return };
        match self.settings(id).await {
            Ok(settings) => self.stage.come(settings, admission.slot, feed),
            Err(error) => {
                tracing::warn!(%error, "an event cannot be read");
                feed.dismiss("The server cannot take the stream just now. Connect again.");
            }
        }
    }

    async fn closed(&self, admission: &Admission, ended: &Ended) {
        tracing::info!(event = %admission.event, slot = ?admission.slot, %ended, "a publisher has left");
        self.stage.gone(&admission.event, admission.slot, ended);
    }
}

/// Does what the API wants of events, until `stop`.
async fn obey(app: App, stage: Events, bus: Bus, stop: CancellationToken) {
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
                if let Err(error) = recall(&app, &stage).await {
                    tracing::warn!(%error, "events that are to end cannot be read");
                }
            }
        }
    }
}

/// Ends what is to end, though nobody was told.
async fn recall(app: &App, stage: &Events) -> store::Result<()> {
    let here = stage.statuses();
    if here.is_empty() {
        return Ok(());
    }
    for event in events::all_live(&mut app.store.reader().await?).await? {
        if !event.takes_publishers() {
            stage.end(&event.video_id.to_string());
        }
    }
    Ok(())
}

/// Tells how the events go, every second until `stop`.
async fn report(gate: Arc<Gate>, node: String, bus: Bus, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(Duration::from_micros(told::REPORT_EVERY.unsigned_abs()));
    let mut since = HashMap::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let now = gate.app.clock.now();
        let all = gate.stage.statuses();
        since.retain(|event, _| all.iter().any(|(settings, _)| settings.event == *event));
        for (settings, status) in all {
            let Ok(event) = settings.event.parse() else { continue };
            let ways = gate.ways.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let way = |slot| ways.get(&(settings.event.clone(), slot)).copied().unwrap_or(("rtmp", now));
            let state = if status.sources.is_empty() {
                told::State::Waiting
            } else if status.segments == 0 {
                told::State::Starting
            } else {
                told::State::Live
            };
            let entry = since.entry(settings.event.clone()).or_insert((state, now));
            if entry.0 != state {
                *entry = (state, now);
            }
            bus.tell(&told::Report {
                event,
                node: node.clone(),
                at: now,
                state,
                latency: if settings.low_latency { Latency::Low } else { Latency::Standard },
                since: entry.1,
                on_air: match status.on_air {
                    Some(Slot::Primary) => told::OnAir::Primary,
                    Some(Slot::Backup) => told::OnAir::Backup,
                    None if status.segments > 0 => told::OnAir::Slate,
                    None => told::OnAir::Nothing,
                },
                publishers: status
                    .sources
                    .iter()
                    .map(|(slot, one)| publisher(*slot, one, way(*slot)))
                    .collect(),
                ladder: told::Ladder {
                    rungs: status
                        .rungs
                        .iter()
                        .enumerate()
                        .map(|(n, rung)| told_rung(n, rung, &status))
                        .collect(),
                    deaths: status.deaths,
                    speed_milli: None,
                },
                segments: status.segments,
                viewers: 0,
            });
        }
    }
}

fn told_rung(n: usize, rung: &Shown, status: &Status) -> told::Rung {
    told::Rung {
        width: rung.width,
        height: rung.height,
        bitrate_bps: rung.bitrate_bps.into(),
        is_source: n == 0 && status.keeps_source,
        on: true,
    }
}

fn publisher(slot: Slot, one: &live::Snapshot, (protocol, since): (&str, domain::Micros)) -> told::Publisher {
    let track = |track: &live::TrackSnapshot| told::Track {
        kind: track.track.split(' ').next().unwrap_or_default().to_owned(),
        codec: track.codec.clone(),
        width: track.width,
        height: track.height,
        sample_rate: track.sample_rate,
        channels: track.channels,
        bitrate_bps: track.bitrate_bps,
        frame_rate_milli: track.frame_rate_milli,
        key_interval_ms: track.key_interval_ms,
        longest_key_interval_ms: track.longest_key_interval_ms,
        frames: track.frames,
        dropped: track.dropped,
        missing: track.missing,
    };
    let warning = |advice: live::Advice| told::Warning { code: advice.code.to_owned(), words: advice.words };
    told::Publisher {
        slot,
        protocol: protocol.to_owned(),
        encoder: one.encoder.clone(),
        since,
        bitrate_bps: one.bitrate_bps,
        bytes: one.bytes,
        silence_ms: one.silence_ms,
        lead_ms: one.lead_ms,
        av_drift_ms: one.av_drift_ms,
        tracks: one.tracks.iter().map(track).collect(),
        warnings: one.advice().into_iter().map(warning).collect(),
    }
}
