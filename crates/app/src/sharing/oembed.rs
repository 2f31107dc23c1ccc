//! oEmbed 1.0: what another site needs to show a title, by the address of its page.

use api::{Client, Problem, Query};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::VideoId;
use serde::{Deserialize, Serialize};
use store::videos::Video;

use super::{base, stranger, xml::escaped};
use crate::{App, Asker, Result, title, view};

/// Size of the player where the caller sets no bounds.
const SIZE: (i64, i64) = (1280, 720);
/// How long others may keep the answer, in seconds.
const CACHE: i64 = 3600;

#[derive(Deserialize)]
pub struct OembedQuery {
    url: String,
    format: Option<String>,
    maxwidth: Option<i64>,
    maxheight: Option<i64>,
}

/// The answer (oEmbed §2.3.4).
#[derive(Serialize)]
struct Answer {
    version: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    title: String,
    author_name: String,
    provider_name: String,
    provider_url: String,
    cache_age: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail_width: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail_height: Option<i64>,
    html: String,
    width: i64,
    height: i64,
}

/// `GET /oembed?url=…&format=json|xml&maxwidth=…&maxheight=…`.
pub async fn get(
    State(app): State<App>,
    asker: Asker,
    client: Client,
    headers: HeaderMap,
    Query(query): Query<OembedQuery>,
) -> Result<Response> {
    let is_xml = match query.format.as_deref().unwrap_or("json") {
        "json" => false,
        "xml" => true,
        _ => {
            let words = "The format is json or xml.";
            return Err(Problem::new(StatusCode::NOT_IMPLEMENTED, "unknown_format", words).into());
        }
    };
    let base = base(&app, client, &headers)?;
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let own = [Some(base.clone()), client.origin(host)];
    let id = own.iter().flatten().find_map(|base| id_of(&query.url, base)).ok_or_else(Problem::not_found)?;
    let video = title::open(&mut app.store.reader().await?, id, &stranger(&asker)).await?;
    let answer = answer(&app, &base, &video, (query.maxwidth, query.maxheight));
    let body = if is_xml { xml(&answer) } else { serde_json::to_string(&answer).unwrap_or_default() };
    let kind = if is_xml { "text/xml; charset=utf-8" } else { "application/json" };
    let mut response = ([(header::CONTENT_TYPE, kind)], body).into_response();
    let out = response.headers_mut();
    out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if title::is_for_everybody(&video) {
        out.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    }
    Ok(response)
}

/// The title whose page of this instance `url` is.
fn id_of(url: &str, base: &str) -> Option<VideoId> {
    let (url, base) = (url::Url::parse(url).ok()?, url::Url::parse(base).ok()?);
    if url.host() != base.host() || url.port_or_known_default() != base.port_or_known_default() {
        return None;
    }
    let mut parts = url.path_segments()?;
    match (parts.next(), parts.next(), parts.next()) {
        (Some("watch" | "embed" | "title"), Some(id), None) => id.parse().ok(),
        _ => None,
    }
}

fn answer(app: &App, base: &str, video: &Video, most: (Option<i64>, Option<i64>)) -> Answer {
    let (width, height) = fitted(video.width.zip(video.height).unwrap_or(SIZE), most);
    let id = video.id;
    let poster = video.poster_id.as_deref();
    let html = format!(
        "<iframe src=\"{}/embed/{id}\" width=\"{width}\" height=\"{height}\" title=\"{}\" frameborder=\"0\" \
         allow=\"autoplay; fullscreen; picture-in-picture; encrypted-media\" allowfullscreen></iframe>",
        escaped(base),
        escaped(&video.title)
    );
    Answer {
        version: "1.0",
        kind: "video",
        title: video.title.clone(),
        author_name: video.owner_name.clone(),
        provider_name: app.config.name.clone(),
        provider_url: format!("{base}/"),
        cache_age: CACHE,
        thumbnail_url: poster
            .map(|picture| format!("{base}{}", view::picture_url(&id.to_string(), picture, 640))),
        thumbnail_width: poster.map(|_| 640),
        thumbnail_height: poster.map(|_| 360),
        html,
        width,
        height,
    }
}

/// The largest size of the picture's shape within the bounds, and not beyond the usual one.
fn fitted((width, height): (i64, i64), (most_width, most_height): (Option<i64>, Option<i64>)) -> (i64, i64) {
    let (width, height) = (width.clamp(1, 100_000), height.clamp(1, 100_000));
    let most_width = most_width.unwrap_or(SIZE.0).clamp(1, SIZE.0);
    let most_height = most_height.unwrap_or(SIZE.1).clamp(1, SIZE.1);
    if width * most_height > height * most_width {
        (most_width, (height * most_width / width).max(1))
    } else {
        ((width * most_height / height).max(1), most_height)
    }
}

fn xml(answer: &Answer) -> String {
    let fields = serde_json::to_value(answer).unwrap_or_default();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>\n<oembed>\n");
    for (name, value) in fields.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        out.push_str(&format!("  <{name}>{}</{name}>\n", escaped(&text)));
    }
    out.push_str("</oembed>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_have_an_answer() {
        let id = VideoId::new();
        let base = "https://video.example.org";
        for path in ["watch", "embed", "title"] {
            assert_eq!(id_of(&format!("{base}/{path}/{id}?t=3"), base), Some(id));
        }
        assert_eq!(id_of(&format!("http://video.example.org:443/watch/{id}"), base), Some(id));
        for bad in [
            format!("https://evil.example/watch/{id}"),
            format!("{base}/studio/{id}"),
            format!("{base}/watch/{id}/x"),
            format!("{base}/watch/x"),
            "x".to_owned(),
        ] {
            assert_eq!(id_of(&bad, base), None, "{bad}");
        }
    }

    #[test]
    fn the_picture_keeps_its_shape() {
        assert_eq!(fitted((1920, 1080), (None, None)), (1280, 720));
        assert_eq!(fitted((1920, 1080), (Some(640), None)), (640, 360));
        assert_eq!(fitted((1080, 1920), (Some(640), Some(480))), (270, 480));
        assert_eq!(fitted((0, -4), (Some(-1), Some(0))), (1, 1));
    }
}
