//! What is told to the outside about listed titles: a channel's latest.

use domain::{Audience, UserId};

use crate::{
    Connect, Result,
    db::query,
    library::country_pattern,
    videos::{Video, listed, select},
};

/// The titles of one owner that are listed for `audience`, newest first.
pub async fn of_channel(
    conn: &mut impl Connect,
    audience: &Audience,
    owner: UserId,
    limit: u32,
) -> Result<Vec<Video>> {
    query!(
        fetch_all,
        conn,
        Video,
        select!(
            "WHERE v.owner_id = $1 AND ",
            listed!("$3", "$4"),
            " ORDER BY v.published_at DESC, v.id DESC LIMIT $2"
        ),
        owner.to_string(),
        i64::from(limit),
        audience.now.0,
        country_pattern(audience),
    )
}
