//! Stores the sums every few seconds, each exactly once: with them, in the same transaction, goes how far the log was summed up.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use domain::{Micros, PresentationId};
use store::quality::{self, Place};
use tokio::time::{self, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::{
    Insights,
    edges::Edge,
    intake::locked,
    log::{self, Position},
    rollup::{Cell, Key},
};

const EVERY: Duration = Duration::from_secs(2);
/// How often old segments are looked for.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// Titles of presentations that are remembered.
const MOST_KNOWN: usize = 50_000;

/// What is between two stores.
#[derive(Default)]
pub struct Storing {
    stored: Position,
    /// Sums whose transaction failed, and the position that came with them. It may have been committed all the same.
    in_doubt: Option<(Position, HashMap<Key, Cell>)>,
    titles: HashMap<PresentationId, String>,
    showed: bool,
}

impl Storing {
    pub fn from(stored: Position) -> Self {
        // What an earlier process said of who plays is to be replaced.
        Self { stored, showed: true, ..Self::default() }
    }
}

/// Stores until `stop`.
pub async fn run(insights: &Insights, stop: CancellationToken) {
    let mut ticks = time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut tidied = time::Instant::now();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let mut storing = insights.storing.lock().await;
        if let Err(error) = store_all(insights, &mut storing, false).await {
            tracing::warn!(%error, "figures of playbacks could not be stored; the next round tries again");
        }
        if tidied.elapsed() >= TIDY_EVERY {
            tidied = time::Instant::now();
            tidy(insights, storing.stored).await;
        }
    }
}

/// The last round.
pub async fn finish(insights: &Insights) {
    let mut storing = insights.storing.lock().await;
    if let Err(error) = store_all(insights, &mut storing, true).await {
        tracing::warn!(%error, "the last figures of playbacks could not be stored; the next start does it");
    }
}

/// One round: everything that came since the last. Who leaves hears nobody play any more.
async fn store_all(insights: &Insights, storing: &mut Storing, leaves: bool) -> store::Result<()> {
    settle(insights, storing).await?;
    let now = insights.clock.now();
    let (cells, end, watching) = {
        let mut state = locked(&insights.state);
        state.sessions.forget(now);
        let watching = if leaves { HashMap::new() } else { state.sessions.watching(now) };
        (state.rollup.take(), state.end, watching)
    };
    metrics::gauge!("kinora_qoe_playing_sessions").set(watching.values().sum::<i64>() as f64);
    if cells.is_empty() && end == storing.stored && watching.is_empty() && !storing.showed {
        return Ok(());
    }
    let outcome = write(insights, storing, &cells, end, &watching, now).await;
    match &outcome {
        Ok(()) => {
            storing.stored = end;
            storing.showed = !watching.is_empty();
        }
        Err(_) => storing.in_doubt = Some((end, cells)),
    }
    outcome
}

/// Finds out what became of a transaction that failed, and takes its sums back unless they were committed.
async fn settle(insights: &Insights, storing: &mut Storing) -> store::Result<()> {
    let Some((end, _)) = &storing.in_doubt else { return Ok(()) };
    let stored = position(insights).await?;
    if stored == *end && *end != storing.stored {
        storing.stored = stored;
        storing.in_doubt = None;
    } else if let Some((_, cells)) = storing.in_doubt.take() {
        let mut state = locked(&insights.state);
        for (key, cell) in &cells {
            state.rollup.merge(*key, cell);
        }
    }
    Ok(())
}

/// How far the log is summed up in the database.
async fn position(insights: &Insights) -> store::Result<Position> {
    let row = quality::position(&mut insights.store.reader().await?, &insights.node).await?;
    let (segment, byte) = row.unwrap_or_default();
    Ok(Position { segment: segment.unsigned_abs(), byte: byte.unsigned_abs() })
}

type Named = (i64, std::sync::Arc<str>, String);

async fn write(
    insights: &Insights,
    storing: &mut Storing,
    cells: &HashMap<Key, Cell>,
    end: Position,
    watching: &HashMap<(PresentationId, Edge), i64>,
    now: Micros,
) -> store::Result<()> {
    let presentations = cells.keys().map(|key| key.presentation).chain(watching.keys().map(|(of, _)| *of));
    know(insights, &mut storing.titles, presentations).await?;
    let (mut rows, mut plays) = (BTreeMap::<Named, Cell>::new(), BTreeMap::<Named, i64>::new());
    {
        let state = locked(&insights.state);
        let title = |of: &PresentationId| storing.titles.get(of).cloned().unwrap_or_default();
        // Versions of one title come together.
        for (key, cell) in cells {
            let named = (key.minute.0, state.edges.name(key.edge), title(&key.presentation));
            rows.entry(named).or_default().merge(cell);
        }
        for ((presentation, edge), sessions) in watching {
            *plays.entry((0, state.edges.name(*edge), title(presentation))).or_default() += sessions;
        }
    }
    let node = insights.node.as_str();
    let mut tx = insights.store.begin().await?;
    for ((minute, edge, video), cell) in &rows {
        let place = Place { minute: Micros(*minute), edge, video, node };
        quality::add(&mut tx, place, &cell.figures).await?;
        for (bucket, starts) in cell.starts.filled() {
            quality::add_starts(&mut tx, place, bucket, starts).await?;
        }
    }
    quality::clear_now(&mut tx, node).await?;
    for ((_, edge, video), sessions) in &plays {
        quality::set_now(&mut tx, Place { minute: now, edge, video, node }, *sessions, now).await?;
    }
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    quality::set_position(&mut tx, node, number(end.segment), number(end.byte), now).await?;
    tx.commit().await
}

/// Looks up the titles of presentations that are not known yet.
async fn know(
    insights: &Insights,
    titles: &mut HashMap<PresentationId, String>,
    presentations: impl Iterator<Item = PresentationId>,
) -> store::Result<()> {
    if titles.len() > MOST_KNOWN {
        titles.clear();
    }
    let mut reader = None;
    for presentation in presentations {
        if titles.contains_key(&presentation) {
            continue;
        }
        let reader = match &mut reader {
            Some(reader) => reader,
            none => none.insert(insights.store.reader().await?),
        };
        if let Some(video) = quality::video_of(reader, presentation).await? {
            titles.insert(presentation, video.to_string());
        }
    }
    Ok(())
}

async fn tidy(insights: &Insights, done: Position) {
    let (dir, config) = (insights.dir.clone(), insights.config.clone());
    let keep = Duration::from_secs(u64::from(config.log_hours) * 3600);
    let work = move || log::tidy(&dir, done, keep, config.log_max_bytes, std::time::SystemTime::now());
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(bytes)) => metrics::gauge!("kinora_qoe_log_bytes").set(bytes as f64),
        Ok(Err(error)) => {
            tracing::warn!(%error, "old beats could not be removed; the next round tries again")
        }
        Err(error) => tracing::error!(%error, "the task that removes old beats died"),
    }
}
