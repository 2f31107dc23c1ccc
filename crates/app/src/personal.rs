//! What a title is to the caller: how far they watched it and whether it is on their list. Read once for a whole answer.

use std::collections::{HashMap, HashSet};

use domain::{VideoId, Viewer};
use store::{
    Connect,
    positions::{self, Position},
    watchlist,
};

use crate::{Result, view::Video};

/// Titles watched last, of which positions are told.
const REMEMBERED: u32 = 500;

/// Nothing for anonymous callers.
#[derive(Default)]
pub struct Personal {
    known: bool,
    positions: HashMap<VideoId, Position>,
    listed: HashSet<VideoId>,
}

impl Personal {
    pub async fn of(conn: &mut impl Connect, viewer: Option<Viewer>) -> Result<Self> {
        let Some(viewer) = viewer else { return Ok(Self::default()) };
        Ok(Self {
            known: true,
            positions: positions::latest(conn, viewer.user, REMEMBERED).await?,
            listed: watchlist::ids(conn, viewer.user).await?,
        })
    }

    pub fn has_finished(&self, video: VideoId) -> bool {
        self.positions.get(&video).is_some_and(|position| position.finished)
    }

    pub fn dress(&self, video: Video) -> Video {
        let Ok(id) = video.id.parse::<VideoId>() else { return video };
        if !self.known {
            return video;
        }
        let in_watchlist = Some(self.listed.contains(&id));
        match self.positions.get(&id) {
            Some(position) => Video { in_watchlist, ..video.with_progress(Some(position)) },
            None => Video { in_watchlist, ..video },
        }
    }
}
