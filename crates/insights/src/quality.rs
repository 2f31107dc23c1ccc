//! `GET /api/v1/control/quality`: how playbacks went, from the sums of all nodes.

use std::collections::HashMap;

use api::{Json, Principal, Problem, ProblemBody, Query};
use axum::extract::State;
use domain::{Micros, Role};
use serde::Deserialize;
use store::{
    Reader,
    quality::{self as rows, By, Sum},
};
use utoipa::IntoParams;

use crate::{
    Insights, Result,
    histogram::Histogram,
    rollup::minute,
    session::WATCHING,
    view::{EdgeQuality, Quality, QualityFigures, QualityLimits, QualityStep, TitleQuality},
};

const LIMITS: QualityLimits =
    QualityLimits { rebuffer_ratio: 0.01, startup_ms: 3000, start_failure_ratio: 0.005 };
/// Rows of each list.
const MOST: u32 = 50;
/// Steps of a window.
const MOST_STEPS: u32 = 200;

/// What time is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// How far back: `5m`, `1h` or `24h`.
    #[param(default = "1h", pattern = "^(5m|1h|24h)$", example = "1h")]
    pub window: Option<String>,
}

/// A window and its steps, in microseconds.
#[derive(Debug, Clone, Copy)]
struct Window {
    word: &'static str,
    length: i64,
    step: i64,
}

const WINDOWS: [Window; 3] = [
    Window { word: "5m", length: 5 * Micros::MINUTE, step: Micros::MINUTE },
    Window { word: "1h", length: Micros::HOUR, step: Micros::MINUTE },
    Window { word: "24h", length: Micros::DAY, step: 15 * Micros::MINUTE },
];

/// The quality of experience: start-up, rebuffering, failures, bitrate and who plays now, by edge and by title.
#[utoipa::path(get, path = "/api/v1/control/quality", tag = "quality", params(Asked),
    responses((status = 200, body = Quality), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn quality(
    State(insights): State<Insights>,
    principal: Principal,
    Query(asked): Query<Asked>,
) -> Result<Json<Quality>> {
    principal.require_role(Role::Admin)?;
    let word = asked.window.as_deref().unwrap_or("1h");
    let window = WINDOWS.into_iter().find(|window| window.word == word);
    let window = window.ok_or_else(|| Problem::invalid("window", "Ask for `5m`, `1h` or `24h`."))?;
    let now = insights.clock.now();
    let since = minute(now.plus(-window.length));
    let mut reader = insights.store.reader().await?;
    let playing = rows::now(&mut reader, now.plus(-WATCHING)).await?;
    let steps = told(&mut reader, By::Time(window.step), since, MOST_STEPS).await?;
    let edges = told(&mut reader, By::Edge, since, MOST).await?;
    let titles = told(&mut reader, By::Title, since, MOST).await?;
    let mut names = HashMap::new();
    for told in titles.iter().filter(|told| !told.name.is_empty()) {
        if let Some(title) = rows::title(&mut reader, &told.name).await? {
            names.insert(told.name.clone(), title);
        }
    }
    drop(reader);
    let playing_at = |edge: Option<&str>, video: Option<&str>| -> i64 {
        let fits = |row: &&(String, String, i64)| {
            edge.is_none_or(|edge| row.0 == edge) && video.is_none_or(|video| row.1 == video)
        };
        playing.iter().filter(fits).map(|row| row.2).sum()
    };
    Ok(Json(Quality {
        at: now.into(),
        window: window.word,
        since: since.into(),
        playing_sessions: playing_at(None, None),
        limits: LIMITS,
        total: total(&steps),
        series: series(steps, window, since, now),
        edges: edges
            .into_iter()
            .map(|told| EdgeQuality {
                playing_sessions: playing_at(Some(&told.name), None),
                figures: told.figures(),
                edge: told.name,
            })
            .collect(),
        titles: titles
            .into_iter()
            .map(|told| TitleQuality {
                playing_sessions: playing_at(None, Some(&told.name)),
                figures: told.figures(),
                title: names.remove(&told.name),
                video_id: Some(told.name).filter(|id| !id.is_empty()),
            })
            .collect(),
    }))
}

/// Sums under a name, with the times of starts.
#[derive(Debug, Default)]
struct Told {
    name: String,
    sums: rows::Figures,
    starts: Histogram,
}

impl Told {
    fn figures(&self) -> QualityFigures {
        figures(&self.sums, &self.starts)
    }
}

async fn told(reader: &mut Reader, by: By, since: Micros, most: u32) -> Result<Vec<Told>> {
    let mut starts = HashMap::<String, Histogram>::new();
    for row in rows::starts(reader, by, since).await? {
        let (bucket, count) = (usize::try_from(row.bucket), u64::try_from(row.starts));
        starts.entry(row.name).or_default().add(bucket.unwrap_or(usize::MAX), count.unwrap_or_default());
    }
    let sums = rows::sums(reader, by, since, most).await?;
    let with_starts = |Sum { name, figures }| Told {
        starts: starts.remove(&name).unwrap_or_default(),
        name,
        sums: figures,
    };
    Ok(sums.into_iter().map(with_starts).collect())
}

fn total(steps: &[Told]) -> QualityFigures {
    let (mut sums, mut starts) = (rows::Figures::default(), Histogram::default());
    for step in steps {
        sums.add(&step.sums);
        starts.merge(&step.starts);
    }
    figures(&sums, &starts)
}

/// Every step of the window, also the empty ones.
fn series(steps: Vec<Told>, window: Window, since: Micros, now: Micros) -> Vec<QualityStep> {
    let mut by_time: HashMap<i64, Told> =
        steps.into_iter().filter_map(|step| Some((step.name.parse().ok()?, step))).collect();
    let first = since.0 - since.0.rem_euclid(window.step);
    let mut all = Vec::new();
    let mut at = first;
    while at <= now.0 {
        let told = by_time.remove(&at).unwrap_or_default();
        // The last step has only begun.
        let length_ms = window.step.min(now.0 - at).max(Micros::SECOND) / 1000;
        let watched_ms = told.sums.playing_ms + told.sums.stalled_ms;
        let viewers = watched_ms as f64 / length_ms as f64;
        all.push(QualityStep { at: Micros(at).into(), viewers, figures: told.figures() });
        at += window.step;
    }
    all
}

/// What sums mean.
fn figures(sums: &rows::Figures, starts: &Histogram) -> QualityFigures {
    let ratio = |part: i64, whole: i64| (whole > 0).then(|| part as f64 / whole as f64);
    QualityFigures {
        starts: sums.starts,
        start_failures: sums.start_failures,
        start_failure_ratio: ratio(sums.start_failures, sums.starts + sums.start_failures),
        startup_p50_ms: starts.percentile_ms(0.5),
        startup_p95_ms: starts.percentile_ms(0.95),
        playing_ms: sums.playing_ms,
        stalled_ms: sums.stalled_ms,
        rebuffer_ratio: ratio(sums.stalled_ms, sums.playing_ms + sums.stalled_ms),
        stalls: sums.stalls,
        mean_bitrate_bps: ratio(sums.kilobits, sums.rated_ms)
            .map(|kilobits_per_ms| (kilobits_per_ms * 1e6) as i64),
        switches_per_minute: ratio(sums.switches, sums.playing_ms).map(|per_ms| per_ms * 60_000.0),
        dropped_frames: sums.dropped_frames,
        errors: sums.errors,
        bytes: sums.bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_say_nothing_where_there_is_nothing() {
        let none = figures(&rows::Figures::default(), &Histogram::default());
        assert_eq!((none.rebuffer_ratio, none.startup_p50_ms, none.mean_bitrate_bps), (None, None, None));
        let sums = rows::Figures {
            starts: 199,
            start_failures: 1,
            playing_ms: 60_000,
            stalled_ms: 20_000,
            switches: 3,
            rated_ms: 30_000,
            kilobits: 120_000,
            ..rows::Figures::default()
        };
        let some = figures(&sums, &Histogram::default());
        assert_eq!((some.start_failure_ratio, some.rebuffer_ratio), (Some(0.005), Some(0.25)));
        assert_eq!((some.mean_bitrate_bps, some.switches_per_minute), (Some(4_000_000), Some(3.0)));
    }

    #[test]
    fn a_series_has_no_gaps_and_the_begun_step_counts_by_its_length() {
        let minute = |n: i64| Micros(n * Micros::MINUTE);
        let sums = rows::Figures { playing_ms: 30_000, ..rows::Figures::default() };
        let told = |n: i64| Told { name: minute(n).0.to_string(), sums, ..Told::default() };
        let now = minute(105).plus(15 * Micros::SECOND);
        let made = series(vec![told(102), told(105)], WINDOWS[0], minute(100), now);
        let viewers: Vec<f64> = made.iter().map(|step| step.viewers).collect();
        assert_eq!(viewers, [0.0, 0.0, 0.5, 0.0, 0.0, 2.0]);
        assert_eq!(made[0].at, minute(100).into());
    }
}
