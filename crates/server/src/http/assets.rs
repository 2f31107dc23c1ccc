//! The web app inside the program: hashed assets for ever, pages without cache, a title's page with its name in the head.

use app::{App, Asker, title};
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
};
use domain::Audience;
use rust_embed::RustEmbed;
use store::videos::{self, Video};

/// `web/dist` as it was built.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Dist;

/// Shown where the program was built without the web app.
const MISSING: &str = include_str!("../web_missing.html");
/// Vite puts files whose names carry a hash of their content here.
const HASHED: &str = "assets/";

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
    page(&index())
}

/// `/watch/{id}`: the app's page with the title's name and picture for those who share the link. Only what everybody with
/// the link may see gets there.
pub async fn watch_page(
    State(app): State<App>,
    asker: Asker,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    // As a stranger at the same place sees it: the page does not depend on who is signed in.
    let stranger = Audience { viewer: None, ..*asker };
    let found = async {
        let Path(id) = id.ok()?;
        let mut reader = app.store.reader().await.ok()?;
        let video = videos::get(&mut reader, id.parse().ok()?).await.ok()?;
        title::may_open(&video, &stranger).then_some(video)
    };
    match found.await {
        Some(video) => page(&with_tags(&index(), &video, &app)),
        None => page(&index()),
    }
}

fn index() -> String {
    Dist::get("index.html")
        .map_or_else(|| MISSING.to_owned(), |file| String::from_utf8_lossy(&file.data).into_owned())
}

fn page(html: &str) -> Response {
    ([(header::CACHE_CONTROL, "no-cache")], Html(html.to_owned())).into_response()
}

fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    if path.is_empty() || path == "index.html" {
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
    let packed = ["br", "gzip"].into_iter().filter(|name| accepts(headers, name)).find_map(|name| {
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

fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok());
    accepted.flat_map(|v| v.split(',')).any(|part| {
        let (name, weight) = part.split_once(';').unwrap_or((part, ""));
        name.trim().eq_ignore_ascii_case(encoding)
            && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

fn with_tags(index: &str, video: &Video, app: &App) -> String {
    let name = escaped(&video.title);
    let about = escaped(&video.description.chars().take(300).collect::<String>());
    let url = escaped(&app.link(&format!("/watch/{}", video.id)));
    let mut tags = format!(
        "<title>{name} · {}</title>\n<meta property=\"og:type\" content=\"video.other\">\n\
         <meta property=\"og:title\" content=\"{name}\">\n<meta property=\"og:description\" content=\"{about}\">\n\
         <meta name=\"description\" content=\"{about}\">\n<meta property=\"og:url\" content=\"{url}\">\n",
        escaped(&app.config.name)
    );
    if let Some(poster) = &video.poster_id {
        let picture = app.link(&app::view::picture_url(&video.id.to_string(), poster, 1280));
        tags.push_str(&format!("<meta property=\"og:image\" content=\"{}\">\n", escaped(&picture)));
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

/// The text without the first stretch from `begin` to `end`.
fn without(text: &str, begin: &str, end: &str) -> String {
    let found = text.find(begin).and_then(|from| Some((from, from + text[from..].find(end)? + end.len())));
    found.map_or_else(|| text.to_owned(), |(from, to)| format!("{}{}", &text[..from], &text[to..]))
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
        out
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_accepted_as_the_header_says() {
        let headers = |text: &str| HeaderMap::from_iter([(header::ACCEPT_ENCODING, text.parse().unwrap())]);
        assert!(accepts(&headers("gzip, deflate, br;q=0.5"), "br"));
        assert!(!accepts(&headers("gzip, br;q=0"), "br"));
        assert!(!accepts(&HeaderMap::new(), "gzip"));
    }

    #[test]
    fn the_apps_own_title_makes_room() {
        let head = "<head><meta name=\"description\" content=\"x\" /><title>K</title></head>";
        assert_eq!(
            without(&without(head, "<title>", "</title>"), "<meta name=\"description\"", ">"),
            "<head></head>"
        );
        assert_eq!(without("a<b", "<b", ">"), "a<b");
    }

    #[test]
    fn a_title_cannot_break_out_of_its_tag() {
        assert_eq!(escaped("\"><script>'&\n"), "&quot;&gt;&lt;script&gt;&#39;&amp; ");
    }
}
