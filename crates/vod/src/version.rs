//! Beginning another version of a title: who may, when, and what its progress shows.

use api::{Principal, Problem};
use domain::{Micros, Scope, VersionId, VideoId};
use store::{
    Connect, Tx, steps,
    versions::{self, NewVersion},
    videos::{self, State, Video},
};

use crate::upload::Result;

/// The title, for whoever may change it. 404 for everybody else, as if there were none.
pub(crate) async fn manage(conn: &mut impl Connect, id: VideoId, principal: &Principal) -> Result<Video> {
    principal.require_scope(Scope::Manage)?;
    let video = match videos::get(conn, id).await {
        Err(store::Error::NotFound) => return Err(Problem::not_found().into()),
        other => other?,
    };
    if principal.viewer().may_manage(video.owner_id) { Ok(video) } else { Err(Problem::not_found().into()) }
}

/// Only what plays and is complete can be replaced or cut.
pub(crate) fn changeable(video: &Video) -> Result<()> {
    if video.is_trashed() {
        return Err(Problem::conflict("This title is in the trash. Restore it first.").into());
    }
    if video.state != State::Ready || !video.complete {
        return Err(Problem::conflict("Only a title that is complete can be replaced or trimmed.").into());
    }
    Ok(())
}

/// Begins a version. 409 while another one is being made.
pub(crate) async fn begin(tx: &mut Tx, new: &NewVersion<'_>, now: Micros) -> Result<VersionId> {
    let id = versions::begin(tx, new, now).await.map_err(|error| match error {
        store::Error::Conflict(_) => crate::upload::Error::Problem(Problem::conflict(
            "Another version of this title is being made. Wait for it, or cancel it first.",
        )),
        error => error.into(),
    })?;
    // The steps are those of the work under way.
    for name in steps::Name::ALL {
        steps::set(tx, new.video, name, steps::State::Waiting, 0, 0, "", now).await?;
    }
    Ok(id)
}

/// Begins a version that gets a source of its own.
pub(crate) async fn replace(
    tx: &mut Tx,
    principal: &Principal,
    video: VideoId,
    filename: &str,
    now: Micros,
) -> Result<VersionId> {
    let row = manage(tx, video, principal).await?;
    changeable(&row)?;
    let new = NewVersion {
        video,
        kind: "replaced",
        state: "uploading",
        source: None,
        filename,
        keep: "[]",
        by: principal.user,
    };
    begin(tx, &new, now).await
}
