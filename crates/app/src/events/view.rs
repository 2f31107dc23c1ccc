//! How events look to those who make them.

use domain::event::State;
use serde::Serialize;
use store::{events, videos};
use utoipa::ToSchema;

use crate::{
    App,
    broadcast::{EventState, LatencyWord},
    view::Video,
};
use api::{Principal, Time};

/// A live event.
#[derive(Debug, Serialize, ToSchema)]
pub struct Event {
    /// Also its title's.
    pub id: String,
    #[schema(value_type = EventState)]
    pub state: &'static str,
    #[schema(value_type = LatencyWord)]
    pub latency: &'static str,
    #[schema(required = true)]
    pub starts_at: Option<Time>,
    /// How far viewers can go back while it is live.
    #[schema(example = 7200)]
    pub dvr_seconds: i64,
    /// It becomes an ordinary title when it ends.
    pub record: bool,
    /// An encoder sends it now.
    pub connected: bool,
    /// It was asked to end, and will in a moment.
    pub ending: bool,
    /// The title, with what viewers see of the event.
    pub video: Video,
}

impl App {
    pub(super) fn event_view(
        &self,
        event: &events::Event,
        row: videos::Video,
        principal: &Principal,
    ) -> Event {
        let video = self.video(row, Some(principal.viewer()));
        Event {
            id: video.id.clone(),
            state: event.state().word(),
            latency: event.latency.word(),
            starts_at: event.starts_at.map(|at| Time(domain::Micros(at))),
            dvr_seconds: event.dvr_seconds,
            record: event.record,
            connected: self.reports.has_publisher(event.video_id, self.clock.now()),
            ending: event.end_asked_at.is_some() && event.state() == State::Live,
            video: Video { event: Some(self.event_info(event)), ..video },
        }
    }
}
