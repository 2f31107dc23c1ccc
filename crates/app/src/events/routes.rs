//! Events: plan, list, change, delete, end.

use api::{Cursor, FieldError, Id, Json, Page, Principal, Problem, ProblemBody, Query, Time, etag, page};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    Role, Scope, VideoId, Visibility,
    details::{self, FieldFault, Fields},
    event::{Change, Settings, State as EventState},
    live::{Order, What},
    vocabulary::Kind,
};
use serde::{Deserialize, Deserializer};
use store::{
    Connect,
    events::{self, NewEvent, Which},
    library, videos,
};
use utoipa::{IntoParams, ToSchema};

use super::view::Event;
use crate::{
    App, Error, Result,
    broadcast::LatencyWord,
    catalog::{self, edit::VideoBody},
    title,
    view::VisibilityWord,
};

/// What is set of an event. On a change, what is absent stays as it is.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EventBody {
    /// 1 to 200 characters on one line; an event needs one.
    pub title: Option<String>,
    /// At most 10 000 characters.
    pub description: Option<String>,
    /// Who may find and open it; private unless told.
    #[schema(value_type = Option<VisibilityWord>)]
    pub visibility: Option<String>,
    /// When it is announced to begin; `null`: nobody knows yet.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-12-24T18:00:00Z")]
    pub starts_at: Option<Option<String>>,
    /// Low unless told. Fixed once it has begun.
    #[schema(value_type = Option<LatencyWord>)]
    pub latency: Option<String>,
    /// How far viewers can go back while it is live, 0 to 86 400; two hours unless told.
    #[schema(example = 7200, minimum = 0, maximum = 86400)]
    pub dvr_seconds: Option<i64>,
    /// It becomes an ordinary title when it ends; true unless told.
    pub record: Option<bool>,
}

/// Tells `null` from absent.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

impl EventBody {
    /// The event's part and the title's, and what could not even be read.
    fn parts(self, faults: &mut Vec<FieldFault>) -> (Change, VideoBody) {
        let starts_at = match self.starts_at {
            None => None,
            Some(None) => Some(None),
            Some(Some(text)) => match text.parse::<Time>() {
                Ok(Time(at)) => Some(Some(at)),
                Err(_) => {
                    let words = "Write the time as 2026-11-21T12:30:00Z (RFC 3339).".to_owned();
                    faults.push(FieldFault { field: "starts_at", words });
                    None
                }
            },
        };
        let event =
            Change { starts_at, latency: self.latency, dvr_seconds: self.dvr_seconds, record: self.record };
        let title = VideoBody {
            title: self.title,
            description: self.description,
            visibility: self.visibility,
            ..VideoBody::default()
        };
        (event, title)
    }
}

fn problem(faults: Vec<FieldFault>) -> Problem {
    let error = |FieldFault { field, words }: FieldFault| FieldError { field, detail: words };
    Problem::invalid_fields(faults.into_iter().map(error).collect())
}

/// Plans an event. It has a title's address from now on, and keys for encoders.
#[utoipa::path(post, path = "/api/v1/events", tag = "live", request_body = EventBody,
    responses((status = 201, body = Event), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody, description = "`errors` names every field that is wrong")))]
pub async fn create(
    State(app): State<App>,
    principal: Principal,
    Json(body): Json<EventBody>,
) -> Result<Response> {
    principal.require_scope(Scope::Manage)?;
    principal.require_role(Role::Creator)?;
    let now = app.clock.now();
    let mut faults = Vec::new();
    let (event, words) = body.parts(&mut faults);
    let settings = event.apply(Settings::default(), EventState::Upcoming, now);
    let title = words.title.is_some();
    let words = details::Change {
        title: words.title,
        description: words.description,
        visibility: words.visibility,
        ..details::Change::default()
    };
    let fields = words.apply(&blank(), now);
    if !title {
        faults.push(FieldFault { field: "title", words: "An event needs a title.".into() });
    }
    let (settings, fields) = match (settings, fields) {
        (Ok(settings), Ok(fields)) if faults.is_empty() => (settings, fields),
        (settings, fields) => {
            faults.extend(fields.err().unwrap_or_default());
            faults.extend(settings.err().unwrap_or_default());
            return Err(problem(faults).into());
        }
    };
    let new = NewEvent {
        id: VideoId::new(),
        owner: principal.user,
        title: fields.title,
        description: fields.description,
        visibility: fields.visibility,
        settings,
    };
    let mut tx = app.store.begin().await?;
    events::insert(&mut tx, &new, now).await?;
    let view = read(&app, &mut tx, new.id, &principal).await?;
    tx.commit().await?;
    metrics::counter!("kinora_live_events_created_total").increment(1);
    Ok((StatusCode::CREATED, tagged(view)).into_response())
}

/// A title of which nothing is known yet.
fn blank() -> Fields {
    Fields {
        title: String::new(),
        description: String::new(),
        attribution: String::new(),
        kind: Kind::Recording,
        genres: Vec::new(),
        tags: Vec::new(),
        cast: Vec::new(),
        directors: Vec::new(),
        language: None,
        release_year: None,
        maturity_rating: None,
        visibility: Visibility::Private,
        publish_at: None,
        available_from: None,
        available_until: None,
        countries: None,
        poster_id: None,
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// `upcoming` (the next one first), `live` or `ended` (the latest first).
    #[param(inline)]
    pub state: ListState,
    /// Rows on the page, 1 to 100; 24 unless told.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ListState {
    Upcoming,
    Live,
    Ended,
}

/// The caller's own events, apart from those in the trash.
#[utoipa::path(get, path = "/api/v1/events", tag = "live", params(ListQuery),
    responses((status = 200, body = Page<Event>), (status = 422, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    principal: Principal,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Event>>> {
    principal.require_scope(Scope::Read)?;
    let cursor = Cursor { limit: query.limit, cursor: query.cursor };
    let (limit, after) = (cursor.limit()?, cursor.after()?);
    let which = match query.state {
        ListState::Upcoming => Which::Upcoming,
        ListState::Live => Which::Live,
        ListState::Ended => Which::Ended,
    };
    let mut reader = app.store.reader().await?;
    let rows = events::list(&mut reader, principal.user, which, after, limit + 1).await?;
    let ids: Vec<VideoId> = rows.iter().map(|event| event.video_id).collect();
    let titles = videos::get_all(&mut reader, &ids).await?;
    // One that was deleted between the two statements is left out.
    let of = |event: events::Event| {
        let row = titles.iter().find(|row| row.id == event.video_id)?.clone();
        Some(app.event_view(&event, row, &principal))
    };
    let page = page::page(rows, limit, |event| (events::sorted_by(event, which), event.video_id), of);
    Ok(Json(Page { items: page.items.into_iter().flatten().collect(), next_cursor: page.next_cursor }))
}

/// One event, for those who may change it. Everybody else reads its title.
#[utoipa::path(get, path = "/api/v1/events/{id}", tag = "live", params(("id" = String, Path)),
    responses((status = 200, body = Event), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn get(State(app): State<App>, principal: Principal, Id(id): Id<VideoId>) -> Result<Response> {
    let mut reader = app.store.reader().await?;
    title::manage(&mut reader, id, &principal).await?;
    Ok(tagged(read(&app, &mut reader, id, &principal).await?).into_response())
}

/// Changes an event. With `If-Match` only the revision that it names. Its other details are changed as those of any title.
#[utoipa::path(patch, path = "/api/v1/events/{id}", tag = "live", params(("id" = String, Path),
    ("If-Match" = Option<String>, Header, description = "the ETag of the revision that the change is based on")),
    request_body = EventBody,
    responses((status = 200, body = Event), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 412, body = ProblemBody),
        (status = 422, body = ProblemBody, description = "`errors` names every field that is wrong")))]
pub async fn edit(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id<VideoId>,
    headers: HeaderMap,
    Json(body): Json<EventBody>,
) -> Result<Response> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    title::manage(&mut tx, id, &principal).await?;
    let row = library::lock(&mut tx, id).await?;
    etag::check(&headers, row.revision)?;
    let event = events::get(&mut tx, id).await?;
    let mut faults = Vec::new();
    let (change, words) = body.parts(&mut faults);
    let settings = change.apply(event.settings(), event.state(), now);
    let title = catalog::edit::change(&app, &mut tx, row, words, &principal).await;
    let settings = match (settings, title) {
        (Ok(settings), Ok(_)) if faults.is_empty() => settings,
        (settings, title) => return Err(wrong(faults, settings.err(), title.err())),
    };
    if settings != event.settings() {
        events::save(&mut tx, id, &settings, now).await?;
    }
    let view = read(&app, &mut tx, id, &principal).await?;
    tx.commit().await?;
    app.order(id, What::SettingsChanged);
    Ok(tagged(view).into_response())
}

/// What is wrong with an edit, of the title and of the event together.
fn wrong(mut faults: Vec<FieldFault>, settings: Option<Vec<FieldFault>>, title: Option<Error>) -> Error {
    faults.extend(settings.unwrap_or_default());
    let mut errors: Vec<FieldError> =
        faults.into_iter().map(|FieldFault { field, words }| FieldError { field, detail: words }).collect();
    match title {
        Some(Error::Problem(problem)) if problem.status() == StatusCode::UNPROCESSABLE_ENTITY => {
            errors.extend(problem.body().errors);
        }
        Some(error) => return error,
        None => {}
    }
    Problem::invalid_fields(errors).into()
}

/// Moves an event and its title to the trash. Refused while it is live.
#[utoipa::path(delete, path = "/api/v1/events/{id}", tag = "live", params(("id" = String, Path)),
    responses((status = 200, body = Event, description = "in the trash"), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn delete(State(app): State<App>, principal: Principal, Id(id): Id<VideoId>) -> Result<Response> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    title::manage(&mut tx, id, &principal).await?;
    events::get(&mut tx, id).await?;
    let row = library::lock(&mut tx, id).await?;
    catalog::put_in_trash(&app, &mut tx, &row, principal.user, now).await?;
    let view = read(&app, &mut tx, id, &principal).await?;
    tx.commit().await?;
    let words = "This event was cancelled.";
    app.dismiss(id, words);
    Ok(tagged(view).into_response())
}

/// Ends a live event, once and for all.
#[utoipa::path(post, path = "/api/v1/events/{id}/end", tag = "live", params(("id" = String, Path)),
    responses((status = 202, body = Event, description = "it ends in a moment"), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody, description = "it is not live")))]
pub async fn end(State(app): State<App>, principal: Principal, Id(id): Id<VideoId>) -> Result<Response> {
    let mut tx = app.store.begin().await?;
    title::manage(&mut tx, id, &principal).await?;
    let event = events::get(&mut tx, id).await?;
    if !events::ask_end(&mut tx, id, app.clock.now()).await? {
        let words = match event.state() {
            EventState::Ended => "This event has ended already.",
            _ => "This event is not live.",
        };
        return Err(Problem::conflict(words).into());
    }
    let view = read(&app, &mut tx, id, &principal).await?;
    tx.commit().await?;
    app.order(id, What::End);
    Ok((StatusCode::ACCEPTED, tagged(view)).into_response())
}

async fn read(app: &App, conn: &mut impl Connect, id: VideoId, principal: &Principal) -> Result<Event> {
    let event = events::get(conn, id).await?;
    let row = videos::get(conn, id).await?;
    Ok(app.event_view(&event, row, principal))
}

fn tagged(event: Event) -> impl IntoResponse {
    ([(header::ETAG, etag::of_revision(event.video.revision))], Json(event))
}

impl App {
    /// Tells the node that has the event. Nobody may have it.
    pub(super) fn order(&self, event: VideoId, order: What) {
        let word = match order {
            What::End => "end",
            What::Dismiss { .. } => "dismiss",
            What::SettingsChanged => "settings_changed",
        };
        metrics::counter!("kinora_live_orders_total", "order" => word).increment(1);
        self.bus.tell(&Order { event, order });
    }

    /// Sends all publishers of the event away.
    pub(super) fn dismiss(&self, event: VideoId, words: &str) {
        for slot in domain::event::Slot::ALL {
            self.order(event, What::Dismiss { slot: *slot, words: words.into() });
        }
    }
}
