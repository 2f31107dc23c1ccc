//! Live events. An event is a title: this is what it has beside a title's row, and how it begins and ends.

use domain::{
    Audience, Micros, PresentationId, UserId, VideoId, Visibility,
    event::{Latency, Settings, State, StreamKeys},
};

use crate::{
    Connect, Error, Result, Tx,
    db::{execute, query},
    jobs,
    library::{self, country_pattern},
    outbox, presentations, secrets,
    versions::{self, Purged},
    videos::{self, LAST_ID, NewVideo, Video, listed, select, there},
};

/// The secret that stream keys are derived from.
const SECRET: &str = "stream-keys";
/// An event is announced until it is so late.
const LATE: i64 = 3 * Micros::HOUR;
/// What was not kept can be watched to its end for at least so long.
const LAST_LOOK: i64 = 10 * Micros::MINUTE;

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Event {
    #[sqlx(try_from = "String")]
    pub video_id: VideoId,
    #[sqlx(try_from = "String")]
    stored_state: State,
    #[sqlx(try_from = "String")]
    pub latency: Latency,
    pub starts_at: Option<i64>,
    pub dvr_seconds: i64,
    pub record: bool,
    pub key_generation: i64,
    presentation_id: Option<String>,
    pub started_at: Option<i64>,
    /// Somebody wants it to end since then.
    pub end_asked_at: Option<i64>,
    pub ended_at: Option<i64>,
    #[sqlx(try_from = "i64")]
    pub created_at: Micros,
    #[sqlx(try_from = "i64")]
    pub updated_at: Micros,
    deleted_at: Option<i64>,
}

impl Event {
    pub fn state(&self) -> State {
        match self.stored_state {
            State::Upcoming if self.deleted_at.is_some() => State::Cancelled,
            state => state,
        }
    }

    pub fn settings(&self) -> Settings {
        Settings {
            starts_at: self.starts_at.map(Micros),
            latency: self.latency,
            dvr_seconds: self.dvr_seconds,
            record: self.record,
        }
    }

    /// What it sends, or has sent.
    pub fn presentation(&self) -> Option<PresentationId> {
        self.presentation_id.as_deref().and_then(|id| id.parse().ok())
    }

    /// May a publisher with a good key begin, or go on?
    pub fn takes_publishers(&self) -> bool {
        self.deleted_at.is_none()
            && self.end_asked_at.is_none()
            && matches!(self.stored_state, State::Upcoming | State::Live)
    }
}

/// `SELECT` of [`Event`] with whatever follows.
macro_rules! event {
    ($($rest:expr),+) => {
        concat!(
            "SELECT e.video_id, e.state AS stored_state, e.latency, e.starts_at, e.dvr_seconds, e.record, e.key_generation, \
             e.presentation_id, e.started_at, e.end_asked_at, e.ended_at, e.created_at, e.updated_at, v.deleted_at \
             FROM events e JOIN videos v ON v.id = e.video_id ",
            $($rest),+
        )
    };
}

/// An event that is to be.
#[derive(Debug, Clone)]
pub struct NewEvent {
    pub id: VideoId,
    pub owner: UserId,
    pub title: String,
    pub description: String,
    pub visibility: Visibility,
    pub settings: Settings,
}

/// The keys of this instance's events; `candidate` becomes their secret when there is none.
pub async fn stream_keys(tx: &mut Tx, candidate: &str, now: Micros) -> Result<StreamKeys> {
    Ok(StreamKeys::new(&secrets::get_or_create(tx, SECRET, candidate, now).await?))
}

/// Creates an event and its title, which is in state `upcoming`.
pub async fn insert(tx: &mut Tx, new: &NewEvent, now: Micros) -> Result<()> {
    let title = NewVideo {
        id: new.id,
        owner: new.owner,
        title: new.title.clone(),
        description: new.description.clone(),
        attribution: String::new(),
        visibility: new.visibility,
    };
    videos::insert(tx, &title, now).await?;
    execute!(
        &mut *tx,
        "UPDATE videos SET state = 'upcoming', kind = 'recording', is_event = TRUE WHERE id = $1",
        new.id.to_string()
    )?;
    execute!(
        tx,
        "INSERT INTO events (video_id, owner_id, state, latency, starts_at, dvr_seconds, record, key_generation, \
             created_at, updated_at) VALUES ($1, $2, 'upcoming', $3, $4, $5, $6, 1, $7, $7)",
        new.id.to_string(),
        new.owner.to_string(),
        new.settings.latency.word(),
        new.settings.starts_at.map(|at| at.0),
        new.settings.dvr_seconds,
        new.settings.record,
        now.0,
    )
    .map(|_| ())
}

/// The event with this title's id. [`Error::NotFound`] when the title is none.
pub async fn get(conn: &mut impl Connect, id: VideoId) -> Result<Event> {
    query!(fetch_one, conn, Event, event!("WHERE e.video_id = $1"), id.to_string())
}

/// Those of these titles that are events.
pub async fn get_all(conn: &mut impl Connect, ids: &[VideoId]) -> Result<Vec<Event>> {
    let ids = serde_json::Value::from(ids.iter().map(ToString::to_string).collect::<Vec<_>>()).to_string();
    query!(
        fetch_all,
        conn,
        Event,
        sqlite event!("WHERE e.video_id IN (SELECT value FROM json_each($1))"),
        postgres event!("WHERE e.video_id IN (SELECT jsonb_array_elements_text($1::jsonb))"),
        ids
    )
}

/// Puts `new` in the place of the settings of a locked event; its title gets another revision.
pub async fn save(tx: &mut Tx, id: VideoId, new: &Settings, now: Micros) -> Result<()> {
    execute!(
        &mut *tx,
        "UPDATE events SET latency = $1, starts_at = $2, dvr_seconds = $3, record = $4, updated_at = $5 WHERE video_id = $6",
        new.latency.word(),
        new.starts_at.map(|at| at.0),
        new.dvr_seconds,
        new.record,
        now.0,
        id.to_string(),
    )?;
    touch(tx, id, now).await
}

/// The event's keys are others from now on. Gives their generation.
pub async fn rotate_keys(tx: &mut Tx, id: VideoId, now: Micros) -> Result<i64> {
    let (generation,) = query!(
        fetch_one,
        &mut *tx,
        (i64,),
        "UPDATE events SET key_generation = key_generation + 1, updated_at = $1 WHERE video_id = $2 RETURNING key_generation",
        now.0,
        id.to_string(),
    )?;
    Ok(generation)
}

/// Somebody wants a live event to end. Says whether it is live; asking again changes nothing.
pub async fn ask_end(tx: &mut Tx, id: VideoId, now: Micros) -> Result<bool> {
    let done = execute!(
        &mut *tx,
        "UPDATE events SET end_asked_at = COALESCE(end_asked_at, $1), updated_at = $1 WHERE video_id = $2 AND state = 'live'",
        now.0,
        id.to_string(),
    )?;
    if done == 1 {
        touch(tx, id, now).await?;
    }
    Ok(done == 1)
}

/// Those who show the title show something else.
async fn touch(tx: &mut Tx, id: VideoId, now: Micros) -> Result<()> {
    let done = execute!(
        tx,
        "UPDATE videos SET revision = revision + 1, updated_at = $1 WHERE id = $2",
        now.0,
        id.to_string()
    )?;
    if done == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// Which events of a creator a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The next one first; those without a time at the end.
    Upcoming,
    /// The latest first.
    Live,
    Ended,
}

/// What a list is continued behind: the time that it is sorted by, and the id.
pub type After = Option<(i64, VideoId)>;

/// A creator's events, apart from those in the trash.
pub async fn list(
    conn: &mut impl Connect,
    owner: UserId,
    which: Which,
    after: After,
    limit: u32,
) -> Result<Vec<Event>> {
    if which == Which::Upcoming {
        let (at, id) = after.map_or((i64::MIN, String::new()), |(at, id)| (at, id.to_string()));
        return query!(
            fetch_all,
            conn,
            Event,
            event!(
                "WHERE e.owner_id = $1 AND e.state = 'upcoming' AND v.deleted_at IS NULL \
                   AND (COALESCE(e.starts_at, 9223372036854775807), e.video_id) > ($2, $3) \
                 ORDER BY COALESCE(e.starts_at, 9223372036854775807), e.video_id LIMIT $4"
            ),
            owner.to_string(),
            at,
            id,
            i64::from(limit),
        );
    }
    let (at, id) = after.map_or((i64::MAX, LAST_ID.to_owned()), |(at, id)| (at, id.to_string()));
    query!(
        fetch_all,
        conn,
        Event,
        event!(
            "WHERE e.owner_id = $1 AND e.state = $2 AND v.deleted_at IS NULL \
               AND (COALESCE(e.ended_at, e.started_at, 0), e.video_id) < ($3, $4) \
             ORDER BY COALESCE(e.ended_at, e.started_at, 0) DESC, e.video_id DESC LIMIT $5"
        ),
        owner.to_string(),
        if which == Which::Live { "live" } else { "ended" },
        at,
        id,
        i64::from(limit),
    )
}

/// The time that `which` is sorted by.
pub fn sorted_by(event: &Event, which: Which) -> i64 {
    match which {
        Which::Upcoming => event.starts_at.unwrap_or(i64::MAX),
        Which::Live | Which::Ended => event.ended_at.or(event.started_at).unwrap_or_default(),
    }
}

/// Titles that are live and listed for `audience`, the latest first.
pub async fn live_for(conn: &mut impl Connect, audience: &Audience, limit: u32) -> Result<Vec<Video>> {
    query!(
        fetch_all,
        conn,
        Video,
        select!(
            "JOIN events e ON e.video_id = v.id WHERE e.state = 'live' AND NOT v.complete AND ",
            listed!("$2", "$3"),
            " ORDER BY e.started_at DESC, v.id DESC LIMIT $1"
        ),
        i64::from(limit),
        audience.now.0,
        country_pattern(audience),
    )
}

/// Titles of events that are announced to `audience`, the next one first: those with a time that has not long passed.
pub async fn announced_for(conn: &mut impl Connect, audience: &Audience, limit: u32) -> Result<Vec<Video>> {
    query!(
        fetch_all,
        conn,
        Video,
        select!(
            "JOIN events e ON e.video_id = v.id WHERE e.state = 'upcoming' AND e.starts_at > $4 \
               AND v.state = 'upcoming' AND v.visibility = 'public' AND ",
            there!("$2", "$3"),
            " ORDER BY e.starts_at, v.id LIMIT $1"
        ),
        i64::from(limit),
        audience.now.0,
        country_pattern(audience),
        audience.now.plus(-LATE).0,
    )
}

/// All events that are live, for nodes that look for what they should be doing.
pub async fn all_live(conn: &mut impl Connect) -> Result<Vec<Event>> {
    query!(fetch_all, conn, Event, event!("WHERE e.state = 'live' ORDER BY e.video_id"))
}

/// How many sessions play each event that is live, as far as nodes said since `since`.
pub async fn watching(conn: &mut impl Connect, since: Micros) -> Result<Vec<(VideoId, i64)>> {
    let rows = query!(
        fetch_all,
        conn,
        (String, i64),
        "SELECT q.video_id, CAST(SUM(q.sessions) AS BIGINT) FROM quality_now q JOIN events e ON e.video_id = q.video_id \
         WHERE e.state = 'live' AND q.at >= $1 GROUP BY q.video_id",
        since.0,
    )?;
    let read = |(id, sessions): (String, i64)| {
        Ok((id.parse().map_err(|_| Error::Corrupt(format!("quality_now.video_id {id}")))?, sessions))
    };
    rows.into_iter().map(read).collect()
}

/// How many events stand where.
pub async fn counts(conn: &mut impl Connect) -> Result<Vec<(State, i64)>> {
    let rows = query!(
        fetch_all,
        conn,
        (String, i64),
        "SELECT e.state, COUNT(*) FROM events e JOIN videos v ON v.id = e.video_id WHERE v.deleted_at IS NULL GROUP BY e.state"
    )?;
    let read = |(word, count): (String, i64)| {
        let state = word.parse().map_err(|_| Error::Corrupt(format!("events.state {word}")))?;
        Ok((state, count))
    };
    rows.into_iter().map(read).collect()
}

/// The event can be played from now on: it is live, its title `ready` and growing. Gives the presentation that it sends, which is
/// `presentation` unless it had begun before: call it as often as you like. [`Error::Stale`] when it has ended or lies in the trash.
pub async fn begin(
    tx: &mut Tx,
    id: VideoId,
    presentation: PresentationId,
    now: Micros,
) -> Result<PresentationId> {
    let title = library::lock(tx, id).await?;
    let event = get(tx, id).await?;
    match (event.stored_state, event.presentation()) {
        (State::Live, Some(sent)) => return Ok(sent),
        (State::Upcoming, _) if !title.is_trashed() => {}
        _ => return Err(Error::Stale),
    }
    presentations::insert_live(tx, presentation, id, now).await?;
    execute!(
        &mut *tx,
        "UPDATE events SET state = 'live', presentation_id = $1, started_at = $2, updated_at = $2 WHERE video_id = $3",
        presentation.to_string(),
        now.0,
        id.to_string(),
    )?;
    videos::playable(tx, id, presentation, false, now).await?;
    picture(tx, "glimpse", id, presentation, now).await?;
    let payload = payload(&title, serde_json::json!({ "presentation": presentation }));
    let subject = id.to_string();
    outbox::append(tx, "event.started", &subject, &payload, now).await?;
    if title.visibility.is_listed() {
        outbox::append(tx, "title.published", &subject, &payload, now).await?;
    }
    Ok(presentation)
}

/// The event is over. When it is kept it is an ordinary title from now on, and gets its pictures; otherwise nobody can begin to watch it, and what was
/// stored goes when those who watch it have had the time to come to its end. An event that has ended stays as it is;
/// [`Error::Stale`] when it never began.
pub async fn finish(tx: &mut Tx, id: VideoId, duration_ms: i64, keep: bool, now: Micros) -> Result<()> {
    let title = library::lock(tx, id).await?;
    let event = get(tx, id).await?;
    let presentation = match (event.stored_state, event.presentation()) {
        (State::Ended, _) => return Ok(()),
        (State::Live, Some(presentation)) => presentation,
        _ => return Err(Error::Stale),
    };
    execute!(
        &mut *tx,
        "UPDATE events SET state = 'ended', ended_at = $1, updated_at = $1 WHERE video_id = $2",
        now.0,
        id.to_string(),
    )?;
    presentations::published(tx, presentation, true, now).await?;
    execute!(
        &mut *tx,
        "UPDATE videos SET state = $1, complete = TRUE, presentation_id = $2, duration_ms = $3, revision = revision + 1, \
             updated_at = $4 WHERE id = $5",
        if keep { "ready" } else { "ended" },
        keep.then(|| presentation.to_string()),
        keep.then_some(duration_ms),
        now.0,
        id.to_string(),
    )?;
    if !keep {
        let last = now.plus((event.dvr_seconds * Micros::SECOND).max(LAST_LOOK));
        let gone = Purged { video: id, presentation, duration_ms, by: title.owner_id };
        let version = versions::insert_purged(tx, &gone, now).await?;
        let (subject, key) = (format!("version:{version}"), format!("discard:{version}"));
        let payload = serde_json::json!({ "version": version }).to_string();
        let job = jobs::NewJob::new("discard", &subject, &payload).dedupe(&key).max_attempts(20);
        jobs::enqueue(tx, &job.run_at(last), now).await?;
    }
    let more = serde_json::json!({ "presentation": presentation, "kept": keep, "duration_ms": duration_ms });
    let (subject, payload) = (id.to_string(), payload(&title, more));
    outbox::append(tx, "event.ended", &subject, &payload, now).await?;
    if keep {
        picture(tx, "pictures", id, presentation, now).await?;
        outbox::append(tx, "title.complete", &subject, &payload, now).await?;
    }
    Ok(())
}

/// Asks for pictures of what is sent, or was.
async fn picture(
    tx: &mut Tx,
    kind: &str,
    id: VideoId,
    presentation: PresentationId,
    now: Micros,
) -> Result<()> {
    let (subject, key) = (id.to_string(), format!("{kind}:{presentation}"));
    let payload = serde_json::json!({ "presentation": presentation }).to_string();
    let job = jobs::NewJob::new(kind, &subject, &payload).dedupe(&key).max_attempts(3);
    jobs::enqueue(tx, &job, now).await.map(|_| ())
}

fn payload(title: &Video, more: serde_json::Value) -> String {
    let mut payload = more;
    payload["owner"] = title.owner_id.to_string().into();
    payload["title"] = title.title.clone().into();
    payload.to_string()
}
