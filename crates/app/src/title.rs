//! Who may open and who may manage a title: the one place that pages, API, search, pictures, playback and events ask.

use api::{Principal, Problem, Time};
use domain::{Audience, Micros, Scope, VideoId, Viewer, access::Refusal};
use store::{
    Connect, Tx, imports, jobs, steps,
    videos::{self, State, Video},
};

use crate::Result;

/// How much longer than the title a playback may take, microseconds: pauses, a second look.
pub const PLAYBACK_MARGIN: i64 = 6 * Micros::HOUR;

/// How long a playback of what is sent live may take, microseconds.
const LIVE_PLAYBACK: i64 = Micros::DAY;

/// How long a playback that begins now may take, microseconds.
pub fn playback_lasts(video: &Video) -> i64 {
    let lasts = video.duration_ms.unwrap_or_default().saturating_mul(1000).saturating_add(PLAYBACK_MARGIN);
    if video.is_live() { lasts.max(LIVE_PLAYBACK) } else { lasts }
}

/// How long after the last playback of a version could have ended its objects are kept, microseconds: clocks differ, and a
/// playback may have been granted in the moment of the change.
pub const VERSION_MARGIN: i64 = PLAYBACK_MARGIN + Micros::HOUR;

/// May `audience` open `video`? Others than its owner and administrators: once it plays, as its terms say (visibility,
/// time, country), and not from the trash.
pub fn check(video: &Video, audience: &Audience) -> Result<(), Refusal> {
    let is_there = !video.is_trashed() && video.state.is_shown();
    if is_there || audience.manages(video.owner_id) {
        video.terms().check(audience)
    } else {
        Err(Refusal::Hidden)
    }
}

/// [`check`] as yes or no.
pub fn may_open(video: &Video, audience: &Audience) -> bool {
    check(video, audience).is_ok()
}

/// Is it shown to everyone, everywhere, at any time? Only then may a shared cache keep what belongs to it.
pub fn is_for_everybody(video: &Video) -> bool {
    let terms = video.terms();
    let always = terms.window.from.is_none() && terms.window.until.is_none();
    video.visibility.is_listed() && always && terms.countries.is_none()
}

pub fn may_manage(video: &Video, viewer: Option<Viewer>) -> bool {
    viewer.is_some_and(|viewer| viewer.may_manage(video.owner_id))
}

/// The title, if `audience` may open it. Otherwise 404 as if there were none; or 403 for one that everybody may know of,
/// when it does not play now or there.
pub async fn open(conn: &mut impl Connect, id: VideoId, audience: &Audience) -> Result<Video> {
    opened(videos::get(conn, id).await?, audience)
}

/// The same for a title that was read.
pub fn opened(video: Video, audience: &Audience) -> Result<Video> {
    check(&video, audience).map_err(problem)?;
    Ok(video)
}

/// The title, if `principal` may change it. 404 when they may not even open it, 403 when they may only look.
pub async fn manage(conn: &mut impl Connect, id: VideoId, principal: &Principal) -> Result<Video> {
    principal.require_scope(Scope::Manage)?;
    let video = videos::get(conn, id).await?;
    if may_manage(&video, Some(principal.viewer())) {
        Ok(video)
    } else if !video.is_trashed() && video.state.is_shown() && video.visibility.is_open() {
        Err(Problem::forbidden("Only its owner may change this title.").into())
    } else {
        Err(Problem::not_found().into())
    }
}

fn problem(refusal: Refusal) -> Problem {
    let problem = match refusal {
        Refusal::Hidden => return Problem::not_found(),
        Refusal::NotYet { from } => Problem::not_yet_available(Time(from)),
        Refusal::Ended { until } => Problem::no_longer_available(Time(until)),
        Refusal::Elsewhere => Problem::not_in_your_country(),
    };
    metrics::counter!("kinora_title_refusals_total", "reason" => problem.code()).increment(1);
    problem
}

/// Begins the work on a failed or cancelled title anew, from its original, or that on further formats of a title that can be
/// watched. False when there is nothing to begin.
pub async fn begin_again(tx: &mut Tx, row: &Video, now: Micros) -> Result<bool> {
    if row.state == State::Ready {
        return formats_again(tx, row, now).await;
    }
    if row.source().is_none()
        && let Some(import) = imports::open_of(tx, row.id).await?
    {
        return fetch_again(tx, row, &import, now).await;
    }
    let (true, Some(source)) = (videos::retrying(tx, row.id, now).await?, row.source()) else {
        return Ok(false);
    };
    let subject = row.id.to_string();
    jobs::cancel_by_subject(tx, &subject, now).await?;
    let payload = serde_json::json!({ "source": source }).to_string();
    let key = format!("probe:{source}");
    jobs::enqueue(tx, &jobs::NewJob::new("probe", &subject, &payload).dedupe(&key), now).await?;
    Ok(true)
}

/// Gives the jobs of further formats that were given up another set of attempts.
async fn formats_again(tx: &mut Tx, row: &Video, now: Micros) -> Result<bool> {
    let (name, failed) = (steps::Name::Formats, steps::State::Failed);
    let steps = steps::list(tx, row.id).await?;
    let Some(step) = steps.into_iter().find(|step| step.name == name && step.state == failed) else {
        return Ok(false);
    };
    if jobs::retry_dead(tx, &row.id.to_string(), now).await? == 0 {
        return Ok(false);
    }
    steps::set(tx, row.id, name, steps::State::Running, step.done, step.total, "", now).await?;
    Ok(true)
}

/// Begins the fetching of a file from its link anew.
async fn fetch_again(tx: &mut Tx, row: &Video, import: &imports::Import, now: Micros) -> Result<bool> {
    if !videos::waiting_again(tx, row.id, now).await? {
        return Ok(false);
    }
    let subject = row.id.to_string();
    jobs::cancel_by_subject(tx, &subject, now).await?;
    steps::set(tx, row.id, steps::Name::Upload, steps::State::Waiting, 0, 0, "", now).await?;
    let payload = serde_json::json!({ "import": import.id }).to_string();
    let job = jobs::NewJob::new("import", &subject, &payload).max_attempts(3);
    jobs::enqueue(tx, &job, now).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use domain::{Role, UserId, Visibility, vocabulary::Kind};
    use store::library::Maybe;

    use super::*;

    fn video(visibility: Visibility, state: State, trashed: bool) -> Video {
        Video {
            id: VideoId::new(),
            owner_id: UserId::new(),
            owner_name: "o".into(),
            title: "t".into(),
            description: String::new(),
            attribution: String::new(),
            kind: Kind::Clip,
            genres: Default::default(),
            tags: Default::default(),
            cast: Default::default(),
            directors: Default::default(),
            language: Maybe(None),
            release_year: None,
            maturity_rating: Maybe(None),
            visibility,
            publish_at: None,
            available_from: None,
            available_until: None,
            countries: Default::default(),
            state,
            complete: true,
            is_event: false,
            error: None,
            source_id: None,
            presentation_id: None,
            duplicate_of: None,
            poster_id: None,
            artwork: Default::default(),
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

    fn audience(viewer: Option<Viewer>) -> Audience {
        Audience { viewer, country: None, now: Micros(100) }
    }

    #[test]
    fn others_open_only_what_plays_and_is_shown_to_them() {
        let other = Some(Viewer { user: UserId::new(), role: Role::Creator });
        for visibility in Visibility::ALL {
            for state in State::ALL {
                for trashed in [false, true] {
                    let video = video(*visibility, *state, trashed);
                    let expected = visibility.is_open() && state.is_shown() && !trashed;
                    assert_eq!(may_open(&video, &audience(other)), expected, "{video:?}");
                    assert_eq!(may_open(&video, &audience(None)), expected);
                    let owner = Some(Viewer { user: video.owner_id, role: Role::Viewer });
                    assert!(may_open(&video, &audience(owner)) && may_manage(&video, owner));
                    assert!(!may_manage(&video, other) && !may_manage(&video, None));
                }
            }
        }
    }

    #[test]
    fn what_is_in_the_trash_is_hidden_before_its_window_is_told() {
        let mut video = video(Visibility::Public, State::Ready, true);
        video.available_until = Some(50);
        assert_eq!(check(&video, &audience(None)), Err(Refusal::Hidden));
        video.deleted_at = None;
        assert_eq!(check(&video, &audience(None)), Err(Refusal::Ended { until: Micros(50) }));
    }
}
