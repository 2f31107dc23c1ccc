//! Administration of accounts.

use api::{Cursor, Id, Json, Page, Principal, Problem, ProblemBody, Query, etag, page};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{Role, UserId};
use serde::{Deserialize, Deserializer};
use store::{tokens, users};
use utoipa::{IntoParams, ToSchema};

use super::{
    service::{Application, check_name},
    view::{User, UserAnswer},
};
use crate::{App, Result, view::RoleWord};

/// Bytes that are looked for.
const MOST_SEARCHED: usize = 200;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUserBody {
    pub email: String,
    pub name: String,
    pub password: String,
    #[schema(value_type = RoleWord)]
    pub role: Role,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserBody {
    #[schema(value_type = Option<RoleWord>)]
    pub role: Option<Role>,
    pub name: Option<String>,
    /// `null`: back to the instance's default.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    pub quota_bytes: Option<Option<i64>>,
    /// True ends all sessions and tokens, too.
    pub disabled: Option<bool>,
}

/// Tells `null` from absent.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<i64>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// Which accounts are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct People {
    /// Part of a name or of an e-mail address.
    #[param(max_length = 200)]
    pub q: Option<String>,
}

/// Accounts, latest first: all, or those whose name or address contains `q`.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", params(People, Cursor),
    responses((status = 200, body = Page<User>), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    principal: Principal,
    Query(people): Query<People>,
    Query(cursor): Query<Cursor>,
) -> Result<Json<Page<User>>> {
    principal.require_role(Role::Admin)?;
    let part = people.q.unwrap_or_default();
    if part.len() > MOST_SEARCHED || part.contains('\0') {
        return Err(Problem::invalid("q", "That is too long for a name.").into());
    }
    let limit = cursor.limit()?;
    let after: Option<UserId> = cursor.after()?;
    let mut reader = app.store.reader().await?;
    let rows = users::list(&mut reader, part.trim(), after, limit + 1).await?;
    let rows = page::page(rows, limit, |row| row.id, |row| row);
    let mut items = Vec::with_capacity(rows.items.len());
    for row in rows.items {
        items.push(User::read(&mut reader, row).await?);
    }
    Ok(Json(Page { items, next_cursor: rows.next_cursor }))
}

/// Makes an account.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = NewUserBody,
    responses((status = 201, body = UserAnswer), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn create(
    State(app): State<App>,
    principal: Principal,
    Json(body): Json<NewUserBody>,
) -> Result<(StatusCode, Json<UserAnswer>)> {
    principal.require_role(Role::Admin)?;
    let application =
        Application { email: body.email, name: body.name, password: body.password, role: body.role };
    let user = app.create_user(application).await?;
    let user = User::read(&mut app.store.reader().await?, user).await?;
    Ok((StatusCode::CREATED, Json(UserAnswer { user })))
}

/// One account.
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "users", params(("id" = String, Path)),
    responses((status = 200, body = UserAnswer), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn get(State(app): State<App>, principal: Principal, Id(id): Id<UserId>) -> Result<Response> {
    principal.require_role(Role::Admin)?;
    let mut reader = app.store.reader().await?;
    let user = users::get(&mut reader, id).await?;
    Ok(tagged(User::read(&mut reader, user).await?))
}

/// Changes an account: role, name, quota, whether it may sign in.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = "users", params(("id" = String, Path)), request_body = UserBody,
    responses((status = 200, body = UserAnswer), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 412, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn edit(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id<UserId>,
    headers: HeaderMap,
    Json(body): Json<UserBody>,
) -> Result<Response> {
    principal.require_role(Role::Admin)?;
    if body.quota_bytes.flatten().is_some_and(|bytes| bytes < 0) {
        return Err(Problem::invalid("quota_bytes", "A quota is 0 bytes or more.").into());
    }
    let name = body.name.as_deref().map(check_name).transpose()?;
    let change =
        users::Edit { name, role: body.role, quota_bytes: body.quota_bytes, disabled: body.disabled };
    let mut tx = app.store.begin().await?;
    etag::check(&headers, users::get(&mut tx, id).await?.revision)?;
    let user = match users::edit(&mut tx, id, &change, app.clock.now()).await {
        Err(store::Error::Conflict(_)) => {
            return Err(Problem::conflict("Somebody has to remain administrator.").into());
        }
        done => done?,
    };
    if body.disabled == Some(true) {
        tokens::delete_all(&mut tx, id).await?;
    }
    let user = User::read(&mut tx, user).await?;
    tx.commit().await?;
    if body.disabled == Some(true) {
        app.end_streams(id, |_| true).await?;
    }
    Ok(tagged(user))
}

pub(super) fn tagged(user: User) -> Response {
    ([(header::ETAG, etag::of_revision(user.revision))], Json(UserAnswer { user })).into_response()
}
