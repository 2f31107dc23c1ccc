//! The edges: how they stand, what is taken out of them, and what is brought near in time.

use api::{Id, Json, Principal, Problem, ProblemBody, Time};
use axum::{extract::State, http::StatusCode};
use backends::bus::{Bus, Heard};
use domain::{
    Gone, Message, Micros, Role, Topic, VideoId,
    edges::{Part, Report, Warm, WarmingState},
    playback_token::Claims,
    revocation,
};
use serde::{Deserialize, Serialize};
use store::{videos, warmings};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    fleet::{self, Pace},
    view::About,
};
use crate::{App, Result};

/// How long the addresses of a warm-up are good: quiet hours come within a day.
const TOKEN_LIFE: i64 = 30 * Micros::HOUR;
/// How long what was done is remembered.
const KEEP: i64 = 7 * Micros::DAY;
const LONGEST_TAG: usize = 64;
/// How far ahead a warm-up may be.
const FURTHEST: i64 = 366 * Micros::DAY;

/// All edges, and what they are to bring near.
#[derive(Debug, Serialize, ToSchema)]
pub struct Edges {
    pub at: Time,
    pub edges: Vec<EdgeView>,
    pub warmings: Vec<WarmingView>,
}

/// An edge. Counts are since its start.
#[derive(Debug, Serialize, ToSchema)]
pub struct EdgeView {
    /// Another one at each start.
    pub id: String,
    #[schema(example = "edge-fra-1")]
    pub name: String,
    pub version: String,
    pub started_at: Time,
    pub seen_at: Time,
    /// Nothing was heard of it for eight seconds.
    pub silent: bool,
    /// It ends what it has begun and takes no new connections.
    pub draining: bool,
    pub now: PaceView,
    /// The last ten minutes, a point every ten seconds.
    pub trend: Vec<PaceView>,
    /// Requests by what became of them.
    pub results: Vec<ResultCount>,
    /// Questions to upstreams, and those that brought nothing.
    pub fetches: u64,
    pub failures: u64,
    /// Connections of viewers that are open.
    pub connections: u64,
    /// Fetches under way.
    pub fetching: u64,
    pub revocations: u64,
    pub memory: FillView,
    pub disk: FillView,
    /// Empty when the origin is in the same process.
    pub upstreams: Vec<UpstreamView>,
    pub warming: Vec<WarmingProgress>,
}

/// What an edge does in a second.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaceView {
    pub at: Time,
    pub requests_per_second: f64,
    /// 0 to 1; `null` when nobody asked for anything.
    #[schema(required = true)]
    pub hit_ratio: Option<f64>,
    /// To viewers.
    pub out_bits_per_second: f64,
    /// From upstreams.
    pub in_bits_per_second: f64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ResultCount {
    /// `hit`, `stale`, `expired` (asked again, still good), `miss`, `coalesced`, `negative`, `refused`, `failed`.
    pub result: String,
    pub count: u64,
}

/// What a part of a cache holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct FillView {
    pub objects: u64,
    pub bytes: u64,
    /// Most bytes that it may hold.
    pub room: u64,
    pub evicted: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct UpstreamView {
    pub address: String,
    /// Does it answer?
    pub up: bool,
}

/// How a warm-up goes on an edge.
#[derive(Debug, Serialize, ToSchema)]
pub struct WarmingProgress {
    pub title: String,
    /// `waiting`, `running` or `done`.
    pub state: String,
    /// Answers fetched or found held, and how many there are to be as far as is known.
    pub done: u64,
    pub total: u64,
    pub failed: u64,
    pub bytes: u64,
}

/// A title to bring near.
#[derive(Debug, Serialize, ToSchema)]
pub struct WarmingView {
    pub id: String,
    pub video: About,
    /// `start` or `all`.
    pub part: String,
    pub in_quiet_hours: bool,
    pub every_day: bool,
    /// `null`: not again.
    #[schema(required = true)]
    pub next_at: Option<Time>,
    #[schema(required = true)]
    pub last_at: Option<Time>,
}

/// How all edges stand.
#[utoipa::path(get, path = "/api/v1/control/edges", tag = "edges",
    responses((status = 200, body = Edges), (status = 403, body = ProblemBody)))]
pub async fn get(State(app): State<App>, principal: Principal) -> Result<Json<Edges>> {
    principal.require_role(Role::Admin)?;
    let now = app.clock.now();
    let rows = warmings::list(&mut app.store.reader().await?).await?;
    let edges = app.control.fleet.list(now).into_iter().map(|heard| edge(heard, now)).collect();
    Ok(Json(Edges { at: now.into(), edges, warmings: rows.into_iter().map(warming).collect() }))
}

fn edge(heard: fleet::Heard, now: Micros) -> EdgeView {
    let fleet::Heard { report, seen_at, now: pace_now, trend, .. } = heard;
    let silent = now.0 - seen_at.0 > fleet::SILENT_AFTER;
    let Report { requests, upstreams, warmings, .. } = report;
    let fill = |fill: domain::edges::Fill| FillView {
        objects: fill.objects,
        bytes: fill.bytes,
        room: fill.room,
        evicted: fill.evicted,
    };
    EdgeView {
        id: report.id.to_string(),
        name: report.name,
        version: report.version,
        started_at: report.started_at.into(),
        seen_at: seen_at.into(),
        silent,
        draining: report.draining,
        now: pace(if silent { Pace { at: pace_now.at, ..Pace::default() } } else { pace_now }),
        trend: trend.into_iter().map(pace).collect(),
        results: requests.into_iter().map(|(result, count)| ResultCount { result, count }).collect(),
        fetches: report.fetches,
        failures: report.failures,
        connections: report.connections,
        fetching: report.fetching,
        revocations: report.revocations,
        memory: fill(report.memory),
        disk: fill(report.disk),
        upstreams: upstreams
            .into_iter()
            .map(|one| UpstreamView { address: one.address, up: one.up })
            .collect(),
        warming: warmings.into_iter().map(progress).collect(),
    }
}

fn pace(pace: Pace) -> PaceView {
    PaceView {
        at: pace.at.into(),
        requests_per_second: pace.requests_per_second,
        hit_ratio: pace.hit_ratio,
        out_bits_per_second: pace.out_bits_per_second,
        in_bits_per_second: pace.in_bits_per_second,
    }
}

fn progress(one: domain::edges::Warming) -> WarmingProgress {
    let state = match one.state {
        WarmingState::Waiting => "waiting",
        WarmingState::Running => "running",
        WarmingState::Done => "done",
    };
    WarmingProgress {
        title: one.title,
        state: state.into(),
        done: one.done,
        total: one.total,
        failed: one.failed,
        bytes: one.bytes,
    }
}

fn warming(row: warmings::Warming) -> WarmingView {
    WarmingView {
        id: row.id,
        video: About { id: row.video_id.to_string(), title: row.title },
        part: row.part,
        in_quiet_hours: row.in_quiet_hours != 0,
        every_day: row.every_day != 0,
        next_at: row.next_at.map(|at| Time(Micros(at))),
        last_at: row.last_at.map(|at| Time(Micros(at))),
    }
}

/// What to take out of all edges: exactly one of the two.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Purge {
    pub video_id: Option<String>,
    /// Everything that origins gave this tag: `manifest`, `playlist`, `init`, `segment`, `iframe`, `storyboard`, or the id of
    /// a presentation.
    #[schema(example = "manifest")]
    pub tag: Option<String>,
}

/// Takes something out of all edges at once. Whoever asks for it next gets it from the origin.
#[utoipa::path(post, path = "/api/v1/control/edges/purge", tag = "edges", request_body = Purge,
    responses((status = 202), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn purge(
    State(app): State<App>,
    principal: Principal,
    Json(purge): Json<Purge>,
) -> Result<StatusCode> {
    principal.require_role(Role::Admin)?;
    let gone = match (purge.video_id, purge.tag) {
        (Some(id), None) => {
            let row = videos::get(&mut app.store.reader().await?, video_id(&id)?).await?;
            let presentation = row
                .presentation()
                .ok_or_else(|| Problem::conflict("This title has nothing that plays yet."))?;
            Gone::Presentation(presentation)
        }
        (None, Some(tag)) => {
            let good = (1..=LONGEST_TAG).contains(&tag.len())
                && tag.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'));
            if !good {
                return Err(Problem::invalid("tag", "A tag is 1 to 64 letters, digits and `-_.:`.").into());
            }
            Gone::Tag(tag)
        }
        _ => return Err(Problem::invalid("video_id", "Name a title or a tag, and not both.").into()),
    };
    tracing::info!(what = ?gone, by = %principal.user, "edges are purged");
    app.bus.tell(&gone);
    Ok(StatusCode::ACCEPTED)
}

fn video_id(text: &str) -> Result<VideoId> {
    text.parse().map_err(|_| Problem::invalid("video_id", "This is no id of a title.").into())
}

/// A title to bring near.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWarming {
    pub video_id: String,
    /// `start`: the first half minute of every rendition. `all`: everything.
    #[schema(value_type = String, example = "start")]
    pub part: Part,
    /// RFC 3339; now if missing.
    pub at: Option<String>,
    /// And again each day at the same time.
    #[serde(default)]
    pub every_day: bool,
    /// Each edge waits for its own quiet hours (`edge.warming.hours`).
    #[serde(default)]
    pub in_quiet_hours: bool,
}

/// Has all edges fetch a title before anybody asks for it, now or at a time.
#[utoipa::path(post, path = "/api/v1/control/edges/warmings", tag = "edges", request_body = NewWarming,
    responses((status = 201, body = WarmingView), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn warm(
    State(app): State<App>,
    principal: Principal,
    Json(new): Json<NewWarming>,
) -> Result<(StatusCode, Json<WarmingView>)> {
    principal.require_role(Role::Admin)?;
    let now = app.clock.now();
    let at = match &new.at {
        None => now,
        Some(text) => match text.parse::<Time>() {
            Ok(Time(at)) if at.0 - now.0 <= FURTHEST => at.max(now),
            Ok(_) => return Err(Problem::invalid("at", "Give a time within a year.").into()),
            Err(error) => return Err(Problem::invalid("at", error.to_string()).into()),
        },
    };
    let video = video_id(&new.video_id)?;
    let mut tx = app.store.begin().await?;
    let row = videos::get(&mut tx, video).await?;
    if row.is_trashed() {
        return Err(Problem::conflict("This title is in the trash.").into());
    }
    if row.presentation().is_none() && at <= now {
        return Err(Problem::conflict("This title has nothing that plays yet. Choose a later time.").into());
    }
    let id = Uuid::now_v7().to_string();
    let new = warmings::New {
        id: &id,
        video,
        part: new.part.word(),
        in_quiet_hours: new.in_quiet_hours,
        every_day: new.every_day,
        at,
    };
    if !warmings::insert(&mut tx, new, now).await? {
        let words = format!("There are {} already. Remove some first.", warmings::MOST);
        return Err(Problem::conflict(words).into());
    }
    tx.commit().await?;
    tracing::info!(%video, by = %principal.user, "a title is to be brought near");
    if at <= now {
        app.warm_due().await?;
    }
    let rows = warmings::list(&mut app.store.reader().await?).await?;
    let row = rows.into_iter().find(|row| row.id == id).ok_or(store::Error::NotFound)?;
    Ok((StatusCode::CREATED, Json(warming(row))))
}

/// Forgets a title that was to be brought near. What edges fetch already, they finish.
#[utoipa::path(delete, path = "/api/v1/control/edges/warmings/{id}", tag = "edges", params(("id" = String, Path)),
    responses((status = 204), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn forget(State(app): State<App>, principal: Principal, Id(id): Id<Uuid>) -> Result<StatusCode> {
    principal.require_role(Role::Admin)?;
    let mut tx = app.store.begin().await?;
    warmings::delete(&mut tx, &id.to_string()).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

impl App {
    /// Tells edges of the titles whose time has come. To be called once a minute.
    pub async fn warm_due(&self) -> Result<()> {
        let now = self.clock.now();
        for row in warmings::due(&mut self.store.reader().await?, now).await? {
            let mut next = row.next_at.map(|at| Micros(at).plus(Micros::DAY)).filter(|_| row.every_day != 0);
            while next.is_some_and(|at| at <= now) {
                next = next.map(|at| at.plus(Micros::DAY));
            }
            let mut tx = self.store.begin().await?;
            let video = videos::get(&mut tx, row.video_id).await?;
            let mine = warmings::done(&mut tx, &row, next, now).await?;
            tx.commit().await?;
            let Some(presentation) = video.presentation().filter(|_| mine && !video.is_trashed()) else {
                continue;
            };
            let expires = now.plus(TOKEN_LIFE).seconds();
            let claims = Claims::new(presentation, expires, revocation::session(now));
            let part = Part::ALL.into_iter().find(|part| part.word() == row.part).unwrap_or(Part::Start);
            self.bus.tell(&Warm {
                presentation,
                token: self.minter.mint(&claims),
                part,
                in_quiet_hours: row.in_quiet_hours != 0,
                title: video.title,
            });
        }
        let mut tx = self.store.begin().await?;
        warmings::prune(&mut tx, now.plus(-KEEP)).await?;
        Ok(tx.commit().await?)
    }
}

/// Hears how edges stand, until `stop`.
pub async fn listen(app: App, bus: Bus, stop: CancellationToken) {
    let mut told = bus.subscribe(Topic::Edges).await;
    loop {
        let heard = tokio::select! {
            () = stop.cancelled() => return,
            heard = told.next() => heard,
        };
        if let Heard::Message(message) = heard
            && let Some(report) = Report::from_bytes(&message)
        {
            app.control.fleet.hear(report, app.clock.now());
        }
    }
}
