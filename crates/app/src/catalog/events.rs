//! Server-sent events: titles as they change, to those who may see them.

use api::{Client, Id, MaybePrincipal, Principal, ProblemBody};
use axum::{
    extract::State,
    response::{Response, sse::Event},
};
use domain::{Audience, Scope, VideoId, Viewer};
use futures::{Stream, StreamExt, stream};
use store::{steps, videos};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::{App, Asker, Result, live::answer, title, view::Video};

/// A title as it changes: one `progress` event now and one with each change. Ends when the caller may see it no longer.
#[utoipa::path(get, path = "/api/v1/videos/{id}/events", tag = "events", params(("id" = String, Path)),
    responses((status = 200, body = Video, content_type = "text/event-stream", description = "`progress` events"),
        (status = 404, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub async fn video(
    State(app): State<App>,
    client: Client,
    MaybePrincipal(caller): MaybePrincipal,
    asker: Asker,
    Id(id): Id<VideoId>,
) -> Result<Response> {
    let changes = app.changes.subscribe();
    title::open(&mut app.store.reader().await?, id, &asker).await?;
    let place = app.live_place(caller.as_ref(), client)?;
    let until = app.stream_end(caller);
    let first = stream::iter([Some(id)]);
    let ids = first.chain(changed(changes).filter(move |changed| {
        let wanted = changed.is_none_or(|changed| changed == id);
        async move { wanted }
    }));
    let events = ids.then(move |_| event(app.clone(), id, *asker)).take_while(|event| {
        let more = event.is_some();
        async move { more }
    });
    Ok(answer(events.filter_map(|event| async move { event }), until, place))
}

/// The caller's own titles as they change: a `progress` event with each change.
#[utoipa::path(get, path = "/api/v1/studio/events", tag = "events",
    responses((status = 200, body = Video, content_type = "text/event-stream", description = "`progress` events"),
        (status = 401, body = ProblemBody)))]
pub async fn studio(State(app): State<App>, client: Client, principal: Principal) -> Result<Response> {
    principal.require_scope(Scope::Read)?;
    let viewer = principal.viewer();
    let place = app.live_place(Some(&principal), client)?;
    let until = app.stream_end(Some(principal));
    let events = changed(app.changes.subscribe())
        // After a gap there is no telling what changed: the page reloads its list on this event.
        .then(move |changed| {
            let app = app.clone();
            async move {
                match changed {
                    Some(id) => own(app, id, viewer).await,
                    None => Some(Event::default().event("reload").data("{}")),
                }
            }
        })
        .filter_map(|event| async move { event });
    Ok(answer(events, until, place))
}

/// Ids from the broadcast; `None` where some were missed.
fn changed(receiver: Receiver<VideoId>) -> impl Stream<Item = Option<VideoId>> {
    stream::unfold(receiver, |mut receiver| async move {
        match receiver.recv().await {
            Ok(id) => Some((Some(id), receiver)),
            Err(RecvError::Lagged(_)) => Some((None, receiver)),
            Err(RecvError::Closed) => None,
        }
    })
}

async fn event(app: App, id: VideoId, asker: Audience) -> Option<Event> {
    let asker = Audience { now: app.clock.now(), ..asker };
    let read = async {
        let mut reader = app.store.reader().await?;
        let row = title::open(&mut reader, id, &asker).await?;
        app.video_with_steps(&mut reader, row, asker.viewer).await
    };
    read.await.ok().as_ref().and_then(progress)
}

async fn own(app: App, id: VideoId, viewer: Viewer) -> Option<Event> {
    let read = async {
        let mut reader = app.store.reader().await?;
        let row = videos::get(&mut reader, id).await?;
        if row.owner_id != viewer.user {
            return Ok(None);
        }
        let steps = steps::list(&mut reader, id).await?;
        Ok::<_, crate::Error>(Some(app.video(row, Some(viewer)).with_steps(steps)))
    };
    read.await.ok().flatten().as_ref().and_then(progress)
}

fn progress(video: &Video) -> Option<Event> {
    Event::default().event("progress").id(video.revision.to_string()).json_data(video).ok()
}
