//! The web app inside the program: hashed assets for ever, pages without cache, a title's page with its name in the head.

use api::{Client, accept::takes_coding};
use app::{App, Asker, sharing::escaped, title};
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
};
use domain::Audience;
use rust_embed::RustEmbed;
use store::videos::{self, Video};

use super::layers;

/// `web/dist` as it was built.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Dist;

/// Shown where the program was built without the web app.
const MISSING: &str = include_str!("../web_missing.html");
/// Vite puts files whose names carry a hash of their content here.
const HASHED: &str = "assets/";
/// The app's page, and the page of the player alone. Neither is a file that can be asked for by its name.
const INDEX: &str = "index.html";
const EMBED: &str = "embed.html";
/// The place in the app's page for what is seen before the app is there.
const EMPTY_FRAME: &str = "<main></main>";

/// A file of the app, or its page for every address that looks like one.
pub async fn file_or_page(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return api::Problem::not_found().into_response();
    }
    if let Some(response) = file(path, &headers) {
        return response;
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    if path.starts_with(HASHED) || last.contains('.') {
        return api::Problem::not_found().into_response();
    }
    page(&text(INDEX))
}

/// `/watch/{id}` and `/title/{id}`: the app's page with the title's name and picture for those who share the link, and with the
/// picture that is seen first in its frame. Only what everybody with the link may see gets there.
pub async fn title_page(
    State(app): State<App>,
    asker: Asker,
    client: Client,
    uri: Uri,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    match shown_to_strangers(&app, &asker, id).await {
        Some(video) => {
            let base = app.base(client, &headers);
            let plays = uri.path().starts_with("/watch/");
            let told = with_tags(&text(INDEX), &video, &app, base.as_deref());
            page(&with_first_picture(&with_state(&told, &video), &video, plays))
        }
        None => page(&text(INDEX)),
    }
}

/// The page with the picture that is seen first in its frame: the still in the player's place (`plays`), or the one behind the
/// title's words. `src/boot.ts` of the web app does the same for titles that not everybody may see; the page says how large the
/// app will show the picture.
fn with_first_picture(page: &str, video: &Video, plays: bool) -> String {
    match first_picture(page, video, plays) {
        Some(picture) => page.replacen(EMPTY_FRAME, &format!("<main>{picture}</main>"), 1),
        None => page.to_owned(),
    }
}

/// The page of a title that does not play yet tells so before anything asks.
fn with_state(page: &str, video: &Video) -> String {
    if video.state == videos::State::Ready {
        return page.to_owned();
    }
    page.replacen("<html ", &format!("<html data-not-yet=\"{}\" ", video.id), 1)
}

fn first_picture(page: &str, video: &Video, plays: bool) -> Option<String> {
    let banner = video.artwork.banner.as_ref().filter(|_| !plays);
    let picture = banner.or(video.artwork.poster.as_ref())?;
    let url = escaped(&app::view::artwork_url(&video.id.to_string(), &picture.id));
    if plays {
        if video.state != videos::State::Ready {
            return None;
        }
        let width = attribute(page, "data-still-width")?;
        return Some(format!(
            "<div class=\"watch\"><div class=\"theatre\"><div class=\"player\"><img class=\"still\" src=\"{url}?width={width}\" \
             alt=\"\" fetchpriority=\"high\"></div></div></div>"
        ));
    }
    let mut widths = domain::artwork::widths(u32::try_from(picture.width).ok()?);
    widths.sort_unstable();
    let set: Vec<_> = widths.iter().map(|width| format!("{url}?width={width} {width}w")).collect();
    Some(format!(
        "<section class=\"backdrop\" data-tall><div class=\"backdrop-picture\"><img srcset=\"{}\" sizes=\"{}\" alt=\"\" \
         fetchpriority=\"high\"></div></section>",
        set.join(", "),
        attribute(page, "data-backdrop-sizes")?
    ))
}

/// The value of the page's first attribute of that name, as it is written there.
fn attribute<'a>(page: &'a str, name: &str) -> Option<&'a str> {
    let (_, from) = page.split_once(&format!("{name}=\""))?;
    Some(from.split_once('"')?.0)
}

/// `/embed/{id}`: the player alone, the one page that others may put into theirs. 404 for what strangers may not see; the
/// page says so itself.
pub async fn embed_page(
    State(app): State<App>,
    asker: Asker,
    client: Client,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    let mut response = match shown_to_strangers(&app, &asker, id).await {
        Some(video) => {
            let base = app.base(client, &headers);
            page(&with_tags(&text(EMBED), &video, &app, base.as_deref()))
        }
        None => (StatusCode::NOT_FOUND, page(&text(EMBED))).into_response(),
    };
    let policy = layers::page_policy(layers::Framed::Everywhere, &app.config.edges);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// The title, if a stranger at the same place may see it: pages do not depend on who is signed in.
async fn shown_to_strangers(
    app: &App,
    asker: &Asker,
    id: Result<Path<String>, PathRejection>,
) -> Option<Video> {
    let stranger = Audience { viewer: None, ..**asker };
    let Path(id) = id.ok()?;
    let mut reader = app.store.reader().await.ok()?;
    let video = videos::get(&mut reader, id.parse().ok()?).await.ok()?;
    title::may_open(&video, &stranger).then_some(video)
}

/// A page of the app as it was built.
fn text(name: &str) -> String {
    Dist::get(name)
        .map_or_else(|| MISSING.to_owned(), |file| String::from_utf8_lossy(&file.data).into_owned())
}

fn page(html: &str) -> Response {
    ([(header::CACHE_CONTROL, "no-cache")], Html(html.to_owned())).into_response()
}

fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    if path.is_empty() || path == INDEX || path == EMBED {
        return None;
    }
    let plain = Dist::get(path)?;
    let tag = format!("\"{}\"", hex(&plain.metadata.sha256_hash()[..16]));
    let cache =
        if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "public, max-age=300" };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|k| k.trim() == tag)) {
        let headers = [(header::ETAG, tag), (header::CACHE_CONTROL, cache.to_owned())];
        return Some((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let packed = ["br", "gzip"].into_iter().filter(|name| takes_coding(headers, name)).find_map(|name| {
        let suffix = if name == "gzip" { "gz" } else { name };
        Dist::get(&format!("{path}.{suffix}")).map(|file| (name, file))
    });
    let (encoding, file) = packed.map_or((None, plain), |(name, file)| (Some(name), file));
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let mut response = axum::body::Bytes::from(file.data.into_owned()).into_response();
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::try_from(kind.as_ref()).ok()?);
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    out.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    out.insert(header::ETAG, HeaderValue::try_from(tag).ok()?);
    if let Some(encoding) = encoding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some(response)
}

/// Links need a `base`: without one those that must be absolute are left out.
fn with_tags(index: &str, video: &Video, app: &App, base: Option<&str>) -> String {
    let name = escaped(&video.title);
    let about = if video.description.is_empty() {
        escaped(&format!("{} by {}. Watch it on {}.", video.title, video.owner_name, app.config.name))
    } else {
        escaped(&video.description.chars().take(300).collect::<String>())
    };
    let mut tags = format!(
        "<title>{name} · {}</title>\n<meta property=\"og:type\" content=\"video.other\">\n\
         <meta property=\"og:title\" content=\"{name}\">\n<meta property=\"og:description\" content=\"{about}\">\n\
         <meta name=\"description\" content=\"{about}\">\n",
        escaped(&app.config.name)
    );
    if let Some(base) = base {
        let id = video.id;
        let mut tag = |name: &str, path: &str| {
            let url = escaped(&format!("{base}{path}"));
            tags.push_str(&format!("<meta property=\"og:{name}\" content=\"{url}\">\n"));
        };
        tag("url", &format!("/watch/{id}"));
        if let Some(poster) = &video.poster_id {
            tag("image", &app::view::picture_url(&id.to_string(), poster, 1280));
        }
        tag("video:secure_url", &format!("/embed/{id}"));
        tags.push_str(&discovery(base, &video.title, &id.to_string()));
    }
    if !video.visibility.is_listed() {
        tags.push_str("<meta name=\"robots\" content=\"noindex\">\n");
    }
    let plain = without(&without(index, "<title>", "</title>"), "<meta name=\"description\"", ">");
    match plain.find("</head>") {
        Some(at) => format!("{}{tags}{}", &plain[..at], &plain[at..]),
        None => plain,
    }
}

/// Where embedding sites (oEmbed §4) and feed readers find what they look for.
fn discovery(base: &str, title: &str, id: &str) -> String {
    let page = format!("{base}/watch/{id}");
    let encoded: String = url::form_urlencoded::byte_serialize(page.as_bytes()).collect();
    let (base, title) = (escaped(base), escaped(title));
    let link = |kind: &str, format: &str| {
        format!(
            "<link rel=\"alternate\" type=\"{kind}+oembed\" href=\"{base}/oembed?url={encoded}&amp;format={format}\" \
             title=\"{title}\">\n"
        )
    };
    format!("{}{}", link("application/json", "json"), link("text/xml", "xml"))
}

/// The text without the first stretch from `begin` to `end`.
fn without(text: &str, begin: &str, end: &str) -> String {
    let found = text.find(begin).and_then(|from| Some((from, from + text[from..].find(end)? + end.len())));
    found.map_or_else(|| text.to_owned(), |(from, to)| format!("{}{}", &text[..from], &text[to..]))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_apps_own_title_makes_room() {
        let head = "<head><meta name=\"description\" content=\"x\" /><title>K</title></head>";
        assert_eq!(
            without(&without(head, "<title>", "</title>"), "<meta name=\"description\"", ">"),
            "<head></head>"
        );
        assert_eq!(without("a<b", "<b", ">"), "a<b");
    }
}
