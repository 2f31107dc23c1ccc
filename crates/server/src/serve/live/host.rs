//! What events need of this process: encoders in their cage, and the database.

use std::{io, path::PathBuf, time::Duration};

use app::App;
use backends::blob::names;
use bytes::Bytes;
use domain::{
    VideoId,
    artwork::{Format, pick},
};
use live::{
    event::{Host, Settings},
    ladder::{Process, Starter},
    record::Recorded,
};
use store::{artwork, events, videos};
use vod::guest::{self, Guest};

use super::lease::Leases;

/// Pixels of a slate's picture, before it is made for each rendition.
const SLATE_WIDTH: u32 = 1920;

/// Starts encoders as guests.
#[derive(Debug)]
pub struct Caged {
    pub program: PathBuf,
}

/// What the encoder of one event may use up. It lives as long as the event.
fn limits() -> guest::Limits {
    let for_ever = Duration::from_secs(30 * 86_400);
    guest::Limits {
        cpu: for_ever,
        wall: for_ever,
        memory_bytes: 8 << 30,
        nice: 0,
        ..guest::Limits::default()
    }
}

impl Starter for Caged {
    async fn start(&self, args: Vec<String>) -> io::Result<Process> {
        let guest = Guest::new(&self.program, limits()).args(args);
        let (running, stdin, stdout) = guest.spawn_fed().await.map_err(io::Error::other)?;
        Ok(Process { stdin: Box::pin(stdin), stdout: Box::pin(stdout), keep: Box::new(running) })
    }
}

/// Writes into the database what becomes of events.
pub struct Registrar {
    pub app: App,
    pub leases: Leases,
}

impl Registrar {
    async fn begin(&self, settings: &Settings) -> anyhow::Result<()> {
        let id: VideoId = settings.event.parse()?;
        let mut tx = self.app.store.begin().await?;
        let sent = events::begin(&mut tx, id, settings.presentation, self.app.clock.now()).await?;
        anyhow::ensure!(sent == settings.presentation, "it sends another presentation already");
        tx.commit().await?;
        Ok(())
    }

    /// The poster that a person chose.
    async fn poster(&self, settings: &Settings) -> anyhow::Result<Option<Bytes>> {
        let id: VideoId = settings.event.parse()?;
        let mut reader = self.app.store.reader().await?;
        let chosen = videos::get(&mut reader, id).await?.artwork.poster.filter(|piece| !piece.auto);
        let Some(piece) = chosen else { return Ok(None) };
        let picture = artwork::get(&mut reader, id, &piece.id).await?;
        drop(reader);
        let Some(variant) = pick(&picture.variants.0, &[Format::Jpeg], SLATE_WIDTH) else { return Ok(None) };
        let object = names::picture(id, &piece.id, variant.width);
        Ok(Some(self.app.blobs.get(&object).await?))
    }

    async fn finish(&self, settings: &Settings, recorded: &Recorded) -> anyhow::Result<()> {
        let id: VideoId = settings.event.parse()?;
        let mut tx = self.app.store.begin().await?;
        let event = events::get(&mut tx, id).await?;
        let length = i64::try_from(recorded.duration_ms)?;
        events::finish(&mut tx, id, length, event.record, self.app.clock.now()).await?;
        store::presentations::described(&mut tx, settings.presentation, recorded.version).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The database is the truth: what is not in it has not happened.
async fn until_done<F>(what: &'static str, event: &str, mut attempt: impl FnMut() -> F)
where
    F: Future<Output = anyhow::Result<()>>,
{
    let mut wait = Duration::from_millis(200);
    for _ in 0..50 {
        match attempt().await {
            Ok(()) => return,
            Err(error) => tracing::warn!(event, "{what} could not be noted: {error:#}"),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(10));
    }
    tracing::error!(event, "{what} could not be noted");
}

impl Host for Registrar {
    fn now(&self) -> i64 {
        self.app.clock.now().0
    }

    async fn slate(&self, settings: &Settings) -> Option<Bytes> {
        self.poster(settings).await.unwrap_or_else(|error| {
            tracing::warn!(event = %settings.event, "the poster of a live event cannot be read: {error:#}");
            None
        })
    }

    async fn playable(&self, settings: &Settings) {
        let telling = || self.leases.announce(settings.presentation);
        until_done("where a live event is", &settings.event, telling).await;
        until_done("the beginning of a live event", &settings.event, || self.begin(settings)).await;
    }

    async fn finished(&self, settings: &Settings, recorded: Option<Recorded>) {
        if let Some(recorded) = recorded {
            let noting = || self.finish(settings, &recorded);
            until_done("the end of a live event", &settings.event, noting).await;
        }
        self.left(settings).await;
    }

    async fn left(&self, settings: &Settings) {
        if self.leases.leave(&settings.event).await {
            self.leases.retract(settings.presentation).await;
        }
    }
}
