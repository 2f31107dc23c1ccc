//! What can go wrong in the database, and whether a retry helps.

/// Result of every store function.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no such row")]
    NotFound,
    /// A unique key is taken. Carries the constraint or column as the engine names it.
    #[error("already exists: {0}")]
    Conflict(String),
    /// The row changed since it was read, or a lease or fence was lost.
    #[error("the row was changed by someone else meanwhile")]
    Stale,
    /// The configuration or the schema does not allow to start. The text says what to do.
    #[error("{0}")]
    Setup(String),
    /// A stored value that this version does not understand.
    #[error("unreadable row: {0}")]
    Corrupt(String),
    #[error("database: {0}")]
    Engine(#[source] sqlx::Error),
}

impl Error {
    /// Would the same call possibly succeed later?
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Engine(error) => match error {
                sqlx::Error::Io(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => true,
                // PostgreSQL: serialization failure, deadlock, connection classes, shutdown. SQLite: busy, locked.
                sqlx::Error::Database(db) => db.code().is_some_and(|code| {
                    code.starts_with("08")
                        || matches!(
                            code.as_ref(),
                            "40001" | "40P01" | "57P01" | "57P02" | "57P03" | "5" | "6" | "261" | "517"
                        )
                }),
                _ => false,
            },
            _ => false,
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::Database(db) if db.is_unique_violation() => Self::Conflict(db.message().to_owned()),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Corrupt(error.to_string()),
            _ => {
                crate::reader::failed();
                Self::Engine(error)
            }
        }
    }
}
