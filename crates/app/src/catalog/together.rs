//! Titles that many ask for at once are read together: while one statement is at work, those who come wait for the next, which
//! reads all that they want. Alone one waits for nobody; under load a read costs a part of a round trip.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::VideoId;
use store::videos::{self, Video};
use tokio::sync::oneshot;

use crate::{App, Result};

/// Statements at work at once.
const LANES: usize = 2;
/// Most titles in one statement.
const MOST: usize = 100;

/// Those who wait.
#[derive(Default)]
pub(crate) struct Together(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    lanes: usize,
    callers: Vec<(VideoId, oneshot::Sender<Video>)>,
}

impl Together {
    /// Queues a caller; true when a lane is free for them to open.
    fn queue(&self, id: VideoId, caller: oneshot::Sender<Video>) -> bool {
        let mut waiting = self.lock();
        waiting.callers.push((id, caller));
        let is_free = waiting.lanes < LANES;
        waiting.lanes += usize::from(is_free);
        is_free
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next who are served in this lane; the lane closes when there are none.
    fn next(&self) -> Vec<(VideoId, oneshot::Sender<Video>)> {
        let mut waiting = self.lock();
        let now = waiting.callers.len().min(MOST);
        let rest = waiting.callers.split_off(now);
        let callers = std::mem::replace(&mut waiting.callers, rest);
        waiting.lanes -= usize::from(callers.is_empty());
        callers
    }
}

impl App {
    /// The title as the database has it now.
    pub(crate) async fn title(&self, id: VideoId) -> Result<Video> {
        let (caller, answer) = oneshot::channel();
        if self.together.queue(id, caller) {
            tokio::spawn(serve(self.clone()));
        }
        match answer.await {
            Ok(video) => Ok(video),
            // There is none, or the statement failed: what is wrong is told to each by itself.
            Err(_) => Ok(videos::get(&mut self.store.reader().await?, id).await?),
        }
    }
}

/// Closes its lane should the work in it break off; those who wait are sent on their own way.
struct Lane(Option<App>);

impl Drop for Lane {
    fn drop(&mut self) {
        if let Some(app) = self.0.take() {
            let mut waiting = app.together.lock();
            waiting.lanes -= 1;
            waiting.callers.clear();
        }
    }
}

/// Serves those who wait until there are none.
async fn serve(app: App) {
    let mut lane = Lane(Some(app.clone()));
    loop {
        let callers = app.together.next();
        if callers.is_empty() {
            lane.0 = None;
            return;
        }
        if let Err(error) = answer(&app, callers).await {
            tracing::debug!(%error, "titles could not be read together");
        }
    }
}

async fn answer(app: &App, callers: Vec<(VideoId, oneshot::Sender<Video>)>) -> Result<()> {
    let mut reader = app.store.reader().await?;
    let ids: Vec<VideoId> = callers.iter().map(|(id, _)| *id).collect();
    let videos: HashMap<_, _> =
        videos::get_all(&mut reader, &ids).await?.into_iter().map(|video| (video.id, video)).collect();
    drop(reader);
    for (id, caller) in callers {
        if let Some(video) = videos.get(&id) {
            // The caller may have gone.
            let _ = caller.send(video.clone());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_open_while_there_is_need_and_serve_everyone_once() {
        let together = Together::default();
        let ids: Vec<VideoId> = (0..MOST + 5).map(|_| VideoId::new()).collect();
        let opened = ids.iter().filter(|id| together.queue(**id, oneshot::channel().0)).count();
        assert_eq!(opened, LANES);
        let served: Vec<_> =
            [together.next(), together.next()].into_iter().flatten().map(|(id, _)| id).collect();
        assert_eq!(served, ids);
        assert!(together.next().is_empty() && together.next().is_empty(), "both lanes close");
        assert!(together.queue(ids[0], oneshot::channel().0), "and one opens again");
    }
}
