//! Who may open and who may manage a title: the one place that pages, API, search, pictures, playback and events ask.

use api::{Principal, Problem};
use domain::{Scope, VideoId, Viewer};
use store::{
    Connect,
    videos::{self, State, Video},
};

use crate::Result;

/// May `viewer` open `video`? Others than its owner and administrators: once it plays, as its visibility says, and not from
/// the trash.
pub fn may_open(video: &Video, viewer: Option<Viewer>) -> bool {
    may_manage(video, viewer)
        || (!video.is_trashed()
            && video.state == State::Ready
            && video.visibility.may_open(video.owner_id, viewer))
}

pub fn may_manage(video: &Video, viewer: Option<Viewer>) -> bool {
    viewer.is_some_and(|viewer| viewer.may_manage(video.owner_id))
}

/// The title, if `viewer` may open it. Otherwise 404, as if there were none.
pub async fn open(conn: &mut impl Connect, id: VideoId, viewer: Option<Viewer>) -> Result<Video> {
    let video = videos::get(conn, id).await?;
    if may_open(&video, viewer) { Ok(video) } else { Err(Problem::not_found().into()) }
}

/// The title, if `principal` may change it. 404 when they may not even open it, 403 when they may only look.
pub async fn manage(conn: &mut impl Connect, id: VideoId, principal: &Principal) -> Result<Video> {
    principal.require_scope(Scope::Manage)?;
    let video = videos::get(conn, id).await?;
    let viewer = Some(principal.viewer());
    if may_manage(&video, viewer) {
        Ok(video)
    } else if may_open(&video, viewer) {
        Err(Problem::forbidden("Only its owner may change this title.").into())
    } else {
        Err(Problem::not_found().into())
    }
}

#[cfg(test)]
mod tests {
    use domain::{Micros, Role, UserId, Visibility};

    use super::*;

    fn video(visibility: Visibility, state: State, trashed: bool) -> Video {
        Video {
            id: VideoId::new(),
            owner_id: UserId::new(),
            owner_name: "o".into(),
            title: "t".into(),
            description: String::new(),
            attribution: String::new(),
            visibility,
            state,
            complete: true,
            error: None,
            source_id: None,
            presentation_id: None,
            poster_id: None,
            duration_ms: None,
            width: None,
            height: None,
            revision: 1,
            created_at: Micros(0),
            updated_at: Micros(0),
            published_at: None,
            deleted_at: trashed.then_some(1),
        }
    }

    #[test]
    fn others_open_only_what_plays_and_is_shown_to_them() {
        let other = Some(Viewer { user: UserId::new(), role: Role::Creator });
        for visibility in Visibility::ALL {
            for state in State::ALL {
                for trashed in [false, true] {
                    let video = video(*visibility, *state, trashed);
                    let expected = *visibility != Visibility::Private && *state == State::Ready && !trashed;
                    assert_eq!(may_open(&video, other), expected, "{video:?}");
                    assert_eq!(may_open(&video, None), expected);
                    let owner = Some(Viewer { user: video.owner_id, role: Role::Viewer });
                    assert!(may_open(&video, owner) && may_manage(&video, owner));
                    assert!(!may_manage(&video, other) && !may_manage(&video, None));
                }
            }
        }
    }
}
