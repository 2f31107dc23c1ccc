//! What titles, home and playback show of live events: the one place that knows how an event looks to viewers.

use api::{Problem, Time};
use domain::{Micros, VideoId, event::State};
use serde::Serialize;
use store::{
    Connect,
    events::{self, Event},
    videos,
};
use utoipa::ToSchema;

use crate::{App, Result, view::Video};

/// An event that was asked to end so long ago, and that no node has, can be deleted.
const ORPHANED: i64 = 60 * Micros::SECOND;

/// What a live event has beside its title.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EventInfo {
    #[schema(value_type = EventState)]
    pub state: &'static str,
    #[schema(value_type = LatencyWord)]
    pub latency: &'static str,
    /// As it was announced.
    #[schema(required = true)]
    pub starts_at: Option<Time>,
    #[schema(required = true)]
    pub started_at: Option<Time>,
    #[schema(required = true)]
    pub ended_at: Option<Time>,
    /// How far viewers can go back while it is live.
    #[schema(example = 7200)]
    pub dvr_seconds: i64,
    /// Who watch now; `null` while it is not live, or nobody can tell.
    #[schema(required = true)]
    pub viewers: Option<u64>,
}

/// Where an event stands.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum EventState {
    Upcoming,
    Live,
    Ended,
    Cancelled,
}

/// How far viewers are behind: two to three seconds, or six to ten.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum LatencyWord {
    Low,
    Standard,
}

impl App {
    /// The event as viewers see it.
    pub(crate) fn event_info(&self, event: &Event) -> EventInfo {
        let time = |micros: i64| Time(Micros(micros));
        let state = event.state();
        let viewers = self.reports.newest(event.video_id, self.clock.now()).map(|heard| heard.report.viewers);
        EventInfo {
            state: state.word(),
            latency: event.latency.word(),
            starts_at: event.starts_at.map(time),
            started_at: event.started_at.map(time),
            ended_at: event.ended_at.map(time),
            dvr_seconds: event.dvr_seconds,
            viewers: viewers.filter(|_| state == State::Live),
        }
    }

    /// What a title's event shows, when it is one.
    pub(crate) async fn event_of(
        &self,
        conn: &mut impl Connect,
        row: &videos::Video,
    ) -> Result<Option<EventInfo>> {
        if !row.is_event {
            return Ok(None);
        }
        Ok(Some(self.event_info(&events::get(conn, row.id).await?)))
    }

    /// Titles as `view` shows them, with their events.
    pub(crate) async fn with_events(
        &self,
        conn: &mut impl Connect,
        rows: Vec<videos::Video>,
        view: impl Fn(videos::Video) -> Video,
    ) -> Result<Vec<Video>> {
        let ids: Vec<VideoId> = rows.iter().filter(|row| row.is_event).map(|row| row.id).collect();
        let known = if ids.is_empty() { Vec::new() } else { events::get_all(conn, &ids).await? };
        let with = |row: videos::Video| {
            let event = known.iter().find(|event| event.video_id == row.id);
            Video { event: event.map(|event| self.event_info(event)), ..view(row) }
        };
        Ok(rows.into_iter().map(with).collect())
    }

    /// 409 for a title that is being sent: it has to end first.
    pub(crate) async fn refuse_live(&self, conn: &mut impl Connect, row: &videos::Video) -> Result<()> {
        if !row.is_live() {
            return Ok(());
        }
        let (event, now) = (events::get(conn, row.id).await?, self.clock.now());
        let long_ago = event.end_asked_at.is_some_and(|at| Micros(at).plus(ORPHANED) < now);
        if long_ago && self.reports.newest(row.id, now).is_none() {
            return Ok(());
        }
        Err(Problem::conflict("This event is live. End it first.").into())
    }
}
