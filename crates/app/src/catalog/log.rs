//! The history of a title: who changed what, when.

use api::{Cursor, Id, Json, Page, Principal, Problem, ProblemBody, Query, Time, page};
use axum::extract::State;
use domain::{Micros, Scope, VideoId};
use serde::Serialize;
use serde_json::Value;
use store::library;
use utoipa::ToSchema;

use crate::{App, Error, Result, title};

/// A field that was changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Change {
    pub id: String,
    pub at: Time,
    /// Who did it; `null`: Kinora itself.
    #[schema(required = true)]
    pub by: Option<Editor>,
    /// A field of the title, or `trashed`.
    pub field: String,
    /// Its value before, as the title's JSON has it. Sending it back as the field's value restores it.
    #[schema(value_type = Value, required = true)]
    pub from: Value,
    #[schema(value_type = Value, required = true)]
    pub to: Value,
    /// The title's after the edit; edits of several fields share it.
    pub revision: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Editor {
    pub id: String,
    /// `null` when the account is gone.
    #[schema(required = true)]
    pub name: Option<String>,
}

/// What was changed of a title, latest first. For those who manage it.
#[utoipa::path(get, path = "/api/v1/videos/{id}/changes", tag = "videos", params(("id" = String, Path), Cursor),
    responses((status = 200, body = Page<Change>), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn changes(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id<VideoId>,
    Query(cursor): Query<Cursor>,
) -> Result<Json<Page<Change>>> {
    principal.require_scope(Scope::Read)?;
    let (limit, after) = (cursor.limit()?, cursor.after::<String>()?);
    let mut reader = app.store.reader().await?;
    let row = store::videos::get(&mut reader, id).await?;
    if !title::may_manage(&row, Some(principal.viewer())) {
        return Err(Problem::not_found().into());
    }
    let rows = library::changes(&mut reader, id, after, limit + 1).await?;
    let views = rows.into_iter().map(view).collect::<Result<Vec<_>>>()?;
    Ok(Json(page::page(views, limit, |change| change.id.clone(), |change| change)))
}

fn view(row: library::Change) -> Result<Change> {
    let by = row.user_id.map(|id| Editor { id, name: row.user_name });
    Ok(Change {
        at: row.created_at.into(),
        from: value(&row.field, &row.old_value)?,
        to: value(&row.field, &row.new_value)?,
        id: row.id,
        by,
        field: row.field,
        revision: row.revision,
    })
}

/// As the title's JSON has it: instants are stored as numbers and shown as text.
fn value(field: &str, json: &str) -> Result<Value> {
    let value: Value =
        serde_json::from_str(json).map_err(|e| Error::Internal(format!("video_changes: {e}")))?;
    Ok(match (field, value.as_i64()) {
        ("publish_at" | "available_from" | "available_until", Some(micros)) => {
            Value::String(Time(Micros(micros)).to_string())
        }
        _ => value,
    })
}
