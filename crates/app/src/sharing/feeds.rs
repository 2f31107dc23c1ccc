//! RSS 2.0 feeds with Media RSS: the latest public titles, of everybody and of one channel.

use api::{Client, Problem, Time};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{Micros, UserId};
use sha2::{Digest, Sha256};
use store::{
    sharing, users,
    videos::{self, Video},
};

use super::{base, stranger, xml::escaped};
use crate::{App, Asker, Result, view};

/// Titles in a feed.
const LATEST: u32 = 50;

/// What a feed is about.
struct Channel {
    title: String,
    about: String,
    /// Its own address, and the page that shows the same.
    path: String,
    page: &'static str,
}

/// `GET /feeds/latest.xml`.
pub async fn latest(
    State(app): State<App>,
    asker: Asker,
    client: Client,
    headers: HeaderMap,
) -> Result<Response> {
    let base = base(&app, client, &headers)?;
    let videos = videos::list_public(&mut app.store.reader().await?, &stranger(&asker), None, LATEST).await?;
    let name = app.config.name.clone();
    let about = format!("The latest titles on {name}");
    let channel = Channel { title: name, about, path: "/feeds/latest.xml".into(), page: "/" };
    Ok(feed(&channel, &base, &videos, &headers))
}

/// `GET /feeds/channels/{user_id}.xml`. 404 for an account without a public title: whether there is such an account is
/// nobody's business.
pub async fn channel(
    State(app): State<App>,
    asker: Asker,
    client: Client,
    headers: HeaderMap,
    Path(file): Path<String>,
) -> Result<Response> {
    let id = file.strip_suffix(".xml").ok_or_else(Problem::not_found)?;
    let id: UserId = api::parse_id(id)?;
    let base = base(&app, client, &headers)?;
    let mut reader = app.store.reader().await?;
    let videos = sharing::of_channel(&mut reader, &stranger(&asker), id, LATEST).await?;
    if videos.is_empty() {
        return Err(Problem::not_found().into());
    }
    let owner = users::get(&mut reader, id).await?;
    let channel = Channel {
        about: format!("Titles of {} on {}", owner.name, app.config.name),
        title: owner.name,
        path: format!("/feeds/channels/{file}"),
        page: "/",
    };
    Ok(feed(&channel, &base, &videos, &headers))
}

fn feed(channel: &Channel, base: &str, videos: &[Video], headers: &HeaderMap) -> Response {
    let text = rss(channel, base, videos);
    let tag = format!("\"{}\"", &hex::encode(Sha256::digest(&text))[..32]);
    let changed = videos.iter().map(|video| video.updated_at).max();
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let modified = changed.map(http_date);
    let unchanged = match known {
        Some(known) => known.split(',').any(|k| k.trim().trim_start_matches("W/") == tag),
        None => {
            let since = headers.get(header::IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
            since.is_some() && since == modified.as_deref()
        }
    };
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "application/rss+xml; charset=utf-8")], text).into_response()
    };
    let out = response.headers_mut();
    for (name, value) in [(header::ETAG, Some(tag)), (header::LAST_MODIFIED, modified)] {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            out.insert(name, value);
        }
    }
    // Addresses in it depend on the host that was asked; what a country may see, on the caller's.
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=60"));
    out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

fn rss(channel: &Channel, base: &str, videos: &[Video]) -> String {
    let base = escaped(base);
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\" \
         xmlns:media=\"http://search.yahoo.com/mrss/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n<channel>\n\
         <title>{}</title>\n<link>{base}{}</link>\n<description>{}</description>\n\
         <atom:link href=\"{base}{}\" rel=\"self\" type=\"application/rss+xml\"/>\n<generator>Kinora</generator>\n",
        escaped(&channel.title),
        channel.page,
        escaped(&channel.about),
        escaped(&channel.path),
    );
    if let Some(at) = videos.iter().map(|video| video.updated_at).max() {
        out.push_str(&format!("<lastBuildDate>{}</lastBuildDate>\n", rfc_822(at)));
    }
    for video in videos {
        item(&mut out, &base, video);
    }
    out.push_str("</channel>\n</rss>\n");
    out
}

fn item(out: &mut String, base: &str, video: &Video) {
    let (id, title) = (video.id, escaped(&video.title));
    let about = escaped(&video.description);
    let page = format!("{base}/watch/{id}");
    out.push_str(&format!(
        "<item>\n<title>{title}</title>\n<link>{page}</link>\n<guid isPermaLink=\"true\">{page}</guid>\n\
         <description>{about}</description>\n<dc:creator>{}</dc:creator>\n",
        escaped(&video.owner_name)
    ));
    if let Some(at) = video.published_at {
        out.push_str(&format!("<pubDate>{}</pubDate>\n", rfc_822(Micros(at))));
    }
    // Seconds, for readers that show how long it is.
    let seconds = video.duration_ms.unwrap_or_default() / 1000;
    out.push_str(&format!(
        "<media:content medium=\"video\" duration=\"{seconds}\">\n<media:player url=\"{base}/embed/{id}\"/>\n\
         <media:title type=\"plain\">{title}</media:title>\n<media:description type=\"plain\">{about}</media:description>\n"
    ));
    if let Some(picture) = &video.poster_id {
        let picture = escaped(&view::picture_url(&id.to_string(), picture, 640));
        out.push_str(&format!("<media:thumbnail url=\"{base}{picture}\" width=\"640\"/>\n"));
    }
    out.push_str("</media:content>\n</item>\n");
}

/// `Sat, 21 Nov 2026 12:30:07 GMT`: as HTTP (RFC 9110 §5.6.7) writes dates,
fn http_date(at: Micros) -> String {
    date(at, "GMT")
}

/// and as RSS 2.0 does.
fn rfc_822(at: Micros) -> String {
    date(at, "+0000")
}

fn date(at: Micros, zone: &str) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // 1970-01-01 was a Thursday.
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let text = Time(at).to_string();
    let month = text.get(5..7).and_then(|month| month.parse::<usize>().ok()).unwrap_or(1);
    let day = DAYS[at.millis().div_euclid(86_400_000).rem_euclid(7) as usize];
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    format!("{day}, {} {} {} {} {zone}", part(8, 10), MONTHS[(month - 1) % 12], part(0, 4), part(11, 19))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_http_and_rss() {
        let at = Micros(1_795_264_207 * Micros::SECOND);
        assert_eq!(http_date(at), "Sat, 21 Nov 2026 12:30:07 GMT");
        assert_eq!(rfc_822(Micros(0)), "Thu, 01 Jan 1970 00:00:00 +0000");
        assert_eq!(http_date(Micros(951_782_400 * Micros::SECOND)), "Tue, 29 Feb 2000 00:00:00 GMT");
    }
}
