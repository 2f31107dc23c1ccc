//! Encoding profiles: what titles are made into. Operators keep several and choose one.

use api::{Json, Name, Principal, Problem, ProblemBody, Time, etag};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    Role,
    estimate::{Source, estimate as estimated},
    profile::{Profile, Unfit},
};
use serde::{Deserialize, Serialize};
use store::{Tx, profiles as rows};
use utoipa::ToSchema;

use super::profile_view::{Estimate, ProfileBody};
use crate::{App, Error, Result};

/// What titles are made with while no profile is chosen.
const BUILT_IN: &str = "built-in";
/// `POST …/profiles/estimate` is another door.
const RESERVED: [&str; 2] = [BUILT_IN, "estimate"];
const LONGEST_NAME: usize = 60;
const MOST_PROFILES: usize = 100;

/// A profile that operators have made.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StoredProfile {
    #[schema(example = "Film archive")]
    pub name: String,
    #[schema(value_type = ProfileBody)]
    pub profile: Profile,
    /// Titles are made with it.
    #[schema(example = true)]
    pub standard: bool,
    pub revision: i64,
    pub updated_at: Time,
}

/// All profiles.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Profiles {
    /// By name.
    pub items: Vec<StoredProfile>,
    /// The one that titles are made with; `null`: the built-in one.
    #[schema(required = true, example = "Film archive")]
    pub standard: Option<String>,
    /// H.264 and AAC in the rungs of the configuration (`encoding.ladder`).
    #[schema(value_type = ProfileBody)]
    pub built_in: Profile,
}

fn stored(row: rows::Profile) -> Result<StoredProfile> {
    let profile = serde_json::from_str(&row.body)
        .map_err(|error| Error::Internal(format!("the stored profile {:?}: {error}", row.name)))?;
    Ok(StoredProfile {
        name: row.name,
        profile,
        standard: row.standard.0,
        revision: row.revision,
        updated_at: row.updated_at.into(),
    })
}

/// All profiles, which one titles are made with, and the built-in one.
#[utoipa::path(get, path = "/api/v1/control/profiles", tag = "profiles",
    responses((status = 200, body = Profiles), (status = 403, body = ProblemBody)))]
pub async fn list(State(app): State<App>, principal: Principal) -> Result<Json<Profiles>> {
    principal.require_role(Role::Admin)?;
    let items = rows::list(&mut app.store.reader().await?).await?;
    let items = items.into_iter().map(stored).collect::<Result<Vec<_>>>()?;
    let standard = items.iter().find(|item| item.standard).map(|item| item.name.clone());
    Ok(Json(Profiles { items, standard, built_in: Profile::of_ladder(app.limits.ladder.clone()) }))
}

async fn find(tx: &mut Tx, name: &str) -> Result<Option<rows::Profile>> {
    Ok(rows::list(tx).await?.into_iter().find(|row| row.name == name))
}

/// Makes a profile, or changes it. With `If-Match` only the revision that it names; with `If-None-Match: *` only when there
/// is none of that name. Titles that are made already, or are being made, stay as they are.
#[utoipa::path(put, path = "/api/v1/control/profiles/{name}", tag = "profiles",
    params(("name" = String, Path, description = "1 to 60 letters, digits, spaces and `.-_+`, a letter or digit at both ends.",
            example = "Film archive"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: make it, change none.")),
    request_body = ProfileBody,
    responses((status = 200, body = StoredProfile), (status = 403, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 412, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn put(
    State(app): State<App>,
    principal: Principal,
    Name(name): Name,
    headers: HeaderMap,
    Json(profile): Json<Profile>,
) -> Result<Response> {
    principal.require_role(Role::Admin)?;
    check_name(&name)?;
    check(&profile)?;
    let body = serde_json::to_string(&profile).map_err(|error| Error::Internal(error.to_string()))?;
    let mut tx = app.store.begin().await?;
    let old = find(&mut tx, &name).await?;
    let revision = match &old {
        Some(old) => {
            if headers.get(header::IF_NONE_MATCH).is_some_and(|value| value == "*") {
                return Err(Problem::changed_to(old.revision).into());
            }
            etag::check(&headers, old.revision)?;
            old.revision
        }
        None if headers.contains_key(header::IF_MATCH) => return Err(Problem::precondition_failed().into()),
        None if rows::list(&mut tx).await?.len() >= MOST_PROFILES => {
            return Err(Problem::conflict("There are 100 profiles already. Delete one first.").into());
        }
        None => 0,
    };
    rows::put(&mut tx, &name, &body, revision, app.clock.now()).await?;
    let new = find(&mut tx, &name).await?.ok_or(store::Error::NotFound)?;
    tx.commit().await?;
    tracing::info!(profile = name, revision = new.revision, by = %principal.user, "an encoding profile is stored");
    Ok(([(header::ETAG, etag::of_revision(new.revision))], Json(stored(new)?)).into_response())
}

/// Deletes a profile that titles are not made with. With `If-Match` only the revision that it names.
#[utoipa::path(delete, path = "/api/v1/control/profiles/{name}", tag = "profiles",
    params(("name" = String, Path, description = "The profile's name.", example = "Film archive")),
    responses((status = 204), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 412, body = ProblemBody)))]
pub async fn delete(
    State(app): State<App>,
    principal: Principal,
    Name(name): Name,
    headers: HeaderMap,
) -> Result<StatusCode> {
    principal.require_role(Role::Admin)?;
    let mut tx = app.store.begin().await?;
    let old = find(&mut tx, &name).await?.ok_or(store::Error::NotFound)?;
    etag::check(&headers, old.revision)?;
    if old.standard.0 {
        let words = "Titles are made with this profile. Choose another one first.";
        return Err(Problem::conflict(words).into());
    }
    rows::delete(&mut tx, &name).await?;
    tx.commit().await?;
    tracing::info!(profile = name, by = %principal.user, "an encoding profile is deleted");
    Ok(StatusCode::NO_CONTENT)
}

/// Lets titles be made with this profile from now on; with the built-in one by the name `built-in`.
#[utoipa::path(post, path = "/api/v1/control/profiles/{name}/choose", tag = "profiles",
    params(("name" = String, Path, description = "The profile's name, or `built-in`.", example = "Film archive")),
    responses((status = 204), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn choose(State(app): State<App>, principal: Principal, Name(name): Name) -> Result<StatusCode> {
    principal.require_role(Role::Admin)?;
    let mut tx = app.store.begin().await?;
    rows::choose(&mut tx, (name != BUILT_IN).then_some(name.as_str())).await?;
    tx.commit().await?;
    tracing::info!(profile = name, by = %principal.user, "titles are made with another encoding profile");
    Ok(StatusCode::NO_CONTENT)
}

/// A profile and a source to make with it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EstimateBody {
    #[schema(value_type = ProfileBody)]
    pub profile: Profile,
    /// Pixels, 1 to 16,384.
    #[schema(minimum = 1, maximum = 16384, example = 3840)]
    pub width: u32,
    #[schema(minimum = 1, maximum = 16384, example = 2160)]
    pub height: u32,
    /// Pictures per second, 1 to 240.
    #[schema(minimum = 1, maximum = 240, example = 24.0)]
    pub frame_rate: f64,
    /// 1 to 86,400.
    #[schema(minimum = 1, maximum = 86400, example = 600.0)]
    pub duration_seconds: f64,
    /// The source has high dynamic range.
    #[serde(default)]
    #[schema(example = true)]
    pub hdr: bool,
}

impl EstimateBody {
    fn source(&self) -> Result<Source, Problem> {
        for (field, side) in [("width", self.width), ("height", self.height)] {
            if !(1..=16_384).contains(&side) {
                return Err(Problem::invalid(field, "A side of the picture has 1 to 16,384 pixels."));
            }
        }
        if !(1.0..=240.0).contains(&self.frame_rate) {
            return Err(Problem::invalid("frame_rate", "There are 1 to 240 pictures per second."));
        }
        if !(1.0..=86_400.0).contains(&self.duration_seconds) {
            return Err(Problem::invalid("duration_seconds", "The source takes 1 second to 24 hours."));
        }
        Ok(Source {
            width: self.width,
            height: self.height,
            frames: (self.frame_rate * self.duration_seconds).round() as u64,
            duration_ms: (self.duration_seconds * 1000.0).round() as u64,
            hdr: self.hdr,
        })
    }
}

/// What making a source with a profile would take, roughly: rungs, most bytes, CPU time. Nothing is stored. Sound and the
/// decoding of the source are not counted; film with much grain or motion takes more, slides take less.
#[utoipa::path(post, path = "/api/v1/control/profiles/estimate", tag = "profiles", request_body = EstimateBody,
    responses((status = 200, body = Estimate), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn estimate(principal: Principal, Json(body): Json<EstimateBody>) -> Result<Json<Estimate>> {
    principal.require_role(Role::Admin)?;
    check(&body.profile)?;
    Ok(Json(Estimate::of(estimated(&body.profile, &body.source()?))))
}

fn check_name(name: &str) -> Result<(), Problem> {
    let ends_well = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let is_good = name.chars().count() <= LONGEST_NAME
        && ends_well(name.chars().next())
        && ends_well(name.chars().next_back())
        && name.chars().all(|c| c.is_alphanumeric() || " .-_+".contains(c));
    if !is_good {
        let words = "A profile's name has 1 to 60 letters, digits, spaces and .-_+, with a letter or digit at both ends.";
        return Err(Problem::invalid("name", words));
    }
    if RESERVED.contains(&name) {
        return Err(Problem::invalid(
            "name",
            format!("{name:?} is not free: it has a meaning of its own here."),
        ));
    }
    Ok(())
}

/// 422 in the words of what is wrong, with the part of the profile that it is about.
fn check(profile: &Profile) -> Result<(), Problem> {
    profile.check().map_err(|unfit| {
        let field = match &unfit {
            Unfit::Rungs | Unfit::SameHeight(_) | Unfit::Height(_) | Unfit::Rate(_) | Unfit::Order(_) => {
                "ladder"
            }
            Unfit::Sound | Unfit::Dolby => "audio",
            Unfit::Codecs | Unfit::First | Unfit::Quality(..) | Unfit::NothingLeft(_) => "video",
        };
        Problem::invalid(field, unfit.to_string())
    })
}
