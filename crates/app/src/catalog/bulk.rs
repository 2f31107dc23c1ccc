//! Bulk edits: the same done to many titles, or many titles each edited their own way, in one transaction.

use api::{Json, Principal, Problem, ProblemBody};
use axum::extract::State;
use domain::{Micros, Scope, VideoId, details};
use serde::{Deserialize, Serialize};
use store::{Tx, library, videos};
use utoipa::ToSchema;

use super::{
    edit::{self, VideoBody},
    routes::purge,
    trash,
};
use crate::{App, Error, Result, announce, title, view::Video};

/// Most titles of one request.
pub const MAX_TITLES: usize = 100;

/// What is done. Give `ids` with what is done to all of them, or `edits`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkBody {
    /// 1 to 100 titles.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub ids: Vec<String>,
    /// Changes as of a single title.
    pub changes: Option<VideoBody>,
    #[serde(default)]
    pub add_tags: Vec<String>,
    #[serde(default)]
    pub remove_tags: Vec<String>,
    #[serde(default)]
    pub add_genres: Vec<String>,
    #[serde(default)]
    pub remove_genres: Vec<String>,
    /// Instead of changes.
    pub action: Option<Action>,
    /// Changes of each title's own, such as those that undo a bulk edit.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub edits: Vec<OwnEdit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Into the trash.
    Delete,
    /// Out of the trash.
    Restore,
    /// At once and for good.
    DeleteForever,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnEdit {
    pub id: String,
    /// Only this revision of it; any when absent.
    pub revision: Option<i64>,
    pub changes: VideoBody,
}

/// What came of a bulk edit, title by title in the order asked. A title is changed as asked or not at all.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkAnswer {
    pub changed: usize,
    pub refused: usize,
    pub results: Vec<BulkResult>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct BulkResult {
    pub id: String,
    pub ok: bool,
    /// The title as it is now; absent when it is gone or was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video: Option<Video>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<ProblemBody>,
}

/// What is done to one title.
struct Task {
    id: String,
    revision: Option<i64>,
    deed: Deed,
}

#[derive(Clone)]
enum Deed {
    Change { changes: Box<VideoBody>, words: Words },
    Act(Action),
}

/// Words to be added and taken away.
#[derive(Clone, Default)]
struct Words {
    add_tags: Vec<String>,
    remove_tags: Vec<String>,
    add_genres: Vec<String>,
    remove_genres: Vec<String>,
}

/// Changes many titles. Each is changed as asked or not at all, and the answer says which and why not.
#[utoipa::path(post, path = "/api/v1/studio/bulk", tag = "studio", request_body = BulkBody,
    responses((status = 200, body = BulkAnswer), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub async fn edit_many(
    State(app): State<App>,
    principal: Principal,
    Json(body): Json<BulkBody>,
) -> Result<Json<BulkAnswer>> {
    principal.require_scope(Scope::Manage)?;
    let tasks = tasks(body)?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        results.push(run(&app, &mut tx, task, &principal, now).await?);
    }
    tx.commit().await?;
    let changed = results.iter().filter(|result| result.ok).count();
    metrics::counter!("kinora_bulk_edits_total").increment(1);
    Ok(Json(BulkAnswer { changed, refused: results.len() - changed, results }))
}

/// One title's part. Refusals are results; only faults of ours end the whole request, and then nothing was changed.
async fn run(app: &App, tx: &mut Tx, task: Task, principal: &Principal, now: Micros) -> Result<BulkResult> {
    let Task { id, revision, deed } = task;
    let (video, problem) = match attempt(app, tx, &id, revision, deed, principal, now).await {
        Ok(video) => (video.map(|row| app.video(row, Some(principal.viewer()))), None),
        Err(error) => {
            let problem = refusal(error)?;
            (None, Some(problem.body()))
        }
    };
    Ok(BulkResult { id, ok: problem.is_none(), video, problem })
}

/// The problem of a refusal; other errors are passed on. What refuses has written nothing.
fn refusal(error: Error) -> Result<Problem> {
    match error {
        Error::Problem(problem) if problem.status().is_client_error() => Ok(problem),
        Error::Store(store::Error::NotFound) => Ok(Problem::not_found()),
        error => Err(error),
    }
}

async fn attempt(
    app: &App,
    tx: &mut Tx,
    id: &str,
    revision: Option<i64>,
    deed: Deed,
    principal: &Principal,
    now: Micros,
) -> Result<Option<videos::Video>> {
    let id: VideoId = api::parse_id(id)?;
    title::manage(tx, id, principal).await?;
    let row = library::lock(tx, id).await?;
    if revision.is_some_and(|revision| revision != row.revision) {
        return Err(Problem::precondition_failed().into());
    }
    match deed {
        Deed::Act(Action::Delete) => trash::put(app, tx, &row, principal.user, now).await.map(Some),
        Deed::Act(Action::Restore) => trash::take_out(tx, &row, principal.user, now).await.map(Some),
        Deed::Act(Action::DeleteForever) => {
            trash::put(app, tx, &row, principal.user, now).await?;
            purge(tx, id, now).await?;
            announce::deleted(tx, &row, true, now).await?;
            Ok(None)
        }
        Deed::Change { changes, words } => {
            let body = words.into_change(*changes, &row);
            edit::change(app, tx, row, body, principal).await.map(Some)
        }
    }
}

impl Words {
    fn into_change(self, mut body: VideoBody, row: &videos::Video) -> VideoBody {
        if !self.add_tags.is_empty() || !self.remove_tags.is_empty() {
            let removed: Vec<_> =
                self.remove_tags.iter().filter_map(|tag| details::fold_tag(tag).ok()).collect();
            let had = body.tags.take().unwrap_or_else(|| row.tags.0.clone());
            let kept = had.into_iter().filter(|tag| !removed.contains(tag));
            body.tags = Some(kept.chain(self.add_tags).collect());
        }
        if !self.add_genres.is_empty() || !self.remove_genres.is_empty() {
            let had = body
                .genres
                .take()
                .unwrap_or_else(|| row.genres.0.iter().map(|genre| genre.word().to_owned()).collect());
            let kept = had.into_iter().filter(|genre| !self.remove_genres.contains(genre));
            body.genres = Some(kept.chain(self.add_genres).collect());
        }
        body
    }
}

fn tasks(body: BulkBody) -> Result<Vec<Task>, Problem> {
    let BulkBody { ids, changes, add_tags, remove_tags, add_genres, remove_genres, action, edits } = body;
    let words = Words { add_tags, remove_tags, add_genres, remove_genres };
    let has_words = [&words.add_tags, &words.remove_tags, &words.add_genres, &words.remove_genres]
        .iter()
        .any(|list| !list.is_empty());
    let is_edit = changes.is_some() || has_words;
    let tasks: Vec<Task> = match (action, is_edit, edits.is_empty()) {
        (None, false, false) if ids.is_empty() => {
            let task = |OwnEdit { id, revision, changes }| {
                let deed = Deed::Change { changes: Box::new(changes), words: Words::default() };
                Task { id, revision, deed }
            };
            edits.into_iter().map(task).collect()
        }
        (Some(action), false, true) => all(ids, &Deed::Act(action)),
        (None, true, true) => {
            all(ids, &Deed::Change { changes: Box::new(changes.unwrap_or_default()), words })
        }
        _ => {
            return Err(Problem::invalid(
                "ids",
                "Give `ids` with changes, with words to add or remove, or with an action; or give `edits` alone.",
            ));
        }
    };
    let mut seen = std::collections::BTreeSet::new();
    if tasks.is_empty() || tasks.len() > MAX_TITLES || !tasks.iter().all(|task| seen.insert(task.id.clone()))
    {
        return Err(Problem::invalid("ids", format!("Name 1 to {MAX_TITLES} titles, each once.")));
    }
    Ok(tasks)
}

fn all(ids: Vec<String>, deed: &Deed) -> Vec<Task> {
    ids.into_iter().map(|id| Task { id, revision: None, deed: deed.clone() }).collect()
}
