//! How people, sessions and API tokens look in JSON.

use api::Time;
use domain::Micros;
use serde::Serialize;
use store::{Connect, tokens, users};
use utoipa::ToSchema;

use crate::{
    Result,
    view::{RoleWord, ScopeWord},
};

/// An account.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct User {
    pub id: String,
    pub email: String,
    pub name: String,
    #[schema(value_type = RoleWord)]
    pub role: &'static str,
    pub created_at: Time,
    /// Bytes of originals that the account may keep; `null`: the instance's default.
    #[schema(required = true)]
    pub quota_bytes: Option<i64>,
    pub used_bytes: i64,
    /// May no longer sign in.
    pub disabled: bool,
    /// Grows with every edit; the ETag is `"r{revision}"`.
    pub revision: i64,
}

impl User {
    pub(super) async fn read(conn: &mut impl Connect, row: users::User) -> Result<Self> {
        let used_bytes = users::used_bytes(conn, row.id).await?;
        Ok(Self {
            id: row.id.to_string(),
            email: row.email,
            name: row.name,
            role: row.role.word(),
            created_at: row.created_at.into(),
            quota_bytes: row.quota_bytes,
            used_bytes,
            disabled: row.disabled_at.is_some(),
            revision: row.revision,
        })
    }
}

/// The session of the request.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionAnswer {
    pub user: User,
    pub expires_at: Time,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct UserAnswer {
    pub user: User,
}

/// A browser that is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    pub id: String,
    /// The browser, as it calls itself.
    pub name: String,
    /// The one that asks.
    pub current: bool,
    /// When a playback was last begun there; `null`: never.
    #[schema(required = true)]
    pub watched_at: Option<Time>,
    pub created_at: Time,
    pub last_used_at: Time,
    pub expires_at: Time,
}

/// An API token. Its secret is told once, at creation.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiToken {
    pub id: String,
    pub name: String,
    #[schema(value_type = Vec<ScopeWord>)]
    pub scopes: Vec<String>,
    pub created_at: Time,
    pub last_used_at: Time,
    pub expires_at: Time,
}

/// A new API token with its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewApiToken {
    /// `kin_…`: keep it, it is not shown again.
    pub token: String,
    #[serde(flatten)]
    pub about: ApiToken,
}

impl Session {
    pub(super) fn new(row: tokens::Token, current: bool) -> Self {
        Self {
            id: row.id.to_string(),
            name: row.name,
            current,
            watched_at: row.played_at.map(|at| Micros(at).into()),
            created_at: row.created_at.into(),
            last_used_at: row.last_used_at.into(),
            expires_at: row.expires_at.into(),
        }
    }
}

impl From<tokens::Token> for ApiToken {
    fn from(row: tokens::Token) -> Self {
        Self {
            id: row.id.to_string(),
            name: row.name,
            scopes: row.scopes.split_whitespace().map(str::to_owned).collect(),
            created_at: row.created_at.into(),
            last_used_at: row.last_used_at.into(),
            expires_at: row.expires_at.into(),
        }
    }
}
