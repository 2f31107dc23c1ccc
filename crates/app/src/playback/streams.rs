//! The streams of an account: how many play at once, and where. Each holds a place in the cache for as long as its player says
//! that it is there; what was stopped or lapsed plays no longer, because edges are told.
//!
//! While the cache is away everybody may watch: nobody is counted, and nobody is sent away.

use std::collections::HashSet;

use api::Problem;
use axum::http::StatusCode;
use backends::{
    blob::names,
    cache::{self, Place, Taken},
};
use bytes::Bytes;
use domain::{Micros, TokenId, UserId, VideoId, revocation::Revocation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{App, Result};

/// How long a stream counts after its player was last heard of, microseconds.
const LEASE: i64 = 90 * Micros::SECOND;
/// How often a player says that it is there, seconds.
pub const KEEP_ALIVE: i64 = 30;

/// One stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    pub session: Uuid,
    pub video: VideoId,
    pub title: String,
    /// What it is signed in with.
    pub device: TokenId,
    /// What the device calls itself.
    pub name: String,
    pub since: Micros,
    /// When its addresses end.
    pub until: Micros,
}

/// Which groups of places an account has.
#[derive(Debug, Clone, Copy)]
enum Group {
    /// Streams that play.
    Streams,
    /// Streams whose addresses are good, playing or not.
    Good,
    /// Streams that somebody has stopped.
    Stopped,
}

impl Group {
    fn of(self, user: UserId) -> String {
        let word = match self {
            Self::Streams => "streams",
            Self::Good => "good",
            Self::Stopped => "stopped",
        };
        format!("{word}.{user}")
    }
}

impl App {
    /// Counts a stream that begins; `after` is the one that it takes the place of. 403 when all places are held, or when that
    /// one was stopped.
    pub(super) async fn begin_stream(
        &self,
        user: UserId,
        stream: &Stream,
        after: Option<Uuid>,
    ) -> Result<()> {
        match self.count_stream(user, stream, after).await {
            Ok(refused) => refused,
            Err(Away::Cache(error)) => {
                uncounted(&error);
                Ok(())
            }
            Err(Away::Other(error)) => Err(error),
        }
    }

    async fn count_stream(
        &self,
        user: UserId,
        stream: &Stream,
        after: Option<Uuid>,
    ) -> Result<Result<()>, Away> {
        let now = self.clock.now();
        if let Some(after) = after {
            if self.is_stopped(user, after).await? {
                return Ok(Err(stopped_elsewhere(StatusCode::FORBIDDEN).into()));
            }
            self.cache.leave(&Group::Streams.of(user), &after.to_string()).await?;
        }
        let limit = self.config.streams_per_account as usize;
        let most = if limit == 0 { usize::MAX } else { limit };
        let place = place(stream, now.plus(LEASE));
        if let Taken::Full(_) = self.cache.take(&Group::Streams.of(user), &place, most, now).await? {
            metrics::counter!("kinora_playback_refused_total", "for" => "streams").increment(1);
            return Ok(Err(too_many_streams(limit).into()));
        }
        let good = Place { until: stream.until, ..place };
        self.cache.take(&Group::Good.of(user), &good, usize::MAX, now).await?;
        if limit > 0 {
            self.end_lapsed(user, now).await?;
        }
        Ok(Ok(()))
    }

    /// Streams that lapsed were not counted when others began: their addresses end.
    async fn end_lapsed(&self, user: UserId, now: Micros) -> Result<(), Away> {
        let playing = self.cache.places(&Group::Streams.of(user), now).await?;
        let playing: HashSet<String> = playing.into_iter().map(|place| place.holder).collect();
        for place in self.cache.places(&Group::Good.of(user), now).await? {
            if let Some(stream) = read(&place).filter(|_| !playing.contains(&place.holder)) {
                self.revoke_stream(&stream).await.map_err(Away::Other)?;
                self.cache.leave(&Group::Good.of(user), &place.holder).await?;
            }
        }
        Ok(())
    }

    /// A player is still there. 410 when its stream was stopped or has lapsed.
    pub(super) async fn keep_stream(&self, user: UserId, session: Uuid) -> Result<()> {
        let now = self.clock.now();
        let until = now.plus(LEASE);
        let kept = self.cache.renew(&Group::Streams.of(user), &session.to_string(), now, until).await;
        let stopped = match kept {
            Ok(true) => return Ok(()),
            Ok(false) => self.is_stopped(user, session).await,
            Err(error) => Err(error),
        };
        match stopped {
            Ok(true) => Err(stopped_elsewhere(StatusCode::GONE).into()),
            Ok(false) => {
                let words = "This stream was not heard of for a while and counts no longer. Begin it again.";
                Err(Problem::new(StatusCode::GONE, "stream_lapsed", words).into())
            }
            Err(error) => {
                uncounted(&error);
                Ok(())
            }
        }
    }

    /// The streams that play, latest first.
    pub async fn streams(&self, user: UserId) -> Result<Vec<Stream>> {
        let places = self
            .cache
            .places(&Group::Streams.of(user), self.clock.now())
            .await
            .map_err(Problem::unavailable)?;
        let mut streams: Vec<Stream> = places.iter().filter_map(read).collect();
        streams.sort_by_key(|stream| std::cmp::Reverse(stream.since));
        Ok(streams)
    }

    /// The player itself ends its stream: its place is free at once.
    pub(super) async fn leave_stream(&self, user: UserId, session: Uuid) -> Result<()> {
        let left = self.cache.leave(&Group::Streams.of(user), &session.to_string()).await;
        left.map(|_| ()).or_else(|error| {
            uncounted(&error);
            Ok(())
        })
    }

    /// Ends a stream wherever it plays. `false`: there is no such stream.
    pub(super) async fn stop_stream(&self, user: UserId, session: Uuid) -> Result<bool> {
        match self.stop_streams(user, |stream| stream.session == session).await {
            Ok(stopped) => Ok(stopped > 0),
            Err(Away::Cache(error)) => Err(Problem::unavailable(error).into()),
            Err(Away::Other(error)) => Err(error),
        }
    }

    /// Ends what devices of an account play whose sign-in has ended: all but `keep`, or one alone.
    pub(crate) async fn end_streams(&self, user: UserId, of: impl Fn(TokenId) -> bool) -> Result<()> {
        match self.stop_streams(user, |stream| of(stream.device)).await {
            Ok(_) => Ok(()),
            // Whoever signs out is signed out: that has happened already.
            Err(Away::Cache(error)) => {
                uncounted(&error);
                Ok(())
            }
            Err(Away::Other(error)) => Err(error),
        }
    }

    async fn stop_streams(&self, user: UserId, which: impl Fn(&Stream) -> bool) -> Result<usize, Away> {
        let now = self.clock.now();
        let good = self.cache.places(&Group::Good.of(user), now).await?;
        let mut stopped = 0;
        for place in good {
            let Some(stream) = read(&place).filter(|stream| which(stream)) else { continue };
            self.revoke_stream(&stream).await.map_err(Away::Other)?;
            self.cache.take(&Group::Stopped.of(user), &place, usize::MAX, now).await?;
            self.cache.leave(&Group::Streams.of(user), &place.holder).await?;
            self.cache.leave(&Group::Good.of(user), &place.holder).await?;
            stopped += 1;
        }
        Ok(stopped)
    }

    async fn is_stopped(&self, user: UserId, session: Uuid) -> cache::Result<bool> {
        let stopped = self.cache.places(&Group::Stopped.of(user), self.clock.now()).await?;
        Ok(stopped.iter().any(|place| place.holder == session.to_string()))
    }

    async fn revoke_stream(&self, stream: &Stream) -> Result<()> {
        self.revoke(Revocation::Session { session: stream.session, until: stream.until.seconds() + 1 }).await
    }

    /// Ends playback tokens: first where edges look after they have missed something, then by the bus.
    pub(crate) async fn revoke(&self, revocation: Revocation) -> Result<()> {
        self.blobs.put(&names::revocation(&revocation), Bytes::new()).await?;
        self.bus.tell(&revocation);
        Ok(())
    }

    /// Forgets revocations of tokens that have ended anyway.
    pub async fn tidy_revocations(&self) -> Result<()> {
        let now = self.clock.now().seconds();
        for entry in self.blobs.list(&names::revocations()).await? {
            if names::revocation_of(&entry.object).is_none_or(|revocation| revocation.until() <= now) {
                self.blobs.delete(&entry.object).await?;
            }
        }
        Ok(())
    }
}

/// Who is not there.
enum Away {
    Cache(cache::Error),
    Other(crate::Error),
}

impl From<cache::Error> for Away {
    fn from(error: cache::Error) -> Self {
        Self::Cache(error)
    }
}

fn uncounted(error: &cache::Error) {
    metrics::counter!("kinora_cache_errors_total").increment(1);
    tracing::warn!(%error, "streams are not counted");
}

fn place(stream: &Stream, until: Micros) -> Place {
    let note = serde_json::to_string(stream).unwrap_or_default();
    Place { holder: stream.session.to_string(), note, until }
}

fn read(place: &Place) -> Option<Stream> {
    serde_json::from_str(&place.note).ok()
}

fn too_many_streams(limit: usize) -> Problem {
    let words = if limit == 1 {
        "This account is watching already. Stop that stream to watch here.".to_owned()
    } else {
        format!("{limit} streams of this account play already. Stop one of them to watch here.")
    };
    Problem::new(StatusCode::FORBIDDEN, "too_many_streams", words)
}

fn stopped_elsewhere(status: StatusCode) -> Problem {
    Problem::new(status, "stopped_elsewhere", "This stream was stopped from another device.")
}
