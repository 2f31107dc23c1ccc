//! The directories of this machine that can become full.

use std::path::PathBuf;

use backends::disk::{self, Space};

/// What a directory is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Masters, tracks and pictures, where the store is a directory.
    Objects,
    /// The database, where it is SQLite.
    Database,
    /// Scratch of encodes.
    Work,
}

impl Place {
    pub fn word(self) -> &'static str {
        match self {
            Self::Objects => "objects",
            Self::Database => "database",
            Self::Work => "work",
        }
    }
}

/// Which directories this process uses. Those that are somebody else's business (a bucket, PostgreSQL) are missing.
#[derive(Debug, Clone, Default)]
pub struct Places(pub Vec<(Place, PathBuf)>);

impl Places {
    /// How full each is; one that cannot be asked is left out, with a line in the log.
    pub async fn spaces(&self) -> Vec<(Place, Space)> {
        let places = self.0.clone();
        let ask = move || {
            let asked = places.into_iter().filter_map(|(place, path)| match disk::space(&path) {
                Ok(space) => Some((place, space)),
                Err(error) => {
                    tracing::debug!(%error, path = %path.display(), "cannot tell how full the disk is");
                    None
                }
            });
            asked.collect()
        };
        tokio::task::spawn_blocking(ask).await.unwrap_or_default()
    }
}
